//! The tables of reports, and of who was seen in which file.

use std::collections::HashMap;

use uuid::Uuid;

use super::State;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    sync_seen [shop_id, member_id] of Member("member_id"), kept "as long as the member" {
        shop_id: Id, member_id: Id, run_id: Id,
    }
}
crate::holds! {
    sync_reports [shop_id, run_id] of Nobody, kept "as long as the programme" {
        shop_id: Id, run_id: Id, state: Plain, started_at: Time, ended_at: Time, members: Plain, in_flight: Plain,
        missing: Plain, behind: Plain, ahead: Plain, different: Plain, unreadable: Plain, returned: Plain, gone: Plain,
        orphans: Plain,
    }
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct Counts {
    /// Members whose metafield was looked at.
    pub members: i64,
    /// Those whose changes were on their way, so that nothing can be said.
    pub in_flight: i64,
    /// Nothing was published.
    pub missing: i64,
    /// What was published was old.
    pub behind: i64,
    /// What was published is of a change that the ledger does not know.
    pub ahead: i64,
    /// What was published was of the same change, and said something else.
    pub different: i64,
    /// What was published was no account.
    pub unreadable: i64,
    /// Shopify was thought to have them no more, and has.
    pub returned: i64,
    /// Shopify has them no more.
    pub gone: i64,
    /// Metafields of customers who never were members.
    pub orphans: i64,
}

impl Counts {
    /// How often which kind of drift was found.
    pub fn drifts(&self) -> [(&'static str, i64); 8] {
        [
            ("missing", self.missing),
            ("behind", self.behind),
            ("ahead", self.ahead),
            ("different", self.different),
            ("unreadable", self.unreadable),
            ("returned", self.returned),
            ("gone", self.gone),
            ("orphan", self.orphans),
        ]
    }
}

/// What came of a reconcile.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Report {
    /// The bulk run.
    pub run_id: Uuid,
    /// How far it is.
    pub state: State,
    /// When it was asked for (UTC).
    pub started_at: Timestamp,
    /// When it came to its end (UTC).
    pub ended_at: Option<Timestamp>,
    /// What was counted.
    #[sqlx(flatten)]
    pub counts: Counts,
}

/// A shop's last reconcile.
///
/// # Errors
/// Any error of the database.
pub async fn last(read: &mut Read, shop: ShopId) -> Result<Option<Report>, db::Error> {
    db!(
        read.optional,
        "select run_id, state, started_at, ended_at, members, in_flight, missing, behind, ahead, different, unreadable,
             returned, gone, orphans
         from sync_reports where shop_id = $1 order by run_id desc limit 1",
        shop
    )
}

/// The report of a run.
pub(super) async fn report(read: &mut Read, shop: ShopId, run: Uuid) -> Result<Report, db::Error> {
    db!(
        read.one,
        "select run_id, state, started_at, ended_at, members, in_flight, missing, behind, ahead, different, unreadable,
             returned, gone, orphans
         from sync_reports where shop_id = $1 and run_id = $2",
        shop,
        run
    )
}

/// Begins to count. What an earlier file of the run was found to be wrong in was put right, and is found no more.
pub(super) async fn begin(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    started_at: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into sync_reports (shop_id, run_id, state, started_at) values ($1, $2, 'reading', $3)
         on conflict (shop_id, run_id) do update set members = 0, in_flight = 0, orphans = 0",
        shop,
        run,
        started_at
    )?;
    Ok(())
}

/// Begins to count, unless that was begun.
pub(super) async fn find_or_begin(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    started_at: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into sync_reports (shop_id, run_id, state, started_at) values ($1, $2, 'reading', $3)
         on conflict (shop_id, run_id) do nothing",
        shop,
        run,
        started_at
    )?;
    Ok(())
}

/// Counts on.
pub(super) async fn add(tx: &mut Tx, shop: ShopId, run: Uuid, counts: &Counts) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update sync_reports set members = members + $3, in_flight = in_flight + $4, missing = missing + $5,
             behind = behind + $6, ahead = ahead + $7, different = different + $8, unreadable = unreadable + $9,
             returned = returned + $10, gone = gone + $11, orphans = orphans + $12
         where shop_id = $1 and run_id = $2",
        shop,
        run,
        counts.members,
        counts.in_flight,
        counts.missing,
        counts.behind,
        counts.ahead,
        counts.different,
        counts.unreadable,
        counts.returned,
        counts.gone,
        counts.orphans
    )?;
    Ok(())
}

/// Notes how far it is.
pub(super) async fn set_state(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    state: State,
    ended_at: Option<Timestamp>,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update sync_reports set state = $3, ended_at = $4 where shop_id = $1 and run_id = $2",
        shop,
        run,
        state,
        ended_at
    )?;
    Ok(())
}

/// Whether a member's metafield moves just now.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(super) struct Standing {
    pub member_id: MemberId,
    pub gone: bool,
    /// Every change is published.
    pub settled: bool,
    pub published_at: Option<Timestamp>,
}

impl Standing {
    /// Whether it is about to be published, or was after that time.
    pub fn is_moving(&self, since: Timestamp) -> bool {
        !self.settled || self.published_at.is_some_and(|at| at >= since)
    }
}

/// How these members stand; whoever was never marked is not among them.
pub(super) async fn standings(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, Standing>, db::Error> {
    let standings: Vec<Standing> = db!(read.all each members,
        sqlite: "with v (shop, member) as (values ($1, $2))
                 select member_id, gone, (due_at is null and wanted <= published) as settled, published_at
                 from v join sync_accounts a on a.shop_id = v.shop and a.member_id = v.member",
        postgres: "with v (shop, member) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select member_id, gone, (due_at is null and wanted <= published) as settled, published_at
                   from v join sync_accounts a on a.shop_id = v.shop and a.member_id = v.member",
        |member| shop, *member)?;
    Ok(standings.into_iter().map(|standing| (standing.member_id, standing)).collect())
}

/// Shopify has these members after all: they are published again. Whoever calls has marked them.
pub(super) async fn bring_back(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(tx.each members,
        sqlite: "with v (shop, member, due_at) as (values ($1, $2, $3))
                 update sync_accounts set gone = false, due_at = v.due_at from v
                 where shop_id = v.shop and member_id = v.member",
        postgres: "with v (shop, member, due_at) as (select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]))
                   update sync_accounts set gone = false, due_at = v.due_at from v
                   where shop_id = v.shop and member_id = v.member",
        |member| shop, *member, now)?;
    Ok(())
}

/// Notes who was seen in a run's file.
pub(super) async fn see(tx: &mut Tx, shop: ShopId, run: Uuid, members: &[MemberId]) -> Result<(), db::Error> {
    let mut members = members.to_vec();
    members.sort_unstable();
    db!(tx.each members,
        sqlite: "insert into sync_seen (shop_id, member_id, run_id) values ($1, $2, $3)
                 on conflict (shop_id, member_id) do update set run_id = excluded.run_id",
        postgres: "insert into sync_seen (shop_id, member_id, run_id)
                   select * from unnest($1::uuid[], $2::uuid[], $3::uuid[])
                   on conflict (shop_id, member_id) do update set run_id = excluded.run_id",
        |member| shop, *member, run)?;
    Ok(())
}

/// Up to which member a look at the next ones after `after` goes; none if there are none.
pub(super) async fn page(
    read: &mut Read,
    shop: ShopId,
    after: MemberId,
    most: i64,
) -> Result<Option<MemberId>, db::Error> {
    let last: Option<(MemberId,)> = db!(
        read.optional,
        "select member_id from (
             select member_id from sync_accounts where shop_id = $1 and member_id > $2 order by member_id limit $3
         ) as page order by member_id desc limit 1",
        shop,
        after,
        most
    )?;
    Ok(last.map(|(last,)| last))
}

/// Members between two, the first not included, of whom a run's file said nothing, and who do not move.
pub(super) async fn unseen(
    read: &mut Read,
    shop: ShopId,
    run: Uuid,
    (after, last): (MemberId, MemberId),
    since: Timestamp,
) -> Result<Vec<MemberId>, db::Error> {
    let members: Vec<(MemberId,)> = db!(
        read.all,
        "select a.member_id from sync_accounts a
         left join sync_seen s on s.shop_id = a.shop_id and s.member_id = a.member_id
         where a.shop_id = $1 and a.member_id > $2 and a.member_id <= $3 and not a.gone
             and (s.run_id is null or s.run_id <> $4) and a.due_at is null and a.wanted <= a.published
             and (a.published_at is null or a.published_at < $5)
         order by a.member_id",
        shop,
        after,
        last,
        run,
        since
    )?;
    Ok(members.into_iter().map(|(member,)| member).collect())
}
