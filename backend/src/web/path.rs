//! The parts of an address that a route names.

use axum::extract::{self, FromRequestParts};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Problem;

/// As axum's, but what makes no sense is refused as everything else is: 400 `bad_path`.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

#[expect(clippy::disallowed_types, reason = "this is the one place")]
impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(parts)) => Ok(Path(parts)),
            Err(rejection) => Err(Problem::bad_request("bad_path", rejection.body_text())),
        }
    }
}
