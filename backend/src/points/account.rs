//! A member's account: balances, and the lots that the available points lie in. Pure arithmetic.
//!
//! `available = Σ open lots − deficit`, and a deficit means that no lot is open.

use loyalty::Points;
use uuid::Uuid;

use super::Error;
use crate::db::Timestamp;
use crate::ids::MemberId;

/// A lot: points that were earned together and expire together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
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
    /// When it was earned.
    pub earned_at: Timestamp,
    /// From when on it is gone.
    pub expires_at: Option<Timestamp>,
    /// Whether it differs from what is stored.
    pub(super) changed: bool,
}

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
    /// Open lots, and those that points may go back to.
    pub(super) lots: Vec<Lot>,
    /// Whether it differs from what is stored.
    pub(super) changed: bool,
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
            lots: Vec::new(),
            changed: false,
        }
    }

    /// Adds a lot of `points`. What fills a deficit does not lie in the lot any more.
    pub(super) fn add_lot(
        &mut self,
        id: LotId,
        points: Points,
        earned_at: Timestamp,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let remaining = self.raise(points)?;
        self.lots.push(Lot { id, original: points, remaining, earned_at, expires_at, changed: true });
        Ok(())
    }

    /// Gives `points` back to the lot they came from.
    pub(super) fn give_back(&mut self, lot: LotId, points: Points) -> Result<(), Error> {
        let kept = self.raise(points)?;
        let lot =
            self.lots.iter_mut().find(|known| known.id == lot).ok_or(Error::Corrupt("a lot is missing"))?;
        lot.remaining = lot.remaining.plus(kept)?;
        lot.changed = true;
        if lot.remaining > lot.original {
            return Err(Error::Corrupt("a lot would hold more than was earned"));
        }
        Ok(())
    }

    /// Takes `points`, from `first` before all others, then in the order in which lots are spent: those that expire
    /// first, then the oldest. What no lot covers becomes a deficit. Says what each lot gave.
    pub(super) fn take(
        &mut self,
        points: Points,
        first: Option<LotId>,
    ) -> Result<Vec<(LotId, Points)>, Error> {
        self.available = self.available.minus(points)?;
        let mut order: Vec<usize> = (0..self.lots.len()).collect();
        order.sort_by_key(|&at| {
            let lot = &self.lots[at];
            // `None` sorts before `Some`, so whether there is an expiry comes first: nulls last.
            (Some(lot.id) != first, lot.expires_at.is_none(), lot.expires_at, lot.earned_at, lot.id)
        });
        let (mut left, mut taken) = (points, Vec::new());
        for at in order {
            let lot = &mut self.lots[at];
            let from_lot = lot.remaining.min(left);
            if from_lot.is_positive() {
                lot.remaining = lot.remaining.minus(from_lot)?;
                lot.changed = true;
                left = left.minus(from_lot)?;
                taken.push((lot.id, from_lot));
            }
        }
        Ok(taken)
    }

    /// Takes everything out of it.
    pub(super) fn clear(&mut self) -> Account {
        let emptied = Account { seq: self.seq, changed: true, ..Account::empty(self.member) };
        std::mem::replace(self, emptied)
    }

    /// Takes in what another account had. What is missing on either side is taken from the lots of both.
    pub(super) fn absorb(&mut self, other: Account) -> Result<(), Error> {
        let deficits = (-self.available).or_zero().plus((-other.available).or_zero())?;
        let available = self.available.plus(other.available)?;
        self.pending = self.pending.plus(other.pending)?;
        self.held = self.held.plus(other.held)?;
        self.lots.extend(other.lots);
        // As if all lots were open and the deficits were spent now.
        self.available = available.plus(deficits)?;
        self.take(deficits, None)?;
        Ok(())
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

    fn account() -> Account {
        Account::empty(MemberId(Uuid::nil()))
    }

    fn open(account: &Account) -> i64 {
        account.lots.iter().map(|lot| lot.remaining.get()).sum()
    }

    #[test]
    fn lots_are_spent_by_expiry_then_age() {
        let mut account = account();
        account.add_lot(lot(1), points(10), at(1), None).unwrap();
        account.add_lot(lot(2), points(10), at(3), Some(at(100))).unwrap();
        account.add_lot(lot(3), points(10), at(2), Some(at(100))).unwrap();
        account.add_lot(lot(4), points(10), at(9), Some(at(50))).unwrap();
        let taken = account.take(points(35), None).unwrap();
        let expected = [(4, 10), (3, 10), (2, 10), (1, 5)].map(|(id, taken)| (lot(id), points(taken)));
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_deficit_is_filled_before_a_lot() {
        let mut account = account();
        account.take(points(30), None).unwrap();
        assert_eq!((account.available, open(&account)), (points(-30), 0));
        account.add_lot(lot(1), points(50), at(1), None).unwrap();
        assert_eq!((account.available, open(&account)), (points(20), 20));
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
                    account.add_lot(lot(place), points(*amount), at(1), expires.map(at)).unwrap();
                }
                account.take(points(spent), None).unwrap();
                account
            };
            let (mut into, mut from) = (filled(0, &one, spent.0), filled(100, &other, spent.1));
            let sum = into.available.plus(from.available).unwrap();
            into.absorb(from.clear()).unwrap();
            prop_assert_eq!(into.available, sum);
            prop_assert_eq!(open(&into), sum.get().max(0));
            prop_assert_eq!((from.available, open(&from)), (Points::ZERO, 0));
            for lot in &into.lots {
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
                    0 => account.add_lot(lot(step as u128), points(amount), at(step as i64), expires.map(at)).unwrap(),
                    1 => given.extend(account.take(points(amount), None).unwrap()),
                    _ => if let Some((lot, points)) = given.pop() { account.give_back(lot, points).unwrap() },
                }
                prop_assert_eq!(open(&account), account.available.get().max(0));
                for lot in &account.lots {
                    prop_assert!(lot.remaining >= Points::ZERO && lot.remaining <= lot.original);
                }
            }
        }
    }
}
