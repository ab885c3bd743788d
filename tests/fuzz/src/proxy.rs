//! Requests of storefronts: queries of any kind, signed as Shopify signs them, and forged.

use std::cell::RefCell;
use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, Uri};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::house::{House, SECRET};

/// What storefronts may ask: the method and the path. A star stands for a part of the path that the input gives.
const ROUTES: [(&str, &str); 15] = [
    ("GET", "/proxy/account"),
    ("GET", "/proxy/history"),
    ("GET", "/proxy/rewards"),
    ("GET", "/proxy/orders/*/explain"),
    ("GET", "/proxy/payouts/*"),
    ("POST", "/proxy/redemptions"),
    ("DELETE", "/proxy/redemptions/*"),
    ("POST", "/proxy/payouts"),
    ("GET", "/auth/callback"),
    ("GET", "/proxy/birthday"),
    ("POST", "/proxy/birthday"),
    ("DELETE", "/proxy/birthday"),
    ("GET", "/proxy/orders/*/points"),
    ("GET", "/proxy/redemptions/*"),
    ("GET", "/proxy/joining"),
];

/// The first byte says which route; then, line by line, the query, a part of the path, and the body.
pub fn proxy_queries(data: &[u8]) {
    thread_local!(static HOUSE: RefCell<House> = RefCell::new(House::open()));
    let Some((route, rest)) = data.split_first() else { return };
    let (method, path) = ROUTES[usize::from(*route) % ROUTES.len()];
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let mut parts = text.splitn(3, '\n');
    let query = parts.next().unwrap_or_default();
    let (part, body) = (parts.next().unwrap_or("1"), parts.next().unwrap_or_default());
    HOUSE.with_borrow_mut(|house| {
        let house = house.next();
        forged(house, query);
        // About now, and of the shop that is here: whatever else the query says comes after that.
        let now = house.app.clock.now().as_second();
        let query = format!("shop={}&timestamp={now}&{query}", crate::house::SHOP);
        let address = format!("{}?{}", path.replace('*', part), signed(&query));
        let Ok(address) = address.parse::<Uri>() else { return };
        let request =
            Request::builder().method(method).uri(address).header("Content-Type", "application/json");
        house.send(request.body(Body::from(body.to_owned())).unwrap());
        house.assert_whole();
    });
}

/// The query as Shopify's app proxy signs it.
fn signed(query: &str) -> String {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in
        form_urlencoded::parse(query.as_bytes()).into_owned().filter(|(key, _)| key != "signature")
    {
        values.entry(key).or_default().push(value);
    }
    let mut pairs: Vec<_> =
        values.iter().map(|(key, values)| format!("{key}={}", values.join(","))).collect();
    pairs.sort_unstable();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(pairs.concat().as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{query}&signature={signature}")
}

/// Nobody signed it: it is believed by nothing.
fn forged(house: &House, query: &str) {
    let (now, tolerance) = (house.app.clock.now(), house.app.config.shopify.clock_tolerance);
    assert!(house.app.signer.verify_proxy(query, now, tolerance).is_err(), "{query}");
    assert!(house.app.signer.verify_oauth(query, now, tolerance).is_err(), "{query}");
}
