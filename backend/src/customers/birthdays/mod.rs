//! Birthdays: month and day, as members, staff or an import tell them, and the bonus for them.
//!
//! Of two members who become one, the kept one's birthday counts. Who is deleted or erased loses theirs.

mod jobs;
mod routes;
mod store;

pub use jobs::{Celebrate, celebrate, due};
pub use routes::{api, shopper};
pub(super) use store::merge;
pub(crate) use store::{bring, forget};
pub use store::{of, of_all};
