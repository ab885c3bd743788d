//! One GraphQL call over HTTP: errors told apart, throttling waited out, faults tried again within the deadline.

use std::time::Duration;

use graphql_client::{QueryBody, Response};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, field};

use super::bucket::seconds;
use super::budget::{self, Call, Cost, waited};
use super::{Admin, AdminError};
use crate::config::Secret;
use crate::outgoing;

/// The first wait after a fault; each further one is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The wait when Shopify does not say how long.
const THROTTLED_WAIT: Duration = Duration::from_secs(1);
/// No operation of ours comes near it, in bytes.
const LARGEST_ANSWER: usize = 10_000_000;

/// The data of an answer.
pub(super) struct Answer<D> {
    pub data: D,
    /// False if something was left out: a null may then mean that the app may not see it.
    pub is_whole: bool,
}

impl Admin {
    /// Sends an operation until it is answered, refused, or the deadline comes. Only for operations that may be
    /// repeated: it is not always known whether one that failed took effect.
    pub(super) async fn call<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
    ) -> Result<D, AdminError> {
        Ok(self.call_in_part(body).await?.data)
    }

    /// The same, for whom it matters whether a null is all there is.
    pub(super) async fn call_in_part<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
    ) -> Result<Answer<D>, AdminError> {
        self.call_while(body, AdminError::is_retryable).await
    }

    /// Sends an operation that must not take effect twice: again only if Shopify has not begun with it.
    pub(super) async fn call_once<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
    ) -> Result<D, AdminError> {
        let again = |error: &AdminError| matches!(error, AdminError::Throttled { .. });
        Ok(self.call_while(body, again).await?.data)
    }

    async fn call_while<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
        again: fn(&AdminError) -> bool,
    ) -> Result<Answer<D>, AdminError> {
        let span = tracing::info_span!(
            "admin_call",
            operation = body.operation_name,
            requested_cost = field::Empty,
            actual_cost = field::Empty,
        );
        let again = if self.once { |_: &AdminError| false } else { again };
        self.call_until(body, self.deadline(), again).instrument(span).await
    }

    async fn call_until<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
        deadline: Instant,
        again: fn(&AdminError) -> bool,
    ) -> Result<Answer<D>, AdminError> {
        let operation = body.operation_name;
        let (priority, patience) = (self.priority, self.patience);
        let call = Call { shop: &self.shop, operation, priority, patience, deadline };
        let (mut wait, mut replaced) = (FIRST_WAIT, false);
        loop {
            let reservation = self.budgets.reserve(&call).await?;
            let token = self.token.get();
            let (answer, cost) = self.send(body, &token, deadline).await;
            let throttled = matches!(answer, Err(AdminError::Throttled { .. }));
            budget::count(operation, &cost, throttled);
            let charged = matches!(answer, Err(AdminError::Unreachable(_)));
            self.budgets.settle(&call, reservation, &cost, charged).await;
            let error = match answer {
                Ok(data) => return Ok(data),
                // Nothing was done, so it may be asked for again even if it must not be done twice.
                Err(AdminError::Unauthorized { status: 401 })
                    if self.replace(&token, replaced, deadline).await =>
                {
                    replaced = true;
                    continue;
                }
                Err(error) if !again(&error) => return Err(error),
                Err(error) => error,
            };
            let backoff = wait / 2 + spread(wait);
            let pause = match &error {
                // Whoever is throttled again although Shopify said that there is enough by now waits longer.
                AdminError::Throttled { wait: told } => (*told + spread(FIRST_WAIT)).max(backoff),
                _ => backoff,
            };
            let waits = if throttled { call.waits_for(pause) } else { call.has_time_after(pause) };
            if !waits {
                return Err(error);
            }
            tracing::debug!(operation, %error, pause_ms = pause.as_millis(), "trying again");
            if throttled {
                waited(&call, pause).await;
            } else {
                sleep(pause).await;
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Whether there is another token than the one that was refused, in time. `again` if that was another already.
    async fn replace(&self, refused: &Secret, again: bool, deadline: Instant) -> bool {
        timeout_at(deadline, self.token.replace(refused, again)).await.unwrap_or(false)
    }

    /// Sends an operation once. Whatever the answer is, it may say what that cost.
    async fn send<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
        token: &Secret,
        deadline: Instant,
    ) -> (Result<Answer<D>, AdminError>, Cost) {
        let (status, retry_after, answer) = match self.exchange(body, token, deadline).await {
            Ok(exchanged) => exchanged,
            Err(error) => return (Err(error), Cost::default()),
        };
        let json = serde_json::from_slice::<Value>(&answer);
        let cost = json.as_ref().map(Cost::read).unwrap_or_default();
        let read = match status {
            StatusCode::OK => json.map_err(malformed).and_then(|answer| read(body.operation_name, answer)),
            StatusCode::TOO_MANY_REQUESTS => {
                let said = json.ok().and_then(|answer| throttled(&answer));
                let wait = said.or(retry_after.map(seconds)).unwrap_or(THROTTLED_WAIT);
                Err(AdminError::Throttled { wait })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(AdminError::Unauthorized { status: status.as_u16() })
            }
            status if status.is_server_error() => Err(AdminError::Server { status: status.as_u16() }),
            status => Err(AdminError::Refused { status: status.as_u16() }),
        };
        (read, cost)
    }

    /// The status, `Retry-After` (seconds) and body of an answer.
    async fn exchange<V: Serialize>(
        &self,
        body: &QueryBody<V>,
        token: &Secret,
        deadline: Instant,
    ) -> Result<(StatusCode, Option<f64>, Vec<u8>), AdminError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let request = self.outgoing.request(Method::POST, &self.url).map_err(outgoing::Error::from)?;
        let request = request.header("X-Shopify-Access-Token", token.expose());
        // One attempt's time is the longest one; the deadline may be nearer. Both end a body that drips, too.
        let request = request.timeout(left.min(self.timeout)).json(body);
        let answer = self.outgoing.fetch(request, LARGEST_ANSWER).await?;
        let retry_after =
            answer.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        Ok((answer.status, retry_after, answer.body))
    }
}

fn malformed(error: serde_json::Error) -> AdminError {
    AdminError::Malformed(error.into())
}

/// Up to this long, evenly spread, so that callers who failed together do not return together.
pub(super) fn spread(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}

/// The data of an answer. Data beside errors is accepted: what the app may not see is null.
fn read<D: DeserializeOwned>(operation: &str, answer: Value) -> Result<Answer<D>, AdminError> {
    if let Some(wait) = throttled(&answer) {
        return Err(AdminError::Throttled { wait });
    }
    let answer: Response<D> = serde_json::from_value(answer).map_err(malformed)?;
    let errors = answer.errors.unwrap_or_default();
    let code = |error: &graphql_client::Error| {
        Some(error.extensions.as_ref()?.get("code")?.as_str().unwrap_or_default().to_owned())
    };
    match answer.data {
        Some(data) => {
            if !errors.is_empty() {
                tracing::warn!(operation, errors = errors.len(), "Shopify left out a part of its answer");
            }
            Ok(Answer { data, is_whole: errors.is_empty() })
        }
        None if errors.iter().any(|error| code(error).as_deref() == Some("INTERNAL_SERVER_ERROR")) => {
            Err(AdminError::Server { status: 200 })
        }
        None => {
            let messages: Vec<_> = errors.into_iter().map(|error| error.message).collect();
            Err(AdminError::Operation(messages.join("; ")))
        }
    }
}

/// How long to wait if the answer says THROTTLED: until the bucket holds what the operation asked for.
fn throttled(answer: &Value) -> Option<Duration> {
    let errors = answer["errors"].as_array()?;
    errors.iter().find(|error| error["extensions"]["code"] == "THROTTLED")?;
    let cost = Cost::read(answer);
    Some(match (cost.requested_query_cost, cost.throttle_status) {
        (Some(requested), Some(bucket)) if bucket.restore_rate > 0.0 => {
            seconds((requested - bucket.currently_available) / bucket.restore_rate)
        }
        _ => THROTTLED_WAIT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn throttled_answer(available: f64) -> Value {
        json!({
            "errors": [{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }],
            "extensions": { "cost": { "requestedQueryCost": 60, "throttleStatus":
                { "maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0 } } },
        })
    }

    #[test]
    fn throttling_says_how_long() {
        assert_eq!(throttled(&throttled_answer(10.0)), Some(Duration::from_millis(500)));
        assert_eq!(throttled(&throttled_answer(100.0)), Some(Duration::from_millis(50)), "never nothing");
        let silent = json!({ "errors": [{ "message": "", "extensions": { "code": "THROTTLED" } }] });
        assert_eq!(throttled(&silent), Some(THROTTLED_WAIT));
        assert_eq!(throttled(&json!({ "data": {} })), None);
    }

    #[test]
    fn an_answer_is_read_by_what_is_in_it() {
        let read = |answer: Value| read::<Value>("X", answer).map(|answer| answer.data);
        assert_eq!(read(json!({ "data": { "a": 1 } })).unwrap(), json!({ "a": 1 }));
        let partial = json!({ "data": { "a": null }, "errors": [{ "message": "not for you" }] });
        assert_eq!(read(partial).unwrap(), json!({ "a": null }));
        assert!(matches!(read(throttled_answer(0.0)), Err(AdminError::Throttled { .. })));
        let internal =
            json!({ "errors": [{ "message": "", "extensions": { "code": "INTERNAL_SERVER_ERROR" } }] });
        assert!(read(internal).unwrap_err().is_retryable());
        let refused = read(json!({ "errors": [{ "message": "no such field" }] })).unwrap_err();
        assert_eq!(refused.to_string(), "Shopify refused the operation: no such field");
        assert!(!refused.is_retryable());
        assert!(matches!(read(json!([])), Err(AdminError::Malformed(_))));
    }
}
