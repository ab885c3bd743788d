//! The cart and its checkout.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::session::{cookie, signed_in};
use super::{Refused, id, views};
use crate::cart::{Attribute, Cart, NewCart};
use crate::money::Currency;
use crate::orders::{Payment, PlaceOptions};
use crate::shop::{DevShop, ShopError};

/// The cart of a browser, by cookie.
const CART: &str = "devshop_cart";

/// The token of a storefront request's cart, brought up to date with who is signed in.
///
/// # Errors
/// When it names no cart, or one that has become an order.
pub fn current(shop: &DevShop, headers: &HeaderMap) -> Result<String, ShopError> {
    let named = headers.get("x-cart").and_then(|value| value.to_str().ok());
    let token = named.or_else(|| cookie(headers, CART)).ok_or(ShopError::NotFound("cart"))?;
    let customer = signed_in(shop, headers);
    shop.change_cart(token, |cart| cart.customer = customer)?;
    Ok(token.to_owned())
}

/// The cookie of a browser's cart.
pub(super) fn cookie_of(token: &str) -> String {
    format!("{CART}={token}; Path=/; HttpOnly; SameSite=Lax")
}

fn shown(shop: &DevShop, token: &str) -> Result<Json<Value>, Refused> {
    let cart: Cart = shop.cart(token).ok_or(ShopError::NotFound("cart"))?;
    Ok(Json(views::cart(shop, &cart)))
}

/// `GET /shop/cart`
pub(super) async fn show(State(shop): State<DevShop>, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    shown(&shop, &current(&shop, &headers)?)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Create {
    currency: Option<Currency>,
    shop_pay: bool,
}

/// `POST /shop/cart` `{"currency": "EUR"?, "shop_pay": true?}`: a new cart, which becomes the cookie's.
pub(super) async fn create(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Json(body): Json<Create>,
) -> Result<impl IntoResponse, Refused> {
    let customer = signed_in(&shop, &headers);
    let new = NewCart { customer, currency: body.currency, shop_pay: body.shop_pay, ..NewCart::default() };
    let cart = shop.new_cart(new)?;
    Ok(([(header::SET_COOKIE, cookie_of(&cart.token))], Json(views::cart(&shop, &cart))))
}

#[derive(Deserialize)]
pub(super) struct Add {
    variant: String,
    #[serde(default = "one")]
    quantity: u32,
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

fn one() -> u32 {
    1
}

/// `POST /shop/cart/lines` `{"variant": "<id>", "quantity": 1?, "properties": {…}?}`
pub(super) async fn add(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Json(body): Json<Add>,
) -> Result<Json<Value>, Refused> {
    let token = current(&shop, &headers)?;
    let line = shop.add_to_cart(&token, id(&body.variant, "variant")?, body.quantity)?;
    if !body.properties.is_empty() {
        shop.change_cart(&token, |cart| {
            if let Some(line) = cart.lines.iter_mut().find(|known| known.id == line) {
                let properties = body.properties.into_iter();
                line.properties = properties.map(|(name, value)| Attribute { name, value }).collect();
            }
        })?;
    }
    shown(&shop, &token)
}

#[derive(Deserialize)]
pub(super) struct Change {
    quantity: u32,
}

/// `PUT /shop/cart/lines/{line}` `{"quantity": 0}`: 0 takes the line out.
pub(super) async fn change(
    State(shop): State<DevShop>,
    Path(line): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Change>,
) -> Result<Json<Value>, Refused> {
    let token = current(&shop, &headers)?;
    shop.change_cart(&token, |cart| {
        let line = cart.lines.iter_mut().find(|known| known.id == line);
        line.map(|line| line.quantity = body.quantity).ok_or(ShopError::NotFound("cart line"))
    })??;
    shown(&shop, &token)
}

/// `PUT /shop/cart/currency` `"EUR"`: the customer goes to another market, and takes the cart along.
pub(super) async fn currency(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Json(currency): Json<Currency>,
) -> Result<Json<Value>, Refused> {
    let token = current(&shop, &headers)?;
    if !shop.facts().takes(currency) {
        return Err(ShopError::Currency(currency.to_string()).into());
    }
    shop.change_cart(&token, |cart| cart.currency = currency)?;
    shown(&shop, &token)
}

/// `PUT /shop/cart/attributes` `{"name": "value", "other": null}`: null takes one away.
pub(super) async fn attributes(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Json(body): Json<BTreeMap<String, Option<String>>>,
) -> Result<Json<Value>, Refused> {
    let token = current(&shop, &headers)?;
    for (name, value) in body {
        shop.set_cart_attribute(&token, &name, value.as_deref())?;
    }
    shown(&shop, &token)
}

/// `PUT /shop/cart/metafields/{key}` with any JSON, null to take it away: what a checkout extension's
/// `applyMetafieldChange` does.
pub(super) async fn metafield(
    State(shop): State<DevShop>,
    Path(key): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refused> {
    let token = current(&shop, &headers)?;
    let value = (!body.is_null()).then(|| body.to_string());
    shop.set_cart_metafield(&token, &key, value.as_deref())?;
    shown(&shop, &token)
}

/// `GET /shop/checkout`: what the cart comes to, and what every Function was shown and said.
pub(super) async fn quote(State(shop): State<DevShop>, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    let token = current(&shop, &headers)?;
    let quoting = shop.clone();
    let quote = tokio::task::spawn_blocking(move || quoting.quote(&token)).await;
    let quote = quote.map_err(|error| Refused::bad(error.to_string()))??;
    Ok(Json(views::quote(&quote)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    pay_later: bool,
    test: bool,
}

/// `POST /shop/checkout` `{"pay_later": false?, "test": false?}`
pub(super) async fn place(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Json(body): Json<Place>,
) -> Result<Json<Value>, Refused> {
    let token = current(&shop, &headers)?;
    let payment = if body.pay_later { Payment::Later } else { Payment::Immediate };
    let options = PlaceOptions { payment, test: body.test, ..PlaceOptions::default() };
    let placing = shop.clone();
    let order = tokio::task::spawn_blocking(move || placing.place_order(&token, options)).await;
    let order = order.map_err(|error| Refused::bad(error.to_string()))??;
    Ok(Json(json!({"order": views::order(&shop, &order)})))
}
