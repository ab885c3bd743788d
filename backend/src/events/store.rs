//! The outbox's SQL. These tables belong to no domain and may cross tenants: subscribers get the events of all shops.

use sqlx::types::Json;
use uuid::Uuid;

use super::event::{Envelope, Event, Kind};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    events_outbox [written] of Nobody, kept "for `events.kept` after everyone has them" {
        written: Plain, shop_id: Id, event_id: Id, kind: Plain, version: Plain, key: Plain, payload: Link,
        occurred_at: Time, position: Plain,
    }
}
crate::holds! {
    events_dead [subscriber, position] of Nobody, kept "for `events.kept`" {
        subscriber: Plain, position: Plain, shop_id: Id, event_id: Id, reason: Plain, died_at: Time,
    }
}
crate::holds! {
    events_sequence [id] of Nobody, kept "always" { id: Plain, last: Plain }
}
crate::holds! {
    events_cursors [subscriber] of Nobody, kept "always" {
        subscriber: Plain, position: Plain, attempts: Plain, due_at: Time, token: Id, leased_until: Time,
    }
}

pub(super) async fn insert(
    tx: &mut Tx,
    shop: ShopId,
    events: &[Event],
    now: Timestamp,
) -> Result<(), db::Error> {
    let events: Vec<(Uuid, String, &Event)> =
        events.iter().map(|event| (Uuid::now_v7(), event.key(), event)).collect();
    db!(tx.each events,
        sqlite: "insert into events_outbox (shop_id, event_id, kind, version, key, payload, occurred_at)
                 values ($1, $2, $3, $4, $5, $6, $7)",
        postgres: "insert into events_outbox (shop_id, event_id, kind, version, key, payload, occurred_at)
                   select shop_id, event_id, kind, version, key, payload, occurred_at
                   from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::jsonb[],
                               $7::timestamptz[])
                       with ordinality as v (shop_id, event_id, kind, version, key, payload, occurred_at, place)
                   order by place",
        |event| shop, event.0, event.2.kind(), Event::VERSION, event.1.as_str(), Json(event.2), now)?;
    Ok(())
}

/// Whether some committed event has no position yet.
pub(super) async fn is_new(read: &mut Read) -> Result<bool, db::Error> {
    let new: Option<(i64,)> = db!(
        read.optional,
        "select written from events_outbox where position is null order by written limit 1"
    )?;
    Ok(new.is_some())
}

/// Gives positions to up to `most` committed events, and says to how many.
pub(super) async fn give_positions(tx: &mut Tx, most: i64) -> Result<u64, db::Error> {
    // The lock comes first and in a statement of its own: the next one then sees all that was given before it.
    let (last,): (i64,) = db!(tx.one, "update events_sequence set last = last where id = 1 returning last")?;
    let given = db!(
        tx.execute,
        "with new as (
             select written, row_number() over (order by written) as place
             from events_outbox where position is null order by written limit $2)
         update events_outbox set position = $1 + new.place from new where events_outbox.written = new.written",
        last,
        most
    )?;
    db!(tx.execute, "update events_sequence set last = last + $1 where id = 1", given.cast_signed())?;
    Ok(given)
}

/// How far a subscriber is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Cursor {
    pub subscriber: String,
    /// Everything up to here is delivered.
    pub position: i64,
    /// How often the next event has failed.
    pub attempts: i64,
}

/// Every subscriber that ever was.
pub(super) async fn cursors(read: &mut Read) -> Result<Vec<Cursor>, db::Error> {
    db!(read.all, "select subscriber, position, attempts from events_cursors")
}

/// Opens the cursor of a new subscriber: it gets every event that is kept.
pub(super) async fn open_cursor(tx: &mut Tx, subscriber: &str, now: Timestamp) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "insert into events_cursors (subscriber, position, attempts, due_at, leased_until)
         values ($1, 0, 0, $2, $2) on conflict (subscriber) do nothing",
        subscriber,
        now
    )
}

/// The subscribers that events wait for and nobody delivers to.
pub(super) async fn due(read: &mut Read, now: Timestamp) -> Result<Vec<(String,)>, db::Error> {
    db!(
        read.all,
        "select subscriber from events_cursors
         where position < (select last from events_sequence where id = 1) and due_at <= $1 and leased_until <= $1",
        now
    )
}

pub(super) async fn claim(
    tx: &mut Tx,
    subscriber: &str,
    token: Uuid,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Cursor>, db::Error> {
    db!(
        tx.optional,
        "update events_cursors set token = $2, leased_until = $4
         where subscriber = $1 and due_at <= $3 and leased_until <= $3
         returning subscriber, position, attempts",
        subscriber,
        token,
        now,
        until
    )
}

/// Renews a claim, and thereby proves, until the transaction ends, that nobody took it over.
pub(super) async fn renew(
    tx: &mut Tx,
    subscriber: &str,
    token: Uuid,
    until: Timestamp,
) -> Result<bool, db::Error> {
    let renewed = db!(
        tx.execute,
        "update events_cursors set leased_until = $3 where subscriber = $1 and token = $2",
        subscriber,
        token,
        until
    )?;
    Ok(renewed == 1)
}

/// Moves a cursor: how far it is, how often the next event has failed, and when that is due.
pub(super) async fn move_cursor(tx: &mut Tx, cursor: &Cursor, due_at: Timestamp) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "update events_cursors set position = $2, attempts = $3, due_at = $4 where subscriber = $1",
        cursor.subscriber,
        cursor.position,
        cursor.attempts,
        due_at
    )
}

pub(super) async fn release(
    tx: &mut Tx,
    subscriber: &str,
    token: Uuid,
    now: Timestamp,
) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "update events_cursors set token = null, leased_until = $3 where subscriber = $1 and token = $2",
        subscriber,
        token,
        now
    )
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub position: i64,
    pub shop_id: ShopId,
    pub event_id: Uuid,
    pub kind: String,
    pub key: String,
    pub payload: Json<serde_json::Value>,
    pub occurred_at: Timestamp,
}

impl Row {
    /// Its kind, if this program knows it.
    pub(super) fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.kind)
    }

    /// The event of this kind that it is.
    pub(super) fn open(self, kind: Kind) -> Result<Envelope, serde_json::Error> {
        Ok(Envelope {
            id: self.event_id,
            position: self.position,
            shop: self.shop_id,
            key: self.key,
            occurred_at: self.occurred_at,
            event: Event::read(kind, self.payload.0)?,
        })
    }
}

/// The events after a position, in order.
pub(super) async fn after(read: &mut Read, position: i64, most: i64) -> Result<Vec<Row>, db::Error> {
    db!(
        read.all,
        "select position, shop_id, event_id, kind, key, payload, occurred_at from events_outbox
         where position > $1 order by position limit $2",
        position,
        most
    )
}

/// An event that a subscriber gave up on.
pub(super) struct Dead<'a> {
    pub position: i64,
    pub shop: ShopId,
    pub id: Uuid,
    pub reason: &'a str,
}

pub(super) async fn bury(
    tx: &mut Tx,
    subscriber: &str,
    dead: &Dead<'_>,
    now: Timestamp,
) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "insert into events_dead (subscriber, position, shop_id, event_id, reason, died_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (subscriber, position) do nothing",
        subscriber,
        dead.position,
        dead.shop,
        dead.id,
        dead.reason,
        now
    )
}

/// Drops up to `most` events that are older than `before` and stand at or before `position`.
pub(super) async fn drop_old(
    tx: &mut Tx,
    position: i64,
    before: Timestamp,
    most: i64,
) -> Result<u64, db::Error> {
    db!(tx.execute, "delete from events_dead where died_at < $1", before)?;
    db!(
        tx.execute,
        "delete from events_outbox where written in (
             select written from events_outbox
             where position <= $1 and occurred_at < $2 order by position limit $3)",
        position,
        before,
        most
    )
}

/// What a subscriber has yet to get.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Backlog {
    /// Its name.
    pub subscriber: String,
    /// How many events wait for it.
    pub waiting: i64,
    /// When the oldest of them happened (UTC).
    pub oldest_at: Option<Timestamp>,
    /// How many events it gave up on.
    pub dead: i64,
}

/// What each subscriber has yet to get.
///
/// # Errors
/// When the database fails.
pub async fn backlog(read: &mut Read) -> Result<Vec<Backlog>, db::Error> {
    db!(
        read.all,
        "select c.subscriber,
                (select last from events_sequence where id = 1) - c.position
                    + (select count(*) from events_outbox where position is null) as waiting,
                coalesce(
                    (select occurred_at from events_outbox where position > c.position order by position limit 1),
                    (select occurred_at from events_outbox where position is null order by written limit 1)
                ) as oldest_at,
                (select count(*) from events_dead d where d.subscriber = c.subscriber) as dead
         from events_cursors c order by c.subscriber"
    )
}

/// Erases the customer's number from the events of a member.
///
/// # Errors
/// Any error of the database.
pub async fn redact(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    let key = format!("member:{member}");
    db!(tx.execute,
        sqlite: "update events_outbox set payload = json_set(payload, '$.customer', 0)
                 where shop_id = $1 and key = $2 and kind = 'customer.created'",
        postgres: "update events_outbox set payload = jsonb_set(payload, '{customer}', '0')
                   where shop_id = $1 and key = $2 and kind = 'customer.created'",
        shop,
        key)?;
    Ok(())
}
