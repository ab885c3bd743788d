//! Programs: a shop's settings, in versions. An entry of the ledger names the version it was booked under.

use loyalty::Program;
use sqlx::types::Json;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

/// A version of a shop's settings.
#[derive(Debug, Clone)]
pub struct Versioned {
    /// Counts up from 1.
    pub version: i64,
    /// The settings.
    pub program: Program,
}

/// What can go wrong with a program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings make no sense.
    #[error(transparent)]
    Invalid(#[from] loyalty::program::ProgramError),
    /// The shop has none yet.
    #[error("the shop has no program yet")]
    Missing,
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
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

/// Makes a program the newest version and says which that is. The same settings again make no new version.
///
/// # Errors
/// [`Error::Invalid`] where they make no sense, or any error of the database.
pub async fn set(tx: &mut Tx, shop: ShopId, program: Program, now: Timestamp) -> Result<Versioned, Error> {
    program.validate()?;
    let version = match current(tx, shop).await {
        Ok(newest) if newest.program == program => return Ok(newest),
        Ok(newest) => newest.version + 1,
        Err(Error::Missing) => 1,
        Err(error) => return Err(error),
    };
    db!(
        tx.execute,
        "insert into programs_versions (shop_id, version, settings, created_at) values ($1, $2, $3, $4)",
        shop,
        version,
        Json(&program),
        now
    )?;
    Ok(Versioned { version, program })
}
