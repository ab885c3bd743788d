//! The storefront as JSON, for pages and tests: shopping, signing in, and what a merchant would do in the admin.
//!
//! Ids are strings, since they may exceed what JavaScript's numbers hold. Money is minor units, with the currency named
//! once. The cart is the one of the `x-cart` header, else of the cookie `devshop_cart`: so two tabs may have two carts.

pub(crate) mod ajax;
mod cart;
mod merchant;
pub(crate) mod session;
mod views;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde_json::json;

use crate::shop::{DevShop, ShopError};
pub use cart::current as current_cart;
pub use session::signed_in;

/// Everything below `/shop`.
pub(crate) fn router() -> Router<DevShop> {
    Router::new()
        .route("/", get(session::shop))
        .route("/products", get(session::products))
        .route("/customers", get(session::customers))
        .route("/session", get(session::current).post(session::sign_in).delete(session::sign_out))
        .route("/session/token", get(session::token))
        .route("/staff/{user}/token", get(session::staff_token))
        .route("/cart", get(cart::show).post(cart::create))
        .route("/cart/lines", post(cart::add))
        .route("/cart/lines/{line}", put(cart::change))
        .route("/cart/currency", put(cart::currency))
        .route("/cart/attributes", put(cart::attributes))
        .route("/cart/metafields/{key}", put(cart::metafield))
        .route("/checkout", get(cart::quote).post(cart::place))
        .route("/orders", get(merchant::orders))
        .route("/orders/{order}", get(merchant::order))
        .route("/orders/{order}/pay", post(merchant::pay))
        .route("/orders/{order}/cancel", post(merchant::cancel))
        .route("/orders/{order}/refund", post(merchant::refund))
        .route("/customers/{customer}/metafields", get(merchant::metafields))
        .route("/codes", post(merchant::add_code))
        .route("/switches", get(merchant::switches).put(merchant::set_switches))
        .route("/webhooks", get(merchant::webhooks))
        .route("/webhooks/faults", put(merchant::webhook_faults))
        .route("/webhooks/paused", put(merchant::webhooks_paused))
        .route("/webhooks/flush", post(merchant::flush))
        .route("/clock", post(merchant::advance))
}

/// Why a storefront request was refused.
pub(crate) struct Refused(StatusCode, String);

impl Refused {
    fn bad(message: impl Into<String>) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, message.into())
    }
}

impl From<ShopError> for Refused {
    fn from(error: ShopError) -> Self {
        let status = match error {
            ShopError::NotFound(_) => StatusCode::NOT_FOUND,
            ShopError::Already(_) => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

/// An id that came as text.
fn id(text: &str, what: &'static str) -> Result<u64, Refused> {
    text.parse().map_err(|_| Refused::from(ShopError::NotFound(what)))
}
