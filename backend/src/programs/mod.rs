//! Programs: a shop's settings, in versions. An entry of the ledger names the version it was booked under.

pub mod routes;
mod store;

pub use store::Listed;

use axum::http::StatusCode;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use loyalty::publish::TooLarge;
use loyalty::{LocalTime, Program};
use serde_json::json;
use sqlx::types::Json;

use crate::activation::{self, Again};
use crate::app::App;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;
use crate::inbox::HandlerError;
use crate::merchants::{Shop, ShopError};
use crate::products;
use crate::rfm;
use crate::shopify::admin::{AdminError, CompareDigest, MetafieldWrite};
use crate::web::Problem;

crate::holds! {
    programs_versions [shop_id, version] of Nobody, kept "as long as the programme: entries name them" {
        shop_id: Id, version: Plain, settings: Json, created_at: Time,
    }
}

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
    /// The settings need more room in a metafield than there is.
    #[error("the program needs {} bytes in a metafield", .0.bytes)]
    TooLarge(TooLarge),
    /// The shop's time zone is unknown.
    #[error("the shop's time zone is unknown")]
    Zone(#[source] jiff::Error),
    /// The shop has none yet.
    #[error("the shop has no program yet")]
    Missing,
    /// Shopify.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The shop's token.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// Shopify refused a metafield.
    #[error("the program cannot be published: {0}")]
    Refused(String),
    /// The settings could not be written as JSON.
    #[error("the program could not be written")]
    Json(#[from] serde_json::Error),
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

/// The number of the newest settings, 0 where there are none. Whoever makes the next ones waits here for the others.
///
/// # Errors
/// Any error of the database.
async fn newest_version(tx: &mut Tx, shop: ShopId) -> Result<i64, db::Error> {
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

/// Makes a program the newest version and says which that is. The same settings again make no new version.
///
/// # Errors
/// [`Error::Invalid`] where they make no sense, [`Error::TooLarge`], or any error of the database.
pub async fn set(tx: &mut Tx, shop: ShopId, program: Program, now: Timestamp) -> Result<Versioned, Error> {
    program.validate()?;
    program.check_size().map_err(Error::TooLarge)?;
    let version = match current(tx, shop).await {
        Ok(newest) if newest.program == program => return Ok(newest),
        Ok(newest) => {
            let version = newest.version + 1;
            // What stands in Shopify follows.
            let occasion = format!("program, version {version}");
            activation::stand_soon(tx, shop, Again::LeftOut, occasion.clone(), now).await?;
            if (newest.program.rfm, newest.program.segment_tags) != (program.rfm, program.segment_tags) {
                rfm::refresh_soon(tx, shop, occasion, now).await?;
            }
            version
        }
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
    products::jobs::read_new(tx, shop, (&program, version), now).await?;
    Ok(Versioned { version, program })
}

/// The minute on a shop's clock.
///
/// # Errors
/// [`Error::Zone`].
pub fn local_time(shop: &Shop, now: Timestamp) -> Result<LocalTime, Error> {
    let zone = TimeZone::get(&shop.time_zone).map_err(Error::Zone)?;
    minute(&zone, now).ok_or_else(|| Error::Zone(jiff::Error::from_args(format_args!("no minute of {now}"))))
}

/// The minute of an instant on a zone's clock; none in years of five digits.
pub fn minute(zone: &TimeZone, at: Timestamp) -> Option<LocalTime> {
    let minute = zone.to_datetime(at.to_jiff()).strftime("%Y-%m-%dT%H:%M").to_string();
    LocalTime::parse(&minute).ok()
}

/// When what is published of a program changes next because a campaign begins or ends.
///
/// # Errors
/// [`Error::Zone`].
pub fn next_change(shop: &Shop, program: &Program, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let Some(next) = program.next_change(local_time(shop, now)?) else { return Ok(None) };
    let zone = TimeZone::get(&shop.time_zone).map_err(Error::Zone)?;
    let at = next.to_string().parse::<DateTime>().and_then(|at| zone.to_ambiguous_timestamp(at).compatible());
    Ok(Some(at.map_err(Error::Zone)?.into()))
}

/// Writes what the checkout and the widgets need of a shop's program into its metafields. A shop without a program
/// gets one to begin with.
///
/// # Errors
/// When Shopify or the database does not answer, or Shopify refuses.
pub async fn publish(app: &App, shop: &Shop) -> Result<Versioned, Error> {
    let mut tx = app.db.begin(shop.id).await?;
    let current = match current(&mut tx, shop.id).await {
        Err(Error::Missing) => {
            set(&mut tx, shop.id, Program::standard(shop.currency), app.clock.now()).await?
        }
        current => current?,
    };
    tx.commit().await?;
    let now = local_time(shop, app.clock.now())?;
    let admin = app.admin_of(shop).await?;
    let owner_id = admin.shop_details().await?.id;
    let metafield = |key: &str, value| MetafieldWrite {
        owner_id: owner_id.clone(),
        namespace: "$app".into(),
        key: key.into(),
        r#type: "json".into(),
        value,
        compare_digest: CompareDigest::Any,
    };
    let answer = admin
        .metafields_set(&[
            metafield(Program::METAFIELD, current.program.to_json(current.version, now)?),
            metafield(Program::UI_METAFIELD, current.program.to_ui_json(current.version, now)?),
        ])
        .await?;
    match answer.errors.into_iter().next() {
        Some(error) => Err(Error::Refused(error.message)),
        None => Ok(current),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let error = match error {
            Error::Db(error) => return error.into(),
            Error::TooLarge(large) => return too_large(large),
            error => error,
        };
        tracing::error!(error = &error as &dyn std::error::Error, "a program cannot be used");
        Problem::internal()
    }
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> HandlerError {
        match error {
            Error::Db(error) => error.into(),
            error => HandlerError::Failed(error.to_string()),
        }
    }
}

fn too_large(TooLarge { bytes, most, parts }: TooLarge) -> Problem {
    let largest = parts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let title = format!(
        "The settings need {bytes} bytes in a metafield, where there is room for {most}. The largest parts: {largest}.",
    );
    let parts: Vec<_> = parts.iter().map(|(name, bytes)| json!({"part": name, "bytes": bytes})).collect();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "program_too_large", title).with("parts", parts)
}
