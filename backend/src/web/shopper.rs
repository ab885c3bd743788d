//! The shopper who calls, and the two doors by which shoppers come.
//!
//! | door | who comes through it | what proves who it is |
//! |---|---|---|
//! | `/proxy` | pages of the storefront, by Shopify's app proxy | the query, which Shopify has signed |
//! | `/ext` | extensions of the checkout and the customer account | a session token |
//!
//! Behind both are the same handlers. They ask for a [`Shopper`] and cannot tell which door it was.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::{Extension, Router};
use tower::ServiceBuilder;
use tower_http::set_header::SetResponseHeaderLayer;

use super::{Problem, cors, idempotency, limits, router, session};
use crate::app::App;
use crate::ids::CustomerId;
use crate::merchants::Shop;
use crate::shopify::{Bearer, QueryRefusal, ShopDomain};

/// A shopper, as Shopify proves them. Answer with nothing but this customer's data: nothing else in the request says who
/// asks.
#[derive(Debug, Clone)]
pub struct Shopper {
    /// The shop.
    pub shop: Arc<Shop>,
    /// The customer who is signed in there; none for a guest.
    pub customer: Option<CustomerId>,
}

impl Shopper {
    /// The customer who is signed in.
    ///
    /// # Errors
    /// 401 `not_signed_in` for a guest.
    pub fn signed_in(&self) -> Result<CustomerId, Problem> {
        self.customer.ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", "Sign in to your account first.")
                .header(header::WWW_AUTHENTICATE, session::CHALLENGE)
        })
    }
}

/// The door by which a request came.
#[derive(Debug, Clone, Copy)]
enum Door {
    Proxy,
    Extension,
}

/// What shoppers may ask, behind both doors. What is theirs is kept by nobody on the way.
pub fn doors(routes: Router<App>) -> Router<App> {
    let no_store = || {
        let value = HeaderValue::from_static("no-store");
        SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, value)
    };
    let proxy = routes.clone().layer(ServiceBuilder::new().layer(Extension(Door::Proxy)).layer(no_store()));
    let methods = [Method::GET, Method::POST, Method::DELETE];
    let headers = [header::AUTHORIZATION, header::CONTENT_TYPE, idempotency::IDEMPOTENCY_KEY];
    let cors = cors::anywhere(methods, headers).expose_headers([header::RETRY_AFTER]);
    // What is not there is said inside, where a sandbox may read it.
    let extensions = routes
        .fallback(router::not_found)
        .method_not_allowed_fallback(router::method_not_allowed)
        .layer(ServiceBuilder::new().layer(cors).layer(Extension(Door::Extension)).layer(no_store()));
    Router::new().nest("/proxy", proxy).nest("/ext", extensions)
}

impl FromRequestParts<App> for Shopper {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (shop, customer) = match parts.extensions.get() {
            Some(Door::Proxy) => by_query(parts, app)?,
            Some(Door::Extension) => by_token(parts, app)?,
            None => {
                tracing::error!("a route for shoppers is behind no door");
                return Err(Problem::internal());
            }
        };
        let shop = app.shops.find_by_domain(&shop).await?.ok_or_else(Problem::unknown_shop)?;
        let bearer = customer.map_or(Bearer::Guest, Bearer::Customer);
        limits::take(app, parts, shop.id, bearer)?;
        Ok(Shopper { shop, customer })
    }
}

fn by_query(parts: &Parts, app: &App) -> Result<(ShopDomain, Option<CustomerId>), Problem> {
    let query = parts.uri.query().unwrap_or_default();
    let signed = app.signer.verify_proxy(query, app.clock.now(), app.config.shopify.clock_tolerance)?;
    Ok((signed.shop, signed.customer))
}

fn by_token(parts: &Parts, app: &App) -> Result<(ShopDomain, Option<CustomerId>), Problem> {
    let (_, session) = session::proven(parts, app)?;
    match session.bearer {
        Bearer::Customer(customer) => Ok((session.shop, Some(customer))),
        Bearer::Guest => Ok((session.shop, None)),
        Bearer::User(_) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "shoppers_only",
            "Only shoppers may ask for this. Staff ask below /api.",
        )),
    }
}

impl From<QueryRefusal> for Problem {
    fn from(refusal: QueryRefusal) -> Self {
        let code = match refusal {
            QueryRefusal::NotSigned | QueryRefusal::WrongSignature => "bad_signature",
            QueryRefusal::Repeated => "repeated_parameter",
            QueryRefusal::Timestamp => "stale_request",
            QueryRefusal::Shop | QueryRefusal::Customer => "bad_parameter",
        };
        Problem::bad_request(code, refusal.to_string())
    }
}
