//! Staff in the database. Online tokens are sealed, bound to their column and shop.

use super::{Role, Standing};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;
use crate::shopify::UserId;

crate::holds! {
    merchants_staff [shop_id, user_id] of Nobody, kept "with the shop" {
        shop_id: Id, user_id: Staff, role: Plain, is_owner: Plain, collaborator: Plain, locale: Plain,
        scopes: Plain, sealed_online_token: Sealed, expires_at: Time, first_seen_at: Time, last_seen_at: Time,
        revoked_at: Time,
    }
}

/// The column of sealed tokens, as the cipher names it.
pub(in crate::merchants) const ONLINE: &str = "merchants_staff.sealed_online_token";

/// A member of staff as they are kept, with the shop's default beside them.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct StaffRow {
    pub user_id: i64,
    pub assigned: Option<Role>,
    pub default_role: Role,
    pub is_owner: bool,
    pub collaborator: bool,
    pub locale: Option<String>,
    /// None once the session is over.
    pub expires_at: Option<Timestamp>,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

impl StaffRow {
    /// Who they are to the shop.
    pub fn role(&self) -> Role {
        match (self.is_owner, self.assigned) {
            (true, _) => Role::Owner,
            (false, Some(role)) => role,
            (false, None) if self.collaborator && self.default_role == Role::Admin => Role::Editor,
            (false, None) => self.default_role,
        }
    }

    pub fn is_open(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|until| now < until)
    }

    pub fn standing(&self, confirmed: bool) -> Standing {
        let locale = self.locale.as_deref().and_then(|locale| locale.parse().ok());
        Standing { user: UserId(self.user_id), role: self.role(), locale, confirmed }
    }
}

pub(super) async fn find(read: &mut Read, shop: ShopId, user: UserId) -> Result<Option<StaffRow>, db::Error> {
    db!(
        read.optional,
        "select s.user_id, s.role as assigned, m.staff_default_role as default_role, s.is_owner, s.collaborator,
                s.locale, s.expires_at, s.first_seen_at, s.last_seen_at, s.revoked_at
         from merchants_staff s join merchants_shops m on m.shop_id = s.shop_id
         where s.shop_id = $1 and s.user_id = $2",
        shop,
        user.0
    )
}

/// All who ever opened the app, by when they first did.
pub(super) async fn all(read: &mut Read, shop: ShopId) -> Result<Vec<StaffRow>, db::Error> {
    db!(
        read.all,
        "select s.user_id, s.role as assigned, m.staff_default_role as default_role, s.is_owner, s.collaborator,
                s.locale, s.expires_at, s.first_seen_at, s.last_seen_at, s.revoked_at
         from merchants_staff s join merchants_shops m on m.shop_id = s.shop_id
         where s.shop_id = $1 order by s.first_seen_at, s.user_id",
        shop
    )
}

/// The role of those who were given none.
pub(super) async fn default_role(read: &mut Read, shop: ShopId) -> Result<Role, db::Error> {
    let (role,): (Role,) =
        db!(read.one, "select staff_default_role from merchants_shops where shop_id = $1", shop)?;
    Ok(role)
}

/// What Shopify granted for someone, as it is kept.
pub(super) struct Kept<'a> {
    pub user: UserId,
    pub is_owner: bool,
    pub collaborator: bool,
    pub locale: Option<&'a str>,
    pub scopes: &'a str,
    pub sealed: Vec<u8>,
    pub expires_at: Timestamp,
    /// When Shopify was asked.
    pub asked_at: Timestamp,
}

/// Keeps a session, unless it was revoked since Shopify was asked, and says whether it did. The shop's row is locked.
pub(super) async fn keep(
    tx: &mut Tx,
    shop: ShopId,
    kept: &Kept<'_>,
    now: Timestamp,
) -> Result<bool, db::Error> {
    if kept.is_owner {
        // A shop has one owner: whoever was it is not any more.
        db!(
            tx.execute,
            "update merchants_staff set is_owner = $3 where shop_id = $1 and user_id <> $2",
            shop,
            kept.user.0,
            false
        )?;
    }
    let written = db!(
        tx.execute,
        "insert into merchants_staff (shop_id, user_id, is_owner, collaborator, locale, scopes, sealed_online_token,
                                      expires_at, first_seen_at, last_seen_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
         on conflict (shop_id, user_id) do update set
             is_owner = excluded.is_owner, collaborator = excluded.collaborator, locale = excluded.locale,
             scopes = excluded.scopes, sealed_online_token = excluded.sealed_online_token,
             expires_at = excluded.expires_at, last_seen_at = excluded.last_seen_at, revoked_at = null
         where merchants_staff.revoked_at is null or merchants_staff.revoked_at < $10",
        shop,
        kept.user.0,
        kept.is_owner,
        kept.collaborator,
        kept.locale,
        kept.scopes,
        kept.sealed,
        kept.expires_at,
        now,
        kept.asked_at
    )?;
    Ok(written > 0)
}

/// Notes that someone was here, unless that was noted since `unless_since`.
pub(super) async fn seen(
    tx: &mut Tx,
    shop: ShopId,
    user: UserId,
    unless_since: Timestamp,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update merchants_staff set last_seen_at = $4
         where shop_id = $1 and user_id = $2 and last_seen_at < $3",
        shop,
        user.0,
        unless_since,
        now
    )?;
    Ok(())
}

/// Ends someone's session; session tokens that were made before `revoked_at` begin no other. Says whether there is
/// such a member of staff.
pub(super) async fn end(
    tx: &mut Tx,
    shop: ShopId,
    user: UserId,
    revoked_at: Option<Timestamp>,
) -> Result<bool, db::Error> {
    let ended = db!(
        tx.execute,
        "update merchants_staff set sealed_online_token = null, expires_at = null,
             revoked_at = coalesce($3, revoked_at)
         where shop_id = $1 and user_id = $2",
        shop,
        user.0,
        revoked_at
    )?;
    Ok(ended > 0)
}

/// Ends every session of a shop, whose tokens are void. Roles stay, for when the shop comes back.
pub(in crate::merchants) async fn end_all(tx: &mut Tx, shop: ShopId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update merchants_staff set sealed_online_token = null, expires_at = null where shop_id = $1",
        shop
    )?;
    Ok(())
}

pub(super) async fn set_role(
    tx: &mut Tx,
    shop: ShopId,
    user: UserId,
    role: Option<Role>,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update merchants_staff set role = $3 where shop_id = $1 and user_id = $2",
        shop,
        user.0,
        role
    )?;
    Ok(())
}

pub(super) async fn set_default_role(tx: &mut Tx, shop: ShopId, role: Role) -> Result<(), db::Error> {
    db!(tx.execute, "update merchants_shops set staff_default_role = $2 where shop_id = $1", shop, role)?;
    Ok(())
}

/// All shops of whose staff someone has a token.
pub(in crate::merchants) async fn with_tokens(read: &mut Read) -> Result<Vec<ShopId>, db::Error> {
    let shops: Vec<(ShopId,)> = db!(
        read.all,
        "select distinct shop_id from merchants_staff where sealed_online_token is not null order by shop_id"
    )?;
    Ok(shops.into_iter().map(|(shop,)| shop).collect())
}

/// The staff of a shop who have tokens, by number, their rows locked.
pub(in crate::merchants) async fn sealed(
    tx: &mut Tx,
    shop: ShopId,
) -> Result<Vec<(i64, Vec<u8>)>, db::Error> {
    db!(tx.all,
        sqlite: "select user_id, sealed_online_token from merchants_staff
                 where shop_id = $1 and sealed_online_token is not null order by user_id",
        postgres: "select user_id, sealed_online_token from merchants_staff
                   where shop_id = $1 and sealed_online_token is not null order by user_id for update",
        shop)
}

/// Replaces a sealed token by the same one sealed anew.
pub(in crate::merchants) async fn reseal(
    tx: &mut Tx,
    shop: ShopId,
    user: i64,
    sealed: &[u8],
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update merchants_staff set sealed_online_token = $3 where shop_id = $1 and user_id = $2",
        shop,
        user,
        sealed
    )?;
    Ok(())
}
