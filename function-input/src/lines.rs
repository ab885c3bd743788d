//! What is asked of cart lines.

use loyalty::{Currency, Money};

use crate::Input;

/// Whether merchandise is a gift card, be it a product or made up for one order. `None` when it does not say: then
/// nothing may be discounted, for gift cards never are.
#[inline(always)]
pub fn is_gift_card(merchandise: Input) -> Option<bool> {
    let only = merchandise.only();
    only.only().truth().or_else(|| only.truth())
}

/// An amount of money. A negative one is as malformed as a word.
pub fn money(amount: Input, currency: Currency) -> Option<Money> {
    Money::parse(&amount.text()?, currency).ok().filter(|money| money.minor() >= 0)
}
