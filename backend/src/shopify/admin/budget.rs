//! What calls may cost: each takes its cost out of its shop's bucket before it is made, or waits.
//!
//! While a process believes that a bucket is at least half full, it asks nobody. Below that, and as long as it knows
//! nothing of a bucket, it asks the bucket that all processes share, so that they do not draw on the same points.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use metrics::{counter, histogram};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::bucket::{Bucket, Done, Priority, ThrottleStatus, Wanted};
use super::transport::spread;
use super::{AdminError, ShopDomain};
use crate::clock::Clock;
use crate::metrics::{ADMIN_COST_ACTUAL, ADMIN_COST_REQUESTED, ADMIN_THROTTLED, ADMIN_WAIT_SECONDS};

/// What a call is taken to cost until its first answer says so: what a mutation costs.
const FIRST_GUESS: f64 = 10.0;
/// How long the shared bucket may take to answer.
const SHARED_WITHIN: Duration = Duration::from_secs(2);
/// Waits are spread by up to this long, so that callers who waited together do not return together.
const SPREAD: Duration = Duration::from_millis(100);

/// Less time than this is not enough for an attempt. Answers take a tenth of a second or two.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(250);

/// The buckets that all processes share. Where there is none for a shop, a process uses its own.
#[async_trait]
pub trait SharedBuckets: Debug + Send + Sync {
    /// Sets a call's cost aside in the shop's bucket; if there is none yet, `own` becomes it. None where there is still
    /// none; else whether there was enough, or how long to wait.
    ///
    /// # Errors
    /// When it cannot be reached.
    async fn reserve(
        &self,
        shop: &ShopDomain,
        wanted: &Wanted,
        own: Option<Bucket>,
    ) -> Result<Option<Result<(), Duration>>, Unshared>;

    /// Notes what became of a call, and tells of a bucket that is low from now on.
    ///
    /// # Errors
    /// When it cannot be reached.
    async fn settle(&self, shop: &ShopDomain, done: &Done) -> Result<(), Unshared>;
}

/// The shared buckets cannot be reached; each process goes by its own meanwhile.
#[derive(Debug, thiserror::Error)]
#[error("the shared buckets cannot be reached")]
pub struct Unshared(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// What an answer says of costs (`extensions.cost`), in cost points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Cost {
    pub requested_query_cost: Option<f64>,
    pub actual_query_cost: Option<f64>,
    pub throttle_status: Option<ThrottleStatus>,
}

impl Cost {
    /// What an answer says; nothing where it says nothing that makes sense.
    pub fn read(answer: &serde_json::Value) -> Cost {
        Cost::deserialize(&answer["extensions"]["cost"]).unwrap_or_default()
    }
}

/// The budgets of all shops, as one process knows them.
#[derive(Debug)]
pub(super) struct Budgets {
    /// By which buckets fill.
    clock: Clock,
    buckets: Mutex<HashMap<ShopDomain, Bucket>>,
    /// The most that each operation asked for.
    costs: Mutex<HashMap<&'static str, f64>>,
    shared: Option<Arc<dyn SharedBuckets>>,
}

/// What was set aside for a call.
#[derive(Debug)]
pub(super) struct Reservation {
    id: Uuid,
    cost: f64,
    shared: bool,
}

/// A call to be made, for the budget.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub shop: &'a ShopDomain,
    pub operation: &'static str,
    pub priority: Priority,
    pub patience: Duration,
    pub deadline: Instant,
}

impl Call<'_> {
    /// Whether to wait this long, rather than give up now.
    pub fn waits_for(&self, pause: Duration) -> bool {
        pause <= self.patience && self.has_time_after(pause)
    }

    /// Whether an attempt after this pause may still be answered. One that may not is not begun: nobody would know what
    /// became of it.
    pub fn has_time_after(&self, pause: Duration) -> bool {
        Instant::now() + pause + SHORTEST_ATTEMPT < self.deadline
    }
}

impl Budgets {
    pub fn new(shared: Option<Arc<dyn SharedBuckets>>, clock: Clock) -> Self {
        Budgets { clock, buckets: Mutex::default(), costs: Mutex::default(), shared }
    }

    fn now(&self) -> Timestamp {
        self.clock.now().to_jiff()
    }

    /// Sets a call's cost aside, as soon as there is enough.
    ///
    /// # Errors
    /// [`AdminError::Throttled`] if there is not enough in time.
    pub async fn reserve(&self, call: &Call<'_>) -> Result<Reservation, AdminError> {
        loop {
            let cost = lock(&self.costs).get(call.operation).copied().unwrap_or(FIRST_GUESS);
            let wanted = Wanted { id: Uuid::now_v7(), cost, priority: call.priority };
            let (enough, shared) = self.take(call, &wanted).await;
            let Err(wait) = enough else { return Ok(Reservation { id: wanted.id, cost, shared }) };
            let pause = wait + spread(SPREAD);
            if !call.waits_for(pause) {
                return Err(AdminError::Throttled { wait });
            }
            waited(call, pause).await;
        }
    }

    /// Takes a call's cost out of the bucket, and says whether that was the shared one.
    async fn take(&self, call: &Call<'_>, wanted: &Wanted) -> (Result<(), Duration>, bool) {
        let own = {
            let mut buckets = lock(&self.buckets);
            match buckets.get_mut(call.shop) {
                Some(bucket) if self.shared.is_none() || bucket.is_plentiful(self.now()) => {
                    return (bucket.reserve(wanted, self.now()), false);
                }
                own => own.cloned(),
            }
        };
        if let Some(shared) = &self.shared {
            let left = call.deadline.saturating_duration_since(Instant::now()).min(SHARED_WITHIN);
            match timeout(left, shared.reserve(call.shop, wanted, own)).await {
                Ok(Ok(Some(answer))) => return (answer, true),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => unshared(&error),
                Err(error) => unshared(&error),
            }
        }
        let mut buckets = lock(&self.buckets);
        let bucket = buckets.get_mut(call.shop);
        // Nothing is known: the answer will say.
        (bucket.map_or(Ok(()), |bucket| bucket.reserve(wanted, self.now())), false)
    }

    /// Notes what became of a call. `charged` says whether one that told no cost may have been charged all the same.
    pub async fn settle(&self, call: &Call<'_>, reservation: Reservation, cost: &Cost, charged: bool) {
        if let Some(requested) = cost.requested_query_cost {
            let mut costs = lock(&self.costs);
            let known = costs.entry(call.operation).or_insert(requested);
            *known = known.max(requested);
        }
        let spent = cost.actual_query_cost.unwrap_or(if charged { reservation.cost } else { 0.0 });
        let done = Done { id: reservation.id, spent, told: cost.throttle_status };
        let plentiful = {
            let (mut buckets, now) = (lock(&self.buckets), self.now());
            if let (false, Some(told)) = (buckets.contains_key(call.shop), done.told) {
                buckets.insert(call.shop.clone(), Bucket::new(told, now));
            }
            match buckets.get_mut(call.shop) {
                Some(bucket) => {
                    bucket.settle(&done, now);
                    bucket.is_plentiful(now)
                }
                None => true,
            }
        };
        let Some(shared) = &self.shared else { return };
        if reservation.shared || !plentiful {
            match timeout(SHARED_WITHIN, shared.settle(call.shop, &done)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => unshared(&error),
                Err(error) => unshared(&error),
            }
        }
    }
}

/// Waits for the bucket.
pub(super) async fn waited(call: &Call<'_>, pause: Duration) {
    let priority = match call.priority {
        Priority::Redemption => "redemption",
        Priority::Background => "background",
    };
    histogram!(ADMIN_WAIT_SECONDS, "priority" => priority).record(pause.as_secs_f64());
    tracing::debug!(priority, pause_ms = pause.as_millis(), "waiting for the shop's bucket");
    sleep(pause).await;
}

/// Counts what an answer cost, for `/metrics` and in the call's span.
pub(super) fn count(operation: &'static str, cost: &Cost, throttled: bool) {
    let span = tracing::Span::current();
    if let Some(requested) = cost.requested_query_cost {
        span.record("requested_cost", requested);
        counter!(ADMIN_COST_REQUESTED, "operation" => operation).increment(requested as u64);
    }
    if let Some(actual) = cost.actual_query_cost {
        span.record("actual_cost", actual);
        counter!(ADMIN_COST_ACTUAL, "operation" => operation).increment(actual as u64);
    }
    if throttled {
        counter!(ADMIN_THROTTLED, "operation" => operation).increment(1);
    }
}

fn unshared(error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(error, "a shop's bucket is not shared just now");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    use super::super::AdminApi;
    use super::*;
    use crate::config::{Config, Secret};

    /// What was recorded in spans: `name=value`.
    #[derive(Clone, Default)]
    struct Spans(Arc<Mutex<Vec<String>>>);

    impl Visit for Spans {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            lock(&self.0).push(format!("{field}={value:?}"));
        }
    }

    impl<S: tracing::Subscriber> Layer<S> for Spans {
        fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            span.record(&mut self.clone());
        }

        fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
            values.record(&mut self.clone());
        }
    }

    #[test]
    fn what_could_not_be_answered_in_time_is_not_sent() {
        let (shop, deadline) =
            ("tea.myshopify.com".parse().unwrap(), Instant::now() + Duration::from_secs(60));
        let (operation, priority) = ("Shop", Priority::Redemption);
        let call = Call { shop: &shop, operation, priority, patience: Duration::MAX, deadline };
        assert!(call.waits_for(Duration::from_secs(50)));
        assert!(!call.waits_for(Duration::from_millis(59_800)), "a fifth of a second would be left");
        let impatient = Call { patience: Duration::ZERO, ..call };
        assert!(
            impatient.has_time_after(Duration::from_secs(1)) && !impatient.waits_for(Duration::from_secs(1))
        );
    }

    #[tokio::test]
    async fn a_call_says_in_its_span_what_it_cost() {
        let body = r#"{"data":{"shop":{"id":"gid://shopify/Shop/1","name":"Tea","myshopifyDomain":"tea.myshopify.com",
            "currencyCode":"GBP","ianaTimezone":"Europe/London"}},
            "extensions":{"cost":{"requestedQueryCost":4,"actualQueryCost":3,
            "throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":1997,"restoreRate":100.0}}}}"#;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 8192]).await.unwrap() > 0);
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            // The connection stays open until the whole request was sent.
            while stream.read(&mut [0; 8192]).await.is_ok_and(|read| read > 0) {}
        });
        let config = Config::load(None, &[("LOYALNEST_SHOPIFY_URL".to_owned(), url)]).unwrap();
        let admin = AdminApi::new(&config).unwrap();
        let admin = admin.shop(&"tea.myshopify.com".parse().unwrap(), &Secret::new("shpat_1"));
        let spans = Spans::default();
        let subscriber = tracing_subscriber::registry().with(spans.clone());
        let _guard = tracing::subscriber::set_default(subscriber);
        admin.shop_details().await.unwrap();
        let recorded = lock(&spans.0).clone();
        for expected in [r#"operation="ShopDetails""#, "requested_cost=4.0", "actual_cost=3.0"] {
            assert!(recorded.iter().any(|field| field == expected), "{expected}: {recorded:?}");
        }
    }
}
