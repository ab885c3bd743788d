//! Whether something is to be said, and what.

use function_input::{Input, is_gift_card, money};
use loyalty::json::Document;
use loyalty::perks::is_guarded;
use loyalty::{Account, Currency, Mark, Terms};

use crate::members::{
    AMOUNT, ATTRIBUTE, BUYER_IDENTITY, CART, CURRENCY_CODE, CUSTOMER, GIFT_CARDS, IS_AUTHENTICATED, JOURNEY,
    LINES, LOCALIZATION, REDEMPTION, RETAIL_LOCATION, SHOP, SUBTOTAL, VARIANTS,
};
use crate::words;

/// What stands in the way of the hold that the cart names, in the buyer's words.
pub fn obstacle(input: Input) -> Option<String> {
    if input.member(&JOURNEY).only().text()? != "CHECKOUT_INTERACTION" {
        return None;
    }
    let program = input.member(&SHOP).only().only().text()?;
    if !is_guarded(&Document::parse(&program)?.root()?).ok()? {
        return None;
    }
    let language = input.member(&LOCALIZATION).only().only().text().unwrap_or_default();
    let cart = input.member(&CART);
    if !cart.member(&RETAIL_LOCATION).is_null() {
        return None;
    }
    let buyer = cart.member(&BUYER_IDENTITY);
    if buyer.member(&IS_AUTHENTICATED).truth() != Some(true) {
        return None;
    }
    let account = buyer.member(&CUSTOMER).only().only().text()?;
    let terms = Account::read_hold(&Document::parse(&account)?.root()?).ok()??;
    if !names(cart, &terms) {
        return None;
    }

    let subtotal = cart.member(&SUBTOTAL).only();
    let currency = Currency::parse(&subtotal.member(&CURRENCY_CODE).text()?).ok()?;
    let mut eligible = money(subtotal.member(&AMOUNT), currency)?;
    // To the end before the next member is asked for: reading along is cheaper than parsing all, then reading.
    let merchandise = cart.member(&GIFT_CARDS);
    let mut gift_cards = Vec::with_capacity(merchandise.count());
    for line in merchandise.elements() {
        gift_cards.push(is_gift_card(line.only())?);
    }
    let lines = cart.member(&LINES);
    for (place, _) in gift_cards.iter().enumerate().filter(|(_, is_one)| **is_one) {
        let off = money(lines.nth(place).only().only().only(), currency)?;
        eligible = eligible.minus(off).ok()?;
    }
    let has_product = || {
        let variants = cart.member(&VARIANTS);
        let wanted = |place: usize| variants.nth(place).only().only().text() == terms.variant;
        gift_cards.iter().enumerate().any(|(place, is_one)| !is_one && wanted(place))
    };
    let obstacle = terms.obstacle(eligible, has_product)?;
    Some(words::sentence(&language, &terms, obstacle))
}

/// Whether one of the cart's two marks names the hold. One for the next order, which needs no mark, is not spoken of:
/// nobody asked for it here.
fn names(cart: Input, terms: &Terms) -> bool {
    let attribute = || cart.member(&ATTRIBUTE).only().text()?.parse::<Mark>().ok();
    let metafield = || {
        let text = cart.member(&REDEMPTION).only().text()?;
        Mark::read(&Document::parse(&text)?.root()?).ok()
    };
    let is_it = |mark: Option<Mark>| mark.is_some_and(|mark| mark.hold == terms.id);
    is_it(attribute()) || is_it(metafield())
}
