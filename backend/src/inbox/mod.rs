//! Webhooks: accept fast, act later.
//!
//! ```text
//! POST /webhooks ─ verify ─┐
//!                 replay ──┴─ accept ─ intake ─ one commit for all that wait ─ 200
//!                                                     │ inbox_messages, in lanes
//!                          worker: lease buckets ─ a batch in one transaction ─ Handler ─ done
//! ```
//!
//! A delivery is stored once, whatever is sent how often (`webhook_id` is unique per shop). Messages of one lane (a
//! customer, or an order nobody is known for) are worked off in order. A message that fails holds back its own
//! lane only, is tried again later, and in the end is dead, with its reason.
//!
//! Nothing here knows what a webhook means: that is the [`Handler`]'s.

mod batch;
mod beside;
mod body;
mod clean_up;
pub mod command;
mod dead;
mod delivery;
mod handler;
mod intake;
mod redact;
mod routes;
mod store;
mod watch;
mod worker;

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config;
use crate::db::{self, Cipher, Db};
use crate::ids::ShopId;

pub use clean_up::CleanUp;
pub use dead::DeadLetter;
pub use delivery::{AcceptError, Accepted, Delivery};
pub use handler::{Handler, HandlerError, Message, OrderKey, Outcome};
pub use redact::{is_waited_for, redact};
pub use routes::{PATH, routes};
pub use watch::{Backlog, is_behind};

/// Lanes share this many buckets; a bucket is what workers lease.
const BUCKETS: u64 = 64;

/// The inbox of one process. Cheap to clone.
#[derive(Clone)]
pub struct Inbox(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    cipher: Cipher,
    settings: config::Inbox,
    handler: Arc<dyn Handler>,
    intake: mpsc::Sender<intake::Waiting>,
    /// Something was stored: a worker of this process need not wait for its next look.
    work: Notify,
}

impl Inbox {
    /// Opens the inbox and starts its intake, which lives as long as the inbox does.
    pub fn open(
        db: Db,
        clock: Clock,
        cipher: Cipher,
        settings: config::Inbox,
        handler: Arc<dyn Handler>,
    ) -> Self {
        let (sender, waiting) = mpsc::channel(settings.queue);
        let inner = Inner { db, clock, cipher, settings, handler, intake: sender, work: Notify::new() };
        let inbox = Inbox(Arc::new(inner));
        // The task must not keep the inbox alive, or its queue would never close.
        tokio::spawn(intake::run(Arc::downgrade(&inbox.0), waiting));
        inbox
    }

    /// Stores a delivery, unless it is stored already, and answers after the commit.
    ///
    /// # Errors
    /// [`AcceptError`]. Unless it is the payload's fault, the sender should send it again.
    pub async fn accept(&self, delivery: Delivery) -> Result<Accepted, AcceptError> {
        intake::accept(&self.0, delivery).await
    }

    /// Whether messages of this topic are acted upon.
    pub fn knows(&self, topic: &str) -> bool {
        self.0.handler.knows(topic)
    }

    /// Works messages off until asked to stop, then finishes the batches in hand.
    pub async fn work(&self, stop: CancellationToken) {
        worker::work(&self.0, stop).await;
    }

    /// Works off everything that is due now, and says how many messages were settled or tried.
    ///
    /// # Errors
    /// When the database fails, or another process holds work for longer than a lease.
    pub async fn drain_until_idle(&self) -> Result<u64, db::Error> {
        worker::drain_until_idle(&self.0).await
    }

    /// Whether nothing is due now, here or in another process.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_idle(&self) -> Result<bool, db::Error> {
        Ok(!store::is_work_due(&mut self.0.db.read_outside().await?, self.0.clock.now()).await?)
    }

    /// How many messages of a shop could not be acted upon and wait for a person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead(&self, shop: ShopId) -> Result<i64, db::Error> {
        store::dead(&mut self.0.db.read_outside().await?, shop).await
    }

    /// The oldest messages that could not be acted upon, of one shop or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead_letters(&self, shop: Option<ShopId>, most: i64) -> Result<Vec<DeadLetter>, db::Error> {
        dead::list(&mut self.0.db.read_outside().await?, shop, most).await
    }

    /// Makes dead messages ready again that still have their body: one or all, of one shop or of all. Says how many
    /// those were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn requeue(&self, shop: Option<ShopId>, message: Option<Uuid>) -> Result<u64, db::Error> {
        let mut tx = self.0.db.begin_outside().await?;
        let count = dead::requeue(&mut tx, shop, message).await?;
        tx.commit().await?;
        self.0.work.notify_one();
        Ok(count)
    }

    /// What waits, all shops counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backlog(&self) -> Result<Backlog, db::Error> {
        watch::backlog(&mut self.0.db.read_outside().await?).await
    }

    /// Tells of every shop that is behind (event `shop.behind`), once until it has caught up, and says how many those
    /// were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watch(&self) -> Result<usize, db::Error> {
        watch::watch(&self.0).await
    }

    /// Drops old payloads and forgets old messages, and says how many rows went.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clean_up(&self) -> Result<u64, db::Error> {
        clean_up::clean_up(&self.0).await
    }
}
