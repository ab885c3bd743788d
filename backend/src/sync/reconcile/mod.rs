//! Reconcile: every published account beside the ledger, what differs told of and put right.
//!
//! ```text
//! weekly, POST, command ─ ask ─► a bulk operation's file: every customer with their metafield
//!                                  ├─ a member of ours: compared, seen ─ differs ─► marked, and published anew
//!                                  └─ nobody's metafield: counted
//! the file is whole ─► rest: members it has nothing of ─ Shopify is asked ─ there ─► compared   not there ─► gone
//! ```
//!
//! Nothing is written to Shopify here: whoever is wrong is marked, and `publish` stays the only writer. A file shows what
//! was when Shopify made it: members who were published since, or are about to be, are no drift. Nobody is gone because a
//! file lacks them.

mod check;
pub mod command;
mod compare;
mod rest;
pub mod routes;
mod store;

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::SignedDuration;
use metrics::counter;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bulk::{self, Asked, Line, Reader};
use crate::clock::Clock;
use crate::customers::{self, Enrolled};
use crate::db::{self, Timestamp, Tx};
use crate::events::{self, AccountsDrifted, Event};
use crate::ids::{CustomerId, ShopId};
use crate::metrics::{RECONCILE_DRIFT, RECONCILE_MEMBERS, RECONCILE_RUNS};
use crate::tasks::{self, Order, PushError, Run, Task, TaskError};

use check::check;

pub use compare::Drift;
pub use rest::Rest;
pub use store::{Counts, Report, last};

/// What the bulk operations are for.
const PURPOSE: &str = "reconcile";
/// What was published so shortly before Shopify was asked may not be in its file.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

crate::text_enum! {
    /// How far a reconcile is.
    pub enum State {
        /// The file is made, or read.
        Reading = "reading",
        /// Shopify is asked for those who are not in it.
        Asking = "asking",
        /// Every member was looked at.
        Done = "done",
        /// The file was not whole: whoever is not in it was not looked at.
        Incomplete = "incomplete",
    }
}

/// Asks for a reconcile, if the transaction commits; one that is under way is the one.
///
/// # Errors
/// Any error of the database.
pub async fn ask(tx: &mut Tx, shop: ShopId, now: Timestamp) -> Result<Asked, db::Error> {
    bulk::ask(tx, shop, PURPOSE, now).await
}

/// Asks for a reconcile once a week.
#[derive(Debug, Serialize, Deserialize)]
pub struct Weekly {}

#[async_trait]
impl Task for Weekly {
    const KIND: &'static str = "sync.reconcile";
    const PRIORITY: i64 = -1;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        let mut tx = run.begin().await?;
        ask(&mut tx, shop, run.now()).await?;
        run.finish(tx).await
    }
}

/// Reads the files.
#[derive(Debug, Clone)]
pub struct Reconciler {
    clock: Clock,
}

impl Reconciler {
    /// A reader with this clock.
    pub fn new(clock: Clock) -> Self {
        Reconciler { clock }
    }
}

#[async_trait]
impl Reader for Reconciler {
    fn purpose(&self) -> &'static str {
        PURPOSE
    }

    fn query(&self) -> &'static str {
        include_str!("../../../../graphql/accounts_in_bulk.graphql")
    }

    async fn begins(&self, tx: &mut Tx, shop: ShopId, run: &bulk::Run) -> Result<(), TaskError> {
        Ok(store::begin(tx, shop, run.run_id, run.asked_at).await?)
    }

    async fn lines(
        &self,
        tx: &mut Tx,
        shop: ShopId,
        run: &bulk::Run,
        lines: &[Line],
    ) -> Result<(), TaskError> {
        let published: HashMap<CustomerId, Option<&str>> = lines.iter().filter_map(customer).collect();
        let numbers: Vec<CustomerId> = published.keys().copied().collect();
        let enrolled = customers::enrolled(tx, shop, &numbers).await?;
        let there = enrolled.iter().filter(|enrolled| enrolled.is_there);
        let found: Vec<_> = there.map(|one| (one.member_id, published[&one.customer_id])).collect();
        let since = run.sent_at.unwrap_or(run.asked_at) - MARGIN;
        let mut counts = check(tx, shop, (since, self.clock.now()), &found).await.map_err(failed)?;
        counts.orphans = orphans(&published, &enrolled);
        store::see(tx, shop, run.run_id, &found.iter().map(|(member, _)| *member).collect::<Vec<_>>())
            .await?;
        Ok(store::add(tx, shop, run.run_id, &counts).await?)
    }

    async fn ends(&self, tx: &mut Tx, shop: ShopId, run: &bulk::Run) -> Result<(), TaskError> {
        // It may have come to its end before Shopify began.
        store::find_or_begin(tx, shop, run.run_id, run.asked_at).await?;
        let now = run.ended_at.unwrap_or(run.asked_at);
        if run.state != bulk::State::Read {
            store::set_state(tx, shop, run.run_id, State::Incomplete, Some(now)).await?;
            return Ok(tell(tx, shop, run.run_id, now).await?);
        }
        store::set_state(tx, shop, run.run_id, State::Asking, None).await?;
        match tasks::push(tx, shop, &Rest { run: run.run_id }, Order::new(run.run_id.to_string()), now).await
        {
            Ok(_) => Ok(()),
            Err(PushError::Database(error)) => Err(error.into()),
            Err(error) => Err(TaskError::Failed(error.to_string())),
        }
    }
}

/// A line that is a customer, and what is published of them. Lines of other types, and those below others, are none.
fn customer(line: &Line) -> Option<(CustomerId, Option<&str>)> {
    let is_customer = line.id.kind == "Customer" && line.parent.is_none();
    let metafield = is_customer.then(|| line.object.get("metafield")).flatten()?;
    Some((CustomerId(line.id.number), metafield.get("value").and_then(serde_json::Value::as_str)))
}

/// How many metafields are of customers who never were members. They stay: whoever was erased must not come back by them.
fn orphans(published: &HashMap<CustomerId, Option<&str>>, enrolled: &[Enrolled]) -> i64 {
    let with_metafield = published.iter().filter(|(_, value)| value.is_some());
    let known: std::collections::HashSet<CustomerId> = enrolled.iter().map(|one| one.customer_id).collect();
    with_metafield.filter(|(customer, _)| !known.contains(customer)).count() as i64
}

/// Tells of a reconcile that has come to its end: counted, and an event if there was drift.
async fn tell(tx: &mut Tx, shop: ShopId, run: Uuid, now: Timestamp) -> Result<(), db::Error> {
    let Report { state, counts, .. } = store::report(tx, shop, run).await?;
    counter!(RECONCILE_RUNS, "outcome" => state.as_str()).increment(1);
    counter!(RECONCILE_MEMBERS).increment(counts.members.unsigned_abs());
    for (kind, count) in counts.drifts() {
        counter!(RECONCILE_DRIFT, "kind" => kind).increment(count.unsigned_abs());
    }
    let drifted: i64 = counts.drifts().iter().map(|(_, count)| count).sum();
    if drifted == 0 {
        return Ok(());
    }
    let told = AccountsDrifted { run, members: counts.members, drifted, orphans: counts.orphans };
    events::publish(tx, shop, Event::AccountsDrifted(told), now).await
}

fn failed(error: super::Error) -> TaskError {
    match error {
        super::Error::Db(error) => TaskError::Database(error),
        error => TaskError::Failed(error.to_string()),
    }
}
