//! The page's files, compiled in: no build step, nothing to install.

use std::io::{self, Write};
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Name, type, text.
type File = (&'static str, &'static str, &'static str);

macro_rules! files {
    ($($name:literal: $kind:expr),* $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("page/", $name)))),*]
    };
}

pub(super) const INDEX: File = ("index.html", HTML, include_str!("page/index.html"));
pub(super) const FILES: &[File] = files! {
    "style.css": CSS,
    "shop.css": CSS,
    "cart.css": CSS,
    "glass.css": CSS,
    "app.js": JS,
    "state.js": JS,
    "actions.js": JS,
    "api.js": JS,
    "dom.js": JS,
    "words.js": JS,
    "art.js": JS,
    "account.js": JS,
    "products.js": JS,
    "cart.js": JS,
    "rewards.js": JS,
    "orders.js": JS,
    "glass.js": JS,
};

/// The page that stands where Shopify's own would, and what it adds to the files above.
pub(super) const SURFACE: File = ("surface.html", HTML, include_str!("page/surface.html"));
pub(super) const SURFACE_FILES: &[File] = files! {
    "surface.css": CSS,
    "surface.js": JS,
    "surface-api.js": JS,
    "surface-pages.js": JS,
};

/// Every file.
pub(super) fn all() -> impl Iterator<Item = &'static File> {
    FILES.iter().chain(SURFACE_FILES).chain([&INDEX, &SURFACE])
}

/// The files as they are sent.
static SENT: LazyLock<Vec<(File, Option<Bytes>)>> =
    LazyLock::new(|| all().map(|file| (*file, compressed(file.2).ok())).collect());

/// `GET /`
pub(super) async fn index(headers: HeaderMap) -> Response {
    answer(INDEX.0, &headers)
}

/// `GET /demo/{file}`
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    answer(&name, &headers)
}

pub(super) fn answer(name: &str, asked: &HeaderMap) -> Response {
    let Some(((_, kind, text), small)) = SENT.iter().find(|((known, _, _), _)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, *kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept-encoding"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'self'; img-src 'self' data:"),
    ];
    let takes = asked.get(header::ACCEPT_ENCODING).and_then(|encodings| encodings.to_str().ok());
    match small.clone().filter(|_| takes.is_some_and(|encodings| encodings.contains("gzip"))) {
        Some(small) => (headers, [(header::CONTENT_ENCODING, "gzip")], small).into_response(),
        None => (headers, *text).into_response(),
    }
}

/// gzip.
pub(super) fn compressed(text: &str) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?.into())
}
