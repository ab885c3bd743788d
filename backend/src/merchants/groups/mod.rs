//! Groups: several shops of one merchant. A shop founds a group, makes an invitation, and another joins with its code:
//! good once, and for a day. A shop is in one group at most; whichever wants to leaves, and with the last the group ends.
//!
//! Shops of a group see each other's name and domain, nothing else.

mod routes;
mod store;

use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Action, Actor, By, Change};
use crate::db::{self, Timestamp, Tx};
use crate::ids::ShopId;
use crate::merchants::lock_installed;
use crate::web::{Manage, Staff};

pub use routes::api;

/// How long an invitation is good.
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How many invitations of a shop may be open at once.
const INVITATIONS: i64 = 20;

/// Why a group is not as wished.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// A shop is in one group at most.
    #[error("This shop is in a group already.")]
    AlreadyInGroup,
    /// There is none to invite to, to see or to leave.
    #[error("This shop is in no group.")]
    NoGroup,
    /// Nobody made such a code, or its group is gone.
    #[error("There is no such invitation.")]
    UnknownInvitation,
    /// The code was used.
    #[error("This invitation was used.")]
    UsedInvitation,
    /// The code is over.
    #[error("This invitation is over.")]
    ExpiredInvitation,
    /// Too many codes are about.
    #[error("Twenty invitations of this shop are open already.")]
    TooManyInvitations,
    /// The app was uninstalled meanwhile.
    #[error("This shop has not installed the app.")]
    Uninstalled,
    /// The machine has no randomness to give.
    #[error("No invitation can be made.")]
    Random,
    /// The database's error.
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Founds a group with this shop in it.
async fn create(app: &App, staff: &Staff<Manage>) -> Result<Uuid, GroupError> {
    let (group, now) = (Uuid::now_v7(), app.clock.now());
    let mut tx = app.db.begin(staff.shop.id).await?;
    if !lock_installed(&mut tx, staff.shop.id).await? {
        return Err(GroupError::Uninstalled);
    }
    store::create(&mut tx, group, now).await?;
    if !store::join(&mut tx, staff.shop.id, group, now).await? {
        return Err(GroupError::AlreadyInGroup);
    }
    record(&mut tx, staff.shop.id, staff.by(), (Action::GroupCreated, group.to_string()), Value::Null, now)
        .await?;
    tx.commit().await?;
    Ok(group)
}

/// Makes a code with which another shop joins. It is not kept: it is shown once.
async fn invite(app: &App, staff: &Staff<Manage>) -> Result<(String, Timestamp), GroupError> {
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| GroupError::Random)?;
    let code = hex::encode(bytes);
    let mut tx = app.db.begin(shop).await?;
    let group = locked(&mut tx, shop).await?.ok_or(GroupError::NoGroup)?;
    if store::open_invitations(&mut tx, shop, now).await? >= INVITATIONS {
        return Err(GroupError::TooManyInvitations);
    }
    let invitation = store::Invitation {
        code_hash: hash(&code),
        group_id: group,
        shop_id: shop,
        expires_at: now + LIFE,
        used_at: None,
    };
    store::invite(&mut tx, &invitation, now - LIFE).await?;
    let after = json!({"until": invitation.expires_at});
    record(&mut tx, shop, staff.by(), (Action::GroupInvited, group.to_string()), after, now).await?;
    tx.commit().await?;
    Ok((code, invitation.expires_at))
}

/// Joins the group of an invitation, which is used up by it.
async fn join(app: &App, staff: &Staff<Manage>, code: &str) -> Result<Uuid, GroupError> {
    let (shop, now) = (staff.shop.id, app.clock.now());
    let code_hash = hash(code);
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(GroupError::Uninstalled);
    }
    let found = store::invitation(&mut tx, &code_hash).await?.ok_or(GroupError::UnknownInvitation)?;
    let group = found.group_id;
    // The last shop may be leaving: then there is nothing to join.
    if !store::lock(&mut tx, group).await? {
        return Err(GroupError::UnknownInvitation);
    }
    if found.used_at.is_none() && found.expires_at <= now {
        return Err(GroupError::ExpiredInvitation);
    }
    if !store::use_up(&mut tx, &code_hash, now).await? {
        return Err(GroupError::UsedInvitation);
    }
    if !store::join(&mut tx, shop, group, now).await? {
        return Err(GroupError::AlreadyInGroup);
    }
    record(&mut tx, shop, staff.by(), (Action::GroupJoined, group.to_string()), Value::Null, now).await?;
    // The one place where a shop's request writes into another's log: that one invited it.
    tx.enter(found.shop_id).await?;
    let told = (Action::GroupInvitationUsed, staff.shop.domain.to_string());
    record(&mut tx, found.shop_id, &By::from(Actor::System), told, Value::Null, now).await?;
    tx.commit().await?;
    Ok(group)
}

/// Takes a shop out of its group, and says whether it was in one.
///
/// # Errors
/// Any error of the database.
pub(super) async fn leave(tx: &mut Tx, shop: ShopId, by: &By, now: Timestamp) -> Result<bool, db::Error> {
    let Some(group) = locked(tx, shop).await? else { return Ok(false) };
    let left = store::leave(tx, shop, group).await?;
    if left {
        record(tx, shop, by, (Action::GroupLeft, group.to_string()), Value::Null, now).await?;
    }
    Ok(left)
}

/// A shop's group, locked.
async fn locked(tx: &mut Tx, shop: ShopId) -> Result<Option<Uuid>, db::Error> {
    let Some(group) = store::of_shop(tx, shop).await? else { return Ok(None) };
    Ok(store::lock(tx, group).await?.then_some(group))
}

async fn record(
    tx: &mut Tx,
    shop: ShopId,
    by: &By,
    (action, target): (Action, String),
    after: Value,
    now: Timestamp,
) -> Result<(), db::Error> {
    let change = Change { action, target: Some(target), before: Value::Null, after };
    audit::record(tx, shop, by, change, now).await
}

fn hash(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}
