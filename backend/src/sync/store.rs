//! The table of what is to be written and what was written last.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::rota::Passed;

crate::holds! {
    sync_accounts [shop_id, member_id] of Member("member_id"), kept "as long as the member" {
        shop_id: Id, member_id: Id, wanted: Plain, published: Plain, due_at: Time, attempts: Plain, digest: Plain,
        gone: Plain, lease_id: Id, lease_until: Time, behind_since: Time, published_at: Time,
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
        sqlite: "insert into sync_accounts (shop_id, member_id, wanted, published, due_at, attempts, gone, behind_since)
                 values ($1, $2, 1, 0, $3, 0, false, $3)
                 on conflict (shop_id, member_id) do update set wanted = sync_accounts.wanted + 1,
                     due_at = case when sync_accounts.gone then null
                         else min(coalesce(sync_accounts.due_at, excluded.due_at), excluded.due_at) end,
                     behind_since = case when sync_accounts.gone then null
                         else coalesce(sync_accounts.behind_since, excluded.behind_since) end",
        postgres: "insert into sync_accounts (shop_id, member_id, wanted, published, due_at, attempts, gone,
                       behind_since)
                   select shop_id, member_id, 1, 0, due_at, 0, false, due_at
                   from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as v (shop_id, member_id, due_at)
                   on conflict (shop_id, member_id) do update set wanted = sync_accounts.wanted + 1,
                       due_at = case when sync_accounts.gone then null
                           else least(sync_accounts.due_at, excluded.due_at) end,
                       behind_since = case when sync_accounts.gone then null
                           else coalesce(sync_accounts.behind_since, excluded.behind_since) end",
        |member| shop, *member, now)?;
    Ok(())
}

/// Marks every member of a shop: after it was away, nobody knows what Shopify kept.
///
/// # Errors
/// Any error of the database.
pub async fn mark_all(tx: &mut Tx, shop: ShopId, now: Timestamp) -> Result<(), db::Error> {
    db!(tx.execute,
        sqlite: "update sync_accounts
                 set wanted = wanted + 1, due_at = $2, behind_since = coalesce(behind_since, $2)
                 where shop_id = $1 and not gone",
        // Locked in the order of `mark`.
        postgres: "with v as (select member_id from sync_accounts where shop_id = $1 and not gone
                              order by member_id for update)
                   update sync_accounts a
                   set wanted = wanted + 1, due_at = $2, behind_since = coalesce(behind_since, $2) from v
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
         on conflict (shop_id, member_id) do update set gone = true, due_at = null, behind_since = null",
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

/// What waits to be written, all shops counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Backlog {
    /// How many members' metafields are behind.
    pub members: i64,
    /// How many shops have such members.
    pub shops: i64,
    /// Since when the first of them has been behind (UTC).
    pub oldest_at: Option<Timestamp>,
}

/// What waits to be written.
///
/// # Errors
/// Any error of the database.
pub async fn backlog(tx: &mut Read) -> Result<Backlog, db::Error> {
    db!(
        tx.one,
        "select count(*) as members, count(distinct shop_id) as shops, min(behind_since) as oldest_at
         from sync_accounts where due_at is not null"
    )
}

/// How many of a shop's members wait to be written; no more than so many are counted.
///
/// # Errors
/// Any error of the database.
pub async fn waiting(read: &mut Read, shop: ShopId, most: i64) -> Result<i64, db::Error> {
    let (waiting,): (i64,) = db!(
        read.one,
        "select count(*) from (
             select 1 from sync_accounts where shop_id = $1 and due_at is not null limit $2) as waiting",
        shop,
        most
    )?;
    Ok(waiting)
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

/// Leases the members of a shop who have been due for longest and whom nobody is publishing.
pub(super) async fn lease_due(
    tx: &mut Tx,
    shop: ShopId,
    lease: Uuid,
    (now, until): (Timestamp, Timestamp),
    most: i64,
) -> Result<Vec<Leased>, db::Error> {
    db!(tx.all,
        sqlite: "update sync_accounts set lease_id = $2, lease_until = $4
                 where (shop_id, member_id) in (
                     select shop_id, member_id from sync_accounts
                     where shop_id = $1 and due_at <= $3 and not gone and (lease_until is null or lease_until <= $3)
                     order by due_at, member_id limit $5)
                 returning member_id, wanted, digest, attempts",
        // Whoever is being marked just now is left to the next look, so that nobody waits in a circle.
        postgres: "with free as (
                       select member_id from sync_accounts
                       where shop_id = $1 and due_at <= $3 and not gone and (lease_until is null or lease_until <= $3)
                       order by due_at, member_id limit $5 for update skip locked)
                   update sync_accounts a set lease_id = $2, lease_until = $4 from free
                   where a.shop_id = $1 and a.member_id = free.member_id
                   returning a.member_id, a.wanted, a.digest, a.attempts",
        shop, lease, now, until, most)
}

/// Whom of these this lease still holds.
pub(super) async fn still_leased(
    tx: &mut Read,
    shop: ShopId,
    lease: Uuid,
    members: &[MemberId],
) -> Result<HashSet<MemberId>, db::Error> {
    let members: Vec<(MemberId,)> = db!(tx.all each members,
        sqlite: "with v (shop, member, lease) as (values ($1, $2, $3))
                 select member_id from v cross join sync_accounts a
                 where a.shop_id = v.shop and a.member_id = v.member and a.lease_id = v.lease",
        postgres: "select member_id from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as v (shop, member, lease)
                   join sync_accounts a on a.shop_id = v.shop and a.member_id = v.member and a.lease_id = v.lease",
        |member| shop, *member, lease)?;
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
    /// Shopify asks to wait: it is to be tried again, as if it had not been.
    Waits { digest: Option<String> },
}

/// Notes what became of the leased members and gives the lease back. A lease that ran out meanwhile changes nothing.
pub(super) async fn finish(
    tx: &mut Tx,
    shop: ShopId,
    lease: Uuid,
    leased_at: Timestamp,
    fates: &BTreeMap<MemberId, Fate>,
) -> Result<(), db::Error> {
    let mut published = Vec::new();
    for (member, fate) in fates {
        match fate {
            Fate::Published { wanted, digest } => {
                published.push((*member, *wanted, digest));
                continue;
            }
            Fate::Gone => db!(
                tx.execute,
                "update sync_accounts set gone = true, due_at = null, behind_since = null, lease_id = null,
                     lease_until = null
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
            Fate::Waits { digest } => db!(
                tx.execute,
                "update sync_accounts set digest = $4, lease_id = null, lease_until = null
                 where shop_id = $1 and member_id = $2 and lease_id = $3",
                shop,
                *member,
                lease,
                digest.as_deref()
            )?,
        };
    }
    // Whoever is marked again by now was so after the lease began.
    db!(tx.each published,
        sqlite: "with v (shop, member, lease, shown, digest, leased_at) as (values ($1, $2, $3, $4, $5, $6))
                 update sync_accounts as a set published = v.shown, digest = v.digest, published_at = v.leased_at,
                     attempts = 0, lease_id = null, lease_until = null, due_at = case when a.wanted > v.shown then a.due_at end,
                     behind_since = case when a.wanted > v.shown then v.leased_at end
                 from v where a.shop_id = v.shop and a.member_id = v.member and a.lease_id = v.lease",
        postgres: "with v (shop, member, lease, shown, digest, leased_at) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[],
                                            $6::timestamptz[]))
                   update sync_accounts as a set published = v.shown, digest = v.digest, published_at = v.leased_at,
                       attempts = 0, lease_id = null, lease_until = null, due_at = case when a.wanted > v.shown then a.due_at end,
                       behind_since = case when a.wanted > v.shown then v.leased_at end
                   from v where a.shop_id = v.shop and a.member_id = v.member and a.lease_id = v.lease",
        |(member, wanted, digest)| shop, *member, lease, *wanted, digest.as_str(), leased_at)?;
    Ok(())
}

/// The shops that have members to be published, from this one on, and whether the time of one has come.
///
/// Each step goes to the next shop in the index, past everyone else of the shop before.
pub(super) async fn pass(
    tx: &mut Read,
    from: ShopId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Passed>, db::Error> {
    db!(
        tx.all,
        "with recursive circle (shop_id, step) as (
             select (select shop_id from sync_accounts where due_at is not null and shop_id >= $1
                     order by shop_id limit 1), 1
             union all
             select (select a.shop_id from sync_accounts a where a.due_at is not null and a.shop_id > circle.shop_id
                     order by a.shop_id limit 1), circle.step + 1
             from circle where circle.shop_id is not null and circle.step < $3)
         select circle.shop_id, exists (
             select 1 from sync_accounts a
             where a.shop_id = circle.shop_id and a.due_at <= $2 and not a.gone
                 and (a.lease_until is null or a.lease_until <= $2)) as is_ready
         from circle where circle.shop_id is not null order by circle.step",
        from,
        now,
        most
    )
}

/// Nobody of a shop who is due now is due until marked again.
pub(super) async fn put_off(tx: &mut Tx, shop: ShopId, now: Timestamp) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update sync_accounts set due_at = null, behind_since = null where shop_id = $1 and due_at <= $2",
        shop,
        now
    )?;
    Ok(())
}
