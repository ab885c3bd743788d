//! The Admin API around its operations: token, validation, costs, throttling, faults, partial data.

use std::time::Duration;

use devshop::{AdminFault, AdminFaultKind, BucketSettings, Settings, Switches, ThrottledStatus, gid};
use serde_json::json;

use crate::support::{Fixture, client};

const SHOP: &str = include_str!("../../../../graphql/shop_details.graphql");
const ACCOUNTS: &str = include_str!("../../../../graphql/account_metafields.graphql");
const SET: &str = include_str!("../../../../graphql/metafields_set.graphql");
const TAGS: &str = include_str!("../../../../graphql/tags_add.graphql");

#[tokio::test]
async fn the_shop_tells_its_details() {
    let fixture = Fixture::new().await;
    let (status, reply) = fixture.admin(SHOP, json!({})).await;
    assert_eq!(status, 200);
    let shop = &reply["data"]["shop"];
    assert_eq!(shop["myshopifyDomain"], "local-shop.myshopify.com");
    assert_eq!((&shop["currencyCode"], &shop["ianaTimezone"]), (&json!("GBP"), &json!("Europe/London")));
    assert_eq!(reply["extensions"]["cost"]["requestedQueryCost"], 1);
    assert_eq!(reply["extensions"]["cost"]["throttleStatus"]["maximumAvailable"], 2000);
}

#[tokio::test]
async fn a_wrong_token_or_version_gets_nowhere() {
    let fixture = Fixture::new().await;
    let url = |version: &str| format!("{}/admin/api/{version}/graphql.json", fixture.shop.url());
    let post = |version: &str, token: &str| {
        client()
            .post(url(version))
            .header("x-shopify-access-token", token)
            .body(json!({"query": SHOP}).to_string())
    };
    assert_eq!(post("2026-10", "wrong").send().await.unwrap().status(), 401);
    assert_eq!(post("2020-01", "devshop-token").send().await.unwrap().status(), 404);
    assert_eq!(post("2026-10", "devshop-token").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn documents_and_variables_are_validated() {
    let fixture = Fixture::new().await;
    for (query, variables) in [
        ("{ shop { colour } }", json!({})),
        ("{ shop { name", json!({})),
        (ACCOUNTS, json!({"ids": [null]})),
        (ACCOUNTS, json!({})),
        (SET, json!({"metafields": [{"key": "a"}]})),
    ] {
        let (status, reply) = fixture.admin(query, variables).await;
        assert_eq!(status, 200);
        assert!(reply["errors"][0]["message"].is_string(), "{reply}");
        assert_eq!(reply.get("data"), None, "{reply}");
    }
    let too_many = vec![fixture.ada_gid(); 251];
    let (_, reply) = fixture.admin(ACCOUNTS, json!({"ids": too_many})).await;
    assert_eq!(reply["errors"][0]["extensions"]["code"], "MAX_INPUT_SIZE_EXCEEDED");
}

#[tokio::test]
async fn nodes_that_are_not_there_are_null_and_cost_nothing() {
    let fixture = Fixture::new().await;
    fixture.shop.put_metafield(&fixture.ada_gid(), "$app", "account", "{}");
    let ids = json!([fixture.ada_gid(), gid("Customer", 1), gid("Product", 2)]);
    let (_, reply) = fixture.admin(ACCOUNTS, json!({"ids": ids})).await;
    assert_eq!(reply["data"]["nodes"][0]["metafield"]["value"], "{}");
    assert!(reply["data"]["nodes"][1].is_null() && reply["data"]["nodes"][2].is_null());
    let cost = &reply["extensions"]["cost"];
    assert_eq!((&cost["requestedQueryCost"], &cost["actualQueryCost"]), (&json!(6), &json!(2)));
}

#[tokio::test]
async fn what_the_app_may_not_see_is_null_beside_an_error() {
    let fixture = Fixture::new().await;
    let ben = fixture.shop.add_customer("Ben", "L", "ben@example.com");
    fixture.shop.hide_from_admin(&fixture.ada_gid(), true);
    let ids = json!([fixture.ada_gid(), gid("Customer", ben.id)]);
    let (status, reply) = fixture.admin(ACCOUNTS, json!({"ids": ids})).await;
    assert_eq!(status, 200);
    assert!(reply["data"]["nodes"][0].is_null());
    assert_eq!(reply["data"]["nodes"][1]["id"], gid("Customer", ben.id));
    assert_eq!(reply["errors"][0]["extensions"]["code"], "ACCESS_DENIED");
    assert_eq!(reply["errors"][0]["path"], json!(["nodes", 0]));
}

#[tokio::test]
async fn an_empty_bucket_throttles_with_the_status_of_the_switch() {
    let bucket = BucketSettings { capacity: 25, restore_rate: 1 };
    let fixture = Fixture::with(Settings { bucket, ..Settings::default() }).await;
    let variables = json!({"metafields": []});
    for _ in 0..2 {
        let (_, reply) = fixture.admin(SET, variables.clone()).await;
        let cost = &reply["extensions"]["cost"];
        assert_eq!((&cost["requestedQueryCost"], &cost["actualQueryCost"]), (&json!(10), &json!(10)));
    }
    let (status, reply) = fixture.admin(SET, variables.clone()).await;
    assert_eq!((status, &reply["errors"][0]["extensions"]["code"]), (200, &json!("THROTTLED")));
    let cost = &reply["extensions"]["cost"];
    let available = cost["throttleStatus"]["currentlyAvailable"].as_u64().unwrap();
    assert!(available < 10 && cost["actualQueryCost"].is_null(), "{cost}");

    fixture
        .shop
        .set_switches(Switches { throttled_status: ThrottledStatus::TooManyRequests, ..Switches::default() });
    let (status, reply) = fixture.admin(SET, variables).await;
    assert_eq!((status, &reply["errors"][0]["extensions"]["code"]), (429, &json!("THROTTLED")));
    assert_eq!(fixture.admin(SHOP, json!({})).await.0, 200, "what is cheap enough still passes");
}

#[tokio::test]
async fn a_request_dearer_than_any_may_be_is_refused() {
    let fixture = Fixture::new().await;
    let fields: String = (0..5).map(|at| format!("a{at}: nodes(ids: $ids) {{ id }} ")).collect();
    let query = format!("query($ids: [ID!]!) {{ {fields} }}");
    let ids = vec![fixture.ada_gid(); 250];
    let (_, reply) = fixture.admin(&query, json!({"ids": ids})).await;
    assert_eq!(reply["errors"][0]["extensions"]["code"], "MAX_COST_EXCEEDED", "{reply}");
}

#[tokio::test]
async fn faults_happen_in_turn_before_or_after_the_effect() {
    let fixture = Fixture::new().await;
    fixture.shop.fail_admin([
        AdminFault::before(AdminFaultKind::Status(503)),
        AdminFault::before(AdminFaultKind::Throttled),
        AdminFault::after(AdminFaultKind::Timeout),
    ]);
    let variables = json!({"metafields": [
        {"ownerId": fixture.ada_gid(), "key": "account", "type": "json", "value": "1"}]});
    let stored = || fixture.shop.metafield(&fixture.ada_gid(), "$app", "account").is_some();

    assert_eq!(fixture.admin(SET, variables.clone()).await.0, 503);
    let (_, reply) = fixture.admin(SET, variables.clone()).await;
    assert_eq!(reply["errors"][0]["extensions"]["code"], "THROTTLED");
    assert!(!stored());
    let request = fixture.admin_request(SET, variables.clone()).timeout(Duration::from_secs(2));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert!(stored(), "only the answer was lost");
    assert_eq!(fixture.admin(SET, variables).await.0, 200);

    let calls = fixture.shop.admin_calls();
    let seen: Vec<_> =
        calls.iter().map(|call| (call.operation.as_str(), call.status, call.executed)).collect();
    assert_eq!(
        seen[1..],
        [
            ("MetafieldsSet", Some(200), false),
            ("MetafieldsSet", None, true),
            ("MetafieldsSet", Some(200), true),
        ]
    );
    assert_eq!((seen[0].1, seen[0].2), (Some(503), false));
}

#[tokio::test]
async fn tags_are_added_once() {
    let fixture = Fixture::new().await;
    let order = fixture.shop.place_order(&fixture.cart(1), Default::default()).unwrap();
    let add = |id: String, tags: serde_json::Value| fixture.admin(TAGS, json!({"id": id, "tags": tags}));
    add(order.gid(), json!(["one, two", "Two"])).await;
    assert_eq!(fixture.shop.order(order.id).unwrap().tags, ["one", "two"]);
    let (_, reply) = add(gid("Order", 1), json!(["one"])).await;
    assert_eq!(reply["data"]["tagsAdd"]["userErrors"][0]["message"], "Order does not exist");
    assert!(reply["data"]["tagsAdd"]["node"].is_null());
}
