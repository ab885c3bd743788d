//! The tables of comparisons.

use uuid::Uuid;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    rfm_comparisons [shop_id, run_id] of Nobody, kept "until the next has come to its end" {
        shop_id: Id, run_id: Id, started_at: Time, ended_at: Time, is_whole: Plain,
    }
}
crate::holds! {
    rfm_compared [shop_id, run_id, ours, theirs] of Nobody, kept "until the next has come to its end" {
        shop_id: Id, run_id: Id, ours: Plain, theirs: Plain, members: Plain,
    }
}

/// A comparison.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Comparison {
    pub run_id: Uuid,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub is_whole: bool,
}

/// A comparison begins, or begins again: nothing is counted yet.
pub(super) async fn begin(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    started_at: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into rfm_comparisons (shop_id, run_id, started_at, is_whole) values ($1, $2, $3, false)
         on conflict (shop_id, run_id) do nothing",
        shop,
        run,
        started_at
    )?;
    db!(tx.execute, "delete from rfm_compared where shop_id = $1 and run_id = $2", shop, run)?;
    Ok(())
}

/// Counts members in pairs of groups.
pub(super) async fn add(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    counts: &[((&str, &str), i64)],
) -> Result<(), db::Error> {
    db!(tx.each counts,
        sqlite: "insert into rfm_compared (shop_id, run_id, ours, theirs, members) values ($1, $2, $3, $4, $5)
                 on conflict (shop_id, run_id, ours, theirs)
                 do update set members = rfm_compared.members + excluded.members",
        postgres: "insert into rfm_compared (shop_id, run_id, ours, theirs, members)
                   select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])
                   on conflict (shop_id, run_id, ours, theirs)
                   do update set members = rfm_compared.members + excluded.members",
        |one| shop, run, one.0.0, one.0.1, one.1)?;
    Ok(())
}

/// A comparison has come to its end, even before it began. Those before it go.
pub(super) async fn end(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    (started_at, ended_at): (Timestamp, Timestamp),
    is_whole: bool,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into rfm_comparisons (shop_id, run_id, started_at, ended_at, is_whole) values ($1, $2, $3, $4, $5)
         on conflict (shop_id, run_id) do update set ended_at = excluded.ended_at, is_whole = excluded.is_whole",
        shop,
        run,
        started_at,
        ended_at,
        is_whole
    )?;
    db!(tx.execute, "delete from rfm_compared where shop_id = $1 and run_id <> $2", shop, run)?;
    db!(tx.execute, "delete from rfm_comparisons where shop_id = $1 and run_id <> $2", shop, run)?;
    Ok(())
}

/// The newest that has come to its end.
pub(super) async fn last(read: &mut Read, shop: ShopId) -> Result<Option<Comparison>, db::Error> {
    db!(
        read.optional,
        "select run_id, started_at, ended_at, is_whole from rfm_comparisons
         where shop_id = $1 and ended_at is not null order by ended_at desc limit 1",
        shop
    )
}

/// How many members it found in which pair of groups.
pub(super) async fn pairs(
    read: &mut Read,
    shop: ShopId,
    run: Uuid,
) -> Result<Vec<(String, String, i64)>, db::Error> {
    db!(
        read.all,
        "select ours, theirs, members from rfm_compared where shop_id = $1 and run_id = $2 order by ours, theirs",
        shop,
        run
    )
}
