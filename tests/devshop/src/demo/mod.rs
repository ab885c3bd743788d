//! The demo storefront: a page that shops like a theme would, and shows what happens under the glass.
//!
//! The shop itself knows nothing of loyalty; this is the one room that does. Its page talks to the storefront's JSON
//! under `/shop` and to the app through the app proxy; `/demo` adds what a theme's widgets compute for themselves, and
//! what a shopper could not see.

mod glass;
mod history;
mod offer;
mod pages;
mod surfaces;
#[cfg(test)]
mod tests;

use std::path::Path;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use devshop::{
    Currency, DevShop, MoneyError, Placement, Rate, Settings, ShopError, Theme, current_cart, signed_in,
};
use serde_json::json;
pub use surfaces::router as surfaces;

/// The shop of the demo: a roastery in pounds that also takes euros and yen.
///
/// # Errors
/// Never, in fact: the rates and currencies stand here.
pub fn settings() -> Result<Settings, MoneyError> {
    let euro: (Currency, Rate) = ("EUR".parse()?, Rate::new(117, 100)?);
    let yen: (Currency, Rate) = ("JPY".parse()?, Rate::new(198, 1)?);
    Ok(Settings { name: "Fernhill Roasters".into(), rates: [euro, yen].into(), ..Settings::default() })
}

/// Where the merchant of this shop has placed the app's blocks in the theme.
const PLACEMENT: Placement = Placement {
    home: &["balance", "nudge"],
    product: &["product-points"],
    cart: &["cart-points"],
    pages: &[("rewards", "Rewards", &["balance", "nudge", "rewards"]), ("friends", "Friends", &["referral"])],
    embeds: &["launcher"],
    page: Some("rewards"),
};

/// The page and its own endpoints; with the folder of the app's extensions also a theme that shows its blocks.
pub fn router(shop: &DevShop, extensions: Option<&Path>) -> Router {
    let theme = extensions.map(|folder| Theme::new(folder.join("storefront-rewards"), PLACEMENT));
    theme.map_or_else(Router::new, |theme| theme.router(shop)).merge(page(shop))
}

fn page(shop: &DevShop) -> Router {
    Router::new()
        .route("/", get(pages::index))
        .route("/demo/{file}", get(pages::file))
        .route("/demo/api/offer", get(offer))
        .route("/demo/api/glass", get(glass))
        .route("/demo/api/customers", get(customers))
        .route("/demo/api/history", post(history))
        .with_state(shop.clone())
}

/// `GET /demo/api/offer`: what points are worth to the request's cart.
async fn offer(State(shop): State<DevShop>, headers: HeaderMap) -> Result<Response, Refused> {
    let token = current_cart(&shop, &headers)?;
    // Asking for a quote runs the Functions.
    let offer = tokio::task::spawn_blocking(move || offer::read(&shop, &token)).await??;
    Ok(Json(offer).into_response())
}

/// `GET /demo/api/glass`: what lies behind the shop, for the signed-in customer.
async fn glass(State(shop): State<DevShop>, headers: HeaderMap) -> Response {
    Json(glass::look(&shop, signed_in(&shop, &headers))).into_response()
}

/// `GET /demo/api/customers`: who may sign in, with the points that the shop itself knows of.
async fn customers(State(shop): State<DevShop>) -> Response {
    Json(json!({"customers": glass::customers(&shop)})).into_response()
}

/// `POST /demo/api/history`: past orders through checkout; answers when the app has booked them all.
async fn history(State(shop): State<DevShop>) -> Result<Response, Refused> {
    Ok(Json(json!({"orders": history::play(&shop).await?})).into_response())
}

/// Why a request of the demo's own was refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// The shop refuses.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// The work broke off.
    #[error(transparent)]
    Broken(#[from] tokio::task::JoinError),
    /// The app did not take these webhooks.
    #[error("the app did not take {0} webhooks")]
    Undelivered(usize),
    /// The app took the webhooks, but the accounts do not show it.
    #[error("the app has not booked the past orders")]
    NotBooked,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Shop(ShopError::NotFound(_)) => StatusCode::NOT_FOUND,
            Self::Shop(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Undelivered(_) | Self::NotBooked => StatusCode::BAD_GATEWAY,
        };
        (status, Json(json!({"error": self.to_string()}))).into_response()
    }
}
