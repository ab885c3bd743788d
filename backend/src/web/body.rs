//! Bodies that do not arrive, or are not what was asked for.

use std::error::Error;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::StatusCode;
use futures_util::{StreamExt, stream};
use tower_http::timeout::TimeoutError;

use super::Problem;

/// The request once its body is here. Of one that is larger than `most` bytes, or breaks off, so much that whoever reads it
/// finds out.
pub(super) async fn arrived(request: Request, most: usize) -> Request {
    let (parts, body) = request.into_parts();
    let (mut pieces, mut read) = (body.into_data_stream(), Vec::new());
    let broken = loop {
        match pieces.next().await {
            Some(Ok(piece)) => read.extend_from_slice(&piece),
            Some(Err(error)) => break Some(error),
            None => break None,
        }
        if read.len() > most {
            break None;
        }
    };
    let read = Bytes::from(read);
    let body = match broken {
        None => Body::from(read),
        Some(error) => Body::from_stream(stream::iter([Ok(read), Err(error)])),
    };
    Request::from_parts(parts, body)
}

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
