//! Points: the exact ledger of every member.
//!
//! Append-only and double-entry: an [`Entry`] moves points between a member's `available`, `pending`
//! and `held` and the program's accounts, and its postings sum to zero. Balances and lots are derived and checked.
//!
//! Lots say until when points can be spent; every entry says what it does to which lot.
//!
//! Work goes one way: [`Book::load`] locks the members of a batch and reads what they have, the book's methods
//! change it in memory and write down entries, [`Book::save`] writes it all set-based. One redemption and a
//! thousand orders take the same way.

pub mod account;
pub mod api;
pub mod bonuses;
pub mod book;
mod calendar;
pub mod days;
pub mod effects;
mod entry;
mod expiry;
pub mod history;
mod import;
pub mod invariants;
mod jobs;
mod merge;
mod notes;
pub mod orders;
mod read;
pub mod recount;
pub mod routes;
mod save;
pub mod seals;
mod spending;
pub mod statement;
mod store;
mod tally;

pub use account::{Account, LotId};
pub use book::{Book, SpendId};
pub use calendar::Calendar;
pub use entry::{Entry, Kind, Ledger, Source};
pub use import::{Brought, Imported, Until, imported};
pub use jobs::{ExpireDaily, expire};
pub use merge::merge;
pub use notes::redact;
pub use read::{
    Balance, HistoryLine, Next, OpenLot, Totals, balance, balances, history, open_lots, pins_what_is_over,
    totals,
};
pub use statement::Window;

use loyalty::points::OutOfRange;

use crate::db;
use crate::inbox::HandlerError;

/// The code by which it is told everywhere that a balance would leave the range of points.
const OUT_OF_RANGE: &str = "points_out_of_range";

/// What can go wrong with points.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fewer points are available than are asked for.
    #[error("{available} points are available, {wanted} are needed")]
    Insufficient {
        /// Points that are available.
        available: i64,
        /// Points that are needed.
        wanted: i64,
    },
    /// A balance would leave the range of points.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// The member was merged into another meanwhile: whoever looks again finds that one.
    #[error("the member was merged into another")]
    Merged,
    /// The stored state contradicts itself; nothing is booked on top of it.
    #[error("the stored ledger contradicts itself: {0}")]
    Corrupt(&'static str),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> HandlerError {
        match error {
            Error::Db(error) => HandlerError::Database(error),
            Error::OutOfRange(error) => HandlerError::Never { code: OUT_OF_RANGE, reason: error.to_string() },
            error => HandlerError::Failed(error.to_string()),
        }
    }
}
