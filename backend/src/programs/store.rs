//! The versions of settings, as they are stored.

use loyalty::Program;
use serde::Serialize;
use sqlx::types::Json;

use super::{Error, Versioned};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    programs_versions [shop_id, version] of Nobody, kept "as long as the programme: entries name them" {
        shop_id: Id, version: Plain, settings: Json, created_at: Time,
    }
}

/// A version of a shop's settings, without them.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Listed {
    /// Counts up from 1.
    pub version: i64,
    /// Since when it counts (UTC).
    pub created_at: Timestamp,
}

/// The newest settings.
///
/// # Errors
/// [`Error::Missing`] where there are none, or any error of the database.
pub async fn current(tx: &mut Read, shop: ShopId) -> Result<Versioned, Error> {
    let newest: Option<(i64, Json<Program>)> = db!(
        tx.optional,
        "select version, settings from programs_versions where shop_id = $1 order by version desc limit 1",
        shop
    )?;
    let (version, Json(program)) = newest.ok_or(Error::Missing)?;
    Ok(Versioned { version, program })
}

/// The number of the newest settings, 0 where there are none. Whoever makes the next ones waits here for the others.
pub(super) async fn newest_version(tx: &mut Tx, shop: ShopId) -> Result<i64, db::Error> {
    // The first stands for all of them: it is always there, and the newest is read only once nobody else makes one.
    let first: Option<(i64,)> = db!(tx.optional,
        sqlite: "select version from programs_versions where shop_id = $1 and version = 1",
        postgres: "select version from programs_versions where shop_id = $1 and version = 1 for update",
        shop)?;
    let newest: Option<(i64,)> = db!(
        tx.optional,
        "select version from programs_versions where shop_id = $1 order by version desc limit 1",
        shop
    )?;
    Ok(newest.or(first).map_or(0, |(version,)| version))
}

/// The settings that were the newest then; none if there were none yet.
///
/// # Errors
/// Any error of the database.
pub async fn as_of(read: &mut Read, shop: ShopId, at: Timestamp) -> Result<Option<Versioned>, db::Error> {
    let found: Option<(i64, Json<Program>)> = db!(
        read.optional,
        "select version, settings from programs_versions where shop_id = $1 and created_at <= $2
         order by version desc limit 1",
        shop,
        at
    )?;
    Ok(found.map(|(version, Json(program))| Versioned { version, program }))
}

/// The settings as they were in a version.
///
/// # Errors
/// [`Error::Missing`] where there is no such version, or any error of the database.
pub async fn version(tx: &mut Read, shop: ShopId, version: i64) -> Result<Program, Error> {
    let found: Option<(Json<Program>,)> = db!(
        tx.optional,
        "select settings from programs_versions where shop_id = $1 and version = $2",
        shop,
        version
    )?;
    found.map(|(Json(program),)| program).ok_or(Error::Missing)
}

/// Adds a version.
pub(super) async fn add(
    tx: &mut Tx,
    shop: ShopId,
    Versioned { version, program }: &Versioned,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into programs_versions (shop_id, version, settings, created_at) values ($1, $2, $3, $4)",
        shop,
        *version,
        Json(program),
        now
    )?;
    Ok(())
}

/// The newest versions, those first.
pub(super) async fn list(read: &mut Read, shop: ShopId, most: i64) -> Result<Vec<Listed>, db::Error> {
    db!(
        read.all,
        "select version, created_at from programs_versions where shop_id = $1 order by version desc limit $2",
        shop,
        most
    )
}
