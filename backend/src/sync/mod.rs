//! Sync: from the ledger to the metafields of members.
//!
//! Whoever changes what a member's metafield shows [`mark`]s the member, in the same transaction; only segments that a night
//! has changed are marked behind it, by a task that it leaves (`rfm/marks.rs`). [`publish()`] is the
//! only writer of account metafields: it takes a lease on the member, reads the ledger, writes with Shopify's
//! compare-and-set, and notes what it wrote. Marks that come meanwhile coalesce into the next write. After any crash
//! or failure the member is still marked, so metafields converge to the ledger.

mod at_once;
mod project;
mod publish;
pub mod reconcile;
mod store;
mod turns;

pub use at_once::publish_within;
pub use publish::{Outcome, publish};
pub use store::{Backlog, backlog, forget, is_gone, mark, mark_all, merge, waiting};
pub use turns::{Turn, next_turn, publish_due, work};

use crate::db;
use crate::merchants::ShopError;
use crate::shopify::admin::AdminError;
use crate::{points, redemptions};

/// What can go wrong when metafields are written. Whoever was to be published stays marked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Shopify.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// Shopify took longer than all of it may.
    #[error("Shopify did not answer in time")]
    Timeout,
    /// An account could not be written as JSON.
    #[error("an account could not be written")]
    Json(#[from] serde_json::Error),
    /// The points.
    #[error(transparent)]
    Points(#[from] points::Error),
    /// The holds.
    #[error(transparent)]
    Redemptions(#[from] redemptions::Error),
    /// The shop.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}
