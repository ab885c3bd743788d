//! Shopify as the backend sees it: many shops, each at its own host.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use devshop::DevShop;
use tower::ServiceExt;

/// Answers in the place of these shops.
pub fn exchange(shops: &[DevShop]) -> Router {
    let by_host = shops.iter().map(|shop| (shop.settings().domain.clone(), devshop::router(shop)));
    let by_host: Arc<HashMap<String, Router>> = Arc::new(by_host.collect());
    Router::new().fallback(move |request: Request| {
        let shop = request.uri().host().and_then(|host| by_host.get(host)).cloned();
        async move {
            match shop {
                Some(shop) => shop
                    .oneshot(request)
                    .await
                    .unwrap_or_else(|never: std::convert::Infallible| match never {}),
                None => Response::into_response(StatusCode::NOT_FOUND.into_response()),
            }
        }
    })
}
