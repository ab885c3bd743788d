//! One run of a task, and how it is settled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use uuid::Uuid;

use super::store::{self, Claimed, Settled, State};
use super::{INSTALLATION, TaskError};
use crate::app::App;
use crate::db::{self, Timestamp, Tx};
use crate::events::{self, Event, TaskCompleted, TaskOutcome};
use crate::ids::ShopId;

/// One run of a task: whose it is, which try, and the lease that it holds. Cheap to clone.
#[derive(Clone)]
pub struct Run {
    /// The application.
    pub app: App,
    pub(super) claimed: Arc<Claimed>,
    finished: Arc<AtomicBool>,
}

impl Run {
    pub(super) fn new(app: App, claimed: Arc<Claimed>) -> Self {
        Run { app, claimed, finished: Arc::default() }
    }

    /// The shop whose task it is; none if it is the installation's own.
    pub fn shop(&self) -> Option<ShopId> {
        Some(self.claimed.shop_id).filter(|shop| *shop != INSTALLATION)
    }

    /// The task.
    pub fn id(&self) -> Uuid {
        self.claimed.task_id
    }

    /// Which try this is, from 1.
    pub fn attempt(&self) -> i64 {
        self.claimed.attempts
    }

    /// The time (UTC).
    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Opens a transaction in which the lease is known to stand, until it ends: in the task's shop, or outside of every
    /// shop if it is the installation's own.
    ///
    /// # Errors
    /// [`TaskError::Lost`] if another worker took the task over, or any error of the database.
    pub async fn begin(&self) -> Result<Tx, TaskError> {
        let mut tx = match self.shop() {
            Some(shop) => self.app.db.begin(shop).await?,
            None => self.app.db.begin_outside().await?,
        };
        let until = self.now() + self.app.config.tasks.lease;
        if store::renew(&mut tx, &self.claimed, until).await? { Ok(tx) } else { Err(TaskError::Lost) }
    }

    /// Notes in this transaction that the task is done, and commits it: what was written in it happens once.
    ///
    /// # Errors
    /// [`TaskError::Lost`] if another worker took the task over, or any error of the database. Nothing is written then.
    pub async fn finish(&self, mut tx: Tx) -> Result<(), TaskError> {
        let done = Settled { state: State::Done, reason: None, due_at: self.now() };
        if !settle(&mut tx, &self.claimed, &done, self.now()).await? {
            return Err(TaskError::Lost);
        }
        tx.commit().await?;
        self.finished.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Whether the run has noted itself that the task is done.
    pub(super) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }
}

/// Writes down what became of a run, and tells of it if that was the end; false if another worker has the task.
pub(super) async fn settle(
    tx: &mut Tx,
    claimed: &Claimed,
    settled: &Settled<'_>,
    now: Timestamp,
) -> Result<bool, db::Error> {
    if !store::settle(tx, claimed, settled, now).await? {
        return Ok(false);
    }
    let outcome = match settled.state {
        State::Ready => return Ok(true),
        State::Done => TaskOutcome::Done,
        State::Dead => TaskOutcome::Dead,
    };
    if claimed.shop_id != INSTALLATION {
        let (task, kind, attempts) = (claimed.task_id, claimed.kind.clone(), claimed.attempts);
        let event = Event::TaskCompleted(TaskCompleted { task, kind, outcome, attempts });
        events::publish(tx, claimed.shop_id, event, now).await?;
    }
    Ok(true)
}
