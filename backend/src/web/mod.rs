//! HTTP: the router, what every request goes through, and how failures look. No business rule lives here.

mod health;
mod problem;
mod proxy;
mod router;
mod session;
mod turns;

pub use problem::Problem;
pub use proxy::ProxyCaller;
pub use router::router;
pub use session::SessionCaller;
pub use turns::Turns;
