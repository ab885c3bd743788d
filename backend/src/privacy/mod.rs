//! Privacy: what people, and shops, ask about the data that is held of them.
//!
//! ```text
//! customers/data_request ─┐                    ┌─ export: sealed, for the merchant, for a time
//! customers/redact ───────┼─ privacy_requests ─┼─ every room forgets what leads to the person
//! shop/redact ────────────┘  30 days           └─ every room drops the shop, unless it has come back
//! ```
//!
//! A request is written down when it comes, told of (`gdpr_request.created`) and settled soon after by a task, which is
//! tried again until it is. What remains of it leads to nobody. What is held, and of whom, stands beside each table's
//! SQL (`holds!`): an export shows every table in which the person is found, and erasing a shop leaves none out.

pub mod command;
mod export;
mod handler;
pub mod routes;
mod settle;
mod store;

pub use export::{ExportError, document, reseal};
pub use handler::PrivacyHandler;
pub use settle::{Forget, Settle};
pub use store::{Request, request, requests};

use jiff::SignedDuration;

/// How long there is to settle a request.
const DUE_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

crate::text_enum! {
    /// What is asked for.
    #[derive(Hash)]
    pub enum RequestKind {
        /// Everything that is held of a customer.
        Data = "customers/data_request",
        /// That what is held of a customer is erased.
        Redact = "customers/redact",
        /// That everything of a shop is erased, 48 hours after it uninstalled the app.
        RedactShop = "shop/redact",
    }
}

crate::text_enum! {
    /// How far a request has come.
    #[derive(Hash)]
    pub enum RequestState {
        /// It is to be acted upon.
        Received = "received",
        /// It is settled.
        Done = "done",
        /// It is not acted upon; a person should look.
        Refused = "refused",
    }
}
