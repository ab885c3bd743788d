//! The book: the part of the ledger that one piece of work reads, changes and writes. In memory and pure; loading
//! and saving is in `store.rs`, what is held and spent in `spending.rs`, what expires in `expiry.rs`.

use std::collections::{BTreeMap, HashMap};

use loyalty::Points;
use uuid::Uuid;

use super::Error;
use super::account::{Account, LotId, Taken};
use super::calendar::Calendar;
use super::entry::{Entry, Kind, Ledger, Move, Source};
use crate::db::Timestamp;
use crate::events::Event;
use crate::ids::{MemberId, ShopId};

/// Names what points were pinned or spent for: a hold, or a debit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct SpendId(pub Uuid);

/// Points of one lot that are pinned or spent.
#[derive(Debug, Clone)]
pub(super) struct Pin {
    pub lot: LotId,
    pub member: MemberId,
    pub position: i64,
    pub points: Points,
    pub returned: Points,
    pub held: bool,
    pub changed: bool,
}

/// The accounts that a piece of work touches, with what it does to them.
#[derive(Debug)]
pub struct Book {
    pub(super) shop: ShopId,
    pub(super) calendar: Calendar,
    pub(super) program_version: i64,
    pub(super) accounts: BTreeMap<MemberId, Account>,
    pub(super) pins: HashMap<SpendId, Vec<Pin>>,
    pub(super) entries: Vec<Entry>,
    pub(super) told: Vec<Event>,
}

impl Book {
    /// The account of a member that the book was loaded with.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for any other member: a mistake of the caller.
    pub fn account(&self, member: MemberId) -> Result<&Account, Error> {
        self.accounts.get(&member).ok_or(NOT_LOADED)
    }

    /// Whose ledger it is of.
    pub fn shop(&self) -> ShopId {
        self.shop
    }

    /// The shop's days.
    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// When its work is booked.
    pub fn now(&self) -> Timestamp {
        self.calendar.now()
    }

    /// The members whose accounts changed.
    pub fn changed(&self) -> impl Iterator<Item = MemberId> {
        self.accounts.values().filter(|account| account.changed).map(|account| account.member)
    }

    /// Notes that what the member's metafield shows has changed, although no points moved.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a member that the book was not loaded with.
    pub fn touch(&mut self, member: MemberId) -> Result<(), Error> {
        self.account_mut(member)?.seq += 1;
        Ok(())
    }

    /// What `from` has becomes `into`'s: open lots with their dates, and whatever is missing on either side. The stored
    /// lots must have been moved already.
    pub(super) fn merge(&mut self, from: MemberId, into: MemberId) -> Result<(), Error> {
        if [from, into].iter().any(|member| self.accounts.get(member).is_none_or(|account| !account.has_lots))
        {
            return Err(NOT_LOADED);
        }
        let account = self.account_mut(from)?;
        let moved = [
            (Ledger::Available, account.available.get()),
            (Ledger::Pending, account.pending.get()),
            (Ledger::Held, account.held.get()),
        ];
        let emptied = account.clear();
        let taken = self.account_mut(into)?.absorb(emptied)?;
        for pin in self.pins.values_mut().flatten().filter(|pin| pin.member == from) {
            pin.member = into;
        }
        let sum = moved.iter().map(|(_, points)| points).sum::<i64>();
        let source_id = format!("member:{from}");
        for (member, sign) in [(from, -1), (into, 1)] {
            let mut postings: Vec<_> =
                moved.iter().map(|(ledger, points)| (*ledger, sign * points)).collect();
            postings.push((Ledger::Merged, -sign * sum));
            // Lots move with what lies in them; only what fills the other's deficit leaves them.
            let (source_id, spent) = if sign > 0 {
                (format!("{source_id}>{into}"), less(&taken))
            } else {
                (source_id.clone(), Vec::new())
            };
            self.write(member, Kind::Merge, Source::Shopify, source_id, postings, spent)?;
        }
        Ok(())
    }

    /// Writes an entry down, with what it does to which lots (available, held); one that moves nothing is none.
    pub(super) fn write(
        &mut self,
        member: MemberId,
        kind: Kind,
        source: Source,
        source_id: String,
        mut postings: Vec<(Ledger, i64)>,
        lots: Vec<(LotId, i64, i64)>,
    ) -> Result<(), Error> {
        postings.retain(|(_, amount)| *amount != 0);
        if postings.is_empty() {
            return Ok(());
        }
        if postings.iter().map(|(_, amount)| amount).sum::<i64>() != 0 {
            return Err(Error::Corrupt("an entry's postings do not sum to zero"));
        }
        let account = self.account_mut(member)?;
        account.seq += 1;
        let seq = account.seq;
        let moved = lots.into_iter().filter(|(_, available, held)| *available != 0 || *held != 0);
        let moved = moved.map(|(lot, available, held)| {
            let cohort = account.lots.get(&lot).ok_or(Error::Corrupt("a lot is missing"))?.cohort;
            Ok(Move { lot, cohort, available, held })
        });
        let moves = moved.collect::<Result<_, Error>>()?;
        self.entries.push(Entry {
            id: Uuid::now_v7(),
            member,
            seq,
            kind,
            source,
            source_id,
            postings,
            moves,
        });
        Ok(())
    }

    pub(super) fn account_mut(&mut self, member: MemberId) -> Result<&mut Account, Error> {
        let account = self.accounts.get_mut(&member).ok_or(NOT_LOADED)?;
        account.changed = true;
        Ok(account)
    }
}

/// What lots gave, as an entry writes it.
pub(super) fn less(taken: &Taken) -> Vec<(LotId, i64, i64)> {
    taken.iter().map(|(lot, points)| (*lot, -points.get(), 0)).collect()
}

pub(super) const NOT_LOADED: Error = Error::Corrupt("a member's account is not loaded");
