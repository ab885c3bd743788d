//! Workers: lease some buckets, work their messages off in batches, give them back.
//!
//! The claim is a transaction of its own; every batch proves in its own transaction that the claim still stands. So
//! a worker that was thought dead cannot commit anything after another took its lanes over.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::batch::{self, Batch};
use super::{BUCKETS, Inner, store};
use crate::config::duration;
use crate::db::{self, Engine, Tx};
use crate::ids::ShopId;
use crate::rota;

/// Batches before a worker gives its buckets back, so that other processes get their turn; more if the shops are not
/// through by then.
const BATCHES_PER_CLAIM: usize = 16;
/// The wait after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A lease of buckets: the token that stands in the database as long as it is ours.
pub(super) struct Claim {
    pub(super) token: Uuid,
    buckets: u64,
    /// With which shop the next batch begins: they take turns.
    from: ShopId,
}

pub(super) async fn work(inbox: &Arc<Inner>, stop: CancellationToken) {
    let mut tasks = JoinSet::new();
    for _ in 0..workers(inbox) {
        tasks.spawn(run(inbox.clone(), stop.clone()));
    }
    while tasks.join_next().await.is_some() {}
}

pub(super) async fn drain_until_idle(inbox: &Arc<Inner>) -> Result<u64, db::Error> {
    let give_up = Instant::now() + duration(inbox.settings.lease);
    let never = CancellationToken::new();
    let mut handled = 0;
    loop {
        if let Some(more) = turn(inbox, &never).await? {
            handled += more;
        } else if !store::is_work_due(&mut inbox.db.read_outside().await?, inbox.clock.now()).await? {
            return Ok(handled);
        } else if Instant::now() > give_up {
            return Err(db::Error::other("another worker holds due messages"));
        } else {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

fn workers(inbox: &Inner) -> u64 {
    match inbox.db.engine() {
        Engine::Sqlite => 1,
        Engine::Postgres => inbox.settings.workers as u64,
    }
}

async fn run(inbox: Arc<Inner>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match turn(&inbox, &stop).await {
            Ok(Some(_)) => continue,
            Ok(None) => duration(inbox.settings.poll_every),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the inbox cannot work");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = inbox.work.notified() => {}
            () = sleep(pause) => {}
        }
    }
}

/// Claims buckets and works some batches off. None if there was nothing to claim.
async fn turn(inbox: &Arc<Inner>, stop: &CancellationToken) -> Result<Option<u64>, db::Error> {
    let Some(mut claim) = claim(inbox).await? else { return Ok(None) };
    // There may be more than we could claim.
    inbox.work.notify_one();
    let worked = work_off(inbox, &mut claim, stop).await;
    if !matches!(worked, Ok((_, false))) {
        // Also after an error: the lanes need not wait for the lease to end.
        let mut tx = inbox.db.begin_outside().await?;
        store::release(&mut tx, claim.token, inbox.clock.now()).await?;
        tx.commit().await?;
    }
    worked.map(|(handled, _)| Some(handled))
}

/// Works some batches off, and says how many messages that were and whether the claim still stands.
async fn work_off(
    inbox: &Arc<Inner>,
    claim: &mut Claim,
    stop: &CancellationToken,
) -> Result<(u64, bool), db::Error> {
    let (mut handled, mut batches) = (0, 0);
    loop {
        match batch::work_off(inbox, claim).await? {
            Batch::Settled(count) => handled += count,
            Batch::Empty | Batch::Lost => return Ok((handled, false)),
        }
        batches += 1;
        let through = claim.from == rota::START;
        if stop.is_cancelled() || (through && batches >= BATCHES_PER_CLAIM) {
            return Ok((handled, true));
        }
    }
}

async fn claim(inbox: &Inner) -> Result<Option<Claim>, db::Error> {
    let now = inbox.clock.now();
    // A look costs a reader; a claim would cost the writer.
    if !store::is_work_due(&mut inbox.db.read_outside().await?, now).await? {
        return Ok(None);
    }
    let token = Uuid::new_v4();
    let most = BUCKETS.div_ceil(workers(inbox)) as i64;
    let mut tx = inbox.db.begin_outside().await?;
    let buckets = store::claim(&mut tx, token, now, now + inbox.settings.lease, most).await?;
    tx.commit().await?;
    Ok((buckets > 0).then_some(Claim { token, buckets, from: rota::START }))
}

/// Opens a transaction in which the claim is known to stand. None if it does not.
pub(super) async fn begin(inbox: &Inner, claim: &Claim) -> Result<Option<Tx>, db::Error> {
    let mut tx = inbox.db.begin_outside().await?;
    let ours = store::renew(&mut tx, claim.token, inbox.clock.now() + inbox.settings.lease).await?;
    Ok((ours == claim.buckets).then_some(tx))
}

/// The messages of the next batch: those of the shops whose turn it is share it evenly. None if nothing is due in our
/// buckets.
pub(super) async fn next(
    inbox: &Inner,
    claim: &mut Claim,
    tx: &mut Tx,
) -> Result<Vec<store::MessageRow>, db::Error> {
    let (now, batch) = (inbox.clock.now(), inbox.settings.batch as i64);
    // To the end, and then once as a whole.
    let mut rounds = if claim.from == rota::START { 1 } else { 2 };
    while rounds > 0 {
        let (from, most) = (claim.from, rota::AT_ONCE.min(batch));
        let passed = store::pass(tx, claim.token, from, now, most).await?;
        claim.from = rota::next_from(&passed, most);
        if claim.from == rota::START {
            rounds -= 1;
        }
        let ready = passed.iter().filter(|passed| passed.is_ready).count() as i64;
        if ready > 0 {
            return store::due(tx, claim.token, (from, passed.len() as i64), now, (batch / ready).max(1))
                .await;
        }
    }
    Ok(Vec::new())
}
