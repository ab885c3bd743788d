//! What strangers send, and what must hold whatever it is.
//!
//! Each function takes bytes that nobody made on purpose, does with them what the product does, and panics where
//! something is not as it must be. `cargo xtask fuzz` feeds them with libFuzzer (`libfuzzer/`, outside of the workspace,
//! because it is compiled with coverage); the tests feed them with `corpus/`, where whatever once broke something stays.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a finding is told")]

mod csv;
mod functions;
mod house;
mod metafields;
mod proxy;
mod tokens;
mod webhooks;

pub use csv::members_csv;
pub use functions::function_inputs;
pub use metafields::metafields;
pub use proxy::proxy_queries;
pub use tokens::session_tokens;
pub use webhooks::webhooks;

/// A name and what it stands for.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("webhooks", webhooks),
    ("metafields", metafields),
    ("members_csv", members_csv),
    ("proxy_queries", proxy_queries),
    ("session_tokens", session_tokens),
    ("function_inputs", function_inputs),
];
