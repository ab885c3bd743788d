//! The theme's pages.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{HOME, Page, Theme, ThemeError, variables};
use crate::checkout::Quote;
use crate::shop::{DevShop, ShopError};
use crate::storefront::{ajax, session};

const HOME_PAGE: &str = include_str!("../../theme/home.liquid");
const PRODUCT: &str = include_str!("../../theme/product.liquid");
const CART: &str = include_str!("../../theme/cart.liquid");
const PAGE: &str = include_str!("../../theme/page.liquid");
const LOGIN: &str = include_str!("../../theme/login.liquid");
const STYLESHEET: &str = include_str!("../../theme/theme.css");

type Shown = State<(DevShop, Theme)>;

/// Blocks of a page, and those of every page.
type Placed = (&'static [&'static str], &'static [&'static str]);

/// What may stand behind a page's address.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// The language; at Shopify it is a part of the path.
    locale: Option<String>,
    /// The chosen variant.
    variant: Option<u64>,
    /// `false` shows the page as it is without the app.
    app: Option<bool>,
}

/// `GET /store`
pub(super) async fn home(
    State((shop, theme)): Shown,
    asked: Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let blocks = theme.0.placement.home;
    show(&shop, &theme, asked, &headers, (HOME_PAGE, blocks), |quote| {
        let all = shop.products();
        let all = all.iter().map(|it| variables::product(&shop, it, quote.cart.currency, None));
        json!({"page_title": shop.settings().name, "products": all.collect::<Vec<_>>()})
    })
    .await
}

/// `GET /products/{handle}`
pub(super) async fn product(
    State((shop, theme)): Shown,
    Path(handle): Path<String>,
    asked: Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let product = shop.products().into_iter().find(|product| product.handle == handle);
    let product = product.ok_or(ShopError::NotFound("product"))?;
    let (blocks, chosen) = (theme.0.placement.product, asked.variant);
    show(&shop, &theme, asked, &headers, (PRODUCT, blocks), |quote| {
        let shown = variables::product(&shop, &product, quote.cart.currency, chosen);
        json!({"page_title": product.title, "product": shown})
    })
    .await
}

/// `GET /cart`
pub(super) async fn cart(
    State((shop, theme)): Shown,
    asked: Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let blocks = theme.0.placement.cart;
    show(&shop, &theme, asked, &headers, (CART, blocks), |_| json!({"page_title": "Your cart"})).await
}

/// `GET /pages/{handle}`
pub(super) async fn page(
    State((shop, theme)): Shown,
    Path(handle): Path<String>,
    asked: Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let placed = theme.0.placement.pages.iter().find(|(known, _, _)| *known == handle);
    let (_, title, blocks) = placed.ok_or(ShopError::NotFound("page"))?;
    show(&shop, &theme, asked, &headers, (PAGE, *blocks), |_| json!({"page_title": *title})).await
}

/// `GET /account/login`: whoever it is, without a password.
pub(super) async fn login(
    State((shop, theme)): Shown,
    asked: Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    show(&shop, &theme, asked, &headers, (LOGIN, &[]), |_| {
        let all = shop.customers();
        let all = all.iter().map(|customer| json!({"id": customer.id, "name": customer.display_name()}));
        json!({"page_title": "Sign in", "customers": all.collect::<Vec<_>>()})
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    customer: u64,
}

/// `POST /account/login`
pub(super) async fn sign_in(
    State((shop, _)): Shown,
    Form(SignIn { customer }): Form<SignIn>,
) -> Result<Response, Failed> {
    shop.customer(customer).ok_or(ShopError::NotFound("customer"))?;
    Ok(([(header::SET_COOKIE, session::cookie_of(customer))], Redirect::to(HOME)).into_response())
}

/// `GET /account/logout`
pub(super) async fn sign_out() -> Response {
    ([(header::SET_COOKIE, session::no_one())], Redirect::to(HOME)).into_response()
}

/// `GET /cdn/app/{file}`
pub(super) async fn asset(State((_, theme)): Shown, Path(file): Path<String>) -> Response {
    let Some(bytes) = theme.0.extension.asset(&file) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = match file.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], bytes).into_response()
}

/// `GET /cdn/theme.css`
pub(super) async fn stylesheet() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLESHEET).into_response()
}

/// A page for the request's cart and customer.
async fn show(
    shop: &DevShop,
    theme: &Theme,
    Query(asked): Query<Asked>,
    headers: &HeaderMap,
    (template, blocks): (&'static str, &'static [&'static str]),
    more: impl FnOnce(&Quote) -> Value,
) -> Result<Response, Failed> {
    let (token, cookie) = ajax::cart(shop, headers)?;
    let quote = ajax::quote(shop, &token).await?;
    let variables = match more(&quote) {
        Value::Object(variables) => variables,
        _ => Map::new(),
    };
    let locale = asked.locale.unwrap_or_else(|| "en".to_owned());
    let (blocks, embeds): Placed = match asked.app {
        Some(false) => (&[], &[]),
        _ => (blocks, theme.0.placement.embeds),
    };
    let page = Page { template, blocks, embeds, locale, quote, variables };
    let mut response = Html(theme.page(shop, &page)?).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Why there is no page, for whoever writes its blocks.
pub(super) struct Failed(ThemeError);

impl<E: Into<ThemeError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = match self.0 {
            ThemeError::Shop(ShopError::NotFound(_)) => StatusCode::NOT_FOUND,
            ThemeError::Locale(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, self.0.to_string()).into_response()
    }
}
