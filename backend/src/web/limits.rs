//! Limits: how many requests are under way at once, and how many a shop may send to an endpoint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::counter;
use tokio::sync::Semaphore;

use super::{Problem, body};
use crate::app::App;
use crate::config;
use crate::db::Timestamp;
use crate::ids::ShopId;
use crate::inbox;
use crate::metrics::RATE_LIMITED;

/// How many shops and endpoints may be known before those that are idle are forgotten.
const KNOWN: usize = 65_536;
const SECOND: i64 = 1_000_000;

/// The limits of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Limits {
    under_way: Arc<Semaphore>,
    /// By shop and endpoint: when its bucket is full again, in microseconds since 1970 (GCRA's theoretical arrival
    /// time).
    full_at: Arc<Mutex<HashMap<(ShopId, String), i64>>>,
    /// Microseconds in which a bucket gains one request.
    interval: i64,
    /// Microseconds in which an empty bucket fills.
    fill: i64,
}

impl Limits {
    /// Limits as the settings say.
    pub fn new(settings: &config::Web) -> Self {
        let interval = (SECOND / i64::from(settings.rate.max(1))).max(1);
        Limits {
            under_way: Arc::new(Semaphore::new(settings.concurrency)),
            full_at: Arc::default(),
            interval,
            fill: interval * i64::from(settings.burst.max(1)),
        }
    }

    /// Takes one request of a shop out of its bucket for an endpoint. Only for callers whose shop is proven, or one
    /// could use up another's.
    ///
    /// # Errors
    /// A 429 that says when to try again.
    pub fn take(&self, shop: ShopId, route: &str, now: Timestamp) -> Result<(), Problem> {
        let now = now.as_microsecond();
        // A poisoned map is whole: nothing in here panics half-way.
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= KNOWN {
            full_at.retain(|_, full_at| *full_at > now);
        }
        let known = full_at.len();
        match full_at.get_mut(&(shop, route.to_owned())) {
            Some(full_at) => {
                let next = (*full_at).max(now) + self.interval;
                let wait = next - now - self.fill;
                if wait > 0 {
                    counter!(RATE_LIMITED, "route" => route.to_owned()).increment(1);
                    let seconds = wait.saturating_add(SECOND - 1) / SECOND;
                    return Err(Problem::too_many_requests(u32::try_from(seconds).unwrap_or(u32::MAX)));
                }
                *full_at = next;
            }
            // So many busy shops are not one that sends too much.
            None if known >= KNOWN => {}
            None => {
                full_at.insert((shop, route.to_owned()), now + self.interval);
            }
        }
        Ok(())
    }
}

/// Takes a request with a proven shop out of that shop's bucket.
pub(super) fn take(app: &App, parts: &Parts, shop: ShopId) -> Result<(), Problem> {
    let route = parts.extensions.get::<MatchedPath>().map_or("-", MatchedPath::as_str);
    app.limits.take(shop, route, app.clock.now())
}

/// Refuses what comes while too much is under way; probes and metrics are let through. A request is under way once its body
/// is here: whoever sends it slowly takes nobody's place.
pub(super) async fn under_way(State(app): State<App>, request: Request, next: Next) -> Response {
    let most = match request.uri().path() {
        "/healthz" | "/readyz" | "/metrics" => return next.run(request).await,
        inbox::PATH => app.config.inbox.body_limit,
        _ => app.config.web.body_limit,
    };
    let request = body::arrived(request, most).await;
    let limits = &app.limits;
    match limits.under_way.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => {
            tracing::warn!("too many requests are under way");
            Problem::unavailable().into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use uuid::Uuid;

    use super::*;

    fn limits(rate: u32, burst: u32) -> Limits {
        let config = config::Config::load(None, &[]).unwrap();
        Limits::new(&config::Web { rate, burst, ..config.web })
    }

    fn shop(number: u128) -> ShopId {
        ShopId(Uuid::from_u128(number))
    }

    #[test]
    fn a_bucket_holds_its_burst_and_refills_at_its_rate() {
        let (limits, mut now) = (limits(2, 3), Timestamp::UNIX_EPOCH);
        let take = |now| limits.take(shop(1), "/a", now).map_err(|problem| problem.status().as_u16());
        assert_eq!([take(now), take(now), take(now), take(now)], [Ok(()), Ok(()), Ok(()), Err(429)]);
        now = now + SignedDuration::from_millis(499);
        assert_eq!(take(now), Err(429));
        now = now + SignedDuration::from_millis(1);
        assert_eq!([take(now), take(now)], [Ok(()), Err(429)], "refusals take nothing");
        now = now + SignedDuration::from_hours(1);
        assert_eq!([take(now), take(now), take(now), take(now)], [Ok(()), Ok(()), Ok(()), Err(429)]);
    }

    #[test]
    fn shops_and_endpoints_have_buckets_of_their_own() {
        let (limits, now) = (limits(1, 1), Timestamp::UNIX_EPOCH);
        assert!(limits.take(shop(1), "/a", now).is_ok());
        assert!(limits.take(shop(1), "/a", now).is_err());
        assert!(limits.take(shop(1), "/b", now).is_ok());
        assert!(limits.take(shop(2), "/a", now).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_the_idle_are_forgotten() {
        let (limits, now) = (limits(1, 1), Timestamp::UNIX_EPOCH);
        for number in 0..(KNOWN as u128 + 100) {
            assert!(limits.take(shop(number), "/a", now).is_ok(), "{number}");
        }
        assert_eq!(limits.full_at.lock().unwrap().len(), KNOWN);
        assert!(limits.take(shop(1), "/a", now).is_err(), "who is known stays so while it is busy");
        let later = now + SignedDuration::from_secs(2);
        assert!(limits.take(shop(1), "/a", later).is_ok());
        assert_eq!(limits.full_at.lock().unwrap().len(), 1);
    }
}
