//! The application under test, with a shop in it and a clock that stands still.

use std::sync::Arc;

use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::clock::Clock;
use loyalnest::config::{Config, Secret};
use loyalnest::db::{Db, Timestamp};
use loyalnest::merchants::Shop;
use loyalnest::shopify::ShopDomain;
use serde_json::Value;
use sha2::Sha256;
use tower::ServiceExt;

use super::admin::{Answer, ScriptedAdmin, shop_details};
use super::recorder::Recorder;

pub const SECRET: &str = "hush";
pub const SHOP: &str = "tea.myshopify.com";

/// Settings for a test, with some of them changed: `[("LOYALNEST_INBOX__QUEUE", "1")]`.
pub fn config(changed: &[(&str, &str)]) -> Config {
    let key = "5a".repeat(32);
    let all = [("SHOPIFY_API_SECRET", SECRET), ("LOYALNEST_ENCRYPTION_KEY", key.as_str())];
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    Config::load(None, &all.iter().chain(changed).map(owned).collect::<Vec<_>>()).unwrap()
}

pub struct TestApp {
    pub app: App,
    pub shop: Shop,
    pub recorder: Arc<Recorder>,
}

impl TestApp {
    pub async fn new(db: &Db) -> Self {
        TestApp::with(db, &[]).await
    }

    pub async fn with(db: &Db, changed: &[(&str, &str)]) -> Self {
        let start = "2026-11-01T12:00:00Z".parse().unwrap();
        TestApp::at(db, changed, Clock::fixed(start)).await
    }

    pub async fn at(db: &Db, changed: &[(&str, &str)], clock: Clock) -> Self {
        let admin = ScriptedAdmin::start([Answer::Json(shop_details(SHOP))]).await;
        let changed = [changed, &[("LOYALNEST_SHOPIFY_URL", admin.url.as_str())]].concat();
        let recorder = Recorder::new();
        let builder = App::builder(config(&changed)).db(db.clone()).clock(clock).handler(recorder.clone());
        let app = builder.build().await.unwrap();
        let domain: ShopDomain = SHOP.parse().unwrap();
        let shop = app.shops.add(&app.admin, &domain, &Secret::new("shpat_1")).await.unwrap();
        TestApp { app, shop, recorder }
    }

    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub fn advance(&self, by: SignedDuration) {
        self.app.clock.advance(by);
    }

    /// Sends a request through the real router, without sockets.
    pub async fn send(&self, request: Request<Body>) -> Answered {
        Answered::read(self.app.router().oneshot(request).await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answered {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A webhook as Shopify sends it.
    pub fn webhook(&self, id: &str, topic: &str, body: &str) -> Request<Body> {
        Request::post("/webhooks")
            .header("X-Shopify-Topic", topic)
            .header("X-Shopify-Hmac-Sha256", self.app.signer.sign_webhook(body.as_bytes()))
            .header("X-Shopify-Shop-Domain", SHOP)
            .header("X-Shopify-API-Version", "2026-10")
            .header("X-Shopify-Webhook-Id", id)
            .header("X-Shopify-Triggered-At", self.now().to_string())
            .header("X-Shopify-Event-Id", format!("event-{id}"))
            .header("Content-Type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap()
    }

    /// Sends an order of this customer and wants it accepted.
    pub async fn order(&self, id: &str, customer: i64, extra: &str) {
        let body = format!(r#"{{"id":1,"customer":{{"id":{customer}}}{extra}}}"#);
        let answered = self.send(self.webhook(id, "orders/create", &body)).await;
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    }

    pub async fn drain(&self) -> u64 {
        self.app.inbox.drain_until_idle().await.unwrap()
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub retry_after: Option<String>,
    pub content_type: Option<String>,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answered {
    pub async fn read(response: Response<Body>) -> Self {
        let (Parts { status, headers, .. }, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let header = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let (retry_after, content_type) = (header("retry-after"), header("content-type"));
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answered { status, retry_after, content_type, headers, body }
    }

    /// The body, of an answer that must be a success.
    pub fn json(&self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// The status and the problem's code.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.content_type.as_deref(), Some("application/problem+json"), "{self:?}");
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["status"], self.status.as_u16());
        (self.status.as_u16(), body["code"].as_str().unwrap().to_owned())
    }
}

/// A query as Shopify's app proxy signs it. No key is in it twice.
pub fn proxied(secret: &str, query: &str) -> String {
    let decoded = query.replace("%2F", "/");
    let mut pairs: Vec<&str> = decoded.split('&').collect();
    pairs.sort_unstable();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(pairs.concat().as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{query}&signature={signature}")
}
