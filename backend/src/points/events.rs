//! What the rest of the program hears of the ledger.

use super::book::{Entry, Kind, Ledger};
use crate::events::{Event, PointsMoved};
use crate::metrics::LEDGER_ENTRIES;

impl Entry {
    /// The event that it is to others, if it is one: points earned for good, and points that an order used.
    pub(super) fn event(&self) -> Option<Event> {
        let moved = |ledger| self.postings.iter().find(|(to, _)| *to == ledger).map(|(_, points)| *points);
        let event = |points| PointsMoved {
            member: self.member,
            entry: self.id,
            seq: self.seq,
            points,
            source_id: self.source_id.clone(),
        };
        match self.kind {
            Kind::Earn | Kind::Post => {
                moved(Ledger::Available).map(|points| Event::PointsEarned(event(points)))
            }
            Kind::Capture => moved(Ledger::Redeemed).map(|points| Event::PointsRedeemed(event(points))),
            _ => None,
        }
    }

    /// Counts it among what the process wrote.
    pub(super) fn count(&self) {
        metrics::counter!(LEDGER_ENTRIES, "kind" => self.kind.as_str()).increment(1);
    }
}
