//! Whether this cart may use a hold at all, decided before any line is read.

use function_input::Input;
use loyalty::json::Document;
use loyalty::{Account, Currency, Kind, Mark, Terms};

use crate::members::{
    ATTRIBUTE, BUYER_IDENTITY, CART, CURRENCY_CODE, CUSTOMER, DISCOUNT, DISCOUNT_CLASSES, IS_AUTHENTICATED,
    REDEMPTION, RETAIL_LOCATION, SUBTOTAL,
};

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

/// Whether the discount is of the class that the kind needs: the platform refuses answers of any other. The one for points
/// is of all classes. The one for perks is not of class ORDER, so that nothing is redeemed there even if it had lost its
/// perks.
fn has_class(discount: Input, kind: Kind) -> bool {
    let needed: &[&str] = match kind {
        Kind::Amount | Kind::Percent => &["ORDER"],
        Kind::Product => &["ORDER", "PRODUCT"],
        Kind::Shipping => &["ORDER", "SHIPPING"],
    };
    needed.iter().all(|class| is_of(discount, class))
}

/// Whether the discount is of a class.
pub fn is_of(discount: Input, wanted: &str) -> bool {
    discount.member(&DISCOUNT_CLASSES).elements().any(|class| class.text().as_deref() == Some(wanted))
}
