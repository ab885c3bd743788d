//! Bringing orders: some rows at a time, each batch of them in a transaction that also notes how far it is; and taking them
//! back.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::book::resolve;
use super::super::dates::{Dates, Order};
use super::super::faults::Faults;
use super::super::row::{Refusal, Who, blamed};
use super::super::run::{Chunk, Line, blocking, read_ahead};
use super::super::source::{Encoding, Source};
use super::super::{Batch, Error, Fault, Kind, Progress, State, store};
use super::row::{OrderField, Reading, Row, columns};
use crate::app::App;
use crate::audit::{self, Action, By, Change};
use crate::db::{Timestamp, Tx};
use crate::events::{self, Event, ImportCompleted, ImportReverted};
use crate::history::{self, Past};
use crate::ids::{OrderId, ShopId};
use crate::{merchants, programs, rfm};

/// Orders that are taken back in one transaction.
const TOGETHER: i64 = 2_000;

/// How a row of a file of orders is read.
type Read = Result<Option<Row>, Refusal<OrderField>>;

/// What is to be imported, and how it is to be read.
#[derive(Debug, Clone)]
pub struct Request {
    /// The file.
    pub file: PathBuf,
    /// Which columns are what, where their headers do not say so.
    pub columns: Vec<(OrderField, String)>,
    /// Whether days or months come first in dates that could be either.
    pub dates: Option<Order>,
    /// Where rows go that were refused.
    pub errors: PathBuf,
}

/// What a file did, or would do.
#[derive(Debug, Clone)]
pub struct Report {
    /// The batch; none where it was only checked.
    pub batch: Option<Uuid>,
    /// What the file is written in.
    pub encoding: Encoding,
    /// Columns that were not read.
    pub unread: Vec<String>,
    /// Orders that became history.
    pub imported: i64,
    /// Rows that were refused.
    pub refused: i64,
    /// The same by what is wrong with them; of this run.
    pub faults: BTreeMap<Fault, i64>,
    /// Customers who became members.
    pub new_members: i64,
}

/// What became of rows that share a transaction.
#[derive(Default)]
struct Outcome {
    refused: Vec<(usize, Refusal<OrderField>)>,
    imported: i64,
    new_members: i64,
}

/// A file, and the shop that it is for.
struct Job<'a> {
    app: &'a App,
    shop: ShopId,
    source: Source,
    reading: Reading,
}

/// Imports a file of orders; with `resume`, what is left of one whose run broke. With `dry`, it is only said what that would
/// do: each transaction is rolled back, so that a row is not told that an order stands in the file twice, far apart.
///
/// # Errors
/// [`Error`] says why it did not, or did not go on. What was committed stays.
pub async fn import(
    app: &App,
    shop: ShopId,
    request: &Request,
    (resume, dry): (bool, bool),
    by: &By,
    progress: Progress,
) -> Result<Report, Error> {
    let job = Job::open(app, shop, request).await?;
    let known = store::of_file(&mut app.db.read(shop).await?, shop, &job.source.digest).await?;
    let new = || Ok::<_, Error>(Faults::new(&request.errors, &job.source)?);
    if dry {
        let nothing = Batch::none(Kind::Orders, app.clock.now());
        return Ok(Report { batch: None, ..job.work(nothing, true, new()?, progress).await? });
    }
    let (batch, faults) = match (known, resume) {
        (None, false) => {
            let faults = new()?;
            (store::begin_new(app, shop, (Kind::Orders, State::Running), &job.source.digest).await?, faults)
        }
        (Some(batch), true) if batch.state == State::Running => {
            let faults = Faults::resume(&request.errors, &job.source, batch.last_row)?;
            (batch, faults)
        }
        (Some(batch), false) if batch.state == State::Running => return Err(Error::Begun(batch.batch_id)),
        (Some(batch), _) => return Err(Error::Known(batch.batch_id)),
        (None, true) => return Err(Error::NotBegun),
    };
    let report = job.work(batch, false, faults, progress).await?;
    job.finish(&report, by).await?;
    Ok(report)
}

impl<'a> Job<'a> {
    async fn open(app: &'a App, shop: ShopId, request: &Request) -> Result<Job<'a>, Error> {
        let file = request.file.clone();
        let source = blocking(move || Source::look(&file)).await?;
        let columns = columns(&source.header, &request.columns)?;
        let mut read = app.db.read(shop).await?;
        let dates = Dates { zone: merchants::zone(&mut read, shop).await?, order: request.dates };
        let currency = programs::current(&mut read, shop).await?.program.currency;
        let reading = Reading { columns, dates, currency, now: app.clock.now() };
        Ok(Job { app, shop, source, reading })
    }

    /// Works the rows off that come after the batch's last.
    async fn work(
        &self,
        mut batch: Batch,
        dry: bool,
        mut faults: Faults,
        mut progress: Progress,
    ) -> Result<Report, Error> {
        let mut counted = BTreeMap::new();
        let reading = self.reading.clone();
        let mut chunks = read_ahead(&self.source, batch.last_row, move |record| reading.row(record));
        while let Some(chunk) = chunks.recv().await {
            let Chunk { lines, read } = chunk?;
            let mut tx = self.app.db.begin(self.shop).await?;
            let outcome = self.bring(&mut tx, batch.batch_id, &lines).await?;
            let now = Batch {
                last_row: lines.last().map_or(batch.last_row, |line| line.number),
                imported: batch.imported + outcome.imported,
                refused: batch.refused + outcome.refused.len() as i64,
                new_members: batch.new_members + outcome.new_members,
                ..batch.clone()
            };
            if !dry {
                store::advance(&mut tx, self.shop, &batch, &now, None).await?;
            }
            for (place, refusal) in outcome.refused {
                *counted.entry(refusal.fault).or_default() += 1;
                let line = &lines[place];
                faults.write((line.number, &line.record), &self.reading.columns, refusal)?;
            }
            faults.flush()?;
            if !dry {
                tx.commit().await?;
            }
            batch = now;
            progress.at(read, self.source.size, batch.last_row - 1);
        }
        progress.end();
        let Batch { batch_id, imported, refused, new_members, .. } = batch;
        Ok(Report {
            batch: Some(batch_id),
            encoding: self.source.encoding,
            unread: self.reading.columns.unread(),
            imported,
            refused,
            faults: counted,
            new_members,
        })
    }

    /// Makes history of rows whose customers can be told.
    async fn bring(&self, tx: &mut Tx, batch: Uuid, lines: &[Line<Read>]) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        let mut rows: Vec<(usize, &Row)> = Vec::with_capacity(lines.len());
        let mut seen: HashSet<OrderId> = HashSet::new();
        for (place, line) in lines.iter().enumerate() {
            match &line.row {
                Ok(Some(row)) if seen.insert(row.order) => rows.push((place, row)),
                Ok(Some(_)) => outcome.refuse(place, Fault::KnownOrder, OrderField::Order),
                Ok(None) => {}
                Err(refusal) => outcome.refused.push((place, *refusal)),
            }
        }
        let who: Vec<&Who> = rows.iter().map(|(_, row)| &row.who).collect();
        let found = resolve(self.app, tx, self.shop, &who).await?;
        let mut told = Vec::with_capacity(rows.len());
        for ((place, row), customer) in rows.into_iter().zip(found) {
            match customer {
                Ok((customer, _)) => {
                    let Row { order, placed_at, kept, .. } = *row;
                    // Whatever Shopify tells of the order is newer.
                    let as_of = placed_at - SignedDuration::from_micros(1);
                    told.push((place, Past { order, customer, placed_at, kept, as_of }));
                }
                Err(fault) => {
                    outcome.refuse(place, fault, blamed(fault, OrderField::Customer, OrderField::Email));
                }
            }
        }
        let orders: Vec<Past> = told.iter().map(|(_, past)| *past).collect();
        let taken = history::take(tx, self.shop, &orders, Some(batch), self.app.clock.now()).await?;
        outcome.imported = taken.written.len() as i64;
        outcome.new_members = taken.new_members;
        for (place, past) in told {
            if !taken.written.contains(&past.order) {
                outcome.refuse(place, Fault::KnownOrder, OrderField::Order);
            }
        }
        outcome.refused.sort_unstable_by_key(|(place, _)| *place);
        Ok(outcome)
    }

    /// Every row was taken or refused.
    async fn finish(&self, report: &Report, by: &By) -> Result<(), Error> {
        let Some(batch) = report.batch else { return Ok(()) };
        let (shop, now) = (self.shop, self.app.clock.now());
        let mut tx = self.app.db.begin(shop).await?;
        let before = store::batch(&mut tx, shop, batch).await?.ok_or(Error::NotThere(batch))?;
        let done = Batch { state: State::Done, ..before.clone() };
        store::advance(&mut tx, shop, &before, &done, Some(now)).await?;
        let Batch { imported, refused, points, .. } = done;
        let after = json!({"imported": imported, "refused": refused});
        record(&mut tx, shop, by, (Action::OrdersImported, batch), after, now).await?;
        let completed = ImportCompleted { batch, imported, refused, points };
        events::publish(&mut tx, shop, Event::ImportCompleted(completed), now).await?;
        rfm::refresh_soon(&mut tx, shop, format!("import {batch}"), now).await?;
        Ok(tx.commit().await?)
    }
}

impl Outcome {
    fn refuse(&mut self, place: usize, fault: Fault, field: OrderField) {
        self.refused.push((place, fault.of(field)));
    }
}

async fn record(
    tx: &mut Tx,
    shop: ShopId,
    by: &By,
    (action, batch): (Action, Uuid),
    after: Value,
    now: Timestamp,
) -> Result<(), Error> {
    let change = Change { action, target: Some(batch.to_string()), before: Value::Null, after };
    Ok(audit::record(tx, shop, by, change, now).await?)
}

/// Takes the orders of a batch back that are still as it told them; one whose taking back broke goes on. Whoever became a member
/// by it stays one.
///
/// # Errors
/// [`Error::NotThere`] if it was taken back, [`Error::Elsewhere`] if somebody else does the same, or any error of the database.
pub(in super::super) async fn revert(
    app: &App,
    shop: ShopId,
    mut batch: Batch,
    by: &By,
) -> Result<Batch, Error> {
    while matches!(batch.state, State::Running | State::Done | State::Reverting) {
        let now = app.clock.now();
        let mut tx = app.db.begin(shop).await?;
        let orders = history::take_back(&mut tx, shop, batch.batch_id, TOGETHER, now).await?;
        let is_over = orders.is_none();
        let state = if is_over { State::Reverted } else { State::Reverting };
        // The row only tells who is ahead of whom.
        let next = Batch { state, reverted_row: batch.reverted_row + orders.unwrap_or(0), ..batch.clone() };
        store::retreat(&mut tx, shop, &batch, &next, is_over.then_some(now)).await?;
        if is_over {
            let after = json!({"taken_back": next.reverted_row - 1});
            record(&mut tx, shop, by, (Action::OrdersTakenBack, batch.batch_id), after, now).await?;
            let reverted = ImportReverted { batch: batch.batch_id, taken_back: 0, left_alone: 0 };
            events::publish(&mut tx, shop, Event::ImportReverted(reverted), now).await?;
            rfm::refresh_soon(&mut tx, shop, format!("import {} taken back", batch.batch_id), now).await?;
        }
        tx.commit().await?;
        batch = next;
        if is_over {
            return Ok(batch);
        }
    }
    Err(Error::NotThere(batch.batch_id))
}
