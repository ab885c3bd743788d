//! A shop with a mug and a customer, an app that records what it receives, and the Admin API as a client sees it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use devshop::{Customer, DevShop, NewProduct, Product, Settings};
use serde_json::{Value, json};

/// A shop with one product at 12.50 and one customer.
pub struct Fixture {
    pub shop: DevShop,
    pub mug: Product,
    pub ada: Customer,
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let shop = DevShop::start(settings).await.unwrap();
        let mug = shop.add_product(NewProduct::simple("Mug", 1250));
        let ada = shop.add_customer("Ada", "Byron", "ada@example.com");
        shop.webhooks().forget();
        Self { shop, mug, ada }
    }

    pub fn variant(&self) -> u64 {
        self.mug.variants[0].id
    }

    pub fn ada_gid(&self) -> String {
        devshop::gid("Customer", self.ada.id)
    }

    /// A cart of Ada's with this many mugs.
    pub fn cart(&self, mugs: u32) -> String {
        let cart = self.shop.new_cart(devshop::NewCart::of(self.ada.id)).unwrap();
        self.shop.add_to_cart(&cart.token, self.variant(), mugs).unwrap();
        cart.token
    }

    /// Posts a document to the Admin API.
    pub async fn admin(&self, query: &str, variables: Value) -> (u16, Value) {
        let response = self.admin_request(query, variables).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub fn admin_request(&self, query: &str, variables: Value) -> reqwest::RequestBuilder {
        client()
            .post(format!("{}/admin/api/2026-10/graphql.json", self.shop.url()))
            .header("x-shopify-access-token", &self.shop.settings().app.admin_token)
            .header("content-type", "application/json")
            .body(json!({"query": query, "variables": variables}).to_string())
    }
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A request an app received.
#[derive(Clone)]
pub struct Received {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// An app that answers 200, or whatever statuses it was told to answer first.
#[derive(Clone, Default)]
pub struct App {
    received: Arc<Mutex<Vec<Received>>>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

impl App {
    /// Starts it and tells the shop.
    pub async fn start(shop: &DevShop) -> Self {
        let app = Self::default();
        let router = Router::new().fallback(receive).with_state(app.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        shop.set_app_url(Some(&format!("http://{}", listener.local_addr().unwrap())));
        tokio::spawn(async move { axum::serve(listener, router).await });
        app
    }

    pub fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.statuses.lock().unwrap().extend(statuses);
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn topics(&self) -> Vec<String> {
        self.received().iter().map(|received| received.header("x-shopify-topic").to_owned()).collect()
    }
}

async fn receive(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 2], String) {
    let said = format!("{method} {}", uri.path());
    app.received.lock().unwrap().push(Received { method, uri, headers, body });
    let status = app.statuses.lock().unwrap().pop_front().unwrap_or(200);
    (StatusCode::from_u16(status).unwrap(), [("content-type", "text/plain"), ("set-cookie", "app=1")], said)
}
