//! Tokens for the Admin API: exchanged for a session token, refreshed, or redeemed for a code.

use std::time::Duration;

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ShopDomain, UserId};
use crate::config::{self, Config, Secret};
use crate::outgoing::{self, Outgoing};

/// Asks shops for tokens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OAuth {
    outgoing: Outgoing,
    /// `https://{shop}`, or where a local shop listens.
    url: String,
    api_key: String,
    secret: Secret,
    timeout: Duration,
}

/// What a shop grants: a token of the app's own, for all it may do there (offline).
#[derive(Debug, Clone)]
pub struct Grant {
    /// For `X-Shopify-Access-Token`.
    pub access_token: Secret,
    /// How long it lives; none: until the app is uninstalled.
    pub expires_in: Option<SignedDuration>,
    /// Gets the next pair. It keeps working until the next one's refresh token is first used.
    pub refresh_token: Option<Secret>,
    /// How long that lives.
    pub refresh_expires_in: Option<SignedDuration>,
    /// What the merchant granted, with commas.
    pub scopes: String,
}

impl Grant {
    /// A token that lasts until the app is uninstalled.
    pub fn lasting(access_token: Secret) -> Self {
        let scopes = String::new();
        Grant { access_token, expires_in: None, refresh_token: None, refresh_expires_in: None, scopes }
    }
}

/// What a shop grants for a member of its staff: a token that may do what they may, and what it says of them. Shopify
/// tells their name and e-mail address, too; nobody here needs those, so they are not read.
#[derive(Debug, Clone)]
pub struct OnlineGrant {
    /// For `X-Shopify-Access-Token`.
    pub access_token: Secret,
    /// How long it lives.
    pub expires_in: SignedDuration,
    /// What this member of staff may do, with commas.
    pub scopes: String,
    /// Who it is.
    pub user: UserId,
    /// Whether the shop is theirs.
    pub account_owner: bool,
    /// Whether they work for a partner of the shop.
    pub collaborator: bool,
    /// The language they read, as Shopify writes it.
    pub locale: Option<String>,
}

/// Why a shop grants nothing.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// No answer. It is not known whether a token was granted.
    #[error("Shopify does not answer")]
    Unreachable(#[source] outgoing::Error),
    /// Shopify failed (5xx), or asks to slow down (429).
    #[error("Shopify failed with status {status}")]
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// What was to be exchanged is not, or no longer, accepted (400).
    #[error("Shopify refused the grant: {code}")]
    Refused {
        /// Shopify's word for it, e.g. `invalid_subject_token`.
        code: String,
    },
    /// This app is not accepted: a wrong client id or secret.
    #[error("Shopify does not accept this app (status {status})")]
    Client {
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is no grant.
    #[error("Shopify's answer is not a grant")]
    Malformed,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    scope: String,
    expires_in: Option<i64>,
    refresh_token: Option<String>,
    refresh_token_expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct OnlineAnswer {
    access_token: String,
    expires_in: i64,
    #[serde(default)]
    associated_user_scope: String,
    associated_user: AssociatedUser,
}

#[derive(Deserialize)]
struct AssociatedUser {
    id: i64,
    account_owner: bool,
    #[serde(default)]
    collaborator: bool,
    locale: Option<String>,
}

impl From<outgoing::Error> for OAuthError {
    fn from(error: outgoing::Error) -> OAuthError {
        match error {
            outgoing::Error::TooLarge => OAuthError::Malformed,
            error => OAuthError::Unreachable(error),
        }
    }
}

/// A grant has a few hundred bytes.
const LARGEST_ANSWER: usize = 100_000;
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

impl OAuth {
    /// Shops at the configured address, asked for the configured app.
    ///
    /// # Errors
    /// When the machine has no TLS to speak.
    pub fn new(config: &Config, secret: Secret) -> Result<Self, OAuthError> {
        let outgoing = Outgoing::to_shops(config).map_err(OAuthError::Unreachable)?;
        Ok(OAuth::over(outgoing, config, secret))
    }

    /// The same, over these clients.
    pub(crate) fn over(outgoing: Outgoing, config: &Config, secret: Secret) -> Self {
        let timeout = config::duration(config.shopify.timeout);
        let url = config.shopify.url.trim_end_matches('/').to_owned();
        OAuth { outgoing, url, api_key: config.shopify.api_key.clone(), secret, timeout }
    }

    /// Exchanges a session token of the shop's staff for a pair of tokens.
    ///
    /// # Errors
    /// [`OAuthError`].
    pub async fn exchange(&self, shop: &ShopDomain, session_token: &str) -> Result<Grant, OAuthError> {
        let wanted = "urn:shopify:params:oauth:token-type:offline-access-token";
        let answer = self.ask(
            shop,
            json!({"grant_type": EXCHANGE, "subject_token": session_token, "subject_token_type": ID_TOKEN,
                   "requested_token_type": wanted, "expiring": "1"}),
        );
        read(&answer.await?)
    }

    /// Exchanges a session token for a token of the member of staff who brought it.
    ///
    /// # Errors
    /// [`OAuthError`]; refused when Shopify does not know them as staff any more.
    pub async fn exchange_online(
        &self,
        shop: &ShopDomain,
        session_token: &str,
    ) -> Result<OnlineGrant, OAuthError> {
        let wanted = "urn:shopify:params:oauth:token-type:online-access-token";
        let answer = self.ask(
            shop,
            json!({"grant_type": EXCHANGE, "subject_token": session_token, "subject_token_type": ID_TOKEN,
                   "requested_token_type": wanted}),
        );
        read_online(&answer.await?)
    }

    /// Gets the next pair of tokens.
    ///
    /// # Errors
    /// [`OAuthError`].
    pub async fn refresh(&self, shop: &ShopDomain, refresh_token: &Secret) -> Result<Grant, OAuthError> {
        let body = json!({"grant_type": "refresh_token", "refresh_token": refresh_token.expose()});
        read(&self.ask(shop, body).await?)
    }

    /// Redeems the code that a merchant's approval gave.
    ///
    /// # Errors
    /// [`OAuthError`].
    pub async fn redeem(&self, shop: &ShopDomain, code: &str) -> Result<Grant, OAuthError> {
        read(&self.ask(shop, json!({"code": code, "expiring": "1"})).await?)
    }

    /// Where a merchant approves of the app.
    pub fn approval_url(&self, shop: &ShopDomain, scopes: &str, redirect: &str, state: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.api_key)
            .append_pair("scope", scopes)
            .append_pair("redirect_uri", redirect)
            .append_pair("state", state)
            .finish();
        format!("{}/admin/oauth/authorize?{query}", self.base(shop))
    }

    /// Where the app's own pages are, inside the shop's admin.
    pub fn embedded_url(&self, shop: &ShopDomain) -> String {
        format!("{}/admin/apps/{}", self.base(shop), self.api_key)
    }

    fn base(&self, shop: &ShopDomain) -> String {
        self.url.replace("{shop}", shop.as_str())
    }

    async fn ask(&self, shop: &ShopDomain, mut body: Value) -> Result<Vec<u8>, OAuthError> {
        body["client_id"] = self.api_key.as_str().into();
        body["client_secret"] = self.secret.expose().into();
        let url = format!("{}/admin/oauth/access_token", self.base(shop));
        let request = self.outgoing.request(Method::POST, &url).map_err(outgoing::Error::from)?;
        let request = request.header("accept", "application/json").timeout(self.timeout).json(&body);
        let answer = self.outgoing.fetch(request, LARGEST_ANSWER).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            StatusCode::BAD_REQUEST => Err(OAuthError::Refused { code: refusal(&answer.body) }),
            StatusCode::TOO_MANY_REQUESTS => Err(OAuthError::Server { status: answer.status.as_u16() }),
            status if status.is_server_error() => Err(OAuthError::Server { status: status.as_u16() }),
            status => Err(OAuthError::Client { status: status.as_u16() }),
        }
    }
}

fn read(answer: &[u8]) -> Result<Grant, OAuthError> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| OAuthError::Malformed)?;
    let seconds = |seconds: Option<i64>| match seconds {
        Some(seconds) if seconds <= 0 => Err(OAuthError::Malformed),
        seconds => Ok(seconds.map(SignedDuration::from_secs)),
    };
    if answer.access_token.is_empty() {
        return Err(OAuthError::Malformed);
    }
    Ok(Grant {
        access_token: Secret::new(answer.access_token),
        expires_in: seconds(answer.expires_in)?,
        refresh_token: answer.refresh_token.filter(|token| !token.is_empty()).map(Secret::new),
        refresh_expires_in: seconds(answer.refresh_token_expires_in)?,
        scopes: answer.scope,
    })
}

fn read_online(answer: &[u8]) -> Result<OnlineGrant, OAuthError> {
    let answer: OnlineAnswer = serde_json::from_slice(answer).map_err(|_| OAuthError::Malformed)?;
    let user = answer.associated_user;
    if answer.access_token.is_empty() || answer.expires_in <= 0 || user.id <= 0 {
        return Err(OAuthError::Malformed);
    }
    Ok(OnlineGrant {
        access_token: Secret::new(answer.access_token),
        expires_in: SignedDuration::from_secs(answer.expires_in),
        scopes: answer.associated_user_scope,
        user: UserId(user.id),
        account_owner: user.account_owner,
        collaborator: user.collaborator,
        locale: user.locale,
    })
}

/// Shopify's word for a refusal: short, of letters, and so fit for a log.
fn refusal(answer: &[u8]) -> String {
    let code = serde_json::from_slice::<Value>(answer)
        .ok()
        .and_then(|answer| Some(answer["error"].as_str()?.to_owned()));
    let plain = |code: &String| code.len() <= 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    code.filter(plain).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_read_with_and_without_expiry() {
        let grant = read(
            br#"{"access_token":"shpat_1","scope":"write_orders","expires_in":3600,"refresh_token":"shprt_1",
                 "refresh_token_expires_in":7776000}"#,
        )
        .unwrap();
        assert_eq!(grant.expires_in, Some(SignedDuration::from_secs(3600)));
        assert_eq!(grant.refresh_token.unwrap().expose(), "shprt_1");
        assert_eq!(grant.scopes, "write_orders");
        let lasting = read(br#"{"access_token":"shpat_1","scope":""}"#).unwrap();
        assert!(lasting.expires_in.is_none() && lasting.refresh_token.is_none());
        for other in ["", "{}", "[]", r#"{"access_token":""}"#, r#"{"access_token":"x","expires_in":0}"#] {
            assert!(matches!(read(other.as_bytes()), Err(OAuthError::Malformed)), "{other}");
        }
    }

    #[test]
    fn an_online_grant_says_who_it_is_for_and_nothing_more_is_kept() {
        let answer = json!({"access_token": "shpua_1", "scope": "write_orders", "expires_in": 86_399,
            "associated_user_scope": "read_orders", "associated_user": {"id": 902_541_635, "first_name": "John",
            "last_name": "Smith", "email": "john@example.com", "email_verified": true, "account_owner": true,
            "locale": "en", "collaborator": false}});
        let grant = read_online(answer.to_string().as_bytes()).unwrap();
        assert_eq!((grant.user, grant.account_owner, grant.collaborator), (UserId(902_541_635), true, false));
        assert_eq!((grant.scopes.as_str(), grant.locale.as_deref()), ("read_orders", Some("en")));
        assert!(!format!("{grant:?}").contains("ohn"), "no name, no address: {grant:?}");
        for (pointer, nonsense) in [
            ("/access_token", json!("")),
            ("/access_token", json!(null)),
            ("/expires_in", json!(0)),
            ("/expires_in", json!(null)),
            ("/associated_user", json!(null)),
            ("/associated_user/id", json!(0)),
            ("/associated_user/id", json!("902541635")),
            ("/associated_user/account_owner", json!("yes")),
        ] {
            let mut other = answer.clone();
            *other.pointer_mut(pointer).unwrap() = nonsense;
            let read = read_online(other.to_string().as_bytes());
            assert!(matches!(read, Err(OAuthError::Malformed)), "{pointer}: {other}");
        }
    }

    #[test]
    fn a_refusal_has_a_word_and_nothing_else_reaches_the_log() {
        assert_eq!(refusal(br#"{"error":"invalid_subject_token"}"#), "invalid_subject_token");
        for other in ["<html>", r#"{"error":"shpat_secret1"}"#, r#"{"error":7}"#] {
            assert_eq!(refusal(other.as_bytes()), "unknown", "{other}");
        }
    }
}
