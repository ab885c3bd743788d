//! Every change of a member's segment.

use super::Moving;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    rfm_history [shop_id, member_id, changed_at] of Member("member_id"), kept "until the customer is deleted, merged or erased" {
        shop_id: Id, member_id: Id, changed_at: Time, before: Plain, segment: Plain,
    }
}

/// Writes down who was put into which segment.
pub(super) async fn note(
    tx: &mut Tx,
    shop: ShopId,
    moved: &[Moving<'_>],
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(tx.each moved,
        sqlite: "insert into rfm_history (shop_id, member_id, changed_at, before, segment) values ($1, $2, $3, $4, $5)
                 on conflict (shop_id, member_id, changed_at) do update set segment = excluded.segment",
        postgres: "insert into rfm_history (shop_id, member_id, changed_at, before, segment)
                   select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::bigint[])
                   on conflict (shop_id, member_id, changed_at) do update set segment = excluded.segment",
        |one| shop, one.0.member_id, now, one.0.segment, one.1)?;
    Ok(())
}

/// Nothing is left of the segments that a member was in.
pub(super) async fn forget(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    db!(tx.execute, "delete from rfm_history where shop_id = $1 and member_id = $2", shop, member)?;
    Ok(())
}

/// The members after one of them whose segment has changed since then, in the order of their ids.
pub(super) async fn moved_since(
    read: &mut Read,
    shop: ShopId,
    since: Timestamp,
    after: MemberId,
    most: i64,
) -> Result<Vec<MemberId>, db::Error> {
    let moved: Vec<(MemberId,)> = db!(
        read.all,
        "select member_id from rfm_members m
         where shop_id = $1 and member_id > $2 and exists (
             select 1 from rfm_history h
             where h.shop_id = m.shop_id and h.member_id = m.member_id and h.changed_at >= $3)
         order by member_id limit $4",
        shop,
        after,
        since,
        most
    )?;
    Ok(moved.into_iter().map(|(member,)| member).collect())
}

/// A change of a member's segment.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(super) struct Changed {
    pub changed_at: Timestamp,
    pub before: Option<i64>,
    pub segment: Option<i64>,
}

/// The newest changes of a member's segment, those first.
pub(super) async fn newest(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
    most: i64,
) -> Result<Vec<Changed>, db::Error> {
    db!(
        read.all,
        "select changed_at, before, segment from rfm_history where shop_id = $1 and member_id = $2
         order by changed_at desc limit $3",
        shop,
        member,
        most
    )
}
