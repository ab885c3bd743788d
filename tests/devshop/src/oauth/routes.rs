//! OAuth over HTTP: `/admin/oauth/access_token` and `/admin/oauth/authorize`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};

use super::grants::{Pair, TokenCall};
use super::{session_token, staff};
use crate::shop::DevShop;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const OFFLINE: &str = "urn:shopify:params:oauth:token-type:offline-access-token";
const ONLINE: &str = "urn:shopify:params:oauth:token-type:online-access-token";

/// `POST /admin/oauth/access_token`
pub(crate) async fn access_token(State(shop): State<DevShop>, Json(body): Json<Value>) -> Response {
    let grant = match body["grant_type"].as_str() {
        Some(EXCHANGE) => "token_exchange",
        Some("refresh_token") => "refresh_token",
        _ => "authorization_code",
    };
    let answer = if grant == "token_exchange" && body["requested_token_type"] == ONLINE {
        online(&shop, &body).await
    } else {
        offline(&shop, grant, &body)
    };
    match answer {
        Ok(granted) => Json(granted).into_response(),
        Err((status, error)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Json(json!({"error": error, "error_description": error.replace('_', " ")})))
                .into_response()
        }
    }
}

fn offline(shop: &DevShop, grant: &'static str, body: &Value) -> Result<Value, (u16, &'static str)> {
    let fault = shop.grants().faults.pop_front();
    let answer = match fault {
        Some(status) => Err((status, "temporarily_unavailable")),
        None => grant_of(shop, grant, body),
    };
    let status = answer.as_ref().map_or_else(|(status, _)| *status, |_| 200);
    shop.grants().calls.push(TokenCall { grant, status });
    answer.map(|pair| shown(shop, &pair))
}

async fn online(shop: &DevShop, body: &Value) -> Result<Value, (u16, &'static str)> {
    if !is_the_app(shop, body) {
        return Err((401, "invalid_client"));
    }
    let subject = subject(shop, body).filter(|_| shop.grants().is_installed());
    staff::online(shop, subject.as_ref(), shop.clock().now()).await
}

fn is_the_app(shop: &DevShop, body: &Value) -> bool {
    let app = &shop.settings().app;
    body["client_id"] == app.api_key.as_str() && body["client_secret"] == app.api_secret.as_str()
}

/// The claims of the session token that is to be exchanged, if it is one of this shop's staff for this app.
fn subject(shop: &DevShop, body: &Value) -> Option<Value> {
    let app = &shop.settings().app;
    let token = body["subject_token"].as_str().filter(|_| body["subject_token_type"] == ID_TOKEN)?;
    let claims = session_token::verify(token, &app.api_secret, &app.api_key, shop.clock().now().as_second())?;
    let from_here =
        claims["dest"] == format!("https://{}", shop.settings().domain) && claims["iss"].is_string();
    from_here.then_some(claims)
}

fn grant_of(shop: &DevShop, grant: &str, body: &Value) -> Result<Pair, (u16, &'static str)> {
    let now = shop.clock().now();
    if !is_the_app(shop, body) {
        return Err((401, "invalid_client"));
    }
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    // New public apps get no others.
    if grant != "refresh_token" && text("expiring") != "1" {
        return Err((400, "invalid_request"));
    }
    let mut grants = shop.grants();
    match grant {
        "token_exchange" => {
            if subject(shop, body).is_none() || !grants.is_installed() {
                return Err((400, "invalid_subject_token"));
            }
            if text("requested_token_type") != OFFLINE {
                return Err((400, "invalid_request"));
            }
            Ok(grants.pair(None, now))
        }
        "refresh_token" => grants.rotate(text("refresh_token"), now).ok_or((400, "invalid_grant")),
        _ => grants.redeem(text("code"), now).ok_or((400, "invalid_request")),
    }
}

fn shown(shop: &DevShop, pair: &Pair) -> Value {
    json!({"access_token": pair.access_token, "scope": shop.grants().scopes, "expires_in": pair.expires_in,
           "refresh_token": pair.refresh_token, "refresh_token_expires_in": pair.refresh_token_expires_in})
}

/// `GET /admin/oauth/authorize`: the merchant, who approves of everything, is sent back with a code.
pub(crate) async fn authorize(State(shop): State<DevShop>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let value = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let (Some(redirect), Some(state)) = (value("redirect_uri"), value("state")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if value("client_id").as_deref() != Some(shop.settings().app.api_key.as_str()) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    shop.install_app();
    let code = shop.grants().code(shop.clock().now());
    let host = STANDARD_NO_PAD.encode(format!("{}/admin", shop.settings().domain));
    let query = shop.signed_oauth_query(&[("code", &code), ("host", &host), ("state", &state)]);
    (StatusCode::FOUND, [(header::LOCATION, format!("{redirect}?{query}"))]).into_response()
}
