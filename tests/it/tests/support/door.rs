//! The door: a local shop that grants tokens, and the backend with its real handlers, both with clocks that stand still.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use devshop::{DevShop, Settings, Surface};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use loyalnest::app::{App, Builder};
use loyalnest::bulk::Reader;
use loyalnest::clock::Clock;
use loyalnest::config::Config;
use loyalnest::db::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use tower::ServiceExt;

use super::TestDb;
use super::app::Answered;

pub const KEY: &str = "devshop-key";
pub const SECRET: &str = "devshop-secret";
pub const SHOP: &str = "local-shop.myshopify.com";
const START: &str = "2026-11-23T12:00:00Z";

pub struct Door {
    pub shop: DevShop,
    pub app: App,
}

impl Door {
    /// A shop that the backend has never seen.
    pub async fn new(test: &TestDb) -> Self {
        Door::with(test, &[]).await
    }

    pub async fn with(test: &TestDb, changed: &[(&str, &str)]) -> Self {
        Door::open(test, Settings::default(), changed).await
    }

    /// A shop that is set up like this.
    pub async fn of(test: &TestDb, settings: Settings) -> Self {
        Door::open(test, settings, &[]).await
    }

    async fn open(test: &TestDb, settings: Settings, changed: &[(&str, &str)]) -> Self {
        let clock = devshop::Clock::standing_at(START.parse().unwrap());
        let shop = DevShop::start(Settings { clock, ..settings }).await.unwrap();
        let app = Door::process(test, &shop, Clock::fixed(START.parse().unwrap()), changed).await;
        Door { shop, app }
    }

    /// One more process of the backend, on the same database and with the same clock.
    pub async fn another_process(&self, test: &TestDb) -> App {
        self.process_with(test, &[]).await
    }

    /// One more, with other settings.
    pub async fn process_with(&self, test: &TestDb, changed: &[(&str, &str)]) -> App {
        Door::process(test, &self.shop, self.app.clock.clone(), changed).await
    }

    /// One more, with other readers of bulk operations' files.
    pub async fn process_reading(&self, test: &TestDb, readers: Vec<Arc<dyn Reader>>) -> App {
        let builder = Door::builder(test, &self.shop, self.app.clock.clone(), &[]);
        builder.bulk_readers(readers).build().await.unwrap()
    }

    /// Another shop, whose merchant comes to a process of their own on the same database.
    pub async fn beside(&self, test: &TestDb, domain: &str, name: &str) -> Door {
        let clock = devshop::Clock::standing_at(self.now().into());
        let settings =
            Settings { clock, domain: domain.into(), name: name.into(), seed: 2, ..Settings::default() };
        let shop = DevShop::start(settings).await.unwrap();
        let app = Door::process(test, &shop, Clock::fixed(self.now()), &[]).await;
        Door { shop, app }
    }

    async fn process(test: &TestDb, shop: &DevShop, clock: Clock, changed: &[(&str, &str)]) -> App {
        Door::builder(test, shop, clock, changed).build().await.unwrap()
    }

    fn builder(test: &TestDb, shop: &DevShop, clock: Clock, changed: &[(&str, &str)]) -> Builder {
        let (key, scopes) = ("5a".repeat(32), shop.scopes());
        let all = [
            ("SHOPIFY_API_KEY", KEY),
            ("SHOPIFY_API_SECRET", SECRET),
            ("LOYALNEST_ENCRYPTION_KEY", key.as_str()),
            ("LOYALNEST_SHOPIFY_URL", shop.url()),
            ("SCOPES", scopes.as_str()),
            ("HOST", "https://app.example"),
        ];
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let config = Config::load(None, &all.iter().chain(changed).map(owned).collect::<Vec<_>>()).unwrap();
        App::builder(config).db(test.db.clone()).clock(clock)
    }

    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Moves both clocks.
    pub fn advance(&self, by: SignedDuration) {
        self.app.clock.advance(by);
        self.shop.clock().advance(by.unsigned_abs());
    }

    pub async fn send(&self, request: Request<Body>) -> Answered {
        send(&self.app, request).await
    }

    /// `GET /api/me` with a session token.
    pub async fn me(&self, token: &str) -> Answered {
        me(&self.app, token).await
    }

    /// A request of a member of staff, with a session token made now.
    pub async fn staff(&self, user: u64, method: Method, path: &str, body: &Value) -> Answered {
        api(&self.app, &self.shop.session_token(Surface::Admin(user)), method, path, body).await
    }

    /// What an extension of the checkout sends with this session token.
    pub async fn extension(&self, token: &str, method: Method, path: &str, body: &Value) -> Answered {
        api(&self.app, token, method, &format!("/ext{path}"), body).await
    }

    /// The claims of a member of staff in the embedded admin, to be changed and signed with [`jwt`].
    pub fn admin_claims(&self) -> Value {
        let now = self.now().as_second();
        json!({"iss": format!("https://{SHOP}/admin"), "dest": format!("https://{SHOP}"), "aud": KEY, "sub": "42",
               "exp": now + 60, "nbf": now, "iat": now, "jti": "1", "sid": "2"})
    }

    /// A webhook about the app, sent first at this time.
    pub async fn webhook(&self, id: &str, topic: &str, triggered_at: Timestamp, body: &Value) -> StatusCode {
        let body = body.to_string();
        let request = Request::post("/webhooks")
            .header("x-shopify-topic", topic)
            .header("x-shopify-hmac-sha256", self.app.signer.sign_webhook(body.as_bytes()))
            .header("x-shopify-shop-domain", SHOP)
            .header("x-shopify-webhook-id", id)
            .header("x-shopify-triggered-at", triggered_at.to_string())
            .body(Body::from(body))
            .unwrap();
        let status = self.send(request).await.status;
        self.app.inbox.drain_until_idle().await.unwrap();
        status
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shop.close();
    }
}

pub async fn send(app: &App, request: Request<Body>) -> Answered {
    Answered::read(app.router().oneshot(request).await.unwrap()).await
}

/// A request with a bearer token; without a body if that is null.
pub async fn api(app: &App, token: &str, method: Method, path: &str, body: &Value) -> Answered {
    let request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    let request = match body {
        Value::Null => request.body(Body::empty()),
        body => request.header("content-type", "application/json").body(Body::from(body.to_string())),
    };
    send(app, request.unwrap()).await
}

pub async fn me(app: &App, token: &str) -> Answered {
    let request = Request::get("/api/me").header("authorization", format!("Bearer {token}"));
    send(app, request.body(Body::empty()).unwrap()).await
}

/// A token with these claims, signed with HS256.
pub fn jwt(claims: &Value, secret: &str) -> String {
    jwt_that_says("HS256", claims, secret)
}

/// A token that claims to be signed that way, and is signed with HS256.
pub fn jwt_that_says(algorithm: &str, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": algorithm, "typ": "JWT"})), part(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&signed).finalize();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
}
