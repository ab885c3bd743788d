//! What the ledger says of times that are over, for those who keep the books.

use super::entry::{Kind, Ledger};
use crate::db;
use crate::db::{Read, Timestamp};
use crate::ids::ShopId;

/// A time: from `starts` on, and before `ends`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The month that it is, or is a part of, in the shop: 202611.
    pub month: i64,
    /// Its first instant.
    pub starts: Timestamp,
    /// The first instant after it.
    pub ends: Timestamp,
}

/// When the ledger of a shop begins; none while it is empty.
///
/// # Errors
/// Any error of the database.
pub async fn begins(tx: &mut Read, shop: ShopId) -> Result<Option<Timestamp>, db::Error> {
    let first: Option<(Timestamp,)> = db!(
        tx.optional,
        "select booked_at from points_entries where shop_id = $1 order by booked_at limit 1",
        shop
    )?;
    Ok(first.map(|(at,)| at))
}

/// What came to each account of the ledger in each of these months.
///
/// # Errors
/// Any error of the database.
pub async fn posted(
    tx: &mut Read,
    shop: ShopId,
    windows: &[Window],
) -> Result<Vec<(i64, Ledger, i64)>, db::Error> {
    db!(tx.all each windows,
        sqlite: "with v (shop_id, month, starts, ends) as (values ($1, $2, $3, $4))
                 select v.month, p.account, cast(sum(p.amount) as bigint) from v
                     join points_entries e
                         on e.shop_id = v.shop_id and e.booked_at >= v.starts and e.booked_at < v.ends
                     join points_postings p on p.shop_id = e.shop_id and p.entry_id = e.entry_id
                 group by v.month, p.account",
        postgres: "with v (shop_id, month, starts, ends) as (
                       select * from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[]))
                   select v.month, p.account, cast(sum(p.amount) as bigint) from v
                       join points_entries e
                           on e.shop_id = v.shop_id and e.booked_at >= v.starts and e.booked_at < v.ends
                       join points_postings p on p.shop_id = e.shop_id and p.entry_id = e.entry_id
                   group by v.month, p.account",
        |window| shop, window.month, window.starts, window.ends)
}

/// What entries of each kind did in each of these months to the points of each cohort, spendable and pinned ones
/// together: month, cohort, kind, points.
///
/// # Errors
/// Any error of the database.
pub async fn moved(
    tx: &mut Read,
    shop: ShopId,
    windows: &[Window],
) -> Result<Vec<(i64, i64, Kind, i64)>, db::Error> {
    db!(tx.all each windows,
        sqlite: "with v (shop_id, month, starts, ends) as (values ($1, $2, $3, $4))
                 select v.month, m.cohort, e.kind, cast(sum(m.available + m.held) as bigint) from v
                     join points_entries e
                         on e.shop_id = v.shop_id and e.booked_at >= v.starts and e.booked_at < v.ends
                     join points_moves m on m.shop_id = e.shop_id and m.entry_id = e.entry_id
                 group by v.month, m.cohort, e.kind",
        postgres: "with v (shop_id, month, starts, ends) as (
                       select * from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[]))
                   select v.month, m.cohort, e.kind, cast(sum(m.available + m.held) as bigint) from v
                       join points_entries e
                           on e.shop_id = v.shop_id and e.booked_at >= v.starts and e.booked_at < v.ends
                       join points_moves m on m.shop_id = e.shop_id and m.entry_id = e.entry_id
                   group by v.month, m.cohort, e.kind",
        |window| shop, window.month, window.starts, window.ends)
}

/// What lay in lots before an instant, by when it expires. A lot whose expiry was moved since shows where it stands now.
///
/// # Errors
/// Any error of the database.
pub async fn expiring(
    tx: &mut Read,
    shop: ShopId,
    before: Timestamp,
) -> Result<Vec<(Option<Timestamp>, i64)>, db::Error> {
    db!(
        tx.all,
        "select l.expires_at, cast(sum(m.available + m.held) as bigint) from points_moves m
             join points_lots l on l.shop_id = m.shop_id and l.lot_id = m.lot_id
             left join points_entries e on e.shop_id = m.shop_id and e.entry_id = m.entry_id
         where m.shop_id = $1 and (e.booked_at < $2 or e.entry_id is null)
         group by l.expires_at having sum(m.available + m.held) <> 0",
        shop,
        before
    )
}

/// What members owed before an instant, where more was taken back than they had. It is part of nobody else's balance.
///
/// # Errors
/// Any error of the database.
pub async fn owed(tx: &mut Read, shop: ShopId, before: Timestamp) -> Result<i64, db::Error> {
    let (owed,): (i64,) = db!(
        tx.one,
        "select cast(coalesce(-sum(balance), 0) as bigint) from (
             select sum(p.amount) as balance from points_entries e
                 join points_postings p on p.shop_id = e.shop_id and p.entry_id = e.entry_id
             where e.shop_id = $1 and e.booked_at < $2 and p.account = $3
             group by e.member_id having sum(p.amount) < 0) as below",
        shop,
        before,
        Ledger::Available
    )?;
    Ok(owed)
}
