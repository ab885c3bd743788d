//! The members that the input queries select beside others. A test compares them with the queries.

use function_input::Member;

const fn member(name: &'static str, place: usize) -> Member {
    Member::new(name, place)
}

pub const DISCOUNT: Member = member("discount", 0);
pub const CART: Member = member("cart", 1);

// Of the discount.
pub const DISCOUNT_CLASSES: Member = member("discountClasses", 0);
pub const PERKS: Member = member("perks", 1);

// Of the cart.
pub const RETAIL_LOCATION: Member = member("retailLocation", 0);
pub const BUYER_IDENTITY: Member = member("buyerIdentity", 1);
pub const ATTRIBUTE: Member = member("attribute", 2);
pub const REDEMPTION: Member = member("redemption", 3);
pub const SUBTOTAL: Member = member("subtotal", 4);
pub const GIFT_CARDS: Member = member("giftCards", 5);
pub const DELIVERY_GROUPS: Member = member("deliveryGroups", 5);
pub const LINES: Member = member("lines", 6);
pub const VARIANTS: Member = member("variants", 7);
pub const COLLECTED: Member = member("collected", 8);

// Of the buyer.
pub const IS_AUTHENTICATED: Member = member("isAuthenticated", 0);
pub const CUSTOMER: Member = member("customer", 1);

// Of the subtotal.
pub const CURRENCY_CODE: Member = member("currencyCode", 0);
pub const AMOUNT: Member = member("amount", 1);

// Of a line, and of a delivery option.
pub const COST: Member = member("cost", 0);
pub const ID: Member = member("id", 1);
pub const HANDLE: Member = member("handle", 1);
pub const QUANTITY: Member = member("quantity", 0);
pub const MERCHANDISE: Member = member("merchandise", 1);
