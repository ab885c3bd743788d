//! Session tokens: forged ones are refused, and what a signed one claims is believed only if it makes sense.

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use loyalnest::config::Secret;
use loyalnest::db::Timestamp;
use loyalnest::shopify::SessionTokens;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use crate::house::{API_KEY, SECRET};

static TOKENS: LazyLock<SessionTokens> =
    LazyLock::new(|| SessionTokens::new(API_KEY, &[Secret::new(SECRET)]));

/// Of what is signed, what the product reads: beside it anything may stand.
#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    aud: Value,
    exp: f64,
    dest: String,
}

/// The input as a token, which nobody signed; then, line by line, as header and claims of one that Shopify signed.
pub fn session_tokens(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    assert!(TOKENS.verify(text, now).is_err(), "{text}");

    let (header, claims) = text.split_once('\n').unwrap_or((r#"{"alg":"HS256","typ":"JWT"}"#, text));
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    let token = format!("{message}.{}", BASE64.encode(mac.finalize().into_bytes()));
    let Ok(session) = TOKENS.verify(&token, now) else { return };

    let header: Header = serde_json::from_str(header).unwrap();
    assert_eq!(header.alg, "HS256");
    let Claims { aud, exp, dest } = serde_json::from_str(claims).unwrap();
    assert!(aud == API_KEY || aud.as_array().is_some_and(|all| all.contains(&API_KEY.into())));
    assert!(exp > now.as_second() as f64 - 11.0);
    assert!(dest.to_ascii_lowercase().ends_with(session.shop.as_str()));
    assert!(session.shop.as_str().ends_with(".myshopify.com"));
}
