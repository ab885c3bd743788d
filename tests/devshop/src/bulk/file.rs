//! The file of a bulk operation over HTTP: whole or from the middle on, compressed or not, broken off or not.

use std::io::Write;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncWriteExt, duplex};
use tokio_util::io::ReaderStream;

use crate::shop::DevShop;

/// How long a connection that breaks stands still before.
const BREAKS_AFTER: Duration = Duration::from_millis(50);

/// `GET /bulk/{operation}`. Who knows the address may read it, as at Shopify.
pub(crate) async fn serve(
    State(shop): State<DevShop>,
    Path(operation): Path<u64>,
    headers: HeaderMap,
) -> Response {
    let mut bulk = shop.bulk();
    let faults = bulk.faults.clone();
    let from = from(&headers);
    bulk.fetched.push(from.unwrap_or(0));
    if let Some(status) = faults.status {
        return StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN).into_response();
    }
    let Some(operation) = bulk.operations.get(&operation).filter(|operation| !operation.is_empty()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut file = operation.file.clone().into_bytes();
    file.truncate(faults.cut_at.unwrap_or(usize::MAX));
    let breaks = bulk.faults.breaks > 0;
    bulk.faults.breaks = bulk.faults.breaks.saturating_sub(1);
    drop(bulk);

    let mut told: Vec<(HeaderName, String)> = Vec::new();
    let mut status = StatusCode::OK;
    match from.filter(|_| !faults.no_ranges).map(|from| usize::try_from(from).unwrap_or(usize::MAX)) {
        Some(from) if from >= file.len() => return StatusCode::RANGE_NOT_SATISFIABLE.into_response(),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", file.len() - 1, file.len());
            told.push((header::CONTENT_RANGE, range));
            status = StatusCode::PARTIAL_CONTENT;
            file.drain(..from);
        }
        None if faults.gzip => {
            told.push((header::CONTENT_ENCODING, "gzip".to_owned()));
            file = gzip(&file);
        }
        None => {}
    }
    told.push((header::CONTENT_LENGTH, file.len().to_string()));
    if breaks {
        // Less comes than was told: the connection is closed.
        file.truncate(file.len() / 2);
    }
    let (mut near, far) = duplex(1 << 16);
    tokio::spawn(async move {
        // Whoever hangs up has heard enough.
        if near.write_all(&file).await.is_ok() && breaks {
            // What was sent arrives before the connection is closed.
            tokio::time::sleep(BREAKS_AFTER).await;
        }
    });
    let body = Body::from_stream(ReaderStream::new(far));
    (status, axum::response::AppendHeaders(told), body).into_response()
}

/// The first byte that is asked for: `Range: bytes=N-`.
fn from(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn gzip(file: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let written = encoder.write_all(file).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
