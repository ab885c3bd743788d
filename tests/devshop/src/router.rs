//! All the shop serves over HTTP.

use axum::Router;
use axum::routing::{any, get, post};

use crate::shop::DevShop;
use crate::{admin, bulk, oauth, proxy, storefront};

/// Admin API, OAuth, app proxy and storefront API of a shop. Pages are merged in by whoever has some.
pub fn router(shop: &DevShop) -> Router {
    Router::new()
        .route("/admin/api/{version}/graphql.json", post(admin::graphql))
        .route("/at/{shop}/admin/api/{version}/graphql.json", post(admin::graphql_at))
        .route("/admin/oauth/access_token", post(oauth::access_token))
        .route("/admin/oauth/authorize", get(oauth::authorize))
        .route("/bulk/{operation}", get(bulk::serve))
        .route("/apps/{subpath}", any(proxy::forward))
        .route("/apps/{subpath}/{*path}", any(proxy::forward))
        .nest("/shop", storefront::router())
        .merge(storefront::ajax::router())
        .with_state(shop.clone())
}
