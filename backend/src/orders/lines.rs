//! A line of an order from its amounts, whoever told them: a webhook, or the order that was read again.

use loyalty::line::{LineKind, LineNow};

use super::payload::Error;

/// What is told of a line, in minor units of the shop's currency. Discounts and tax are of all units together.
pub(super) struct Told {
    pub id: i64,
    pub quantity: i64,
    pub current: i64,
    /// What one unit costs.
    pub price: i64,
    pub discount: i64,
    pub tax: i64,
    pub kind: LineKind,
    pub product: Option<i64>,
}

impl Told {
    /// The line, at prices that have the tax in them or do not.
    pub fn line(self, tax_included: bool) -> Result<LineNow, Error> {
        let Told { id, quantity, current, price, discount, tax, kind, product } = self;
        let full = price.checked_mul(quantity).ok_or(Error::Quantity)?;
        let paid =
            full.checked_sub(discount).filter(|paid| (-loyalty::LIMIT..=loyalty::LIMIT).contains(paid));
        let paid = paid.ok_or(Error::Quantity)?;
        Ok(LineNow { id, quantity, current, paid, discount, tax, tax_included, kind, product })
    }
}

/// Delivery as one line: price, discount and tax of each part of it. None where nothing is delivered.
pub(super) fn delivery(
    parts: impl IntoIterator<Item = Result<(i64, i64, i64), Error>>,
    tax_included: bool,
) -> Result<Option<LineNow>, Error> {
    let mut whole: Option<(i64, i64, i64)> = None;
    for part in parts {
        let (price, discount, tax) = part?;
        let sum = whole.unwrap_or_default();
        whole = Some((add(sum.0, price)?, add(sum.1, discount)?, add(sum.2, tax)?));
    }
    let Some((price, discount, tax)) = whole else { return Ok(None) };
    let (id, kind) = (LineNow::DELIVERY, LineKind::Delivery);
    Told { id, quantity: 1, current: 1, price, discount, tax, kind, product: None }
        .line(tax_included)
        .map(Some)
}

/// Whether a decimal amount, of whatever currency, is more than nothing.
pub(super) fn is_positive(amount: &str) -> bool {
    !amount.starts_with('-') && amount.contains(|digit| matches!(digit, '1'..='9'))
}

/// A sum of amounts that stays within the range of money.
pub(super) fn sum<E: Into<Error>>(amounts: impl IntoIterator<Item = Result<i64, E>>) -> Result<i64, Error> {
    amounts.into_iter().try_fold(0, |sum, amount| add(sum, amount.map_err(Into::into)?))
}

pub(super) fn add(sum: i64, amount: i64) -> Result<i64, Error> {
    sum.checked_add(amount).filter(|sum| *sum <= loyalty::LIMIT).ok_or(Error::Quantity)
}
