//! Orders as webhooks carry them, and what refunds and cancellations do to them.

use std::sync::Arc;

use devshop::{
    CartToOrder, Clock, CombinesWith, DiscountClass, Function, NewCart, NewDiscount, NewProduct, Order,
    Payment, PlaceOptions, RefundError, RefundRequest, Settings, ShippingRefund, ShopError, Switches, gid,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::Fixture;

const SCHEMA: &str = include_str!("../../discount.graphql");

/// Puts a Function to work that takes 5.00 off the order and makes shipping free.
fn five_off_and_free_shipping(fixture: &Fixture) {
    let says = |export: &str, input: &Value| match export {
        "lines" => json!({"operations": [{"orderDiscountsAdd": {"selectionStrategy": "FIRST", "candidates": [
            {"message": "Loyalty points", "targets": [{"orderSubtotal": {"excludedCartLineIds": []}}],
             "value": {"fixedAmount": {"amount": "5.00"}}}]}}]}),
        _ => json!({"operations": [{"deliveryDiscountsAdd": {"selectionStrategy": "ALL", "candidates": [
            {"message": "On us", "targets": [{"deliveryGroup": {"id": input["cart"]["deliveryGroups"][0]["id"]}}],
             "value": {"percentage": {"value": "100"}}}]}}]}),
    };
    let query = "query Input { cart { deliveryGroups { id } } }";
    let targets = [
        ("cart.lines.discounts.generate.run", "lines", query),
        ("cart.delivery-options.discounts.generate.run", "delivery", query),
    ];
    fixture.shop.install(Function::new("five", SCHEMA, &targets, Arc::new(says)).unwrap());
    let new = NewDiscount {
        title: "Five".into(),
        function_handle: "five".into(),
        classes: vec![DiscountClass::Order, DiscountClass::Shipping],
        combines_with: CombinesWith::ALL,
    };
    fixture.shop.add_discount(new).unwrap();
}

fn place(fixture: &Fixture, cart: &str) -> Order {
    fixture.shop.place_order(cart, PlaceOptions::default()).unwrap()
}

/// The payloads sent so far under a topic.
fn sent(fixture: &Fixture, topic: &str) -> Vec<Value> {
    let events = fixture.shop.webhooks().events();
    events.into_iter().filter(|event| event.topic == topic).map(|event| event.payload).collect()
}

/// A decimal text without its point.
fn minor(value: &Value) -> i64 {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).replace('.', "").parse().unwrap()
}

#[tokio::test]
async fn an_order_carries_discounts_attributes_and_both_currencies() {
    let fixture = Fixture::with(Settings { ids_beyond_floats: true, ..Settings::default() }).await;
    five_off_and_free_shipping(&fixture);
    let cart = fixture.cart(2);
    fixture.shop.set_cart_attribute(&cart, "_loyalty", Some("abc.1")).unwrap();
    let order = place(&fixture, &cart);
    let payload = sent(&fixture, "orders/create").remove(0);

    assert!(order.id > 1 << 53);
    assert_eq!(payload["id"].as_u64(), Some(order.id));
    assert_eq!(payload["admin_graphql_api_id"], order.gid());
    assert_eq!(payload["note_attributes"], json!([{"name": "_loyalty", "value": "abc.1"}]));
    assert_eq!(payload["customer"]["id"].as_u64(), Some(fixture.ada.id));
    assert_eq!(payload["customer"].get("tags"), None);
    assert_eq!(payload.get("checkout_id"), None);
    assert_eq!(payload["checkout_token"].as_str().unwrap().len(), 32);
    assert_eq!(payload["financial_status"], "paid");
    assert_eq!((&payload["source_name"], &payload["test"]), (&json!("web"), &json!(false)));
    assert!(payload["cancelled_at"].is_null());

    assert_eq!(
        payload["discount_applications"],
        json!([
            {"type": "automatic", "title": "Loyalty points", "target_type": "line_item", "target_selection": "all",
             "allocation_method": "across", "value_type": "fixed_amount", "value": "5.0"},
            {"type": "automatic", "title": "On us", "target_type": "shipping_line", "target_selection": "all",
             "allocation_method": "across", "value_type": "percentage", "value": "100.0"},
        ])
    );
    let five = json!({"shop_money": {"amount": "5.00", "currency_code": "GBP"},
                      "presentment_money": {"amount": "5.00", "currency_code": "GBP"}});
    let line = &payload["line_items"][0];
    assert_eq!(
        line["discount_allocations"],
        json!([
        {"amount": "5.00", "amount_set": five, "discount_application_index": 0}])
    );
    assert_eq!(
        (&line["price"], &line["quantity"], &line["gift_card"]),
        (&json!("12.50"), &json!(2), &json!(false))
    );
    let shipping = &payload["shipping_lines"][0];
    assert_eq!((&shipping["price"], &shipping["discounted_price"]), (&json!("4.95"), &json!("0.00")));
    assert_eq!(shipping["discount_allocations"][0]["discount_application_index"], 1);
    assert_eq!(payload["total_discounts"], "9.95");
    assert_eq!((&payload["subtotal_price"], &payload["total_price"]), (&json!("20.00"), &json!("20.00")));
    assert_eq!(sent(&fixture, "orders/paid")[0]["id"], payload["id"]);
    assert_eq!(fixture.shop.quote(&cart).unwrap_err(), ShopError::NotFound("cart"));
}

#[tokio::test]
async fn a_guest_has_no_customer_and_a_test_says_so() {
    let fixture = Fixture::new().await;
    let cart = fixture.shop.new_cart(NewCart::default()).unwrap().token;
    fixture.shop.add_to_cart(&cart, fixture.variant(), 1).unwrap();
    fixture.shop.place_order(&cart, PlaceOptions { test: true, ..PlaceOptions::default() }).unwrap();
    let payload = sent(&fixture, "orders/create").remove(0);
    assert_eq!(payload.get("customer"), None);
    assert_eq!(payload["test"], true);
    let empty = fixture.shop.new_cart(NewCart::default()).unwrap().token;
    assert_eq!(fixture.shop.place_order(&empty, PlaceOptions::default()).unwrap_err(), ShopError::EmptyCart);
}

#[tokio::test]
async fn payment_may_come_later() {
    let fixture = Fixture::new().await;
    let later = PlaceOptions { payment: Payment::Later, ..PlaceOptions::default() };
    let order = fixture.shop.place_order(&fixture.cart(1), later).unwrap();
    assert_eq!(sent(&fixture, "orders/create")[0]["financial_status"], "pending");
    assert!(sent(&fixture, "orders/paid").is_empty());
    fixture.shop.pay(order.id).unwrap();
    assert_eq!(sent(&fixture, "orders/paid")[0]["financial_status"], "paid");
    assert_eq!(fixture.shop.pay(order.id).unwrap_err(), ShopError::Already("paid"));
}

#[tokio::test]
async fn a_refund_has_float_subtotals_with_exact_twins_and_no_customer() {
    let fixture = Fixture::new().await;
    five_off_and_free_shipping(&fixture);
    let order = place(&fixture, &fixture.cart(3));
    let line = order.lines[0].id;
    fixture.shop.refund(order.id, &RefundRequest { lines: vec![(line, 1)], ..Default::default() }).unwrap();
    let payload = sent(&fixture, "refunds/create").remove(0);
    assert_eq!(payload["order_id"].as_u64(), Some(order.id));
    assert_eq!(payload.get("customer"), None);
    let refunded = &payload["refund_line_items"][0];
    // A third of 37.50 − 5.00.
    assert_eq!(refunded["subtotal"].as_f64(), Some(10.83));
    assert_eq!(refunded["subtotal_set"]["shop_money"]["amount"], "10.83");
    assert_eq!((refunded["line_item_id"].as_u64(), &refunded["quantity"]), (Some(line), &json!(1)));
    assert_eq!(payload["transactions"][0]["amount"], "10.83");
    let order = fixture.shop.order(order.id).unwrap();
    let now = fixture.shop.order_payload(&order);
    assert_eq!(now["financial_status"], "partially_refunded");
    assert_eq!(now["refunds"], json!([payload]));
    assert_eq!((&now["current_total_price"], &now["total_price"]), (&json!("21.67"), &json!("32.50")));
    assert_eq!(now["line_items"][0]["current_quantity"], 2);
}

#[tokio::test]
async fn shipping_is_refunded_apart_and_never_twice() {
    let fixture = Fixture::new().await;
    let order = place(&fixture, &fixture.cart(1));
    let shipping = |shipping| RefundRequest { shipping, ..Default::default() };
    fixture.shop.refund(order.id, &shipping(ShippingRefund::Amount(200))).unwrap();
    let payload = sent(&fixture, "refunds/create").remove(0);
    assert_eq!(payload["order_adjustments"][0]["kind"], "shipping_refund");
    assert_eq!(payload["order_adjustments"][0]["amount"], "-2.00");
    assert_eq!(payload["refund_shipping_lines"][0]["subtotal_amount_set"]["shop_money"]["amount"], "2.00");
    let too_much = fixture.shop.refund(order.id, &shipping(ShippingRefund::Amount(296)));
    assert_eq!(too_much.unwrap_err(), ShopError::Refund(RefundError::Shipping));
    assert_eq!(fixture.shop.refund(order.id, &shipping(ShippingRefund::Full)).unwrap().shipping.shop, 295);
    let nothing = fixture.shop.refund(order.id, &shipping(ShippingRefund::Full));
    assert_eq!(nothing.unwrap_err(), ShopError::Refund(RefundError::Nothing));
}

#[tokio::test]
async fn money_is_refunded_of_no_line_and_never_more_than_was_paid() {
    let fixture = Fixture::new().await;
    let order = place(&fixture, &fixture.cart(2));
    let (line, paid) = (order.lines[0].id, order.total().shop);
    let refund = |units, difference| {
        let lines = if units > 0 { vec![(line, units)] } else { Vec::new() };
        fixture.shop.refund(order.id, &RefundRequest { lines, difference, ..Default::default() })
    };
    let kindness = refund(0, 300).unwrap();
    let payload = sent(&fixture, "refunds/create").remove(0);
    assert_eq!((payload["refund_line_items"].as_array().unwrap().len(), kindness.total().shop), (0, 300));
    assert_eq!(payload["order_adjustments"][0]["kind"], "refund_discrepancy");
    assert_eq!(payload["order_adjustments"][0]["amount_set"]["shop_money"]["amount"], "-3.00");
    assert_eq!(payload["transactions"][0]["amount"], "3.00");
    // Less a fee for returning it.
    let one = refund(1, -250).unwrap();
    assert_eq!(one.total().shop, one.lines[0].subtotal.shop - 250);
    for (units, difference) in [(0, -1), (1, paid), (0, i64::MIN), (1, i64::MAX)] {
        let refused = refund(units, difference).unwrap_err();
        assert_eq!(refused, ShopError::Refund(RefundError::Difference), "{units} {difference}");
    }
    // What is left of the lines is worth more than what is left of the money.
    let rest = fixture.shop.cancel(order.id, "customer").unwrap();
    assert_eq!((rest.refunded().shop, rest.financial_status()), (paid, "refunded"));
    assert_eq!(rest.refunds[2].difference.shop, -50);

    let unpaid = PlaceOptions { payment: Payment::Later, ..PlaceOptions::default() };
    let unpaid = fixture.shop.place_order(&fixture.cart(1), unpaid).unwrap();
    let request = RefundRequest { difference: 1, ..Default::default() };
    let refused = fixture.shop.refund(unpaid.id, &request).unwrap_err();
    assert_eq!(refused, ShopError::Refund(RefundError::Difference));
}

#[tokio::test]
async fn no_more_units_are_refunded_than_there_are() {
    let fixture = Fixture::new().await;
    let order = place(&fixture, &fixture.cart(2));
    let line = order.lines[0].id;
    let lines = |lines: &[(u64, u32)]| RefundRequest { lines: lines.to_vec(), ..Default::default() };
    let refused = fixture.shop.refund(order.id, &lines(&[(line, 1), (line, 2)])).unwrap_err();
    assert_eq!(refused, ShopError::Refund(RefundError::TooMany { line, left: 2 }));
    let refused = fixture.shop.refund(order.id, &lines(&[(7, 1)])).unwrap_err();
    assert_eq!(refused, ShopError::Refund(RefundError::NoSuchLine(7)));
    assert!(sent(&fixture, "refunds/create").is_empty());
    fixture.shop.refund(order.id, &lines(&[(line, 1), (line, 1)])).unwrap();
}

#[tokio::test]
async fn a_cancellation_gives_everything_back() {
    let clock = Clock::standing_at("2026-11-22T12:00:00Z".parse().unwrap());
    let fixture = Fixture::with(Settings { clock: clock.clone(), ..Settings::default() }).await;
    let order = place(&fixture, &fixture.cart(2));
    clock.advance(std::time::Duration::from_secs(90));
    fixture.shop.cancel(order.id, "customer").unwrap();
    let payload = sent(&fixture, "orders/cancelled").remove(0);
    assert_eq!(payload["cancelled_at"], "2026-11-22T12:01:30+00:00");
    assert_eq!(payload["updated_at"], "2026-11-22T12:01:30+00:00");
    assert_eq!(
        (&payload["cancel_reason"], &payload["financial_status"]),
        (&json!("customer"), &json!("refunded"))
    );
    assert_eq!(payload["current_total_price"], "0.00");
    assert_eq!(sent(&fixture, "refunds/create").len(), 1);
    assert_eq!(fixture.shop.cancel(order.id, "customer").unwrap_err(), ShopError::Already("cancelled"));

    let later = PlaceOptions { payment: Payment::Later, ..PlaceOptions::default() };
    let unpaid = fixture.shop.place_order(&fixture.cart(1), later).unwrap();
    fixture.shop.cancel(unpaid.id, "other").unwrap();
    assert_eq!(sent(&fixture, "orders/cancelled")[1]["financial_status"], "voided");
    assert_eq!(sent(&fixture, "refunds/create").len(), 1);
}

#[tokio::test]
async fn an_order_inherits_the_carts_metafields_by_the_switch() {
    let fixture = Fixture::new().await;
    for (switch, expected) in [(CartToOrder::Copied, Some("{\"v\":1}")), (CartToOrder::NotCopied, None)] {
        fixture.shop.set_switches(Switches { cart_to_order: switch, ..Switches::default() });
        let cart = fixture.cart(1);
        fixture.shop.set_cart_metafield(&cart, "redemption", Some("{\"v\":1}")).unwrap();
        let order = place(&fixture, &cart);
        let copied =
            fixture.shop.metafield(&order.gid(), "$app", "redemption").map(|metafield| metafield.value);
        assert_eq!(copied.as_deref(), expected);
    }
}

#[tokio::test]
async fn a_quote_shown_earlier_is_honoured_as_it_was() {
    let fixture = Fixture::new().await;
    five_off_and_free_shipping(&fixture);
    let quote = fixture.shop.quote(&fixture.cart(1)).unwrap();
    fixture.shop.clear_discounts();
    fixture.shop.set_price(fixture.variant(), 9900).unwrap();
    let order = fixture.shop.place_quoted(quote.clone(), PlaceOptions::default()).unwrap();
    assert_eq!(order.total().presentment, 750);
    let again = fixture.shop.place_quoted(quote, PlaceOptions::default());
    assert_eq!(again.unwrap_err(), ShopError::NotFound("cart"));
}

#[tokio::test]
async fn a_customers_deletion_leaves_their_orders() {
    let fixture = Fixture::new().await;
    let order = place(&fixture, &fixture.cart(1));
    fixture.shop.delete_customer(fixture.ada.id);
    assert_eq!(fixture.shop.order_payload(&order)["customer"]["id"].as_u64(), Some(fixture.ada.id));
    assert!(fixture.shop.metafield(&gid("Customer", fixture.ada.id), "$app", "account").is_none());
}

#[tokio::test]
async fn whatever_the_refunds_they_come_to_what_was_charged() {
    let fixture = Fixture::new().await;
    five_off_and_free_shipping(&fixture);
    let strategy = (
        prop::collection::vec((1i64..5000, 1u32..6), 1..6),
        prop::collection::vec((any::<prop::sample::Index>(), 1u32..4), 0..12),
    );
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let outcome = runner.run(&strategy, |(items, refunds)| {
        let cart = fixture.shop.new_cart(NewCart::of(fixture.ada.id)).unwrap().token;
        for (price, quantity) in &items {
            let product = fixture.shop.add_product(NewProduct::simple("Thing", *price));
            fixture.shop.add_to_cart(&cart, product.variants[0].id, *quantity).unwrap();
        }
        let order = place(&fixture, &cart);
        for (at, quantity) in refunds {
            let line = at.get(&order.lines).id;
            let request = RefundRequest { lines: vec![(line, quantity)], ..Default::default() };
            // Too many units are refused; that is fine.
            fixture.shop.refund(order.id, &request).ok();
        }
        let partly = fixture.shop.order(order.id).unwrap();
        prop_assert!(partly.refunded().presentment <= order.total().presentment);
        fixture.shop.cancel(order.id, "customer").unwrap();
        let order = fixture.shop.order(order.id).unwrap();
        prop_assert_eq!(order.refunded(), order.total());
        prop_assert_eq!(order.financial_status(), "refunded");

        let payload = fixture.shop.order_payload(&order);
        let mut allocated = 0;
        for line in payload["line_items"]
            .as_array()
            .unwrap()
            .iter()
            .chain(payload["shipping_lines"].as_array().unwrap())
        {
            allocated += line["discount_allocations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|a| minor(&a["amount"]))
                .sum::<i64>();
        }
        prop_assert_eq!(allocated, minor(&payload["total_discounts"]));
        prop_assert_eq!(minor(&payload["current_total_price"]), 0);
        Ok(())
    });
    outcome.unwrap();
}
