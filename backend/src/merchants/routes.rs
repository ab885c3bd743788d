//! What the app's own pages and extensions ask about the shop they are in.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::{authorize, groups, languages, staff};
use crate::app::App;
use crate::languages::Language;
use crate::shopify::{Bearer, Surface};
use crate::web::{Caller, Problem};

/// The routes below `/api`, for callers with a session token.
pub fn api() -> Router<App> {
    Router::new().route("/api/me", get(me)).merge(staff::api()).merge(groups::api()).merge(languages::api())
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
    /// What a member of staff is to the shop: `owner`, `admin`, `editor` or `viewer`; `support`; none for shoppers.
    pub role: Option<&'static str>,
    /// The language that a member of staff reads.
    pub locale: Option<Language>,
    /// The languages that the program is offered in, the shop's own first.
    pub languages: Vec<Language>,
}

/// `GET /api/me`
async fn me(State(app): State<App>, caller: Caller) -> Result<Json<MeView>, Problem> {
    let (shop, surface) = match &caller {
        Caller::Staff(staff) => (&staff.shop, Surface::Merchant),
        Caller::Shopper(shopper) => (&shopper.shop, shopper.bearer.surface()),
    };
    let languages = languages(&mut app.db.read(shop.id).await?, shop.id).await?;
    let view = MeView {
        shop: shop.domain.to_string(),
        name: shop.name.clone(),
        currency: shop.currency.code().to_owned(),
        time_zone: shop.time_zone.clone(),
        surface,
        user: None,
        customer: None,
        role: None,
        locale: None,
        languages: languages.offered().to_vec(),
    };
    Ok(Json(match caller {
        Caller::Staff(staff) => MeView {
            user: staff.user().map(|user| user.0.to_string()),
            role: Some(staff.role.as_str()),
            locale: staff.locale,
            ..view
        },
        Caller::Shopper(shopper) => {
            let customer = match shopper.bearer {
                Bearer::Customer(customer) => Some(customer.gid()),
                Bearer::User(_) | Bearer::Guest => None,
            };
            MeView { customer, ..view }
        }
    }))
}
