//! Shopify's cart API for themes: `/cart.js` and what changes it. It tells money in hundredths, whatever the currency
//! has: ¥1,000 is 100000.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cart::{cookie_of, current};
use super::session::signed_in;
use crate::cart::NewCart;
use crate::checkout::{Allocation, Quote, QuoteLine};
use crate::discounts::DiscountClass;
use crate::money::Currency;
use crate::shop::{DevShop, ShopError};

/// The routes, at the shop's root as at Shopify.
pub(crate) fn router() -> Router<DevShop> {
    Router::new()
        .route("/cart.js", get(show))
        .route("/cart/add.js", post(add))
        .route("/cart/change.js", post(change))
        .route("/cart/update.js", post(update))
        .route("/cart/clear.js", post(clear))
        .route("/cart/add", post(add_by_form))
        .route("/cart/change", post(change_by_form))
}

/// The cart of a request, a new one if it has none, and the cookie that then goes out.
pub(crate) fn cart(shop: &DevShop, headers: &HeaderMap) -> Result<(String, Option<HeaderValue>), ShopError> {
    if let Ok(token) = current(shop, headers) {
        return Ok((token, None));
    }
    let new = NewCart { customer: signed_in(shop, headers), ..NewCart::default() };
    let token = shop.new_cart(new)?.token;
    let cookie = HeaderValue::from_str(&cookie_of(&token)).ok();
    Ok((token, cookie))
}

/// What the cart comes to. The Functions run.
pub(crate) async fn quote(shop: &DevShop, token: &str) -> Result<Quote, ShopError> {
    let (quoting, token) = (shop.clone(), token.to_owned());
    let quote = tokio::task::spawn_blocking(move || quoting.quote(&token)).await;
    quote.unwrap_or(Err(ShopError::NotFound("cart")))
}

/// Minor units as themes get them.
pub(crate) fn hundredths(minor: i64, currency: Currency) -> i64 {
    match currency.exponent() {
        0 => minor * 100,
        3 => minor / 10,
        _ => minor,
    }
}

/// A cart as themes get it, from Liquid too.
pub(crate) fn view(shop: &DevShop, quote: &Quote) -> Value {
    let currency = quote.cart.currency;
    let money = |minor| hundredths(minor, currency);
    let of_order =
        |allocation: &&Allocation| quote.discounts[allocation.discount].class == DiscountClass::Order;
    let handles: BTreeMap<u64, String> = shop.products().into_iter().map(|it| (it.id, it.handle)).collect();
    let item = |(at, line): (usize, &QuoteLine)| {
        let it = &line.line;
        let own = line.allocations.iter().filter(|allocation| !of_order(allocation));
        let off: i64 = own.map(|allocation| allocation.amount.presentment).sum();
        let title = match it.variant_title.as_str() {
            "Default Title" => it.title.clone(),
            variant => format!("{} - {variant}", it.title),
        };
        json!({
            "id": it.variant,
            "key": quote.cart.lines.get(at).map(|line| &line.id),
            "variant_id": it.variant,
            "product_id": it.product,
            "title": title,
            "product_title": it.title,
            "variant_title": it.variant_title,
            "url": format!("/products/{}?variant={}", handles.get(&it.product).map_or("", String::as_str), it.variant),
            "quantity": it.quantity,
            "price": money(it.unit.presentment),
            "original_price": money(it.unit.presentment),
            "original_line_price": money(it.gross.presentment),
            "final_line_price": money(it.gross.presentment - off),
            "line_price": money(it.gross.presentment - off),
            "total_discount": money(off),
            "gift_card": it.gift_card,
            "requires_shipping": it.requires_shipping,
            "properties": it.properties.iter().map(|one| (one.name.clone(), json!(one.value))).collect::<serde_json::Map<_, _>>(),
        })
    };
    let whole =
        quote.discounts.iter().filter(|discount| discount.class == DiscountClass::Order).map(|discount| {
            let amount = money(discount.total.presentment);
            let kind = if discount.is_code { "discount_code" } else { "automatic" };
            json!({"type": kind, "title": discount.title, "total_allocated_amount": amount})
        });
    let lines =
        |allocations: &[Allocation]| -> i64 { allocations.iter().map(|one| one.amount.presentment).sum() };
    let gross: i64 = quote.lines.iter().map(|line| line.line.gross.presentment).sum();
    let off: i64 = quote.lines.iter().map(|line| lines(&line.allocations)).sum();
    let attributes = quote.cart.attributes.iter().map(|one| (one.name.clone(), json!(one.value)));
    json!({
        "token": quote.cart.token,
        "attributes": attributes.collect::<serde_json::Map<_, _>>(),
        "original_total_price": money(gross),
        "total_price": money(gross - off),
        "total_discount": money(off),
        "item_count": quote.lines.iter().map(|line| line.line.quantity).sum::<u32>(),
        "items": quote.lines.iter().enumerate().map(item).collect::<Vec<_>>(),
        "currency": currency,
        "cart_level_discount_applications": whole.collect::<Vec<_>>(),
    })
}

async fn answer(shop: &DevShop, token: &str, cookie: Option<HeaderValue>) -> Result<Response, Refused> {
    let mut response = Json(view(shop, &quote(shop, token).await?)).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn show(State(shop): State<DevShop>, headers: HeaderMap) -> Result<Response, Refused> {
    let (token, cookie) = cart(&shop, &headers)?;
    answer(&shop, &token, cookie).await
}

#[derive(Deserialize)]
struct Item {
    id: u64,
    #[serde(default = "one")]
    quantity: u32,
}

fn one() -> u32 {
    1
}

#[derive(Deserialize)]
struct Items {
    items: Vec<Item>,
}

async fn add(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Json(Items { items }): Json<Items>,
) -> Result<Response, Refused> {
    let (token, cookie) = cart(&shop, &headers)?;
    for Item { id, quantity } in items {
        shop.add_to_cart(&token, id, quantity)?;
    }
    answer(&shop, &token, cookie).await
}

/// A product's form without JavaScript.
async fn add_by_form(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Form(Item { id, quantity }): Form<Item>,
) -> Result<Response, Refused> {
    let (token, cookie) = cart(&shop, &headers)?;
    shop.add_to_cart(&token, id, quantity)?;
    let mut response = Redirect::to("/cart").into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Which line, by its key, and how many of it; none takes it out.
#[derive(Deserialize)]
struct Change {
    id: String,
    quantity: u32,
}

async fn change(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Json(change): Json<Change>,
) -> Result<Response, Refused> {
    let (token, cookie) = cart(&shop, &headers)?;
    apply(&shop, &token, &change)?;
    answer(&shop, &token, cookie).await
}

async fn change_by_form(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Form(change): Form<Change>,
) -> Result<Redirect, Refused> {
    let (token, _) = cart(&shop, &headers)?;
    apply(&shop, &token, &change)?;
    Ok(Redirect::to("/cart"))
}

fn apply(shop: &DevShop, token: &str, Change { id, quantity }: &Change) -> Result<(), ShopError> {
    shop.change_cart(token, |cart| {
        let line = cart.lines.iter_mut().find(|line| line.id == *id);
        line.map(|line| line.quantity = *quantity).ok_or(ShopError::NotFound("cart line"))
    })?
}

#[derive(Deserialize)]
struct Update {
    #[serde(default)]
    attributes: BTreeMap<String, Option<String>>,
    /// How many of a variant.
    #[serde(default)]
    updates: BTreeMap<String, u32>,
    /// Discount codes, with commas; none takes all out.
    #[serde(default)]
    discount: Option<String>,
}

/// An attribute that is empty stays, empty.
async fn update(
    State(shop): State<DevShop>,
    headers: HeaderMap,
    Json(Update { attributes, updates, discount }): Json<Update>,
) -> Result<Response, Refused> {
    let (token, cookie) = cart(&shop, &headers)?;
    for (name, value) in attributes {
        shop.set_cart_attribute(&token, &name, value.as_deref())?;
    }
    shop.change_cart(&token, |cart| {
        for line in &mut cart.lines {
            line.quantity = updates.get(&line.variant.to_string()).copied().unwrap_or(line.quantity);
        }
        if let Some(codes) = discount {
            let codes = codes.split(',').map(str::trim).filter(|code| !code.is_empty());
            cart.discount_codes = codes.map(str::to_owned).collect();
        }
    })?;
    answer(&shop, &token, cookie).await
}

async fn clear(State(shop): State<DevShop>, headers: HeaderMap) -> Result<Response, Refused> {
    let (token, cookie) = cart(&shop, &headers)?;
    shop.change_cart(&token, |cart| cart.lines.clear())?;
    answer(&shop, &token, cookie).await
}

/// Why the cart API refuses, as it says so.
struct Refused(ShopError);

impl From<ShopError> for Refused {
    fn from(error: ShopError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let said = json!({"status": 422, "message": "Cart Error", "description": self.0.to_string()});
        (status, Json(said)).into_response()
    }
}
