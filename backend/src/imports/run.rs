//! Checking a file and importing it: some rows at a time, each batch of them in a transaction that also notes how far it
//! is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::StringRecord;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::book::{Outcome, Prepared};
use super::columns::Columns;
use super::dates::Dates;
use super::faults::Faults;
use super::row::{Reading, Refusal, Row};
use super::source::{Encoding, Source};
use super::{Batch, Error, Fault, Kind, Progress, Request, State, store};
use crate::app::App;
use crate::audit::{self, Action, By, Change};
use crate::db::{self, Timestamp};
use crate::events::{self, Event, ImportCompleted};
use crate::ids::{CustomerId, ShopId};
use crate::{merchants, programs};

/// Rows that share a transaction …
const TOGETHER: usize = 2_000;
/// … unless they are longer than that together, in bytes.
const TOGETHER_BYTES: usize = 4 * 1024 * 1024;
/// Batches of rows that are read ahead.
const AHEAD: usize = 2;
/// How many rows a report shows.
pub(super) const SAMPLES: usize = 5;
/// After what time a check is taken for broken.
const CHECKED: SignedDuration = SignedDuration::from_hours(24);

/// What a file does, or would do.
#[derive(Debug, Clone)]
pub struct Report {
    /// The batch; none where it was only checked.
    pub batch: Option<Uuid>,
    /// What the file is written in.
    pub encoding: Encoding,
    /// Columns that were not read.
    pub unread: Vec<String>,
    /// Rows that are imported.
    pub imported: i64,
    /// Rows that are refused.
    pub refused: i64,
    /// The same by what is wrong with them; of this run.
    pub faults: BTreeMap<Fault, i64>,
    /// Customers who become members.
    pub new_members: i64,
    /// Points that the file brings.
    pub points: i64,
    /// Points that its members had before; of this run.
    pub before: i64,
    /// The first rows.
    pub samples: Vec<Sample>,
}

impl Report {
    fn add(&mut self, outcome: Outcome) {
        for (_, refusal) in &outcome.refused {
            *self.faults.entry(refusal.fault).or_default() += 1;
        }
        self.before += outcome.before;
        let missing = SAMPLES - self.samples.len();
        self.samples.extend(outcome.samples.into_iter().take(missing));
    }
}

/// What becomes of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The row.
    pub row: i64,
    /// Shopify's number of the customer.
    pub customer: CustomerId,
    /// Whether it becomes a member only now.
    pub is_new: bool,
    /// The points to spend before and after.
    pub points: (i64, i64),
    /// The tier before and after.
    pub tier: (Option<String>, Option<String>),
}

/// Says what a file would do, and writes down the rows that would be refused.
///
/// # Errors
/// [`Error`] says why the file cannot be read, or the database failed.
pub async fn check(app: &App, shop: ShopId, request: &Request, progress: Progress) -> Result<Report, Error> {
    let job = Job::open(app, shop, request).await?;
    let faults = Faults::new(&request.errors, &job.source)?;
    for (broken,) in store::checks(&mut app.db.read(shop).await?, shop, job.now - CHECKED).await? {
        forget(app, shop, broken).await?;
    }
    let batch = job.begin(State::Checking).await?;
    let id = batch.batch_id;
    let checked = job.work(batch, faults, progress).await;
    forget(app, shop, id).await?;
    Ok(Report { batch: None, ..checked? })
}

/// Imports a file; with `resume`, what is left of one whose run broke.
///
/// # Errors
/// [`Error`] says why it did not, or did not go on. What was committed stays.
pub async fn import(
    app: &App,
    shop: ShopId,
    request: &Request,
    resume: bool,
    by: &By,
    progress: Progress,
) -> Result<Report, Error> {
    let job = Job::open(app, shop, request).await?;
    let known = store::of_file(&mut app.db.read(shop).await?, shop, &job.source.digest).await?;
    let (batch, faults) = match (known, resume) {
        (None, false) => (job.begin(State::Running).await?, Faults::new(&request.errors, &job.source)?),
        (Some(batch), true) if batch.state == State::Running => {
            let faults = Faults::resume(&request.errors, &job.source, batch.last_row)?;
            (batch, faults)
        }
        (Some(batch), false) if batch.state == State::Running => return Err(Error::Begun(batch.batch_id)),
        (Some(batch), _) => return Err(Error::Known(batch.batch_id)),
        (None, true) => return Err(Error::NotBegun),
    };
    let report = job.work(batch, faults, progress).await?;
    job.finish(&report, by).await?;
    Ok(report)
}

/// Forgets a check, some rows at a time: each by its place in the key, past whatever is deleted already.
async fn forget(app: &App, shop: ShopId, batch: Uuid) -> Result<(), db::Error> {
    let together = TOGETHER as i64;
    let found = store::batch(&mut app.db.read(shop).await?, shop, batch).await?;
    let last = found.map_or(0, |batch| batch.last_row);
    for from in (0..=last).step_by(TOGETHER) {
        let mut tx = app.db.begin(shop).await?;
        store::forget_rows(&mut tx, shop, batch, (from, from + together)).await?;
        tx.commit().await?;
    }
    let mut tx = app.db.begin(shop).await?;
    store::forget(&mut tx, shop, batch).await?;
    tx.commit().await
}

/// A row on its way.
pub(super) struct Line<R = Result<Row, Refusal>> {
    pub number: i64,
    pub record: StringRecord,
    pub row: R,
}

/// Rows that share a transaction, and how many bytes of the file were read by then.
pub(super) struct Chunk<R = Result<Row, Refusal>> {
    pub lines: Vec<Line<R>>,
    pub read: u64,
}

/// A file, and the shop that it is for.
pub(super) struct Job<'a> {
    pub app: &'a App,
    pub shop: ShopId,
    source: Source,
    pub reading: Reading,
    pub now: Timestamp,
}

impl<'a> Job<'a> {
    async fn open(app: &'a App, shop: ShopId, request: &Request) -> Result<Job<'a>, Error> {
        let file = request.file.clone();
        let source = blocking(move || Source::look(&file)).await?;
        let columns = Columns::find(&source.header, request.template, &request.columns)?;
        let now = app.clock.now();
        let mut read = app.db.read(shop).await?;
        let zone = merchants::zone(&mut read, shop).await?;
        let tiers = programs::current(&mut read, shop).await?.program.tiers;
        let dates = Dates { zone, order: request.dates.or(request.template.dates()) };
        Ok(Job { app, shop, source, reading: Reading { columns, dates, tiers, now }, now })
    }

    async fn begin(&self, state: State) -> Result<Batch, Error> {
        store::begin_new(self.app, self.shop, (Kind::Members, state), &self.source.digest).await
    }

    /// Works the rows off that come after the batch's last.
    async fn work(
        &self,
        mut batch: Batch,
        mut faults: Faults,
        mut progress: Progress,
    ) -> Result<Report, Error> {
        let mut report = Report {
            batch: Some(batch.batch_id),
            encoding: self.source.encoding,
            unread: self.reading.columns.unread(),
            imported: batch.imported,
            refused: batch.refused,
            faults: BTreeMap::new(),
            new_members: batch.new_members,
            points: batch.points,
            before: 0,
            samples: Vec::new(),
        };
        let reading = self.reading.clone();
        let mut chunks = read_ahead(&self.source, batch.last_row, move |record| reading.row(record));
        let which = (batch.batch_id, batch.state);
        let mut prepared = self.next(which, &mut chunks).await?;
        while let Some((rows, read)) = prepared {
            // The next rows are prepared while these are written: in the order of the file, all the same.
            let (written, next) =
                tokio::join!(self.write(&batch, rows, &mut faults), self.next(which, &mut chunks));
            let (outcome, now) = written?;
            batch = now;
            report.add(outcome);
            progress.at(read, self.source.size, batch.last_row - 1);
            prepared = next?;
        }
        progress.end();
        let Batch { imported, refused, new_members, points, .. } = batch;
        Ok(Report { imported, refused, new_members, points, ..report })
    }

    /// The next rows, prepared, and how much of the file was read by then.
    async fn next(
        &self,
        which: (Uuid, State),
        chunks: &mut mpsc::Receiver<Result<Chunk, Error>>,
    ) -> Result<Option<(Prepared, u64)>, Error> {
        let Some(chunk) = chunks.recv().await else { return Ok(None) };
        let Chunk { lines, read } = chunk?;
        Ok(Some((self.prepare(which, lines).await?, read)))
    }

    /// Every row was booked or refused.
    async fn finish(&self, report: &Report, by: &By) -> Result<(), Error> {
        let Some(batch) = report.batch else { return Ok(()) };
        let now = self.app.clock.now();
        let mut tx = self.app.db.begin(self.shop).await?;
        let before = store::batch(&mut tx, self.shop, batch).await?.ok_or(Error::NotThere(batch))?;
        let done = Batch { state: State::Done, ..before.clone() };
        store::advance(&mut tx, self.shop, &before, &done, Some(now)).await?;
        let Batch { imported, refused, points, .. } = done;
        let change = Change {
            action: Action::MembersImported,
            target: Some(batch.to_string()),
            before: Value::Null,
            after: json!({"imported": imported, "refused": refused, "points": points}),
        };
        audit::record(&mut tx, self.shop, by, change, now).await?;
        let completed = ImportCompleted { batch, imported, refused, points };
        events::publish(&mut tx, self.shop, Event::ImportCompleted(completed), now).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Reads the rows after one of them, some ahead of who works them off.
pub(super) fn read_ahead<R: Send + 'static>(
    source: &Source,
    after: i64,
    row: impl Fn(&StringRecord) -> R + Send + 'static,
) -> mpsc::Receiver<Result<Chunk<R>, Error>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let source = source.clone();
    tokio::task::spawn_blocking(move || {
        let send = |chunk| sender.blocking_send(chunk).is_ok();
        let read_all = || -> Result<(), Error> {
            let read = Arc::new(AtomicU64::new(0));
            let mut records = source.records(Arc::clone(&read))?;
            loop {
                let (mut lines, mut bytes) = (Vec::with_capacity(TOGETHER), 0);
                while lines.len() < TOGETHER
                    && bytes < TOGETHER_BYTES
                    && let Some((number, record)) = records.next()?
                {
                    if number > after {
                        let row = row(&record);
                        bytes += record.as_slice().len();
                        lines.push(Line { number, record, row });
                    }
                }
                // Nobody listens any more when the work ended early.
                let chunk = Chunk { lines, read: read.load(Ordering::Relaxed) };
                if chunk.lines.is_empty() || !send(Ok(chunk)) {
                    return Ok(());
                }
            }
        };
        if let Err(error) = read_all() {
            send(Err(error));
        }
    });
    receiver
}

/// Does what would hold others up on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::from)?
}
