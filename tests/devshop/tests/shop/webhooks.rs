//! Webhooks: signed, with their headers, tried again, as unreliable as asked for.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devshop::{Outcome, Payment, PlaceOptions, Settings, Subscription, WebhookFaults, WebhookSettings};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::support::{App, Fixture};

#[tokio::test]
async fn an_order_sends_signed_webhooks_with_their_headers() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    fixture.shop.place_order(&fixture.cart(1), PlaceOptions::default()).unwrap();
    fixture.shop.webhooks().flush().await.unwrap();

    assert_eq!(app.topics(), ["orders/create", "orders/paid"]);
    let received = app.received();
    for webhook in &received {
        let mac =
            Hmac::<Sha256>::new_from_slice(b"devshop-secret").unwrap().chain_update(&webhook.body).finalize();
        assert_eq!(webhook.header("x-shopify-hmac-sha256"), STANDARD.encode(mac.into_bytes()));
        assert_eq!(webhook.header("x-shopify-shop-domain"), "local-shop.myshopify.com");
        assert_eq!(webhook.header("x-shopify-api-version"), "2026-10");
        assert!(webhook.header("x-shopify-triggered-at").parse::<jiff::Timestamp>().is_ok());
        assert_eq!(webhook.header("content-type"), "application/json");
        assert_eq!((webhook.method.as_str(), webhook.uri.path()), ("POST", "/webhooks"));
    }
    let ids = |name: &str| received.iter().map(|webhook| webhook.header(name)).collect::<HashSet<_>>().len();
    assert_eq!((ids("x-shopify-webhook-id"), ids("x-shopify-event-id")), (2, 1));
}

#[tokio::test]
async fn topics_nobody_subscribed_to_are_not_sent() {
    let webhooks = WebhookSettings {
        subscriptions: Some(vec![Subscription::to("orders/paid")]),
        ..WebhookSettings::default()
    };
    let fixture = Fixture::with(Settings { webhooks, ..Settings::default() }).await;
    let app = App::start(&fixture.shop).await;
    let order = fixture
        .shop
        .place_order(&fixture.cart(1), PlaceOptions { payment: Payment::Later, ..PlaceOptions::default() })
        .unwrap();
    fixture.shop.webhooks().flush().await.unwrap();
    assert!(app.topics().is_empty());
    fixture.shop.pay(order.id).unwrap();
    fixture.shop.webhooks().flush().await.unwrap();
    assert_eq!(app.topics(), ["orders/paid"]);
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_under_the_same_id_and_finally_given_up() {
    let retries = vec![Duration::from_millis(5), Duration::from_millis(5)];
    let webhooks = WebhookSettings {
        subscriptions: Some(vec![Subscription::to("orders/create")]),
        retries,
        ..WebhookSettings::default()
    };
    let fixture = Fixture::with(Settings { webhooks, ..Settings::default() }).await;
    let app = App::start(&fixture.shop).await;

    app.answer([500, 302]);
    fixture.shop.place_order(&fixture.cart(1), PlaceOptions::default()).unwrap();
    fixture.shop.webhooks().flush().await.unwrap();
    let ids: HashSet<_> =
        app.received().iter().map(|r| r.header("x-shopify-webhook-id").to_owned()).collect();
    assert_eq!((app.received().len(), ids.len()), (3, 1));

    app.answer([500, 500, 500]);
    fixture.shop.place_order(&fixture.cart(1), PlaceOptions::default()).unwrap();
    let left = fixture.shop.webhooks().flush().await.unwrap_err();
    assert_eq!((left.len(), left[0].attempts, left[0].event.topic.as_str()), (1, 3, "orders/create"));
    let outcomes: Vec<_> =
        fixture.shop.webhooks().attempts().into_iter().map(|attempt| attempt.outcome).collect();
    let expected: Vec<_> = [500, 302, 200, 500, 500, 500].map(Outcome::Status).into();
    assert_eq!(outcomes, expected);
    fixture.shop.webhooks().flush().await.unwrap();
}

#[tokio::test]
async fn an_app_that_does_not_answer_in_time_has_not_answered() {
    let webhooks = WebhookSettings {
        subscriptions: Some(vec![Subscription::to("orders/create")]),
        timeout: Duration::from_millis(50),
        retries: vec![],
        ..WebhookSettings::default()
    };
    let fixture = Fixture::with(Settings { webhooks, ..Settings::default() }).await;
    // Accepts connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    fixture.shop.set_app_url(Some(&format!("http://{}", silent.local_addr().unwrap())));
    fixture.shop.place_order(&fixture.cart(1), PlaceOptions::default()).unwrap();
    assert_eq!(fixture.shop.webhooks().flush().await.unwrap_err().len(), 1);
    assert!(matches!(fixture.shop.webhooks().attempts()[0].outcome, Outcome::Failed(_)));
}

#[tokio::test]
async fn with_every_fault_each_webhook_still_arrives() {
    let fixture = Fixture::with(Settings { seed: 11, ..Settings::default() }).await;
    let app = App::start(&fixture.shop).await;
    fixture.shop.webhooks().set_faults(WebhookFaults::all());
    for _ in 0..20 {
        fixture.shop.place_order(&fixture.cart(1), PlaceOptions::default()).unwrap();
    }
    fixture.shop.webhooks().flush().await.unwrap();

    let sent: Vec<_> = fixture.shop.webhooks().events().into_iter().map(|event| event.webhook_id).collect();
    let arrived: Vec<_> =
        app.received().iter().map(|r| r.header("x-shopify-webhook-id").to_owned()).collect();
    assert_eq!(sent.iter().collect::<HashSet<_>>(), arrived.iter().collect::<HashSet<_>>());
    assert!(arrived.len() > sent.len(), "some came twice");
    let mut firsts = arrived.clone();
    let mut seen = HashSet::new();
    firsts.retain(|id| seen.insert(id.clone()));
    assert_ne!(firsts, sent, "some overtook others");
    let outcomes: Vec<_> =
        fixture.shop.webhooks().attempts().into_iter().map(|attempt| attempt.outcome).collect();
    assert!(outcomes.contains(&Outcome::Lost) && outcomes.contains(&Outcome::AnswerLost));
}

#[tokio::test]
async fn paused_webhooks_wait() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    fixture.shop.webhooks().pause();
    fixture.shop.place_order(&fixture.cart(1), PlaceOptions::default()).unwrap();
    assert_eq!(fixture.shop.webhooks().flush().await.unwrap_err().len(), 2);
    assert!(app.topics().is_empty());
    fixture.shop.webhooks().resume();
    fixture.shop.webhooks().flush().await.unwrap();
    assert_eq!(app.topics(), ["orders/create", "orders/paid"]);
}
