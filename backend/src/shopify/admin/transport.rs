//! One GraphQL call over HTTP: errors told apart, throttling waited out, faults tried again within the deadline.

use std::time::Duration;

use graphql_client::{QueryBody, Response};
use reqwest::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::{Admin, AdminError};

/// The first wait after a fault; each further one is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The wait when Shopify does not say how long.
const THROTTLED_WAIT: Duration = Duration::from_secs(1);

impl Admin {
    /// Sends an operation until it is answered, refused, or the deadline comes. Only for operations that may be
    /// repeated: it is not always known whether one that failed took effect.
    pub(super) async fn call<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
    ) -> Result<D, AdminError> {
        self.call_while(body, AdminError::is_retryable).await
    }

    /// Sends an operation that must not take effect twice: again only if Shopify has not begun with it.
    pub(super) async fn call_once<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
    ) -> Result<D, AdminError> {
        self.call_while(body, |error| matches!(error, AdminError::Throttled { .. })).await
    }

    async fn call_while<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
        again: fn(&AdminError) -> bool,
    ) -> Result<D, AdminError> {
        let deadline = self.deadline();
        let mut wait = FIRST_WAIT;
        loop {
            let error = match self.send(body, deadline).await {
                Ok(data) => return Ok(data),
                Err(error) if !again(&error) => return Err(error),
                Err(error) => error,
            };
            let pause = match &error {
                AdminError::Throttled { wait } => *wait + spread(FIRST_WAIT),
                _ => wait / 2 + spread(wait),
            };
            if Instant::now() + pause >= deadline {
                return Err(error);
            }
            tracing::debug!(operation = body.operation_name, %error, pause_ms = pause.as_millis(), "trying again");
            sleep(pause).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn send<V: Serialize, D: DeserializeOwned>(
        &self,
        body: &QueryBody<V>,
        deadline: Instant,
    ) -> Result<D, AdminError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut request = self.http.post(&self.url).header("X-Shopify-Access-Token", self.token.expose());
        // The client's own timeout is the longest one; the deadline may be nearer.
        request = request.timeout(left.min(self.timeout));
        let response = request.json(body).send().await.map_err(AdminError::unreachable)?;
        let status = response.status();
        let retry_after =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let answer = response.bytes().await.map_err(AdminError::unreachable)?;
        match status {
            StatusCode::OK => read(body.operation_name, &answer),
            StatusCode::TOO_MANY_REQUESTS => {
                let said = serde_json::from_slice(&answer).ok().and_then(|answer| throttled(&answer));
                let wait = said.or(retry_after.map(Duration::from_secs_f64)).unwrap_or(THROTTLED_WAIT);
                Err(AdminError::Throttled { wait })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(AdminError::Unauthorized { status: status.as_u16() })
            }
            status if status.is_server_error() => Err(AdminError::Server { status: status.as_u16() }),
            status => Err(AdminError::Refused { status: status.as_u16() }),
        }
    }
}

/// Up to this long, evenly spread, so that callers who failed together do not return together.
fn spread(most: Duration) -> Duration {
    most.mul_f64(fastrand::f64())
}

/// The data of an answer. Data beside errors is accepted: what the app may not see is null.
fn read<D: DeserializeOwned>(operation: &str, answer: &[u8]) -> Result<D, AdminError> {
    let malformed = |error: serde_json::Error| AdminError::Malformed(error.into());
    let answer: serde_json::Value = serde_json::from_slice(answer).map_err(malformed)?;
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
            Ok(data)
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
fn throttled(answer: &serde_json::Value) -> Option<Duration> {
    let errors = answer["errors"].as_array()?;
    errors.iter().find(|error| error["extensions"]["code"] == "THROTTLED")?;
    let cost = &answer["extensions"]["cost"];
    let bucket = &cost["throttleStatus"];
    let seconds = match (
        cost["requestedQueryCost"].as_f64(),
        bucket["currentlyAvailable"].as_f64(),
        bucket["restoreRate"].as_f64(),
    ) {
        (Some(requested), Some(available), Some(rate)) if rate > 0.0 => (requested - available) / rate,
        _ => return Some(THROTTLED_WAIT),
    };
    Some(Duration::try_from_secs_f64(seconds.clamp(0.05, 60.0)).unwrap_or(THROTTLED_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn throttled_answer(available: f64) -> serde_json::Value {
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
        let read = |answer: serde_json::Value| read::<serde_json::Value>("X", answer.to_string().as_bytes());
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
        assert!(matches!(super::read::<()>("X", b"<html>"), Err(AdminError::Malformed(_))));
    }
}
