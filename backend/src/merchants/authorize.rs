//! The authorization-code grant: for shops that come to the app outside of Shopify's admin. A merchant is sent to the
//! shop to approve, and comes back with a code.
//!
//! What came back is believed if Shopify signed it, and if it carries the state that this browser was sent off with:
//! 32 random bytes in a signed cookie that lives a minute and is good for one return.

use axum::extract::{RawQuery, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use jiff::SignedDuration;
use subtle::ConstantTimeEq;

use super::{ShopError, store};
use crate::app::App;
use crate::db::Timestamp;
use crate::shopify::{OAuthError, ShopDomain, Signer};
use crate::web::Problem;

const COOKIE_NAME: &str = "loyalnest_oauth";
/// What the cookie's signature is for.
const PURPOSE: &str = "oauth state";
/// How long a merchant may take to approve.
const LIFE: SignedDuration = SignedDuration::from_secs(60);

/// What a browser is sent off with.
#[derive(Debug, PartialEq, Eq)]
struct Sent {
    state: [u8; 32],
    shop: ShopDomain,
    expires_at: Timestamp,
}

impl Sent {
    fn seal(&self, signer: &Signer) -> String {
        let second = self.expires_at.as_second();
        signer.seal(PURPOSE, &format!("{}.{}.{second}", hex::encode(self.state), self.shop))
    }

    fn open(signer: &Signer, cookie: &str) -> Option<Sent> {
        let (state, rest) = signer.open(PURPOSE, cookie)?.split_once('.')?;
        let (shop, second) = rest.rsplit_once('.')?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(state, &mut bytes).ok()?;
        let microsecond = second.parse::<i64>().ok()?.checked_mul(1_000_000)?;
        let expires_at = Timestamp::from_microsecond(microsecond).ok()?;
        Some(Sent { state: bytes, shop: shop.parse().ok()?, expires_at })
    }
}

/// `GET /auth?shop=…`: sends a merchant to the shop, to approve of the app.
pub(super) async fn begin(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, Problem> {
    let query = query.unwrap_or_default();
    let value = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let now = app.clock.now();
    // Shopify signs the links it opens; a merchant may also type one.
    let shop = match value("hmac") {
        Some(_) => app.signer.verify_oauth(&query, now, app.config.shopify.clock_tolerance)?.shop,
        None => value("shop")
            .and_then(|shop| shop.parse().ok())
            .ok_or_else(|| Problem::bad_request("bad_parameter", "The shop is missing or none."))?,
    };
    let public_url = app.config.web.public_url.trim_end_matches('/');
    if public_url.is_empty() {
        tracing::error!("web.public_url (HOST) is not set: nobody can be sent back here");
        return Err(Problem::internal());
    }
    let mut state = [0; 32];
    getrandom::fill(&mut state).map_err(|_| Problem::internal())?;
    let redirect = format!("{public_url}/auth/callback");
    let scopes = &app.config.shopify.scopes;
    let location = app.shops.oauth().approval_url(&shop, scopes, &redirect, &hex::encode(state));
    let sent = Sent { state, shop, expires_at: now + LIFE };
    let cookie = set_cookie(&sent.seal(&app.signer), LIFE.as_secs());
    Ok((StatusCode::FOUND, [(LOCATION, location), (SET_COOKIE, cookie)]))
}

/// `GET /auth/callback`: the merchant is back, with a code that is redeemed for the shop's tokens.
pub(super) async fn callback(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let now = app.clock.now();
    let query = query.unwrap_or_default();
    let back = app.signer.verify_oauth(&query, now, app.config.shopify.clock_tolerance)?;
    let bad_state =
        || Problem::bad_request("bad_state", "This browser did not ask for that, or too long ago.");
    let sent = cookie(&headers).and_then(|cookie| Sent::open(&app.signer, cookie)).ok_or_else(bad_state)?;
    let state = back.state.and_then(|state| hex::decode(state).ok()).unwrap_or_default();
    let same = bool::from(state.ct_eq(&sent.state));
    if !same || sent.shop != back.shop || sent.expires_at <= now {
        return Err(bad_state());
    }
    let mut tx = app.db.begin_outside().await?;
    let first = store::use_state(&mut tx, &sent.state, sent.expires_at, now).await?;
    tx.commit().await?;
    if !first {
        return Err(bad_state());
    }
    let code = back.code.ok_or_else(|| Problem::bad_request("bad_parameter", "There is no code."))?;
    app.shops.approve(&app.admin, &back.shop, &code).await.map_err(|error| match error {
        ShopError::OAuth(OAuthError::Refused { .. }) => {
            Problem::bad_request("bad_code", "Shopify does not accept the code.")
        }
        error => error.into(),
    })?;
    let location = app.shops.oauth().embedded_url(&back.shop);
    Ok((StatusCode::FOUND, [(LOCATION, location), (SET_COOKIE, set_cookie("", 0))]))
}

fn set_cookie(value: &str, seconds: i64) -> String {
    format!("{COOKIE_NAME}={value}; Path=/auth; Max-Age={seconds}; HttpOnly; Secure; SameSite=Lax")
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn what_a_browser_is_sent_off_with_comes_back_as_it_was_or_not_at_all() {
        let signer = Signer::new(vec![Secret::new("hush")]);
        let expires_at = Timestamp::from_microsecond(1_800_000_000_000_000).unwrap();
        let sent = Sent { state: [7; 32], shop: "tea.myshopify.com".parse().unwrap(), expires_at };
        let sealed = sent.seal(&signer);
        assert_eq!(Sent::open(&signer, &sealed), Some(sent));
        for changed in [
            sealed.replacen("07", "08", 1),
            sealed.replace("tea", "coffee"),
            sealed.replace("1800000000", "1900000000"),
            String::new(),
        ] {
            assert_eq!(Sent::open(&signer, &changed), None, "{changed}");
        }
        assert_eq!(Sent::open(&Signer::new(vec![Secret::new("other")]), &sealed), None);
    }
}
