//! The table of members' tiers.

use std::collections::HashMap;

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

/// Notes a member's tier.
///
/// # Errors
/// Any error of the database.
pub(super) async fn set(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    tier: Option<&str>,
    now: Timestamp,
) -> Result<(), db::Error> {
    let Some(tier) = tier else {
        db!(
            tx.execute,
            "delete from campaigns_member_tiers where shop_id = $1 and member_id = $2",
            shop,
            member
        )?;
        return Ok(());
    };
    db!(
        tx.execute,
        "insert into campaigns_member_tiers (shop_id, member_id, tier, assigned_at) values ($1, $2, $3, $4)
         on conflict (shop_id, member_id) do update set tier = excluded.tier, assigned_at = excluded.assigned_at",
        shop,
        member,
        tier,
        now
    )?;
    Ok(())
}
