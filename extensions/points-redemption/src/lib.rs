//! Shopify Function: turns a hold on points into a discount at checkout, and gives members' perks.
//!
//! It runs for two automatic discounts, because one list of candidates has one winner. The one for perks carries the
//! program's perks in its metafield `$app.perks`, the other has none; neither does what is the other's.
//!
//! It decides nothing itself. It reads the cart and the account metafield of the customer, asks the rules
//! (`loyalty`) what the hold is worth to this cart, or which perk is best for a line, and answers with that. Whatever is missing,
//! malformed or unknown means no discount: never an error, never a panic, so that a checkout always goes on.
//!
//! The input is read on demand, each value when it is needed: a cart without a hold costs next to nothing, however
//! many lines it has. The answer's types are generated from `schema.graphql`.

mod claim;
mod delivery;
mod lines;
#[allow(missing_docs)]
pub mod members;
mod order;
mod perks;

use shopify_function::Result;
use shopify_function::prelude::*;

pub use function_input::{Input, Member};

/// A run is over before memory matters: it is handed out and never taken back, at half the instructions.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: lol_alloc::LockedAllocator<lol_alloc::LeakingAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::LeakingAllocator::new());

/// Types of the answer, generated from the schema. Money goes out as text: floats would round it.
#[allow(missing_docs)]
#[typegen("schema.graphql", enums_as_str = ["CurrencyCode"], custom_scalar_overrides = {
    "FixedAmount.amount" => ::std::string::String,
    "ProductDiscountCandidateFixedAmount.amount" => ::std::string::String,
    "Percentage.value" => ::std::string::String,
})]
pub mod schema {}

/// Target `cart.lines.discounts.generate.run`: an amount or a percentage off the order, or a product for nothing; or
/// perks on lines.
#[shopify_function]
pub fn cart_lines_discounts_generate_run(
    input: Input,
) -> Result<schema::CartLinesDiscountsGenerateRunResult> {
    Ok(schema::CartLinesDiscountsGenerateRunResult {
        operations: if perks::are_given_by(input) { perks::off_lines(input) } else { order::discount(input) }
            .into_iter()
            .collect(),
    })
}

/// Target `cart.delivery-options.discounts.generate.run`: delivery for nothing, or for less.
#[shopify_function]
pub fn cart_delivery_options_discounts_generate_run(
    input: Input,
) -> Result<schema::CartDeliveryOptionsDiscountsGenerateRunResult> {
    Ok(schema::CartDeliveryOptionsDiscountsGenerateRunResult {
        operations: if perks::are_given_by(input) {
            perks::off_delivery(input)
        } else {
            delivery::discount(input)
        }
        .into_iter()
        .collect(),
    })
}
