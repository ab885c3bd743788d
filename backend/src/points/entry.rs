//! Entries: the immutable effects that the ledger consists of.

use uuid::Uuid;

use super::account::LotId;
use crate::events::{Event, PointsMoved};
use crate::ids::MemberId;
use crate::metrics::LEDGER_ENTRIES;

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
        /// Points that had come back are spent again: their order stands after all.
        Redeem = "redeem",
        /// The time of points has run out.
        Expire = "expire",
        /// Points are given for something else than an order.
        Bonus = "bonus",
        /// Points are given or taken by hand.
        Adjust = "adjust",
        /// Two customers became one: what the one had is the other's.
        Merge = "merge",
        /// Points are brought along from another programme.
        Import = "import",
        /// What an import brought is taken back.
        Revert = "revert",
    }
}

crate::text_enum! {
    /// Where an effect comes from.
    #[derive(Hash)]
    pub enum Source {
        /// An order or refund of the shop.
        Shopify = "shopify",
        /// An order at a till of the shop, or a refund of one.
        Pos = "pos",
        /// A flow of Shopify's.
        Flow = "flow",
        /// Klaviyo.
        Klaviyo = "klaviyo",
        /// Zapier.
        Zapier = "zapier",
        /// A program of the merchant.
        Api = "api",
        /// Staff, by hand.
        Manual = "manual",
        /// A member's own doing in a widget.
        Member = "member",
        /// The program's own work: expiry, time-outs.
        Program = "program",
        /// A file of members: its batch and row.
        Import = "import",
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
        /// Where points go whose time has run out.
        Expired = "expired",
        /// Where points come from that members bring along from another programme.
        Imported = "imported",
        /// Where points go that are taken back.
        Reversed = "reversed",
        /// What staff gave and took by hand.
        Adjusted = "adjusted",
        /// What the program bears for discounts that nobody held points for.
        Unbacked = "unbacked",
        /// What is on its way from one member to another: in the whole it is always zero.
        Merged = "merged",
    }
}

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
    /// What of that lies in which lot.
    pub(super) moves: Vec<Move>,
}

/// What an entry does to a lot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    pub lot: LotId,
    /// The month in which the lot was earned.
    pub cohort: i64,
    /// How what is left to spend of it changes.
    pub available: i64,
    /// How what is pinned of it changes.
    pub held: i64,
}

impl Entry {
    /// The event that it is to others, if it is one: points earned for good, points that an order used, points that
    /// expired, points given or taken by hand.
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
            Kind::Earn | Kind::Post | Kind::Bonus => {
                moved(Ledger::Available).map(|points| Event::PointsEarned(event(points)))
            }
            Kind::Capture => moved(Ledger::Redeemed).map(|points| Event::PointsRedeemed(event(points))),
            Kind::Adjust => moved(Ledger::Available).map(|points| Event::PointsAdjusted(event(points))),
            Kind::Expire => moved(Ledger::Expired).map(|points| Event::PointsExpired(event(points))),
            _ => None,
        }
    }

    /// Counts it among what the process wrote.
    pub(super) fn count(&self) {
        metrics::counter!(LEDGER_ENTRIES, "kind" => self.kind.as_str()).increment(1);
    }
}
