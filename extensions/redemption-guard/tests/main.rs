//! The Function as it ships, in WebAssembly, under the platform's limits; and the same code natively.

// Helpers, too, may stop a test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cart;

use std::sync::LazyLock;

use function_input::Member;
use function_tests::{Extension, Target, native, places};
use proptest::prelude::*;
use redemption_guard::{cart_validations_generate_run, members as at};
use serde_json::{Value, json};

use crate::cart::input;

/// The export.
const RUN: &str = "cart_validations_generate_run";

static EXTENSION: LazyLock<Extension> = LazyLock::new(|| {
    let native = |input: &Value| native(input, cart_validations_generate_run);
    Extension::open(env!("CARGO_MANIFEST_DIR"), [Target { name: "cart.validations.generate.run", native }])
});

fn silence() -> Value {
    json!({ "operations": [] })
}

#[test]
fn each_fixture_gives_its_output() {
    assert!(EXTENSION.fixtures().len() >= 12);
    EXTENSION.check_fixtures();
}

#[test]
fn schema_query_and_fixtures_agree_with_what_shopify_publishes() {
    EXTENSION.check_published("cart_checkout_validation", &[]);
}

#[test]
fn the_query_is_cheap_and_the_code_knows_it() {
    let root: (&str, &[&Member]) = ("", &[&at::JOURNEY, &at::SHOP, &at::LOCALIZATION, &at::CART]);
    let [till, who, mark, other_mark, sum] =
        [&at::RETAIL_LOCATION, &at::BUYER_IDENTITY, &at::ATTRIBUTE, &at::REDEMPTION, &at::SUBTOTAL];
    EXTENSION.check_query(
        RUN,
        &[
            root,
            ("/cart", &[till, who, mark, other_mark, sum, &at::GIFT_CARDS, &at::LINES, &at::VARIANTS]),
            ("/cart/buyerIdentity", &[&at::IS_AUTHENTICATED, &at::CUSTOMER]),
            ("/cart/subtotal/subtotalAmount", &[&at::CURRENCY_CODE, &at::AMOUNT]),
        ],
    );
}

#[test]
fn the_manifest_is_right() {
    EXTENSION.check_manifest(&[]);
}

#[test]
fn it_is_small_and_cheap() {
    assert!(EXTENSION.function.wasm_bytes() <= 60_000, "{} bytes", EXTENSION.function.wasm_bytes());
    for (lines, budget) in [(1, 70_000), (200, 700_000), (500, 1_700_000)] {
        EXTENSION.assert_within(budget, RUN, &input(lines, 1_000_000_000));
        let mut while_the_cart_changes = input(lines, 1_000_000_000);
        while_the_cart_changes["journey"]["step"] = json!("CART_INTERACTION");
        EXTENSION.assert_within(5_000, RUN, &while_the_cart_changes);
    }
}

#[test]
fn what_is_missing_or_malformed_is_silence() {
    let good = input(2, 1_000_000);
    assert_ne!(EXTENSION.run(RUN, &good), silence());
    for pointer in [
        "/journey",
        "/journey/step",
        "/shop",
        "/shop/metafield",
        "/cart",
        "/cart/buyerIdentity",
        "/cart/buyerIdentity/isAuthenticated",
        "/cart/buyerIdentity/customer",
        "/cart/attribute",
        "/cart/subtotal",
        "/cart/subtotal/subtotalAmount/amount",
        "/cart/giftCards/1/merchandise",
    ] {
        let mut input = good.clone();
        *input.pointer_mut(pointer).unwrap() = Value::Null;
        assert_eq!(EXTENSION.run(RUN, &input), silence(), "{pointer}");
    }
    for text in ["", "{", "[]", "null", r#"{"v":2}"#, r#"{"v":1}"#, r#"{"v":1,"hold":{}}"#] {
        let mut input = good.clone();
        input["cart"]["buyerIdentity"]["customer"]["metafield"]["value"] = text.into();
        assert_eq!(EXTENSION.run(RUN, &input), silence(), "{text}");
    }
    for input in
        [json!({}), json!([]), json!(null), json!("input"), json!({ "cart": {} }), json!({ "journey": {} })]
    {
        assert_eq!(EXTENSION.run(RUN, &input), silence(), "{input}");
    }
}

proptest! {
    #[test]
    fn whatever_stands_anywhere_it_says_one_thing_or_nothing(
        value in prop_oneof![
            Just(Value::Null), Just(json!([])), Just(json!({})), any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from), "[-0-9.]{0,6}|DE|GBP|.{0,12}".prop_map(Value::from),
        ],
        place: prop::sample::Index, min in 1..5_000_i64,
    ) {
        let mut input = input(2, min);
        let mut found = Vec::new();
        places(&input, "", &mut found);
        if let Some(part) = input.pointer_mut(place.get(&found).as_str()) {
            *part = value;
        }
        let output = EXTENSION.run(RUN, &input);
        let operations = output["operations"].as_array().unwrap();
        prop_assert!(operations.len() <= 1);
        for operation in operations {
            let errors = operation["validationAdd"]["errors"].as_array().unwrap();
            prop_assert_eq!(errors.len(), 1);
            prop_assert_eq!(&errors[0]["target"], "$.cart");
            prop_assert!(!errors[0]["message"].as_str().unwrap().is_empty());
        }
    }
}
