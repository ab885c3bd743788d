//! Who calls from the storefront.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::{Problem, limits};
use crate::app::App;
use crate::ids::CustomerId;
use crate::merchants::Shop;
use crate::shopify::QueryRefusal;

/// A storefront request that Shopify's app proxy signed. Answer with nothing but this customer's data: the
/// signature says who is signed in, and nothing else in the request does.
#[derive(Debug, Clone)]
pub struct ProxyCaller {
    /// The shop.
    pub shop: Arc<Shop>,
    /// The customer who is signed in there; none for a guest.
    pub customer: Option<CustomerId>,
}

impl ProxyCaller {
    /// The customer who is signed in.
    ///
    /// # Errors
    /// 401 `not_signed_in` for a guest.
    pub fn signed_in(&self) -> Result<CustomerId, Problem> {
        let guest =
            || Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", "Sign in to your account first.");
        self.customer.ok_or_else(guest)
    }
}

impl FromRequestParts<App> for ProxyCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let caller = app.signer.verify_proxy(query, app.clock.now(), app.config.shopify.clock_tolerance)?;
        let shop = app.shops.find_by_domain(&caller.shop).await?.ok_or_else(Problem::unknown_shop)?;
        limits::take(app, parts, shop.id)?;
        Ok(ProxyCaller { shop, customer: caller.customer })
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
