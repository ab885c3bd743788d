//! Members: the customers of a shop that are enrolled in its programme, and what becomes of them.
//!
//! Of a person only Shopify's number is kept, and the state of their account at the shop: no name, and no address unless
//! the merchant wants it ([`emails`]).

pub mod birthdays;
pub mod emails;
mod handler;
mod merge;
mod mirror;
mod path;
pub mod profile;
mod shadows;
mod sign_ups;
mod store;
pub mod tags;

pub use handler::CustomerHandler;
pub use merge::merge;
pub use mirror::{Mirrored, enrol_and_stay, mirror, stay};
pub use path::of_path;
pub use shadows::{is_shadow, note_guests};
pub use sign_ups::signed_in;
pub use store::{
    Enrolled, Number, after, count, current, customers, enrol, enrol_and_tell, enrolled, member, members,
    numbers, redact,
};

use std::collections::BTreeSet;

use store::lock;

use crate::db::Tx;
use crate::ids::{MemberId, ShopId};
use crate::web::Problem;
use crate::{db, points, programs, redemptions, referrals};

/// Nobody merges these members until the transaction ends. One after the other, by id: nobody waits for the second while
/// holding one who is merged already.
///
/// # Errors
/// [`points::Error::Merged`] inside where one was: whoever looks again finds the kept one. Any error of the database.
pub async fn hold(tx: &mut Tx, shop: ShopId, members: &[MemberId]) -> Result<(), points::Error> {
    for member in members.iter().collect::<BTreeSet<_>>() {
        if !lock(tx, shop, *member).await? {
            return Err(points::Error::Merged);
        }
    }
    Ok(())
}

/// What can go wrong when something becomes of a customer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// The points.
    #[error(transparent)]
    Points(#[from] points::Error),
    /// The holds.
    #[error(transparent)]
    Redemptions(#[from] redemptions::Error),
    /// Whom they sent, and by whom they were sent.
    #[error(transparent)]
    Referrals(#[from] referrals::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Program(error) => error.into(),
            Error::Points(error) => error.into(),
            Error::Redemptions(error) => error.into(),
            Error::Referrals(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}
