//! The tables of bulk operations: our runs, and what Shopify told of operations.

use uuid::Uuid;

use super::State;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    bulk_operations [shop_id, operation_id] of Nobody, kept "as long as the programme" {
        shop_id: Id, operation_id: Plain, kind: Plain, status: Plain, error_code: Plain, finished_at: Time,
    }
}
crate::holds! {
    bulk_runs [shop_id, run_id] of Nobody, kept "as long as the programme" {
        shop_id: Id, run_id: Id, purpose: Plain, state: Plain, attempt: Plain, sent_at: Time, operation_id: Plain,
        position: Plain, lines: Plain, odd: Plain, problem: Plain, asked_at: Time, ended_at: Time,
    }
}

/// A bulk operation that is over.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Finished {
    /// Shopify's global id.
    pub operation_id: String,
    /// `query` or `mutation`.
    pub kind: String,
    /// `completed`, `failed`, `canceled` or `expired`.
    pub status: String,
    /// Shopify's word for what went wrong.
    pub error_code: Option<String>,
    /// When it was over (UTC).
    pub finished_at: Timestamp,
}

/// A run: what was asked for, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Run {
    /// Its id.
    pub run_id: Uuid,
    /// What it is for.
    pub purpose: String,
    /// How far it is.
    pub state: State,
    /// How often an operation was asked for, from 1.
    pub attempt: i64,
    /// When Shopify was asked to begin with the last one (UTC).
    pub sent_at: Option<Timestamp>,
    /// Shopify's global id of it, once it is known.
    pub operation_id: Option<String>,
    /// Bytes of the file that were acted upon.
    pub position: i64,
    /// Lines that were acted upon.
    pub lines: i64,
    /// Lines that could not be read.
    pub odd: i64,
    /// Why there is no whole file.
    pub problem: Option<String>,
    /// When it was asked for (UTC).
    pub asked_at: Timestamp,
    /// When it came to its end (UTC).
    pub ended_at: Option<Timestamp>,
}

/// What became of a bulk operation, if it is over.
///
/// # Errors
/// Any error of the database.
pub async fn finished(read: &mut Read, shop: ShopId, operation: &str) -> Result<Option<Finished>, db::Error> {
    db!(
        read.optional,
        "select operation_id, kind, status, error_code, finished_at from bulk_operations
         where shop_id = $1 and operation_id = $2",
        shop,
        operation
    )
}

/// Notes what became of one; told again, nothing changes.
pub(super) async fn note(tx: &mut Tx, shop: ShopId, finished: &Finished) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into bulk_operations (shop_id, operation_id, kind, status, error_code, finished_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (shop_id, operation_id) do nothing",
        shop,
        finished.operation_id,
        finished.kind,
        finished.status,
        finished.error_code,
        finished.finished_at
    )?;
    Ok(())
}

/// Writes down that a run is asked for; false if one is under way.
pub(super) async fn ask(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    purpose: &str,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let asked = db!(
        tx.execute,
        "insert into bulk_runs (shop_id, run_id, purpose, state, attempt, position, lines, odd, asked_at)
         values ($1, $2, $3, 'asked', 1, 0, 0, 0, $4) on conflict (shop_id, purpose) where ended_at is null do nothing",
        shop,
        run,
        purpose,
        now
    )?;
    Ok(asked > 0)
}

/// Gives up a run that was asked for before `long_ago`.
pub(super) async fn give_up(
    tx: &mut Tx,
    shop: ShopId,
    purpose: &str,
    now: Timestamp,
    long_ago: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update bulk_runs set state = 'failed', problem = 'forsaken', ended_at = $3
         where shop_id = $1 and purpose = $2 and ended_at is null and asked_at < $4",
        shop,
        purpose,
        now,
        long_ago
    )?;
    Ok(())
}

/// The run of this purpose that is under way.
pub(super) async fn under_way(read: &mut Read, shop: ShopId, purpose: &str) -> Result<Uuid, db::Error> {
    let (run,): (Uuid,) = db!(
        read.one,
        "select run_id from bulk_runs where shop_id = $1 and purpose = $2 and ended_at is null",
        shop,
        purpose
    )?;
    Ok(run)
}

/// A run.
pub(super) async fn run(read: &mut Read, shop: ShopId, run: Uuid) -> Result<Option<Run>, db::Error> {
    db!(
        read.optional,
        "select run_id, purpose, state, attempt, sent_at, operation_id, position, lines, odd, problem, asked_at, ended_at
         from bulk_runs where shop_id = $1 and run_id = $2",
        shop,
        run
    )
}

/// The run that waits for this operation of Shopify's.
pub(super) async fn waits_for(
    read: &mut Read,
    shop: ShopId,
    operation: &str,
) -> Result<Option<Run>, db::Error> {
    db!(
        read.optional,
        "select run_id, purpose, state, attempt, sent_at, operation_id, position, lines, odd, problem, asked_at, ended_at
         from bulk_runs where shop_id = $1 and operation_id = $2 and state = 'running'",
        shop,
        operation
    )
}

/// Writes down what became of a run, if it is still as it was known: false if another process was faster, and nothing
/// is written then. Whoever is first locks the run until its transaction ends.
pub(super) async fn change(tx: &mut Tx, shop: ShopId, known: &Run, now: &Run) -> Result<bool, db::Error> {
    let changed = db!(
        tx.execute,
        "update bulk_runs set state = $6, attempt = $7, sent_at = $8, operation_id = $9, position = $10, lines = $11,
             odd = $12, problem = $13, ended_at = $14
         where shop_id = $1 and run_id = $2 and state = $3 and attempt = $4 and position = $5 and ended_at is null",
        shop,
        known.run_id,
        known.state,
        known.attempt,
        known.position,
        now.state,
        now.attempt,
        now.sent_at,
        now.operation_id.as_deref(),
        now.position,
        now.lines,
        now.odd,
        now.problem.as_deref(),
        now.ended_at
    )?;
    Ok(changed > 0)
}
