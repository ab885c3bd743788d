//! What becomes of points whose time runs out.

use loyalty::Points;

use super::Error;
use super::account::{Lot, LotId};
use super::book::{Book, NOT_LOADED};
use super::entry::{Kind, Ledger, Source};
use crate::db::Timestamp;
use crate::events::{Event, PointsExpiring};
use crate::ids::MemberId;

/// How many days ahead members are warned, the first warning first.
pub(super) const WARNINGS: [i32; 2] = [30, 7];

impl Book {
    /// Books the expiry of every lot whose time has run out. Whoever reads lots does that first, so nothing is ever spent
    /// from a lot that is over, however late the daily work is. What a hold pins does not expire meanwhile: it does when the
    /// hold ends, or lives through the grace if it has not had one.
    pub(super) fn expire(&mut self) -> Result<(), Error> {
        let now = self.calendar.now();
        let is_due = |lot: &Lot| lot.is_over(now) && lot.remaining.is_positive();
        let members: Vec<MemberId> = self.accounts.keys().copied().collect();
        for member in members {
            let Some(account) = self.accounts.get(&member) else { continue };
            let over = account.lots.values().filter(|lot| is_due(lot));
            let over: Vec<_> = over.map(|lot| (lot.id, lot.remaining, lot.expires_at)).collect();
            for (lot, points, at) in over {
                // Points that come back within a grace expire once more, at another time.
                let at = at.map_or(0, Timestamp::as_microsecond);
                self.lapse(member, (lot, points), format!("lot:{}@{at}", lot.0))?;
            }
        }
        Ok(())
    }

    /// Books that so many points of a lot are gone with its time.
    pub(super) fn lapse(
        &mut self,
        member: MemberId,
        (lot, points): (LotId, Points),
        source_id: String,
    ) -> Result<(), Error> {
        self.accounts.get_mut(&member).ok_or(NOT_LOADED)?.lapse(lot, points)?;
        let moves = vec![(Ledger::Available, -points.get()), (Ledger::Expired, points.get())];
        let lots = vec![(lot, -points.get(), 0)];
        self.write(member, Kind::Expire, Source::Program, source_id, moves, lots)
    }

    /// The member was active: what was earned under a rule of inactivity lives on.
    pub(super) fn was_active(&mut self, member: MemberId) -> Result<(), Error> {
        let account = self.accounts.get_mut(&member).ok_or(NOT_LOADED)?;
        // Who had lots of that kind before has them loaded.
        for lot in account.lots.values_mut().filter(|lot| lot.remaining.is_positive()) {
            let Some(until) = lot.rolls.map(|term| self.calendar.moved(term)) else { continue };
            if lot.expires_at.is_some_and(|at| at < until) {
                lot.live_until(until);
                account.changed = true;
            }
        }
        Ok(())
    }

    /// Tells of the points of a member that expire soon, once for each warning and day on which they go.
    pub(super) fn warn(&mut self, member: MemberId) -> Result<(), Error> {
        let account = self.accounts.get_mut(&member).ok_or(NOT_LOADED)?;
        for days in WARNINGS.into_iter().rev() {
            let until = self.calendar.in_days(days);
            let days = i64::from(days);
            let due = account.lots.values_mut().filter(|lot| {
                let is_soon = lot.expires_at.is_some_and(|at| at <= until);
                is_soon && lot.remaining.is_positive() && lot.warned.is_none_or(|warned| warned > days)
            });
            let mut soon: Vec<(Timestamp, Points)> = Vec::new();
            for lot in due {
                (lot.warned, lot.changed, account.changed) = (Some(days), true, true);
                let Some(at) = lot.expires_at else { continue };
                match soon.iter_mut().find(|(known, _)| *known == at) {
                    Some((_, points)) => *points = points.plus(lot.remaining)?,
                    None => soon.push((at, lot.remaining)),
                }
            }
            self.told.extend(soon.into_iter().map(|(at, points)| {
                Event::PointsExpiring(PointsExpiring { member, points: points.get(), at, days })
            }));
        }
        Ok(())
    }
}
