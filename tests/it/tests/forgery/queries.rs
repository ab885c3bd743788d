//! Queries that Shopify signs in hex: through the app proxy, and on the way back from an approval.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{OTHER_SHOP, hex, mac, open, refused, told};
use crate::support::door::{Door, SECRET, SHOP};
use crate::support::house::House;
use crate::support::on_both_engines;

pub(super) type Pairs = Vec<(&'static str, String)>;

pub(super) fn with(mut pairs: Pairs, name: &'static str, value: impl Into<String>) -> Pairs {
    pairs.retain(|(key, _)| *key != name);
    pairs.push((name, value.into()));
    pairs
}

fn without(mut pairs: Pairs, name: &str) -> Pairs {
    pairs.retain(|(key, _)| *key != name);
    pairs
}

/// What a proxied query's `signature` is over.
pub(super) fn proxy_text(pairs: &Pairs) -> String {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in pairs {
        values.entry(key).or_default().push(value);
    }
    let mut texts: Vec<_> =
        values.iter().map(|(key, values)| format!("{key}={}", values.join(","))).collect();
    texts.sort();
    texts.concat()
}

/// What an OAuth query's `hmac` is over; the values here need no encoding.
pub(super) fn oauth_text(pairs: &Pairs) -> String {
    let mut pairs = pairs.clone();
    pairs.sort();
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

/// What somebody may send in place of a signature in hex.
fn no_signatures(message: &str, another_shops: &str) -> Vec<(&'static str, String)> {
    let signature = mac(SECRET, message);
    let text = hex(&signature);
    vec![
        ("empty", String::new()),
        ("another key", hex(&mac("other", message))),
        ("no key", hex(&mac("", message))),
        ("no key at all", hex(&Sha256::digest(message))),
        ("another shop's", hex(&mac(SECRET, another_shops))),
        ("upper case", text.to_uppercase()),
        ("base64", STANDARD.encode(&signature)),
        ("base64url", URL_SAFE_NO_PAD.encode(&signature)),
        ("truncated", text[..62].to_owned()),
        ("half of it", text[..32].to_owned()),
        ("half a byte less", text[..63].to_owned()),
        ("a byte more", format!("{text}00")),
        ("a space before", format!(" {text}")),
        ("a space after", format!("{text} ")),
        ("a prefix", format!("0x{text}")),
        ("twice in one", format!("{text},{text}")),
    ]
}

pub(super) async fn ask(door: &Door, path: &str, pairs: &Pairs) -> (u16, String) {
    let url = reqwest::Url::parse_with_params(&format!("http://x{path}"), pairs).unwrap();
    let target = format!("{path}?{}", url.query().unwrap_or_default());
    let answered = door.send(Request::get(target).body(Body::empty()).unwrap()).await;
    told(&answered)
}

const TIMES: [i64; 4] = [-90, -89, 89, 90];
const WRONG_TIMES: [i64; 4] = [-91, 91, -86_400, i64::MAX / 2];
const NO_TIMES: [&str; 7] =
    ["", "soon", "1e9", "1764000000.0", " 1764000000", "0x10", "99999999999999999999"];

pub(super) fn proxied(door: &Door, shop: &str) -> Pairs {
    vec![
        ("shop", shop.to_owned()),
        ("logged_in_customer_id", "7".to_owned()),
        ("path_prefix", "/apps/loyalty".to_owned()),
        ("timestamp", door.now().as_second().to_string()),
    ]
}

fn signed_proxy(pairs: Pairs) -> Pairs {
    let signature = hex(&mac(SECRET, &proxy_text(&pairs)));
    with(pairs, "signature", signature)
}

#[test]
fn a_proxied_query_is_shopifys_own_or_refused() {
    on_both_engines(async |test| {
        let door = open(test, &[]).await;
        let ask = async |pairs: &Pairs| ask(&door, "/proxy/account", pairs).await;
        let good = proxied(&door, SHOP);
        let signed = signed_proxy(good.clone());
        assert_eq!(ask(&signed).await.0, 200);

        assert_eq!(ask(&good).await, refused("bad_signature"), "missing");
        let mut forged = no_signatures(&proxy_text(&good), &proxy_text(&proxied(&door, OTHER_SHOP)));
        forged.push(("signed as an OAuth query", hex(&mac(SECRET, &oauth_text(&good)))));
        forged.push((
            "signed in the order it came",
            hex(&mac(SECRET, &good.iter().map(|(k, v)| format!("{k}={v}")).collect::<String>())),
        ));
        for (why, signature) in forged {
            assert_eq!(
                ask(&with(good.clone(), "signature", signature)).await,
                refused("bad_signature"),
                "{why}"
            );
        }
        for (why, changed) in [
            ("another customer", with(signed.clone(), "logged_in_customer_id", "8")),
            ("a guest", with(signed.clone(), "logged_in_customer_id", "")),
            ("nobody", without(signed.clone(), "logged_in_customer_id")),
            ("another shop", with(signed.clone(), "shop", OTHER_SHOP)),
            ("a moment later", with(signed.clone(), "timestamp", (door.now().as_second() + 1).to_string())),
            ("something more", with(signed.clone(), "admin", "1")),
            ("something empty", with(signed.clone(), "admin", "")),
        ] {
            assert_eq!(ask(&changed).await, refused("bad_signature"), "{why}");
        }

        // Repeated, and signed so: nobody knows which of the two is meant.
        for name in ["shop", "timestamp", "hmac"] {
            let mut twice = with(good.clone(), "hmac", "00");
            let again = twice.iter().find(|(key, _)| *key == name).unwrap().clone();
            twice.push(again);
            assert_eq!(ask(&signed_proxy(twice)).await, refused("repeated_parameter"), "{name}");
        }
        let mut twice = signed.clone();
        twice.push(signed.last().unwrap().clone());
        assert_eq!(ask(&twice).await, refused("repeated_parameter"), "signature");
        for more in ["7", "8", ""] {
            let mut twice = good.clone();
            twice.push(("logged_in_customer_id", more.to_owned()));
            assert_eq!(ask(&signed_proxy(twice)).await, refused("bad_parameter"), "7 and {more:?}");
        }
        for customer in [
            " 7",
            "7 ",
            "+7",
            "-7",
            "0",
            "7.0",
            "0x7",
            "７",
            "seven",
            "gid://shopify/Customer/7",
            "9223372036854775808",
        ] {
            let signed = signed_proxy(with(good.clone(), "logged_in_customer_id", customer));
            assert_eq!(ask(&signed).await, refused("bad_parameter"), "{customer:?}");
        }
        let large = signed_proxy(with(good.clone(), "logged_in_customer_id", "9007199254740993"));
        assert_eq!(ask(&large).await.0, 200);

        let at = |seconds: i64| door.now().as_second().saturating_add(seconds).to_string();
        for seconds in TIMES {
            let signed = signed_proxy(with(good.clone(), "timestamp", at(seconds)));
            assert_eq!(ask(&signed).await.0, 200, "{seconds} s");
        }
        for time in WRONG_TIMES.map(at).into_iter().chain(NO_TIMES.map(str::to_owned)) {
            let signed = signed_proxy(with(good.clone(), "timestamp", &time));
            assert_eq!(ask(&signed).await, refused("stale_request"), "{time:?}");
        }
        assert_eq!(ask(&signed_proxy(without(good.clone(), "timestamp"))).await, refused("stale_request"));
        for shop in [
            "evil.example",
            "local-shop.myshopify.com.evil.example",
            "local-shop.myshopify.com.",
            "x@local-shop.myshopify.com",
            "",
        ] {
            assert_eq!(
                ask(&signed_proxy(with(good.clone(), "shop", shop))).await,
                refused("bad_parameter"),
                "{shop}"
            );
        }
        assert_eq!(ask(&signed_proxy(without(good, "shop"))).await, refused("bad_parameter"));
    });
}

pub(super) fn back(door: &Door, shop: &str) -> Pairs {
    vec![
        ("code", "c0de".to_owned()),
        ("host", "YWRtaW4".to_owned()),
        ("shop", shop.to_owned()),
        ("state", "00".repeat(32)),
        ("timestamp", door.now().as_second().to_string()),
    ]
}

fn signed_back(pairs: Pairs) -> Pairs {
    let hmac = hex(&mac(SECRET, &oauth_text(&pairs)));
    with(pairs, "hmac", hmac)
}

#[test]
fn a_way_back_from_an_approval_is_shopifys_own_or_refused() {
    on_both_engines(async |test| {
        let door = open(test, &[]).await;
        let ask = async |pairs: &Pairs| ask(&door, "/auth/callback", pairs).await;
        let good = back(&door, SHOP);
        let signed = signed_back(good.clone());
        // Believed to be Shopify's; but this browser was sent nowhere.
        let believed = refused("bad_state");
        assert_eq!(ask(&signed).await, believed);

        assert_eq!(ask(&good).await, refused("bad_signature"), "missing");
        let mut forged = no_signatures(&oauth_text(&good), &oauth_text(&back(&door, OTHER_SHOP)));
        forged.push(("signed as a proxied query", hex(&mac(SECRET, &proxy_text(&good)))));
        for (why, hmac) in forged {
            assert_eq!(ask(&with(good.clone(), "hmac", hmac)).await, refused("bad_signature"), "{why}");
        }
        let renamed = with(good.clone(), "signature", hex(&mac(SECRET, &oauth_text(&good))));
        assert_eq!(ask(&renamed).await, refused("bad_signature"), "under the other name");
        for name in ["code", "shop", "state", "timestamp", "host", "hmac"] {
            let mut twice = signed.clone();
            twice.push(signed.iter().find(|(key, _)| *key == name).unwrap().clone());
            assert_eq!(ask(&twice).await, refused("repeated_parameter"), "{name}");
        }
        let at = |seconds: i64| door.now().as_second().saturating_add(seconds).to_string();
        for seconds in TIMES {
            let signed = signed_back(with(good.clone(), "timestamp", at(seconds)));
            assert_eq!(ask(&signed).await, believed, "{seconds} s");
        }
        for time in WRONG_TIMES.map(at).into_iter().chain(NO_TIMES.map(str::to_owned)) {
            // The spaces among them would have to be encoded in the text; whichever it is, it is refused.
            let (status, code) = ask(&signed_back(with(good.clone(), "timestamp", &time))).await;
            assert!(
                status == 400 && ["stale_request", "bad_signature"].contains(&code.as_str()),
                "{time:?}: {code}"
            );
        }
        assert_eq!(ask(&signed_back(without(good.clone(), "state"))).await, refused("bad_state"));
        assert_eq!(door.shop.token_calls(), [], "nothing was redeemed");
    });
}

/// A signature proves that Shopify sent a query about now, not that it sent it once: a page that is loaded again is the same
/// to it. So what a query asks for must come to the same when it is asked again.
#[test]
fn a_proxied_query_that_is_replayed_within_its_window_does_nothing_twice() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let query = house.shop.signed_proxy_query(Some(ada), &[]);
        let url = |path: &str| format!("{}/proxy{path}?{query}", house.url);
        let pick = json!({"reward": "points", "points": 500, "currency": "GBP"});
        let mut ids = Vec::new();
        for _ in 0..3 {
            let answered = house.http.post(url("/redemptions")).json(&pick).send().await.unwrap();
            assert_eq!(answered.status(), 200);
            let redemption: serde_json::Value = answered.json().await.unwrap();
            ids.push(redemption["id"].as_str().unwrap().to_owned());
        }
        assert!(ids.iter().all(|id| *id == ids[0]), "one pick: {ids:?}");
        assert_eq!(house.points(ada).await, (300, 0, 500));
        for _ in 0..2 {
            let path = format!("/redemptions/{}", ids[0]);
            let answered = house.http.delete(url(&path)).send().await.unwrap();
            assert_eq!(answered.status(), 200, "taken back, once");
        }
        for _ in 0..2 {
            assert_eq!(house.http.get(url("/account")).send().await.unwrap().status(), 200);
        }
    });
}
