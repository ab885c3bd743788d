//! Proof: whether the books hold. Each room counts where its own invariants do not (`invariants.rs`); here they are put
//! together, every night and for `loyalnest audit`.
//!
//! The ledger is added up anew from its entries (`points/recount.rs`), and the chain of its blocks is made anew
//! (`points/seals/`). What was stored at a past instant is not known: as of then only what holds at any time is looked at.

pub mod command;
pub mod jobs;
pub mod routes;
mod store;

use std::collections::BTreeMap;

use crate::db::{self, Read, Timestamp};
use crate::ids::ShopId;
use crate::points::recount::{AtOnce, recount};
use crate::points::seals::{self, Chain};
use crate::{history, imports, orders, points, redemptions, referrals, rfm};

pub use jobs::Nightly;
pub use store::{Last, Overview, last, overview};

/// Why nothing could be proven.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger.
    #[error(transparent)]
    Points(#[from] points::Error),
    /// The orders.
    #[error(transparent)]
    Orders(#[from] orders::Error),
    /// The referrals.
    #[error(transparent)]
    Referrals(#[from] referrals::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// Each invariant of a shop's books, with the number of places where it does not hold.
pub type Violations = Vec<(&'static str, i64)>;

/// Whether a shop's books hold.
#[derive(Debug, Clone)]
pub struct Proof {
    /// How many entries were added up.
    pub entries: i64,
    /// Their postings.
    pub postings: i64,
    /// The sum of each account of the ledger.
    pub accounts: BTreeMap<&'static str, i64>,
    /// What was looked at.
    pub violations: Violations,
    /// The chain, if it was asked for.
    pub chain: Option<Chain>,
}

impl Proof {
    /// In how many places something does not hold.
    pub fn violations(&self) -> i64 {
        self.violations.iter().map(|(_, count)| count).sum()
    }

    /// The invariants that do not hold.
    pub fn broken(&self) -> Vec<&'static str> {
        self.violations.iter().filter(|(_, count)| *count != 0).map(|(name, _)| *name).collect()
    }
}

/// What is to be proven.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Of the entries that were booked before then; else of all.
    pub before: Option<Timestamp>,
    /// Whether the chain closes, too.
    pub chain: bool,
}

/// Proves the books of a shop, in one state of the database.
///
/// # Errors
/// [`Error`] says what failed; nothing is known then.
pub async fn prove(read: &mut Read, shop: ShopId, asked: Asked) -> Result<Proof, Error> {
    let recount = recount(read, shop, asked.before, AtOnce::default()).await?;
    let mut violations = recount.counts.all(asked.before.is_some());
    if asked.before.is_none() {
        violations.extend(points::invariants::beside(read, shop).await?);
        violations.extend(redemptions::invariants::violations(read, shop).await?);
        violations.extend(orders::invariants::violations(read, shop).await?);
        violations.extend(history::invariants::violations(read, shop).await?);
        violations.extend(imports::invariants::violations(read, shop).await?);
        violations.extend(rfm::invariants::violations(read, shop).await?);
        violations.extend(referrals::invariants::violations(read, shop).await?);
    }
    let chain = if asked.chain { Some(seals::verify(read, shop).await?) } else { None };
    violations.extend(chain.iter().flat_map(Chain::violations));
    let (entries, postings, accounts) = (recount.entries, recount.postings, recount.totals);
    Ok(Proof { entries, postings, accounts, violations, chain })
}

/// Counts, in every room, the places where an invariant does not hold just now.
///
/// # Errors
/// [`Error`] says what failed; nothing is known then.
pub async fn violations(read: &mut Read, shop: ShopId) -> Result<Violations, Error> {
    Ok(prove(read, shop, Asked::default()).await?.violations)
}
