//! What an order used of a redemption.

use alloc::vec::Vec;

#[cfg(feature = "serde")]
use crate::is_default;
use crate::{earning::Returned, line::LineNow, mul_div_floor};

/// What an order used of a redemption, in minor units of the currency it was paid in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Used {
    /// By line.
    pub lines: Vec<UsedLine>,
    /// On delivery.
    pub delivery: i64,
    /// What was to be paid for delivery after all discounts, in minor units of the shop's currency.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub delivery_basis: i64,
}

/// What one line used of a redemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UsedLine {
    /// Shopify's id of the line.
    pub line: i64,
    /// Units bought.
    pub quantity: i64,
    /// Minor units taken off.
    pub amount: i64,
}

impl Used {
    /// All that the order used, in minor units.
    pub fn total(&self) -> i64 {
        self.lines.iter().fold(self.delivery, |sum, line| sum.saturating_add(line.amount))
    }

    /// What stands no more after these returns, in minor units: all of a line whose units are all back, and of a delivery
    /// whose price is; in proportion otherwise.
    pub(super) fn returned(&self, returns: &[Returned]) -> i64 {
        self.lines.iter().fold(self.delivery_returned(returns), |sum: i64, line| {
            let back = returns.iter().filter(|returned| returned.line == line.line);
            let back = back.fold(0_i64, |units, returned| units.saturating_add(returned.quantity.max(0)));
            let back = back.min(line.quantity);
            sum.saturating_add(mul_div_floor(line.amount, back, line.quantity).unwrap_or(0))
        })
    }

    fn delivery_returned(&self, returns: &[Returned]) -> i64 {
        let mut refunds = returns.iter().filter(|returned| returned.line == LineNow::DELIVERY).peekable();
        if refunds.peek().is_none() {
            return 0;
        }
        let refunded = refunds.fold(0_i64, |sum, refund| sum.saturating_add(refund.subtotal.max(0)));
        let back = refunded.min(self.delivery_basis);
        mul_div_floor(self.delivery, back, self.delivery_basis).unwrap_or(self.delivery)
    }
}
