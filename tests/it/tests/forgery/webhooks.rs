//! Webhooks, whose raw body Shopify signs in base64.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use devshop::Surface;
use jiff::SignedDuration;
use loyalnest::db;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{ORDER, OTHER_SHOP, hex, mac, open, refused, told};
use crate::support::door::{Door, SECRET, SHOP};
use crate::support::{TestDb, on_both_engines};

pub(super) struct Webhook {
    pub(super) signatures: Vec<String>,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Webhook {
    pub(super) fn signed(door: &Door, id: &str, body: &str) -> Webhook {
        let headers = vec![
            ("x-shopify-topic", "orders/create".to_owned()),
            ("x-shopify-shop-domain", SHOP.to_owned()),
            ("x-shopify-webhook-id", id.to_owned()),
            ("x-shopify-triggered-at", door.now().to_string()),
        ];
        Webhook { signatures: vec![STANDARD.encode(mac(SECRET, body))], headers, body: body.to_owned() }
    }

    pub(super) async fn send(self, door: &Door) -> (u16, String) {
        let mut request = Request::post("/webhooks");
        for signature in &self.signatures {
            request = request.header("x-shopify-hmac-sha256", signature);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answered = door.send(request.body(Body::from(self.body)).unwrap()).await;
        told(&answered)
    }
}

async fn stored(test: &TestDb) -> Vec<(String, String)> {
    let mut read = test.db.read_across().await.unwrap();
    db!(read.all, "select webhook_id, topic from inbox_messages order by webhook_id").unwrap()
}

#[test]
fn a_webhook_is_shopifys_own_or_refused() {
    on_both_engines(async |test| {
        let door = open(test, &[]).await;
        let with = |signatures: &[&str]| Webhook {
            signatures: signatures.iter().map(|&text| text.to_owned()).collect(),
            ..Webhook::signed(&door, "w", ORDER)
        };
        let signature = mac(SECRET, ORDER);
        let good: &str = &STANDARD.encode(&signature);
        let no_signature = (401, "bad_signature".to_owned());
        // The last letter before the `=` has two bits that say nothing: they must be nothing.
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let last = letters.iter().position(|letter| *letter == good.as_bytes()[42]).unwrap();
        let other_bits = format!("{}{}=", &good[..42], letters[last + 1] as char);
        for (why, signature) in [
            ("empty", String::new()),
            ("another key", STANDARD.encode(mac("other", ORDER))),
            ("no key", STANDARD.encode(mac("", ORDER))),
            ("no key at all", STANDARD.encode(Sha256::digest(ORDER))),
            ("another body's", STANDARD.encode(mac(SECRET, "{}"))),
            ("hex", hex(&signature)),
            ("upper-case hex", hex(&signature).to_uppercase()),
            ("hex in base64", STANDARD.encode(hex(&signature))),
            ("base64url", URL_SAFE.encode([0xfb; 32])),
            ("no padding", STANDARD_NO_PAD.encode(&signature)),
            ("too much padding", format!("{good}=")),
            ("other bits at the end", other_bits),
            ("truncated", STANDARD.encode(&signature[..31])),
            ("one byte", STANDARD.encode(&signature[..1])),
            ("a byte more", STANDARD.encode([&signature[..], &[0]].concat())),
            ("a space before", format!(" {good}")),
            ("two in one", format!("{good}, {good}")),
            ("a scheme before it", format!("sha256={good}")),
        ] {
            assert_eq!(with(&[&signature]).send(&door).await, no_signature, "{why}");
        }
        let wrong: &str = &STANDARD.encode([7; 32]);
        for signatures in [&[][..], &[good, good], &[good, wrong], &[wrong, good], &[good, ""]] {
            assert_eq!(with(signatures).send(&door).await, no_signature, "{signatures:?}");
        }

        // Signed is the raw body, to its last byte.
        for body in ["", " ", "\n", &format!("{ORDER}\n"), &format!(" {ORDER}"), &ORDER.replace(":", ": ")] {
            let other = Webhook { body: body.to_owned(), ..with(&[good]) };
            assert_eq!(other.send(&door).await, no_signature, "{body:?}");
        }
        assert_eq!(Webhook::signed(&door, "w", "").send(&door).await, refused("not_json"), "nothing, signed");
        assert_eq!(Webhook::signed(&door, "w", " \n").send(&door).await, refused("not_json"));

        // Nobody signed the headers: each must say one thing.
        for (name, other) in [
            ("x-shopify-topic", "shop/redact".to_owned()),
            ("x-shopify-shop-domain", OTHER_SHOP.to_owned()),
            ("x-shopify-webhook-id", "another".to_owned()),
            ("x-shopify-triggered-at", door.now().to_string()),
        ] {
            for first in [true, false] {
                let mut twice = with(&[good]);
                let at = if first { 0 } else { twice.headers.len() };
                twice.headers.insert(at, (name, other.clone()));
                assert_eq!(twice.send(&door).await, refused("bad_header"), "{name}");
            }
        }
        assert_eq!(stored(test).await, []);

        let ends_with_space = format!("{ORDER} \r\n\t");
        for (id, body) in [("1", ORDER), ("1", ORDER), ("2", &ends_with_space)] {
            assert_eq!(Webhook::signed(&door, id, body).send(&door).await.0, 200);
        }
        let kept = ["1", "2"].map(|id| (id.to_owned(), "orders/create".to_owned()));
        assert_eq!(stored(test).await, kept, "a replay is stored once");
    });
}

#[test]
fn of_a_shop_that_is_not_known_privacy_requests_are_taken_and_the_rest_has_to_come_again() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let tell = async |topic: &str| {
            let mut webhook = Webhook::signed(&door, topic, r#"{"shop_id":1,"customer":{"id":7}}"#);
            webhook.headers[0].1 = topic.to_owned();
            webhook.send(&door).await
        };
        for topic in ["customers/data_request", "customers/redact", "shop/redact"] {
            assert_eq!(tell(topic).await.0, 200, "{topic}: nothing is held");
        }
        for topic in ["orders/create", "app/uninstalled", "SHOP/REDACT"] {
            assert_eq!(tell(topic).await, (404, "unknown_shop".to_owned()), "{topic}: Shopify tries again");
        }
        assert_eq!(stored(test).await, []);
    });
}

#[test]
fn a_webhook_that_is_dated_ahead_does_not_outlast_what_follows() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let opened = async || door.me(&door.shop.session_token(Surface::Admin(42))).await.status;
        assert_eq!(opened().await, 200);
        let ahead = "9999-12-01T00:00:00Z".parse().unwrap();
        assert_eq!(door.webhook("ahead", "app/uninstalled", ahead, &json!({"id": 1})).await, 200);
        door.advance(SignedDuration::from_secs(91));
        assert_eq!(opened().await, 200, "the shop installs the app again");
    });
}
