//! OAuth over HTTP: `/admin/oauth/access_token` and `/admin/oauth/authorize`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};

use super::grants::{Pair, TokenCall};
use super::session_token;
use crate::shop::DevShop;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const OFFLINE: &str = "urn:shopify:params:oauth:token-type:offline-access-token";

/// `POST /admin/oauth/access_token`
pub(crate) async fn access_token(State(shop): State<DevShop>, Json(body): Json<Value>) -> Response {
    let grant = match body["grant_type"].as_str() {
        Some(EXCHANGE) => "token_exchange",
        Some("refresh_token") => "refresh_token",
        _ => "authorization_code",
    };
    let fault = shop.grants().faults.pop_front();
    let answer = match fault {
        Some(status) => Err((status, "temporarily_unavailable")),
        None => grant_of(&shop, grant, &body),
    };
    let status = answer.as_ref().map_or_else(|(status, _)| *status, |_| 200);
    shop.grants().calls.push(TokenCall { grant, status });
    match answer {
        Ok(pair) => Json(shown(&shop, &pair)).into_response(),
        Err((status, error)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Json(json!({"error": error, "error_description": error.replace('_', " ")})))
                .into_response()
        }
    }
}

fn grant_of(shop: &DevShop, grant: &str, body: &Value) -> Result<Pair, (u16, &'static str)> {
    let app = &shop.settings().app;
    let now = shop.clock().now();
    if body["client_id"] != app.api_key.as_str() || body["client_secret"] != app.api_secret.as_str() {
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
            let claims =
                session_token::verify(text("subject_token"), &app.api_secret, &app.api_key, now.as_second());
            let from_here = claims.is_some_and(|claims| {
                claims["dest"] == format!("https://{}", shop.settings().domain) && claims["iss"].is_string()
            });
            if !from_here || !grants.is_installed() || text("subject_token_type") != ID_TOKEN {
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
