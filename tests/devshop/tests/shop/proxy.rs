//! The app proxy: a signed query that says who is signed in, everything else passed through.

use devshop::DevShop;
use serde_json::json;

use crate::support::{App, Fixture, client};

/// The reference check: everything but the signature, sorted, joined by nothing.
fn signature_of(query: &str) -> (String, String) {
    use hmac::{Hmac, KeyInit, Mac};
    let mut given = String::new();
    let mut texts: Vec<String> = Vec::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if key == "signature" { given = value.into() } else { texts.push(format!("{key}={value}")) }
    }
    texts.sort();
    let mac = Hmac::<sha2::Sha256>::new_from_slice(b"devshop-secret")
        .unwrap()
        .chain_update(texts.concat())
        .finalize();
    (given, hex::encode(mac.into_bytes()))
}

fn parameter(query: &str, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap()
}

async fn sign_in(shop: &DevShop, customer: u64) -> String {
    let url = format!("{}/shop/session", shop.url());
    let body = json!({"customer": customer.to_string()});
    let response = client().post(url).json(&body).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_guest_is_signed_as_nobody_and_a_customer_as_themselves() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    let url = format!("{}/apps/loyalty/account?a=1&b=%C3%A9%20%2B", fixture.shop.url());
    client().get(&url).send().await.unwrap();
    let cookie = sign_in(&fixture.shop, fixture.ada.id).await;
    client().get(&url).header("cookie", &cookie).send().await.unwrap();

    let received = app.received();
    for (request, customer) in received.iter().zip(["", &fixture.ada.id.to_string()]) {
        assert_eq!(request.uri.path(), "/proxy/account");
        let query = request.uri.query().unwrap();
        let (given, expected) = signature_of(query);
        assert_eq!(given, expected);
        assert_eq!(parameter(query, "logged_in_customer_id"), customer);
        assert_eq!(parameter(query, "shop"), "local-shop.myshopify.com");
        assert_eq!(parameter(query, "path_prefix"), "/apps/loyalty");
        assert_eq!((parameter(query, "a"), parameter(query, "b")), ("1".into(), "é +".into()));
        assert_eq!(request.header("cookie"), "", "cookies stay with the shop");
    }
}

#[tokio::test]
async fn method_body_and_status_pass_and_cookies_do_not() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    app.answer([422]);
    let url = format!("{}/apps/loyalty/redemptions", fixture.shop.url());
    let response = client().post(url).json(&json!({"reward": "r1"})).send().await.unwrap();
    assert_eq!(response.status(), 422);
    assert_eq!(response.headers().get("set-cookie"), None);
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(response.text().await.unwrap(), "POST /proxy/redemptions");
    assert_eq!(app.received()[0].json(), json!({"reward": "r1"}));
}

#[tokio::test]
async fn nobody_signs_in_by_naming_themselves() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    let url = format!("{}/apps/loyalty/account?logged_in_customer_id={}", fixture.shop.url(), fixture.ada.id);
    client().get(url).header("cookie", "devshop_customer=12").send().await.unwrap();
    assert_eq!(parameter(app.received()[0].uri.query().unwrap(), "logged_in_customer_id"), "");
}

#[tokio::test]
async fn without_an_app_or_under_another_path_there_is_nothing() {
    let fixture = Fixture::new().await;
    let status = |path: &str| {
        let url = format!("{}{path}", fixture.shop.url());
        async { client().get(url).send().await.unwrap().status().as_u16() }
    };
    assert_eq!(status("/apps/loyalty/account").await, 404);
    App::start(&fixture.shop).await;
    assert_eq!(status("/apps/other/account").await, 404);
    assert_eq!(status("/apps/loyalty").await, 200);
    fixture.shop.set_app_url(Some("http://127.0.0.1:1"));
    assert_eq!(status("/apps/loyalty/account").await, 502);
}
