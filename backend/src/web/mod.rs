//! HTTP: the router, what every request goes through, and how failures look. No business rule lives here.

mod body;
mod health;
mod idempotency;
mod limits;
mod measure;
mod operator;
mod path;
mod problem;
mod proxy;
mod router;
mod server;
mod session;
mod staff;
mod turns;

pub use idempotency::IdempotencyKey;
pub use limits::Limits;
pub use measure::metrics_router;
pub use operator::{Guesses, Operator, page as operator_page};
pub use path::Path;
pub use problem::Problem;
pub use proxy::ProxyCaller;
pub use router::router;
pub use server::serve;
pub use session::SessionCaller;
pub use staff::{Caller, Capability, Edit, Manage, Own, Staff, View, Writes, request_id};
pub use turns::Turns;
