//! Answers, read up to a limit.

use axum::Router;
use reqwest::header::HeaderMap;
use reqwest::{Body, Request, Response, StatusCode};
use tower::ServiceExt;

use super::AddressError;
use super::guard::NotPublic;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it was sent: compressed, if the server did so unasked.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was sent: the address must not be asked.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No connection, or no whole answer in time. It is not known whether the request took effect.
    #[error("there is no answer")]
    Unreachable(#[source] reqwest::Error),
    /// More than whoever asked wants to read.
    #[error("the answer is too large")]
    TooLarge,
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Error {
        let mut cause = std::error::Error::source(&error);
        while let Some(source) = cause {
            if source.is::<NotPublic>() {
                return AddressError::NotPublic.into();
            }
            cause = source.source();
        }
        // The address may name a shop, or hold a secret; the rest of the error is enough.
        Error::Unreachable(error.without_url())
    }
}

/// Reads an answer, which must not have more than `most` bytes.
pub(super) async fn read(mut response: Response, most: usize) -> Result<Answer, Error> {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

/// What a service of this process answers.
pub(super) async fn inside(service: Router, request: Request) -> Result<Response, Error> {
    let request = axum::http::Request::<Body>::try_from(request)?;
    let (head, body) = match service.oneshot(request.map(axum::body::Body::new)).await {
        Ok(response) => response.into_parts(),
        Err(never) => match never {},
    };
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| Error::TooLarge)?;
    Ok(axum::http::Response::from_parts(head, body).into())
}
