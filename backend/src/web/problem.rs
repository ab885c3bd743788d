//! Failures over HTTP: RFC 9457 problem details with a stable `code`.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::db;
use crate::merchants::ShopError;
use crate::shopify::OAuthError;

/// A failed request, as its sender sees it. What went wrong inside is logged and never shown.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: Cow<'static, str>,
    /// Seconds.
    retry_after: Option<u32>,
    headers: HeaderMap,
    extra: Vec<(String, Value)>,
}

impl Problem {
    /// A problem with a stable code for programs and a sentence for a person.
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<Cow<'static, str>>) -> Self {
        Problem {
            status,
            code,
            title: title.into(),
            retry_after: None,
            headers: HeaderMap::new(),
            extra: Vec::new(),
        }
    }

    /// 400.
    pub fn bad_request(code: &'static str, title: impl Into<Cow<'static, str>>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, code, title)
    }

    /// 404 for a shop that has not installed the app.
    pub fn unknown_shop() -> Self {
        Problem::new(StatusCode::NOT_FOUND, "unknown_shop", "This shop has not installed the app.")
    }

    /// 503: the same request may succeed in a moment.
    pub fn unavailable() -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service is busy. Please try again.")
            .retry_after(1)
    }

    /// 429: this shop sends too many.
    pub fn too_many_requests(seconds: u32) -> Self {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "This shop asks too often. Please try again in a moment.",
        )
        .retry_after(seconds)
    }

    /// 408: the body did not come.
    pub fn body_too_slow() -> Self {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "The body took too long to arrive.")
    }

    /// 500. Log the cause first.
    pub fn internal() -> Self {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.")
    }

    /// When to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// One more header of the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// One more member of the answer, e.g. the balance that is too small.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.push((member.to_owned(), value.into()));
        self
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body: Map<String, Value> = self.extra.into_iter().collect();
        body.insert("title".to_owned(), self.title.into());
        body.insert("status".to_owned(), self.status.as_u16().into());
        body.insert("code".to_owned(), self.code.into());
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.extend(self.headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Logs the database's error, once, at this boundary.
impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        if error.is_unavailable() {
            tracing::warn!(error = &error as &dyn std::error::Error, "the database is not available");
            return Problem::unavailable();
        }
        tracing::error!(error = &error as &dyn std::error::Error, "the database refused");
        Problem::internal()
    }
}

impl From<ShopError> for Problem {
    fn from(error: ShopError) -> Self {
        let away = match error {
            ShopError::Database(error) => return error.into(),
            ShopError::OAuth(OAuthError::Unreachable(_) | OAuthError::Server { .. })
            | ShopError::Refreshing
            | ShopError::TokenRefused { .. } => true,
            ShopError::Admin(ref error) => error.is_retryable(),
            _ => false,
        };
        if away {
            tracing::warn!(error = &error as &dyn std::error::Error, "a shop does not answer");
            return Problem::unavailable();
        }
        tracing::error!(error = &error as &dyn std::error::Error, "a shop cannot be read");
        Problem::internal()
    }
}
