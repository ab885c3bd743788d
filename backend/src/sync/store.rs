//! The table of what is to be written and what was written last.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    sync_accounts [shop_id, member_id] of Member("member_id"), kept "as long as the member" {
        shop_id: Id, member_id: Id, wanted: Plain, published: Plain, due_at: Time, attempts: Plain, digest: Plain,
        gone: Plain, lease_id: Id, lease_until: Time,
    }
}

/// Marks members whose metafields are to be written; in one order everywhere, and last in a transaction, so that
/// nobody waits in a circle.
///
/// # Errors
/// Any error of the database.
pub async fn mark(tx: &mut Tx, shop: ShopId, members: &[MemberId], now: Timestamp) -> Result<(), db::Error> {
    let mut members = members.to_vec();
    members.sort_unstable();
    db!(tx.each members,
        sqlite: "insert into sync_accounts (shop_id, member_id, wanted, published, due_at, attempts, gone)
                 values ($1, $2, 1, 0, $3, 0, false)
                 on conflict (shop_id, member_id) do update set wanted = sync_accounts.wanted + 1,
                     due_at = case when sync_accounts.gone then null
                         else min(coalesce(sync_accounts.due_at, excluded.due_at), excluded.due_at) end",
        postgres: "insert into sync_accounts (shop_id, member_id, wanted, published, due_at, attempts, gone)
                   select shop_id, member_id, 1, 0, due_at, 0, false
                   from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as v (shop_id, member_id, due_at)
                   on conflict (shop_id, member_id) do update set wanted = sync_accounts.wanted + 1,
                       due_at = case when sync_accounts.gone then null
                           else least(sync_accounts.due_at, excluded.due_at) end",
        |member| shop, *member, now)?;
    Ok(())
}

/// Marks every member of a shop: after it was away, nobody knows what Shopify kept.
///
/// # Errors
/// Any error of the database.
pub async fn mark_all(tx: &mut Tx, shop: ShopId, now: Timestamp) -> Result<(), db::Error> {
    db!(tx.execute,
        sqlite: "update sync_accounts set wanted = wanted + 1, due_at = $2 where shop_id = $1 and not gone",
        // Locked in the order of `mark`.
        postgres: "with v as (select member_id from sync_accounts where shop_id = $1 and not gone
                              order by member_id for update)
                   update sync_accounts a set wanted = wanted + 1, due_at = $2 from v
                   where a.shop_id = $1 and a.member_id = v.member_id",
        shop,
        now)?;
    Ok(())
}

/// Nothing is written for this member any more: there is no customer to write it to.
///
/// # Errors
/// Any error of the database.
pub async fn forget(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into sync_accounts (shop_id, member_id, wanted, published, attempts, gone)
         values ($1, $2, 0, 0, 0, true)
         on conflict (shop_id, member_id) do update set gone = true, due_at = null",
        shop,
        member
    )?;
    Ok(())
}

/// One member is no more, and another's metafield is to be written; in the order in which everyone locks them.
///
/// # Errors
/// Any error of the database.
pub async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    (from, into): (MemberId, MemberId),
    now: Timestamp,
) -> Result<(), db::Error> {
    if from < into {
        forget(tx, shop, from).await?;
        mark(tx, shop, &[into], now).await
    } else {
        mark(tx, shop, &[into], now).await?;
        forget(tx, shop, from).await
    }
}

/// Whether there is no customer any more to write a metafield to.
///
/// # Errors
/// Any error of the database.
pub async fn is_gone(tx: &mut Read, shop: ShopId, member: MemberId) -> Result<bool, db::Error> {
    let gone: Option<(bool,)> = db!(
        tx.optional,
        "select gone from sync_accounts where shop_id = $1 and member_id = $2",
        shop,
        member
    )?;
    Ok(gone.is_some_and(|(gone,)| gone))
}

/// How far a member's metafield is.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
pub(super) struct Progress {
    /// The count of its changes.
    pub wanted: i64,
    /// The count that its metafield shows.
    pub published: i64,
}

/// How far this member's metafield is.
pub(super) async fn progress(tx: &mut Read, shop: ShopId, member: MemberId) -> Result<Progress, db::Error> {
    let found: Option<Progress> = db!(
        tx.optional,
        "select wanted, published from sync_accounts where shop_id = $1 and member_id = $2",
        shop,
        member
    )?;
    Ok(found.unwrap_or_default())
}

/// How many members wait for their metafield, in all shops.
///
/// # Errors
/// Any error of the database.
pub async fn backlog(tx: &mut Read) -> Result<i64, db::Error> {
    let (count,): (i64,) = db!(tx.one, "select count(*) from sync_accounts where due_at is not null")?;
    Ok(count)
}

/// A member that this lease may publish.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Leased {
    pub member_id: MemberId,
    /// The count of changes that this write will cover.
    pub wanted: i64,
    pub digest: Option<String>,
    pub attempts: i64,
}

/// Leases those of these members that nobody else is publishing.
pub(super) async fn lease(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
    lease: Uuid,
    (now, until): (Timestamp, Timestamp),
) -> Result<Vec<Leased>, db::Error> {
    db!(tx.all each members,
        sqlite: "with v (shop, member, lease, held_until, now) as (values ($1, $2, $3, $4, $5))
                 update sync_accounts set lease_id = v.lease, lease_until = v.held_until from v
                 where shop_id = v.shop and member_id = v.member and not gone
                     and (lease_until is null or lease_until <= v.now)
                 returning member_id, wanted, digest, attempts",
        // Locked in one order, so that nobody waits in a circle.
        postgres: "with v (shop, member, lease, held_until, now) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])),
                   free as (
                       select a.member_id from v join sync_accounts a on a.shop_id = v.shop and a.member_id = v.member
                       where not a.gone and (a.lease_until is null or a.lease_until <= v.now)
                       order by a.member_id for update of a)
                   update sync_accounts set lease_id = v.lease, lease_until = v.held_until
                   from v join free on free.member_id = v.member
                   where sync_accounts.shop_id = v.shop and sync_accounts.member_id = v.member
                   returning sync_accounts.member_id, wanted, digest, attempts",
        |member| shop, *member, lease, until, now)
}

/// Whom this lease still holds.
pub(super) async fn still_leased(
    tx: &mut Read,
    shop: ShopId,
    lease: Uuid,
) -> Result<HashSet<MemberId>, db::Error> {
    let members: Vec<(MemberId,)> =
        db!(tx.all, "select member_id from sync_accounts where shop_id = $1 and lease_id = $2", shop, lease)?;
    Ok(members.into_iter().map(|(member,)| member).collect())
}

/// What became of a leased member.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// Its metafield shows the count of changes that was leased, as this digest.
    Published { wanted: i64, digest: String },
    /// Shopify has no such customer any more.
    Gone,
    /// It is to be tried again at this time.
    Later { at: Timestamp, digest: Option<String> },
}

/// Notes what became of the leased members and gives the lease back. A lease that ran out meanwhile changes nothing.
pub(super) async fn finish(
    tx: &mut Tx,
    shop: ShopId,
    lease: Uuid,
    fates: &BTreeMap<MemberId, Fate>,
) -> Result<(), db::Error> {
    for (member, fate) in fates {
        match fate {
            Fate::Published { wanted, digest } => db!(
                tx.execute,
                "update sync_accounts set published = $4, digest = $5, attempts = 0, lease_id = null,
                     lease_until = null, due_at = case when wanted > $4 then due_at end
                 where shop_id = $1 and member_id = $2 and lease_id = $3",
                shop,
                *member,
                lease,
                *wanted,
                digest.as_str()
            )?,
            Fate::Gone => db!(
                tx.execute,
                "update sync_accounts set gone = true, due_at = null, lease_id = null, lease_until = null
                 where shop_id = $1 and member_id = $2 and lease_id = $3",
                shop,
                *member,
                lease
            )?,
            Fate::Later { at, digest } => db!(
                tx.execute,
                "update sync_accounts set attempts = attempts + 1, due_at = $4, digest = $5, lease_id = null,
                     lease_until = null
                 where shop_id = $1 and member_id = $2 and lease_id = $3 and not gone",
                shop,
                *member,
                lease,
                *at,
                digest.as_deref()
            )?,
        };
    }
    Ok(())
}

/// Members of all shops whose time to be published has come and whom nobody is publishing.
pub(super) async fn due(
    tx: &mut Read,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(ShopId, MemberId)>, db::Error> {
    db!(
        tx.all,
        "select shop_id, member_id from sync_accounts
         where due_at <= $1 and not gone and (lease_until is null or lease_until <= $1)
         order by due_at limit $2",
        now,
        limit
    )
}

/// Nobody of a shop who is due now is due before `until`, or at all until marked again.
pub(super) async fn put_off(
    tx: &mut Tx,
    shop: ShopId,
    now: Timestamp,
    until: Option<Timestamp>,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update sync_accounts set due_at = $3 where shop_id = $1 and due_at <= $2",
        shop,
        now,
        until
    )?;
    Ok(())
}
