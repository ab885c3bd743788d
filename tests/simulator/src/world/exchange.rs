//! Shopify as the backend sees it: many shops, each at its own host, at the end of a line that may be slow.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use devshop::DevShop;
use jiff::SignedDuration;
use loyalnest::clock::Clock;
use tower::ServiceExt;

/// The line to Shopify, and the time on both ends. Clones are the same line.
#[derive(Debug, Clone)]
pub struct Line {
    pub clock: Clock,
    pub shops_clock: devshop::Clock,
    /// How many seconds the next answer takes.
    slow: Arc<AtomicI64>,
}

impl Line {
    pub fn new(clock: Clock, shops_clock: devshop::Clock) -> Line {
        Line { clock, shops_clock, slow: Arc::default() }
    }

    /// The next answer takes so long.
    pub fn slow_down(&self, seconds: i64) {
        self.slow.store(seconds, Ordering::SeqCst);
    }

    /// Time passes, on both ends.
    pub fn pass(&self, time: SignedDuration) {
        self.clock.advance(time);
        self.shops_clock.advance(time.unsigned_abs());
    }

    /// Answers in the place of these shops.
    pub fn to(&self, shops: &[DevShop]) -> Router {
        let by_host = shops.iter().map(|shop| (shop.settings().domain.clone(), devshop::router(shop)));
        let by_host: Arc<HashMap<String, Router>> = Arc::new(by_host.collect());
        let line = self.clone();
        Router::new().fallback(async move |request: Request| {
            let shop = request.uri().host().and_then(|host| by_host.get(host)).cloned();
            let Some(shop) = shop else { return StatusCode::NOT_FOUND.into_response() };
            let answer: Result<Response, Infallible> = shop.oneshot(request).await;
            line.pass(SignedDuration::from_secs(line.slow.swap(0, Ordering::SeqCst)));
            answer.unwrap_or_else(|never| match never {})
        })
    }
}
