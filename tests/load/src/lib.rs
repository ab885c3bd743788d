//! The project's load generator: orders that Shopify might send, sent as webhooks as fast as they are answered or at
//! a rate, and counted where they should have arrived.
//!
//! Everything that costs time is made before the clock starts: orders, signatures, whole requests. What is left is a
//! write and a read per request, all on one thread, so that a loader beside the server takes little from it.

pub mod audit;
pub mod churn;
pub mod drive;
pub mod follow;
pub mod history;
pub mod import;
pub mod intake;
pub mod ledger;
pub mod night;
mod orders;
pub mod reconcile;
pub mod rfm;
pub mod store;
mod usage;
pub mod webhook;
mod words;

pub use orders::{Order, Orders};
pub use usage::Watched;
