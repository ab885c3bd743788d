//! Bodies that do not arrive, or are not what was asked for.

use std::error::Error;

use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::StatusCode;
use tower_http::timeout::TimeoutError;

use super::Problem;

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        unread(rejection.status(), &rejection)
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            JsonRejection::BytesRejection(rejection) => rejection.into(),
            rejection => Problem::bad_request("bad_body", rejection.body_text()),
        }
    }
}

fn unread(status: StatusCode, rejection: &(dyn Error + 'static)) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(status, "body_too_large", "The body is larger than this server takes.")
        }
        _ if took_too_long(rejection) => Problem::body_too_slow(),
        _ => Problem::bad_request("body_unreadable", "The body could not be read."),
    }
}

/// Whether a body was given up because nothing more of it came.
fn took_too_long(rejection: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(rejection);
    while let Some(error) = cause {
        if error.is::<TimeoutError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
