//! Bodies of webhooks, signed as Shopify signs: whatever is in them is stored, answered and settled.

use std::cell::RefCell;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Request;

use crate::house::{House, SHOP};

/// The topics that the app subscribes to.
static TOPICS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let app: toml::Table = include_str!("../../../shopify.app.toml").parse().unwrap();
    let subscriptions = app["webhooks"]["subscriptions"].as_array().unwrap();
    let names = |key| subscriptions.iter().filter_map(move |one| one.get(key)?.as_array()).flatten();
    names("topics").chain(names("compliance_topics")).map(|name| name.as_str().unwrap().to_owned()).collect()
});

/// The first byte says which topic, the rest is the body.
pub fn webhooks(data: &[u8]) {
    thread_local!(static HOUSE: RefCell<House> = RefCell::new(House::open()));
    let Some((topic, body)) = data.split_first() else { return };
    let topic = &TOPICS[usize::from(*topic) % TOPICS.len()];
    HOUSE.with_borrow_mut(|house| {
        let house = house.next();
        let request = Request::post("/webhooks")
            .header("X-Shopify-Topic", topic)
            .header("X-Shopify-Hmac-Sha256", house.app.signer.sign_webhook(body))
            .header("X-Shopify-Shop-Domain", SHOP)
            .header("X-Shopify-API-Version", "2026-10")
            .header("X-Shopify-Webhook-Id", format!("{topic}-{}", house.number()))
            .header("X-Shopify-Triggered-At", house.app.clock.now().to_string())
            .header("Content-Type", "application/json")
            .body(Body::from(body.to_vec()))
            .unwrap();
        house.send(request);
        house.run(house.app.inbox.drain_until_idle()).unwrap();
        // It is settled, or dead with a reason. What would be tried again failed, and that is a finding.
        let left = house.run(house.app.inbox.backlog()).unwrap();
        assert_eq!(left.ready, 0, "a message waits for another try");
        house.assert_whole();
    });
}
