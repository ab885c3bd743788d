//! Shops in the database. Their tokens are in `pairs`, what they pay for in `plans`.

use jiff::tz::TimeZone;
use loyalty::Currency;

use super::pairs::SealedPair;
use super::{Shop, ShopError};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    merchants_shops [shop_id] of Nobody, kept "until the shop is to be erased" {
        shop_id: Id, domain: Plain, name: Plain, currency: Plain, time_zone: Plain, sealed_token: Sealed,
        installed_at: Time, uninstalled_at: Time, updated_at: Time, token_expires_at: Time,
        sealed_refresh_token: Sealed, refresh_expires_at: Time, scopes: Plain, refresh_lease: Id,
        refresh_lease_until: Time, token_refused_until: Time, set_up_due_at: Time, told_at: Time, staff_default_role: Plain,
        support_allowed: Plain, primary_locale: Plain, languages: Plain,
    }
}
crate::holds! {
    merchants_used_states [state] of Nobody, kept "for a minute" { state: Id, expires_at: Time }
}

#[derive(sqlx::FromRow)]
pub(super) struct ShopRow {
    shop_id: ShopId,
    domain: String,
    name: String,
    currency: String,
    time_zone: String,
    installed_at: Timestamp,
    needs_token: bool,
}

impl TryFrom<ShopRow> for Shop {
    type Error = ShopError;

    fn try_from(row: ShopRow) -> Result<Shop, ShopError> {
        Ok(Shop {
            id: row.shop_id,
            domain: row.domain.parse().map_err(|error| db::Error::Other(Box::new(error)))?,
            name: row.name,
            currency: Currency::parse(&row.currency)?,
            time_zone: row.time_zone,
            installed_at: row.installed_at,
            needs_token: row.needs_token,
        })
    }
}

pub(super) async fn find_by_domain(read: &mut Read, domain: &str) -> Result<Option<ShopRow>, db::Error> {
    db!(
        read.optional,
        "select shop_id, domain, name, currency, time_zone, installed_at, token_refused_until is not null as needs_token
         from merchants_shops where domain = $1 and uninstalled_at is null and sealed_token is not null",
        domain
    )
}

pub(super) async fn find(read: &mut Read, id: ShopId) -> Result<Option<ShopRow>, db::Error> {
    db!(
        read.optional,
        "select shop_id, domain, name, currency, time_zone, installed_at, token_refused_until is not null as needs_token
         from merchants_shops where shop_id = $1 and uninstalled_at is null and sealed_token is not null",
        id
    )
}

/// Where the day of a shop begins.
#[derive(Debug, sqlx::FromRow)]
pub struct Zone {
    /// The shop.
    pub shop_id: ShopId,
    /// Its time zone, IANA.
    pub time_zone: String,
    /// When it last granted the app a token.
    pub installed_at: Timestamp,
}

/// The time zones of shops that have the app installed, by id, from after one of them.
///
/// # Errors
/// Any error of the database.
pub async fn zones(read: &mut Read, after: ShopId, most: i64) -> Result<Vec<Zone>, db::Error> {
    db!(
        read.all,
        "select shop_id, time_zone, installed_at from merchants_shops
         where uninstalled_at is null and sealed_token is not null and shop_id > $1 order by shop_id limit $2",
        after,
        most
    )
}

/// Every shop there is, by id, from after one of them: also those that uninstalled the app.
///
/// # Errors
/// Any error of the database.
pub async fn shops(read: &mut Read, after: ShopId, most: i64) -> Result<Vec<ShopId>, db::Error> {
    let found: Vec<(ShopId,)> = db!(
        read.all,
        "select shop_id from merchants_shops where shop_id > $1 order by shop_id limit $2",
        after,
        most
    )?;
    Ok(found.into_iter().map(|(shop,)| shop).collect())
}

/// The time zone in which a shop's days begin and end: UTC where Shopify's word for it is not known here.
///
/// # Errors
/// Any error of the database.
pub async fn zone(read: &mut Read, shop: ShopId) -> Result<TimeZone, db::Error> {
    let found: Option<(String,)> =
        db!(read.optional, "select time_zone from merchants_shops where shop_id = $1", shop)?;
    let name = found.map(|(name,)| name).unwrap_or_default();
    Ok(TimeZone::get(&name).unwrap_or_else(|_| {
        tracing::error!(%shop, zone = name, "a shop's time zone is unknown");
        TimeZone::UTC
    }))
}

/// The id of a shop, installed or not.
pub(super) async fn find_id(read: &mut Read, domain: &str) -> Result<Option<ShopId>, db::Error> {
    let found: Option<(ShopId,)> =
        db!(read.optional, "select shop_id from merchants_shops where domain = $1", domain)?;
    Ok(found.map(|(id,)| id))
}

/// Makes a row for a shop, without a token yet, unless there is one, and says whether it did.
pub(super) async fn insert_unless_known(tx: &mut Tx, shop: &Shop) -> Result<bool, db::Error> {
    let inserted = db!(
        tx.execute,
        "insert into merchants_shops (shop_id, domain, name, currency, time_zone, installed_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $6) on conflict (domain) do nothing",
        shop.id,
        shop.domain.as_str(),
        shop.name,
        shop.currency.code(),
        shop.time_zone,
        shop.installed_at
    )?;
    Ok(inserted > 0)
}

/// A shop's id and when it uninstalled the app, its row locked.
pub(super) async fn lock(tx: &mut Tx, domain: &str) -> Result<(ShopId, Option<Timestamp>), db::Error> {
    db!(tx.one,
        sqlite: "select shop_id, uninstalled_at from merchants_shops where domain = $1",
        postgres: "select shop_id, uninstalled_at from merchants_shops where domain = $1 for update",
        domain)
}

/// Locks a shop until the transaction ends, and says whether the app is installed in it.
///
/// # Errors
/// Any error of the database.
pub async fn lock_installed(tx: &mut Tx, id: ShopId) -> Result<bool, db::Error> {
    let locked: Option<(ShopId,)> = db!(tx.optional,
        sqlite: "select shop_id from merchants_shops where shop_id = $1 and uninstalled_at is null",
        postgres: "select shop_id from merchants_shops where shop_id = $1 and uninstalled_at is null for update",
        id)?;
    Ok(locked.is_some())
}

/// Whether support may be let in.
///
/// # Errors
/// Any error of the database.
pub async fn support_allowed(read: &mut Read, id: ShopId) -> Result<bool, db::Error> {
    let (allowed,): (bool,) =
        db!(read.one, "select support_allowed from merchants_shops where shop_id = $1", id)?;
    Ok(allowed)
}

/// Says whether support may be let in from now on.
///
/// # Errors
/// Any error of the database.
pub async fn allow_support(tx: &mut Tx, id: ShopId, allowed: bool) -> Result<(), db::Error> {
    db!(tx.execute, "update merchants_shops set support_allowed = $2 where shop_id = $1", id, allowed)?;
    Ok(())
}

/// Keeps what a shop says of itself and what it granted. Whoever is refreshing an older pair has lost.
pub(super) async fn admit(
    tx: &mut Tx,
    shop: &Shop,
    pair: &SealedPair,
    scopes: &str,
    set_up_due_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update merchants_shops set name = $2, currency = $3, time_zone = $4, installed_at = $5,
             uninstalled_at = null, sealed_token = $6, token_expires_at = $7, sealed_refresh_token = $8,
             refresh_expires_at = $9, token_refused_until = null, scopes = $10, refresh_lease = null, refresh_lease_until = null,
             set_up_due_at = coalesce($11, set_up_due_at), updated_at = $12
         where shop_id = $1",
        shop.id,
        shop.name,
        shop.currency.code(),
        shop.time_zone,
        shop.installed_at,
        pair.sealed_token,
        pair.token_expires_at,
        pair.sealed_refresh_token,
        pair.refresh_expires_at,
        scopes,
        set_up_due_at,
        now
    )?;
    Ok(())
}

/// Takes note of an uninstall, unless the shop has installed the app since, and says whether it did.
pub(super) async fn uninstall(tx: &mut Tx, id: ShopId, at: Timestamp) -> Result<bool, db::Error> {
    let gone = db!(
        tx.execute,
        "update merchants_shops set uninstalled_at = $2, sealed_token = null, token_expires_at = null,
             sealed_refresh_token = null, refresh_expires_at = null, token_refused_until = null, refresh_lease = null,
             refresh_lease_until = null, set_up_due_at = null, updated_at = $2
         where shop_id = $1 and uninstalled_at is null and installed_at < $2",
        id,
        at
    )?;
    Ok(gone > 0)
}

pub(super) async fn set_scopes(
    tx: &mut Tx,
    id: ShopId,
    scopes: &str,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update merchants_shops set scopes = $2, updated_at = $3 where shop_id = $1 and uninstalled_at is null",
        id,
        scopes,
        now
    )?;
    Ok(())
}

/// What a shop tells of itself.
pub(super) struct Told<'a> {
    pub name: &'a str,
    pub currency: &'a str,
    pub time_zone: &'a str,
}

/// Keeps what a shop told of itself, unless it told something newer, and says whether it did.
pub(super) async fn set_told(
    tx: &mut Tx,
    id: ShopId,
    told: &Told<'_>,
    told_at: Timestamp,
) -> Result<bool, db::Error> {
    let kept = db!(
        tx.execute,
        "update merchants_shops set name = $2, currency = $3, time_zone = $4, told_at = $5, updated_at = $5
         where shop_id = $1 and uninstalled_at is null and coalesce(told_at, installed_at) <= $5",
        id,
        told.name,
        told.currency,
        told.time_zone,
        told_at
    )?;
    Ok(kept > 0)
}

/// Since when a shop has the app installed; none if it has not.
///
/// # Errors
/// Any error of the database.
pub async fn installed_since(read: &mut Read, id: ShopId) -> Result<Option<Timestamp>, db::Error> {
    let since: Option<(Timestamp,)> = db!(
        read.optional,
        "select installed_at from merchants_shops where shop_id = $1 and uninstalled_at is null",
        id
    )?;
    Ok(since.map(|(at,)| at))
}

/// Whether a shop has granted a scope.
///
/// # Errors
/// Any error of the database.
pub async fn has_scope(read: &mut Read, id: ShopId, scope: &str) -> Result<bool, db::Error> {
    let granted: Option<(Option<String>,)> =
        db!(read.optional, "select scopes from merchants_shops where shop_id = $1", id)?;
    let granted = granted.and_then(|(scopes,)| scopes).unwrap_or_default();
    Ok(granted.split(',').any(|granted| granted.trim() == scope))
}

/// The permanent domain of a shop, if it is known.
///
/// # Errors
/// Any error of the database.
pub async fn domain(read: &mut Read, id: ShopId) -> Result<Option<String>, db::Error> {
    let found: Option<(String,)> =
        db!(read.optional, "select domain from merchants_shops where shop_id = $1", id)?;
    Ok(found.map(|(domain,)| domain))
}

/// Shops whose time to be set up has come, in the order in which it came.
pub(super) async fn set_up_due(
    read: &mut Read,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(ShopId, Timestamp)>, db::Error> {
    db!(
        read.all,
        "select shop_id, set_up_due_at from merchants_shops where set_up_due_at <= $1
         order by set_up_due_at limit $2",
        now,
        limit
    )
}

/// Changes when a shop is to be set up, if that is as known, and says whether it did.
pub(super) async fn set_up_again(
    tx: &mut Tx,
    id: ShopId,
    known: Timestamp,
    due_at: Option<Timestamp>,
) -> Result<bool, db::Error> {
    let changed = db!(
        tx.execute,
        "update merchants_shops set set_up_due_at = $3 where shop_id = $1 and set_up_due_at = $2",
        id,
        known,
        due_at
    )?;
    Ok(changed > 0)
}

/// Notes that a state was used, and says whether it was for the first time. States that have expired are forgotten.
pub(super) async fn use_state(
    tx: &mut Tx,
    state: &[u8],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool, db::Error> {
    db!(tx.execute, "delete from merchants_used_states where expires_at < $1", now)?;
    let first = db!(
        tx.execute,
        "insert into merchants_used_states (state, expires_at) values ($1, $2) on conflict (state) do nothing",
        state,
        expires_at
    )?;
    Ok(first > 0)
}

/// Erases a shop that does not have the app installed any more; false if it has. One that is erased already is.
///
/// # Errors
/// Any error of the database.
pub async fn erase(tx: &mut Tx, id: ShopId) -> Result<bool, db::Error> {
    db!(tx.execute, "delete from merchants_shops where shop_id = $1 and uninstalled_at is not null", id)?;
    let left: Option<(i64,)> =
        db!(tx.optional, "select cast(1 as bigint) from merchants_shops where shop_id = $1", id)?;
    Ok(left.is_none())
}
