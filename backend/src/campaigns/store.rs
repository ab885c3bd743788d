//! The table of members' tiers.

use std::collections::HashMap;

use super::Assignment;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    campaigns_member_tiers [shop_id, member_id] of Member("member_id"), kept "as long as the programme" {
        shop_id: Id, member_id: Id, tier: Plain, assigned_at: Time,
    }
}

/// The tiers of those of these members who belong to one.
///
/// # Errors
/// Any error of the database.
pub async fn tiers(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, String>, db::Error> {
    let found: Vec<(MemberId, String)> = db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select t.member_id, t.tier from v join campaigns_member_tiers t
                     on t.shop_id = v.shop_id and t.member_id = v.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select t.member_id, t.tier from v join campaigns_member_tiers t
                       on t.shop_id = v.shop_id and t.member_id = v.member_id",
        |member| shop, *member)?;
    Ok(found.into_iter().collect())
}

/// As [`tiers`], with since when.
///
/// # Errors
/// Any error of the database.
pub async fn tiers_since(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, (String, Timestamp)>, db::Error> {
    let found: Vec<(MemberId, String, Timestamp)> = db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select t.member_id, t.tier, t.assigned_at from v join campaigns_member_tiers t
                     on t.shop_id = v.shop_id and t.member_id = v.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select t.member_id, t.tier, t.assigned_at from v join campaigns_member_tiers t
                       on t.shop_id = v.shop_id and t.member_id = v.member_id",
        |member| shop, *member)?;
    Ok(found.into_iter().map(|(member, tier, since)| (member, (tier, since))).collect())
}

/// Forgets a member's tier.
///
/// # Errors
/// Any error of the database.
pub(super) async fn forget(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "delete from campaigns_member_tiers where shop_id = $1 and member_id = $2",
        shop,
        member
    )?;
    Ok(())
}

/// Notes members' tiers.
///
/// # Errors
/// Any error of the database.
pub(super) async fn set(tx: &mut Tx, shop: ShopId, new: &[&Assignment]) -> Result<(), db::Error> {
    let (gone, kept): (Vec<&Assignment>, Vec<_>) = new.iter().copied().partition(|one| one.tier.is_none());
    db!(tx.each gone,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 delete from campaigns_member_tiers
                 where (shop_id, member_id) in (select shop_id, member_id from v)",
        postgres: "delete from campaigns_member_tiers t using unnest($1::uuid[], $2::uuid[]) as v (shop_id, member_id)
                   where t.shop_id = v.shop_id and t.member_id = v.member_id",
        |one| shop, one.member)?;
    db!(tx.each kept,
        sqlite: "insert into campaigns_member_tiers (shop_id, member_id, tier, assigned_at) values ($1, $2, $3, $4)
                 on conflict (shop_id, member_id) do update set tier = excluded.tier,
                     assigned_at = excluded.assigned_at",
        postgres: "insert into campaigns_member_tiers (shop_id, member_id, tier, assigned_at)
                   select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[])
                   on conflict (shop_id, member_id) do update set tier = excluded.tier,
                       assigned_at = excluded.assigned_at",
        |one| shop, one.member, one.tier.as_deref(), one.since)?;
    Ok(())
}
