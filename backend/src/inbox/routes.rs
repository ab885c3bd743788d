//! `POST /webhooks`: every topic, from Shopify.

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;

use super::{AcceptError, Delivery};
use crate::app::App;
use crate::db::Timestamp;
use crate::shopify::ShopDomain;
use crate::web::Problem;

/// Longer values in a header are nonsense; they would be stored.
const HEADER_LIMIT: usize = 255;

/// Shopify sends these also of a shop that never opened the app, and again of one that was erased: nothing is held of
/// either. (Not `app/uninstalled`, which may overtake a shop's first install: it has to come again.)
const NOTHING_TO_DO_WITHOUT_A_SHOP: [&str; 3] = ["customers/data_request", "customers/redact", "shop/redact"];

/// Where Shopify sends webhooks to.
pub const PATH: &str = "/webhooks";

/// The inbox's routes.
pub fn routes(app: &App) -> Router<App> {
    Router::new().route(PATH, post(receive)).layer(DefaultBodyLimit::max(app.config.inbox.body_limit))
}

/// Stores a webhook and answers 200 once it is committed, also when it was stored before, is stale, or of a topic
/// nobody asked for: Shopify would only send it again.
async fn receive(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let body = body?;
    let signature = only(&headers, "x-shopify-hmac-sha256").map(HeaderValue::as_bytes).unwrap_or_default();
    if !app.signer.verify_webhook(signature, &body) {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "bad_signature",
            "The body is not signed with this app's secret.",
        ));
    }
    let triggered_at = triggered_at(header(&headers, "x-shopify-triggered-at")?)
        .ok_or_else(|| Problem::bad_request("bad_header", "X-Shopify-Triggered-At is not a time."))?;
    // What is dated ahead would seem newer than whatever follows: an uninstall would outlast the next install.
    let triggered_at = triggered_at.min(app.clock.now() + app.config.shopify.clock_tolerance);
    let domain: ShopDomain = header(&headers, "x-shopify-shop-domain")?
        .parse()
        .map_err(|_| Problem::bad_request("bad_header", "X-Shopify-Shop-Domain is not a shop."))?;
    let topic = header(&headers, "x-shopify-topic")?.to_owned();
    let webhook_id = header(&headers, "x-shopify-webhook-id")?.to_owned();
    let optional = |name| header(&headers, name).ok().map(str::to_owned);

    // Also of a shop that uninstalled the app: what happened before may arrive after.
    let Some(shop) = app.shops.find_known(&domain).await? else {
        if NOTHING_TO_DO_WITHOUT_A_SHOP.contains(&topic.as_str()) {
            tracing::info!(%domain, topic, "a webhook of a shop that is not known, or not any more");
            return Ok(StatusCode::OK);
        }
        return Err(Problem::unknown_shop());
    };
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

/// A time that both engines keep. Nothing of Shopify's is from before 1970.
fn triggered_at(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|at| *at >= Timestamp::UNIX_EPOCH)
}

/// The value of a header that stands there once. The body's signature is not over the headers: of two values one may be
/// anybody's.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Problem> {
    let value = only(headers, name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.len() {
        1..=HEADER_LIMIT => Ok(value),
        _ => Err(Problem::bad_request(
            "bad_header",
            format!("{name} is missing, repeated, or no text of at most 255 bytes."),
        )),
    }
}
