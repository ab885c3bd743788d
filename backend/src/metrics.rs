//! What the process counts and measures, for Prometheus. No label holds a shop or a person: there would be no end of
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex as StdMutex, OnceLock, PoisonError};
use std::time::Duration;

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::sync::Mutex;

use crate::app::App;
use crate::db::{self, Timestamp};
use crate::{events, proof, sync};

/// Invariants that were once told of as broken.
static BROKEN: StdMutex<BTreeSet<String>> = StdMutex::new(BTreeSet::new());

/// Requests, by method, route and status.
pub(crate) const REQUESTS: &str = "loyalnest_http_requests_total";
/// How long requests took, by route.
pub(crate) const REQUEST_SECONDS: &str = "loyalnest_http_request_seconds";
/// Entries of the ledger, by kind.
pub(crate) const LEDGER_ENTRIES: &str = "loyalnest_ledger_entries_total";
/// Requests that were refused because a shop sent too many, by route.
pub(crate) const RATE_LIMITED: &str = "loyalnest_http_rate_limited_total";

/// Orders that Shopify told nobody of.
pub(crate) const ORDERS_MISSED: &str = "loyalnest_orders_missed_total";

/// How long runs of tasks took, by kind.
pub(crate) const TASK_SECONDS: &str = "loyalnest_task_seconds";
/// Runs of tasks that came to nothing, by kind.
pub(crate) const TASK_FAILURES: &str = "loyalnest_task_failures_total";

/// What became of members whose metafield was to be written, by outcome.
pub(crate) const SYNC_MEMBERS: &str = "loyalnest_sync_members_total";

/// What calls to the Admin API asked for, in cost points, by operation.
pub(crate) const ADMIN_COST_REQUESTED: &str = "loyalnest_admin_cost_requested_total";
/// What they really cost.
pub(crate) const ADMIN_COST_ACTUAL: &str = "loyalnest_admin_cost_actual_total";
/// Answers that said THROTTLED, by operation.
pub(crate) const ADMIN_THROTTLED: &str = "loyalnest_admin_throttled_total";
/// How long calls waited for their shop's bucket, by priority.
pub(crate) const ADMIN_WAIT_SECONDS: &str = "loyalnest_admin_wait_seconds";

/// Reconciles that came to their end, by outcome.
pub(crate) const RECONCILE_RUNS: &str = "loyalnest_reconcile_runs_total";
/// Members whose published account was compared with the ledger.
pub(crate) const RECONCILE_MEMBERS: &str = "loyalnest_reconcile_members_total";
/// Published accounts that were not what the ledger says, by kind.
pub(crate) const RECONCILE_DRIFT: &str = "loyalnest_reconcile_drift_total";

/// Upper bounds of the buckets, in seconds; Shopify hangs up after 5.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// The same for tasks, which may take their time.
const TASK_BUCKETS: [f64; 9] = [0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0, 1_800.0];
/// Measurements are sorted into their buckets this often, whether anyone asks or not.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
/// What is asked of the database belongs to one answer.
static ANSWERING: Mutex<()> = Mutex::const_new(());

/// Starts to count. Only the first call of a process does anything.
pub fn install() {
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(REQUEST_SECONDS.to_owned()), &BUCKETS)
            .ok()?
            .set_buckets_for_metric(Matcher::Full(ADMIN_WAIT_SECONDS.to_owned()), &BUCKETS)
            .ok()?
            .set_buckets_for_metric(Matcher::Full(TASK_SECONDS.to_owned()), &TASK_BUCKETS)
            .ok()?
            .build_recorder();
        let handle = recorder.handle();
        // A program that embeds this one may have a recorder of its own.
        metrics::set_global_recorder(recorder).ok()?;
        describe();
        let upkeep = handle.clone();
        let thread = std::thread::Builder::new().name("metrics".to_owned());
        let upkeep = thread.spawn(move || {
            loop {
                std::thread::sleep(UPKEEP_EVERY);
                upkeep.run_upkeep();
            }
        });
        upkeep.is_ok().then_some(handle)
    });
}

fn describe() {
    describe_counter!(REQUESTS, "Requests, by method, route and status");
    describe_histogram!(REQUEST_SECONDS, "How long requests took, in seconds, by route");
    describe_counter!(LEDGER_ENTRIES, "Ledger entries written, by kind; those that were undone count, too");
    describe_counter!(RATE_LIMITED, "Requests refused because their shop sent too many, by route");
    describe_counter!(
        SYNC_MEMBERS,
        "Members whose metafield was to be written, by outcome: published, gone (no such customer any more), failed (tried \
         again later), stale (somebody else had written it; it is written again at once)"
    );
    describe_counter!(
        ORDERS_MISSED,
        "Orders, or changes of them, that no webhook told of and that were found by asking"
    );
    describe_histogram!(TASK_SECONDS, "How long runs of tasks took, in seconds, by kind");
    describe_counter!(TASK_FAILURES, "Runs of tasks that came to nothing, by kind");
    describe_counter!(
        ADMIN_COST_REQUESTED,
        "Cost points that calls to the Admin API asked for, by operation"
    );
    describe_counter!(ADMIN_COST_ACTUAL, "Cost points that calls to the Admin API really cost, by operation");
    describe_counter!(ADMIN_THROTTLED, "Answers of the Admin API that said THROTTLED, by operation");
    describe_histogram!(
        ADMIN_WAIT_SECONDS,
        "Waits for a shop's bucket of cost points, in seconds, by priority"
    );
    describe_counter!(RECONCILE_RUNS, "Reconciles that came to their end, by outcome");
    describe_counter!(RECONCILE_MEMBERS, "Members whose published account was compared with the ledger");
    describe_counter!(RECONCILE_DRIFT, "Published accounts that were not what the ledger says, by kind");
    for (name, what) in [
        ("loyalnest_inbox_waiting", "Webhooks that wait to be acted upon"),
        ("loyalnest_inbox_lag_seconds", "How long the oldest of them waits"),
        ("loyalnest_inbox_dead", "Webhooks that could not be acted upon"),
        ("loyalnest_inbox_shops_behind", "Shops whose webhooks wait too long"),
        ("loyalnest_sync_waiting", "Members whose metafield is to be written"),
        ("loyalnest_sync_shops_waiting", "Shops that have such members"),
        ("loyalnest_sync_lag_seconds", "How long the metafield of the first of them has been behind"),
        ("loyalnest_outbox_waiting", "Domain events that a subscriber has yet to get"),
        ("loyalnest_outbox_lag_seconds", "How long the oldest of them waits"),
        ("loyalnest_outbox_dead", "Domain events that a subscriber gave up on"),
        ("loyalnest_tasks_waiting", "Tasks that are to be done, by kind"),
        ("loyalnest_tasks_lag_seconds", "For how long the first of them could have been taken, by kind"),
        ("loyalnest_tasks_dead", "Tasks that were given up, by kind"),
        (
            "loyalnest_audit_violations",
            "Places where an invariant of the books did not hold when they were last proven, by invariant",
        ),
        ("loyalnest_audit_lag_seconds", "How long ago the oldest of the shops' last proofs was"),
    ] {
        describe_gauge!(name, what);
    }
}

/// Everything that is counted and measured, as Prometheus reads it; nothing where another recorder counts.
///
/// # Errors
/// When the database fails.
pub async fn render(app: &App) -> Result<String, db::Error> {
    let Some(Some(handle)) = RECORDER.get() else { return Ok(String::new()) };
    let _answering = ANSWERING.lock().await;
    measure(app).await?;
    handle.run_upkeep();
    Ok(handle.render())
}

async fn measure(app: &App) -> Result<(), db::Error> {
    let inbox = app.inbox.backlog().await?;
    let mut read = app.db.read_outside().await?;
    let (accounts, outbox) = (sync::backlog(&mut read).await?, events::backlog(&mut read).await?);
    let tasks = app.tasks.backlog(&mut read).await?;
    drop(read);
    let now = app.clock.now();
    gauge!("loyalnest_inbox_waiting").set(inbox.ready as f64);
    gauge!("loyalnest_inbox_lag_seconds").set(lag(now, inbox.oldest_at));
    gauge!("loyalnest_inbox_dead").set(inbox.dead as f64);
    gauge!("loyalnest_inbox_shops_behind").set(inbox.shops_behind as f64);
    gauge!("loyalnest_sync_waiting").set(accounts.members as f64);
    gauge!("loyalnest_sync_shops_waiting").set(accounts.shops as f64);
    gauge!("loyalnest_sync_lag_seconds").set(lag(now, accounts.oldest_at));
    for events in outbox {
        let subscriber = events.subscriber;
        gauge!("loyalnest_outbox_waiting", "subscriber" => subscriber.clone()).set(events.waiting as f64);
        gauge!("loyalnest_outbox_lag_seconds", "subscriber" => subscriber.clone())
            .set(lag(now, events.oldest_at));
        gauge!("loyalnest_outbox_dead", "subscriber" => subscriber).set(events.dead as f64);
    }
    for tasks in tasks {
        let kind = tasks.kind;
        gauge!("loyalnest_tasks_waiting", "kind" => kind.clone()).set(tasks.waiting as f64);
        gauge!("loyalnest_tasks_lag_seconds", "kind" => kind.clone()).set(lag(now, tasks.due_at));
        gauge!("loyalnest_tasks_dead", "kind" => kind).set(tasks.dead as f64);
    }
    let proofs = proof::overview(&mut app.db.read_across().await?, now).await?;
    let mut broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
    // What holds again is said, too.
    broken.extend(proofs.violations.iter().map(|(invariant, _)| invariant.clone()));
    let found: BTreeMap<String, i64> = proofs.violations.into_iter().collect();
    for invariant in broken.iter() {
        let violations = found.get(invariant).copied().unwrap_or_default();
        gauge!("loyalnest_audit_violations", "invariant" => invariant.clone()).set(violations as f64);
    }
    gauge!("loyalnest_audit_lag_seconds").set(lag(now, proofs.oldest_at));
    Ok(())
}

/// How long something waits, in seconds.
fn lag(now: Timestamp, since: Option<Timestamp>) -> f64 {
    since.map_or(0.0, |since| (now - since).as_secs_f64().max(0.0))
}
