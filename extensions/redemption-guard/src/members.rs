//! The members that the input query selects beside others. A test compares them with the query.

use function_input::Member;

pub const JOURNEY: Member = Member::new("journey", 0);
pub const SHOP: Member = Member::new("shop", 1);
pub const LOCALIZATION: Member = Member::new("localization", 2);
pub const CART: Member = Member::new("cart", 3);

// Of the cart.
pub const RETAIL_LOCATION: Member = Member::new("retailLocation", 0);
pub const BUYER_IDENTITY: Member = Member::new("buyerIdentity", 1);
pub const ATTRIBUTE: Member = Member::new("attribute", 2);
pub const REDEMPTION: Member = Member::new("redemption", 3);
pub const SUBTOTAL: Member = Member::new("subtotal", 4);
pub const GIFT_CARDS: Member = Member::new("giftCards", 5);
pub const LINES: Member = Member::new("lines", 6);
pub const VARIANTS: Member = Member::new("variants", 7);

// Of the buyer.
pub const IS_AUTHENTICATED: Member = Member::new("isAuthenticated", 0);
pub const CUSTOMER: Member = Member::new("customer", 1);

// Of the subtotal.
pub const CURRENCY_CODE: Member = Member::new("currencyCode", 0);
pub const AMOUNT: Member = Member::new("amount", 1);
