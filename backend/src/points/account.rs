//! A member's account: balances, and the lots that the available points lie in. Pure arithmetic.
//!
//! `available = Σ open lots − deficit`, and a deficit means that no lot is open.

use std::collections::BTreeMap;

use loyalty::Points;
use loyalty::expiry::Term;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;
use super::calendar::Calendar;
use crate::db::Timestamp;
use crate::ids::MemberId;

/// A lot: points that were earned together and expire together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct LotId(pub Uuid);

/// Points that were earned together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// Its id.
    pub id: LotId,
    /// What was earned.
    pub original: Points,
    /// What is left of it.
    pub remaining: Points,
    /// What of it expired, and was not to be taken back since.
    pub(super) lapsed: Points,
    /// When it was earned.
    pub earned_at: Timestamp,
    /// The month in which it was earned, in the shop: 202611.
    pub cohort: i64,
    /// From when on it is gone.
    pub expires_at: Option<Timestamp>,
    /// By what the member's activity moves that on.
    pub rolls: Option<Term>,
    /// The last warning that was given: how many days ahead.
    pub(super) warned: Option<i64>,
    /// Whether it lived on already because a hold freed points of it after its time.
    pub(super) had_grace: bool,
    /// Whether it differs from what is stored.
    pub(super) changed: bool,
    /// Whether nothing is stored of it yet.
    pub(super) is_new: bool,
}

impl Lot {
    /// A lot of points that are earned at this moment of the shop, where their order was placed at `earned_at`.
    pub(super) fn earned(id: LotId, points: Points, earned_at: Timestamp, calendar: &Calendar) -> Lot {
        Lot {
            id,
            original: points,
            remaining: points,
            lapsed: Points::ZERO,
            earned_at,
            cohort: calendar.month(earned_at),
            expires_at: calendar.gone_at(),
            rolls: calendar.rolls(),
            warned: None,
            had_grace: false,
            changed: true,
            is_new: true,
        }
    }

    /// Whether its time has run out. Times are half-open: at `expires_at` it is gone.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Gives it until then.
    pub(super) fn live_until(&mut self, at: Timestamp) {
        (self.expires_at, self.warned, self.changed) = (Some(at), None, true);
    }
}

/// What an account's lots gave or took: by lot.
pub(super) type Taken = Vec<(LotId, Points)>;

/// A member's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub member: MemberId,
    /// Points to spend; negative where more was taken back than there was.
    pub available: Points,
    /// Earned, but waiting for the payment of their order.
    pub pending: Points,
    /// Pinned by a hold.
    pub held: Points,
    /// The number of changes.
    pub seq: i64,
    /// Whether activity moves on some of its lots.
    pub(super) rolls: bool,
    /// Open lots, and those that points may go back to.
    pub(super) lots: BTreeMap<LotId, Lot>,
    /// Whether all open lots are among them. Who only earns does without.
    pub(super) has_lots: bool,
    /// Whether it differs from what is stored.
    pub(super) changed: bool,
    /// Whether nothing is stored of it yet.
    pub(super) is_new: bool,
}

impl Account {
    /// An account without anything.
    pub fn empty(member: MemberId) -> Account {
        Account {
            member,
            available: Points::ZERO,
            pending: Points::ZERO,
            held: Points::ZERO,
            seq: 0,
            rolls: false,
            lots: BTreeMap::new(),
            has_lots: true,
            changed: false,
            is_new: false,
        }
    }

    /// Adds a lot, and says how much lies in it: what fills a deficit does not.
    pub(super) fn add_lot(&mut self, lot: Lot) -> Result<Points, Error> {
        let remaining = self.raise(lot.original)?;
        self.rolls |= lot.rolls.is_some();
        self.lots.insert(lot.id, Lot { remaining, ..lot });
        Ok(remaining)
    }

    /// Points that were spent go back to the lot they came from; says how much lies in it. A lot whose time has run out
    /// meanwhile lives until the grace ends.
    pub(super) fn give_back(
        &mut self,
        lot: LotId,
        points: Points,
        calendar: &Calendar,
    ) -> Result<Points, Error> {
        let (kept, lot) = self.put_back(lot, points)?;
        if kept.is_positive() && lot.is_over(calendar.now()) {
            lot.live_until(calendar.grace_ends());
        }
        Ok(kept)
    }

    /// Points that a hold had pinned go back to the lot they came from; says how much lies in it, and how much of that is
    /// over. A lot whose time has run out meanwhile lives until the grace ends, but not twice: whoever holds points whenever
    /// they would expire does not keep them for ever.
    pub(super) fn free(
        &mut self,
        lot: LotId,
        points: Points,
        calendar: &Calendar,
    ) -> Result<(Points, Points), Error> {
        let (kept, lot) = self.put_back(lot, points)?;
        if !kept.is_positive() || !lot.is_over(calendar.now()) {
            return Ok((kept, Points::ZERO));
        }
        if lot.had_grace {
            return Ok((kept, kept));
        }
        lot.had_grace = true;
        lot.live_until(calendar.grace_ends());
        Ok((kept, Points::ZERO))
    }

    fn put_back(&mut self, lot: LotId, points: Points) -> Result<(Points, &mut Lot), Error> {
        let kept = self.raise(points)?;
        let lot = self.lots.get_mut(&lot).ok_or(Error::Corrupt("a lot is missing"))?;
        lot.remaining = lot.remaining.plus(kept)?;
        lot.changed = true;
        if lot.remaining > lot.original {
            return Err(Error::Corrupt("a lot would hold more than was earned"));
        }
        Ok((kept, lot))
    }

    /// So many of a lot's points are gone with its time.
    pub(super) fn lapse(&mut self, lot: LotId, points: Points) -> Result<(), Error> {
        self.available = self.available.minus(points)?;
        let lot = self.lots.get_mut(&lot).ok_or(Error::Corrupt("a lot is missing"))?;
        lot.remaining = lot.remaining.minus(points)?;
        lot.lapsed = lot.lapsed.plus(points)?;
        lot.changed = true;
        Ok(())
    }

    /// Takes `points`, from the lots of `first` before all others, otherwise in the order in which lots are spent: those that
    /// expire first, then the oldest. What no lot covers becomes a deficit. Says what each lot gave.
    pub(super) fn take(&mut self, points: Points, first: &[LotId]) -> Result<Taken, Error> {
        if points == Points::ZERO {
            return Ok(Taken::new());
        }
        if !self.has_lots {
            return Err(Error::Corrupt("the lots to take from are not loaded"));
        }
        self.available = self.available.minus(points)?;
        let mut open: Vec<&mut Lot> =
            self.lots.values_mut().filter(|lot| lot.remaining.is_positive()).collect();
        // `None` sorts before `Some`, so whether there is an expiry comes first: nulls last.
        open.sort_by_key(|lot| {
            (!first.contains(&lot.id), lot.expires_at.is_none(), lot.expires_at, lot.earned_at, lot.id)
        });
        let (mut left, mut taken) = (points, Taken::new());
        for lot in open {
            if !left.is_positive() {
                break;
            }
            let from_lot = lot.remaining.min(left);
            lot.remaining = lot.remaining.minus(from_lot)?;
            lot.changed = true;
            left = left.minus(from_lot)?;
            taken.push((lot.id, from_lot));
        }
        Ok(taken)
    }

    /// How many of these points, which are to be taken back, have expired in the lots that they were earned in: nobody has
    /// had them. They count once.
    pub(super) fn take_lapsed(&mut self, points: Points, lots: &[LotId]) -> Result<Points, Error> {
        let mut all = Points::ZERO;
        for lot in lots {
            let Some(lot) = self.lots.get_mut(lot) else { continue };
            let lapsed = points.minus(all)?.min(lot.lapsed);
            if lapsed.is_positive() {
                (lot.lapsed, lot.changed) = (lot.lapsed.minus(lapsed)?, true);
                all = all.plus(lapsed)?;
            }
        }
        Ok(all)
    }

    /// Takes everything out of it.
    pub(super) fn clear(&mut self) -> Account {
        let emptied = Account { seq: self.seq, changed: true, ..Account::empty(self.member) };
        std::mem::replace(self, emptied)
    }

    /// Takes in what another account had. What is missing on either side is taken from the lots of both; says what each
    /// lot gave.
    pub(super) fn absorb(&mut self, other: Account) -> Result<Taken, Error> {
        let deficits = (-self.available).or_zero().plus((-other.available).or_zero())?;
        let available = self.available.plus(other.available)?;
        self.pending = self.pending.plus(other.pending)?;
        self.held = self.held.plus(other.held)?;
        self.rolls |= other.rolls;
        self.lots.extend(other.lots);
        // As if all lots were open and the deficits were spent now.
        self.available = available.plus(deficits)?;
        self.take(deficits, &[])
    }

    /// Raises `available`; says how much of it does not fill a deficit.
    fn raise(&mut self, points: Points) -> Result<Points, Error> {
        let deficit = (-self.available).or_zero();
        self.available = self.available.plus(points)?;
        Ok(points.minus(deficit)?.or_zero())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(value: i64) -> Points {
        Points::new(value).unwrap()
    }

    fn lot(id: u128) -> LotId {
        LotId(Uuid::from_u128(id))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_microsecond(second * 1_000_000).unwrap()
    }

    fn calendar() -> Calendar {
        Calendar::new(at(1_000), jiff::tz::TimeZone::UTC, loyalty::Expiry::default())
    }

    fn add(account: &mut Account, id: u128, earned: i64, (points, expires): (Points, Option<Timestamp>)) {
        let lot = Lot { expires_at: expires, ..Lot::earned(lot(id), points, at(earned), &calendar()) };
        account.add_lot(lot).unwrap();
    }

    fn account() -> Account {
        Account::empty(MemberId(Uuid::nil()))
    }

    fn open(account: &Account) -> i64 {
        account.lots.values().map(|lot| lot.remaining.get()).sum()
    }

    #[test]
    fn lots_are_spent_by_expiry_then_age() {
        let mut account = account();
        for (id, earned, expires) in [(1, 1, None), (2, 3, Some(100)), (3, 2, Some(100)), (4, 9, Some(50))] {
            add(&mut account, id, earned, (points(10), expires.map(at)));
        }
        let taken = account.take(points(35), &[]).unwrap();
        let expected = [(4, 10), (3, 10), (2, 10), (1, 5)].map(|(id, taken)| (lot(id), points(taken)));
        assert_eq!(taken, expected);
    }

    #[test]
    fn what_is_taken_back_comes_from_its_own_lots_first_whichever_are_open() {
        let mut account = account();
        for (id, expires) in [(1, 40), (2, 90), (3, 50), (4, 10)] {
            add(&mut account, id, 1, (points(10), Some(at(expires))));
        }
        account.lapse(lot(4), points(10)).unwrap();
        let own = [lot(4), lot(2), lot(3)];
        assert_eq!(account.take_lapsed(points(45), &own).unwrap(), points(10));
        let taken = account.take(points(25), &own).unwrap();
        assert_eq!(taken, [(3, 10), (2, 10), (1, 5)].map(|(id, taken)| (lot(id), points(taken))));
        assert_eq!(account.take_lapsed(points(45), &own).unwrap(), Points::ZERO, "it counts once");
    }

    #[test]
    fn a_deficit_is_filled_before_a_lot() {
        let mut account = account();
        account.take(points(30), &[]).unwrap();
        assert_eq!((account.available, open(&account)), (points(-30), 0));
        add(&mut account, 1, 1, (points(50), None));
        assert_eq!((account.available, open(&account)), (points(20), 20));
    }

    #[test]
    fn what_comes_back_to_a_lot_that_is_over_lives_through_the_grace() {
        let mut account = account();
        add(&mut account, 1, 1, (points(50), Some(at(999))));
        add(&mut account, 2, 1, (points(50), Some(at(1_001))));
        account.take(points(100), &[]).unwrap();
        for id in [1, 2] {
            account.give_back(lot(id), points(10), &calendar()).unwrap();
        }
        assert_eq!(account.lots[&lot(1)].expires_at, Some(calendar().grace_ends()));
        assert_eq!(account.lots[&lot(2)].expires_at, Some(at(1_001)));
        assert!(account.lots[&lot(2)].is_over(at(1_001)) && !account.lots[&lot(2)].is_over(at(1_000)));
    }

    #[test]
    fn what_a_hold_frees_after_its_time_lives_through_one_grace() {
        let mut account = account();
        add(&mut account, 1, 1, (points(50), Some(at(999))));
        account.take(points(50), &[]).unwrap();
        let mut free = |amount| account.free(lot(1), points(amount), &calendar()).unwrap();
        assert_eq!(free(10), (points(10), points(0)), "the first time");
        assert_eq!(free(10), (points(10), points(0)), "it has time again");
        account.lots.get_mut(&lot(1)).unwrap().live_until(at(1_000));
        assert_eq!(account.free(lot(1), points(10), &calendar()).unwrap(), (points(10), points(10)));
        account.lapse(lot(1), points(10)).unwrap();
        assert_eq!((account.available, open(&account)), (points(20), 20));
        assert_eq!(account.lots[&lot(1)].lapsed, points(10));
        assert_eq!(account.give_back(lot(1), points(5), &calendar()).unwrap(), points(5));
        assert_eq!(account.lots[&lot(1)].expires_at, Some(calendar().grace_ends()), "what was spent");
    }

    #[test]
    fn nothing_is_taken_while_it_is_not_known_from_where() {
        let mut account = Account { available: points(100), has_lots: false, ..account() };
        assert!(account.take(points(1), &[]).is_err());
        assert_eq!(account.take(Points::ZERO, &[]).unwrap(), []);
    }

    proptest! {
        #[test]
        fn two_accounts_together_have_what_each_had(
            one in proptest::collection::vec((1..100_i64, proptest::option::of(0..50_i64)), 0..5),
            other in proptest::collection::vec((1..100_i64, proptest::option::of(0..50_i64)), 0..5),
            spent in (0..400_i64, 0..400_i64),
        ) {
            let filled = |from: u128, lots: &[(i64, Option<i64>)], spent: i64| {
                let mut account = account();
                for (place, (amount, expires)) in (from..).zip(lots) {
                    add(&mut account, place, 1, (points(*amount), expires.map(at)));
                }
                account.take(points(spent), &[]).unwrap();
                account
            };
            let (mut into, mut from) = (filled(0, &one, spent.0), filled(100, &other, spent.1));
            let sum = into.available.plus(from.available).unwrap();
            into.absorb(from.clear()).unwrap();
            prop_assert_eq!(into.available, sum);
            prop_assert_eq!(open(&into), sum.get().max(0));
            prop_assert_eq!((from.available, open(&from)), (Points::ZERO, 0));
            for lot in into.lots.values() {
                prop_assert!(lot.remaining >= Points::ZERO && lot.remaining <= lot.original);
            }
        }

        #[test]
        fn open_lots_are_what_is_available(
            steps in proptest::collection::vec((0..3_u8, 1..100_i64, proptest::option::of(0..50_i64)), 1..60),
        ) {
            let mut account = account();
            let mut given: Vec<(LotId, Points)> = Vec::new();
            for (step, (what, amount, expires)) in steps.into_iter().enumerate() {
                match what {
                    0 => add(&mut account, step as u128, step as i64, (points(amount), expires.map(at))),
                    1 => given.extend(account.take(points(amount), &[]).unwrap()),
                    _ => if let Some((lot, points)) = given.pop() { _ = account.give_back(lot, points, &calendar()).unwrap() },
                }
                prop_assert_eq!(open(&account), account.available.get().max(0));
                for lot in account.lots.values() {
                    prop_assert!(lot.remaining >= Points::ZERO && lot.remaining <= lot.original);
                }
            }
        }
    }
}
