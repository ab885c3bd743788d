//! Shopify Function: says why points that a buyer picked cannot be used at this checkout.
//!
//! It never locks a buyer out. It speaks only of a live hold that the cart names: a hold that is missing, unknown or over is
//! no discount and no error. It is silent unless the program has it speak; while the cart is changed, because a change that is refused may be the one that
//! mends it; on completion, where nothing can be mended any more; and at a till. What it says ends with the hold.
//!
//! It decides nothing itself: the rules (`loyalty`) say what stands in the way. Whatever is missing or malformed means
//! silence, never a panic.

mod guard;
#[allow(missing_docs)]
pub mod members;
mod words;

use function_input::Input;
use shopify_function::Result;
use shopify_function::prelude::*;

/// A run is over before memory matters: it is handed out and never taken back, at half the instructions.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: lol_alloc::LockedAllocator<lol_alloc::LeakingAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::LeakingAllocator::new());

/// Types of the answer, generated from the schema.
#[allow(missing_docs)]
#[typegen("schema.graphql", enums_as_str = ["CurrencyCode", "LanguageCode"])]
pub mod schema {}

use schema::{CartValidationsGenerateRunResult, Operation, ValidationAddOperation, ValidationError};

/// Target `cart.validations.generate.run`.
#[shopify_function]
pub fn cart_validations_generate_run(input: Input) -> Result<CartValidationsGenerateRunResult> {
    let errors: Vec<_> = guard::obstacle(input)
        .map(|message| ValidationError { message, target: "$.cart".to_owned() })
        .into_iter()
        .collect();
    let operations = match errors.is_empty() {
        true => Vec::new(),
        false => vec![Operation::ValidationAdd(ValidationAddOperation { errors })],
    };
    Ok(CartValidationsGenerateRunResult { operations })
}
