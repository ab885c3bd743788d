//! A backend with one shop, in memory.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::{Json, Router};
use loyalnest::app::App;
use loyalnest::clock::Clock;
use loyalnest::config::{Config, Secret};
use loyalnest::db::{Db, Options};
use loyalnest::ids::ShopId;
use loyalnest::outgoing::Outgoing;
use loyalnest::shopify::ShopDomain;
use loyalnest::shopify::admin::ShopDetails;
use loyalnest::{programs, proof};
use loyalty::{Currency, Program};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

pub const SECRET: &str = "hush";
pub const API_KEY: &str = "key";
pub const SHOP: &str = "tea.myshopify.com";

/// After so many inputs another house is built, so that memory does not fill up and a finding has few inputs before it.
const INPUTS: u32 = 2_000;

/// The application, its shop and the thread it runs on.
pub struct House {
    pub app: App,
    pub shop: ShopId,
    runtime: Runtime,
    inputs: u32,
}

impl House {
    pub fn open() -> House {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (app, shop) = runtime.block_on(opened());
        House { app, shop, runtime, inputs: 0 }
    }

    /// Takes the next input in this house, or in another one when this one has had its share.
    pub fn next(&mut self) -> &mut House {
        if self.inputs == INPUTS {
            *self = House::open();
        }
        self.inputs += 1;
        self
    }

    /// Which input this is.
    pub fn number(&self) -> u32 {
        self.inputs
    }

    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Sends a request through the router. What is refused says why, and nothing fails.
    pub fn send(&self, request: Request<Body>) -> StatusCode {
        self.run(async {
            let answer = self.app.router().oneshot(request).await.unwrap();
            let (head, body) = answer.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            if head.status.is_client_error() || head.status.is_server_error() {
                let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert!(problem["code"].is_string(), "{problem}");
                assert_ne!(head.status, StatusCode::INTERNAL_SERVER_ERROR, "{problem}");
            }
            head.status
        })
    }

    /// Counts what must always hold.
    pub fn assert_whole(&self) {
        let broken = self.run(async {
            let mut read = self.app.db.read(self.shop).await.unwrap();
            let mut all = proof::violations(&mut read, self.shop).await.unwrap();
            all.retain(|(_, count)| *count > 0);
            all
        });
        assert!(broken.is_empty(), "{broken:?}");
    }
}

async fn opened() -> (App, ShopId) {
    let key = "5a".repeat(32);
    let settings = [
        ("SHOPIFY_API_KEY", API_KEY),
        ("SHOPIFY_API_SECRET", SECRET),
        ("LOYALNEST_ENCRYPTION_KEY", key.as_str()),
        ("LOYALNEST_SHOPIFY_URL", "http://127.0.0.1:9"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(None, &settings).unwrap();
    let db = Db::connect("sqlite::memory:", &Options::default()).await.unwrap();
    db.migrate().await.unwrap();
    let clock = Clock::fixed("2026-11-22T12:00:00Z".parse().unwrap());
    // This is not about what Shopify says: whatever is asked for is not there.
    let nothing = Router::new().fallback(async || Json(json!({"data": {"order": null}})));
    let shopify = Outgoing::to_shops(&config).unwrap().answered_by(nothing);
    let app = App::builder(config).db(db).clock(clock).simulated(shopify).build().await.unwrap();
    let domain: ShopDomain = SHOP.parse().unwrap();
    let details = ShopDetails {
        id: "gid://shopify/Shop/1".into(),
        name: "Tea & Co".into(),
        domain: SHOP.into(),
        currency: "GBP".into(),
        time_zone: "Europe/London".into(),
    };
    let shop = app.shops.register(details, &domain, &Secret::new("shpat_1")).await.unwrap();
    let mut tx = app.db.begin(shop.id).await.unwrap();
    let program = Program::standard(Currency::parse("GBP").unwrap());
    programs::set(&mut tx, shop.id, program, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    (app, shop.id)
}
