//! Points that are held, spent and given back.

use loyalty::Points;
use uuid::Uuid;

use super::Error;
use super::account::{Lot, LotId, Taken};
use super::book::{Book, NOT_LOADED, Pin, SpendId, less};
use super::entry::{Kind, Ledger, Source};
use crate::ids::MemberId;

impl Book {
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
        let taken = account.take(points, &[])?;
        let lots = taken.iter().map(|(lot, points)| (*lot, -points.get(), points.get())).collect();
        self.pin(member, hold, taken, true);
        let moves = vec![(Ledger::Available, -points.get()), (Ledger::Held, points.get())];
        self.write(member, Kind::Hold, Source::Member, format!("hold:{}", hold.0), moves, lots)
    }

    /// Gives all pinned points of a hold back to their lots, where those that are over for good expire.
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
        let taken = self.account_mut(member)?.take(paid, &[])?;
        let lots = less(&taken);
        self.pin(member, spend, taken, false);
        let moves = redeemed(paid, unbacked)?;
        self.write(member, Kind::Unbacked, Source::Shopify, source_id, moves, lots)?;
        if paid.is_positive() { self.was_active(member) } else { Ok(()) }
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
        let (mut left, mut lots) = (paid, Vec::new());
        // The lot that was taken last comes back first: it lives longest.
        for pin in pins.iter_mut().rev() {
            let back = pin.points.minus(pin.returned)?.min(left);
            if back.is_positive() {
                lots.push((pin.lot, account.give_back(pin.lot, back, &self.calendar)?.get(), 0));
                pin.returned = pin.returned.plus(back)?;
                pin.changed = true;
                left = left.minus(back)?;
            }
        }
        if left.is_positive() {
            // What had made a deficit lay in no lot; it comes back as one.
            let lot = Lot::earned(LotId(Uuid::now_v7()), left, self.calendar.now(), &self.calendar);
            lots.push((lot.id, account.add_lot(lot)?.get(), 0));
        }
        let moves = redeemed(-paid, -unbacked)?;
        self.write(member, Kind::Return, Source::Shopify, source_id, moves, lots)
    }

    /// Points that had come back are spent again: the member pays `paid`, the program bears `unbacked`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when the balance would leave the range.
    pub fn take_again(
        &mut self,
        member: MemberId,
        spend: SpendId,
        (paid, unbacked): (Points, Points),
        source_id: String,
    ) -> Result<(), Error> {
        let taken = self.account_mut(member)?.take(paid, &[])?;
        let lots = less(&taken);
        let pins = self.pins.entry(spend).or_default();
        for (lot, points) in taken {
            if let Some(pin) = pins.iter_mut().find(|pin| pin.lot == lot) {
                let again = points.min(pin.returned);
                pin.returned = pin.returned.minus(again)?;
                pin.points = pin.points.plus(points.minus(again)?)?;
                pin.changed = true;
            } else {
                let position = pins.len() as i64;
                pins.push(Pin {
                    lot,
                    member,
                    position,
                    points,
                    returned: Points::ZERO,
                    held: false,
                    changed: true,
                });
            }
        }
        let moves = redeemed(paid, unbacked)?;
        self.write(member, Kind::Redeem, Source::Shopify, source_id, moves, lots)
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
        let (mut used, mut freed, mut over) = (Vec::new(), Vec::new(), Vec::new());
        for pin in pins.iter_mut().filter(|pin| pin.held) {
            let spent = pin.points.min(to_spend);
            let back = pin.points.minus(spent)?;
            to_spend = to_spend.minus(spent)?;
            released = released.plus(back)?;
            used.push((pin.lot, 0, -spent.get()));
            let (kept, gone) = account.free(pin.lot, back, &self.calendar)?;
            freed.push((pin.lot, kept.get(), -back.get()));
            over.push((pin.lot, gone));
            (pin.returned, pin.held, pin.changed) = (back, false, true);
        }
        if to_spend.is_positive() {
            return Err(Error::Corrupt("an order would capture more than its hold pins"));
        }
        account.held = account.held.minus(captured.plus(released)?)?;
        let source_id = format!("hold:{}", hold.0);
        let spent = vec![(Ledger::Held, -captured.get()), (Ledger::Redeemed, captured.get())];
        self.write(member, Kind::Capture, Source::Shopify, source_id.clone(), spent, used)?;
        let back = vec![(Ledger::Held, -released.get()), (Ledger::Available, released.get())];
        self.write(member, Kind::Release, source, source_id, back, freed)?;
        for (lot, gone) in over.into_iter().filter(|(_, gone)| gone.is_positive()) {
            self.lapse(member, (lot, gone), format!("lot:{}@hold:{}", lot.0, hold.0))?;
        }
        if captured.is_positive() { self.was_active(member) } else { Ok(()) }
    }

    fn pin(&mut self, member: MemberId, spend: SpendId, taken: Taken, held: bool) {
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
}

/// What is spent: `paid` by the member, `unbacked` by the program; what is less than zero comes back.
fn redeemed(paid: Points, unbacked: Points) -> Result<Vec<(Ledger, i64)>, Error> {
    Ok(vec![
        (Ledger::Available, -paid.get()),
        (Ledger::Unbacked, -unbacked.get()),
        (Ledger::Redeemed, paid.plus(unbacked)?.get()),
    ])
}
