//! The ledger added up anew: every entry is read and what it moved is summed here, not in SQL. What comes out is held
//! against what is stored.
//!
//! Entries, postings and moves are read by their keys, some thousand entries at a time. Sums are kept for so many members
//! and lots at once; where there are more, all is read again for the next ones. So memory has a bound, however large a
//! ledger is.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use uuid::Uuid;

use super::account::LotId;
use super::entry::{Kind, Ledger};
use super::invariants::{Counts, Invariant};
use crate::db;
use crate::db::{Read, Timestamp};
use crate::ids::{MemberId, ShopId};

/// Entries that are read together.
const TOGETHER: i64 = 4_000;

/// Of how many members and lots sums are kept at once.
#[derive(Debug, Clone, Copy)]
pub struct AtOnce {
    /// Members.
    pub members: i64,
    /// Lots.
    pub lots: i64,
}

impl Default for AtOnce {
    /// Less than 400 MB.
    fn default() -> Self {
        AtOnce { members: 1_800_000, lots: 3_500_000 }
    }
}

/// What the entries come to.
#[derive(Debug, Clone, Default)]
pub struct Recount {
    /// How many there are.
    pub entries: i64,
    /// Their postings.
    pub postings: i64,
    /// The sum of each account of the ledger, by name.
    pub totals: BTreeMap<&'static str, i64>,
    /// Where something does not hold.
    pub counts: Counts,
}

/// What was posted to a member. Small: there may be many.
#[derive(Default)]
struct Member {
    /// Available, pending, held; unless it is the past, less what is stored.
    posted: [i64; 3],
    /// How much more lies in open lots than there is to spend.
    open: i64,
    /// How much more is pinned than held.
    pinned: i64,
}

/// What entries moved in a lot. Small, too.
struct Lot {
    /// To spend, and held; unless it is the past, less what is stored.
    moved: (i64, i64),
    original: i64,
    /// In microseconds; one that never expires does so at the end of time.
    expires_at: i64,
}

/// One of several passes over a ledger: it keeps the sums of those whose ids fall into it.
struct Pass {
    number: u64,
    of: u64,
    /// Whether it is not known what is stored.
    is_past: bool,
    members: HashMap<MemberId, Member>,
    lots: HashMap<LotId, Lot>,
}

/// Adds up the entries of a shop: all of them, or those that were booked before an instant. How things were stored then
/// is not known: balances and lots are compared with what was moved only where all is added up; else they are held to
/// what is true at any time.
///
/// # Errors
/// Any error of the database.
pub async fn recount(
    read: &mut Read,
    shop: ShopId,
    before: Option<Timestamp>,
    at_once: AtOnce,
) -> Result<Recount, db::Error> {
    let (members,): (i64,) = db!(read.one, "select count(*) from points_accounts where shop_id = $1", shop)?;
    let (lots,): (i64,) = db!(read.one, "select count(*) from points_lots where shop_id = $1", shop)?;
    let passes = (members / at_once.members).max(lots / at_once.lots).unsigned_abs() + 1;
    let mut recount = Recount::default();
    for number in 0..passes {
        let room = |count: i64| (count.unsigned_abs() / passes) as usize;
        let (members, lots) = (HashMap::with_capacity(room(members)), HashMap::with_capacity(room(lots)));
        let mut pass = Pass { number, of: passes, is_past: before.is_some(), members, lots };
        pass.load(read, shop, &mut recount.counts).await?;
        pass.add_up(read, shop, before, &mut recount).await?;
        pass.compare(&mut recount.counts);
    }
    Ok(recount)
}

impl Pass {
    fn keeps(&self, id: impl Hash) -> bool {
        if self.of == 1 {
            return true;
        }
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish() % self.of == self.number
    }

    /// Reads what is stored.
    async fn load(&mut self, read: &mut Read, shop: ShopId, counts: &mut Counts) -> Result<(), db::Error> {
        let mut after = Uuid::nil();
        loop {
            let accounts = accounts(read, shop, after).await?;
            let Some(last) = accounts.last() else { break };
            after = last.0.0;
            for (member, available, pending, held) in accounts {
                if self.keeps(member) && !self.is_past {
                    counts.add(Invariant::PendingAndHeldAreNotNegative, pending < 0 || held < 0);
                    let posted = [-available, -pending, -held];
                    self.members.insert(member, Member { posted, open: -available.max(0), pinned: -held });
                }
            }
        }
        let mut after = (Uuid::nil(), Uuid::nil());
        loop {
            let lots = lots(read, shop, after).await?;
            let Some(last) = lots.last() else { break };
            after = (last.0.0, last.1.0);
            for (member, lot, original, remaining, expires_at) in lots {
                if let Some(member) = self.members.get_mut(&member) {
                    member.open += remaining;
                }
                if self.keeps(lot) {
                    counts.add(Invariant::LotsHoldNoMoreThanWasEarned, remaining < 0 || remaining > original);
                    let expires_at = expires_at.map_or(i64::MAX, Timestamp::as_microsecond);
                    let moved = if self.is_past { (0, 0) } else { (-remaining, 0) };
                    self.lots.insert(lot, Lot { moved, original, expires_at });
                }
            }
        }
        if self.is_past {
            return Ok(());
        }
        for (member, lot, pinned) in pins(read, shop).await? {
            if let Some(member) = self.members.get_mut(&member) {
                member.pinned += pinned;
            }
            if let Some(lot) = self.lots.get_mut(&lot) {
                lot.moved.1 -= pinned;
            }
        }
        Ok(())
    }

    /// Reads the entries, some thousand at a time.
    async fn add_up(
        &mut self,
        read: &mut Read,
        shop: ShopId,
        before: Option<Timestamp>,
        recount: &mut Recount,
    ) -> Result<(), db::Error> {
        let mut after = Uuid::nil();
        loop {
            let entries = entries(read, shop, after).await?;
            // What stands behind the last entry belongs to none.
            let is_end = (entries.len() as i64) < TOGETHER;
            let last = if is_end { Uuid::max() } else { entries.last().map_or(Uuid::max(), |entry| entry.0) };
            let mut page = Page { entries: HashMap::with_capacity(entries.len()), before };
            for (entry, member, kind, booked_at) in entries {
                page.entries.insert(entry, Seen { member, kind, booked_at, sum: 0, postings: 0 });
            }
            for (entry, ledger, amount) in postings(read, shop, (after, last)).await? {
                self.post(&mut page, (entry, ledger, amount), recount);
            }
            for (entry, lot, available, held) in moves(read, shop, (after, last)).await? {
                self.move_points(&page, (entry, lot, available, held), recount);
            }
            if self.number == 0 {
                page.judge(recount);
            }
            if is_end {
                return Ok(());
            }
            after = last;
        }
    }

    fn post(&mut self, page: &mut Page, (entry, ledger, amount): (Uuid, Ledger, i64), recount: &mut Recount) {
        let is_first = self.number == 0;
        let Some(entry) = page.entries.get_mut(&entry) else {
            recount.counts.add(Invariant::PostingsAndMovesHaveTheirEntry, is_first);
            return;
        };
        entry.sum += amount;
        entry.postings += 1;
        if page.before.is_some_and(|before| entry.booked_at >= before) {
            return;
        }
        if is_first {
            recount.postings += 1;
            *recount.totals.entry(ledger.as_str()).or_default() += amount;
        }
        let place = match ledger {
            Ledger::Available => 0,
            Ledger::Pending => 1,
            Ledger::Held => 2,
            _ => return,
        };
        if self.keeps(entry.member) {
            self.members.entry(entry.member).or_default().posted[place] += amount;
        }
    }

    fn move_points(
        &mut self,
        page: &Page,
        (entry, lot, available, held): (Uuid, LotId, i64, i64),
        recount: &mut Recount,
    ) {
        if !self.keeps(lot) {
            return;
        }
        // What lots held before there were moves stands under the lot's own id, and is older than any entry.
        let opens = entry == lot.0;
        let (late, booked) = match page.entries.get(&entry) {
            Some(seen) => (seen.kind != Kind::Expire, Some(seen.booked_at)),
            None => (false, None),
        };
        recount.counts.add(Invariant::PostingsAndMovesHaveTheirEntry, booked.is_none() && !opens);
        if page.before.is_some_and(|before| booked.is_some_and(|at| at >= before)) {
            return;
        }
        let Some(lot) = self.lots.get_mut(&lot) else {
            recount.counts.add(Invariant::LotsAreWhatEntriesMoved, true);
            return;
        };
        lot.moved.0 += available;
        lot.moved.1 += held;
        let over = booked.is_some_and(|at| lot.expires_at <= at.as_microsecond());
        recount.counts.add(Invariant::NothingIsSpentFromAnExpiredLot, late && available < 0 && over);
    }

    /// Says where something is left over.
    fn compare(&self, counts: &mut Counts) {
        for Member { posted, open, pinned } in self.members.values() {
            if self.is_past {
                counts.add(Invariant::PendingAndHeldAreNotNegative, posted[1] < 0 || posted[2] < 0);
            } else {
                counts.add(Invariant::BalancesAreTheirPostings, *posted != [0; 3]);
                counts.add(Invariant::AvailableIsOpenLotsLessDeficit, *open != 0);
                counts.add(Invariant::HeldIsWhatHoldsPin, *pinned != 0);
            }
        }
        for Lot { original, moved: (available, held), .. } in self.lots.values() {
            let wrong = if self.is_past {
                *available < 0 || *held < 0 || available > original
            } else {
                (*available, *held) != (0, 0)
            };
            counts.add(Invariant::LotsAreWhatEntriesMoved, wrong);
        }
    }
}

/// Entries that are read together.
struct Page {
    entries: HashMap<Uuid, Seen>,
    before: Option<Timestamp>,
}

/// An entry, and what was found of it.
struct Seen {
    member: MemberId,
    kind: Kind,
    booked_at: Timestamp,
    sum: i64,
    postings: i64,
}

impl Page {
    fn judge(&self, recount: &mut Recount) {
        for seen in self.entries.values() {
            if self.before.is_none_or(|before| seen.booked_at < before) {
                recount.entries += 1;
                recount.counts.add(Invariant::PostingsSumToZero, seen.sum != 0);
                recount.counts.add(Invariant::EntriesMoveSomething, seen.postings == 0);
            }
        }
    }
}

type AccountRow = (MemberId, i64, i64, i64);

async fn accounts(read: &mut Read, shop: ShopId, after: Uuid) -> Result<Vec<AccountRow>, db::Error> {
    db!(
        read.all,
        "select member_id, available, pending, held from points_accounts
         where shop_id = $1 and member_id > $2 order by member_id limit $3",
        shop,
        after,
        TOGETHER
    )
}

type LotRow = (MemberId, LotId, i64, i64, Option<Timestamp>);

async fn lots(read: &mut Read, shop: ShopId, (member, lot): (Uuid, Uuid)) -> Result<Vec<LotRow>, db::Error> {
    db!(
        read.all,
        "select member_id, lot_id, original, remaining, expires_at from points_lots
         where shop_id = $1 and (member_id, lot_id) > ($2, $3) order by member_id, lot_id limit $4",
        shop,
        member,
        lot,
        TOGETHER
    )
}

/// What is pinned just now: few, beside all else.
async fn pins(read: &mut Read, shop: ShopId) -> Result<Vec<(MemberId, LotId, i64)>, db::Error> {
    db!(
        read.all,
        "select member_id, lot_id, points - returned from points_pins where shop_id = $1 and held",
        shop
    )
}

type EntryRow = (Uuid, MemberId, Kind, Timestamp);

async fn entries(read: &mut Read, shop: ShopId, after: Uuid) -> Result<Vec<EntryRow>, db::Error> {
    db!(
        read.all,
        "select entry_id, member_id, kind, booked_at from points_entries
         where shop_id = $1 and entry_id > $2 order by entry_id limit $3",
        shop,
        after,
        TOGETHER
    )
}

type PostingRow = (Uuid, Ledger, i64);

async fn postings(
    read: &mut Read,
    shop: ShopId,
    (after, last): (Uuid, Uuid),
) -> Result<Vec<PostingRow>, db::Error> {
    db!(
        read.all,
        "select entry_id, account, amount from points_postings
         where shop_id = $1 and entry_id > $2 and entry_id <= $3",
        shop,
        after,
        last
    )
}

type MoveRow = (Uuid, LotId, i64, i64);

async fn moves(
    read: &mut Read,
    shop: ShopId,
    (after, last): (Uuid, Uuid),
) -> Result<Vec<MoveRow>, db::Error> {
    db!(
        read.all,
        "select entry_id, lot_id, available, held from points_moves
         where shop_id = $1 and entry_id > $2 and entry_id <= $3",
        shop,
        after,
        last
    )
}
