//! The storefront's JSON: a visit from signing in to getting one's money back.

use devshop::seed;
use serde_json::{Value, json};

use crate::support::{App, Fixture, client};

/// A browser: it keeps its cookies.
struct Browser {
    client: reqwest::Client,
    url: String,
    cookies: std::sync::Mutex<std::collections::BTreeMap<String, String>>,
}

impl Browser {
    fn new(fixture: &Fixture) -> Self {
        Self { client: client(), url: format!("{}/shop", fixture.shop.url()), cookies: Default::default() }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let cookies: Vec<_> = self.cookies.lock().unwrap().iter().map(|(k, v)| format!("{k}={v}")).collect();
        let mut request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.url));
        request = request.header("cookie", cookies.join("; "));
        if method != "GET" {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.lock().unwrap().insert(name.into(), value.into());
        }
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, reply) = self.send(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {reply}");
        reply
    }
}

#[tokio::test]
async fn a_visit_from_signing_in_to_a_refund() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    let browser = Browser::new(&fixture);
    let products = browser.ok("GET", "/products", json!({})).await;
    let variant = products["products"][0]["variants"][0]["id"].clone();
    browser.ok("POST", "/session", json!({"customer": fixture.ada.id.to_string()})).await;
    assert_eq!(browser.ok("GET", "/session", json!({})).await["customer"]["name"], "Ada Byron");

    browser.ok("POST", "/cart", json!({})).await;
    let cart = browser.ok("POST", "/cart/lines", json!({"variant": variant, "quantity": 3})).await;
    let line = cart["lines"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!((&cart["subtotal"], &cart["customer"]), (&json!(3750), &json!(fixture.ada.id.to_string())));
    browser.ok("PUT", &format!("/cart/lines/{line}"), json!({"quantity": 2})).await;
    let cart = browser.ok("PUT", "/cart/attributes", json!({"_loyalty": "h.1", "gone": null})).await;
    assert_eq!(cart["attributes"], json!([{"name": "_loyalty", "value": "h.1"}]));
    browser.ok("PUT", "/cart/metafields/redemption", json!({"v": 1})).await;

    let quote = browser.ok("GET", "/checkout", json!({})).await;
    assert_eq!((&quote["total"], &quote["runs"]), (&json!(2995), &json!([])));
    let order = browser.ok("POST", "/checkout", json!({})).await["order"].clone();
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(browser.send("GET", "/cart", json!({})).await.0, 404, "the cart became an order");
    assert_eq!(browser.ok("GET", "/orders", json!({})).await["orders"][0]["id"], order["id"]);

    let request = json!({"lines": [{"line": order["lines"][0]["id"], "quantity": 1}], "shipping": 495});
    let refunded = browser.ok("POST", &format!("{path}/refund"), request).await;
    assert_eq!(
        (&refunded["order"]["refunded"], &refunded["order"]["status"]),
        (&json!(1745), &json!("partially_refunded"))
    );
    assert_eq!(browser.ok("POST", &format!("{path}/cancel"), json!({})).await["order"]["cancelled"], true);
    assert_eq!(browser.send("POST", &format!("{path}/cancel"), json!({})).await.0, 409);

    assert_eq!(browser.ok("POST", "/webhooks/flush", json!({})).await["undelivered"], json!([]));
    assert_eq!(
        app.topics(),
        [
            "orders/create",
            "orders/paid",
            "refunds/create",
            "orders/updated",
            "refunds/create",
            "orders/cancelled",
            "orders/updated"
        ]
    );
    let log = browser.ok("GET", "/webhooks", json!({})).await;
    assert_eq!((log["events"].as_array().unwrap().len(), &log["pending"]), (7, &json!(0)));
}

/// A token's claims, unproven.
fn claims(token: &Value) -> Value {
    use base64::Engine as _;
    let part = token["token"].as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn an_extension_gets_a_token_of_whoever_is_signed_in_and_asks_the_app_itself() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    let browser = Browser::new(&fixture);
    let guest = claims(&browser.ok("GET", "/session/token", json!({})).await);
    assert_eq!((guest.get("sub"), guest.get("iss")), (None, None));
    assert_eq!(guest["dest"], "local-shop.myshopify.com");
    browser.ok("POST", "/session", json!({"customer": fixture.ada.id.to_string()})).await;
    let token = browser.ok("GET", "/session/token", json!({})).await;
    assert_eq!(claims(&token)["sub"], format!("gid://shopify/Customer/{}", fixture.ada.id));

    let shop = browser.ok("GET", "", json!({})).await;
    let url = format!("{}/ext/account", shop["app_url"].as_str().unwrap());
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    client().get(url).header("authorization", &bearer).send().await.unwrap();
    let received = app.received();
    let asked = received.last().unwrap();
    assert_eq!((asked.uri.path(), asked.header("authorization")), ("/ext/account", bearer.as_str()));
}

#[tokio::test]
async fn the_apps_page_in_the_admin_gets_a_token_of_a_member_of_staff() {
    let fixture = Fixture::new().await;
    let browser = Browser::new(&fixture);
    let token = claims(&browser.ok("GET", "/staff/42/token", json!({})).await);
    assert_eq!(
        (&token["sub"], &token["iss"]),
        (&json!("42"), &json!("https://local-shop.myshopify.com/admin"))
    );
}

#[tokio::test]
async fn whatever_is_bought_says_which_product_it_is() {
    let fixture = Fixture::new().await;
    let browser = Browser::new(&fixture);
    let products = browser.ok("GET", "/products", json!({})).await;
    let product = &products["products"][0];
    let expected = (&product["variants"][0]["id"], &product["id"], &product["variants"][0]["price"]);
    browser.ok("POST", "/cart", json!({})).await;
    let cart = browser.ok("POST", "/cart/lines", json!({"variant": expected.0, "quantity": 2})).await;
    let quote = browser.ok("GET", "/checkout", json!({})).await;
    let order = browser.ok("POST", "/checkout", json!({})).await["order"].clone();
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    let again = browser.ok("GET", &path, json!({})).await["order"].clone();
    for (what, shown) in [("cart", &cart), ("quote", &quote), ("order", &order), ("order again", &again)] {
        let line = &shown["lines"][0];
        assert_eq!((&line["variant"], &line["product"], &line["unit_price"]), expected, "{what}");
        assert_eq!(line["gift_card"], false, "{what}");
    }
}

#[tokio::test]
async fn a_customers_metafields_come_with_their_history() {
    let fixture = Fixture::new().await;
    let browser = Browser::new(&fixture);
    for value in ["1", "2"] {
        fixture.shop.put_metafield(&fixture.ada_gid(), "$app", "account", value);
    }
    fixture.shop.delete_metafield(&fixture.ada_gid(), "$app", "account");
    let shown = browser.ok("GET", &format!("/customers/{}/metafields", fixture.ada.id), json!({})).await;
    let values: Vec<_> =
        shown["metafields"][0]["history"].as_array().unwrap().iter().map(|v| v["value"].clone()).collect();
    assert_eq!(values, [json!("1"), json!("2"), json!(null)]);
}

#[tokio::test]
async fn two_tabs_may_have_two_carts() {
    let fixture = Fixture::new().await;
    let browser = Browser::new(&fixture);
    let first = browser.ok("POST", "/cart", json!({})).await["token"].clone();
    browser.ok("POST", "/cart", json!({})).await;
    let url = format!("{}/cart/lines", browser.url);
    let body = json!({"variant": fixture.variant().to_string()});
    client().post(url).header("x-cart", first.as_str().unwrap()).json(&body).send().await.unwrap();
    assert_eq!(browser.ok("GET", "/cart", json!({})).await["lines"], json!([]));
    assert_eq!(fixture.shop.cart(first.as_str().unwrap()).unwrap().lines.len(), 1);
}

#[tokio::test]
async fn switches_faults_and_time_are_turned_over_http() {
    let fixture = Fixture::new().await;
    let browser = Browser::new(&fixture);
    browser
        .ok("PUT", "/switches", json!({"order_title": "node_title", "metafield_freshness": {"stale_for": 5}}))
        .await;
    assert_eq!(fixture.shop.switches().order_title, devshop::OrderTitle::NodeTitle);
    assert_eq!(fixture.shop.switches().metafield_freshness, devshop::Freshness::StaleFor(5));
    assert_eq!(browser.send("PUT", "/switches", json!({"weather": "fine"})).await.0, 422);
    browser.ok("PUT", "/webhooks/paused", json!(true)).await;
    assert!(fixture.shop.webhooks().is_paused());
    let before = fixture.shop.clock().now();
    browser.ok("POST", "/clock", json!({"advance_seconds": 86_400})).await;
    assert!(fixture.shop.clock().now().duration_since(before).as_secs() >= 86_400);
}

#[tokio::test]
async fn the_seeded_shop_is_one_to_look_at() {
    let fixture = Fixture::new().await;
    seed(&fixture.shop);
    let products = &fixture.shop.products()[1..];
    assert_eq!((products.len(), fixture.shop.customers().len()), (12, 5));
    assert_eq!(products.iter().filter(|product| product.gift_card).count(), 1);
    let skus: std::collections::HashSet<_> =
        products.iter().flat_map(|p| &p.variants).map(|v| &v.sku).collect();
    assert_eq!(skus.len(), products.iter().map(|product| product.variants.len()).sum::<usize>());
}
