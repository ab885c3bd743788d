//! Who calls from inside Shopify: the embedded admin, POS, checkout, or the customer account.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};

use super::{Problem, limits};
use crate::app::App;
use crate::db::Timestamp;
use crate::merchants::{Shop, ShopError};
use crate::shopify::{Bearer, OAuthError, Session, SessionRefusal, Surface};

/// Asks App Bridge to get a new session token and to send the request again.
pub(super) const RETRY: HeaderName = HeaderName::from_static("x-shopify-retry-invalid-session-request");

/// What a 401 asks for.
pub(super) const CHALLENGE: &str = "Bearer";
/// The same of whoever has brought a token.
const ANOTHER: &str = "Bearer error=\"invalid_token\"";

/// A request with a session token. That of a member of staff installs the app in a shop that has it not. Answer a customer
/// with nothing but their own, and a guest with what everybody may see; what staff may do, [`Staff`](super::Staff) says.
#[derive(Debug, Clone)]
pub struct SessionCaller {
    /// The shop.
    pub shop: Arc<Shop>,
    /// Who in it.
    pub bearer: Bearer,
}

impl FromRequestParts<App> for SessionCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(verified(parts, app).await?.caller)
    }
}

/// A caller, and the session token that says so.
pub(super) struct Verified {
    pub caller: SessionCaller,
    pub token: String,
    pub issued_at: Timestamp,
}

pub(super) async fn verified(parts: &Parts, app: &App) -> Result<Verified, Problem> {
    let (token, Session { shop, bearer, issued_at }) = proven(parts, app)?;
    let shop = match app.shops.find_by_domain(&shop).await? {
        Some(shop) if !shop.needs_token || bearer.surface() != Surface::Merchant => shop,
        // The app's page opens for the first time: Shopify has installed it and told nobody. Or Shopify refused the
        // token that we had.
        _ if bearer.surface() == Surface::Merchant => {
            app.shops.install(&app.admin, &shop, token).await.map_err(not_installed)?
        }
        _ => return Err(Problem::unknown_shop()),
    };
    limits::take(app, parts, shop.id, bearer)?;
    Ok(Verified { caller: SessionCaller { shop, bearer }, token: token.to_owned(), issued_at })
}

/// The session token of a request, and what it proves.
pub(super) fn proven<'a>(parts: &'a Parts, app: &App) -> Result<(&'a str, Session), Problem> {
    let token = bearer_token(parts).ok_or_else(|| {
        unauthorized("session_token_missing", "The request has no session token (Authorization: Bearer …).")
            .header(WWW_AUTHENTICATE, CHALLENGE)
    })?;
    Ok((token, app.session_tokens.verify(token, app.clock.now())?))
}

/// The token of the one header that has it: of two, nobody could say whose request it is.
pub(super) fn bearer_token(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn not_installed(error: ShopError) -> Problem {
    match error {
        ShopError::OAuth(OAuthError::Refused { .. }) | ShopError::UninstalledMeanwhile => {
            unauthorized("invalid_session_token", "Shopify does not accept the session token.")
        }
        error => error.into(),
    }
}

pub(super) fn unauthorized(code: &'static str, title: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, title).header(RETRY, "1").header(WWW_AUTHENTICATE, ANOTHER)
}

impl From<SessionRefusal> for Problem {
    fn from(refusal: SessionRefusal) -> Self {
        unauthorized("invalid_session_token", refusal.to_string())
    }
}
