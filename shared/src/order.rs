//! The fold of an order: from its newest facts, its newest lines and the set of its returns to what should be booked
//! for it.
//!
//! The ledger books the difference between this and what it has booked so far. So duplicates, reordering and late
//! arrivals end in the same state by construction.

use alloc::vec::Vec;

use crate::{
    earning::{Earning, Returned},
    mul_div_floor,
    points::Points,
};

/// The facts of an order that move points, as of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Facts {
    /// When Shopify last changed the order, in microseconds since 1970 (UTC).
    pub updated_at: i64,
    /// Where its payment stands.
    pub payment: Payment,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Whether it was paid once, and an edit has added to it what is not paid yet.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "core::ops::Not::not"))]
    pub rest_due: bool,
}

/// Where an order's payment stands. The order of the variants is the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Payment {
    /// Not yet, or not all.
    Pending,
    /// Paid, whatever was refunded since.
    Paid,
    /// Voided or expired: it will not come.
    Void,
}

impl Facts {
    /// The newer of two sets of facts about one order. Where Shopify stamped both alike, the one further along counts.
    /// Who has paid has paid: an edit that adds to a paid order makes it wait for the rest, and takes nothing back.
    pub fn newest(self, other: Facts) -> Facts {
        let rank = |facts: &Facts| (facts.updated_at, facts.cancelled, facts.payment, !facts.rest_due);
        let (newer, older) = if rank(&other) > rank(&self) { (other, self) } else { (self, other) };
        match (newer.payment, older.payment) {
            (Payment::Pending, Payment::Paid) => Facts { payment: Payment::Paid, rest_due: true, ..newer },
            _ => newer,
        }
    }

    /// The same order as if nothing of it had been called off.
    pub fn standing(self) -> Facts {
        let payment = if self.payment == Payment::Void { Payment::Pending } else { self.payment };
        Facts { payment, cancelled: false, ..self }
    }

    /// Whether nothing of the order stands any more.
    pub fn is_void(&self) -> bool {
        self.cancelled || self.payment == Payment::Void
    }
}

/// What an order used of a redemption, in minor units of the currency it was paid in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Used {
    /// By line.
    pub lines: Vec<UsedLine>,
    /// On delivery.
    pub delivery: i64,
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

    /// What stands no more after these returns, in minor units: all of a line whose units are all back, in proportion
    /// otherwise. Delivery stays used.
    fn returned(&self, returns: &[Returned]) -> i64 {
        self.lines.iter().fold(0, |sum: i64, line| {
            let back = returns.iter().filter(|returned| returned.line == line.line);
            let back = back.fold(0_i64, |units, returned| units.saturating_add(returned.quantity.max(0)));
            let back = back.min(line.quantity);
            sum.saturating_add(mul_div_floor(line.amount, back, line.quantity).unwrap_or(0))
        })
    }
}

/// A line of an order as its newest facts tell it. What was bought, price and discount stay as they were when units come
/// back or an edit takes them off; only the units that stand get fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "(i64, i64, i64, i64)", into = "(i64, i64, i64, i64)"))]
pub struct LineNow {
    /// Shopify's id of the line.
    pub id: i64,
    /// Units bought, whatever became of them.
    pub quantity: i64,
    /// Units that were neither returned nor taken off.
    pub current: i64,
    /// What was to be paid for all units after all discounts, in minor units of the shop's currency.
    pub basis: i64,
}

impl From<(i64, i64, i64, i64)> for LineNow {
    fn from((id, quantity, current, basis): (i64, i64, i64, i64)) -> LineNow {
        LineNow { id, quantity, current, basis }
    }
}

impl From<LineNow> for (i64, i64, i64, i64) {
    fn from(LineNow { id, quantity, current, basis }: LineNow) -> (i64, i64, i64, i64) {
        (id, quantity, current, basis)
    }
}

/// All that is gone of an order: its refunds, and the units that an edit took off without one, at the price that they earned
/// with. A refund that these lines do not know of yet counts all the same.
pub fn gone(lines: &[LineNow], refunds: &[Returned], earning: Option<&Earning>) -> Vec<Returned> {
    let mut gone = refunds.to_vec();
    for line in lines {
        let refunded = refunds.iter().filter(|returned| returned.line == line.id);
        let refunded = refunded.fold(0_i64, |units, returned| units.saturating_add(returned.quantity.max(0)));
        let taken_off = line.quantity.saturating_sub(line.current.max(0)).saturating_sub(refunded);
        if taken_off > 0 {
            let basis = earning.and_then(|earning| earning.basis_of(line.id)).unwrap_or(line.basis);
            let subtotal = mul_div_floor(basis.max(0), taken_off, line.quantity).unwrap_or(0);
            gone.push(Returned { line: line.id, quantity: taken_off, subtotal });
        }
    }
    gone
}

/// What was booked for an order's redemption when the order came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redeemed {
    /// Points that the member paid: captured from the hold, or debited.
    pub paid: Points,
    /// Points that nobody held: the discount was granted without cover.
    pub unbacked: Points,
}

/// What an order has earned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// Waiting for the payment.
    pub pending: Points,
    /// For good.
    pub posted: Points,
}

/// What an order should have earned, by its newest facts and all that came back of it.
pub fn earned(facts: &Facts, earning: &Earning, returns: &[Returned]) -> Earned {
    match facts.payment {
        _ if facts.is_void() => Earned::default(),
        Payment::Pending => Earned { pending: earning.points_after(returns), posted: Points::ZERO },
        Payment::Paid | Payment::Void => {
            Earned { pending: Points::ZERO, posted: earning.points_after(returns) }
        }
    }
}

/// What of an order's redemption should still stand, by its newest facts, what it uses now (an edit may have taken a
/// discount off) and all that is gone of it. Never more than was redeemed.
pub fn redeemed(facts: &Facts, redeemed: Redeemed, used: &Used, now: &Used, gone: &[Returned]) -> Redeemed {
    if facts.is_void() {
        return Redeemed::default();
    }
    let total = used.total();
    let freed = total.saturating_sub(now.total().saturating_sub(now.returned(gone)).clamp(0, total.max(0)));
    let stands = |points: Points| {
        let back = mul_div_floor(points.get(), freed, total).and_then(|back| Points::new(back).ok());
        back.and_then(|back| points.minus(back).ok()).unwrap_or(points)
    };
    Redeemed { paid: stands(redeemed.paid), unbacked: stands(redeemed.unbacked) }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::earning::{EarnRule, Line};

    fn points(value: i64) -> Points {
        Points::new(value).unwrap()
    }

    fn earning() -> Earning {
        let rule = EarnRule { points: points(1), per: 100, order_cap: None };
        rule.apply([Line { id: 1, quantity: 2, basis: 1_000 }, Line { id: 2, quantity: 1, basis: 500 }])
            .unwrap()
    }

    fn facts(payment: Payment) -> Facts {
        Facts { updated_at: 1, payment, cancelled: false, rest_due: false }
    }

    fn used() -> Used {
        let line = |line, quantity, amount| UsedLine { line, quantity, amount };
        Used { lines: vec![line(1, 2, 333), line(2, 1, 167)], delivery: 0 }
    }

    fn paid(value: i64) -> Redeemed {
        Redeemed { paid: points(value), unbacked: Points::ZERO }
    }

    fn returned(line: i64, quantity: i64, subtotal: i64) -> Returned {
        Returned { line, quantity, subtotal }
    }

    #[test]
    fn points_wait_for_the_payment() {
        let unpaid = earned(&facts(Payment::Pending), &earning(), &[]);
        assert_eq!((unpaid.pending.get(), unpaid.posted.get()), (15, 0));
        let settled = earned(&facts(Payment::Paid), &earning(), &[]);
        assert_eq!((settled.pending.get(), settled.posted.get()), (0, 15));
    }

    #[test]
    fn nothing_stands_of_what_is_void_or_cancelled() {
        let cancelled = Facts { cancelled: true, ..facts(Payment::Paid) };
        for facts in [facts(Payment::Void), cancelled] {
            assert_eq!(earned(&facts, &earning(), &[]), Earned::default());
            assert_eq!(redeemed(&facts, paid(500), &used(), &used(), &[]), Redeemed::default());
        }
    }

    #[test]
    fn redeemed_points_come_back_in_proportion() {
        let after = |returns: &[Returned]| {
            redeemed(&facts(Payment::Paid), paid(500), &used(), &used(), returns).paid.get()
        };
        assert_eq!(after(&[]), 500);
        assert_eq!(after(&[returned(2, 1, 500)]), 333);
        assert_eq!(after(&[returned(1, 1, 500)]), 334, "half of 333 is 166 whole pence");
        assert_eq!(after(&[returned(1, 2, 1_000), returned(2, 1, 500)]), 0);
        assert_eq!(after(&[returned(1, 9, 1_000), returned(7, 1, 500)]), 167, "no more than was bought");
    }

    #[test]
    fn an_edit_that_takes_a_discount_off_frees_its_points_and_one_that_adds_to_it_takes_none() {
        let now =
            |first: i64| Used { lines: vec![UsedLine { line: 1, quantity: 2, amount: first }], delivery: 0 };
        let after = |now: &Used, gone: &[Returned]| {
            redeemed(&facts(Payment::Paid), paid(500), &used(), now, gone).paid.get()
        };
        assert_eq!(after(&Used::default(), &[]), 0);
        assert_eq!(after(&now(333), &[]), 333);
        assert_eq!(after(&now(900), &[]), 500);
        assert_eq!(after(&now(333), &[returned(1, 1, 0)]), 167);
    }

    #[test]
    fn units_that_an_edit_took_off_are_gone_once_whether_or_not_a_refund_tells_of_them_too() {
        let gone = |lines: &[LineNow], refunds: &[Returned]| gone(lines, refunds, None);
        let line = |current| LineNow { id: 1, quantity: 3, current, basis: 1_000 };
        assert_eq!(gone(&[line(3)], &[]), []);
        assert_eq!(gone(&[line(2)], &[]), [returned(1, 1, 333)]);
        assert_eq!(gone(&[line(2)], &[returned(1, 1, 300)]), [returned(1, 1, 300)]);
        assert_eq!(gone(&[line(1)], &[returned(1, 1, 300)]), [returned(1, 1, 300), returned(1, 1, 333)]);
        assert_eq!(gone(&[line(3)], &[returned(1, 2, 600)]), [returned(1, 2, 600)], "a newer refund");
        assert_eq!(gone(&[line(-5)], &[]), [returned(1, 3, 1_000)], "no more than was bought");
        let nonsense = LineNow { id: 1, quantity: 0, current: 4, basis: -7 };
        assert_eq!(gone(&[nonsense], &[]), []);
        let dearer = LineNow { id: 1, quantity: 2, current: 1, basis: 9_000 };
        assert_eq!(super::gone(&[dearer], &[], Some(&earning())), [returned(1, 1, 500)], "as it was earned");
    }

    #[test]
    fn the_newest_facts_count_whatever_their_order() {
        let old = facts(Payment::Pending);
        let new = Facts { updated_at: 2, ..facts(Payment::Paid) };
        assert_eq!(old.newest(new), new);
        assert_eq!(new.newest(old), new);
        let same_moment = Facts { updated_at: 1, ..facts(Payment::Paid) };
        assert_eq!(old.newest(same_moment), same_moment);
        assert_eq!(same_moment.newest(old), same_moment);

        let edited = Facts { updated_at: 3, ..facts(Payment::Pending) };
        let waits_for_the_rest = Facts { updated_at: 3, rest_due: true, ..facts(Payment::Paid) };
        let paid_the_same_second = Facts { updated_at: 3, ..facts(Payment::Paid) };
        assert_eq!(waits_for_the_rest.newest(paid_the_same_second), paid_the_same_second);
        assert_eq!(paid_the_same_second.newest(waits_for_the_rest), paid_the_same_second);
        assert_eq!((new.newest(edited), edited.newest(new)), (waits_for_the_rest, waits_for_the_rest));
        let void = Facts { updated_at: 4, ..facts(Payment::Void) };
        assert_eq!((new.newest(void), void.newest(new)), (void, void));
    }

    proptest! {
        #[test]
        fn what_stands_only_shrinks(
            captured in 0..10_000_i64, unbacked in 0..10_000_i64,
            returns in proptest::collection::vec((1..4_i64, 0..3_i64, 0..600_i64), 0..6),
        ) {
            let all = Redeemed { paid: points(captured), unbacked: points(unbacked) };
            let returns: Vec<_> = returns.into_iter().map(|(l, q, s)| returned(l, q, s)).collect();
            let fold = |returns: &[Returned]| {
                let facts = facts(Payment::Paid);
                (earned(&facts, &earning(), returns).posted, redeemed(&facts, all, &used(), &used(), returns))
            };
            let mut before = fold(&[]);
            prop_assert_eq!(before.1, all);
            for upto in 1..=returns.len() {
                let after = fold(&returns[..upto]);
                prop_assert!(after.0 <= before.0 && after.0 >= Points::ZERO);
                prop_assert!(after.1.paid <= before.1.paid && after.1.paid >= Points::ZERO);
                prop_assert!(after.1.unbacked <= before.1.unbacked && after.1.unbacked >= Points::ZERO);
                before = after;
            }
        }
    }
}
