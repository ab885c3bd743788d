//! Looking around and signing in.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refused, id, views};
use crate::money::Currency;
use crate::oauth::Surface;
use crate::shop::{DevShop, ShopError};

/// Who is signed in, by cookie.
const CUSTOMER: &str = "devshop_customer";

/// `GET /shop`
pub(super) async fn shop(State(shop): State<DevShop>) -> Json<Value> {
    let settings = shop.settings();
    let currencies: Vec<_> = std::iter::once(&settings.currency).chain(settings.rates.keys()).collect();
    Json(json!({
        "name": settings.name,
        "domain": settings.domain,
        "currency": settings.currency,
        "currencies": currencies,
        "time": shop.clock().now(),
        "app_proxy": format!("/apps/{}", settings.app.proxy_subpath),
        "app_url": shop.app_url(),
    }))
}

#[derive(Deserialize)]
pub(super) struct PricedIn {
    currency: Option<Currency>,
}

/// `GET /shop/products?currency=EUR`: priced in the shop's own currency unless another is named.
pub(super) async fn products(
    State(shop): State<DevShop>,
    Query(PricedIn { currency }): Query<PricedIn>,
) -> Result<Json<Value>, Refused> {
    let own = shop.settings().currency;
    let currency = currency.unwrap_or(own);
    if !shop.facts().takes(currency) {
        return Err(ShopError::Currency(currency.to_string()).into());
    }
    let rate = shop.facts().rate(currency);
    let price = |minor| rate.convert(minor, own, currency);
    let products: Vec<_> = shop.products().iter().map(|product| views::product(product, price)).collect();
    Ok(Json(json!({"currency": currency, "products": products})))
}

/// `GET /shop/customers`
pub(super) async fn customers(State(shop): State<DevShop>) -> Json<Value> {
    Json(json!({"customers": shop.customers().iter().map(views::customer).collect::<Vec<_>>()}))
}

/// `GET /shop/session`
pub(super) async fn current(State(shop): State<DevShop>, headers: HeaderMap) -> Json<Value> {
    let customer = signed_in(&shop, &headers).and_then(|id| shop.customer(id));
    Json(json!({"customer": customer.as_ref().map(views::customer)}))
}

/// `GET /shop/session/token`: the session token that an extension of the checkout or the customer account gets here, of
/// whoever is signed in, or of a guest.
pub(super) async fn token(State(shop): State<DevShop>, headers: HeaderMap) -> Json<Value> {
    Json(json!({"token": shop.session_token(Surface::Checkout(signed_in(&shop, &headers)))}))
}

/// `GET /shop/staff/{user}/token`: the session token that the app's page in the admin gets here, of this member of staff.
pub(super) async fn staff_token(State(shop): State<DevShop>, Path(user): Path<u64>) -> Json<Value> {
    Json(json!({"token": shop.session_token(Surface::Admin(user))}))
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    customer: String,
}

/// `POST /shop/session` `{"customer": "<id>"}`
pub(super) async fn sign_in(
    State(shop): State<DevShop>,
    Json(body): Json<SignIn>,
) -> Result<impl IntoResponse, Refused> {
    let customer = shop.customer(id(&body.customer, "customer")?).ok_or(ShopError::NotFound("customer"))?;
    Ok((
        [(header::SET_COOKIE, cookie_of(customer.id))],
        Json(json!({"customer": views::customer(&customer)})),
    ))
}

/// `DELETE /shop/session`
pub(super) async fn sign_out() -> impl IntoResponse {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, no_one())])
}

/// The cookie of who is signed in.
pub(crate) fn cookie_of(customer: u64) -> String {
    format!("{CUSTOMER}={customer}; Path=/; HttpOnly; SameSite=Lax")
}

/// The cookie that ends it.
pub(crate) fn no_one() -> String {
    format!("{CUSTOMER}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// The signed-in customer of a storefront request, if there is one who still exists.
pub fn signed_in(shop: &DevShop, headers: &HeaderMap) -> Option<u64> {
    let id = cookie(headers, CUSTOMER)?.parse().ok()?;
    shop.customer(id).map(|customer| customer.id)
}

/// A cookie's value.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
