//! The local shop, from outside: through its calls and over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod admin;
mod changes;
mod checkout;
mod functions;
mod metafields_set;
mod orders;
mod proxy;
mod storefront;
mod support;
mod theme;
mod webhooks;
