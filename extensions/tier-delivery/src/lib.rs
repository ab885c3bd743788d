//! Shopify Function: shows members of a tier the delivery options that are theirs, renamed, in front, or hidden.
//!
//! It decides nothing itself. It reads the program's metafield and the tier in the account metafield of the customer, and
//! asks the rules (`loyalty`) what becomes of the options. Whatever is missing, malformed or unknown means that nothing is
//! changed: never an error, never a panic, so that a checkout always goes on.

use function_input::{Input, Member};
use loyalty::Account;
use loyalty::delivery::{Change, arrange};
use loyalty::json::Document;
use loyalty::perks::OptionPerk;
use shopify_function::Result;
use shopify_function::prelude::*;

/// A run is over before memory matters: it is handed out and never taken back, at half the instructions.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: lol_alloc::LockedAllocator<lol_alloc::LeakingAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::LeakingAllocator::new());

/// Types of the answer, generated from the schema.
#[allow(missing_docs)]
#[typegen("schema.graphql")]
pub mod schema {}

use schema::{
    DeliveryOptionHideOperation, DeliveryOptionMoveOperation, DeliveryOptionRenameOperation, Operation,
};

/// The members that the input query selects beside others. A test compares them with the query.
#[allow(missing_docs)]
pub mod members {
    use super::Member;

    pub const SHOP: Member = Member::new("shop", 0);
    pub const CART: Member = Member::new("cart", 1);

    // Of the cart.
    pub const BUYER_IDENTITY: Member = Member::new("buyerIdentity", 0);
    pub const DELIVERY_GROUPS: Member = Member::new("deliveryGroups", 1);

    // Of the buyer.
    pub const IS_AUTHENTICATED: Member = Member::new("isAuthenticated", 0);
    pub const CUSTOMER: Member = Member::new("customer", 1);

    // Of a delivery option.
    pub const HANDLE: Member = Member::new("handle", 0);
    pub const TITLE: Member = Member::new("title", 1);
}

use members::{BUYER_IDENTITY, CART, CUSTOMER, DELIVERY_GROUPS, HANDLE, IS_AUTHENTICATED, SHOP, TITLE};

/// Target `cart.delivery-options.transform.run`.
#[shopify_function]
pub fn cart_delivery_options_transform_run(
    input: Input,
) -> Result<schema::CartDeliveryOptionsTransformRunResult> {
    Ok(schema::CartDeliveryOptionsTransformRunResult { operations: changes(input).unwrap_or_default() })
}

/// What becomes of the options of every group.
fn changes(input: Input) -> Option<Vec<Operation>> {
    let program = input.member(&SHOP).only().only().text()?;
    let program = Document::parse(&program)?;
    let cart = input.member(&CART);
    let tier = tier(cart.member(&BUYER_IDENTITY));
    let perks = OptionPerk::read_all(&program.root()?, tier.as_deref()).ok()?;
    if perks.is_empty() {
        return None;
    }
    let mut operations = Vec::new();
    for group in cart.member(&DELIVERY_GROUPS).elements() {
        let (mut handles, mut titles) = (Vec::new(), Vec::new());
        for option in group.only().elements() {
            handles.push(option.member(&HANDLE).text()?);
            titles.push(option.member(&TITLE).text());
        }
        for (at, change) in arrange(&titles, &perks) {
            operations.push(operation(handles[at].clone(), change));
        }
    }
    Some(operations)
}

/// The tier of a member who has signed in.
fn tier(buyer: Input) -> Option<String> {
    if buyer.member(&IS_AUTHENTICATED).truth() != Some(true) {
        return None;
    }
    let account = buyer.member(&CUSTOMER).only().only().text()?;
    Account::read_tier(&Document::parse(&account)?.root()?).ok()?
}

fn operation(delivery_option_handle: String, change: Change) -> Operation {
    match change {
        Change::Rename(title) => {
            Operation::DeliveryOptionRename(DeliveryOptionRenameOperation { delivery_option_handle, title })
        }
        Change::Move(place) => Operation::DeliveryOptionMove(DeliveryOptionMoveOperation {
            delivery_option_handle,
            index: i32::try_from(place).unwrap_or(i32::MAX),
        }),
        Change::Hide => Operation::DeliveryOptionHide(DeliveryOptionHideOperation { delivery_option_handle }),
    }
}
