//! Delivery: positions for what was committed, then batches to every subscriber, each under a lease of its cursor.
//!
//! The claim is a transaction of its own; every batch proves in its own transaction that the claim still stands. So a
//! process that was thought dead cannot move a cursor after another took it over.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::event::Envelope;
use super::store::{self, Cursor, Dead, Row};
use super::{Inner, Subscriber, SubscriberError};
use crate::db::{self, Timestamp, Tx};
use crate::retry;

/// Batches before a cursor is given back, so that other subscribers get their turn.
const BATCHES_PER_CLAIM: usize = 16;
/// Old events that are dropped at once.
const DROPPED_AT_ONCE: i64 = 1_000;

pub(super) async fn deliver_due(events: &Inner) -> Result<usize, db::Error> {
    give_positions(events).await?;
    open_cursors(events).await?;
    let due = store::due(&mut events.db.read_outside().await?, events.clock.now()).await?;
    let mut delivered = 0;
    for subscriber in &events.subscribers {
        if due.iter().any(|(name,)| name == subscriber.name()) {
            delivered += deliver(events, subscriber).await?;
        }
    }
    Ok(delivered)
}

async fn give_positions(events: &Inner) -> Result<(), db::Error> {
    let most = events.settings.batch as i64;
    // A look costs a reader; giving positions costs the writer.
    while store::is_new(&mut events.db.read_outside().await?).await? {
        let mut tx = events.db.begin_outside().await?;
        store::give_positions(&mut tx, most).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn open_cursors(events: &Inner) -> Result<(), db::Error> {
    let known = store::cursors(&mut events.db.read_outside().await?).await?;
    for subscriber in &events.subscribers {
        if known.iter().all(|cursor| cursor.subscriber != subscriber.name()) {
            let mut tx = events.db.begin_outside().await?;
            store::open_cursor(&mut tx, subscriber.name(), events.clock.now()).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// A subscriber, its cursor and the token under which it is ours.
struct Claim<'a> {
    events: &'a Inner,
    subscriber: &'a Arc<dyn Subscriber>,
    cursor: Cursor,
    token: Uuid,
}

/// What a batch came to.
enum Batch {
    /// This many events are behind the subscriber.
    Delivered(usize),
    /// Nothing more can be delivered now: there is nothing, it is not due yet, or another took over.
    Over,
}

async fn deliver(events: &Inner, subscriber: &Arc<dyn Subscriber>) -> Result<usize, db::Error> {
    let (now, token) = (events.clock.now(), Uuid::new_v4());
    let mut tx = events.db.begin_outside().await?;
    let claimed = store::claim(&mut tx, subscriber.name(), token, now, now + events.settings.lease).await?;
    tx.commit().await?;
    let Some(cursor) = claimed else { return Ok(0) };
    let mut claim = Claim { events, subscriber, cursor, token };
    let mut delivered = 0;
    for _ in 0..BATCHES_PER_CLAIM {
        match claim.batch().await? {
            Batch::Delivered(count) => delivered += count,
            Batch::Over => break,
        }
    }
    let mut tx = events.db.begin_outside().await?;
    store::release(&mut tx, subscriber.name(), token, events.clock.now()).await?;
    tx.commit().await?;
    Ok(delivered)
}

impl Claim<'_> {
    async fn batch(&mut self) -> Result<Batch, db::Error> {
        let most = self.events.settings.batch as i64;
        let rows =
            store::after(&mut self.events.db.read_outside().await?, self.cursor.position, most).await?;
        let Some(last) = rows.last().map(|row| row.position) else { return Ok(Batch::Over) };
        let count = rows.len();
        let wanted = self.wanted(rows);
        let opened: Result<Vec<Envelope>, _> =
            wanted.iter().map(|(_, envelope)| envelope.clone().map_err(|_| ())).collect();
        let attempted = match opened {
            Ok(envelopes) => self.attempt(envelopes, last).await,
            Err(()) => Err(SubscriberError::Failed("a payload cannot be read".into())),
        };
        match attempted {
            Ok(true) => Ok(Batch::Delivered(count)),
            Ok(false) => Ok(Batch::Over),
            Err(SubscriberError::Database(error)) if error.is_unavailable() => Err(error),
            Err(error) => {
                let subscriber = self.subscriber.name();
                tracing::warn!(subscriber, %error, count, "events were not delivered; one by one");
                self.one_by_one(wanted, last).await
            }
        }
    }

    /// The events that the subscriber wants, or what is known of one that cannot be read.
    fn wanted(&self, rows: Vec<Row>) -> Vec<(i64, Result<Envelope, Unreadable>)> {
        let wanted = rows.into_iter().filter_map(|row| {
            let kind = row.kind().filter(|kind| self.subscriber.wants(*kind))?;
            let (position, unreadable) = (row.position, Unreadable { shop: row.shop_id, id: row.event_id });
            Some((position, row.open(kind).map_err(|_| unreadable)))
        });
        wanted.collect()
    }

    /// Delivers events and moves the cursor to `position`, in one transaction. False if another took over.
    async fn attempt(&mut self, mut events: Vec<Envelope>, position: i64) -> Result<bool, SubscriberError> {
        let Some(mut tx) = self.begin().await? else { return Ok(false) };
        if !events.is_empty() {
            events.sort_by_key(|event| event.shop);
            // In a task of its own, so that a panic is a failure of these events and not of everyone.
            let handling = tokio::spawn({
                let subscriber = self.subscriber.clone();
                async move {
                    let handled = handle(subscriber.as_ref(), &mut tx, &events).await;
                    (tx, handled)
                }
            });
            let Ok((returned, handled)) = handling.await else {
                return Err(SubscriberError::Failed("the subscriber panicked".into()));
            };
            handled?;
            tx = returned;
        }
        self.move_to(tx, position, 0, self.events.clock.now()).await?;
        Ok(true)
    }

    /// Delivers each event in its own transaction. One that fails holds the subscriber up until it is due again, or
    /// is given up: events behind it may have its key.
    async fn one_by_one(
        &mut self,
        wanted: Vec<(i64, Result<Envelope, Unreadable>)>,
        last: i64,
    ) -> Result<Batch, db::Error> {
        let count = wanted.len();
        for (position, event) in wanted {
            let (shop, id, failure) = match event {
                Ok(event) => {
                    let (shop, id) = (event.shop, event.id);
                    match self.attempt(vec![event], position).await {
                        Ok(true) => continue,
                        Ok(false) => return Ok(Batch::Over),
                        Err(SubscriberError::Database(error)) if error.is_unavailable() => return Err(error),
                        Err(failure) => (shop, id, failure.to_string()),
                    }
                }
                Err(Unreadable { shop, id }) => (shop, id, "the payload cannot be read".to_owned()),
            };
            let dead = Dead { position, shop, id, reason: &failure };
            if !self.failed(&dead).await? {
                return Ok(Batch::Over);
            }
        }
        let Some(tx) = self.begin().await? else { return Ok(Batch::Over) };
        self.move_to(tx, last, 0, self.events.clock.now()).await?;
        Ok(Batch::Delivered(count))
    }

    /// Notes a failure. True if the event is given up and the next can be delivered.
    async fn failed(&mut self, event: &Dead<'_>) -> Result<bool, db::Error> {
        let (now, name) = (self.events.clock.now(), self.subscriber.name());
        let attempts = self.cursor.attempts + 1;
        let Some(mut tx) = self.begin().await? else { return Ok(false) };
        tracing::warn!(subscriber = name, event = %event.id, attempts, reason = event.reason, "an event failed");
        if let Some(wait) = retry::wait(&self.events.settings.retry, attempts) {
            self.move_to(tx, event.position - 1, attempts, now + wait).await?;
            return Ok(false);
        }
        store::bury(&mut tx, name, event, now).await?;
        self.move_to(tx, event.position, 0, now).await?;
        Ok(true)
    }

    /// Opens a transaction in which the claim is known to stand. None if it does not.
    async fn begin(&self) -> Result<Option<Tx>, db::Error> {
        let mut tx = self.events.db.begin_outside().await?;
        let until = self.events.clock.now() + self.events.settings.lease;
        let ours = store::renew(&mut tx, self.subscriber.name(), self.token, until).await?;
        Ok(ours.then_some(tx))
    }

    async fn move_to(
        &mut self,
        mut tx: Tx,
        position: i64,
        attempts: i64,
        due_at: Timestamp,
    ) -> Result<(), db::Error> {
        let moved = Cursor { subscriber: self.cursor.subscriber.clone(), position, attempts };
        store::move_cursor(&mut tx, &moved, due_at).await?;
        tx.commit().await?;
        self.cursor = moved;
        Ok(())
    }
}

/// Hands each shop's events over, in that shop.
async fn handle(
    subscriber: &dyn Subscriber,
    tx: &mut Tx,
    events: &[Envelope],
) -> Result<(), SubscriberError> {
    for of_shop in events.chunk_by(|one, next| one.shop == next.shop) {
        tx.enter(of_shop[0].shop).await?;
        subscriber.handle(tx, of_shop).await?;
    }
    Ok(())
}

/// What is known of an event whose payload is not its kind's.
#[derive(Clone, Copy)]
struct Unreadable {
    shop: crate::ids::ShopId,
    id: Uuid,
}

pub(super) async fn clean_up(events: &Inner) -> Result<usize, db::Error> {
    let cursors: HashMap<String, i64> = store::cursors(&mut events.db.read_outside().await?)
        .await?
        .into_iter()
        .map(|cursor| (cursor.subscriber, cursor.position))
        .collect();
    // A subscriber that this program no longer has holds nothing back; one that is new has yet to get everything.
    let position = |subscriber: &Arc<dyn Subscriber>| cursors.get(subscriber.name()).copied().unwrap_or(0);
    let everyone_has = events.subscribers.iter().map(position).min().unwrap_or(i64::MAX);
    let before = events.clock.now() - events.settings.kept;
    let mut tx = events.db.begin_outside().await?;
    let dropped = store::drop_old(&mut tx, everyone_has, before, DROPPED_AT_ONCE).await?;
    tx.commit().await?;
    Ok(usize::try_from(dropped).unwrap_or(usize::MAX))
}
