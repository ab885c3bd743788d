//! Every route, and the layers all requests go through.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::time::timeout;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::{Level, Span};

use super::{Problem, cors, health, idempotency, limits, measure, operator, session, shopper};
use crate::app::App;
use crate::config::duration;
use crate::{
    activation, audit, campaigns, customers, finance, history, inbox, merchants, orders, points, pos,
    privacy, programs, proof, redemptions, referrals, rfm, support, sync, tasks,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The whole of it, ready to serve.
pub fn router(app: &App) -> Router {
    let routes = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(measure::with_token))
        .merge(shopper::doors(shoppers()))
        .merge(merchants::routes::auth())
        .merge(operator::routes())
        .merge(tasks::board::routes())
        .merge(api(app).layer(for_staff()))
        .layer(DefaultBodyLimit::max(app.config.web.body_limit))
        .merge(inbox::routes(app))
        .with_state(app.clone())
        .layer(from_fn_with_state(app.clone(), limits::under_way))
        .layer(RequestBodyTimeoutLayer::new(duration(app.config.web.body_timeout)));
    layered(routes, duration(app.config.web.request_timeout))
}

/// What shoppers may ask, wherever they are.
fn shoppers() -> Router<App> {
    points::routes::shopper()
        .merge(redemptions::routes::shopper())
        .merge(redemptions::payouts::routes::shopper())
        .merge(orders::routes::shopper())
        .merge(campaigns::progress::shopper())
        .merge(customers::birthdays::shopper())
        .merge(referrals::shopper())
        .merge(programs::routes::shopper())
}

/// What session tokens and those of support open. Its refusals come first, so that the browser is let in to read them.
fn api(app: &App) -> Router<App> {
    merchants::routes::api()
        .merge(audit::routes::api())
        .merge(finance::routes::api())
        .merge(activation::routes::api())
        .merge(campaigns::routes::api())
        .merge(orders::routes::api())
        .merge(programs::routes::api())
        .merge(points::api::api())
        .merge(redemptions::api::api())
        .merge(pos::routes::api())
        .merge(referrals::api())
        .merge(rfm::routes::api())
        .merge(history::routes::api())
        .merge(support::routes::api())
        .merge(privacy::routes::api())
        .merge(customers::emails::api())
        .merge(customers::tags::api())
        .merge(customers::profile::api())
        .merge(customers::birthdays::api())
        .merge(tasks::routes::api())
        .merge(sync::reconcile::routes::api())
        .merge(proof::routes::api())
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), support::watch))
}

/// The embedded admin and the point of sale call from elsewhere, too.
fn for_staff() -> CorsLayer {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    let headers =
        [header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH, idempotency::IDEMPOTENCY_KEY];
    cors::anywhere(methods, headers).expose_headers([header::ETAG, header::RETRY_AFTER, session::RETRY])
}

/// What every request goes through: an id, a span, and a problem instead of a panic, a hang or nothing.
fn layered(routes: Router, limit: Duration) -> Router {
    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(REQUEST_ID, NewRequestId))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_response(DefaultOnResponse::new().level(Level::DEBUG)),
        )
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(from_fn(measure::measure))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(limit, in_time));
    routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed).layer(layers)
}

async fn in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!("a request took too long");
            Problem::unavailable().into_response()
        }
    }
}

pub(super) async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
}

pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This cannot be asked that way.")
}

/// Without the query, which names customers, and with the route instead of the path.
fn span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str);
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    tracing::info_span!("request", method = %request.method(), route, id)
}

fn panicked(_panic: Box<dyn Any + Send + 'static>) -> Response {
    // The panic's own message may hold anything; the hook has written where it happened.
    tracing::error!("a request handler panicked");
    Problem::internal().into_response()
}

/// Sortable by time.
#[derive(Clone, Copy)]
struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _request: &axum::http::Request<B>) -> Option<RequestId> {
        uuid::Uuid::now_v7().to_string().parse().ok().map(RequestId::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::header::CONTENT_TYPE;
    use tower::ServiceExt;

    async fn panics() -> &'static str {
        panic!("with a customer's name in it")
    }

    async fn ask(path: &str) -> (u16, String) {
        let routes = Router::new()
            .route("/panics", get(panics))
            .route("/hangs", get(std::future::pending::<()>))
            .route("/fine", get(|| async { "fine" }));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = layered(routes, Duration::from_millis(20)).oneshot(request).await.unwrap();
        assert!(response.headers().contains_key(REQUEST_ID), "{path}");
        let status = response.status();
        if !status.is_success() {
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json", "{path}");
        }
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn whatever_happens_the_answer_is_a_problem_that_shows_nothing_of_the_inside() {
        assert_eq!(ask("/fine").await, (200, "fine".to_owned()));
        for (path, status, code) in
            [("/panics", 500, "internal"), ("/hangs", 503, "unavailable"), ("/nowhere", 404, "not_found")]
        {
            let (answered, body) = ask(path).await;
            assert_eq!(answered, status, "{path}");
            assert!(body.contains(&format!("\"code\":\"{code}\"")) && !body.contains("customer"), "{body}");
        }
    }
}
