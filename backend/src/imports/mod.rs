//! Imports: members whom a shop brings along from another programme, from a file of CSV, and the [`orders`] that they placed.
//!
//! ```text
//! a file ─ source ─ columns ─ row ─┬─ check: what would be, nothing kept
//!                                  └─ run: 2,000 rows to a transaction ─ the ledger, tiers ─ revert
//! ```
//!
//! A row is a member. Its columns, whose names and order are free as long as the header says what they are:
//!
//! | column | |
//! |---|---|
//! | `customer_id` | Shopify's number of the customer, or … |
//! | `email` | … their address, where the shop keeps addresses |
//! | `points` | the balance: digits, 0 or more |
//! | `earned_at` | when the points were earned; else now |
//! | `expires_at` | from when on they are gone, or `never`; else as long as points that are earned now |
//! | `lots` | in place of those two, where points have several dates: `100@2025-01-31>2026-01-31; 50@2025-06-01>never; 30`. They add up to `points`, if that is there, too |
//! | `tier` | id or name of a tier of the program |
//! | `tier_since` | since when; else now |
//! | `referral_code` | as it was; kept for who takes up referrals |
//! | `birthday` | with or without the year, which is not kept; one that is known already stays |
//!
//! All lots of a member stand in one row, so that a customer who is in a file twice is a mistake and never a second lot.
//! That is found by a unique key of the batch's rows, not in memory: a file may be larger than that.
//!
//! What a row brings is booked once: the ledger's entry is named after batch and row, and a file, by its digest, is one
//! batch. A run that broke goes on after the last row that was committed.

mod book;
mod columns;
pub mod command;
mod dates;
mod faults;
pub mod invariants;
mod members;
pub mod orders;
mod progress;
mod revert;
mod row;
mod run;
mod source;
mod store;
mod templates;

use std::path::PathBuf;

use uuid::Uuid;

use crate::db::{self, Timestamp};
use crate::{customers, points, programs};

pub use columns::Field;
pub use dates::Order;
pub use members::write_members;
pub use progress::Progress;
pub use revert::revert;
pub use row::Fault;
pub use run::{Report, Sample, check, import};
pub use source::Encoding;
pub use store::{batches, redact};
pub use templates::Template;

crate::text_enum! {
    /// How far an import is.
    pub enum State {
        /// It is looked at what it would do; what that needed is forgotten afterwards.
        Checking = "checking",
        /// Rows are being booked, or were until something broke.
        Running = "running",
        /// Every row was booked or refused.
        Done = "done",
        /// It is being taken back.
        Reverting = "reverting",
        /// It was taken back.
        Reverted = "reverted",
    }
}

crate::text_enum! {
    /// What a file is of.
    pub enum Kind {
        /// Members.
        Members = "members",
        /// Orders from before the app.
        Orders = "orders",
    }
}

/// A file that was imported, and what became of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Batch {
    /// Its id.
    pub batch_id: Uuid,
    /// What it is of.
    pub kind: Kind,
    /// How far it is.
    pub state: State,
    /// The last row that was booked or refused.
    pub last_row: i64,
    /// Rows that were imported: members, or orders.
    pub imported: i64,
    /// Rows that were refused.
    pub refused: i64,
    /// Customers who became members by it.
    pub new_members: i64,
    /// Points that it brought.
    pub points: i64,
    /// The last row that was taken back.
    pub(crate) reverted_row: i64,
    /// Points that were taken back.
    pub taken_back: i64,
    /// Points that were not, because members had spent them or they had expired.
    pub left_alone: i64,
    /// When it began (UTC).
    pub created_at: Timestamp,
}

impl Batch {
    /// What a file is counted in that is only looked at.
    fn none(kind: Kind, now: Timestamp) -> Batch {
        Batch {
            batch_id: Uuid::nil(),
            kind,
            state: State::Checking,
            last_row: 1,
            imported: 0,
            refused: 0,
            new_members: 0,
            points: 0,
            reverted_row: 1,
            taken_back: 0,
            left_alone: 0,
            created_at: now,
        }
    }
}

/// What is to be imported, and how it is to be read.
#[derive(Debug, Clone)]
pub struct Request {
    /// The file.
    pub file: PathBuf,
    /// Whose export it is.
    pub template: Template,
    /// Which columns are what, where their headers do not say so.
    pub columns: Vec<(Field, String)>,
    /// Whether days or months come first in dates that could be either.
    pub dates: Option<Order>,
    /// Where rows go that were refused.
    pub errors: PathBuf,
}

/// Why an import did not go on. What was committed stays; `--resume` goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Io(#[from] std::io::Error),
    /// The CSV cannot be read.
    #[error("the file is not CSV")]
    Csv(#[from] csv::Error),
    /// It has no header.
    #[error("the file is empty")]
    Empty,
    /// It holds bytes that no text has.
    #[error("the file is not text; save it as CSV in UTF-8")]
    NotText,
    /// A quotation mark has no end, most likely.
    #[error("the row after row {0} has no end; look for a quotation mark that is not closed")]
    Endless(i64),
    /// A column is missing.
    #[error("the file has no column {0}; its header has: {1}")]
    NoColumn(String, String),
    /// Two columns could be the same.
    #[error("both {1:?} and {2:?} could be {0}; say which with --column {0}=HEADER")]
    TwoColumns(&'static str, String, String),
    /// The same file again.
    #[error("this file was imported already as batch {0}; revert that one first to import it again")]
    Known(Uuid),
    /// The same file again, whose run broke.
    #[error("the import of this file was begun (batch {0}) and is not done; go on with --resume")]
    Begun(Uuid),
    /// Nothing to go on with.
    #[error("there is no import of this file that could be resumed")]
    NotBegun,
    /// The batch is not there, or in another state.
    #[error("there is no import {0} that could be reverted")]
    NotThere(Uuid),
    /// Another process does the same.
    #[error("somebody else is working on this import; nothing was done twice")]
    Elsewhere,
    /// The program.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// The ledger.
    #[error(transparent)]
    Points(#[from] points::Error),
    /// The members.
    #[error(transparent)]
    Customers(#[from] customers::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}
