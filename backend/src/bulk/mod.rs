//! Bulk operations: queries that Shopify works off by itself, whose answer is a file of JSON lines of any size.
//!
//! ```text
//! ask ─► asked ─► running ─► completed ─► read
//!          ▲         │            │
//!          └─────────┴────────────┴─ it failed, expired, is cut: again, in the end cut, failed, canceled or expired
//! ```
//!
//! Each arrow is a task. That an operation is asked for is written down before Shopify is asked; one whose answer was
//! lost is found again by the run's id, which is in its query. Its end is told by webhook, and asked for at growing
//! intervals. The file is read in batches: a [`Reader`] acts on one in the transaction that notes how far the file was
//! read, so that another process goes on there, and every line is acted upon once. Lines come in any order, children
//! before their parents, and of any type; a reader must not mind.

mod file;
mod handler;
mod jobs;
mod lines;
mod read;
mod store;
mod work;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::db::{self, Read, Timestamp, Tx};
use crate::ids::ShopId;
use crate::outgoing::Outgoing;
use crate::tasks::{self, Order, TaskError};

pub use handler::BulkHandler;
pub use jobs::{Look, ReadFile, Start};
pub use lines::{Gid, Line};
pub use store::{Finished, Run, finished};

/// A run that was asked for so long ago and has not come to its end never will.
const FORSAKEN: SignedDuration = SignedDuration::from_hours(4 * 24);

crate::text_enum! {
    /// How far a run is.
    pub enum State {
        /// Shopify is to be asked to begin, or was, and has not answered.
        Asked = "asked",
        /// Shopify is at it.
        Running = "running",
        /// Shopify has done it; its file is being read.
        Completed = "completed",
        /// The whole file was read.
        Read = "read",
        /// The file ends before its end.
        Cut = "cut",
        /// Shopify failed, or could not be asked.
        Failed = "failed",
        /// Someone ended it at Shopify.
        Canceled = "canceled",
        /// The file is gone.
        Expired = "expired",
    }
}

/// Acts on the lines of a purpose's files.
#[async_trait]
pub trait Reader: Send + Sync + 'static {
    /// What the file is for. Runs lie in the database under it, so it must not change.
    fn purpose(&self) -> &'static str;

    /// The query: one operation with a name.
    fn query(&self) -> &'static str;

    /// Shopify has begun; when it was asked is in the run. What an earlier operation of the run came to does not count.
    async fn begins(&self, tx: &mut Tx, shop: ShopId, run: &Run) -> Result<(), TaskError>;

    /// Acts on lines, in the transaction that notes that they were read.
    async fn lines(&self, tx: &mut Tx, shop: ShopId, run: &Run, lines: &[Line]) -> Result<(), TaskError>;

    /// Nothing more will come. Only if the run is [`State::Read`], what is not in the file is not at Shopify.
    async fn ends(&self, tx: &mut Tx, shop: ShopId, run: &Run) -> Result<(), TaskError>;
}

/// Who reads which files. Cheap to clone.
#[derive(Clone)]
pub struct Bulk {
    readers: Arc<[Arc<dyn Reader>]>,
    files: Outgoing,
}

impl Bulk {
    /// These readers, a purpose each, and the way to their files.
    pub fn new(readers: Vec<Arc<dyn Reader>>, files: Outgoing) -> Self {
        Bulk { readers: readers.into(), files }
    }

    fn files(&self) -> &Outgoing {
        &self.files
    }

    fn reader(&self, purpose: &str) -> Option<&dyn Reader> {
        self.readers.iter().map(AsRef::as_ref).find(|reader| reader.purpose() == purpose)
    }
}

/// A run that was asked for, now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The run.
    pub run: Uuid,
    /// Whether none was under way.
    pub new: bool,
}

/// Asks for a run, if the transaction commits; one that is under way for this purpose already is the one. One that
/// nobody has brought to an end for days is given up.
///
/// # Errors
/// Any error of the database.
pub async fn ask(
    tx: &mut Tx,
    shop: ShopId,
    purpose: &'static str,
    now: Timestamp,
) -> Result<Asked, db::Error> {
    ask_since(tx, shop, purpose, now - FORSAKEN, now).await
}

/// As [`ask`]; one that was asked for before that time is given up, too.
///
/// # Errors
/// Any error of the database.
pub async fn ask_since(
    tx: &mut Tx,
    shop: ShopId,
    purpose: &'static str,
    since: Timestamp,
    now: Timestamp,
) -> Result<Asked, db::Error> {
    store::give_up(tx, shop, purpose, now, since.max(now - FORSAKEN)).await?;
    let run = Uuid::now_v7();
    if !store::ask(tx, shop, run, purpose, now).await? {
        return Ok(Asked { run: store::under_way(tx, shop, purpose).await?, new: false });
    }
    push(tx, shop, &Start { run, attempt: 1, turn: 1 }, now, now).await?;
    Ok(Asked { run, new: true })
}

/// A run of a shop.
///
/// # Errors
/// Any error of the database.
pub async fn run(read: &mut Read, shop: ShopId, run: Uuid) -> Result<Option<Run>, db::Error> {
    store::run(read, shop, run).await
}

/// Pushes a run's next step, which its payload names.
async fn push<T: jobs::Step>(
    tx: &mut Tx,
    shop: ShopId,
    step: &T,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), db::Error> {
    tasks::push(tx, shop, step, Order::new(step.key()).at(at), now).await?;
    Ok(())
}
