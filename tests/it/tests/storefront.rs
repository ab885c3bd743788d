//! Requests through Shopify's app proxy: who may call.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::routing::get;
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::web::{Shopper, doors};
use tower::ServiceExt;

use crate::support::app::{SECRET, SHOP, TestApp, proxied};
use crate::support::on_both_engines;

async fn who(shopper: Shopper) -> String {
    format!("{} {:?}", shopper.shop.name, shopper.customer.map(|id| id.0))
}

async fn ask(app: &App, query: &str) -> (u16, String) {
    let router = doors(Router::new().route("/who", get(who))).with_state(app.clone());
    let request = Request::get(format!("/proxy/who?{query}")).body(Body::empty()).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let code =
        serde_json::from_str::<serde_json::Value>(&text).ok().map(|problem| problem["code"].to_string());
    (status, code.unwrap_or(text))
}

#[test]
fn a_signed_request_says_who_calls_and_any_other_is_refused() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        let query = |shop: &str, customer: &str| {
            let now = app.now().as_second();
            format!(
                "shop={shop}&logged_in_customer_id={customer}&path_prefix=%2Fapps%2Floyalty&timestamp={now}"
            )
        };
        let signed = |query: &str| proxied(SECRET, query);
        let ask = async |query: &str| ask(&app.app, query).await;

        let good = signed(&query(SHOP, "7"));
        assert_eq!(ask(&good).await, (200, "Tea & Co Some(7)".to_owned()));
        assert_eq!(ask(&signed(&query(SHOP, ""))).await, (200, "Tea & Co None".to_owned()));

        let refused = |code: &str| (400, format!("\"{code}\""));
        assert_eq!(ask("").await, refused("bad_signature"));
        assert_eq!(ask(&query(SHOP, "7")).await, refused("bad_signature"));
        assert_eq!(ask(&good.replace("customer_id=7", "customer_id=8")).await, refused("bad_signature"));
        assert_eq!(ask(&format!("{good}&shop={SHOP}")).await, refused("repeated_parameter"));
        assert_eq!(ask(&signed(&query(SHOP, "seven"))).await, refused("bad_parameter"));
        assert_eq!(ask(&signed(&query("evil.example", "7"))).await, refused("bad_parameter"));
        let unknown = signed(&query("coffee.myshopify.com", "7"));
        assert_eq!(ask(&unknown).await, (404, "\"unknown_shop\"".to_owned()));

        app.advance(SignedDuration::from_secs(91));
        assert_eq!(ask(&good).await, refused("stale_request"));
        app.advance(SignedDuration::from_secs(-182));
        assert_eq!(ask(&good).await, refused("stale_request"));
    });
}
