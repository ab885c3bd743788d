//! All the shop serves over HTTP.

use axum::Router;
use axum::routing::{any, post};

use crate::shop::DevShop;
use crate::{admin, proxy, storefront};

/// Admin API, app proxy and storefront API of a shop. Pages are merged in by whoever has some.
pub fn router(shop: &DevShop) -> Router {
    Router::new()
        .route("/admin/api/{version}/graphql.json", post(admin::graphql))
        .route("/apps/{subpath}", any(proxy::forward))
        .route("/apps/{subpath}/{*path}", any(proxy::forward))
        .nest("/shop", storefront::router())
        .with_state(shop.clone())
}
