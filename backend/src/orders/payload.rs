//! Orders and refunds as Shopify's webhooks write them (2026-10).
//!
//! Amounts are read from the `*_set` twins, which are decimal strings: their plain neighbours are floats here and
//! there. Ids exceed 2^53.

use loyalty::earning::Returned;
use loyalty::hold::Mark;
use loyalty::money::MoneyError;
use loyalty::order::{Facts, LineNow, Payment, Used, UsedLine};
use loyalty::{Currency, Money};
use serde::Deserialize;

use super::{Discount, Order, Refund, Refunds};
use crate::db::Timestamp;
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
    let lines = order.line_items.iter().filter(|line| !line.gift_card);
    let lines = lines.map(|line| line.earning(currency)).collect::<Result<_, _>>()?;
    let mut refunds = Refunds::new();
    for refund in &order.refunds {
        refunds.insert(refund.id, refund.returned()?);
    }
    Ok(Some(Order {
        id: OrderId(order.id),
        customer: order.customer.as_ref().map(|customer| CustomerId(customer.id)),
        placed_at: order.created_at,
        facts: order.facts(),
        lines,
        delivery_basis: order.delivery_basis(currency)?,
        as_of: order.updated_at.as_microsecond(),
        mark: order.mark(),
        currency: presentment,
        discounts: order.discounts(presentment)?,
        refunds,
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

/// Reads a refund.
///
/// # Errors
/// When it is no refund, or an amount in it is none.
pub fn refund(body: &[u8]) -> Result<Refund, Error> {
    let refund: RefundJson = serde_json::from_slice(body)?;
    let order = refund.order_id.ok_or_else(|| serde::de::Error::missing_field("order_id"));
    let order = order.map_err(|error: serde_json::Error| Error::Json(error))?;
    Ok(Refund { id: refund.id, order: OrderId(order), returned: refund.returned()? })
}

#[derive(Deserialize)]
struct OrderJson {
    id: i64,
    #[serde(default)]
    test: bool,
    customer: Option<Id>,
    created_at: Timestamp,
    updated_at: Timestamp,
    cancelled_at: Option<Timestamp>,
    financial_status: Option<String>,
    currency: String,
    presentment_currency: Option<String>,
    #[serde(default)]
    note_attributes: Vec<Attribute>,
    #[serde(default)]
    discount_applications: Vec<Application>,
    line_items: Vec<LineJson>,
    #[serde(default)]
    shipping_lines: Vec<ShippingJson>,
    #[serde(default)]
    refunds: Vec<RefundJson>,
}

#[derive(Deserialize)]
struct EditJson {
    order_edit: OrderEdit,
}

#[derive(Deserialize)]
struct OrderEdit {
    order_id: i64,
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

#[derive(Deserialize)]
struct Attribute {
    name: String,
    // A theme may write anything here.
    value: serde_json::Value,
}

#[derive(Deserialize)]
struct Application {
    title: Option<String>,
}

#[derive(Deserialize)]
struct LineJson {
    id: i64,
    quantity: i64,
    /// Without what came back and what an edit took off.
    current_quantity: Option<i64>,
    price_set: MoneySet,
    #[serde(default)]
    gift_card: bool,
    #[serde(default)]
    discount_allocations: Vec<Allocation>,
}

#[derive(Deserialize)]
struct ShippingJson {
    price_set: MoneySet,
    #[serde(default)]
    discount_allocations: Vec<Allocation>,
}

#[derive(Deserialize)]
struct Allocation {
    amount_set: MoneySet,
    discount_application_index: usize,
}

#[derive(Deserialize)]
struct MoneySet {
    shop_money: MoneyJson,
    presentment_money: MoneyJson,
}

#[derive(Deserialize)]
struct MoneyJson {
    amount: String,
    currency_code: String,
}

#[derive(Deserialize)]
struct RefundJson {
    id: i64,
    order_id: Option<i64>,
    #[serde(default)]
    refund_line_items: Vec<RefundLine>,
    #[serde(default)]
    refund_shipping_lines: Vec<RefundShipping>,
}

#[derive(Deserialize)]
struct RefundShipping {
    subtotal_amount_set: MoneySet,
}

#[derive(Deserialize)]
struct RefundLine {
    line_item_id: i64,
    quantity: i64,
    subtotal_set: MoneySet,
}

impl OrderJson {
    fn facts(&self) -> Facts {
        let payment = match self.financial_status.as_deref() {
            Some("paid" | "partially_refunded" | "refunded") => Payment::Paid,
            Some("voided" | "expired") => Payment::Void,
            _ => Payment::Pending,
        };
        Facts::told(self.updated_at.as_microsecond(), payment, self.cancelled_at.is_some())
    }

    fn mark(&self) -> Option<Mark> {
        let mark = self.note_attributes.iter().find(|attribute| attribute.name == Mark::ATTRIBUTE)?;
        mark.value.as_str()?.parse().ok()
    }

    /// What each discount took off, in minor units of the currency that the order was paid in.
    fn discounts(&self, currency: Currency) -> Result<Vec<Discount>, Error> {
        let mut discounts = Vec::with_capacity(self.discount_applications.len());
        for (index, application) in self.discount_applications.iter().enumerate() {
            let mut used = Used::default();
            for line in &self.line_items {
                let amount = allocated(&line.discount_allocations, index, currency)?;
                if amount > 0 {
                    used.lines.push(UsedLine { line: line.id, quantity: line.quantity, amount });
                }
            }
            for line in &self.shipping_lines {
                let amount = allocated(&line.discount_allocations, index, currency)?;
                used.delivery = add(used.delivery, amount)?;
            }
            discounts.push(Discount { title: application.title.clone().unwrap_or_default(), used });
        }
        Ok(discounts)
    }
}

impl OrderJson {
    fn delivery_basis(&self, currency: Currency) -> Result<i64, Error> {
        let mut basis = 0_i64;
        for line in &self.shipping_lines {
            basis = basis.saturating_add(line.price_set.shop_money.minor(currency)?);
            for allocation in &line.discount_allocations {
                basis = basis.saturating_sub(allocation.amount_set.shop_money.minor(currency)?);
            }
        }
        Ok(Money::new(basis, currency).map_err(MoneyError::from)?.minor())
    }
}

impl LineJson {
    /// What was paid for the line after all discounts, in the shop's currency.
    fn earning(&self, currency: Currency) -> Result<LineNow, Error> {
        let price = self.price_set.shop_money.minor(currency)?;
        let mut basis = price.checked_mul(self.quantity).ok_or(Error::Quantity)?;
        for allocation in &self.discount_allocations {
            basis = basis.saturating_sub(allocation.amount_set.shop_money.minor(currency)?);
        }
        let basis = Money::new(basis, currency).map_err(MoneyError::from)?.minor();
        let current = self.current_quantity.unwrap_or(self.quantity);
        Ok(LineNow { id: self.id, quantity: self.quantity, current, basis })
    }
}

impl RefundJson {
    fn returned(&self) -> Result<Vec<Returned>, Error> {
        let lines = self.refund_line_items.iter();
        let lines = lines.map(|line| (line.line_item_id, line.quantity, &line.subtotal_set));
        let delivery = self.refund_shipping_lines.iter();
        let delivery = delivery.map(|line| (Returned::DELIVERY, 1, &line.subtotal_amount_set));
        lines
            .chain(delivery)
            .map(|(line, quantity, set)| {
                Ok(Returned { line, quantity, subtotal: set.shop_money.own_minor()? })
            })
            .collect()
    }
}

impl MoneyJson {
    /// Minor units, where the amount is in this currency.
    fn minor(&self, currency: Currency) -> Result<i64, MoneyError> {
        if Currency::parse(&self.currency_code)? == currency {
            currency.parse_minor(&self.amount)
        } else {
            Err(MoneyError::Mixed)
        }
    }

    fn own_minor(&self) -> Result<i64, MoneyError> {
        Currency::parse(&self.currency_code)?.parse_minor(&self.amount)
    }
}

fn allocated(allocations: &[Allocation], index: usize, currency: Currency) -> Result<i64, Error> {
    let ours = allocations.iter().filter(|allocation| allocation.discount_application_index == index);
    ours.map(|allocation| allocation.amount_set.presentment_money.minor(currency))
        .try_fold(0, |sum, amount| add(sum, amount?))
}

fn add(sum: i64, amount: i64) -> Result<i64, Error> {
    sum.checked_add(amount).filter(|sum| *sum <= loyalty::LIMIT).ok_or(Error::Quantity)
}

#[cfg(test)]
mod tests {
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
            "customer": {"id": 207_119_551},
            "created_at": "2026-11-22T10:00:00+01:00",
            "updated_at": "2026-11-22T10:00:05+01:00",
            "cancelled_at": null,
            "financial_status": "paid",
            "currency": "GBP",
            "presentment_currency": "EUR",
            "note_attributes": [
                {"name": "gift_note", "value": "for you"},
                {"name": "_loyalty", "value": "0000000000000000000000000000000a.1"},
            ],
            "discount_applications": [{"title": "Loyalty points"}, {"title": "SUMMER"}],
            "line_items": [
                {"id": 1, "quantity": 2, "price_set": money("10.00", "GBP"), "gift_card": false,
                 "discount_allocations": [
                    {"amount": "3.00", "discount_application_index": 0, "amount_set": {
                        "shop_money": {"amount": "3.00", "currency_code": "GBP"},
                        "presentment_money": {"amount": "3.60", "currency_code": "EUR"}}},
                    {"amount": "1.00", "discount_application_index": 1, "amount_set": {
                        "shop_money": {"amount": "1.00", "currency_code": "GBP"},
                        "presentment_money": {"amount": "1.20", "currency_code": "EUR"}}}]},
                {"id": 2, "quantity": 1, "price_set": money("25.00", "GBP"), "gift_card": true,
                 "discount_allocations": []},
            ],
            "shipping_lines": [{"price_set": money("5.00", "GBP"), "discount_allocations": [
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
        let line = LineNow { id: 1, quantity: 2, current: 2, basis: 1_600 };
        assert_eq!(order.lines, [line], "gift cards earn nothing");
        assert_eq!(order.mark.unwrap().to_string(), "0000000000000000000000000000000a.1");
        assert_eq!(order.currency.code(), "EUR");
        assert_eq!(order.discounts[0].used.total(), 600, "lines and delivery, as they were paid");
        assert_eq!(order.discounts[1].used.total(), 120);
        assert_eq!(order.delivery_basis, 300);
        let back = |line, subtotal| Returned { line, quantity: 1, subtotal };
        assert_eq!(order.refunds[&5], [back(1, 800), back(Returned::DELIVERY, 150)]);
        assert_eq!(order.facts.payment, Payment::Paid);
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
            order["shipping_lines"] = json!([]);
            assert_eq!(read(&order).unwrap().unwrap().lines[0].basis, basis, "{currency} {amount}");
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
}
