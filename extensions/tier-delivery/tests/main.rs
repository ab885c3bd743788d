//! The Function as it ships, in WebAssembly, under the platform's limits; and the same code natively.

// Helpers, too, may stop a test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::LazyLock;

use function_input::Member;
use function_tests::{Extension, Target, native, places};
use proptest::prelude::*;
use serde_json::{Value, json};
use tier_delivery::{cart_delivery_options_transform_run, members as at};

/// The export.
const RUN: &str = "cart_delivery_options_transform_run";

static EXTENSION: LazyLock<Extension> = LazyLock::new(|| {
    let native = |input: &Value| native(input, cart_delivery_options_transform_run);
    Extension::open(
        env!("CARGO_MANIFEST_DIR"),
        [Target { name: "cart.delivery-options.transform.run", native }],
    )
});

fn option(handle: &str, title: &str) -> Value {
    json!({ "handle": handle, "title": title })
}

fn input(program: &Value, tier: Option<&str>, groups: &Value) -> Value {
    let mut account = json!({ "v": 1, "seq": 12, "points": 1_500, "pending": 20 });
    if let Some(tier) = tier {
        account["tier"] = tier.into();
    }
    json!({
        "shop": { "metafield": { "value": program.to_string() } },
        "cart": {
            "buyerIdentity": { "isAuthenticated": true, "customer": { "metafield": { "value": account.to_string() } } },
            "deliveryGroups": groups,
        },
    })
}

fn program() -> Value {
    json!({ "v": 1, "version": 7, "options": [
        { "for": ["gold"], "title": "Standard", "rename": "توصيل ذهبي" },
        { "for": ["gold"], "title": "Express", "do": "reserve" },
        { "for": ["gold"], "title": "Express", "do": "first" },
        { "for": ["tin"], "title": "Standard", "do": "hide" },
    ] })
}

fn groups() -> Value {
    json!([{ "deliveryOptions": [option("a1", "Standard"), option("a2", "Express")] },
           { "deliveryOptions": [option("b1", "Express")] }])
}

fn nothing() -> Value {
    json!({ "operations": [] })
}

#[test]
fn each_fixture_gives_its_output() {
    assert!(EXTENSION.fixtures().len() >= 8);
    EXTENSION.check_fixtures();
}

#[test]
fn schema_query_and_fixtures_agree_with_what_shopify_publishes() {
    EXTENSION.check_published("delivery_customization", &[]);
}

#[test]
fn the_query_is_cheap_and_the_code_knows_it() {
    let root: (&str, &[&Member]) = ("", &[&at::SHOP, &at::CART]);
    EXTENSION.check_query(
        RUN,
        &[
            root,
            ("/cart", &[&at::BUYER_IDENTITY, &at::DELIVERY_GROUPS]),
            ("/cart/buyerIdentity", &[&at::IS_AUTHENTICATED, &at::CUSTOMER]),
            ("/cart/deliveryGroups/deliveryOptions", &[&at::HANDLE, &at::TITLE]),
        ],
    );
}

#[test]
fn the_manifest_is_right() {
    EXTENSION.check_manifest(&[]);
}

#[test]
fn it_is_small_and_cheap() {
    assert!(EXTENSION.function.wasm_bytes() <= 50_000, "{} bytes", EXTENSION.function.wasm_bytes());
    EXTENSION.assert_within(150_000, RUN, &input(&program(), Some("gold"), &groups()));
    EXTENSION.assert_within(16_000, RUN, &input(&json!({ "v": 1, "version": 7 }), Some("gold"), &groups()));
    let rule =
        |n: usize| json!({ "for": ["gold"], "title": format!("Option {n}"), "rename": format!("Gold {n}") });
    let full = json!({ "v": 1, "version": 7, "options": (0..165).map(rule).collect::<Vec<_>>() });
    assert!((9_000..9_500).contains(&full.to_string().len()));
    let offered: Vec<_> = (0..30).map(|n| option(&format!("h{n}"), &format!("Option {n}"))).collect();
    let groups = json!([{ "deliveryOptions": offered }, { "deliveryOptions": offered }]);
    EXTENSION.assert_within(6_000_000, RUN, &input(&full, Some("gold"), &groups));
}

#[test]
fn what_is_missing_or_malformed_changes_nothing() {
    let good = input(&program(), Some("gold"), &groups());
    assert_ne!(EXTENSION.run(RUN, &good), nothing());
    for pointer in ["/shop", "/shop/metafield", "/shop/metafield/value", "/cart", "/cart/deliveryGroups"] {
        let mut input = good.clone();
        *input.pointer_mut(pointer).unwrap() = Value::Null;
        assert_eq!(EXTENSION.run(RUN, &input), nothing(), "{pointer}");
    }
    for text in [
        "",
        "{",
        "[]",
        "null",
        r#"{"v":2,"options":[{"title":"Standard","do":"hide"}]}"#,
        r#"{"v":1,"options":[{"title":"Standard","do":"burn"}]}"#,
        r#"{"v":1,"options":{"do":"hide"}}"#,
    ] {
        let mut input = good.clone();
        input["shop"]["metafield"]["value"] = text.into();
        assert_eq!(EXTENSION.run(RUN, &input), nothing(), "{text}");
    }
    for input in
        [json!({}), json!([]), json!(null), json!("input"), json!({ "cart": {} }), json!({ "shop": {} })]
    {
        assert_eq!(EXTENSION.run(RUN, &input), nothing(), "{input}");
    }
}

proptest! {
    #[test]
    fn whatever_stands_anywhere_every_group_keeps_an_option(
        value in prop_oneof![
            Just(Value::Null), Just(json!([])), Just(json!({})), any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from), "hide|reserve|Express|gold|.{0,12}".prop_map(Value::from),
        ],
        place: prop::sample::Index, in_program: bool,
    ) {
        let (mut program, mut found) = (program(), Vec::new());
        if in_program {
            places(&program, "", &mut found);
            if let Some(part) = program.pointer_mut(place.get(&found).as_str()) {
                *part = value.clone();
            }
        }
        let mut input = input(&program, Some("gold"), &groups());
        if !in_program {
            places(&input, "", &mut found);
            if let Some(part) = input.pointer_mut(place.get(&found).as_str()) {
                *part = value;
            }
        }
        let output = EXTENSION.run(RUN, &input);
        let hidden = |handle: &str| output["operations"].as_array().unwrap().iter()
            .any(|operation| operation["deliveryOptionHide"]["deliveryOptionHandle"] == handle);
        prop_assert!(!hidden("b1") && [hidden("a1"), hidden("a2")] != [true; 2]);
    }
}
