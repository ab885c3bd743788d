//! `POST /webhooks`: every topic, from Shopify.

use std::error::Error;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tower_http::timeout::TimeoutError;

use super::{AcceptError, Delivery};
use crate::app::App;
use crate::db::Timestamp;
use crate::shopify::ShopDomain;
use crate::web::Problem;

/// Longer values in a header are nonsense; they would be stored.
const HEADER_LIMIT: usize = 255;

/// The inbox's routes.
pub fn routes(app: &App) -> Router<App> {
    Router::new().route("/webhooks", post(receive)).layer(DefaultBodyLimit::max(app.config.inbox.body_limit))
}

/// Stores a webhook and answers 200 once it is committed, also when it was stored before, is stale, or of a topic
/// nobody asked for: Shopify would only send it again.
async fn receive(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The body is larger than this server takes.",
        ),
        _ if took_too_long(&rejection) => Problem::body_too_slow(),
        _ => Problem::bad_request("body_unreadable", "The body could not be read."),
    })?;
    let signature = headers.get("x-shopify-hmac-sha256").map(|value| value.as_bytes()).unwrap_or_default();
    if !app.signer.verify_webhook(signature, &body) {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "bad_signature",
            "The body is not signed with this app's secret.",
        ));
    }
    let triggered_at: Timestamp = header(&headers, "x-shopify-triggered-at")?
        .parse()
        .map_err(|_| Problem::bad_request("bad_header", "X-Shopify-Triggered-At is not a time."))?;
    let domain: ShopDomain = header(&headers, "x-shopify-shop-domain")?
        .parse()
        .map_err(|_| Problem::bad_request("bad_header", "X-Shopify-Shop-Domain is not a shop."))?;
    let topic = header(&headers, "x-shopify-topic")?.to_owned();
    let webhook_id = header(&headers, "x-shopify-webhook-id")?.to_owned();
    let optional = |name| header(&headers, name).ok().map(str::to_owned);

    // Also of a shop that uninstalled the app: what happened before may arrive after.
    let shop = app.shops.find_known(&domain).await?.ok_or_else(Problem::unknown_shop)?;
    let delivery = Delivery {
        shop,
        webhook_id,
        event_id: optional("x-shopify-event-id"),
        topic,
        api_version: optional("x-shopify-api-version"),
        triggered_at,
        payload: body.into(),
    };
    match app.inbox.accept(delivery).await {
        Ok(_) => Ok(StatusCode::OK),
        Err(AcceptError::NotJson) => Err(Problem::bad_request("not_json", "The body is not JSON.")),
        Err(AcceptError::Database(error)) => Err(error.into()),
        Err(AcceptError::Full | AcceptError::TimedOut | AcceptError::Unavailable | AcceptError::Closed) => {
            Err(Problem::unavailable())
        }
    }
}

/// Whether a body was given up because nothing more of it came.
fn took_too_long(rejection: &BytesRejection) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(rejection);
    while let Some(error) = cause {
        if error.is::<TimeoutError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Problem> {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.len() {
        1..=HEADER_LIMIT => Ok(value),
        _ => Err(Problem::bad_request(
            "bad_header",
            format!("{name} is missing or no text of at most 255 bytes."),
        )),
    }
}
