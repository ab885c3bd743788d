//! Orders: what Shopify says of them, folded.
//!
//! Webhooks arrive late, twice and out of order. So per order the newest facts and the set of its refunds are kept;
//! from them follows what should be booked, and the difference to what is booked is booked.

pub mod catch_up;
mod explain;
mod handler;
pub mod invariants;
pub mod jobs;
mod known;
mod lines;
pub mod payload;
pub mod preview;
mod pricing;
pub mod process;
pub mod reread;
pub mod routes;
mod store;
mod words;

pub use handler::OrderHandler;
pub use process::{Incoming, process};
pub use store::{hold, is_known, lock_for_history, redact};

use std::collections::BTreeMap;

use jiff::SignedDuration;
use loyalty::Currency;
use loyalty::earning::Returned;
use loyalty::hold::Mark;
use loyalty::line::LineNow;
use loyalty::order::{Facts, Used};
use loyalty::referral::Code;

use crate::db::{self, Timestamp};
use crate::ids::{CustomerId, OrderId};
use crate::{points, programs, redemptions, referrals};

/// An order as a webhook tells it, or as it was read again.
#[derive(Debug, Clone)]
pub struct Order {
    /// Shopify's number of it.
    pub id: OrderId,
    /// Who placed it; none for a guest.
    pub customer: Option<CustomerId>,
    /// Whether that customer has no account.
    pub guest: bool,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When Shopify was told of it.
    pub created_at: Timestamp,
    /// Whether that was at a till.
    pub at_till: bool,
    /// What of it moves points.
    pub facts: Facts,
    /// What was bought, and delivery, in the shop's currency.
    pub lines: Vec<LineNow>,
    /// From when its lines and discounts are, in microseconds since 1970 (UTC).
    pub as_of: i64,
    /// The mark among its note attributes.
    pub mark: Option<Mark>,
    /// The code among them of whoever sent the customer.
    pub referral: Option<Code>,
    /// The currency it was paid in.
    pub currency: Currency,
    /// What the discounts took off, by their titles.
    pub discounts: Vec<Discount>,
    /// What came back of it so far.
    pub refunds: Refunds,
    /// Whether somebody read it, to whom Shopify had not told it.
    pub read_again: bool,
}

impl Order {
    /// Whether it stands as it was placed, and nothing was taken off it.
    fn is_whole(&self) -> bool {
        let is_whole = |line: &LineNow| line.current >= line.quantity;
        !self.facts.is_void()
            && self.discounts.is_empty()
            && self.refunds.is_empty()
            && self.lines.iter().all(is_whole)
    }

    /// Whether it was placed elsewhere, long before Shopify was told of it.
    fn is_imported(&self) -> bool {
        self.created_at - self.placed_at > SignedDuration::from_hours(24)
    }

    /// What was to be paid for delivery after all discounts, in minor units of the shop's currency.
    fn delivery_basis(&self) -> i64 {
        self.lines.iter().find(|line| line.id == LineNow::DELIVERY).map_or(0, |line| line.paid)
    }

    /// When it was as it tells (UTC).
    fn told_at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.facts.updated_at).unwrap_or(self.placed_at)
    }
}

/// A discount on an order, in minor units of the currency it was paid in.
#[derive(Debug, Clone)]
pub struct Discount {
    /// Its title.
    pub title: String,
    /// What it took off.
    pub used: Used,
}

/// What came back of an order, by refund.
pub type Refunds = BTreeMap<i64, Vec<Returned>>;

/// A refund as a webhook tells it.
#[derive(Debug, Clone)]
pub struct Refund {
    /// Shopify's number of it.
    pub id: i64,
    /// The order.
    pub order: OrderId,
    /// What came back.
    pub returned: Vec<Returned>,
}

/// What can go wrong with an order.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The points.
    #[error(transparent)]
    Points(#[from] points::Error),
    /// The redemption.
    #[error(transparent)]
    Redemption(#[from] redemptions::Error),
    /// The program.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// Who sent whom.
    #[error(transparent)]
    Referral(#[from] referrals::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}
