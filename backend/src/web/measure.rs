//! Metrics over HTTP: every request is counted, and who may read the counts.

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::{counter, histogram};
use subtle::ConstantTimeEq;

use super::Problem;
use crate::app::App;
use crate::metrics as counts;

/// The format's name and version.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counts a request and how long it took.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let method = method(request.method());
    let start = Instant::now();
    let response = next.run(request).await;
    histogram!(counts::REQUEST_SECONDS, "route" => route.clone()).record(start.elapsed().as_secs_f64());
    let status = response.status().as_str().to_owned();
    counter!(counts::REQUESTS, "method" => method, "route" => route, "status" => status).increment(1);
    response
}

/// A method that callers made up is not worth a label of its own.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// `GET /metrics` for those who have the token; without a token in the settings, it is not there.
pub(super) async fn with_token(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let token = app.config.metrics.token.expose();
    if token.is_empty() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here."));
    }
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.strip_prefix("Bearer ").unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(token.as_bytes())) {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "bad_token",
            "The request does not carry the token of metrics.token (Authorization: Bearer …).",
        ));
    }
    show(State(app)).await
}

async fn show(State(app): State<App>) -> Result<Response, Problem> {
    let text = crate::metrics::render(&app).await?;
    Ok(([(CONTENT_TYPE, FORMAT)], text).into_response())
}

/// The service of the loopback listener: nothing but `GET /metrics`, for whoever is on the machine.
pub fn metrics_router(app: &App) -> Router {
    Router::new().route("/metrics", get(show)).with_state(app.clone())
}
