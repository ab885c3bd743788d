//! The Admin client against answers that are no answers.

use std::time::{Duration, Instant};

use loyalnest::config::Secret;
use loyalnest::ids::CustomerId;
use loyalnest::shopify::admin::{AccountMetafield, Admin, AdminApi, AdminError};
use serde_json::json;

use crate::support::admin::{Answer, ScriptedAdmin};
use crate::support::app::{SHOP, config};
use crate::support::raw::{Raw, head};

fn admin_at(url: &str, timeout: &str) -> Admin {
    let settings = [("LOYALNEST_SHOPIFY_URL", url), ("LOYALNEST_SHOPIFY__TIMEOUT", timeout)];
    let api = AdminApi::new(&config(&settings)).unwrap();
    api.shop(&SHOP.parse().unwrap(), &Secret::new("shpat_1")).within(Duration::from_secs(2))
}

#[tokio::test]
async fn what_is_no_answer_of_the_api_is_an_error_at_once() {
    for body in
        ["<html><body>We'll be back soon</body></html>", "", r#"{"data":{"shop":{"na"#, "[]", "null", "7"]
    {
        let raw = Raw::answering("200 OK", "content-type: application/json\r\n", body).await;
        let error = admin_at(&raw.url, "300ms").shop_details().await.unwrap_err();
        let refused = matches!(error, AdminError::Malformed(_) | AdminError::Operation(_));
        assert!(refused && !error.is_retryable(), "{body}: {error:?}");
        assert_eq!(raw.asked(), 1, "{body}");
    }
}

#[tokio::test]
async fn an_answer_whose_connection_breaks_is_asked_for_again() {
    let pieces = vec![head("200 OK", "", 1_000).into_bytes(), br#"{"data":"#.to_vec()];
    let raw = Raw::start(pieces, Duration::ZERO).await;
    let error = admin_at(&raw.url, "300ms").shop_details().await.unwrap_err();
    assert!(matches!(error, AdminError::Unreachable(_)), "{error:?}");
    assert!(raw.asked() > 1 && raw.asked() < 10, "{}", raw.asked());
}

#[tokio::test]
async fn an_answer_that_drips_ends_with_its_time() {
    let mut pieces = vec![head("200 OK", "", 1_000).into_bytes()];
    pieces.extend(std::iter::repeat_n(b" ".to_vec(), 1_000));
    let raw = Raw::start(pieces, Duration::from_millis(20)).await;
    let asked = Instant::now();
    let error = admin_at(&raw.url, "300ms").shop_details().await.unwrap_err();
    assert!(matches!(error, AdminError::Unreachable(_)), "{error:?}");
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn an_answer_of_more_than_ten_megabytes_is_not_read() {
    let mut pieces = vec![head("200 OK", "", 1_000_000_000).into_bytes()];
    pieces.extend(std::iter::repeat_n(vec![b' '; 1_000_000], 1_000));
    let raw = Raw::start(pieces, Duration::ZERO).await;
    let error = admin_at(&raw.url, "30s").within(Duration::from_secs(30)).shop_details().await.unwrap_err();
    assert!(matches!(error, AdminError::TooLarge) && !error.is_retryable(), "{error:?}");
    assert_eq!(raw.asked(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_so_the_token_goes_nowhere_else() {
    let elsewhere = Raw::answering("200 OK", "", "{}").await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let raw = Raw::answering(status, &format!("location: {}/\r\n", elsewhere.url), "").await;
        let error = admin_at(&raw.url, "300ms").shop_details().await.unwrap_err();
        assert!(matches!(error, AdminError::Refused { status: 301..=308 }), "{error:?}");
    }
    assert_eq!(elsewhere.asked(), 0);
}

#[tokio::test]
async fn a_throttled_answer_may_say_nothing_or_nonsense_of_how_long() {
    for (retry_after, millis) in
        [("-5", 50), ("1e300", 60_000), ("NaN", 1_000), ("soon", 1_000), ("", 1_000), ("7.5", 7_500)]
    {
        let header = format!("retry-after: {retry_after}\r\n");
        let raw = Raw::answering("429 Too Many Requests", &header, "<html>").await;
        let admin = admin_at(&raw.url, "5s").within(Duration::from_secs(5));
        match admin.shop_details().await.unwrap_err() {
            AdminError::Throttled { wait } => {
                assert_eq!(wait, Duration::from_millis(millis), "{retry_after}")
            }
            error => panic!("{retry_after}: {error:?}"),
        }
        assert!(raw.asked() <= 8, "{retry_after}: {}", raw.asked());
    }
}

#[tokio::test]
async fn whoever_is_left_out_of_an_answer_is_not_taken_for_deleted() {
    let customer = json!({ "__typename": "Customer", "id": "gid://shopify/Customer/1", "metafield": null });
    let nodes = json!({ "nodes": [customer, null] });
    let errors = json!([{ "message": "Access denied", "path": ["nodes", 1] }]);
    let scripted = ScriptedAdmin::start([
        Answer::Json(json!({ "data": nodes, "errors": errors })),
        Answer::Json(json!({ "data": nodes })),
    ])
    .await;
    let api = AdminApi::new(&config(&[("LOYALNEST_SHOPIFY_URL", scripted.url.as_str())])).unwrap();
    let admin = api.shop(&SHOP.parse().unwrap(), &Secret::new("shpat_1"));
    let ids = [CustomerId(1), CustomerId(2)];
    let accounts = admin.account_metafields(&ids).await.unwrap();
    assert_eq!(accounts, [AccountMetafield::Empty, AccountMetafield::Unknown]);
    let accounts = admin.account_metafields(&ids).await.unwrap();
    assert_eq!(accounts, [AccountMetafield::Empty, AccountMetafield::NoCustomer]);
}
