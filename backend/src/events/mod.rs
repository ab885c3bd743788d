//! Domain events and their outbox.
//!
//! ```text
//! a change ─ publish ─┐ one transaction
//!                     └─ events_outbox ─ positions, given after the commit ─ subscribers, a cursor each
//! ```
//!
//! An event is written in the transaction of what it tells of: both happen, or neither. Every [`Subscriber`] gets
//! every event it wants at least once, those of one key (a member, an order) in the order in which they were
//! committed. A subscriber writes in the transaction that also moves its cursor, so what it writes here happens once;
//! what it does elsewhere must be safe to repeat, told by the event's id.
//!
//! On PostgreSQL transactions commit in another order than they number their rows in, so a cursor over such numbers
//! would pass by what commits late. Therefore positions are given to committed events, by one process at a time.

mod alerts;
mod deliver;
mod event;
mod jobs;
mod payload;
mod store;

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config;
use crate::db::{self, Db, Timestamp, Tx};
use crate::ids::ShopId;

pub use alerts::Alerts;
pub use event::{Envelope, Event, Kind};
pub use jobs::Forget;
pub use payload::{
    AccountsDrifted, BooksBroken, CustomerChange, CustomerCreated, CustomerUpdated, GdprRequestCreated,
    ImportCompleted, ImportReverted, MerchantCreated, PointsExpiring, PointsMoved, ProductUpdated,
    RedemptionUnbacked, ReferralCompleted, ReferralCreated, ReferralReversed, RfmUpdated, ShopBehind,
    ShopifyBudgetLow, TaskCompleted, TaskCreated, TaskOutcome, VipTierAssigned,
};
pub use store::{Backlog, backlog, redact};

/// Writes an event down, to be delivered if the transaction commits.
///
/// # Errors
/// Any error of the database.
pub async fn publish(tx: &mut Tx, shop: ShopId, event: Event, now: Timestamp) -> Result<(), db::Error> {
    store::insert(tx, shop, &[event], now).await
}

/// Writes events down, in their order, to be delivered if the transaction commits.
///
/// # Errors
/// Any error of the database.
pub async fn publish_all(
    tx: &mut Tx,
    shop: ShopId,
    events: &[Event],
    now: Timestamp,
) -> Result<(), db::Error> {
    store::insert(tx, shop, events, now).await
}

/// A subscriber could not act on events. They are tried again one by one.
#[derive(Debug, thiserror::Error)]
pub enum SubscriberError {
    /// The database's error; if it is only unavailable, the events wait and none is to blame.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// Any other; the text is kept as the reason: no personal data in it.
    #[error("{0}")]
    Failed(String),
}

/// Acts on events.
#[async_trait]
pub trait Subscriber: Send + Sync + 'static {
    /// Its name: its cursor stands under it, so it must not change.
    fn name(&self) -> &'static str;

    /// Whether it acts on events of this kind.
    fn wants(&self, kind: Kind) -> bool;

    /// Acts on events of one shop, in their order, within the transaction that also moves its cursor past them and is in
    /// that shop. Everything is undone if it fails, or panics.
    async fn handle(&self, tx: &mut Tx, events: &[Envelope]) -> Result<(), SubscriberError>;
}

/// The events of one process: who gets them, and how. Cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    settings: config::Events,
    subscribers: Vec<Arc<dyn Subscriber>>,
}

impl Events {
    /// Events, and those who get them.
    pub fn new(
        db: Db,
        clock: Clock,
        settings: config::Events,
        subscribers: Vec<Arc<dyn Subscriber>>,
    ) -> Self {
        Events(Arc::new(Inner { db, clock, settings, subscribers }))
    }

    /// Delivers what is due and says how many events were, all subscribers counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliver_due(&self) -> Result<usize, db::Error> {
        deliver::deliver_due(&self.0).await
    }

    /// Drops old events that every subscriber has, and says how many those were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clean_up(&self) -> Result<usize, db::Error> {
        deliver::clean_up(&self.0).await
    }
}
