//! What is known of an order, with what one more message tells.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use loyalty::earning::{Earning, Returned};
use loyalty::line::{LineKind, LineNow};
use loyalty::order::{self, Facts, Payment};

use super::Order;
use super::store::Known;
use crate::ids::CustomerId;

impl Known {
    /// Whether it may be history: that alone knows a customer without the order's facts.
    pub(super) fn may_be_past(&self) -> bool {
        self.facts.is_none() && self.customer.is_some()
    }

    /// Whose the order is, with what it tells now. Nothing leads to an erased customer again.
    pub(super) fn customer_of(&self, order: &Order) -> Option<CustomerId> {
        if self.erased { self.customer } else { self.customer.or(order.customer) }
    }

    /// An order that is read again does not tell which of its lines are tips, and none tells of a product that the shop has
    /// deleted since: where one message told, older or newer, all are taken to.
    pub(super) fn agree_on_lines(&mut self, order: &mut Order) {
        let known = self.latest.iter_mut().flat_map(|latest| {
            let paid = latest.paid.iter_mut().flat_map(|(_, lines)| lines);
            latest.lines.iter_mut().chain(paid)
        });
        let lines: Vec<&mut LineNow> = known.chain(&mut order.lines).collect();
        let tips = lines.iter().filter(|line| line.kind == LineKind::Tip);
        let tips: HashSet<i64> = tips.map(|line| line.id).collect();
        let products: HashMap<i64, i64> =
            lines.iter().filter_map(|line| Some((line.id, line.product?))).collect();
        for line in lines {
            if tips.contains(&line.id) {
                line.kind = LineKind::Tip;
            }
            line.product = line.product.or_else(|| products.get(&line.id).copied());
        }
    }

    /// What came back, as it tells. Who reads it is told less of what a refund differs by than who was told of that refund.
    pub(super) fn note_refunds(&mut self, order: &Order) {
        for (id, back) in &order.refunds {
            match order.read_again {
                true => drop(self.refunds.entry(*id).or_insert_with(|| back.clone())),
                false => drop(self.refunds.insert(*id, back.clone())),
            }
        }
    }

    /// The newest lines that were paid for, by what was known of the order and what it tells now.
    pub(super) fn paid_lines(&self, order: &Order) -> Option<(i64, Vec<LineNow>)> {
        let is_paid = |facts: &Facts| facts.payment == Payment::Paid && !facts.rest_due;
        let latest = self.latest.as_ref();
        let known = latest.filter(|_| self.facts.as_ref().is_some_and(is_paid));
        let known = known.map(|latest| (latest.as_of, latest.lines.clone()));
        let known = known.or_else(|| latest.and_then(|latest| latest.paid.clone()));
        let told = is_paid(&order.facts).then(|| (order.as_of, order.lines.clone()));
        known.into_iter().chain(told).max_by_key(|(as_of, _)| *as_of)
    }

    /// What was paid for what is left of the order; none where nothing is.
    pub(super) fn kept(&self, facts: &Facts, gone: &[Returned]) -> Option<i64> {
        order::kept(facts, &self.lines_as_paid(), gone)
    }

    /// All that is gone of the order: what came back, and what an edit took off.
    pub(super) fn gone(&self, earning: Option<&Earning>) -> Vec<Returned> {
        let refunds: Vec<Returned> = self.refunds.values().flatten().copied().collect();
        order::gone(&self.lines_as_paid(), &refunds, earning)
    }

    /// The newest lines, each with what was paid for it: what an edit added is not, while that is due.
    fn lines_as_paid(&self) -> Cow<'_, [LineNow]> {
        let Some(latest) = &self.latest else { return Cow::default() };
        let rest_due = self.facts.is_some_and(|facts| facts.rest_due);
        let Some((_, paid)) = latest.paid.as_ref().filter(|_| rest_due) else {
            return Cow::Borrowed(&latest.lines);
        };
        let as_paid = |line: &LineNow| {
            let before = paid.iter().find(|before| before.id == line.id);
            let (paid, tax) = before.map_or((0, 0), |before| (before.paid, before.tax));
            LineNow { paid, tax, ..*line }
        };
        Cow::Owned(latest.lines.iter().map(as_paid).collect())
    }
}
