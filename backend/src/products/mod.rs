//! Products: a mirror of the shop's catalogue, as Shopify last told of it: the whole when the app comes, then what changes.
//!
//! Told out of order or twice, what changed last counts: a product's end is kept as such, so that an older change does not
//! bring it back.
//!
//! Of collections and tags, those are kept that earning rules name: *shelves*, and which products stand on them.

mod catalogue;
mod handler;
pub mod jobs;
mod shelf;
mod shelves;
mod store;

pub use catalogue::{ReadCatalogue, read_catalogue_soon};
pub use handler::ProductHandler;
pub use shelf::Shelf;
pub use shelves::{labels, unread};
pub use store::{Product, find, titles};
