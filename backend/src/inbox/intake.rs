//! Group commit: whatever arrives while one commit is in flight shares the next.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::body;
use super::delivery::{About, bucket};
use super::handler::OrderKey;
use super::store::{self, NewMessage, State};
use super::{AcceptError, Accepted, Delivery, Inner};
use crate::config::duration;
use crate::db;
use crate::ids::CustomerId;

/// A delivery that waits for its commit.
pub(super) struct Waiting {
    delivery: Delivery,
    about: About,
    sealed: Vec<u8>,
    answer: oneshot::Sender<Result<Accepted, AcceptError>>,
}

/// At most this many share a commit.
const TOGETHER: usize = 256;

pub(super) async fn accept(inbox: &Inner, mut delivery: Delivery) -> Result<Accepted, AcceptError> {
    let about = About::read(&delivery.topic, &delivery.payload)?;
    // Here and not in the intake, so that many cores can do it.
    let payload = body::pack(std::mem::take(&mut delivery.payload));
    let sealed =
        inbox.cipher.seal(store::PAYLOAD, delivery.shop.0, &payload).map_err(|_| AcceptError::Closed)?;

    let (answer, stored) = oneshot::channel();
    inbox.intake.try_send(Waiting { delivery, about, sealed, answer }).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => AcceptError::Full,
        mpsc::error::TrySendError::Closed(_) => AcceptError::Closed,
    })?;
    match timeout(duration(inbox.settings.accept_timeout), stored).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(AcceptError::Closed),
        Err(_) => Err(AcceptError::TimedOut),
    }
}

/// Commits what waits, until the inbox is gone.
pub(super) async fn run(inbox: Weak<Inner>, mut queue: mpsc::Receiver<Waiting>) {
    let mut waiting = Vec::with_capacity(TOGETHER);
    while queue.recv_many(&mut waiting, TOGETHER).await > 0 {
        let Some(inbox) = inbox.upgrade() else { return };
        commit(&inbox, std::mem::take(&mut waiting)).await;
    }
}

async fn commit(inbox: &Arc<Inner>, waiting: Vec<Waiting>) {
    // Whoever hung up meanwhile sends it again.
    let waiting: Vec<_> = waiting.into_iter().filter(|one| !one.answer.is_closed()).collect();
    if waiting.is_empty() {
        return;
    }
    match store_all(inbox, &waiting).await {
        Ok(accepted) => {
            inbox.work.notify_one();
            for (one, accepted) in waiting.into_iter().zip(accepted) {
                let _ = one.answer.send(Ok(accepted));
            }
        }
        Err(error) if error.is_unavailable() => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                count = waiting.len(),
                "webhooks not stored"
            );
            for one in waiting {
                let _ = one.answer.send(Err(AcceptError::Unavailable));
            }
        }
        // One of them is to blame; the others shall not suffer.
        Err(_) => {
            for one in waiting {
                let stored = store_all(inbox, std::slice::from_ref(&one)).await;
                if let Err(error) = &stored {
                    tracing::error!(error = error as &dyn std::error::Error, "webhook not stored");
                }
                inbox.work.notify_one();
                let accepted =
                    stored.map(|accepted| accepted.first().copied().unwrap_or(Accepted::Duplicate));
                let _ = one.answer.send(accepted.map_err(AcceptError::Database));
            }
        }
    }
}

/// Stores deliveries in one transaction, each unless it is stored already.
async fn store_all(inbox: &Inner, waiting: &[Waiting]) -> Result<Vec<Accepted>, db::Error> {
    let mut tx = inbox.db.begin_outside().await?;
    let orders: Vec<OrderKey> = waiting
        .iter()
        .filter(|one| one.about.customer.is_none())
        .filter_map(|one| Some((one.delivery.shop, one.about.order?)))
        .collect();
    let customers = match orders.as_slice() {
        [] => HashMap::new(),
        orders => inbox.handler.customers_of(&mut tx, orders).await?,
    };
    let mut messages: Vec<_> = waiting.iter().map(|one| new_message(inbox, one, &customers)).collect();
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    // Two processes that store the same repeats must meet them in the same order, or they could deadlock.
    messages.sort_by(|a, b| (a.shop, &a.webhook_id).cmp(&(b.shop, &b.webhook_id)));
    let stored: HashSet<_> = store::insert(&mut tx, &messages).await?.into_iter().collect();
    tx.commit().await?;
    let accepted = |id| if stored.contains(id) { Accepted::Stored } else { Accepted::Duplicate };
    Ok(ids.iter().map(accepted).collect())
}

fn new_message<'a>(
    inbox: &Inner,
    waiting: &'a Waiting,
    customers: &HashMap<OrderKey, CustomerId>,
) -> NewMessage<'a> {
    let Waiting { delivery, about, sealed, .. } = waiting;
    let known = || customers.get(&(delivery.shop, about.order?)).copied();
    let lane = About { customer: about.customer.or_else(known), ..*about }.lane();
    let received_at = inbox.clock.now();
    let (state, reason) = if !inbox.handler.knows(&delivery.topic) {
        tracing::info!(topic = delivery.topic, "a webhook nobody asked for");
        (State::Done, Some("unknown_topic"))
    } else if received_at - delivery.triggered_at > inbox.settings.stale_after {
        tracing::warn!(topic = delivery.topic, triggered_at = %delivery.triggered_at, "a stale webhook");
        (State::Dead, Some("stale"))
    } else {
        (State::Ready, None)
    };
    NewMessage {
        shop: delivery.shop,
        id: uuid::Uuid::now_v7(),
        webhook_id: &delivery.webhook_id,
        event_id: delivery.event_id.as_deref(),
        topic: &delivery.topic,
        api_version: delivery.api_version.as_deref(),
        triggered_at: delivery.triggered_at,
        received_at,
        bucket: bucket(delivery.shop, &lane),
        lane,
        state,
        reason,
        settled_at: (state != State::Ready).then_some(received_at),
        sealed,
    }
}
