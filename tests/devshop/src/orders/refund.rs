//! Cancelling and giving back.

use jiff::Timestamp;

use super::{Order, Refund, RefundedLine};
use crate::ids::Ids;
use crate::money::MoneySet;

/// What to give back.
#[derive(Debug, Clone, Default)]
pub struct RefundRequest {
    /// Order line numbers and how many units of each.
    pub lines: Vec<(u64, u32)>,
    /// Shipping.
    pub shipping: ShippingRefund,
    /// More than these come to, or less, in minor units of the customer's currency: out of kindness, or for a fee. Money of no
    /// line, where there are none.
    pub difference: i64,
    /// Why, for people.
    pub note: Option<String>,
    /// As store credit, instead of to where the payment came from.
    pub to_store_credit: bool,
}

/// How much of the shipping to give back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ShippingRefund {
    /// None of it.
    #[default]
    None,
    /// All that was charged and not yet given back.
    Full,
    /// Minor units of the customer's currency.
    Amount(i64),
}

/// Why nothing is given back.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RefundError {
    /// The order has no such line.
    #[error("the order has no line {0}")]
    NoSuchLine(u64),
    /// Fewer units are left.
    #[error("of line {line} only {left} can be refunded")]
    TooMany {
        /// The line.
        line: u64,
        /// How many are left.
        left: u32,
    },
    /// More shipping than was charged and is left, or less than none.
    #[error("that much shipping cannot be refunded")]
    Shipping,
    /// More than was paid and is left, or less than nothing.
    #[error("that much money cannot be refunded")]
    Difference,
    /// No lines, no shipping, no money.
    #[error("there is nothing to refund")]
    Nothing,
}

impl Order {
    /// Gives something back. Units of a line are worth what was charged for it, shared so that all its refunds together
    /// come to exactly that; where less of the money is left, less.
    ///
    /// # Errors
    /// When there is not that much left; the order is unchanged.
    pub(crate) fn refund(
        &mut self,
        request: &RefundRequest,
        ids: &mut Ids,
        now: Timestamp,
    ) -> Result<Refund, RefundError> {
        let mut wanted: Vec<(usize, u32)> = Vec::new();
        for &(line, quantity) in request.lines.iter().filter(|(_, quantity)| *quantity > 0) {
            let at =
                self.lines.iter().position(|known| known.id == line).ok_or(RefundError::NoSuchLine(line))?;
            match wanted.iter_mut().find(|(known, _)| *known == at) {
                Some((_, sum)) => *sum = sum.saturating_add(quantity),
                None => wanted.push((at, quantity)),
            }
        }
        for &(at, quantity) in &wanted {
            let line = &self.lines[at];
            if quantity > line.current_quantity() {
                return Err(RefundError::TooMany { line: line.id, left: line.current_quantity() });
            }
        }
        let shipping = self.shipping_to_refund(request.shipping)?;
        let worth = |&(at, quantity): &(usize, u32)| {
            let line = &self.lines[at];
            line.net_of(line.refunded + quantity) - line.net_of(line.refunded)
        };
        let subtotals: Vec<MoneySet> = wanted.iter().map(worth).collect();
        let together = subtotals.iter().copied().sum::<MoneySet>() + shipping;
        let difference = self.difference_to_refund(request.difference, together)?;
        if wanted.is_empty() && (shipping, difference) == Default::default() {
            return Err(RefundError::Nothing);
        }

        let mut lines = Vec::new();
        for ((at, quantity), subtotal) in wanted.into_iter().zip(subtotals) {
            let line = &mut self.lines[at];
            line.refunded += quantity;
            lines.push(RefundedLine { id: ids.id(), line: line.id, quantity, subtotal });
        }
        if let Some(charged) = &mut self.shipping {
            charged.refunded += shipping;
        }
        let refund = Refund {
            id: ids.id(),
            at: now,
            note: request.note.clone(),
            lines,
            shipping,
            shipping_ids: [ids.id(), ids.id()],
            difference,
            difference_id: ids.id(),
            transaction: self.paid_at.map(|_| ids.id()),
            to_store_credit: request.to_store_credit,
        };
        self.refunds.push(refund.clone());
        self.updated_at = now;
        Ok(refund)
    }

    fn shipping_to_refund(&self, wanted: ShippingRefund) -> Result<MoneySet, RefundError> {
        let (charged, before) = match &self.shipping {
            Some(shipping) => (shipping.quote.net(), shipping.refunded),
            None => Default::default(),
        };
        match wanted {
            ShippingRefund::None => Ok(MoneySet::default()),
            ShippingRefund::Full => Ok(charged - before),
            ShippingRefund::Amount(amount) => {
                let after = before.presentment.checked_add(amount).ok_or(RefundError::Shipping)?;
                if amount < 0 || after > charged.presentment {
                    return Err(RefundError::Shipping);
                }
                Ok(charged.portion(after, charged.presentment) - before)
            }
        }
    }

    /// By how much a refund differs from what it is worth: less, too, where not that much is left.
    fn difference_to_refund(&self, wanted: i64, worth: MoneySet) -> Result<MoneySet, RefundError> {
        let (charged, before) = (self.total_now(), self.refunded());
        let until = before + worth;
        let over = charged.presentment - until.presentment;
        let paid = over.min(self.paid.presentment - until.presentment).max(0);
        if wanted > paid || wanted.checked_add(worth.presentment).is_none_or(i64::is_negative) {
            return Err(RefundError::Difference);
        }
        let after = until.presentment + wanted.min(over);
        match wanted.min(over) {
            0 => Ok(MoneySet::default()),
            difference => {
                let shop = charged.portion(after, charged.presentment).shop - until.shop;
                Ok(MoneySet { shop, presentment: difference })
            }
        }
    }

    /// All that is left to give back.
    pub(crate) fn everything_left(&self) -> RefundRequest {
        let lines = self.lines.iter().map(|line| (line.id, line.current_quantity())).collect();
        RefundRequest { lines, shipping: ShippingRefund::Full, ..RefundRequest::default() }
    }
}
