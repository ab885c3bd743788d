//! Campaigns and tiers: which member belongs to which tier. What tiers and campaigns give is the program's.
//!
//! A tier that the program does not know any more is a member's all the same: it gives nothing, and comes back with the
//! program.

pub mod routes;
mod store;

use std::collections::HashMap;

use crate::db::{self, Read, Timestamp, Tx};
use crate::events::{self, Event, VipTierAssigned};
use crate::ids::{MemberId, ShopId};
use crate::sync;

pub use store::tiers;

/// Has a member belong to a tier, or to none, and says to which before. The same again changes nothing.
///
/// # Errors
/// Any error of the database.
pub async fn assign(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    tier: Option<&str>,
    now: Timestamp,
) -> Result<Option<String>, db::Error> {
    let before = tier_of(tx, shop, member).await?;
    if before.as_deref() == tier {
        return Ok(before);
    }
    store::set(tx, shop, member, tier, now).await?;
    let assigned = VipTierAssigned { member, tier: tier.map(str::to_owned), before: before.clone() };
    events::publish(tx, shop, Event::VipTierAssigned(assigned), now).await?;
    sync::mark(tx, shop, &[member], now).await?;
    Ok(before)
}

/// The tier that a member belongs to.
///
/// # Errors
/// Any error of the database.
pub async fn tier_of(read: &mut Read, shop: ShopId, member: MemberId) -> Result<Option<String>, db::Error> {
    let mut found: HashMap<MemberId, String> = tiers(read, shop, &[member]).await?;
    Ok(found.remove(&member))
}

/// Two members become one: a tier that only the one who is gone had is the kept one's.
///
/// # Errors
/// Any error of the database.
pub async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    (from, into): (MemberId, MemberId),
    now: Timestamp,
) -> Result<(), db::Error> {
    let Some(tier) = tier_of(tx, shop, from).await? else { return Ok(()) };
    store::set(tx, shop, from, None, now).await?;
    if tier_of(tx, shop, into).await?.is_none() {
        assign(tx, shop, into, Some(&tier), now).await?;
    }
    Ok(())
}
