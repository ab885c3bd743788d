//! Whether this cart may use a hold at all, decided before any line is read.

use loyalty::{Account, Currency, Kind, Mark, Terms};

use crate::input::Input;
use crate::input::members::{
    ATTRIBUTE, BUYER_IDENTITY, CART, CURRENCY_CODE, CUSTOMER, DISCOUNT, DISCOUNT_CLASSES, IS_AUTHENTICATED,
    REDEMPTION, RETAIL_LOCATION, ROLE, SUBTOTAL,
};
use crate::json::Document;

/// A cart that may use a hold, and the hold's terms.
pub struct Claim {
    /// What the hold gives.
    pub terms: Terms,
    /// The cart.
    pub cart: Input,
    /// The cart's currency: that of all its amounts, and of what the Function answers.
    pub currency: Currency,
}

impl Claim {
    /// Reads what decides, in the order of the input query; `None` when there is nothing to redeem here.
    pub fn read(input: Input) -> Option<Claim> {
        let discount = input.member(&DISCOUNT);
        if !is_for_points(discount) {
            return None;
        }
        let cart = input.member(&CART);
        // At a till the POS extension applies the discount.
        if !cart.member(&RETAIL_LOCATION).is_null() {
            return None;
        }
        let buyer = cart.member(&BUYER_IDENTITY);
        if buyer.member(&IS_AUTHENTICATED).truth() != Some(true) {
            return None;
        }
        let account = buyer.member(&CUSTOMER).only().only().text()?;
        let terms = Account::read_hold(&Document::parse(&account)?.root()?).ok()??;
        if !may_use(&terms, cart) || !has_class(discount, terms.kind) {
            return None;
        }
        let code = cart.member(&SUBTOTAL).only().member(&CURRENCY_CODE).text()?;
        let currency = Currency::parse(&code).ok()?;
        Some(Claim { terms, cart, currency })
    }
}

/// One Function serves two discounts; the other one, for member perks, has nothing to do with points.
fn is_for_points(discount: Input) -> bool {
    let role = discount.member(&ROLE);
    role.is_null() || role.only().text().as_deref() == Some("points")
}

/// Whether the hold needs no mark, or one of the cart's two marks names it. Themes write the attribute, the checkout
/// writes the metafield; an old one of either kind must not hide the other.
fn may_use(terms: &Terms, cart: Input) -> bool {
    let attribute = || cart.member(&ATTRIBUTE).only().text()?.parse::<Mark>().ok();
    let metafield = || {
        let text = cart.member(&REDEMPTION).only().text()?;
        Mark::read(&Document::parse(&text)?.root()?).ok()
    };
    terms.applies_to(None) || terms.applies_to(attribute()) || terms.applies_to(metafield())
}

/// Whether the discount is of the class that the kind needs: the platform refuses answers of any other.
fn has_class(discount: Input, kind: Kind) -> bool {
    let needed = match kind {
        Kind::Amount | Kind::Percent => "ORDER",
        Kind::Product => "PRODUCT",
        Kind::Shipping => "SHIPPING",
    };
    discount.member(&DISCOUNT_CLASSES).elements().any(|class| class.text().as_deref() == Some(needed))
}
