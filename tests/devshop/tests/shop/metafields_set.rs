//! `metafieldsSet`: limits, atomicity, compare-and-set, types, namespaces.

use devshop::gid;
use serde_json::{Value, json};

use crate::support::Fixture;

const SET: &str = include_str!("../../../../graphql/metafields_set.graphql");

fn account(fixture: &Fixture, value: &str) -> Value {
    json!({"ownerId": fixture.ada_gid(), "namespace": "$app", "key": "account", "type": "json", "value": value})
}

async fn set(fixture: &Fixture, metafields: Value) -> (Value, Vec<Value>) {
    let (status, reply) = fixture.admin(SET, json!({"metafields": metafields})).await;
    assert_eq!(status, 200, "{reply}");
    let payload = &reply["data"]["metafieldsSet"];
    (
        payload["metafields"].clone(),
        payload["userErrors"].as_array().unwrap_or_else(|| panic!("{reply}")).clone(),
    )
}

fn stored(fixture: &Fixture) -> Option<String> {
    fixture.shop.metafield(&fixture.ada_gid(), "$app", "account").map(|metafield| metafield.value)
}

#[tokio::test]
async fn a_value_is_written_and_its_digest_returned() {
    let fixture = Fixture::new().await;
    let (written, errors) = set(&fixture, json!([account(&fixture, r#"{"v":1}"#)])).await;
    assert_eq!(errors, [json!(null); 0]);
    assert_eq!(written[0]["namespace"], "app--424242");
    assert_eq!(written[0]["compareDigest"].as_str().unwrap().len(), 64);
    assert_eq!(stored(&fixture).as_deref(), Some(r#"{"v":1}"#));
}

#[tokio::test]
async fn compare_digest_has_three_states() {
    let fixture = Fixture::new().await;
    let with = |value: &str, digest: Value| {
        let mut metafield = account(&fixture, value);
        metafield["compareDigest"] = digest;
        json!([metafield])
    };
    // Null: only if there is nothing.
    let (written, errors) = set(&fixture, with("1", json!(null))).await;
    assert!(errors.is_empty());
    let first = written[0]["compareDigest"].clone();
    let (written, errors) = set(&fixture, with("2", json!(null))).await;
    assert_eq!(written, json!([]));
    assert_eq!(errors[0]["code"], "STALE_OBJECT");
    assert_eq!(errors[0]["field"], json!(["metafields", "0"]));
    assert_eq!(stored(&fixture).as_deref(), Some("1"));
    // A digest: only over that value.
    assert!(set(&fixture, with("2", first.clone())).await.1.is_empty());
    let (_, errors) = set(&fixture, with("3", first)).await;
    assert_eq!(errors[0]["code"], "STALE_OBJECT");
    assert_eq!(set(&fixture, with("3", json!("nonsense"))).await.1[0]["code"], "INVALID_COMPARE_DIGEST");
    assert_eq!(stored(&fixture).as_deref(), Some("2"));
    // Absent: whatever is there.
    assert!(set(&fixture, json!([account(&fixture, "4")])).await.1.is_empty());
    assert_eq!(stored(&fixture).as_deref(), Some("4"));
}

#[tokio::test]
async fn one_stale_element_stops_them_all_and_is_named_by_its_position() {
    let fixture = Fixture::new().await;
    let ben = fixture.shop.add_customer("Ben", "L", "ben@example.com");
    set(&fixture, json!([account(&fixture, "1")])).await;
    let bens = json!({"ownerId": gid("Customer", ben.id), "key": "account", "type": "json", "value": "1"});
    let mut stale = account(&fixture, "2");
    stale["compareDigest"] = json!(null);
    let query = "mutation($m: [MetafieldsSetInput!]!) {
        metafieldsSet(metafields: $m) { userErrors { field code elementIndex } } }";
    let (_, reply) = fixture.admin(query, json!({"m": [bens, stale]})).await;
    let errors = &reply["data"]["metafieldsSet"]["userErrors"];
    assert_eq!(
        *errors,
        json!([{"field": ["metafields", "1"], "code": "STALE_OBJECT", "elementIndex": null}])
    );
    assert_eq!(fixture.shop.metafield(&gid("Customer", ben.id), "$app", "account"), None);
    assert_eq!(stored(&fixture).as_deref(), Some("1"));
}

#[tokio::test]
async fn an_element_sees_what_those_before_it_write() {
    let fixture = Fixture::new().await;
    let mut again = account(&fixture, "2");
    again["compareDigest"] = json!(null);
    let (_, errors) = set(&fixture, json!([account(&fixture, "1"), again])).await;
    assert_eq!(errors[0]["code"], "STALE_OBJECT");
    assert_eq!(stored(&fixture), None);
}

#[tokio::test]
async fn at_most_25_at_once() {
    let fixture = Fixture::new().await;
    let many = |count: usize| -> Value {
        (0..count).map(|at| {
            json!({"ownerId": fixture.ada_gid(), "key": format!("key-{at}"), "type": "json", "value": "1"})
        }).collect()
    };
    assert!(set(&fixture, many(25)).await.1.is_empty());
    let (_, errors) = set(&fixture, many(26)).await;
    assert_eq!(
        (&errors[0]["code"], &errors[0]["field"]),
        (&json!("LESS_THAN_OR_EQUAL_TO"), &json!(["metafields"]))
    );
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_field() {
    let fixture = Fixture::new().await;
    fixture.shop.define_metafield("Customer", "$app", "account", "json");
    let long = format!("\"{}\"", "x".repeat(128 * 1024));
    for (field, value, code) in [
        ("value", json!("{\"v\":"), "INVALID_VALUE"),
        ("value", json!(""), "BLANK"),
        ("value", json!(long), "TOO_LONG"),
        ("type", json!("number_integer"), "INVALID_TYPE"),
        ("ownerId", json!(gid("Customer", 1)), "INVALID"),
        ("key", json!("a"), "TOO_SHORT"),
        ("key", json!("a b"), "INVALID"),
    ] {
        let mut metafield = account(&fixture, "1");
        metafield[field] = value;
        let (_, errors) = set(&fixture, json!([metafield])).await;
        assert_eq!(errors[0]["code"], code, "{field}");
        assert_eq!(errors[0]["field"], json!(["metafields", "0", field]));
    }
    let mut foreign = account(&fixture, "1");
    foreign["namespace"] = json!("app--1");
    assert_eq!(set(&fixture, json!([foreign])).await.1[0]["code"], "APP_NOT_AUTHORIZED");
    assert_eq!(stored(&fixture), None);
}

#[tokio::test]
async fn a_definition_gives_the_type() {
    let fixture = Fixture::new().await;
    let mut untyped = account(&fixture, "1");
    untyped.as_object_mut().unwrap().remove("type");
    assert_eq!(set(&fixture, json!([untyped.clone()])).await.1[0]["code"], "BLANK");
    fixture.shop.define_metafield("Customer", "$app", "account", "json");
    assert!(set(&fixture, json!([untyped])).await.1.is_empty());
}
