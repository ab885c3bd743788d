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
    /// When it was last told to be paid; `updated_at` where that is what it is now.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    paid_at: Option<i64>,
    /// When it was last told to be void; likewise.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    void_at: Option<i64>,
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
    /// The facts as one message tells them.
    pub fn told(updated_at: i64, payment: Payment, cancelled: bool) -> Facts {
        Facts { updated_at, payment, cancelled, rest_due: false, paid_at: None, void_at: None }
    }

    /// What two sets of facts about one order say together: the newer of them; where Shopify stamped both alike, the one
    /// further along. Who has paid has paid: an edit that adds to a paid order makes it wait for the rest and takes nothing
    /// back, unless the payment was voided since.
    ///
    /// It is a join: the same facts come to the same in whatever order, grouping and number they are put together. For
    /// that, both moments of the past that matter are kept.
    pub fn newest(self, other: Facts) -> Facts {
        let rank = |facts: &Facts| (facts.updated_at, facts.cancelled, facts.told_payment());
        let newer = if rank(&other) > rank(&self) { other } else { self };
        let (paid_at, void_at) =
            (self.last_paid().max(other.last_paid()), self.last_void().max(other.last_void()));
        let told = newer.told_payment();
        let rest_due = told == Payment::Pending && paid_at > void_at;
        Facts {
            payment: if rest_due { Payment::Paid } else { told },
            rest_due,
            paid_at: paid_at.filter(|_| told != Payment::Paid),
            void_at: void_at.filter(|_| told != Payment::Void),
            ..newer
        }
    }

    /// What the newest message said of the payment.
    fn told_payment(&self) -> Payment {
        if self.rest_due { Payment::Pending } else { self.payment }
    }

    fn last_paid(&self) -> Option<i64> {
        if self.told_payment() == Payment::Paid { Some(self.updated_at) } else { self.paid_at }
    }

    fn last_void(&self) -> Option<i64> {
        if self.payment == Payment::Void { Some(self.updated_at) } else { self.void_at }
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
    /// What was to be paid for delivery after all discounts, in minor units of the shop's currency.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    pub delivery_basis: i64,
}

#[cfg(feature = "serde")]
fn is_zero(value: &i64) -> bool {
    *value == 0
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
    fn returned(&self, returns: &[Returned]) -> i64 {
        self.lines.iter().fold(self.delivery_returned(returns), |sum: i64, line| {
            let back = returns.iter().filter(|returned| returned.line == line.line);
            let back = back.fold(0_i64, |units, returned| units.saturating_add(returned.quantity.max(0)));
            let back = back.min(line.quantity);
            sum.saturating_add(mul_div_floor(line.amount, back, line.quantity).unwrap_or(0))
        })
    }

    fn delivery_returned(&self, returns: &[Returned]) -> i64 {
        let mut refunds = returns.iter().filter(|returned| returned.line == Returned::DELIVERY).peekable();
        if refunds.peek().is_none() {
            return 0;
        }
        let refunded = refunds.fold(0_i64, |sum, refund| sum.saturating_add(refund.subtotal.max(0)));
        let back = refunded.min(self.delivery_basis);
        mul_div_floor(self.delivery, back, self.delivery_basis).unwrap_or(self.delivery)
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
        Facts::told(1, payment, false)
    }

    fn used() -> Used {
        let line = |line, quantity, amount| UsedLine { line, quantity, amount };
        Used { lines: vec![line(1, 2, 333), line(2, 1, 167)], ..Used::default() }
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
    fn points_on_delivery_come_back_with_what_is_refunded_of_it() {
        let used = Used { delivery: 300, delivery_basis: 400, ..Used::default() };
        let after = |used: &Used, refunds: &[i64]| {
            let returns: Vec<_> = refunds.iter().map(|paid| returned(Returned::DELIVERY, 1, *paid)).collect();
            redeemed(&facts(Payment::Paid), paid(300), used, used, &returns).paid.get()
        };
        assert_eq!(after(&used, &[]), 300);
        assert_eq!(after(&used, &[100]), 225);
        assert_eq!(after(&used, &[100, 300]), 0);
        assert_eq!(after(&used, &[900]), 0, "no more than was used");
        let free = Used { delivery_basis: 0, ..used };
        assert_eq!((after(&free, &[]), after(&free, &[0])), (300, 0), "delivery that points paid whole");
    }

    #[test]
    fn an_edit_that_takes_a_discount_off_frees_its_points_and_one_that_adds_to_it_takes_none() {
        let now = |first: i64| Used {
            lines: vec![UsedLine { line: 1, quantity: 2, amount: first }],
            ..Used::default()
        };
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
        let new = Facts::told(2, Payment::Paid, false);
        assert_eq!(old.newest(new), new);
        assert_eq!(new.newest(old), new);
        let same_moment = facts(Payment::Paid);
        assert_eq!(old.newest(same_moment), same_moment);
        assert_eq!(same_moment.newest(old), same_moment);
    }

    #[test]
    fn who_has_paid_has_paid_until_it_is_voided() {
        let all = |facts: &[(i64, Payment)]| {
            let told = facts.iter().map(|(at, payment)| Facts::told(*at, *payment, false));
            let facts = told.reduce(Facts::newest).unwrap();
            (facts.payment, facts.rest_due)
        };
        let (paid, void, pending) = (Payment::Paid, Payment::Void, Payment::Pending);
        assert_eq!(all(&[(1, paid), (2, pending)]), (paid, true));
        assert_eq!(all(&[(1, paid), (2, pending), (2, paid)]), (paid, false), "paid in the edit's second");
        assert_eq!(all(&[(1, paid), (2, void)]), (void, false));
        assert_eq!(all(&[(1, paid), (2, void), (3, pending)]), (pending, false));
        assert_eq!(all(&[(1, paid), (3, pending), (2, void)]), (pending, false), "whatever came first");
        assert_eq!(all(&[(1, void), (2, paid), (3, pending)]), (paid, true));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn facts_that_were_stored_before_are_read() {
        let stored = r#"{"updated_at":3,"payment":"paid","cancelled":false,"rest_due":true}"#;
        let stored: Facts = serde_json::from_str(stored).unwrap();
        assert_eq!((stored.payment, stored.rest_due), (Payment::Paid, true));
        let text = r#"{"updated_at":3,"payment":"paid","cancelled":false}"#;
        assert_eq!(serde_json::to_string(&Facts::told(3, Payment::Paid, false)).unwrap(), text);
    }

    fn any_facts() -> impl Strategy<Value = Facts> {
        let payment = prop_oneof![Just(Payment::Pending), Just(Payment::Paid), Just(Payment::Void)];
        let told = (0..4_i64, payment, any::<bool>());
        told.prop_map(|(at, payment, cancelled)| Facts::told(at, payment, cancelled))
    }

    proptest! {
        #[test]
        fn putting_facts_together_is_a_join(
            told in proptest::collection::vec(any_facts(), 1..6), order in any::<proptest::sample::Index>(),
        ) {
            let all = |facts: &[Facts]| facts.iter().copied().reduce(Facts::newest).unwrap();
            let whole = all(&told);
            let mut turned = told.clone();
            turned.rotate_left(order.index(told.len()));
            prop_assert_eq!(all(&turned), whole, "in another order");
            turned.reverse();
            prop_assert_eq!(all(&turned), whole, "backwards");
            let (left, right) = told.split_at(order.index(told.len()));
            if !left.is_empty() {
                prop_assert_eq!(all(left).newest(all(right)), whole, "in other groups");
            }
            prop_assert_eq!(whole.newest(told[0]), whole, "told again");
            prop_assert_eq!(whole.newest(whole), whole);
        }

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
