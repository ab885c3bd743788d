//! Input that nobody should send: no discount, no panic, no error.

use function_tests::places;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::cart::{Line, account, delivery_input, full_hold, hold, lines_input, with_perks};
use crate::support::{DELIVERY, LINES, nothing, run};

fn two_lines() -> Vec<Line> {
    vec![Line::new(1, 2, "20.00"), Line::new(2, 1, "7.50")]
}

fn input() -> Value {
    lines_input(&account(Some(full_hold())), &two_lines())
}

/// The input with something else in one place.
fn with(pointer: &str, value: Value) -> Value {
    let mut input = input();
    *input.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    input
}

/// The input with another text in the account's metafield.
fn with_account(text: &str) -> Value {
    with("/cart/buyerIdentity/customer/metafield/value", text.into())
}

#[test]
fn the_input_that_is_spoilt_below_gives_a_discount() {
    assert_ne!(run(LINES, &input()), nothing());
}

#[test]
fn a_malformed_account_is_no_account() {
    let good = account(Some(full_hold())).to_string();
    for text in [
        "",
        " ",
        "null",
        "true",
        "12",
        "\"text\"",
        "[]",
        "{}",
        "{",
        "}",
        "{\"v\":1",
        "\u{0}",
        "{\"v\":1,\"hold\":[]}",
        "{\"v\":1,\"hold\":{}}",
        "{\"v\":1,\"hold\":null}",
        "[{\"v\":1}]",
        &good[..good.len() / 2],
        &"[".repeat(9_000),
        &"{\"hold\":".repeat(1_200),
        &good.replace('"', "'"),
    ] {
        assert_eq!(run(LINES, &with_account(text)), nothing(), "{text}");
    }
}

#[test]
fn an_unknown_version_is_no_account() {
    for version in [json!(0), json!(2), json!(-1), json!("1"), json!(1.5), json!(null), json!(1e300)] {
        let mut account = account(Some(full_hold()));
        account["v"] = version;
        assert_eq!(run(LINES, &with_account(&account.to_string())), nothing(), "{account}");
    }
}

#[test]
fn a_malformed_hold_is_no_hold() {
    for (member, value) in [
        ("id", json!("")),
        ("id", json!("0123456789ABCDEF0123456789ABCDEF")),
        ("id", json!(7)),
        ("scope", json!("any")),
        ("kind", json!("gift")),
        ("kind", json!(null)),
        ("points", json!(-1)),
        ("points", json!("500")),
        ("value", json!(0)),
        ("value", json!(-500)),
        ("value", json!(5.5)),
        ("value", json!(9_007_199_254_740_992_u64)),
        ("value", json!(1e300)),
        ("value", json!("500")),
        ("cur", json!("gbp")),
        ("cur", json!("POUNDS")),
        ("cur", json!("£££")),
        ("cap", json!(-1)),
        ("cap", json!("500")),
        ("min", json!(-1)),
        ("min", json!([])),
        ("label", json!(null)),
        ("label", json!({})),
    ] {
        let mut hold = full_hold();
        hold[member] = value;
        assert_eq!(run(LINES, &with_account(&account(Some(hold.clone())).to_string())), nothing(), "{hold}");
    }
    for member in ["id", "scope", "kind", "points", "value", "cur", "label"] {
        let mut hold = full_hold();
        hold.as_object_mut().unwrap().remove(member);
        assert_eq!(
            run(LINES, &with_account(&account(Some(hold)).to_string())),
            nothing(),
            "without {member}"
        );
    }
}

#[test]
fn a_malformed_mark_is_no_mark() {
    let id = crate::support::cart::HOLD;
    for mark in [
        "".to_owned(),
        ".".to_owned(),
        id.to_owned(),
        format!("{id}."),
        format!("{id}.x"),
        format!("{id}.-1"),
        format!("{id}.99999999999"),
        format!("{id}.1.1"),
        format!(" {id}.1"),
        format!("{}.1", id.to_uppercase()),
        format!("{}.1", &id[1..]),
    ] {
        assert_eq!(run(LINES, &with("/cart/attribute/value", json!(mark))), nothing(), "{mark}");
    }
    for mark in
        ["null", "[]", "{}", "{\"v\":2}", &format!(r#"{{"v":1,"hold":"{id}"}}"#), "{\"v\":1,\"hold\":7}"]
    {
        let mut input = with("/cart/attribute", json!(null));
        input["cart"]["redemption"] = json!({ "value": mark });
        assert_eq!(run(LINES, &input), nothing(), "{mark}");
    }
}

#[test]
fn malformed_amounts_give_no_discount() {
    for amount in [
        json!(""),
        json!("abc"),
        json!("1,50"),
        json!("1e3"),
        json!("NaN"),
        json!("-7.50"),
        json!("7.505"),
        json!(" 7"),
        json!("9007199254740993"),
        json!("99999999999999999999999999999999"),
        json!(7.5),
        json!(null),
        json!([]),
    ] {
        let input = with("/cart/subtotal/subtotalAmount/amount", amount.clone());
        assert_eq!(run(LINES, &input), nothing(), "subtotal {amount}");
        let mut input = with("/cart/lines/1/cost/subtotalAmount/amount", amount.clone());
        input["cart"]["giftCards"][1]["merchandise"]["product"]["isGiftCard"] = json!(true);
        assert_eq!(run(LINES, &input), nothing(), "gift card {amount}");
    }
}

#[test]
fn a_line_that_does_not_say_whether_it_is_a_gift_card_spoils_the_discount() {
    for merchandise in [
        json!(null),
        json!({}),
        json!({ "product": null }),
        json!({ "product": { "isGiftCard": "no" } }),
        json!([]),
    ] {
        let input = with("/cart/giftCards/1/merchandise", merchandise.clone());
        assert_eq!(run(LINES, &input), nothing(), "{merchandise}");
    }
}

#[test]
fn missing_parts_give_no_discount() {
    for pointer in [
        "/discount/discountClasses",
        "/cart/buyerIdentity",
        "/cart/buyerIdentity/isAuthenticated",
        "/cart/buyerIdentity/customer",
        "/cart/buyerIdentity/customer/metafield",
        "/cart/attribute",
        "/cart/subtotal",
        "/cart/subtotal/subtotalAmount/currencyCode",
        "/cart",
        "/discount",
    ] {
        assert_eq!(run(LINES, &with(pointer, json!(null))), nothing(), "{pointer}");
    }
    for input in
        [json!({}), json!([]), json!(null), json!("input"), json!({ "cart": {} }), json!({ "discount": {} })]
    {
        assert_eq!(run(LINES, &input), nothing(), "{input}");
        assert_eq!(run(DELIVERY, &input), nothing(), "{input}");
    }
}

#[test]
fn a_quantity_of_nothing_gives_no_product() {
    let mut hold = hold();
    (hold["kind"], hold["value"]) = (json!("product"), json!(0));
    hold["variant"] = json!(Line::new(2, 1, "").variant());
    let input = lines_input(&account(Some(hold)), &two_lines());
    assert_ne!(run(LINES, &input), nothing());
    for quantity in [json!(0), json!(-1), json!(0.5), json!("1"), json!(null), json!(1e300)] {
        let mut input = input.clone();
        input["cart"]["variants"][1]["quantity"] = quantity.clone();
        assert_eq!(run(LINES, &input), nothing(), "{quantity}");
    }
}

#[test]
fn the_largest_amounts_are_exact() {
    let mut hold = full_hold();
    (hold["value"], hold["cap"]) = (json!(9_007_199_254_740_991_i64), json!(9_007_199_254_740_991_i64));
    let input = lines_input(&account(Some(hold)), &[Line::new(1, 1, "90071992547409.91")]);
    let amount = "/operations/0/orderDiscountsAdd/candidates/0/value/fixedAmount/amount";
    assert_eq!(run(LINES, &input).pointer(amount), Some(&json!("90071992547409.91")));
}

#[test]
fn a_label_in_any_script_comes_back_as_it_is() {
    for label in ["Points d'Élodie \"chérie\"", "ポイント 🎁", "a\\b\n\t/<>&", ""] {
        let mut hold = hold();
        hold["label"] = json!(label);
        let text = account(Some(hold)).to_string();
        // As Rails writes JSON.
        let escaped = text.replace('<', "\\u003c").replace('🎁', "\\ud83c\\udf81");
        for text in [text, escaped] {
            let message = "/operations/0/orderDiscountsAdd/candidates/0/message";
            assert_eq!(run(LINES, &with_account(&text)).pointer(message), Some(&json!(label)), "{text}");
        }
    }
}

/// Any JSON in place of any part of the input.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[-0-9.]{0,6}|ORDER|points|GBP|.{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let name = "value|amount|cost|merchandise|product|isGiftCard|id|v|hold";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_stands_anywhere_it_neither_fails_nor_exceeds_the_hold(
        value in any_json(), place: prop::sample::Index, delivery: bool,
    ) {
        let mut hold = full_hold();
        let (export, mut input) = if delivery {
            (hold["kind"], hold["value"]) = (json!("shipping"), json!(0));
            (DELIVERY, delivery_input(&account(Some(hold)), &[&["4.95", "9.9"]], &two_lines()))
        } else {
            (LINES, lines_input(&account(Some(hold)), &two_lines()))
        };
        let mut found = Vec::new();
        places(&input, "", &mut found);
        if let Some(part) = input.pointer_mut(place.get(&found).as_str()) {
            *part = value;
        }
        // The hold is capped at 5.00.
        for amount in amounts(&run(export, &input)) {
            prop_assert!(!amount.starts_with('-') && amount.len() == 4 && amount.as_str() <= "5.00", "{amount}");
        }
    }

    #[test]
    fn whatever_the_account_says_it_does_not_fail(text in r#"[{}\[\]:,"\\avhold0-9 \-.é]{0,60}|.*"#) {
        run(LINES, &with_account(&text));
    }
}

proptest! {
    #[test]
    fn whatever_the_program_says_nobody_gets_more_than_it_is_worth(
        value in any_json(), place: prop::sample::Index, delivery: bool, till: bool,
    ) {
        let mut program = json!({
            "v": 1, "version": 7, "lines": [{ "for": ["gold"], "off": 500, "label": "Gold", "variants": ["43000000000001"] },
            { "off": 400, "label": "All", "collections": 1 }], "delivery": [{ "off": 500, "label": "Gold" }],
        });
        let mut found = Vec::new();
        places(&program, "", &mut found);
        if let Some(part) = program.pointer_mut(place.get(&found).as_str()) {
            *part = value;
        }
        let account = account(Some(full_hold()));
        let (export, input) = if delivery {
            (DELIVERY, delivery_input(&account, &[&["4.95", "9.9"]], &two_lines()))
        } else {
            (LINES, lines_input(&account, &two_lines()))
        };
        let mut input = with_perks(input, &program);
        if till {
            input["cart"]["retailLocation"] = json!({ "id": "gid://shopify/Location/1" });
        }
        let output = run(export, &input);
        prop_assert!(amounts(&output).is_empty(), "the discount for perks redeems nothing");
        for percentage in output.to_string().split("\"percentage\":{\"value\":\"").skip(1) {
            let number: f64 = percentage.split('"').next().unwrap().parse().unwrap();
            prop_assert!((0.01..=100.0).contains(&number), "{number}");
        }
    }
}

/// All amounts of an answer.
fn amounts(output: &Value) -> Vec<String> {
    match output {
        Value::Object(members) => match members.get("amount") {
            Some(amount) => vec![amount.as_str().unwrap().to_owned()],
            None => members.values().flat_map(amounts).collect(),
        },
        Value::Array(elements) => elements.iter().flat_map(amounts).collect(),
        _ => Vec::new(),
    }
}
