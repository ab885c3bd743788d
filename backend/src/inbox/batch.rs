//! A batch: what is due in our buckets, handed to those who act on it and settled in the same transaction.

use std::collections::HashSet;
use std::sync::Arc;

use super::beside::{self, Asked};
use super::handler::{Handler, HandlerError, Message, Outcome};
use super::store::{self, Settled, State};
use super::worker::{self, Claim};
use super::{Inner, body};
use crate::db::{self, Tx};
use crate::retry;

/// What a batch came to.
pub(super) enum Batch {
    /// So many messages were settled or tried.
    Settled(u64),
    /// Nothing more is due in our buckets.
    Empty,
    /// Another worker took over.
    Lost,
}

/// Works off the next batch. First whatever needs nobody's answer; then, as Shopify answers them, the shops that ask.
pub(super) async fn work_off(inbox: &Arc<Inner>, claim: &mut Claim) -> Result<Batch, db::Error> {
    let Some(mut tx) = worker::begin(inbox, claim).await? else { return Ok(Batch::Lost) };
    let now = inbox.clock.now();
    let rows = worker::next(inbox, claim, &mut tx).await?;
    if rows.is_empty() {
        store::release(&mut tx, claim.token, now).await?;
        tx.commit().await?;
        return Ok(Batch::Empty);
    }
    let (mut messages, unreadable) = open(inbox, rows);
    let mut count = unreadable.len() as u64;
    if !unreadable.is_empty() {
        let gone = Outcome::Dead("the body is gone or was sealed with another key".into());
        let dead: Vec<_> = unreadable.iter().map(|message| settled(inbox, message, &gone)).collect();
        store::settle(&mut tx, &dead, now).await?;
        tx.commit().await?;
        let Some(again) = worker::begin(inbox, claim).await? else { return Ok(Batch::Lost) };
        tx = again;
    }
    // Shop after shop, in the order in which every worker takes shops.
    messages.sort_by_key(|message| message.shop);

    let asking = inbox.handler.wants_beside(&messages);
    let (ready, waiting) = beside::split(messages, &asking);
    match handle(inbox, claim, tx, ready).await? {
        Some(handled) => count += handled,
        None => return Ok(Batch::Lost),
    }
    // The claim holds these lanes for us, so no transaction need wait for an answer from outside.
    let mut asking = beside::ask(inbox, waiting);
    while let Some(first) = asking.join_next().await {
        let mut asked = first.map_err(db::Error::other)??;
        // Who is through by now shares a transaction.
        while let Some(more) = asking.try_join_next() {
            let more = more.map_err(db::Error::other)??;
            asked.ready.extend(more.ready);
            asked.late.extend(more.late);
        }
        match after_asking(inbox, claim, asked).await? {
            Some(handled) => count += handled,
            None => return Ok(Batch::Lost),
        }
    }
    Ok(Batch::Settled(count))
}

/// The messages with their bodies, and those that have none any more.
fn open(inbox: &Inner, rows: Vec<store::MessageRow>) -> (Vec<Message>, Vec<Message>) {
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
    (messages, unreadable)
}

/// Settles what could not be had, and handles the rest. None if the claim was lost.
async fn after_asking(
    inbox: &Arc<Inner>,
    claim: &Claim,
    Asked { mut ready, late }: Asked,
) -> Result<Option<u64>, db::Error> {
    let Some(mut tx) = worker::begin(inbox, claim).await? else { return Ok(None) };
    if !late.is_empty() {
        let late: Vec<_> = late.iter().map(|(message, outcome)| settled(inbox, message, outcome)).collect();
        store::settle(&mut tx, &late, inbox.clock.now()).await?;
        tx.commit().await?;
        let Some(again) = worker::begin(inbox, claim).await? else { return Ok(None) };
        tx = again;
    }
    ready.sort_by_key(|message| message.shop);
    let handled = handle(inbox, claim, tx, ready).await?;
    Ok(handled.map(|handled| handled + late.len() as u64))
}

/// Handles messages, sorted by shop, in this transaction. If that fails, every shop has one of its own, and only a shop
/// whose own part fails is taken apart further. Says how many were settled or tried; none if the claim was lost.
async fn handle(
    inbox: &Arc<Inner>,
    claim: &Claim,
    tx: Tx,
    messages: Vec<Message>,
) -> Result<Option<u64>, db::Error> {
    let messages: Arc<[Message]> = messages.into();
    let mut count = messages.len() as u64;
    let failure = match attempt(inbox, tx, messages.clone()).await? {
        Ok(()) => return Ok(Some(count)),
        Err(failure) => failure,
    };
    tracing::warn!(error = &failure as &dyn std::error::Error, count, "a batch failed; shop by shop");
    let mut failing = Vec::new();
    let shops: Vec<&[Message]> = messages.chunk_by(|one, next| one.shop == next.shop).collect();
    if let [_] = shops.as_slice() {
        failing.push((messages, failure));
    } else {
        count = 0;
        for of_shop in shops {
            let of_shop: Arc<[Message]> = of_shop.into();
            let Some(tx) = worker::begin(inbox, claim).await? else { return Ok(None) };
            match attempt(inbox, tx, of_shop.clone()).await? {
                Ok(()) => count += of_shop.len() as u64,
                Err(failure) => failing.push((of_shop, failure)),
            }
        }
    }
    // Only now, when everyone else is through.
    for (of_shop, failure) in failing {
        match take_apart(inbox, claim, of_shop, failure).await? {
            Some(tried) => count += tried,
            None => return Ok(None),
        }
    }
    Ok(Some(count))
}

/// Halves what failed of a shop, in its order, until what fails is one message; that one holds back its lane only.
async fn take_apart(
    inbox: &Arc<Inner>,
    claim: &Claim,
    messages: Arc<[Message]>,
    failure: HandlerError,
) -> Result<Option<u64>, db::Error> {
    let mut held: HashSet<String> = HashSet::new();
    let mut count = 0;
    // What comes next is at the end; one that has failed already says so. A message alone looks again at once: whoever was in
    // its way for a moment may have gone on.
    let failure = (messages.len() > 1).then_some(failure);
    let mut parts = vec![(messages, failure)];
    while let Some((mut part, mut failure)) = parts.pop() {
        if part.iter().any(|message| held.contains(&message.lane)) {
            part = part.iter().filter(|message| !held.contains(&message.lane)).cloned().collect();
        }
        if part.is_empty() {
            continue;
        }
        if failure.is_none() {
            let Some(tx) = worker::begin(inbox, claim).await? else { return Ok(None) };
            failure = attempt(inbox, tx, part.clone()).await?.err();
        }
        match (failure, &*part) {
            (None, done) => count += done.len() as u64,
            (Some(failure), [message]) => {
                let Some(tx) = worker::begin(inbox, claim).await? else { return Ok(None) };
                let outcome = failure.outcome();
                settle_failed(inbox, tx, message, &outcome).await?;
                if matches!(outcome, Outcome::Later(_)) {
                    held.insert(message.lane.clone());
                }
                count += 1;
            }
            (Some(_), several) => {
                let (first, second) = several.split_at(several.len() / 2);
                parts.push((second.into(), None));
                parts.push((first.into(), None));
            }
        }
    }
    Ok(Some(count))
}

async fn settle_failed(
    inbox: &Inner,
    mut tx: Tx,
    message: &Message,
    outcome: &Outcome,
) -> Result<(), db::Error> {
    let settled = settled(inbox, message, outcome);
    tracing::warn!(
        topic = message.topic, message = %message.id, attempts = settled.attempts, reason = settled.reason,
        "a webhook failed"
    );
    store::settle(&mut tx, &[settled], inbox.clock.now()).await?;
    tx.commit().await
}

/// Handles messages and settles them in one transaction. The outer error is that of a database which cannot be used now:
/// no message is to blame for it.
async fn attempt(
    inbox: &Arc<Inner>,
    tx: Tx,
    messages: Arc<[Message]>,
) -> Result<Result<(), HandlerError>, db::Error> {
    match try_all(inbox, tx, messages).await {
        Err(HandlerError::Database(error)) if error.is_unavailable() => Err(error),
        tried => Ok(tried),
    }
}

async fn try_all(inbox: &Arc<Inner>, mut tx: Tx, messages: Arc<[Message]>) -> Result<(), HandlerError> {
    if messages.is_empty() {
        return Ok(tx.commit().await?);
    }
    // In a task of its own, so that a panic is a failure of these messages and not of the worker.
    let handling = tokio::spawn({
        let (handler, messages) = (inbox.handler.clone(), messages.clone());
        async move {
            let outcomes = hand_over(handler.as_ref(), &mut tx, &messages).await;
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
async fn hand_over(
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
