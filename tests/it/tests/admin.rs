//! The Admin client against an API that misbehaves.

use std::time::{Duration, Instant};

use loyalnest::config::Secret;
use loyalnest::ids::{CustomerId, OrderId};
use loyalnest::shopify::admin::{
    AccountMetafield, Admin, AdminApi, AdminError, CompareDigest, MetafieldWrite, Priority,
};
use serde_json::{Value, json};

use crate::support::admin::{Answer, ScriptedAdmin, shop_details};
use crate::support::app::{SHOP, config};

async fn admin(answers: impl IntoIterator<Item = Answer>) -> (Admin, ScriptedAdmin) {
    let scripted = ScriptedAdmin::start(answers).await;
    let settings =
        [("LOYALNEST_SHOPIFY_URL", scripted.url.as_str()), ("LOYALNEST_SHOPIFY__TIMEOUT", "300ms")];
    let api = AdminApi::new(&config(&settings)).unwrap();
    (api.shop(&SHOP.parse().unwrap(), &Secret::new("shpat_1")), scripted)
}

fn throttled(status: u16, requested: f64, available: f64) -> Answer {
    Answer::Status(
        status,
        json!({
            "errors": [{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }],
            "extensions": { "cost": { "requestedQueryCost": requested, "throttleStatus":
                { "maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0 } } },
        }),
    )
}

fn write(compare_digest: CompareDigest) -> MetafieldWrite {
    MetafieldWrite {
        owner_id: CustomerId(1).gid(),
        namespace: "$app".into(),
        key: "account".into(),
        r#type: "json".into(),
        value: r#"{"v":1}"#.into(),
        compare_digest,
    }
}

#[tokio::test]
async fn throttling_is_waited_out_with_either_status() {
    let (admin, scripted) =
        admin([throttled(200, 40.0, 10.0), throttled(429, 40.0, 10.0), Answer::Json(shop_details(SHOP))])
            .await;
    let (admin, started) = (admin.priority(Priority::Redemption), Instant::now());
    assert_eq!(admin.shop_details().await.unwrap().currency, "GBP");
    assert!(started.elapsed() >= Duration::from_millis(600), "twice 30 points at 100 a second");
    let asked = scripted.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0].0.as_deref(), Some("shpat_1"));
    assert!(asked[0].1["query"].as_str().unwrap().contains("query ShopDetails"));
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let (admin, _) = admin([throttled(200, 2000.0, 0.0)]).await;
    let started = Instant::now();
    let error = admin.within(Duration::from_secs(15)).shop_details().await.unwrap_err();
    assert!(matches!(&error, AdminError::Throttled { wait } if *wait == Duration::from_secs(20)));
    assert!(error.is_retryable() && started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn faults_are_tried_again_within_the_deadline() {
    let faults = [Answer::Status(502, Value::Null), Answer::Silence, Answer::Status(500, Value::Null)];
    let (patient, scripted) = admin(faults.into_iter().chain([Answer::Json(shop_details(SHOP))])).await;
    assert_eq!(patient.shop_details().await.unwrap().domain, SHOP);
    assert_eq!(scripted.asked().len(), 4);

    // Each is given up after 300 ms.
    let (hasty, scripted) = admin((0..20).map(|_| Answer::Silence)).await;
    let error = hasty.within(Duration::from_millis(500)).shop_details().await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(scripted.asked().len() <= 2, "{}", scripted.asked().len());
}

#[tokio::test]
async fn what_cannot_pass_is_an_error_at_once() {
    for (answer, says) in [
        (Answer::Status(401, Value::Null), "does not accept the access token"),
        (Answer::Status(403, Value::Null), "does not accept the access token"),
        (Answer::Status(404, Value::Null), "refused the request with status 404"),
        (Answer::Json(json!({ "errors": [{ "message": "no such field" }] })), "no such field"),
        (Answer::Json(json!({ "data": { "shop": { "name": 7 } } })), "not what the operation returns"),
    ] {
        let (admin, scripted) = admin([answer]).await;
        let error = admin.shop_details().await.unwrap_err();
        assert!(error.to_string().contains(says) && !error.is_retryable(), "{error}");
        assert_eq!(scripted.asked().len(), 1);
    }
}

#[tokio::test]
async fn metafields_are_written_with_their_digests_and_errors_come_back_as_data() {
    let written = json!({ "data": { "metafieldsSet": {
        "metafields": [{ "namespace": "app--1", "key": "account", "compareDigest": "d2" }], "userErrors": [],
    } } });
    let stale = json!({ "data": { "metafieldsSet": { "metafields": null, "userErrors": [
        { "field": ["metafields", "1", "compareDigest"], "message": "Stale", "code": "STALE_OBJECT" },
    ] } } });
    let (admin, scripted) = admin([Answer::Json(written), Answer::Json(stale)]).await;

    let set = admin.metafields_set(&[write(CompareDigest::Replaces("d1".into()))]).await.unwrap();
    assert_eq!((set.written[0].compare_digest.as_str(), set.errors.len()), ("d2", 0));
    let set = admin.metafields_set(&[write(CompareDigest::Any), write(CompareDigest::New)]).await.unwrap();
    assert_eq!((set.written.len(), set.errors[0].index(), set.errors[0].is_stale()), (0, Some(1), true));

    let inputs: Vec<_> =
        scripted.asked().iter().map(|(_, body)| body["variables"]["metafields"].clone()).collect();
    assert_eq!(inputs[0][0]["compareDigest"], "d1");
    assert!(inputs[1][0].get("compareDigest").is_none());
    assert_eq!(inputs[1][1].get("compareDigest"), Some(&Value::Null));
}

#[tokio::test]
async fn accounts_orders_and_tags_are_read_as_they_are() {
    let metafield = json!({ "value": "{}", "compareDigest": "d" });
    let customer = |metafield: Value| json!({ "__typename": "Customer", "id": "gid://shopify/Customer/1", "metafield": metafield });
    let nodes = json!([customer(metafield.clone()), customer(Value::Null), null]);
    let (admin, scripted) = admin([
        Answer::Json(json!({ "data": { "nodes": nodes } })),
        Answer::Json(
            json!({ "data": { "order": { "id": "gid://shopify/Order/1", "metafield": { "value": "{}" } } } }),
        ),
        Answer::Json(json!({ "data": { "order": null } })),
        Answer::Json(json!({ "data": { "tagsAdd": { "node": null, "userErrors":
            [{ "field": ["id"], "message": "Order does not exist" }] } } })),
    ])
    .await;
    let accounts = admin.account_metafields(&[CustomerId(1), CustomerId(2), CustomerId(3)]).await.unwrap();
    let published = AccountMetafield::Published { value: "{}".into(), compare_digest: "d".into() };
    assert_eq!(accounts, [published, AccountMetafield::Empty, AccountMetafield::NoCustomer]);
    assert_eq!(admin.order_redemption(OrderId(1)).await.unwrap().as_deref(), Some("{}"));
    assert_eq!(admin.order_redemption(OrderId(2)).await.unwrap(), None);
    let errors = admin.tag(&OrderId(1).gid(), &["loyalty-unbacked".to_owned()]).await.unwrap();
    assert_eq!((errors[0].field.as_slice(), errors[0].code.as_deref()), (&["id".to_owned()][..], None));
    assert_eq!(scripted.asked()[0].1["variables"]["ids"][2], "gid://shopify/Customer/3");
}
