//! What is asked of a cart line.

use loyalty::{Currency, Money};

use crate::input::Input;

/// Whether merchandise is a gift card, be it a product or made up for one order.
pub fn is_gift_card(merchandise: Input) -> bool {
    let only = merchandise.only();
    only.only().truth().or_else(|| only.truth()) == Some(true)
}

/// What a line comes to before any discount.
pub fn subtotal(line: Input, currency: Currency) -> Option<Money> {
    money(line.get("cost").only(), currency)
}

/// An amount of money. A negative one is as malformed as a word.
pub fn money(money: Input, currency: Currency) -> Option<Money> {
    Money::parse(&money.get("amount").text()?, currency).ok().filter(|money| money.minor() >= 0)
}
