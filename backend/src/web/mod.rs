//! HTTP: the router, what every request goes through, and how failures look. No business rule lives here.

mod body;
mod cors;
mod health;
mod idempotency;
mod limits;
mod measure;
mod operator;
mod path;
mod problem;
mod router;
mod server;
mod session;
mod shopper;
mod staff;
mod turns;

pub use idempotency::IdempotencyKey;
pub use limits::{Limits, Whose};
pub use measure::metrics_router;
pub use operator::{Guesses, Operator, page as operator_page};
pub use path::Path;
pub use problem::Problem;
pub use router::router;
pub use server::serve;
pub use session::SessionCaller;
pub use shopper::{Shopper, doors};
pub use staff::{Caller, Capability, Edit, Manage, Own, Staff, View, Writes, request_id};
pub use turns::Turns;
