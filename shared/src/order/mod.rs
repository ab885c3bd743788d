//! The fold of an order: from its newest facts, its newest lines and the set of its returns to what should be booked
//! for it.
//!
//! The ledger books the difference between this and what it has booked so far. So duplicates, reordering and late
//! arrivals end in the same state by construction.

mod facts;
mod gone;
mod kept;
mod used;
mod wait;

pub use self::{
    facts::{Facts, Payment},
    gone::gone,
    kept::kept,
    used::{Used, UsedLine},
    wait::{Until, Wait},
};
use crate::{
    earning::{Earning, Returned},
    mul_div_floor,
    points::Points,
};

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
    /// Waiting: for the payment, or for whatever the program waits for.
    pub pending: Points,
    /// For good.
    pub posted: Points,
}

/// What becomes of the points that an order gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing that counts is left of it: it was called off, or all came back.
    Gone,
    /// They wait.
    Waits,
    /// They are the member's.
    Stands,
}

impl Standing {
    /// Its name where it is stored; it does not change.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Gone => "gone",
            Standing::Waits => "waits",
            Standing::Stands => "stands",
        }
    }

    /// The one with this name.
    pub fn parse(name: &str) -> Option<Standing> {
        [Standing::Gone, Standing::Waits, Standing::Stands]
            .into_iter()
            .find(|standing| standing.as_str() == name)
    }

    /// These points, as an order that stands so gives them.
    pub fn give(self, points: Points) -> Earned {
        match self {
            Standing::Gone => Earned::default(),
            Standing::Waits => Earned { pending: points, posted: Points::ZERO },
            Standing::Stands => Earned { pending: Points::ZERO, posted: points },
        }
    }
}

/// Where an order stands, by its newest facts and all that came back of it. `ripe` says that what the program waits for
/// has come to pass, see [`Wait`].
pub fn standing(facts: &Facts, earning: &Earning, returns: &[Returned], ripe: bool) -> Standing {
    match facts.payment {
        _ if facts.is_void() || earning.is_gone(returns) => Standing::Gone,
        Payment::Paid if ripe => Standing::Stands,
        _ => Standing::Waits,
    }
}

/// What an order should have earned, by its newest facts and all that came back of it; see [`standing`].
pub fn earned(facts: &Facts, earning: &Earning, returns: &[Returned], ripe: bool) -> Earned {
    standing(facts, earning, returns, ripe).give(earning.points_after(returns))
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
    use alloc::{vec, vec::Vec};

    use proptest::prelude::*;

    use super::*;
    use crate::{line::LineNow, money::Currency, price::Circumstances, program::Program};

    fn points(value: i64) -> Points {
        Points::new(value).unwrap()
    }

    fn earning() -> Earning {
        let lines = [line(1, 2, 2, 1_000), line(2, 1, 1, 500)];
        let program = Program::standard(Currency::parse("GBP").unwrap());
        program.price(&lines, &Circumstances::default()).unwrap()
    }

    fn line(id: i64, quantity: i64, current: i64, paid: i64) -> LineNow {
        LineNow { id, quantity, current, paid, ..LineNow::default() }
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
        let unpaid = earned(&facts(Payment::Pending), &earning(), &[], true);
        assert_eq!((unpaid.pending.get(), unpaid.posted.get()), (15, 0));
        let settled = earned(&facts(Payment::Paid), &earning(), &[], true);
        assert_eq!((settled.pending.get(), settled.posted.get()), (0, 15));
        let waiting = earned(&facts(Payment::Paid), &earning(), &[], false);
        assert_eq!((waiting.pending.get(), waiting.posted.get()), (15, 0));
    }

    #[test]
    fn an_order_is_gone_once_nothing_that_counts_is_left_of_it() {
        let paid = facts(Payment::Paid);
        let where_it_stands =
            |facts: &Facts, returns: &[Returned], ripe| standing(facts, &earning(), returns, ripe);
        assert_eq!(where_it_stands(&paid, &[], true), Standing::Stands);
        assert_eq!(where_it_stands(&paid, &[], false), Standing::Waits);
        assert_eq!(where_it_stands(&facts(Payment::Pending), &[], true), Standing::Waits);
        assert_eq!(where_it_stands(&facts(Payment::Void), &[], true), Standing::Gone);
        let most = [returned(1, 2, 1_000), returned(2, 0, 499)];
        assert_eq!(where_it_stands(&paid, &most, true), Standing::Stands, "a penny is left");
        assert_eq!(where_it_stands(&paid, &[most[0], returned(2, 1, 500)], true), Standing::Gone);
        let program = Program::standard(Currency::parse("GBP").unwrap());
        let nothing_counts = program.price(&[], &Circumstances::default()).unwrap();
        assert_eq!(standing(&paid, &nothing_counts, &[], true), Standing::Gone);
        for standing in [Standing::Gone, Standing::Waits, Standing::Stands] {
            assert_eq!(Standing::parse(standing.as_str()), Some(standing));
        }
    }

    #[test]
    fn nothing_stands_of_what_is_void_or_cancelled() {
        let cancelled = Facts::told(1, Payment::Paid, true);
        for facts in [facts(Payment::Void), cancelled] {
            assert_eq!(earned(&facts, &earning(), &[], true), Earned::default());
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
            let returns: Vec<_> = refunds.iter().map(|paid| returned(LineNow::DELIVERY, 0, *paid)).collect();
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
                (earned(&facts, &earning(), returns, true).posted, redeemed(&facts, all, &used(), &used(), returns))
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
