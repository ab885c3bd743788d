//! Points: the exact ledger of every member.
//!
//! Append-only and double-entry: an [`Entry`](book::Entry) moves points between a member's `available`, `pending`
//! and `held` and the program's accounts, and its postings sum to zero. Balances and lots are derived and checked.
//!
//! Work goes one way: [`Book::load`] locks the members of a batch and reads what they have, the book's methods
//! change it in memory and write down entries, [`Book::save`] writes it all set-based. One redemption and a
//! thousand orders take the same way.

pub mod account;
pub mod book;
mod events;
pub mod invariants;
mod merge;
pub mod orders;
mod read;
pub mod routes;
mod store;

pub use account::{Account, LotId};
pub use book::{Book, Kind, Source, SpendId};
pub use merge::merge;
pub use read::{Balance, HistoryLine, Totals, balance, balances, history, totals};

use loyalty::points::OutOfRange;

use crate::db;

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
