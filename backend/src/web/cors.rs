//! Who may call from a browser.

use std::time::Duration;

use axum::http::{HeaderName, Method};
use tower_http::cors::{Any, CorsLayer};

/// From any origin: extensions call from a sandbox that has none. What they send proves who they are; no cookie does.
pub(super) fn anywhere<const M: usize, const H: usize>(
    methods: [Method; M],
    headers: [HeaderName; H],
) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(methods)
        .allow_headers(headers)
        .max_age(Duration::from_secs(600))
}
