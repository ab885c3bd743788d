//! Who may give which role to whom.

use serde_json::{Value, json};

use super::store::{self, StaffRow};
use super::{Permission, Role};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::db::{self, Tx};
use crate::merchants::lock_installed;
use crate::shopify::UserId;
use crate::web::{Manage, Own, Staff};

/// Why a role is not changed.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// Nobody of that number has opened the app in this shop.
    #[error("nobody of that number has opened the app in this shop")]
    Unknown,
    /// Nobody is made owner or support.
    #[error("only admin, editor and viewer can be given")]
    NotAssignable,
    /// Shopify says who owns the account.
    #[error("the owner of the account stays the owner")]
    Owner,
    /// Whoever asks may not do that (any more).
    #[error("your role does not allow that")]
    Forbidden,
    /// Then nobody could give roles.
    #[error("the shop would have neither an owner nor an admin")]
    LastAdmin,
    /// The database's error.
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Gives someone a role, or the shop's default again.
///
/// # Errors
/// [`RoleError`]; then nothing has changed.
pub(super) async fn give(
    app: &App,
    staff: &Staff<Manage>,
    user: UserId,
    role: Option<Role>,
) -> Result<StaffRow, RoleError> {
    if role.is_some_and(|role| !role.is_assignable()) {
        return Err(RoleError::NotAssignable);
    }
    let shop = staff.shop.id;
    let mut tx = app.db.begin(shop).await?;
    let all = locked(&mut tx, staff).await?;
    let target = all.iter().find(|row| row.user_id == user.0).ok_or(RoleError::Unknown)?;
    if target.is_owner {
        return Err(RoleError::Owner);
    }
    let changed = StaffRow { assigned: role, ..target.clone() };
    let raised = changed.role().permission() > target.role().permission();
    if raised && staff.user() == Some(user) {
        return Err(RoleError::Forbidden);
    }
    let manages = |row: &&StaffRow| row.role().permission() >= Permission::Manage;
    let others = all.iter().filter(|row| row.user_id != user.0);
    if others.chain([&changed]).filter(manages).count() == 0 {
        return Err(RoleError::LastAdmin);
    }
    if target.assigned != role {
        store::set_role(&mut tx, shop, user, role).await?;
        let change = Change {
            action: Action::StaffRoleChanged,
            target: Some(user.0.to_string()),
            before: shown(target),
            after: shown(&changed),
        };
        audit::record(&mut tx, shop, staff.by(), change, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(changed)
}

/// Changes the role of those who were given none.
///
/// # Errors
/// [`RoleError`]; then nothing has changed.
pub(super) async fn set_default(app: &App, staff: &Staff<Own>, role: Role) -> Result<(), RoleError> {
    if !role.is_assignable() {
        return Err(RoleError::NotAssignable);
    }
    let shop = staff.shop.id;
    let mut tx = app.db.begin(shop).await?;
    // Whoever is the owner now: there is one who may give roles.
    locked(&mut tx, staff).await?;
    let before = store::default_role(&mut tx, shop).await?;
    if before != role {
        store::set_default_role(&mut tx, shop, role).await?;
        let change = Change {
            action: Action::StaffDefaultRoleChanged,
            target: None,
            before: json!({"role": before.as_str()}),
            after: json!({"role": role.as_str()}),
        };
        audit::record(&mut tx, shop, staff.by(), change, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Ends someone's session: session tokens that were made until now are not accepted any more.
///
/// # Errors
/// [`RoleError`]; then nothing has changed.
pub(super) async fn end_session(app: &App, staff: &Staff<Manage>, user: UserId) -> Result<(), RoleError> {
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    let all = locked(&mut tx, staff).await?;
    let target = all.iter().find(|row| row.user_id == user.0).ok_or(RoleError::Unknown)?;
    store::end(&mut tx, shop, user, Some(now)).await?;
    let change = Change {
        action: Action::StaffSessionEnded,
        target: Some(user.0.to_string()),
        before: json!({"session": target.is_open(now)}),
        after: json!({"session": false}),
    };
    audit::record(&mut tx, shop, staff.by(), change, now).await?;
    tx.commit().await?;
    Ok(())
}

/// The shop's staff, locked; whoever asks may still do what they could when their request came.
async fn locked<C: crate::web::Writes>(tx: &mut Tx, staff: &Staff<C>) -> Result<Vec<StaffRow>, RoleError> {
    if !lock_installed(tx, staff.shop.id).await? {
        return Err(RoleError::Forbidden);
    }
    let all = store::all(tx, staff.shop.id).await?;
    let asks = all.iter().find(|row| staff.user() == Some(UserId(row.user_id)));
    match asks {
        Some(row) if row.role().permission() >= C::NEEDS => Ok(all),
        _ => Err(RoleError::Forbidden),
    }
}

fn shown(row: &StaffRow) -> Value {
    json!({"role": row.role().as_str(), "given": row.assigned.map(Role::as_str)})
}
