//! Products: a mirror of the shop's catalogue, as Shopify last told of it.
//!
//! Told out of order or twice, what changed last counts: a product's end is kept as such, so that an older change does not
//! bring it back.

mod handler;
mod store;

pub use handler::ProductHandler;
pub use store::{Product, find};
