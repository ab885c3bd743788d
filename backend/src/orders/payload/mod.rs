//! Orders and refunds as Shopify's webhooks write them (2026-10).
//!
//! Amounts are read from the `*_set` twins, which are decimal strings: their plain neighbours are floats here and
//! there. Ids exceed 2^53.

mod json;

use loyalty::Currency;
use loyalty::hold::Mark;
use loyalty::money::MoneyError;
use loyalty::referral::Code;

use self::json::{EditJson, NamedJson, OrderJson, RefundJson};
use super::{Order, Refund, Refunds};
use crate::ids::{CustomerId, OrderId};

/// Why a payload is not what its topic promises.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the topic's JSON. Says where, not what: what stands there may be personal.
    #[error("not the payload of this topic, see line {} column {}", .0.line(), .0.column())]
    Json(#[from] serde_json::Error),
    /// An amount of money.
    #[error("an amount is not valid: {0}")]
    Money(#[from] MoneyError),
    /// A number of units beyond reason.
    #[error("a quantity is beyond range")]
    Quantity,
    /// A time or an id in an order that was read again.
    #[error("the order that was read again has a time or an id that is none")]
    Reread,
}

/// Reads an order. `None` for a test order, of which nothing is booked.
///
/// # Errors
/// When it is no order, or an amount in it is none.
pub fn order(body: &[u8]) -> Result<Option<Order>, Error> {
    let order: OrderJson = serde_json::from_slice(body)?;
    if order.test {
        return Ok(None);
    }
    let currency = Currency::parse(&order.currency)?;
    let presentment = order.presentment_currency.as_deref().map_or(Ok(currency), Currency::parse)?;
    let mut refunds = Refunds::new();
    for refund in &order.refunds {
        refunds.insert(refund.id, refund.returned(currency)?);
    }
    Ok(Some(Order {
        id: OrderId(order.id),
        customer: order.customer.as_ref().map(|customer| CustomerId(customer.id)),
        guest: order.customer.as_ref().is_some_and(|customer| is_guest(customer.state.as_deref())),
        placed_at: order.placed_at(),
        created_at: order.created_at,
        at_till: order.at_till(),
        facts: order.facts(),
        lines: order.lines(currency)?,
        as_of: order.updated_at.as_microsecond(),
        mark: order.attribute(Mark::ATTRIBUTE),
        referral: order.attribute(Code::ATTRIBUTE),
        currency: presentment,
        discounts: order.discounts(presentment)?,
        refunds,
        read_again: false,
    }))
}

/// Reads which order an edit changed: it says nothing else of use.
///
/// # Errors
/// When it is no edit.
pub fn edited(body: &[u8]) -> Result<OrderId, Error> {
    let edit: EditJson = serde_json::from_slice(body)?;
    Ok(OrderId(edit.order_edit.order_id))
}

/// Reads which order a message names that says nothing else of it: one that was deleted, or that nobody was told of.
///
/// # Errors
/// When it is none.
pub fn named(body: &[u8]) -> Result<OrderId, Error> {
    let named: NamedJson = serde_json::from_slice(body)?;
    Ok(OrderId(named.id))
}

/// Reads a refund.
///
/// # Errors
/// When it is no refund, or an amount in it is none.
pub fn refund(body: &[u8]) -> Result<Refund, Error> {
    let refund: RefundJson = serde_json::from_slice(body)?;
    let order = refund.order_id.ok_or_else(|| serde::de::Error::missing_field("order_id"));
    let order = order.map_err(|error: serde_json::Error| Error::Json(error))?;
    let returned = match refund.currency()? {
        Some(currency) => refund.returned(currency)?,
        None => Vec::new(),
    };
    Ok(Refund { id: refund.id, order: OrderId(order), returned })
}

/// Whether a customer in this state has no account, in whatever case Shopify writes it. Of whom nothing is said, nothing
/// is assumed.
pub(super) fn is_guest(state: Option<&str>) -> bool {
    let guests = ["disabled", "invited", "declined"];
    state.is_some_and(|state| guests.iter().any(|guest| state.eq_ignore_ascii_case(guest)))
}

#[cfg(test)]
mod tests {
    use loyalty::earning::Returned;
    use loyalty::line::{LineKind, LineNow};
    use loyalty::order::{Facts, Payment};
    use serde_json::{Value, json};

    use super::*;

    fn money(amount: &str, currency: &str) -> Value {
        let money = json!({"amount": amount, "currency_code": currency});
        json!({"shop_money": money, "presentment_money": money})
    }

    fn written() -> Value {
        json!({
            "id": 9_007_199_254_740_993_i64,
            "test": false,
            "customer": {"id": 207_119_551, "state": "disabled"},
            "created_at": "2026-11-22T10:00:00+01:00",
            "updated_at": "2026-11-22T10:00:05+01:00",
            "cancelled_at": null,
            "financial_status": "paid",
            "fulfillment_status": "fulfilled",
            "taxes_included": true,
            "currency": "GBP",
            "presentment_currency": "EUR",
            "note_attributes": [
                {"name": "gift_note", "value": "for you"},
                {"name": "_loyalty", "value": "0000000000000000000000000000000a.1"},
            ],
            "discount_applications": [{"title": "Loyalty points"}, {"title": "SUMMER"}],
            "line_items": [
                {"id": 1, "quantity": 2, "price_set": money("10.00", "GBP"), "gift_card": false,
                 "product_id": 70, "tax_lines": [{"price_set": money("2.67", "GBP")}],
                 "discount_allocations": [
                    {"amount": "3.00", "discount_application_index": 0, "amount_set": {
                        "shop_money": {"amount": "3.00", "currency_code": "GBP"},
                        "presentment_money": {"amount": "3.60", "currency_code": "EUR"}}},
                    {"amount": "1.00", "discount_application_index": 1, "amount_set": {
                        "shop_money": {"amount": "1.00", "currency_code": "GBP"},
                        "presentment_money": {"amount": "1.20", "currency_code": "EUR"}}}]},
                {"id": 2, "quantity": 1, "price_set": money("25.00", "GBP"), "gift_card": true,
                 "discount_allocations": []},
                {"id": 3, "quantity": 1, "price_set": money("1.00", "GBP"), "tip_payment_gateway": null},
            ],
            "shipping_lines": [
              {"price_set": money("9.00", "GBP"), "is_removed": true},
              {"price_set": money("4.95", "GBP"), "tax_lines": [{"price_set": money("0.49", "GBP")}],
               "discount_allocations": [
                {"amount": "2.00", "discount_application_index": 0, "amount_set": {
                    "shop_money": {"amount": "2.00", "currency_code": "GBP"},
                    "presentment_money": {"amount": "2.40", "currency_code": "EUR"}}}]}],
            "refunds": [{"id": 5, "order_id": 9_007_199_254_740_993_i64, "refund_line_items": [
                {"line_item_id": 1, "quantity": 1, "subtotal": 8.0, "subtotal_set": money("8.00", "GBP")}],
                "refund_shipping_lines": [{"subtotal_amount_set": money("1.50", "GBP")}]}],
        })
    }

    fn read(order: &Value) -> Result<Option<Order>, Error> {
        super::order(order.to_string().as_bytes())
    }

    #[test]
    fn an_order_is_read() {
        let order = read(&written()).unwrap().unwrap();
        assert_eq!(order.id, OrderId(9_007_199_254_740_993));
        assert_eq!(order.customer, Some(CustomerId(207_119_551)));
        assert_eq!(order.placed_at.to_string(), "2026-11-22T09:00:00Z");
        let mug =
            LineNow { id: 1, quantity: 2, current: 2, paid: 1_600, discount: 400, ..LineNow::default() };
        let mug = LineNow { tax: 267, tax_included: true, product: Some(70), ..mug };
        let card =
            LineNow { id: 2, quantity: 1, current: 1, paid: 2_500, tax_included: true, ..LineNow::default() };
        let card = LineNow { kind: LineKind::GiftCard, ..card };
        let tip = LineNow { id: 3, paid: 100, kind: LineKind::Tip, ..card };
        let delivery = LineNow { id: 0, paid: 295, discount: 200, tax: 49, kind: LineKind::Delivery, ..card };
        assert_eq!(order.lines, [mug, card, tip, delivery]);
        assert_eq!(order.mark.unwrap().to_string(), "0000000000000000000000000000000a.1");
        assert_eq!(order.currency.code(), "EUR");
        assert_eq!(order.discounts[0].used.total(), 600, "lines and delivery, as they were paid");
        assert_eq!(order.discounts[1].used.total(), 120);
        let delivery_back = Returned { line: 0, quantity: 0, subtotal: 150 };
        assert_eq!(order.delivery_basis(), 295);
        assert_eq!(order.refunds[&5], [Returned { line: 1, quantity: 1, subtotal: 800 }, delivery_back]);
        let at = order.facts.updated_at;
        assert_eq!(order.facts, Facts::told(at, Payment::Paid, false).and_fulfilled());
        assert!(order.guest);
    }

    #[test]
    fn nothing_is_booked_of_a_test_order() {
        let mut test = written();
        test["test"] = json!(true);
        assert!(read(&test).unwrap().is_none());
    }

    #[test]
    fn money_of_currencies_without_and_with_three_decimals_is_read() {
        for (currency, amount, basis) in
            [("JPY", "1000", 2_000), ("JPY", "1000.0", 2_000), ("KWD", "1.250", 2_500)]
        {
            let mut order = written();
            order["currency"] = json!(currency);
            order["presentment_currency"] = json!(currency);
            order["line_items"][0]["price_set"] = money(amount, currency);
            order["line_items"][0]["discount_allocations"] = json!([]);
            order["line_items"][0]["tax_lines"] = json!([]);
            order["line_items"].as_array_mut().unwrap().truncate(1);
            order["shipping_lines"] = json!([]);
            order["refunds"] = json!([]);
            assert_eq!(read(&order).unwrap().unwrap().lines[0].paid, basis, "{currency} {amount}");
        }
    }

    #[test]
    fn what_is_no_order_is_refused() {
        assert!(matches!(order(b"{}"), Err(Error::Json(_))));
        assert!(matches!(order(b"[]"), Err(Error::Json(_))));
        assert!(matches!(order(br#"{"id": "many"}"#), Err(Error::Json(_))));
        for (pointer, bad) in [
            ("/line_items/0/price_set/shop_money/amount", json!("1.005")),
            ("/line_items/0/price_set/shop_money/amount", json!("99999999999999999")),
            ("/line_items/0/price_set/shop_money/amount", json!("ten")),
            ("/line_items/0/price_set/shop_money/currency_code", json!("USD")),
            ("/line_items/0/tax_lines/0/price_set/shop_money/amount", json!("0.001")),
            ("/shipping_lines/1/price_set/shop_money/amount", json!("free")),
            ("/refunds/0/refund_shipping_lines/0/subtotal_amount_set/shop_money/amount", json!("")),
            ("/refunds/0/refund_shipping_lines/0/subtotal_amount_set/shop_money/currency_code", json!("EUR")),
            ("/currency", json!("pounds")),
        ] {
            let mut order = written();
            *order.pointer_mut(pointer).unwrap() = bad.clone();
            assert!(matches!(read(&order), Err(Error::Money(_))), "{pointer} {bad}");
        }
        let mut order = written();
        order["line_items"][0]["quantity"] = json!(i64::MAX);
        assert!(matches!(read(&order), Err(Error::Quantity)));
    }

    #[test]
    fn a_mark_that_is_none_is_no_mark() {
        for value in [json!(""), json!("abc"), json!(7), json!({"a": 1})] {
            let mut order = written();
            order["note_attributes"] = json!([{"name": "_loyalty", "value": value}]);
            assert_eq!(read(&order).unwrap().unwrap().mark, None, "{value}");
        }
    }

    #[test]
    fn a_refund_names_its_order() {
        let refund = json!({"id": 5, "order_id": 7, "refund_line_items": []});
        assert_eq!(super::refund(refund.to_string().as_bytes()).unwrap().order, OrderId(7));
        assert!(matches!(super::refund(br#"{"id": 5}"#), Err(Error::Json(_))));
    }

    #[test]
    fn an_order_was_placed_when_it_was_processed_if_that_was_before_it_was_created() {
        for (processed, placed) in [
            (json!("2021-03-01T09:00:00Z"), "2021-03-01T09:00:00Z"),
            (json!("2026-11-22T09:00:03Z"), "2026-11-22T09:00:00Z"),
            (json!(null), "2026-11-22T09:00:00Z"),
        ] {
            let mut order = written();
            order["processed_at"] = processed;
            let order = read(&order).unwrap().unwrap();
            assert_eq!(
                (order.placed_at.to_string().as_str(), order.is_imported()),
                (placed, placed < "2026")
            );
        }
    }

    #[test]
    fn what_a_refund_pays_back_beyond_its_lines_came_back_of_the_whole() {
        let differing = |amount: &str, tax: &str, kind: &str| {
            let adjustment = json!({"kind": kind, "amount_set": money(amount, "GBP"), "tax_amount_set": money(tax, "GBP")});
            let refund = json!({"id": 5, "order_id": 7, "order_adjustments": [adjustment]});
            super::refund(refund.to_string().as_bytes()).unwrap().returned
        };
        let whole = |subtotal| [Returned { line: LineNow::WHOLE, quantity: 0, subtotal }];
        assert_eq!(differing("-5.85", "0.00", "refund_discrepancy"), whole(585));
        assert_eq!(differing("-5.00", "-1.00", "refund_discrepancy"), whole(600));
        assert_eq!(
            differing("2.37", "0.00", "refund_discrepancy"),
            whole(-237),
            "less than the lines had cost"
        );
        assert_eq!(differing("-8.00", "0.00", "shipping_refund"), [], "that has lines of its own");
        let unknown = json!({"id": 5, "order_id": 7, "order_adjustments": [{"kind": null}, {}]});
        assert_eq!(refund(unknown.to_string().as_bytes()).unwrap().returned, []);
    }

    #[test]
    fn what_an_edit_took_off_delivery_is_no_discount_any_more() {
        let mut order = written();
        order["shipping_lines"][0]["discount_allocations"] =
            order["shipping_lines"][1]["discount_allocations"].clone();
        assert_eq!(read(&order).unwrap().unwrap().discounts[0].used.delivery, 240);
    }

    #[test]
    fn a_deleted_order_is_known_by_its_number() {
        assert_eq!(named(br#"{"id": 820982911946154508}"#).unwrap(), OrderId(820_982_911_946_154_508));
        assert!(matches!(named(br#"{"id": null}"#), Err(Error::Json(_))));
    }

    #[test]
    fn a_refund_is_in_one_currency() {
        let part = |currency: &str| json!({"subtotal_amount_set": money("1.00", currency)});
        let refund = |currencies: [&str; 2]| {
            let refund = json!({"id": 5, "order_id": 7, "refund_shipping_lines": currencies.map(part)});
            super::refund(refund.to_string().as_bytes())
        };
        assert_eq!(refund(["GBP", "GBP"]).unwrap().returned.len(), 2);
        assert!(matches!(refund(["GBP", "EUR"]), Err(Error::Money(_))));
    }
}
