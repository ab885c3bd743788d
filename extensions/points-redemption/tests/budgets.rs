//! What a run may cost. The platform allows 11,000,000 instructions and 256,000 bytes; Shopify's own discount template,
//! which does less, takes 1,170,000 instructions at 200 lines.

use function_runner::{INPUT_BYTES, OUTPUT_BYTES, Scale};
use serde_json::{Value, json};

use crate::support::cart::{Line, account, delivery_input, full_hold, hold, lines, lines_input, with_perks};
use crate::support::{DELIVERY, EXTENSION, LINES, nothing, wasm};

fn full() -> Value {
    account(Some(full_hold()))
}

fn without_gift_cards(number: usize) -> Vec<Line> {
    lines(number).into_iter().map(|line| Line { gift_card: false, ..line }).collect()
}

#[track_caller]
fn assert_within(budget: u64, export: &str, input: &Value) {
    EXTENSION.assert_within(budget, export, input);
}

#[test]
fn it_is_small() {
    assert!(EXTENSION.function.wasm_bytes() <= 80_000, "{} bytes", EXTENSION.function.wasm_bytes());
}

#[test]
fn a_live_hold_is_cheap() {
    for (number, budget) in [(1, 55_000), (10, 80_000), (50, 200_000), (200, 660_000), (500, 1_600_000)] {
        assert_within(budget, LINES, &lines_input(&full(), &without_gift_cards(number)));
    }
}

#[test]
fn gift_cards_cost_what_is_read_up_to_the_last_of_them() {
    for (number, budget) in [(50, 215_000), (200, 705_000), (500, 1_700_000)] {
        let mut cart = lines(number);
        assert_within(budget, LINES, &lines_input(&full(), &cart));
        cart.reverse();
        assert_within(budget * 2, LINES, &lines_input(&full(), &cart));
    }
}

#[test]
fn a_percentage_costs_no_more_than_an_amount() {
    let mut hold = full_hold();
    (hold["kind"], hold["value"], hold["cap"]) = (json!("percent"), json!(1_000), json!(9_000_000));
    assert_within(660_000, LINES, &lines_input(&account(Some(hold)), &without_gift_cards(200)));
}

#[test]
fn a_free_product_is_cheap_enough_wherever_it_stands() {
    let cart = without_gift_cards(200);
    let mut hold = hold();
    (hold["kind"], hold["value"]) = (json!("product"), json!(0));
    for (line, budget) in [(0, 1_300_000), (199, 2_100_000)] {
        hold["variant"] = json!(cart[line].variant());
        assert_within(budget, LINES, &lines_input(&account(Some(hold.clone())), &cart));
    }
}

#[test]
fn nothing_to_redeem_costs_next_to_nothing_whatever_the_size_of_the_cart() {
    let unmarked = |mut input: Value| {
        input["cart"]["attribute"] = json!(null);
        input
    };
    for number in [1, 10, 50, 200, 500] {
        let no_hold = lines_input(&account(None), &lines(number));
        assert_within(20_000, LINES, &no_hold);
        assert_within(20_000, LINES, &unmarked(no_hold));
        assert_within(20_000, DELIVERY, &delivery_input(&account(None), &[&["4.95"]], &lines(number)));
        // A hold must be read to know whether it needs a mark.
        assert_within(32_000, LINES, &unmarked(lines_input(&full(), &lines(number))));
    }
}

#[test]
fn free_shipping_reads_lines_only_for_a_minimum() {
    let mut hold = hold();
    (hold["kind"], hold["value"]) = (json!("shipping"), json!(0));
    let groups: &[&[&str]] = &[&["4.95", "9.9", "19.9"]];
    assert_within(70_000, DELIVERY, &delivery_input(&account(Some(hold.clone())), groups, &lines(500)));
    hold["min"] = json!(100_000_000);
    let input = delivery_input(&account(Some(hold)), groups, &lines(200));
    assert_eq!(wasm(DELIVERY, &input).output, nothing());
    assert_within(1_300_000, DELIVERY, &input);
}

#[test]
fn large_carts_fit_into_the_input() {
    for number in [200, 500] {
        let bytes = wasm(LINES, &lines_input(&full(), &lines(number))).input_bytes;
        let limit = Scale::lines(number).of(INPUT_BYTES);
        assert!(bytes < limit * 6 / 10, "{bytes} of {limit}");
    }
}

/// A program of the size that a shop has, and one that fills the metafield.
fn programs() -> [Value; 2] {
    let perk = |n: usize| json!({ "for": ["gold"], "off": 500 + n, "label": format!("Gold {n}"), "variants": [n.to_string()] });
    let mut small: Vec<_> = (0..5).map(perk).collect();
    small.push(json!({ "for": ["gold"], "off": 400, "label": "Gold" }));
    small.push(json!({ "for": ["gold"], "off": 450, "label": "Shoes", "collections": 1 }));
    let mut full: Vec<_> = (0..130).map(perk).collect();
    full.push(json!({ "for": ["gold"], "off": 400, "label": "Gold" }));
    [small, full].map(|lines| json!({ "v": 1, "version": 7, "lines": lines }))
}

#[test]
fn perks_on_every_line_of_a_large_cart_fit() {
    let [small, full] = programs();
    for (number, of_small, of_full) in [(1, 150_000, 1_500_000), (200, 4_000_000, 8_000_000)] {
        for (program, budget) in [(&small, of_small), (&full, of_full)] {
            let input = with_perks(lines_input(&account(None), &without_gift_cards(number)), program);
            let run = wasm(LINES, &input);
            let candidates =
                run.output["operations"][0]["productDiscountsAdd"]["candidates"].as_array().unwrap();
            let targets = candidates.iter().map(|candidate| candidate["targets"].as_array().unwrap().len());
            assert_eq!(targets.sum::<usize>(), number);
            assert_within(budget, LINES, &input);
            let limit = Scale::lines(number).of(OUTPUT_BYTES);
            assert!(run.output_bytes <= limit * 9 / 10, "{} of {limit}", run.output_bytes);
        }
    }
}

#[test]
fn who_has_no_perks_costs_next_to_nothing() {
    let [small, _] = programs();
    let mut input = with_perks(lines_input(&account(None), &lines(500)), &small);
    input["cart"]["buyerIdentity"]["isAuthenticated"] = json!(false);
    assert_within(20_000, LINES, &input);
}
