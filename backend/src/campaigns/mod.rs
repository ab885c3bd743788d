//! Campaigns and tiers: which member belongs to which tier. What tiers and campaigns give is the program's.
//!
//! A tier that the program does not know any more is a member's all the same: it gives nothing, and comes back with the
//! program.

pub mod progress;
pub mod routes;
mod store;

use std::collections::HashMap;

use loyalty::{Program, Tier};
use serde::Serialize;

use crate::db::{self, Read, Timestamp, Tx};
use crate::events::{self, Event, VipTierAssigned};
use crate::ids::{MemberId, ShopId};
use crate::sync;

pub use store::{tiers, tiers_since};

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
    let assignment = Assignment { member, tier: tier.map(str::to_owned), since: now, before: before.clone() };
    assign_all(tx, shop, &[assignment], now).await?;
    Ok(before)
}

/// To which tier a member is to belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Who; in a batch once.
    pub member: MemberId,
    /// The tier's id; none for none.
    pub tier: Option<String>,
    /// Since when (UTC).
    pub since: Timestamp,
    /// The tier to which the member belongs.
    pub before: Option<String>,
}

/// Has members belong to tiers. Those who belong to them already are left as they are.
///
/// # Errors
/// Any error of the database.
pub async fn assign_all(
    tx: &mut Tx,
    shop: ShopId,
    assignments: &[Assignment],
    now: Timestamp,
) -> Result<(), db::Error> {
    let new: Vec<&Assignment> = assignments.iter().filter(|one| one.tier != one.before).collect();
    store::set(tx, shop, &new).await?;
    let assigned = |one: &&Assignment| {
        let (tier, before) = (one.tier.clone(), one.before.clone());
        Event::VipTierAssigned(VipTierAssigned { member: one.member, tier, before })
    };
    events::publish_all(tx, shop, &new.iter().map(assigned).collect::<Vec<_>>(), now).await?;
    sync::mark(tx, shop, &new.iter().map(|one| one.member).collect::<Vec<_>>(), now).await
}

/// The tier that a member belongs to.
///
/// # Errors
/// Any error of the database.
pub async fn tier_of(read: &mut Read, shop: ShopId, member: MemberId) -> Result<Option<String>, db::Error> {
    let mut found: HashMap<MemberId, String> = tiers(read, shop, &[member]).await?;
    Ok(found.remove(&member))
}

/// A tier, as answers name it.
#[derive(Debug, Serialize)]
pub struct TierView {
    /// Its id.
    pub id: String,
    /// What shoppers read; none where the program has lost the tier.
    pub name: Option<String>,
}

/// The tier that a member belongs to, with its name in a program.
///
/// # Errors
/// Any error of the database.
pub async fn shown(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
    program: Option<&Program>,
) -> Result<Option<TierView>, db::Error> {
    let Some(id) = tier_of(read, shop, member).await? else { return Ok(None) };
    let name = program.and_then(|program| program.tier(&id)).map(|tier| tier.name.clone());
    Ok(Some(TierView { id, name }))
}

/// Two members become one: the kept one has the higher of their tiers, so that it does not matter in which order several
/// become one.
///
/// # Errors
/// Any error of the database.
pub async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    (from, into): (MemberId, MemberId),
    program: &[Tier],
    now: Timestamp,
) -> Result<(), db::Error> {
    // What the program has lost is the lowest.
    let rank = |tier: &str| (program.iter().position(|one| one.id == tier), tier.to_owned());
    let Some(tier) = tier_of(tx, shop, from).await? else { return Ok(()) };
    store::forget(tx, shop, from).await?;
    if tier_of(tx, shop, into).await?.is_none_or(|kept| rank(&kept) < rank(&tier)) {
        assign(tx, shop, into, Some(&tier), now).await?;
    }
    Ok(())
}
