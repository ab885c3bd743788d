//! The app proxy: storefront paths that are the app's, with a signed query that says who is signed in.

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::shop::DevShop;
use crate::storefront::signed_in;

/// `ANY /apps/{subpath}/…`
pub(crate) async fn forward(
    State(shop): State<DevShop>,
    Path(path): Path<Vec<(String, String)>>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let app = &shop.facts().settings.app;
    let part = |name: &str| path.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let ours = part("subpath") == Some(&app.proxy_subpath);
    let (Some(url), Some(http), true) = (shop.app_url(), shop.http(), ours) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let given = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let signed = shop.sign_proxy(given, signed_in(&shop, &headers));
    let rest = part("path").map(|path| format!("/{path}")).unwrap_or_default();
    let target = format!("{url}{}{rest}?{signed}", app.proxy_path);

    let mut request = http.request(method, target).body(body);
    // Cookies stay with the shop, in both directions.
    for name in [header::CONTENT_TYPE, header::ACCEPT, header::ACCEPT_LANGUAGE] {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, "the app did not answer a proxied request");
            return (StatusCode::BAD_GATEWAY, "The app did not answer.").into_response();
        }
    };
    let status = answer.status();
    let mut kept = HeaderMap::new();
    for name in [header::CONTENT_TYPE, header::CACHE_CONTROL, header::RETRY_AFTER, header::LOCATION] {
        if let Some(value) = answer.headers().get(&name) {
            kept.insert(name, value.clone());
        }
    }
    match answer.bytes().await {
        Ok(bytes) => (status, kept, bytes).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
