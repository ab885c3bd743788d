//! Limits: how many requests are under way at once, and how many may be sent to an endpoint.
//!
//! Whoever is signed in to a shop has a bucket of their own beside the one of all like them, and guests share one: nobody
//! can use up what is another's. What nobody has signed takes from none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::counter;
use tokio::sync::Semaphore;

use super::{Problem, body};
use crate::app::App;
use crate::config;
use crate::db::Timestamp;
use crate::ids::{CustomerId, ShopId};
use crate::inbox;
use crate::metrics::RATE_LIMITED;
use crate::shopify::Bearer;

/// How many buckets may be known before those that are idle are forgotten.
const KNOWN: usize = 65_536;
const SECOND: i64 = 1_000_000;
/// How many looks through much of one shop are under way at once.
const LOOKS: u32 = 2;

/// The limits of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Limits {
    under_way: Arc<Semaphore>,
    /// By whose they are, and for which endpoint: when a bucket is full again, in microseconds since 1970 (GCRA's
    /// theoretical arrival time).
    full_at: Arc<Mutex<HashMap<Bucket, i64>>>,
    shop: Rate,
    customer: Rate,
    looks: Arc<Mutex<HashMap<ShopId, u32>>>,
}

/// A look through much of a shop that is under way, until this is dropped.
#[derive(Debug)]
pub struct Look {
    shop: ShopId,
    looks: Arc<Mutex<HashMap<ShopId, u32>>>,
}

impl Drop for Look {
    fn drop(&mut self) {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = looks.get_mut(&self.shop) {
            *under_way -= 1;
            if *under_way == 0 {
                looks.remove(&self.shop);
            }
        }
    }
}

/// Of which shop, whose, and for which endpoint.
type Bucket = (ShopId, Whose, String);

/// Whose a bucket of a shop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// All of its staff, and support in their place.
    Staff,
    /// All customers who are signed in.
    Customers,
    /// One of them: what they take, all of them take.
    Customer(CustomerId),
    /// All shoppers who are not.
    Guests,
}

impl From<Bearer> for Whose {
    fn from(bearer: Bearer) -> Whose {
        match bearer {
            Bearer::User(_) => Whose::Staff,
            Bearer::Customer(customer) => Whose::Customer(customer),
            Bearer::Guest => Whose::Guests,
        }
    }
}

/// How fast a bucket fills.
#[derive(Debug, Clone, Copy)]
struct Rate {
    /// Microseconds in which it gains one request.
    interval: i64,
    /// Microseconds in which it fills when it is empty.
    fill: i64,
}

impl Rate {
    fn new(rate: u32, burst: u32) -> Self {
        let interval = (SECOND / i64::from(rate.max(1))).max(1);
        Rate { interval, fill: interval * i64::from(burst.max(1)) }
    }
}

impl Limits {
    /// Limits as the settings say.
    pub fn new(settings: &config::Web) -> Self {
        Limits {
            under_way: Arc::new(Semaphore::new(settings.concurrency)),
            full_at: Arc::default(),
            shop: Rate::new(settings.rate, settings.burst),
            customer: Rate::new(settings.customer_rate, settings.customer_burst),
            looks: Arc::default(),
        }
    }

    /// Begins a look through much of a shop, such as all orders of a year. Over all endpoints there are only so many at once,
    /// or one shop's staff would occupy the database.
    ///
    /// # Errors
    /// 429 `too_many_looks` while others are under way.
    pub fn look(&self, shop: ShopId) -> Result<Look, Problem> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = looks.entry(shop).or_default();
        if *under_way >= LOOKS {
            let title = "Others of this shop are looking through it just now. Please try again in a moment.";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_looks", title).retry_after(2));
        }
        *under_way += 1;
        Ok(Look { shop, looks: self.looks.clone() })
    }

    /// Takes one request out of the bucket of whoever sends it to an endpoint. Only for callers who are proven, or one could
    /// use up another's.
    ///
    /// # Errors
    /// A 429 that says when to try again.
    pub fn take(&self, shop: ShopId, whose: Whose, route: &str, now: Timestamp) -> Result<(), Problem> {
        if let Whose::Customer(_) = whose {
            self.draw((shop, whose, route), self.customer, now)?;
            return self.draw((shop, Whose::Customers, route), self.shop, now);
        }
        self.draw((shop, whose, route), self.shop, now)
    }

    fn draw(
        &self,
        (shop, whose, route): (ShopId, Whose, &str),
        Rate { interval, fill }: Rate,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let now = now.as_microsecond();
        // A poisoned map is whole: nothing in here panics half-way.
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= KNOWN {
            full_at.retain(|_, full_at| *full_at > now);
        }
        let known = full_at.len();
        match full_at.get_mut(&(shop, whose, route.to_owned())) {
            Some(full_at) => {
                let next = (*full_at).max(now) + interval;
                let wait = next - now - fill;
                if wait > 0 {
                    counter!(RATE_LIMITED, "route" => route.to_owned()).increment(1);
                    let seconds = wait.saturating_add(SECOND - 1) / SECOND;
                    return Err(Problem::too_many_requests(u32::try_from(seconds).unwrap_or(u32::MAX)));
                }
                *full_at = next;
            }
            // So many who are busy are not one who sends too much.
            None if known >= KNOWN => {}
            None => {
                full_at.insert((shop, whose, route.to_owned()), now + interval);
            }
        }
        Ok(())
    }
}

/// Takes a request of someone who is proven out of their bucket.
pub(super) fn take(app: &App, parts: &Parts, shop: ShopId, bearer: Bearer) -> Result<(), Problem> {
    let route = parts.extensions.get::<MatchedPath>().map_or("-", MatchedPath::as_str);
    app.limits.take(shop, bearer.into(), route, app.clock.now())
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
        Limits::new(&config::Web { rate, burst, customer_rate: 1, customer_burst: 1, ..config.web })
    }

    fn shop(number: u128) -> ShopId {
        ShopId(Uuid::from_u128(number))
    }

    #[test]
    fn a_bucket_holds_its_burst_and_refills_at_its_rate() {
        let (limits, mut now) = (limits(2, 3), Timestamp::UNIX_EPOCH);
        let take =
            |now| limits.take(shop(1), Whose::Staff, "/a", now).map_err(|problem| problem.status().as_u16());
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
        assert!(limits.take(shop(1), Whose::Staff, "/a", now).is_ok());
        assert!(limits.take(shop(1), Whose::Staff, "/a", now).is_err());
        assert!(limits.take(shop(1), Whose::Staff, "/b", now).is_ok());
        assert!(limits.take(shop(2), Whose::Staff, "/a", now).is_ok());
    }

    #[test]
    fn guests_share_a_bucket_and_customers_have_their_own_within_that_of_all() {
        let (limits, now) = (limits(1, 3), Timestamp::UNIX_EPOCH);
        let may = |whose| limits.take(shop(1), whose, "/a", now).is_ok();
        let customer = |number| Whose::Customer(CustomerId(number));
        assert_eq!([0; 4].map(|_| may(Whose::Guests)), [true, true, true, false]);
        assert_eq!([1, 1, 2, 1].map(|number| may(customer(number))), [true, false, true, false]);
        // What was refused to one customer took nothing from the others.
        assert_eq!([3, 4].map(|number| may(customer(number))), [true, false]);
        assert!(may(Whose::Staff));
    }

    #[test]
    fn a_shop_is_looked_through_by_few_at_once_and_the_next_may_when_one_is_done() {
        let limits = limits(1, 1);
        let first = limits.look(shop(1)).unwrap();
        let second = limits.look(shop(1)).unwrap();
        let refused = limits.look(shop(1)).unwrap_err();
        assert_eq!((refused.status().as_u16(), refused.code()), (429, "too_many_looks"));
        drop(limits.look(shop(2)).unwrap());
        drop(first);
        let third = limits.look(shop(1)).unwrap();
        assert!(limits.look(shop(1)).is_err());
        drop((second, third));
        assert!(limits.looks.lock().unwrap().is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_idle_are_forgotten() {
        let (limits, now) = (limits(1, 1), Timestamp::UNIX_EPOCH);
        for number in 0..(KNOWN as u128 + 100) {
            assert!(limits.take(shop(number), Whose::Staff, "/a", now).is_ok(), "{number}");
        }
        assert_eq!(limits.full_at.lock().unwrap().len(), KNOWN);
        assert!(
            limits.take(shop(1), Whose::Staff, "/a", now).is_err(),
            "who is known stays so while it is busy"
        );
        let later = now + SignedDuration::from_secs(2);
        assert!(limits.take(shop(1), Whose::Staff, "/a", later).is_ok());
        assert_eq!(limits.full_at.lock().unwrap().len(), 1);
    }
}
