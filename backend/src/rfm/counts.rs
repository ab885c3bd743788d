//! How many members are in each segment: now, and on each day.

use std::collections::BTreeMap;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    rfm_days [shop_id, day_from, segment] of Nobody, kept "with the shop" {
        shop_id: Id, day_from: Time, segment: Plain, members: Plain,
    }
}

/// How prospects are counted beside segments.
pub(super) const PROSPECTS: i64 = 0;

/// How many members are in each segment.
pub(super) async fn now(read: &mut Read, shop: ShopId) -> Result<BTreeMap<i64, i64>, db::Error> {
    let counts: Vec<(i64, i64)> = db!(
        read.all,
        "select segment, count(*) from rfm_members where shop_id = $1 and segment is not null group by segment",
        shop
    )?;
    Ok(counts.into_iter().collect())
}

/// How many members were in each segment on the day that begins then, 0 for prospects; none if nobody counted.
pub(super) async fn on_day(
    read: &mut Read,
    shop: ShopId,
    day_from: Timestamp,
) -> Result<BTreeMap<i64, i64>, db::Error> {
    let counts: Vec<(i64, i64)> = db!(
        read.all,
        "select segment, members from rfm_days where shop_id = $1 and day_from = $2",
        shop,
        day_from
    )?;
    Ok(counts.into_iter().collect())
}

/// Keeps how many members are in each segment on the day that begins then.
pub(super) async fn keep(
    tx: &mut Tx,
    shop: ShopId,
    day_from: Timestamp,
    counts: &BTreeMap<i64, i64>,
) -> Result<(), db::Error> {
    db!(tx.execute, "delete from rfm_days where shop_id = $1 and day_from = $2", shop, day_from)?;
    let counts: Vec<(&i64, &i64)> = counts.iter().collect();
    db!(tx.each counts,
        sqlite: "insert into rfm_days (shop_id, day_from, segment, members) values ($1, $2, $3, $4)",
        postgres: "insert into rfm_days (shop_id, day_from, segment, members)
                   select * from unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::bigint[])",
        |one| shop, day_from, *one.0, *one.1)?;
    Ok(())
}
