//! What a run may cost. The platform allows 11,000,000 instructions and 256,000 bytes; Shopify's own discount template,
//! which does less, takes 1,170,000 instructions at 200 lines.

use function_runner::{INPUT_BYTES, Scale};
use serde_json::{Value, json};

use crate::support::cart::{Line, account, delivery_input, full_hold, hold, lines, lines_input};
use crate::support::{DELIVERY, FUNCTION, LINES, nothing, wasm};

fn full() -> Value {
    account(Some(full_hold()))
}

fn without_gift_cards(number: usize) -> Vec<Line> {
    lines(number).into_iter().map(|line| Line { gift_card: false, ..line }).collect()
}

#[track_caller]
fn assert_within(budget: u64, export: &str, input: &Value) {
    let run = wasm(export, input);
    // Without production's compiler for the provider the count is an estimate, which may be this much too high.
    let budget = if run.exact { budget } else { budget * 105 / 100 };
    assert!(run.instructions <= budget, "{} instructions, {budget} are planned", run.instructions);
    println!("{} of {budget}", run.instructions);
}

#[test]
fn it_is_small() {
    assert!(FUNCTION.wasm_bytes() <= 60_000, "{} bytes", FUNCTION.wasm_bytes());
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
