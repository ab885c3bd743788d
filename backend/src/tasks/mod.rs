//! The job queue: work that is to be done once, later or apart from what asked for it.
//!
//! ```text
//! a change ─ push ─┐ one transaction             ┌─ run: a Task's own code, with a deadline ─ done
//!                  └─ tasks ─ a worker's lease ──┤
//! the clock ─ tick ┘                             └─ it fails, panics, hangs or dies ─ again, in the end dead
//! ```
//!
//! A room defines a [`Task`], names it in `chores.rs`, and calls [`push`] in the transaction of what asks for it. A
//! task is run **at least once**: what it does must be safe to repeat, or be written in the transaction of
//! [`Run::finish`], which is fenced by the lease and also notes that the task is done, so that it happens once.
//!
//! The workers are apalis's; the table is ours (`docs/events-and-tasks.md` says why). A push and an outcome of a shop's
//! task are told as `task.created` and `task.completed`; the installation's own tasks belong to no shop, and the
//! outbox tells of shops only, so nothing is told of them.

pub mod board;
pub mod command;
mod jobs;
pub mod routes;
mod run;
mod schedule;
mod store;
mod task;
mod worker;

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::clock::Clock;
use crate::config;
use crate::db::{self, Db, Read, Timestamp, Tx};
use crate::events::{self, Event, TaskCreated};
use crate::ids::ShopId;
use crate::rota::Rota;

pub use jobs::Forget;
pub use run::Run;
pub use schedule::{Schedule, When};
pub use store::{Backlog, Listed, State};
pub use task::{Kind, Task, TaskError};

/// Whose the installation's own tasks are.
pub const INSTALLATION: ShopId = ShopId(Uuid::nil());

/// How a task is pushed.
#[derive(Debug, Clone)]
pub struct Order {
    key: String,
    run_at: Option<Timestamp>,
    priority: Option<i64>,
}

impl Order {
    /// To be done as soon as a worker is free. The key names what is to be done, within the shop and the kind:
    /// pushed twice with one key it is one task, for as long as the task is kept (`tasks.kept`).
    pub fn new(key: impl Into<String>) -> Self {
        Order { key: key.into(), run_at: None, priority: None }
    }

    /// Not before this time (UTC).
    #[must_use]
    pub fn at(mut self, run_at: Timestamp) -> Self {
        self.run_at = Some(run_at);
        self
    }

    /// Before those with a smaller priority, whatever the kind's own is.
    #[must_use]
    pub fn priority(mut self, priority: i64) -> Self {
        self.priority = Some(priority);
        self
    }
}

/// A task that was pushed, now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// The task.
    pub id: Uuid,
    /// Whether there was none with this key before.
    pub new: bool,
}

/// Why a task was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The key stands for a task with another payload.
    #[error("the key {key} of {kind} stands for another task")]
    KeyUsed {
        /// The kind.
        kind: &'static str,
        /// The key.
        key: String,
    },
    /// The payload is none that JSON can hold.
    #[error("the task cannot be written down")]
    Payload(#[from] serde_json::Error),
    /// There is a NUL in the key or the payload, which PostgreSQL cannot keep.
    #[error("a task must not hold a NUL")]
    Nul,
    /// The database's error.
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// For whoever pushes what can always be written, under a key of its own: the database's error is left.
impl From<PushError> for db::Error {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Database(error) => error,
            error => db::Error::other(error),
        }
    }
}

/// Pushes a task of a shop, or of the [`INSTALLATION`]: it is there if the transaction commits.
///
/// # Errors
/// [`PushError`]. Unless it is the database's, the transaction can go on.
pub async fn push<T: Task>(
    tx: &mut Tx,
    shop: ShopId,
    task: &T,
    order: Order,
    now: Timestamp,
) -> Result<Pushed, PushError> {
    let new = NewTask::of(shop, task, order, now)?;
    let pushed = push_new(tx, &new, T::KIND, now).await?;
    if pushed.new && shop != INSTALLATION {
        let event = Event::TaskCreated(TaskCreated { task: pushed.id, kind: T::KIND.to_owned() });
        events::publish(tx, shop, event, now).await?;
    }
    Ok(pushed)
}

async fn push_new(
    tx: &mut Tx,
    new: &NewTask,
    kind: &'static str,
    now: Timestamp,
) -> Result<Pushed, PushError> {
    if !store::insert(tx, std::slice::from_ref(new), now).await?.is_empty() {
        return Ok(Pushed { id: new.id, new: true });
    }
    let (id, payload) = store::by_key(tx, new.shop, kind, &new.key).await?;
    if payload.0 != new.payload {
        return Err(PushError::KeyUsed { kind, key: new.key.clone() });
    }
    Ok(Pushed { id, new: false })
}

/// A task on its way into the table.
struct NewTask {
    shop: ShopId,
    id: Uuid,
    kind: &'static str,
    key: String,
    payload: Value,
    priority: i64,
    run_at: Timestamp,
}

impl NewTask {
    fn of<T: Task>(shop: ShopId, task: &T, order: Order, now: Timestamp) -> Result<Self, PushError> {
        let payload = serde_json::to_value(task)?;
        if order.key.contains('\0') || has_nul(&payload) {
            return Err(PushError::Nul);
        }
        Ok(NewTask {
            shop,
            id: Uuid::now_v7(),
            kind: T::KIND,
            key: order.key,
            payload,
            priority: order.priority.unwrap_or(T::PRIORITY),
            run_at: order.run_at.unwrap_or(now),
        })
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The tasks of one process: which kinds it can run, and what the clock starts. Cheap to clone.
#[derive(Clone)]
pub struct Tasks(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    settings: config::Tasks,
    kinds: Vec<Kind>,
    schedules: Vec<Schedule>,
    /// What this process knows to be started, so that it does not ask the database again.
    started: schedule::Started,
    /// Which shop's task comes next.
    turns: Rota,
    /// How many tasks may run at once.
    places: Arc<Semaphore>,
}

impl Tasks {
    /// Tasks of these kinds. Those of others are left to processes that know them.
    pub fn new(
        db: Db,
        clock: Clock,
        settings: config::Tasks,
        kinds: Vec<Kind>,
        schedules: Vec<Schedule>,
    ) -> Self {
        let turns = Rota::new(settings.workers);
        let places = Arc::new(Semaphore::new(settings.workers));
        let started = schedule::Started::default();
        Tasks(Arc::new(Inner { db, clock, settings, kinds, schedules, started, turns, places }))
    }

    /// Runs tasks until asked to stop; then those in hand finish.
    pub async fn work(&self, app: App, stop: CancellationToken) {
        worker::work(&self.0, app, stop).await;
    }

    /// Runs everything that is due now, one after the other, and says how many runs that were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_due(&self, app: &App) -> Result<usize, db::Error> {
        worker::run_due(&self.0, app).await
    }

    /// Pushes what the clock has made due, once however many processes ask, and says how many tasks those were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tick(&self) -> Result<usize, db::Error> {
        schedule::tick(&self.0).await
    }

    /// The oldest tasks that were given up, of one shop or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead(&self, shop: Option<ShopId>, most: i64) -> Result<Vec<Listed>, db::Error> {
        store::dead(&mut self.0.db.read_outside().await?, shop, most).await
    }

    /// Gives dead tasks all their tries again: one or all, of one shop or of all. Says how many those were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn requeue(&self, shop: Option<ShopId>, task: Option<Uuid>) -> Result<u64, db::Error> {
        let mut tx = self.0.db.begin_outside().await?;
        let count = store::requeue(&mut tx, shop, task, self.0.clock.now()).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Forgets tasks that were settled long ago (`tasks.kept`, `tasks.dead_kept`), and says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clean_up(&self) -> Result<u64, db::Error> {
        /// Rows per transaction, so that others are not kept waiting.
        const AT_ONCE: i64 = 1_000;
        let (now, settings) = (self.0.clock.now(), &self.0.settings);
        let mut gone = 0;
        loop {
            let mut tx = self.0.db.begin_outside().await?;
            let before = (now - settings.kept, now - settings.dead_kept);
            let count = store::forget(&mut tx, before, AT_ONCE).await?;
            tx.commit().await?;
            gone += count;
            if count < AT_ONCE.unsigned_abs() {
                return Ok(gone);
            }
        }
    }

    /// What waits and what is dead, by kind; kinds of which there is nothing are in it, too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn backlog(&self, read: &mut Read) -> Result<Vec<Backlog>, db::Error> {
        let mut backlog = store::backlog(read).await?;
        for kind in &self.0.kinds {
            if !backlog.iter().any(|known| known.kind == kind.name) {
                backlog.push(Backlog { kind: kind.name.to_owned(), waiting: 0, due_at: None, dead: 0 });
            }
        }
        backlog.sort_by(|a, b| a.kind.cmp(&b.kind));
        Ok(backlog)
    }
}
