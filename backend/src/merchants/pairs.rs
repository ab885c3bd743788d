//! The pair of tokens in a shop's row: sealed, bound to their columns and shop, refreshed by whoever holds the lease.

use uuid::Uuid;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

/// The columns of sealed tokens, as the cipher names them.
pub(super) const ACCESS: &str = "merchants_shops.sealed_token";
pub(super) const REFRESH: &str = "merchants_shops.sealed_refresh_token";

/// A pair of tokens as it is kept.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct SealedPair {
    pub sealed_token: Vec<u8>,
    pub token_expires_at: Option<Timestamp>,
    pub sealed_refresh_token: Option<Vec<u8>>,
    pub refresh_expires_at: Option<Timestamp>,
    /// Nobody asks with the access token before.
    pub token_refused_until: Option<Timestamp>,
}

/// The tokens of a shop that has the app installed.
pub(super) async fn tokens(read: &mut Read, id: ShopId) -> Result<Option<SealedPair>, db::Error> {
    db!(
        read.optional,
        "select sealed_token, token_expires_at, sealed_refresh_token, refresh_expires_at,
             token_refused_until
         from merchants_shops where shop_id = $1 and uninstalled_at is null and sealed_token is not null",
        id
    )
}

/// Takes the lease on refreshing exactly this pair, unless someone has it, and says whether it did.
pub(super) async fn lease_refresh(
    tx: &mut Tx,
    id: ShopId,
    pair: &SealedPair,
    lease: Uuid,
    (now, until): (Timestamp, Timestamp),
) -> Result<bool, db::Error> {
    let leased = db!(
        tx.execute,
        "update merchants_shops set refresh_lease = $2, refresh_lease_until = $3
         where shop_id = $1 and sealed_token = $4 and (refresh_lease_until is null or refresh_lease_until <= $5)",
        id,
        lease,
        until,
        pair.sealed_token,
        now
    )?;
    Ok(leased > 0)
}

/// Keeps the next pair, if the lease still stands, and says whether it did.
pub(super) async fn refreshed(
    tx: &mut Tx,
    id: ShopId,
    lease: Uuid,
    pair: &SealedPair,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let kept = db!(
        tx.execute,
        "update merchants_shops set sealed_token = $3, token_expires_at = $4, sealed_refresh_token = $5,
             refresh_expires_at = $6, token_refused_until = null, refresh_lease = null, refresh_lease_until = null,
             updated_at = $7
         where shop_id = $1 and refresh_lease = $2",
        id,
        lease,
        pair.sealed_token,
        pair.token_expires_at,
        pair.sealed_refresh_token,
        pair.refresh_expires_at,
        now
    )?;
    Ok(kept > 0)
}

/// Drops a pair that Shopify does not accept any more, if the lease still stands, and says whether it did.
pub(super) async fn drop_tokens(
    tx: &mut Tx,
    id: ShopId,
    lease: Uuid,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let dropped = db!(
        tx.execute,
        "update merchants_shops set sealed_token = null, token_expires_at = null, sealed_refresh_token = null,
             refresh_expires_at = null, token_refused_until = null, refresh_lease = null,
             refresh_lease_until = null, updated_at = $3
         where shop_id = $1 and refresh_lease = $2",
        id,
        lease,
        now
    )?;
    Ok(dropped > 0)
}

/// Nobody asks with this pair's access token before `until`.
pub(super) async fn rest(
    tx: &mut Tx,
    id: ShopId,
    pair: &SealedPair,
    until: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update merchants_shops set token_refused_until = $3 where shop_id = $1 and sealed_token = $2",
        id,
        pair.sealed_token,
        until
    )?;
    Ok(())
}

/// Nobody tries to refresh before `until`.
pub(super) async fn put_off_refresh(
    tx: &mut Tx,
    id: ShopId,
    lease: Uuid,
    until: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update merchants_shops set refresh_lease = null, refresh_lease_until = $3
         where shop_id = $1 and refresh_lease = $2",
        id,
        lease,
        until
    )?;
    Ok(())
}

/// A shop and its sealed tokens.
pub(super) type Sealed = (ShopId, Vec<u8>, Option<Vec<u8>>);

/// The next shops with tokens, by id, their rows locked.
pub(super) async fn sealed_after(tx: &mut Tx, after: ShopId, limit: i64) -> Result<Vec<Sealed>, db::Error> {
    db!(tx.all,
        sqlite: "select shop_id, sealed_token, sealed_refresh_token from merchants_shops
                 where shop_id > $1 and sealed_token is not null order by shop_id limit $2",
        postgres: "select shop_id, sealed_token, sealed_refresh_token from merchants_shops
                   where shop_id > $1 and sealed_token is not null order by shop_id limit $2 for update",
        after,
        limit)
}

/// Replaces sealed tokens by the same ones sealed anew.
pub(super) async fn reseal(
    tx: &mut Tx,
    id: ShopId,
    access: Option<Vec<u8>>,
    refresh: Option<Vec<u8>>,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update merchants_shops set sealed_token = coalesce($2, sealed_token),
             sealed_refresh_token = coalesce($3, sealed_refresh_token)
         where shop_id = $1",
        id,
        access,
        refresh
    )?;
    Ok(())
}

/// Shops whose refresh token is over before this time, and whose access token is already: the most urgent first.
pub(super) async fn dormant(
    read: &mut Read,
    (now, before): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<ShopId>, db::Error> {
    let shops: Vec<(ShopId,)> = db!(
        read.all,
        "select shop_id from merchants_shops
         where refresh_expires_at <= $2 and token_expires_at <= $1 and sealed_token is not null
             and coalesce(token_refused_until, $1) <= $1
         order by refresh_expires_at limit $3",
        now,
        before,
        limit
    )?;
    Ok(shops.into_iter().map(|(id,)| id).collect())
}
