//! Workers: lease some buckets, work their messages off in batches, give them back.
//!
//! The claim is a transaction of its own; every batch proves in its own transaction that the claim still stands. So
//! a worker that was thought dead cannot commit anything after another took its lanes over.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::handler::{Handler, HandlerError, Message, Outcome};
use super::store::{self, Settled, State};
use super::{BUCKETS, Inner, body};
use crate::config::duration;
use crate::db::{self, Engine, Tx};
use crate::ids::ShopId;
use crate::retry;
use crate::rota;

/// How many messages are asked about at once.
const BESIDE_AT_ONCE: usize = 8;
/// Batches before a worker gives its buckets back, so that other processes get their turn; more if the shops are not
/// through by then.
const BATCHES_PER_CLAIM: usize = 16;
/// The wait after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A lease of buckets: the token that stands in the database as long as it is ours.
struct Claim {
    token: Uuid,
    buckets: u64,
    /// With which shop the next batch begins: they take turns.
    from: ShopId,
}

/// What a batch came to.
enum Batch {
    Settled(u64),
    /// Nothing more is due in our buckets.
    Empty,
    /// Another worker took over.
    Lost,
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
        match batch(inbox, claim).await? {
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
async fn begin(inbox: &Inner, claim: &Claim) -> Result<Option<Tx>, db::Error> {
    let mut tx = inbox.db.begin_outside().await?;
    let ours = store::renew(&mut tx, claim.token, inbox.clock.now() + inbox.settings.lease).await?;
    Ok((ours == claim.buckets).then_some(tx))
}

/// The messages of the next batch: those of the shops whose turn it is share it evenly. None if nothing is due in our
/// buckets.
async fn next(inbox: &Inner, claim: &mut Claim, tx: &mut Tx) -> Result<Vec<store::MessageRow>, db::Error> {
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

async fn batch(inbox: &Arc<Inner>, claim: &mut Claim) -> Result<Batch, db::Error> {
    let Some(mut tx) = begin(inbox, claim).await? else { return Ok(Batch::Lost) };
    let now = inbox.clock.now();
    let rows = next(inbox, claim, &mut tx).await?;
    if rows.is_empty() {
        store::release(&mut tx, claim.token, now).await?;
        tx.commit().await?;
        return Ok(Batch::Empty);
    }
    let (mut messages, mut unreadable) = (Vec::new(), Vec::new());
    for row in rows {
        let (mut message, sealed) = row.split();
        let open = |sealed: Vec<u8>| {
            let packed = inbox.cipher.open(store::PAYLOAD, message.shop.0, &sealed).ok()?;
            body::unpack(packed)
        };
        match sealed.and_then(open) {
            Some(payload) => {
                message.payload = payload;
                messages.push(message);
            }
            None => unreadable.push(message),
        }
    }
    let dead = |message| Settled {
        message,
        state: State::Dead,
        attempts: message.attempts,
        reason: Some("the body is gone or was sealed with another key"),
        held_until: None,
    };
    store::settle(&mut tx, &unreadable.iter().map(dead).collect::<Vec<_>>(), now).await?;
    // Shop after shop, in the order in which every worker takes shops.
    messages.sort_by_key(|message| message.shop);

    let count = (messages.len() + unreadable.len()) as u64;
    let wanting = inbox.handler.wants_beside(&messages);
    if !wanting.is_empty() {
        // The claim holds these lanes for us, so the transaction need not wait for an answer from outside.
        tx.commit().await?;
        let late = read_beside(inbox, &mut messages, &wanting).await?;
        let Some(again) = begin(inbox, claim).await? else { return Ok(Batch::Lost) };
        tx = again;
        let late: Vec<_> = late.iter().map(|(message, outcome)| settled(inbox, message, outcome)).collect();
        store::settle(&mut tx, &late, inbox.clock.now()).await?;
    }
    let messages: Arc<[Message]> = messages.into();
    match attempt(inbox, tx, messages.clone()).await {
        Ok(()) => Ok(Batch::Settled(count)),
        Err(HandlerError::Database(error)) if error.is_unavailable() => Err(error),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, count, "a batch failed; one by one");
            one_by_one(inbox, claim, &messages).await
        }
    }
}

/// Reads what these messages need beside them. Those for which it cannot be had are taken out of the batch, to be
/// tried again, and with them whatever follows in their lanes.
async fn read_beside(
    inbox: &Inner,
    messages: &mut Vec<Message>,
    wanting: &[usize],
) -> Result<Vec<(Message, Outcome)>, db::Error> {
    // Well within the lease, so that what was read is not lost with it.
    let until = Instant::now() + duration(inbox.settings.lease) / 3;
    let places = Arc::new(Semaphore::new(BESIDE_AT_ONCE));
    let mut reading = JoinSet::new();
    for &at in wanting {
        let (handler, message, places) = (inbox.handler.clone(), messages[at].clone(), places.clone());
        reading.spawn(async move {
            let read = async {
                let _place = places.acquire().await;
                handler.read_beside(&message).await
            };
            let in_time = tokio::time::timeout_at(until, read).await;
            (at, in_time.unwrap_or_else(|_| Err(HandlerError::Failed("no answer in time".into()))))
        });
    }
    let mut late: Vec<(Message, Outcome)> = Vec::new();
    while let Some(read) = reading.join_next().await {
        match read {
            Ok((at, Ok(beside))) => messages[at].beside = beside,
            Ok((_, Err(HandlerError::Database(error)))) => return Err(error),
            Ok((at, Err(error))) => late.push((messages[at].clone(), Outcome::Later(error.to_string()))),
            Err(panic) => return Err(db::Error::other(panic)),
        }
    }
    let behind = |message: &Message| {
        late.iter().any(|(first, _)| {
            (first.shop, &first.lane) == (message.shop, &message.lane) && first.id <= message.id
        })
    };
    messages.retain(|message| !behind(message));
    Ok(late)
}

/// Handles messages and settles them in one transaction.
async fn attempt(inbox: &Arc<Inner>, mut tx: Tx, messages: Arc<[Message]>) -> Result<(), HandlerError> {
    if messages.is_empty() {
        return Ok(tx.commit().await?);
    }
    // In a task of its own, so that a panic is a failure of these messages and not of the worker.
    let handling = tokio::spawn({
        let (handler, messages) = (inbox.handler.clone(), messages.clone());
        async move {
            let outcomes = handle(handler.as_ref(), &mut tx, &messages).await;
            (tx, outcomes)
        }
    });
    let Ok((mut tx, outcomes)) = handling.await else {
        return Err(HandlerError::Failed("the handler panicked".into()));
    };
    let outcomes: Vec<_> = outcomes?.into_iter().map(Outcome::storable).collect();
    let settled: Vec<_> =
        messages.iter().zip(&outcomes).map(|(message, outcome)| settled(inbox, message, outcome)).collect();
    store::settle(&mut tx, &settled, inbox.clock.now()).await?;
    Ok(tx.commit().await?)
}

/// Hands each shop's messages over, in that shop.
async fn handle(
    handler: &dyn Handler,
    tx: &mut Tx,
    messages: &[Message],
) -> Result<Vec<Outcome>, HandlerError> {
    let mut outcomes = Vec::with_capacity(messages.len());
    for of_shop in messages.chunk_by(|one, next| one.shop == next.shop) {
        tx.enter(of_shop[0].shop).await?;
        let given = handler.handle(tx, of_shop).await?;
        if given.len() != of_shop.len() {
            return Err(HandlerError::Failed("the handler must give one outcome for each message".into()));
        }
        outcomes.extend(given);
    }
    Ok(outcomes)
}

/// Handles each message in its own transaction; one that fails holds back its lane.
async fn one_by_one(inbox: &Arc<Inner>, claim: &Claim, messages: &[Message]) -> Result<Batch, db::Error> {
    let mut held: HashSet<(ShopId, &str)> = HashSet::new();
    let mut count = 0;
    for message in messages {
        if held.contains(&(message.shop, message.lane.as_str())) {
            continue;
        }
        let Some(tx) = begin(inbox, claim).await? else { return Ok(Batch::Lost) };
        count += 1;
        let failure = match attempt(inbox, tx, Arc::from([message.clone()])).await {
            Ok(()) => continue,
            Err(HandlerError::Database(error)) if error.is_unavailable() => return Err(error),
            Err(failure) => Outcome::Later(failure.to_string()).storable(),
        };
        let Some(mut tx) = begin(inbox, claim).await? else { return Ok(Batch::Lost) };
        let settled = settled(inbox, message, &failure);
        tracing::warn!(
            topic = message.topic, message = %message.id, attempts = settled.attempts, reason = settled.reason,
            "a webhook failed"
        );
        store::settle(&mut tx, &[settled], inbox.clock.now()).await?;
        tx.commit().await?;
        held.insert((message.shop, &message.lane));
    }
    Ok(Batch::Settled(count))
}

/// What an outcome makes of a message.
fn settled<'a>(inbox: &Inner, message: &'a Message, outcome: &'a Outcome) -> Settled<'a> {
    let plain = |state, attempts, reason| Settled { message, state, attempts, reason, held_until: None };
    match outcome {
        Outcome::Done => plain(State::Done, message.attempts, None),
        Outcome::Dead(reason) => plain(State::Dead, message.attempts, Some(reason)),
        Outcome::Later(reason) => {
            let attempts = message.attempts + 1;
            match retry::wait(&inbox.settings.retry, attempts) {
                None => plain(State::Dead, attempts, Some(reason)),
                Some(wait) => Settled {
                    held_until: Some(inbox.clock.now() + wait),
                    ..plain(State::Ready, attempts, Some(reason))
                },
            }
        }
    }
}
