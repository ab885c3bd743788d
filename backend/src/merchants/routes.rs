//! What the app's own pages and extensions ask about the shop they are in.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::authorize;
use crate::app::App;
use crate::shopify::{Bearer, Surface};
use crate::web::SessionCaller;

/// The routes below `/api`, for callers with a session token.
pub fn api() -> Router<App> {
    Router::new().route("/api/me", get(me))
}

/// The authorization-code grant.
pub fn auth() -> Router<App> {
    Router::new().route("/auth", get(authorize::begin)).route("/auth/callback", get(authorize::callback))
}

/// Who a session token is.
#[derive(Debug, Serialize)]
pub struct MeView {
    /// The shop's permanent domain.
    pub shop: String,
    /// Its name.
    pub name: String,
    /// The currency of its prices, ISO 4217.
    pub currency: String,
    /// Its time zone, IANA.
    pub time_zone: String,
    /// `merchant` (admin, POS) or `shopper` (checkout, customer account).
    pub surface: Surface,
    /// The member of staff, by Shopify's number. A string, because such numbers may exceed 2^53.
    pub user: Option<String>,
    /// The customer, by global id; none for staff and guests.
    pub customer: Option<String>,
}

/// `GET /api/me`
async fn me(caller: SessionCaller) -> Json<MeView> {
    let (user, customer) = match caller.bearer {
        Bearer::User(user) => (Some(user.0.to_string()), None),
        Bearer::Customer(customer) => (None, Some(customer.gid())),
        Bearer::Guest => (None, None),
    };
    Json(MeView {
        shop: caller.shop.domain.to_string(),
        name: caller.shop.name.clone(),
        currency: caller.shop.currency.code().to_owned(),
        time_zone: caller.shop.time_zone.clone(),
        surface: caller.bearer.surface(),
        user,
        customer,
    })
}
