//! Every way to forge what Shopify signs, tried at the door: webhooks, proxied queries, ways back from an approval, session
//! tokens. The signatures are made here, so that our own signer is not its own witness.

mod queries;
mod tokens;
mod webhooks;

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use loyalnest::config::Secret;
use serde_json::json;
use sha2::Sha256;

use self::queries::{ask, back, oauth_text, proxied, proxy_text, with};
use self::webhooks::Webhook;
use crate::support::app::Answered;
use crate::support::door::{Door, KEY, SECRET, SHOP, jwt};
use crate::support::{TestDb, on_both_engines};

const OTHER_SHOP: &str = "coffee.myshopify.com";
const ORDER: &str = r#"{"id":1,"customer":{"id":7}}"#;

/// The shop, with the app in it.
async fn open(test: &TestDb, changed: &[(&str, &str)]) -> Door {
    let door = Door::with(test, changed).await;
    let token = Secret::new("devshop-token");
    door.app.shops.add(&door.app.admin, &SHOP.parse().unwrap(), &token).await.unwrap();
    door
}

fn mac(secret: &str, message: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap()
        .chain_update(message)
        .finalize()
        .into_bytes()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

/// Nothing of a success; the status and code of a problem.
fn told(answered: &Answered) -> (u16, String) {
    match answered.status {
        StatusCode::OK => (200, String::new()),
        _ => answered.problem(),
    }
}

#[test]
fn the_secret_before_the_last_rotation_is_good_for_all_four_while_it_is_set() {
    on_both_engines(async |test| {
        let rotating = open(test, &[("LOYALNEST_SHOPIFY__API_SECRET_PREVIOUS", "before")]).await;
        let over = open(test, &[]).await;
        for (secret, while_rotating, after) in
            [(SECRET, true, true), ("before", true, false), ("long before", false, false)]
        {
            for (door, accepted) in [(&rotating, while_rotating), (&over, after)] {
                let mut webhook = Webhook::signed(door, &format!("{secret} {after}"), ORDER);
                webhook.signatures = vec![STANDARD.encode(mac(secret, ORDER))];
                let status = webhook.send(door).await.0;
                assert_eq!(status, if accepted { 200 } else { 401 }, "a webhook, {secret}");

                let pairs = proxied(door, SHOP);
                let signature = hex(&mac(secret, &proxy_text(&pairs)));
                let status = ask(door, "/proxy/account", &with(pairs, "signature", signature)).await.0;
                assert_eq!(status, if accepted { 200 } else { 400 }, "a proxied query, {secret}");

                let pairs = back(door, SHOP);
                let hmac = hex(&mac(secret, &oauth_text(&pairs)));
                let answered = ask(door, "/auth/callback", &with(pairs, "hmac", hmac)).await;
                let code = if accepted { "bad_state" } else { "bad_signature" };
                assert_eq!(answered, refused(code), "a way back, {secret}");

                let claims = json!({"dest": SHOP, "aud": KEY, "exp": door.now().as_second() + 60});
                let status = door.me(&jwt(&claims, secret)).await.status;
                assert_eq!(status, if accepted { 200 } else { 401 }, "a session token, {secret}");

                let claims = json!({"dest": SHOP, "aud": KEY, "exp": door.now().as_second() + 60});
                let answered =
                    door.extension(&jwt(&claims, secret), Method::GET, "/account", &json!(null)).await;
                let code = if accepted { "not_signed_in" } else { "invalid_session_token" };
                assert_eq!(answered.problem(), (401, code.to_owned()), "an extension, {secret}");
            }
        }
    });
}
