//! The Function as it ships, in WebAssembly, under the platform's limits; and the same code natively.

// Helpers, too, may stop a test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod budgets;
mod fixtures;
mod hostile;
mod manifest;
mod queries;
mod rules;
mod support;
