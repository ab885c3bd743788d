//! What Functions offer is given exactly: lines, subtotal, shipping, both currencies.

use std::collections::BTreeMap;
use std::sync::Arc;

use devshop::{
    AppliedDiscount, CombinesWith, DiscountClass, DiscountNode, Function, LastUnits, MoneySet, NewCart,
    NewDiscount, NewProduct, OrderTitle, Quote, Rate, Settings, Switches,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::Fixture;

const SCHEMA: &str = include_str!("../../discount.graphql");
const QUERY: &str = "query Input { cart { lines { id } deliveryGroups { id } } }";
const CLASSES: [DiscountClass; 3] = [DiscountClass::Product, DiscountClass::Order, DiscountClass::Shipping];

/// Installs a Function that always says the same, with `LINE0`, `LINE1`… and `GROUP` standing for ids of its input.
fn install(fixture: &Fixture, title: &str, combines: CombinesWith, operations: Value) -> DiscountNode {
    let says = move |export: &str, input: &Value| -> Value {
        let mut text = operations.to_string();
        let lines = input["cart"]["lines"].as_array().cloned().unwrap_or_default();
        for (at, line) in lines.iter().enumerate() {
            text = text.replace(&format!("LINE{at}"), line["id"].as_str().unwrap());
        }
        text = text.replace("GROUP", input["cart"]["deliveryGroups"][0]["id"].as_str().unwrap_or("none"));
        let all: Vec<Value> = serde_json::from_str(&text).unwrap();
        let mine =
            |operation: &Value| operation.get("deliveryDiscountsAdd").is_some() == (export == "delivery");
        json!({"operations": all.into_iter().filter(mine).collect::<Vec<_>>()})
    };
    let targets = [
        ("cart.lines.discounts.generate.run", "lines", QUERY),
        ("cart.delivery-options.discounts.generate.run", "delivery", QUERY),
    ];
    fixture.shop.install(Function::new(title, SCHEMA, &targets, Arc::new(says)).unwrap());
    let new = NewDiscount {
        title: title.into(),
        function_handle: title.into(),
        classes: CLASSES.to_vec(),
        combines_with: combines,
    };
    fixture.shop.add_discount(new).unwrap()
}

fn order_discount(value: Value, excluded: &[&str]) -> Value {
    json!({"orderDiscountsAdd": {"selectionStrategy": "FIRST", "candidates": [
        {"message": "Points", "targets": [{"orderSubtotal": {"excludedCartLineIds": excluded}}], "value": value}]}})
}

fn product_discount(strategy: &str, candidates: Value) -> Value {
    json!({"productDiscountsAdd": {"selectionStrategy": strategy, "candidates": candidates}})
}

fn fixed(amount: &str) -> Value {
    json!({"fixedAmount": {"amount": amount}})
}

fn percent(value: &str) -> Value {
    json!({"percentage": {"value": value}})
}

/// A cart with one unit of each of these prices; returns its token.
fn cart_of(fixture: &Fixture, prices: &[i64], currency: Option<&str>) -> String {
    let currency = currency.map(|code| code.parse().unwrap());
    let cart = fixture.shop.new_cart(NewCart { currency, ..NewCart::of(fixture.ada.id) }).unwrap();
    for (at, price) in prices.iter().enumerate() {
        let product = fixture.shop.add_product(NewProduct::simple(&format!("Thing {at}"), *price));
        fixture.shop.add_to_cart(&cart.token, product.variants[0].id, 1).unwrap();
    }
    cart.token
}

fn line_discounts(quote: &Quote) -> Vec<i64> {
    quote.lines.iter().map(|line| line.discount().presentment).collect()
}

fn titles(quote: &Quote) -> Vec<&str> {
    quote.discounts.iter().map(|discount: &AppliedDiscount| discount.title.as_str()).collect()
}

fn assert_adds_up(quote: &Quote) {
    for (at, discount) in quote.discounts.iter().enumerate() {
        let lines = quote.lines.iter().flat_map(|line| &line.allocations);
        let all = lines.chain(quote.shipping.iter().flat_map(|shipping| &shipping.allocations));
        let sum: MoneySet = all.filter(|allocation| allocation.discount == at).map(|a| a.amount).sum();
        assert_eq!(sum, discount.total);
    }
    for net in quote.lines.iter().map(|line| line.net()) {
        assert!(net.shop >= 0 && net.presentment >= 0, "{net:?}");
    }
    let shipping = quote.shipping.as_ref().map(|shipping| shipping.option.price).unwrap_or_default();
    let gross: MoneySet = quote.lines.iter().map(|line| line.line.gross).sum();
    assert_eq!(quote.total(), gross + shipping - quote.total_discounts());
}

#[tokio::test]
async fn an_amount_off_the_subtotal_spares_the_excluded_lines() {
    let fixture = Fixture::new().await;
    install(&fixture, "a", CombinesWith::ALL, json!([order_discount(fixed("5.00"), &["LINE1"])]));
    let quote = fixture.shop.quote(&cart_of(&fixture, &[999, 5000, 1001], None)).unwrap();
    assert_eq!(line_discounts(&quote), [250, 0, 250]);
    assert_eq!((quote.subtotal().presentment, quote.total().presentment), (6500, 6995));
    assert_adds_up(&quote);
}

#[tokio::test]
async fn no_more_than_the_eligible_lines_is_taken_off() {
    let fixture = Fixture::new().await;
    install(&fixture, "a", CombinesWith::ALL, json!([order_discount(fixed("500.00"), &["LINE1"])]));
    let quote = fixture.shop.quote(&cart_of(&fixture, &[999, 5000], None)).unwrap();
    assert_eq!(line_discounts(&quote), [999, 0]);
}

#[tokio::test]
async fn the_last_minor_units_follow_the_switch() {
    let fixture = Fixture::new().await;
    install(&fixture, "a", CombinesWith::ALL, json!([order_discount(fixed("1.00"), &[])]));
    let cart = cart_of(&fixture, &[1000, 1000, 1000], None);
    for (rule, expected) in [
        (LastUnits::LargestRemainder, [34, 33, 33]),
        (LastUnits::FirstLines, [34, 33, 33]),
        (LastUnits::LastLine, [33, 33, 34]),
    ] {
        fixture.shop.set_switches(Switches { last_units: rule, ..Switches::default() });
        assert_eq!(line_discounts(&fixture.shop.quote(&cart).unwrap()), expected, "{rule:?}");
    }
}

#[tokio::test]
async fn an_order_discount_counts_from_what_product_discounts_left() {
    let fixture = Fixture::new().await;
    let half_off = json!([{"targets": [{"cartLine": {"id": "LINE0"}}], "value": percent("50")}]);
    let operations = json!([order_discount(percent("10"), &[]), product_discount("FIRST", half_off)]);
    install(&fixture, "a", CombinesWith::ALL, operations);
    let quote = fixture.shop.quote(&cart_of(&fixture, &[2000, 1000], None)).unwrap();
    // Half of 20.00; then a tenth of the 20.00 that are left, shared 1:1.
    assert_eq!(line_discounts(&quote), [1100, 100]);
    assert_eq!(titles(&quote), ["a", "Points"]);
    assert_adds_up(&quote);
}

#[tokio::test]
async fn a_line_takes_the_best_product_discount_only() {
    let fixture = Fixture::new().await;
    let candidates = json!([
        {"message": "ten", "targets": [{"cartLine": {"id": "LINE0"}}, {"cartLine": {"id": "LINE1"}}], "value": percent("10")},
        {"message": "three", "targets": [{"cartLine": {"id": "LINE1"}}], "value": fixed("3.00")},
    ]);
    for (strategy, expected) in [("ALL", [100, 300]), ("FIRST", [100, 200]), ("MAXIMUM", [100, 200])] {
        fixture.shop.clear_discounts();
        install(&fixture, "a", CombinesWith::ALL, json!([product_discount(strategy, candidates.clone())]));
        let quote = fixture.shop.quote(&cart_of(&fixture, &[1000, 2000], None)).unwrap();
        assert_eq!(line_discounts(&quote), expected, "{strategy}");
    }
}

#[tokio::test]
async fn one_unit_of_a_line_can_be_free() {
    let fixture = Fixture::new().await;
    let free = json!([{"targets": [{"cartLine": {"id": "LINE0", "quantity": 1}}], "value": percent("100")}]);
    install(&fixture, "a", CombinesWith::ALL, json!([product_discount("FIRST", free)]));
    let quote = fixture.shop.quote(&fixture.cart(3)).unwrap();
    assert_eq!(line_discounts(&quote), [1250]);

    fixture.shop.clear_discounts();
    let each = json!([{"targets": [{"cartLine": {"id": "LINE0", "quantity": 2}}],
        "value": {"fixedAmount": {"amount": "3.5", "appliesToEachItem": true}}}]);
    install(&fixture, "a", CombinesWith::ALL, json!([product_discount("FIRST", each)]));
    assert_eq!(line_discounts(&fixture.shop.quote(&fixture.cart(3)).unwrap()), [700]);
}

#[tokio::test]
async fn conditions_and_prerequisites_must_hold() {
    let fixture = Fixture::new().await;
    let with = |condition: Value| {
        json!([{"orderDiscountsAdd": {"selectionStrategy": "FIRST", "candidates": [
            {"targets": [{"orderSubtotal": {"excludedCartLineIds": []}}], "value": fixed("1"), "conditions": [condition]}]}}])
    };
    let ids = json!(["LINE0"]);
    for (condition, holds) in [
        (json!({"orderMinimumSubtotal": {"excludedCartLineIds": [], "minimumAmount": "30.00"}}), true),
        (json!({"orderMinimumSubtotal": {"excludedCartLineIds": ids, "minimumAmount": "20.01"}}), false),
        (json!({"cartLineMinimumSubtotal": {"ids": ids, "minimumAmount": 10.0}}), true),
        (json!({"cartLineMinimumSubtotal": {"ids": ids, "minimumAmount": 10.01}}), false),
        (json!({"cartLineMinimumQuantity": {"ids": ids, "minimumQuantity": 1}}), true),
        (json!({"cartLineMinimumQuantity": {"ids": ids, "minimumQuantity": 2}}), false),
    ] {
        fixture.shop.clear_discounts();
        install(&fixture, "a", CombinesWith::ALL, with(condition.clone()));
        let quote = fixture.shop.quote(&cart_of(&fixture, &[1000, 2000], None)).unwrap();
        assert_eq!(quote.total_discounts().presentment > 0, holds, "{condition}");
    }
    let needs_two = json!([{"targets": [{"cartLine": {"id": "LINE0"}}], "value": percent("10"),
        "prerequisites": [{"cartLine": {"id": "LINE0", "quantity": 2}}]}]);
    fixture.shop.clear_discounts();
    install(&fixture, "a", CombinesWith::ALL, json!([product_discount("FIRST", needs_two)]));
    assert_eq!(line_discounts(&fixture.shop.quote(&fixture.cart(1)).unwrap()), [0]);
    assert_eq!(line_discounts(&fixture.shop.quote(&fixture.cart(2)).unwrap()), [250]);
}

#[tokio::test]
async fn shipping_can_be_cheaper_or_free() {
    let fixture = Fixture::new().await;
    let delivery = |target: Value, value: Value| {
        json!([{"deliveryDiscountsAdd": {"selectionStrategy": "ALL", "candidates": [
            {"message": "Free shipping", "targets": [target], "value": value}]}}])
    };
    let group = json!({"deliveryGroup": {"id": "GROUP"}});
    let option = json!({"deliveryOption": {"handle": "standard"}});
    for (operations, paid) in [
        (delivery(group.clone(), percent("100")), 0),
        (delivery(option.clone(), fixed("2.00")), 295),
        (delivery(group, fixed("9.99")), 0),
    ] {
        fixture.shop.clear_discounts();
        install(&fixture, "a", CombinesWith::ALL, operations);
        let quote = fixture.shop.quote(&fixture.cart(1)).unwrap();
        assert_eq!(quote.shipping.as_ref().unwrap().net().presentment, paid);
        assert_eq!(quote.discounts[0].class, DiscountClass::Shipping);
        assert_adds_up(&quote);
    }
}

#[tokio::test]
async fn discounts_that_do_not_combine_give_way_to_the_better() {
    let fixture = Fixture::new().await;
    let none = CombinesWith::NONE;
    install(&fixture, "small", none, json!([order_discount(fixed("1.00"), &[])]));
    install(&fixture, "large", none, json!([order_discount(fixed("2.00"), &[])]));
    fixture.shop.set_switches(Switches { order_title: OrderTitle::NodeTitle, ..Switches::default() });
    assert_eq!(titles(&fixture.shop.quote(&fixture.cart(1)).unwrap()), ["large"]);

    // Both must agree; one that welcomes all does not force itself on another.
    install(&fixture, "friendly", CombinesWith::ALL, json!([order_discount(fixed("0.50"), &[])]));
    assert_eq!(titles(&fixture.shop.quote(&fixture.cart(1)).unwrap()), ["large"]);
    install(&fixture, "friend", CombinesWith::ALL, json!([order_discount(fixed("1.75"), &[])]));
    let quote = fixture.shop.quote(&fixture.cart(1)).unwrap();
    assert_eq!(titles(&quote), ["friendly", "friend"]);
    assert_eq!(quote.total_discounts().presentment, 225);
}

#[tokio::test]
async fn the_title_is_the_message_or_the_nodes_by_the_switch() {
    let fixture = Fixture::new().await;
    install(&fixture, "node", CombinesWith::ALL, json!([order_discount(fixed("1.00"), &[])]));
    assert_eq!(titles(&fixture.shop.quote(&fixture.cart(1)).unwrap()), ["Points"]);
    fixture.shop.set_switches(Switches { order_title: OrderTitle::NodeTitle, ..Switches::default() });
    assert_eq!(titles(&fixture.shop.quote(&fixture.cart(1)).unwrap()), ["node"]);
}

#[tokio::test]
async fn nonsense_gives_nothing_and_says_why() {
    let fixture = Fixture::new().await;
    for operations in [
        json!([order_discount(fixed("-1"), &[])]),
        json!([order_discount(percent("100.01"), &[])]),
        json!([order_discount(fixed("1"), &["gid://shopify/CartLine/none"])]),
        json!([product_discount(
            "FIRST",
            json!([{"targets": [{"cartLine": {"id": "x"}}], "value": percent("1")}])
        )]),
        json!([{"orderDiscountsAdd": {"selectionStrategy": "ALL", "candidates": []}}]),
        json!([{"somethingElse": {}}]),
    ] {
        fixture.shop.clear_discounts();
        install(&fixture, "a", CombinesWith::ALL, operations.clone());
        let quote = fixture.shop.quote(&fixture.cart(1)).unwrap();
        assert_eq!(quote.discounts.len(), 0, "{operations}");
        assert!(quote.runs[0].error.is_some(), "{operations}");
    }
}

#[tokio::test]
async fn what_a_discounts_classes_do_not_cover_is_dropped() {
    let fixture = Fixture::new().await;
    let operations = json!([order_discount(fixed("1.00"), &[])]);
    let says = move |_: &str, _: &Value| json!({"operations": operations});
    let targets = [("cart.lines.discounts.generate.run", "lines", QUERY)];
    fixture.shop.install(Function::new("a", SCHEMA, &targets, Arc::new(says)).unwrap());
    fixture
        .shop
        .add_discount(NewDiscount {
            title: "a".into(),
            function_handle: "a".into(),
            classes: vec![DiscountClass::Product],
            combines_with: CombinesWith::ALL,
        })
        .unwrap();
    let quote = fixture.shop.quote(&fixture.cart(1)).unwrap();
    assert_eq!(quote.discounts.len(), 0);
    assert!(quote.runs[0].error.as_ref().unwrap().contains("Order"));
}

#[tokio::test]
async fn tax_is_contained_in_what_is_paid() {
    let fixture = Fixture::with(Settings { tax_included_bp: 2000, ..Settings::default() }).await;
    install(&fixture, "a", CombinesWith::ALL, json!([order_discount(fixed("6.50"), &[])]));
    let quote = fixture.shop.quote(&fixture.cart(1)).unwrap();
    // 6.00 for the mug and 4.95 for shipping.
    assert_eq!(quote.total_tax().presentment, 100 + 83);
}

fn settings_with_rate(code: &str, numerator: u32, denominator: u32) -> Settings {
    let rates = BTreeMap::from([(code.parse().unwrap(), Rate::new(numerator, denominator).unwrap())]);
    Settings { rates, ..Settings::default() }
}

#[tokio::test]
async fn another_currency_is_priced_and_discounted_in_itself() {
    let fixture = Fixture::with(settings_with_rate("JPY", 1905, 10)).await;
    install(&fixture, "a", CombinesWith::ALL, json!([order_discount(fixed("500"), &[])]));
    let quote = fixture.shop.quote(&cart_of(&fixture, &[1000, 2000], Some("JPY"))).unwrap();
    let prices: Vec<_> = quote.lines.iter().map(|line| line.line.gross).collect();
    assert_eq!(
        prices,
        [MoneySet { shop: 1000, presentment: 1905 }, MoneySet { shop: 2000, presentment: 3810 }]
    );
    assert_eq!(line_discounts(&quote), [167, 333]);
    assert_eq!(quote.discounts[0].total, MoneySet { shop: 263, presentment: 500 });
    assert_adds_up(&quote);
    assert!(
        fixture
            .shop
            .new_cart(NewCart { currency: Some("EUR".parse().unwrap()), ..NewCart::default() })
            .is_err()
    );
}

#[tokio::test]
async fn it_adds_up_for_any_cart_discount_and_rate() {
    let rates = [("EUR", 117, 100), ("JPY", 1905, 10), ("KWD", 41, 100)];
    for (code, numerator, denominator) in rates {
        let fixture = Fixture::with(settings_with_rate(code, numerator, denominator)).await;
        let rules = [LastUnits::LargestRemainder, LastUnits::FirstLines, LastUnits::LastLine];
        let strategy = (
            prop::collection::vec(0i64..20_000, 1..12),
            0u32..40_000,
            0u32..=100,
            prop::sample::select(rules.to_vec()),
        );
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(48));
        let outcome = runner.run(&strategy, |(prices, amount, cut, rule)| {
            fixture.shop.clear_discounts();
            fixture.shop.set_switches(Switches { last_units: rule, ..Switches::default() });
            let cheaper =
                json!([{"targets": [{"cartLine": {"id": "LINE0"}}], "value": percent(&cut.to_string())}]);
            let operations = json!([
                order_discount(fixed(&format!("{}.{:02}", amount / 100, amount % 100)), &[]),
                product_discount("FIRST", cheaper),
                {"deliveryDiscountsAdd": {"selectionStrategy": "ALL", "candidates": [
                    {"targets": [{"deliveryGroup": {"id": "GROUP"}}], "value": percent(&cut.to_string())}]}},
            ]);
            install(&fixture, "a", CombinesWith::ALL, operations);
            let quote = fixture.shop.quote(&cart_of(&fixture, &prices, Some(code))).unwrap();
            assert_adds_up(&quote);
            Ok(())
        });
        outcome.unwrap();
    }
}
