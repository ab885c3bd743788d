//! The book: the part of the ledger that one piece of work reads, changes and writes. In memory and pure; loading
//! and saving is in `store.rs`.

use std::collections::{BTreeMap, HashMap};

use loyalty::Points;
use uuid::Uuid;

use super::Error;
use super::account::{Account, LotId};
use crate::db::Timestamp;
use crate::ids::{MemberId, ShopId};

crate::text_enum! {
    /// What an entry does.
    #[derive(Hash)]
    pub enum Kind {
        /// Points are earned, but wait for the payment of their order.
        Wait = "wait",
        /// Waiting points are earned for good.
        Post = "post",
        /// Waiting points are called off.
        Void = "void",
        /// Points are earned.
        Earn = "earn",
        /// Earned points are taken back.
        Reverse = "reverse",
        /// Points are pinned for a redemption.
        Hold = "hold",
        /// Pinned points are free again.
        Release = "release",
        /// An order used pinned points.
        Capture = "capture",
        /// An order carried a discount that no hold covered.
        Unbacked = "unbacked",
        /// Redeemed points come back after a return.
        Return = "return",
        /// Two customers became one: what the one had is the other's.
        Merge = "merge",
    }
}

crate::text_enum! {
    /// Where an effect comes from.
    #[derive(Hash)]
    pub enum Source {
        /// An order or refund of the shop.
        Shopify = "shopify",
        /// A member's own doing in a widget.
        Member = "member",
        /// The program's own work: expiry, time-outs.
        Program = "program",
    }
}

crate::text_enum! {
    /// An account of the ledger: the first three are the member's, the others the program's.
    #[derive(Hash)]
    pub enum Ledger {
        /// Points to spend.
        Available = "available",
        /// Earned, but waiting.
        Pending = "pending",
        /// Pinned by a hold.
        Held = "held",
        /// Where earned points come from.
        Issued = "issued",
        /// Where redeemed points go.
        Redeemed = "redeemed",
        /// Where points go that are taken back.
        Reversed = "reversed",
        /// What the program bears for discounts that nobody held points for.
        Unbacked = "unbacked",
        /// What is on its way from one member to another: in the whole it is always zero.
        Merged = "merged",
    }
}

/// Names what points were pinned or spent for: a hold, or a debit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct SpendId(pub Uuid);

/// One immutable effect on a member's account.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// Whose account.
    pub member: MemberId,
    /// The account's number of changes, after it.
    pub seq: i64,
    /// What it does.
    pub kind: Kind,
    /// Where it comes from.
    pub source: Source,
    /// Its name there.
    pub source_id: String,
    /// What it moves; sums to zero.
    pub postings: Vec<(Ledger, i64)>,
}

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
    pub(super) now: Timestamp,
    pub(super) program_version: i64,
    pub(super) accounts: BTreeMap<MemberId, Account>,
    pub(super) pins: HashMap<SpendId, Vec<Pin>>,
    pub(super) entries: Vec<Entry>,
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

    /// When its work is booked.
    pub fn now(&self) -> Timestamp {
        self.now
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

    /// Pins available points for a hold.
    ///
    /// # Errors
    /// [`Error::Insufficient`] when fewer are available.
    pub fn hold(&mut self, member: MemberId, hold: SpendId, points: Points) -> Result<(), Error> {
        let account = self.account_mut(member)?;
        if account.available < points {
            return Err(Error::Insufficient { available: account.available.get(), wanted: points.get() });
        }
        account.held = account.held.plus(points)?;
        let taken = account.take(points, None)?;
        self.pin(member, hold, taken, true);
        let moves = vec![(Ledger::Available, -points.get()), (Ledger::Held, points.get())];
        self.write(member, Kind::Hold, Source::Member, format!("hold:{}", hold.0), moves)
    }

    /// Gives all pinned points of a hold back to their lots.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the hold was not loaded.
    pub fn release(&mut self, member: MemberId, hold: SpendId, source: Source) -> Result<(), Error> {
        self.settle(member, hold, Points::ZERO, source)
    }

    /// An order used `points` of those that a hold pins; the rest goes back to its lots.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the hold was not loaded or pins fewer points.
    pub fn capture(&mut self, member: MemberId, hold: SpendId, points: Points) -> Result<(), Error> {
        self.settle(member, hold, points, Source::Shopify)
    }

    /// An order carried a discount that no hold covered: the member pays `paid`, the program bears `unbacked`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when the balance would leave the range.
    pub fn debit(
        &mut self,
        member: MemberId,
        spend: SpendId,
        (paid, unbacked): (Points, Points),
        source_id: String,
    ) -> Result<(), Error> {
        let taken = self.account_mut(member)?.take(paid, None)?;
        self.pin(member, spend, taken, false);
        let moves = vec![
            (Ledger::Available, -paid.get()),
            (Ledger::Unbacked, -unbacked.get()),
            (Ledger::Redeemed, paid.plus(unbacked)?.get()),
        ];
        self.write(member, Kind::Unbacked, Source::Shopify, source_id, moves)
    }

    /// Redeemed points come back: `paid` to the lots they came from, `unbacked` to the program.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the spending was not loaded.
    pub fn give_back(
        &mut self,
        member: MemberId,
        spend: SpendId,
        (paid, unbacked): (Points, Points),
        source_id: String,
    ) -> Result<(), Error> {
        let account = self.accounts.get_mut(&member).ok_or(NOT_LOADED)?;
        let pins = self.pins.entry(spend).or_default();
        let mut left = paid;
        // The lot that was taken last comes back first: it lives longest.
        for pin in pins.iter_mut().rev() {
            let back = pin.points.minus(pin.returned)?.min(left);
            if back.is_positive() {
                account.give_back(pin.lot, back)?;
                pin.returned = pin.returned.plus(back)?;
                pin.changed = true;
                left = left.minus(back)?;
            }
        }
        if left.is_positive() {
            // What had made a deficit lay in no lot; it comes back as one.
            account.add_lot(LotId(Uuid::now_v7()), left, self.now, None)?;
        }
        let moves = vec![
            (Ledger::Redeemed, -paid.plus(unbacked)?.get()),
            (Ledger::Available, paid.get()),
            (Ledger::Unbacked, unbacked.get()),
        ];
        self.write(member, Kind::Return, Source::Shopify, source_id, moves)
    }

    /// What `from` has becomes `into`'s: open lots with their dates, and whatever is missing on either side. The stored
    /// lots must have been moved already.
    pub(super) fn merge(&mut self, from: MemberId, into: MemberId) -> Result<(), Error> {
        let account = self.account_mut(from)?;
        let moved = [
            (Ledger::Available, account.available.get()),
            (Ledger::Pending, account.pending.get()),
            (Ledger::Held, account.held.get()),
        ];
        let emptied = account.clear();
        self.account_mut(into)?.absorb(emptied)?;
        for pin in self.pins.values_mut().flatten().filter(|pin| pin.member == from) {
            pin.member = into;
        }
        let sum = moved.iter().map(|(_, points)| points).sum::<i64>();
        let source_id = format!("member:{from}");
        for (member, sign) in [(from, -1), (into, 1)] {
            let mut postings: Vec<_> =
                moved.iter().map(|(ledger, points)| (*ledger, sign * points)).collect();
            postings.push((Ledger::Merged, -sign * sum));
            let source_id = if sign > 0 { format!("{source_id}>{into}") } else { source_id.clone() };
            self.write(member, Kind::Merge, Source::Shopify, source_id, postings)?;
        }
        Ok(())
    }

    /// Ends a hold: `captured` of its points are spent, in the order they were pinned, the rest goes back.
    fn settle(
        &mut self,
        member: MemberId,
        hold: SpendId,
        captured: Points,
        source: Source,
    ) -> Result<(), Error> {
        let account = self.accounts.get_mut(&member).ok_or(NOT_LOADED)?;
        let pins = self.pins.get_mut(&hold).ok_or(Error::Corrupt("a hold's pins are not loaded"))?;
        let (mut to_spend, mut released) = (captured, Points::ZERO);
        for pin in pins.iter_mut().filter(|pin| pin.held) {
            let spent = pin.points.min(to_spend);
            let back = pin.points.minus(spent)?;
            to_spend = to_spend.minus(spent)?;
            released = released.plus(back)?;
            account.give_back(pin.lot, back)?;
            (pin.returned, pin.held, pin.changed) = (back, false, true);
        }
        if to_spend.is_positive() {
            return Err(Error::Corrupt("an order would capture more than its hold pins"));
        }
        account.held = account.held.minus(captured.plus(released)?)?;
        let source_id = format!("hold:{}", hold.0);
        let spent = vec![(Ledger::Held, -captured.get()), (Ledger::Redeemed, captured.get())];
        self.write(member, Kind::Capture, Source::Shopify, source_id.clone(), spent)?;
        let freed = vec![(Ledger::Held, -released.get()), (Ledger::Available, released.get())];
        self.write(member, Kind::Release, source, source_id, freed)
    }

    fn pin(&mut self, member: MemberId, spend: SpendId, taken: Vec<(LotId, Points)>, held: bool) {
        let pins = (0..).zip(taken).map(|(position, (lot, points))| Pin {
            lot,
            member,
            position,
            points,
            returned: Points::ZERO,
            held,
            changed: true,
        });
        self.pins.insert(spend, pins.collect());
    }

    /// Writes an entry down; one that moves nothing is none.
    pub(super) fn write(
        &mut self,
        member: MemberId,
        kind: Kind,
        source: Source,
        source_id: String,
        mut postings: Vec<(Ledger, i64)>,
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
        self.entries.push(Entry { id: Uuid::now_v7(), member, seq, kind, source, source_id, postings });
        Ok(())
    }

    pub(super) fn account_mut(&mut self, member: MemberId) -> Result<&mut Account, Error> {
        let account = self.accounts.get_mut(&member).ok_or(NOT_LOADED)?;
        account.changed = true;
        Ok(account)
    }
}

const NOT_LOADED: Error = Error::Corrupt("a member's account is not loaded");
