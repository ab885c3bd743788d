//! The tables of scales, and of what members have bought and in which segment they are by it.

use std::collections::HashSet;

use loyalty::rfm::Scale;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Added, Member, Moving, changes};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    rfm_shops [shop_id] of Nobody, kept "with the shop" {
        shop_id: Id, scale: Json, refresh_id: Id, laid_at: Time, is_done: Plain, unmarked_since: Time,
    }
}
crate::holds! {
    rfm_members [shop_id, member_id] of Member("member_id"), kept "as long as the programme; the segment until the customer is deleted or erased" {
        shop_id: Id, member_id: Id, last_order_at: Time, orders: Plain, spent: Plain, segment: Plain, is_there: Plain,
    }
}
/// By what a shop's members are scored, and who laid that.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Laid {
    scale: Option<Json<Scale>>,
    pub refresh_id: Option<Uuid>,
    /// Since when (UTC).
    pub laid_at: Option<Timestamp>,
    /// Whether everyone is scored by it.
    pub is_done: bool,
    /// Since when refreshes have changed segments whose metafields are not marked (UTC): one that broke off left some.
    pub unmarked_since: Option<Timestamp>,
}

impl Laid {
    /// None before members are scored for the first time.
    pub fn scale(&self) -> Option<Scale> {
        self.scale.map(|scale| scale.0)
    }
}

/// By what the shop's members are scored just now.
pub(super) async fn laid(read: &mut Read, shop: ShopId) -> Result<Option<Laid>, db::Error> {
    db!(
        read.optional,
        "select scale, refresh_id, laid_at, is_done, unmarked_since from rfm_shops where shop_id = $1",
        shop
    )
}

/// The same, and nobody lays another scale until the transaction ends. Before any member is locked.
pub(super) async fn hold_scale(tx: &mut Tx, shop: ShopId) -> Result<Option<Laid>, db::Error> {
    let held: Option<Laid> = held(tx, shop).await?;
    if held.is_some() {
        return Ok(held);
    }
    // What is not there cannot be held.
    db!(tx.execute, "insert into rfm_shops (shop_id) values ($1) on conflict (shop_id) do nothing", shop)?;
    self::held(tx, shop).await
}

async fn held(tx: &mut Tx, shop: ShopId) -> Result<Option<Laid>, db::Error> {
    db!(tx.optional,
        sqlite: "select scale, refresh_id, laid_at, is_done, unmarked_since from rfm_shops where shop_id = $1",
        postgres: "select scale, refresh_id, laid_at, is_done, unmarked_since from rfm_shops
                   where shop_id = $1 for share",
        shop)
}

/// From now on members are scored by this. Waits for those who score by what was laid before.
pub(super) async fn lay(
    tx: &mut Tx,
    shop: ShopId,
    scale: &Scale,
    refresh: Uuid,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into rfm_shops (shop_id, scale, refresh_id, laid_at, is_done, unmarked_since)
         values ($1, $2, $3, $4, false, $4)
         on conflict (shop_id) do update set scale = excluded.scale, refresh_id = excluded.refresh_id,
             laid_at = excluded.laid_at, is_done = false,
             unmarked_since = coalesce(rfm_shops.unmarked_since, excluded.unmarked_since)",
        shop,
        Json(scale),
        refresh,
        now
    )?;
    Ok(())
}

/// Everyone is scored by what this refresh laid, and will be marked.
pub(super) async fn done(tx: &mut Tx, shop: ShopId, refresh: Uuid) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update rfm_shops set is_done = true, unmarked_since = null
         where shop_id = $1 and refresh_id = $2",
        shop,
        refresh
    )?;
    Ok(())
}

/// Adds to members' histories, each once and in the order of their ids, and gives what they are then, in no promised order.
pub(super) async fn add(
    tx: &mut Tx,
    shop: ShopId,
    added: &[(&MemberId, &Added)],
) -> Result<Vec<Member>, db::Error> {
    // Who has fewer orders than before is there: such a row would be none.
    let (fewer, more): (Vec<_>, Vec<_>) = added.iter().copied().partition(|(_, added)| added.orders < 0);
    let mut members: Vec<Member> = db!(tx.all each more,
        sqlite: "insert into rfm_members (shop_id, member_id, last_order_at, orders, spent) values ($1, $2, $3, $4, $5)
                 on conflict (shop_id, member_id) do update set orders = rfm_members.orders + excluded.orders,
                     spent = rfm_members.spent + excluded.spent,
                     last_order_at = max(coalesce(rfm_members.last_order_at, excluded.last_order_at),
                         coalesce(excluded.last_order_at, rfm_members.last_order_at))
                 returning member_id, last_order_at, orders, spent, segment, is_there",
        postgres: "insert into rfm_members (shop_id, member_id, last_order_at, orders, spent)
                   select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[])
                   on conflict (shop_id, member_id) do update set orders = rfm_members.orders + excluded.orders,
                       spent = rfm_members.spent + excluded.spent,
                       last_order_at = greatest(rfm_members.last_order_at, excluded.last_order_at)
                   returning member_id, last_order_at, orders, spent, segment, is_there",
        |one| shop, *one.0, one.1.last_order_at, one.1.orders, one.1.spent)?;
    members.append(&mut db!(tx.all each fewer,
        sqlite: "with v (shop_id, member_id, last_order_at, orders, spent) as (values ($1, $2, $3, $4, $5))
                 update rfm_members set orders = rfm_members.orders + v.orders, spent = rfm_members.spent + v.spent,
                     last_order_at = max(rfm_members.last_order_at,
                         coalesce(v.last_order_at, rfm_members.last_order_at))
                 from v where rfm_members.shop_id = v.shop_id and rfm_members.member_id = v.member_id
                 returning member_id, last_order_at, orders, spent, segment, is_there",
        postgres: "with v (shop_id, member_id, last_order_at, orders, spent) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[]))
                   update rfm_members m set orders = m.orders + v.orders, spent = m.spent + v.spent,
                       last_order_at = greatest(m.last_order_at, v.last_order_at)
                   from v where m.shop_id = v.shop_id and m.member_id = v.member_id
                   returning m.member_id, m.last_order_at, m.orders, m.spent, segment, is_there",
        |one| shop, *one.0, one.1.last_order_at, one.1.orders, one.1.spent)?);
    Ok(members)
}

/// When members placed the last of the orders that they have left.
pub(super) async fn set_last(
    tx: &mut Tx,
    shop: ShopId,
    last: &[(MemberId, Option<Timestamp>)],
) -> Result<(), db::Error> {
    db!(tx.each last,
        sqlite: "with v (shop_id, member_id, last_order_at) as (values ($1, $2, $3))
                 update rfm_members set last_order_at = v.last_order_at from v
                 where rfm_members.shop_id = v.shop_id and rfm_members.member_id = v.member_id",
        postgres: "with v (shop_id, member_id, last_order_at) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]))
                   update rfm_members m set last_order_at = v.last_order_at from v
                   where m.shop_id = v.shop_id and m.member_id = v.member_id",
        |one| shop, one.0, one.1)?;
    Ok(())
}

/// Puts members, who are named in the order of their ids, into segments, and writes that down. Says of whom that is true:
/// who has bought something since they were read has been scored by that, and is left alone. The transaction has locked them
/// already, or joins in order.
pub(super) async fn set_segments(
    tx: &mut Tx,
    shop: ShopId,
    moving: &[Moving<'_>],
    now: Timestamp,
) -> Result<HashSet<MemberId>, db::Error> {
    let moved: Vec<(MemberId,)> = db!(tx.all each moving,
        sqlite: "with v (shop_id, member_id, last_order_at, orders, spent, before, segment) as (
                     values ($1, $2, $3, $4, $5, $6, $7))
                 update rfm_members set segment = v.segment from v
                 where rfm_members.shop_id = v.shop_id and rfm_members.member_id = v.member_id and is_there
                   and rfm_members.orders = v.orders and rfm_members.spent = v.spent
                   and rfm_members.last_order_at is v.last_order_at and rfm_members.segment is v.before
                 returning member_id",
        postgres: "with v (shop_id, member_id, last_order_at, orders, spent, before, segment) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[],
                           $6::bigint[], $7::bigint[]))
                   update rfm_members m set segment = v.segment from v
                   where m.shop_id = v.shop_id and m.member_id = v.member_id and m.is_there
                     and m.orders = v.orders and m.spent = v.spent
                     and m.last_order_at is not distinct from v.last_order_at
                     and m.segment is not distinct from v.before
                   returning m.member_id",
        |one| shop, one.0.member_id, one.0.last_order_at, one.0.orders, one.0.spent, one.0.segment, one.1)?;
    let moved: HashSet<MemberId> = moved.into_iter().map(|(member,)| member).collect();
    let written: Vec<_> = moving.iter().copied().filter(|one| moved.contains(&one.0.member_id)).collect();
    changes::note(tx, shop, &written, now).await?;
    Ok(moved)
}

/// The members who come next after one of them.
pub(super) async fn page(
    read: &mut Read,
    shop: ShopId,
    after: MemberId,
    most: i64,
) -> Result<Vec<Member>, db::Error> {
    db!(
        read.all,
        "select member_id, last_order_at, orders, spent, segment, is_there from rfm_members
         where shop_id = $1 and member_id > $2 order by member_id limit $3",
        shop,
        after,
        most
    )
}

/// One member, who has bought something once.
pub(super) async fn member(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
) -> Result<Option<Member>, db::Error> {
    db!(
        read.optional,
        "select member_id, last_order_at, orders, spent, segment, is_there from rfm_members
         where shop_id = $1 and member_id = $2",
        shop,
        member
    )
}

/// The segments of those of these members who are in one.
pub(super) async fn segments(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<Vec<(MemberId, i64)>, db::Error> {
    db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select m.member_id, m.segment from v join rfm_members m
                     on m.shop_id = v.shop_id and m.member_id = v.member_id where m.segment is not null",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select m.member_id, m.segment from v join rfm_members m
                       on m.shop_id = v.shop_id and m.member_id = v.member_id where m.segment is not null",
        |member| shop, *member)
}

/// What a member has bought, taken out to be added to another's; both are locked in the order of their ids.
pub(super) async fn take(
    tx: &mut Tx,
    shop: ShopId,
    from: MemberId,
    into: MemberId,
) -> Result<Option<Member>, db::Error> {
    let _: Vec<(MemberId,)> = db!(tx.all,
        sqlite: "select member_id from rfm_members where shop_id = $1 and member_id in ($2, $3)",
        postgres: "select member_id from rfm_members where shop_id = $1 and member_id in ($2, $3)
                   order by member_id for update",
        shop, from, into)?;
    changes::forget(tx, shop, from).await?;
    db!(
        tx.optional,
        "delete from rfm_members where shop_id = $1 and member_id = $2
         returning member_id, last_order_at, orders, spent, segment, is_there",
        shop,
        from
    )
}

/// A member is scored no more. What they have bought still counts for nobody: late returns find it.
pub(super) async fn leave(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into rfm_members (shop_id, member_id, orders, spent, is_there) values ($1, $2, 0, 0, false)
         on conflict (shop_id, member_id) do update set segment = null, is_there = false",
        shop,
        member
    )?;
    changes::forget(tx, shop, member).await?;
    Ok(())
}
