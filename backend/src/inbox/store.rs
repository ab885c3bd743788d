//! The inbox's SQL. These tables belong to no domain and may cross tenants: a worker drains all shops together.

use uuid::Uuid;

use super::handler::Message;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;
use crate::rota::Passed;
use crate::text_enum;

crate::holds! {
    inbox_messages [shop_id, message_id] of Nobody, kept "for `inbox.messages_kept`" {
        shop_id: Id, message_id: Id, webhook_id: Plain, event_id: Plain, topic: Plain, api_version: Plain,
        triggered_at: Time, received_at: Time, lane: Link, bucket: Plain, state: Plain, attempts: Plain,
        reason: Plain, settled_at: Time,
    }
}
crate::holds! {
    inbox_payloads [shop_id, message_id] of Nobody, kept "for `inbox.payloads_kept`" {
        shop_id: Id, message_id: Id, received_at: Time, payload: Sealed,
    }
}
crate::holds! {
    inbox_held_lanes [shop_id, lane] of Nobody, kept "until the next try" { shop_id: Id, lane: Link, until: Time }
}
crate::holds! {
    inbox_leases [bucket] of Nobody, kept "always" { bucket: Plain, token: Id, expires_at: Time }
}
crate::holds! {
    inbox_behind [shop_id] of Nobody, kept "until the shop has caught up" { shop_id: Id, since: Time }
}

/// What sealed payloads are bound to.
pub(super) const PAYLOAD: &str = "inbox_payloads.payload";

text_enum! {
    /// How far a message has come.
    pub(super) enum State {
        /// To be worked off.
        Ready = "ready",
        /// Settled.
        Done = "done",
        /// Given up; a person should look.
        Dead = "dead",
    }
}

pub(super) struct NewMessage<'a> {
    pub shop: ShopId,
    pub id: Uuid,
    pub webhook_id: &'a str,
    pub event_id: Option<&'a str>,
    pub topic: &'a str,
    pub api_version: Option<&'a str>,
    pub triggered_at: Timestamp,
    pub received_at: Timestamp,
    pub lane: String,
    pub bucket: i64,
    pub state: State,
    pub reason: Option<&'static str>,
    pub settled_at: Option<Timestamp>,
    pub sealed: &'a [u8],
}

/// Stores the messages whose delivery is new, and gives their ids.
pub(super) async fn insert(tx: &mut Tx, messages: &[NewMessage<'_>]) -> Result<Vec<Uuid>, db::Error> {
    let stored: Vec<(Uuid,)> = db!(tx.all each messages,
        sqlite: "insert into inbox_messages (shop_id, message_id, webhook_id, event_id, topic, api_version,
                     triggered_at, received_at, lane, bucket, state, reason, settled_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                 on conflict (shop_id, webhook_id) do nothing
                 returning message_id",
        postgres: "insert into inbox_messages (shop_id, message_id, webhook_id, event_id, topic, api_version,
                       triggered_at, received_at, lane, bucket, state, reason, settled_at)
                   select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                       $7::timestamptz[], $8::timestamptz[], $9::text[], $10::bigint[], $11::text[], $12::text[],
                       $13::timestamptz[])
                   on conflict (shop_id, webhook_id) do nothing
                   returning message_id",
        |message| message.shop, message.id, message.webhook_id, message.event_id, message.topic,
                  message.api_version, message.triggered_at, message.received_at, message.lane.as_str(),
                  message.bucket, message.state, message.reason, message.settled_at)?;
    let stored: Vec<Uuid> = stored.into_iter().map(|(id,)| id).collect();

    // A message that nobody asked for keeps no body.
    let kept: Vec<_> = messages
        .iter()
        .filter(|message| message.state != State::Done && stored.contains(&message.id))
        .collect();
    db!(tx.each kept,
        sqlite: "insert into inbox_payloads (shop_id, message_id, received_at, payload) values ($1, $2, $3, $4)",
        postgres: "insert into inbox_payloads (shop_id, message_id, received_at, payload)
                   select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bytea[])",
        |message| message.shop, message.id, message.received_at, message.sealed)?;
    Ok(stored)
}

/// Whether some message is due.
pub(super) async fn is_work_due(read: &mut Read, now: Timestamp) -> Result<bool, db::Error> {
    let due: Option<(Uuid,)> = db!(
        read.optional,
        "select message_id from inbox_messages m
         where state = 'ready' and not exists (
             select 1 from inbox_held_lanes h where h.shop_id = m.shop_id and h.lane = m.lane and h.until > $1)
         limit 1",
        now
    )?;
    Ok(due.is_some())
}

/// Leases up to `most` free buckets in which messages are due: those that were given back longest ago.
pub(super) async fn claim(
    tx: &mut Tx,
    token: Uuid,
    now: Timestamp,
    until: Timestamp,
    most: i64,
) -> Result<u64, db::Error> {
    db!(tx.execute,
        sqlite: "update inbox_leases set token = $1, expires_at = $2
                 where bucket in (
                     select bucket from inbox_leases l
                     where expires_at <= $3 and (
                         select 1 from inbox_messages m
                         where m.bucket = l.bucket and m.state = 'ready' and not exists (
                             select 1 from inbox_held_lanes h
                             where h.shop_id = m.shop_id and h.lane = m.lane and h.until > $3)
                         limit 1) = 1
                     order by expires_at, bucket limit $4)",
        postgres: "update inbox_leases set token = $1, expires_at = $2
                   where bucket in (
                       select bucket from inbox_leases l
                       where expires_at <= $3 and (
                           select 1 from inbox_messages m
                           where m.bucket = l.bucket and m.state = 'ready' and not exists (
                               select 1 from inbox_held_lanes h
                               where h.shop_id = m.shop_id and h.lane = m.lane and h.until > $3)
                           limit 1) = 1
                       order by expires_at, bucket limit $4 for update skip locked)",
        token, until, now, most)
}

/// Renews a claim, and thereby proves, until the transaction ends, that nobody took it over. Gives how many
/// buckets are still ours.
pub(super) async fn renew(tx: &mut Tx, token: Uuid, until: Timestamp) -> Result<u64, db::Error> {
    db!(tx.execute, "update inbox_leases set expires_at = $2 where token = $1", token, until)
}

pub(super) async fn release(tx: &mut Tx, token: Uuid, now: Timestamp) -> Result<u64, db::Error> {
    db!(tx.execute, "update inbox_leases set token = null, expires_at = $2 where token = $1", token, now)
}

#[derive(sqlx::FromRow)]
pub(super) struct MessageRow {
    shop_id: ShopId,
    message_id: Uuid,
    webhook_id: String,
    event_id: Option<String>,
    topic: String,
    triggered_at: Timestamp,
    received_at: Timestamp,
    attempts: i64,
    lane: String,
    /// Sealed; none if it was dropped.
    payload: Option<Vec<u8>>,
}

impl MessageRow {
    /// The message with what is in its place, and its sealed payload.
    pub(super) fn split(self) -> (Message, Option<Vec<u8>>) {
        let message = Message {
            shop: self.shop_id,
            id: self.message_id,
            webhook_id: self.webhook_id,
            event_id: self.event_id,
            topic: self.topic,
            triggered_at: self.triggered_at,
            received_at: self.received_at,
            attempts: self.attempts,
            lane: self.lane,
            payload: Vec::new(),
            beside: None,
        };
        (message, self.payload)
    }
}

/// The shops that have messages to be worked off, from this one on, and whether one is due in our buckets.
///
/// Each step goes to the next shop in the index, past everything else of the shop before. SQLite would look through a
/// shop's messages by their ids, and most of these are done.
pub(super) async fn pass(
    read: &mut Read,
    token: Uuid,
    from: ShopId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Passed>, db::Error> {
    db!(read.all,
        sqlite: "with recursive circle (shop_id, step) as (
                     select (select shop_id from inbox_messages where state = 'ready' and shop_id >= $1
                             order by shop_id limit 1), 1
                     union all
                     select (select m.shop_id from inbox_messages m where m.state = 'ready' and m.shop_id > circle.shop_id
                             order by m.shop_id limit 1), circle.step + 1
                     from circle where circle.shop_id is not null and circle.step < $4)
                 select circle.shop_id, exists (
                     select 1 from inbox_messages m indexed by inbox_messages_turns
                     where m.shop_id = circle.shop_id and m.state = 'ready'
                       and m.bucket in (select bucket from inbox_leases where token = $2)
                       and not exists (
                           select 1 from inbox_held_lanes h
                           where h.shop_id = m.shop_id and h.lane = m.lane and h.until > $3)) as is_ready
                 from circle where circle.shop_id is not null order by circle.step",
        postgres: "with recursive circle (shop_id, step) as (
                       select (select shop_id from inbox_messages where state = 'ready' and shop_id >= $1
                               order by shop_id limit 1), 1
                       union all
                       select (select m.shop_id from inbox_messages m where m.state = 'ready' and m.shop_id > circle.shop_id
                               order by m.shop_id limit 1), circle.step + 1
                       from circle where circle.shop_id is not null and circle.step < $4)
                   select circle.shop_id, exists (
                       select 1 from inbox_messages m
                       where m.shop_id = circle.shop_id and m.state = 'ready'
                         and m.bucket in (select bucket from inbox_leases where token = $2)
                         and not exists (
                             select 1 from inbox_held_lanes h
                             where h.shop_id = m.shop_id and h.lane = m.lane and h.until > $3)) as is_ready
                   from circle where circle.shop_id is not null order by circle.step",
        from, token, now, most)
}

/// The messages of our buckets that are due, oldest first: up to `share` of each of so many shops, from this one on.
pub(super) async fn due(
    read: &mut Read,
    token: Uuid,
    (from, shops): (ShopId, i64),
    now: Timestamp,
    share: i64,
) -> Result<Vec<MessageRow>, db::Error> {
    db!(read.all,
        sqlite: "with recursive circle (shop_id, step) as (
                     select (select shop_id from inbox_messages where state = 'ready' and shop_id >= $1
                             order by shop_id limit 1), 1
                     union all
                     select (select m.shop_id from inbox_messages m
                             where m.state = 'ready' and m.shop_id > circle.shop_id
                             order by m.shop_id limit 1), circle.step + 1
                     from circle where circle.shop_id is not null and circle.step < $2)
                 select m.shop_id, m.message_id, webhook_id, event_id, topic, triggered_at, received_at, attempts, lane,
                        (select payload from inbox_payloads p
                         where p.shop_id = m.shop_id and p.message_id = m.message_id) as payload
                 from circle cross join inbox_messages m
                 where m.shop_id = circle.shop_id and m.message_id in (
                     select d.message_id from inbox_messages d indexed by inbox_messages_turns
                     where d.shop_id = circle.shop_id and d.state = 'ready'
                       and d.bucket in (select bucket from inbox_leases where token = $3)
                       and not exists (
                           select 1 from inbox_held_lanes h
                           where h.shop_id = d.shop_id and h.lane = d.lane and h.until > $4)
                     order by d.message_id limit $5)
                 order by m.message_id",
        postgres: "with recursive circle (shop_id, step) as (
                       select (select shop_id from inbox_messages where state = 'ready' and shop_id >= $1
                               order by shop_id limit 1), 1
                       union all
                       select (select m.shop_id from inbox_messages m
                               where m.state = 'ready' and m.shop_id > circle.shop_id
                               order by m.shop_id limit 1), circle.step + 1
                       from circle where circle.shop_id is not null and circle.step < $2)
                   select m.shop_id, m.message_id, webhook_id, event_id, topic, triggered_at, received_at, attempts,
                          lane,
                          (select payload from inbox_payloads p
                           where p.shop_id = m.shop_id and p.message_id = m.message_id) as payload
                   from circle cross join lateral (
                       select * from inbox_messages d
                       where d.shop_id = circle.shop_id and d.state = 'ready'
                         and d.bucket in (select bucket from inbox_leases where token = $3)
                         and not exists (
                             select 1 from inbox_held_lanes h
                             where h.shop_id = d.shop_id and h.lane = d.lane and h.until > $4)
                       order by d.message_id limit $5) m
                   order by m.message_id",
        from, shops, token, now, share)
}

/// What a message becomes.
pub(super) struct Settled<'a> {
    pub message: &'a Message,
    pub state: State,
    pub attempts: i64,
    pub reason: Option<&'a str>,
    /// While it is still ready: until when its lane is held.
    pub held_until: Option<Timestamp>,
}

pub(super) async fn settle(tx: &mut Tx, settled: &[Settled<'_>], now: Timestamp) -> Result<(), db::Error> {
    db!(tx.each settled,
        sqlite: "with v (shop_id, message_id, state, attempts, reason, settled_at) as (
                     values ($1, $2, $3, $4, $5, $6))
                 update inbox_messages as m
                 set state = v.state, attempts = v.attempts, reason = v.reason, settled_at = v.settled_at
                 from v where m.shop_id = v.shop_id and m.message_id = v.message_id",
        postgres: "with v (shop_id, message_id, state, attempts, reason, settled_at) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[],
                                            $6::timestamptz[]))
                   update inbox_messages as m
                   set state = v.state, attempts = v.attempts, reason = v.reason, settled_at = v.settled_at
                   from v where m.shop_id = v.shop_id and m.message_id = v.message_id",
        |one| one.message.shop, one.message.id, one.state, one.attempts, one.reason,
              (one.state != State::Ready).then_some(now))?;
    for one in settled {
        let Some(until) = one.held_until else { continue };
        db!(
            tx.execute,
            "insert into inbox_held_lanes (shop_id, lane, until) values ($1, $2, $3)
             on conflict (shop_id, lane) do update set until = excluded.until",
            one.message.shop,
            one.message.lane,
            until
        )?;
    }
    Ok(())
}

pub(super) async fn drop_payloads(tx: &mut Tx, before: Timestamp, most: i64) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "delete from inbox_payloads where (shop_id, message_id) in (
             select p.shop_id, p.message_id from inbox_payloads p
             join inbox_messages m on m.shop_id = p.shop_id and m.message_id = p.message_id
             where p.received_at < $1 and m.state <> 'ready'
             order by p.received_at limit $2)",
        before,
        most
    )
}

pub(super) async fn forget_messages(tx: &mut Tx, before: Timestamp, most: i64) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "delete from inbox_messages where (shop_id, message_id) in (
             select shop_id, message_id from inbox_messages
             where received_at < $1 and state <> 'ready'
             order by received_at limit $2)",
        before,
        most
    )
}

pub(super) async fn drop_expired_holds(tx: &mut Tx, now: Timestamp) -> Result<u64, db::Error> {
    db!(tx.execute, "delete from inbox_held_lanes where until <= $1", now)
}

/// How many messages of a shop are dead.
pub(super) async fn dead(read: &mut Read, shop: ShopId) -> Result<i64, db::Error> {
    let (count,): (i64,) =
        db!(read.one, "select count(*) from inbox_messages where shop_id = $1 and state = 'dead'", shop)?;
    Ok(count)
}
