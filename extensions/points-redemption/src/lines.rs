//! What a cart line comes to.

use function_input::{Input, money};
use loyalty::{Currency, Money};

use crate::members::COST;

/// What a line comes to before any discount.
pub fn subtotal(line: Input, currency: Currency) -> Option<Money> {
    money(line.member(&COST).only().only(), currency)
}
