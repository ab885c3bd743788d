//! Programs: a shop's settings, in versions. An entry of the ledger names the version it was booked under.

mod clock;
mod publish;
pub mod routes;
mod store;

pub use clock::{local_time, minute, next_change};
pub use publish::publish;
pub use store::{Listed, as_of, current, version};

use loyalty::Program;
use loyalty::publish::TooLarge;

use crate::activation::{self, Again};
use crate::db;
use crate::db::{Timestamp, Tx};
use crate::ids::ShopId;
use crate::inbox::HandlerError;
use crate::merchants::ShopError;
use crate::shopify::admin::AdminError;
use crate::{products, rfm};

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
    let new = Versioned { version, program };
    store::add(tx, shop, &new, now).await?;
    products::jobs::read_new(tx, shop, (&new.program, version), now).await?;
    Ok(new)
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> HandlerError {
        match error {
            Error::Db(error) => error.into(),
            error => HandlerError::Failed(error.to_string()),
        }
    }
}
