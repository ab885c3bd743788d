//! Workers: apalis runs them, this gives them their tasks and settles what becomes of these.
//!
//! Taking a task is a transaction of its own that counts the try and writes a token; every outcome proves in its own
//! transaction that the token still stands. So a task whose process was killed is taken again after the lease, and
//! one that kills its process each time is dead in the end; a worker that was thought dead cannot commit anything.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task as Carried;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::context::WorkerContext;
use metrics::{counter, histogram};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tower::layer::util::Identity;
use uuid::Uuid;

use super::run::settle;
use super::store::{self, Claimed, Settled, State};
use super::{Inner, Kind, Run, TaskError};
use crate::app::App;
use crate::config::duration;
use crate::db;
use crate::metrics::{TASK_FAILURES, TASK_SECONDS};
use crate::retry;
use crate::rota::{self, Place};

/// The wait after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(super) async fn work(inner: &Arc<Inner>, app: App, stop: CancellationToken) {
    let source = Source { inner: inner.clone(), stop, next: None };
    let run = {
        let inner = inner.clone();
        move |taken: Taken| {
            let (inner, app) = (inner.clone(), app.clone());
            async move {
                let Taken { claimed, turn, place } = taken;
                if let Err(error) = execute(&inner, &app, claimed).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "a task is not settled; it is taken again when its lease is over");
                }
                drop((turn, place));
            }
        }
    };
    let worker = WorkerBuilder::new(format!("tasks-{}", Uuid::new_v4())).backend(source).build(run);
    if let Err(error) = worker.run().await {
        tracing::error!(%error, "the worker of tasks ended");
    }
}

pub(super) async fn run_due(inner: &Inner, app: &App) -> Result<usize, db::Error> {
    let mut runs = 0;
    while let Some((claimed, _turn)) = claim(inner).await? {
        execute(inner, app, claimed).await?;
        runs += 1;
    }
    Ok(runs)
}

/// A task in a worker's hands, its shop's turn, and its place among those that run at once.
struct Taken {
    claimed: Claimed,
    turn: Place,
    place: OwnedSemaphorePermit,
}

type Next = Pin<Box<dyn Future<Output = Option<Taken>> + Send>>;

/// Where apalis's worker gets its tasks: the table, one at a time, while there is a place to run one.
struct Source {
    inner: Arc<Inner>,
    stop: CancellationToken,
    next: Option<Next>,
}

impl Backend for Source {
    type Task = Carried<Taken>;
    /// A database that fails must not end the worker: it is asked again.
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// The next task; none once the process is to stop, so that the worker ends when those in hand are done.
    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        let next = self.next.get_or_insert_with(|| {
            let (inner, stop) = (self.inner.clone(), self.stop.clone());
            Box::pin(async move { take(&inner, &stop).await })
        });
        let taken = std::task::ready!(next.as_mut().poll(cx));
        self.next = None;
        if taken.is_none() {
            // A worker whose backend is at its end waits until it is told to stop; it fails only before its start.
            let _ = worker.stop();
        }
        Poll::Ready(taken.map(|taken| Ok(Carried::new(taken))))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Source {
    type Args = Taken;
    type Id = Uuid;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}

/// Waits for a place and a task that is due. None once the process is to stop.
async fn take(inner: &Inner, stop: &CancellationToken) -> Option<Taken> {
    let place = tokio::select! {
        () = stop.cancelled() => return None,
        place = inner.places.clone().acquire_owned() => place.ok()?,
    };
    while !stop.is_cancelled() {
        let pause = match claim(inner).await {
            Ok(Some((claimed, turn))) => return Some(Taken { claimed, turn, place }),
            Ok(None) => duration(inner.settings.poll_every),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no task can be taken");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = inner.turns.given_back() => {}
            () = sleep(pause) => {}
        }
    }
    None
}

/// Takes a task of the shop whose turn it is, among those of the greatest priority of which a task can be taken.
async fn claim(inner: &Inner) -> Result<Option<(Claimed, Place)>, db::Error> {
    let kinds: Vec<&str> = inner.kinds.iter().map(|kind| kind.name).collect();
    let now = inner.clock.now();
    // A look costs a reader; a claim would cost the writer.
    let mut due = store::due(&mut inner.db.read_outside().await?, i64::MAX, &kinds, now).await?;
    if due.is_none() {
        return Ok(None);
    }
    while let Some(priority) = due {
        let look = |from| {
            let (db, kinds) = (inner.db.clone(), kinds.clone());
            async move {
                store::pass(&mut db.read_outside().await?, priority, from, &kinds, now, rota::AT_ONCE).await
            }
        };
        while let Some(turn) = inner.turns.next(priority, now, look).await? {
            let (token, of) = (Uuid::new_v4(), (priority, turn.shop));
            let mut tx = inner.db.begin_outside().await?;
            let claimed = store::claim(&mut tx, token, of, &kinds, (now, now + inner.settings.lease)).await?;
            if let Some(claimed) = claimed {
                tx.commit().await?;
                return Ok(Some((claimed, turn)));
            }
            // Others were quicker.
        }
        // Others have taken all of these meanwhile, or their shops hold their shares of this process.
        let Some(next) = priority.checked_sub(1) else { break };
        due = store::due(&mut inner.db.read_outside().await?, next, &kinds, now).await?;
    }
    Ok(None)
}

/// Runs a task and settles it.
async fn execute(inner: &Inner, app: &App, claimed: Claimed) -> Result<(), db::Error> {
    let Some(kind) = inner.kinds.iter().find(|kind| kind.name == claimed.kind) else { return Ok(()) };
    let run = Run::new(app.clone(), Arc::new(claimed));
    let tries = inner.settings.retry.len() as i64 + 1;
    let start = Instant::now();
    let result = if run.attempt() > tries {
        Err(TaskError::Dead("its process ended each time while it ran".into()))
    } else {
        attempt(inner, kind, &run).await
    };
    histogram!(TASK_SECONDS, "kind" => kind.name).record(start.elapsed().as_secs_f64());
    if run.is_finished() {
        return Ok(());
    }
    let (task, kind, attempts) = (run.id(), kind.name, run.attempt());
    let now = inner.clock.now();
    let reason;
    let settled = match result {
        Ok(()) => Settled { state: State::Done, reason: None, due_at: now },
        Err(TaskError::Lost) => {
            tracing::warn!(%task, kind, attempts, "the lease on a task was over before it was done");
            return Ok(());
        }
        Err(error) => {
            counter!(TASK_FAILURES, "kind" => kind).increment(1);
            reason = error.reason();
            let wait = match error {
                TaskError::Dead(_) => None,
                _ => retry::wait(&inner.settings.retry, attempts),
            };
            tracing::warn!(%task, kind, attempts, reason, dead = wait.is_none(), "a task failed");
            let state = if wait.is_some() { State::Ready } else { State::Dead };
            Settled { state, reason: Some(&reason), due_at: wait.map_or(now, |wait| now + wait) }
        }
    };
    let mut tx = inner.db.begin_outside().await?;
    if settle(&mut tx, &run.claimed, &settled, now).await? {
        tx.commit().await?;
    } else {
        tracing::warn!(%task, kind, attempts, "the lease on a task was over before it was settled");
    }
    Ok(())
}

/// One try: within the deadline, while the lease is kept up.
async fn attempt(inner: &Inner, kind: &Kind, run: &Run) -> Result<(), TaskError> {
    // In a task of its own, so that a panic is a failure of this task and not of the worker; and it ends with us.
    let running = kind.run(run.claimed.payload.0.clone(), run.clone());
    let running = AbortOnDropHandle::new(tokio::spawn(running));
    tokio::select! {
        ended = running => ended.unwrap_or_else(|_| Err(TaskError::Failed("it panicked".into()))),
        () = sleep(duration(kind.deadline)) => {
            Err(TaskError::Failed(format!("it took longer than {:#}", kind.deadline)))
        }
        () = keep(inner, run) => Err(TaskError::Lost),
    }
}

/// Keeps the lease up; ends when it is lost.
async fn keep(inner: &Inner, run: &Run) {
    loop {
        sleep(duration(inner.settings.lease) / 3).await;
        let renewed = async {
            let mut tx = inner.db.begin_outside().await?;
            let ours = store::renew(&mut tx, &run.claimed, inner.clock.now() + inner.settings.lease).await?;
            tx.commit().await?;
            Ok::<_, db::Error>(ours)
        };
        match renewed.await {
            Ok(true) => {}
            // The run may have settled itself meanwhile, and be about to end.
            Ok(false) if run.is_finished() => std::future::pending().await,
            Ok(false) => return,
            // On SQLite the run itself may hold the one writer; whoever wants to take the task over waits for it, too.
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a lease is not renewed");
            }
        }
    }
}
