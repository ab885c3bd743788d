//! Bulk operations: what Shopify works off by itself, and tells of when it has.

mod handler;
mod store;

pub use handler::BulkHandler;
pub use store::{Finished, finished};
