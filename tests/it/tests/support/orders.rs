//! Orders and refunds as webhooks write them, made for the tests.

use serde_json::{Value, json};

/// An order of one pound or so, to be changed by what a test is about.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: i64,
    pub customer: Option<i64>,
    pub currency: &'static str,
    /// Line id, units, price of a unit.
    pub lines: Vec<(i64, i64, &'static str)>,
    /// What the points took off the first line.
    pub discount: Option<&'static str>,
    /// What the delivery costs, and what the points took off it.
    pub delivery: Option<(&'static str, &'static str)>,
    pub mark: Option<String>,
    /// The code of whoever sent the customer.
    pub referral: Option<String>,
    pub status: &'static str,
    pub placed_at: String,
    pub updated_at: String,
    pub cancelled: bool,
    pub test: bool,
}

impl Order {
    pub fn new(id: i64, customer: i64) -> Order {
        Order {
            id,
            customer: Some(customer),
            currency: "GBP",
            lines: vec![(id * 10 + 1, 2, "25.00"), (id * 10 + 2, 1, "50.00")],
            discount: None,
            delivery: None,
            mark: None,
            referral: None,
            status: "paid",
            placed_at: "2026-11-22T10:00:00Z".into(),
            updated_at: "2026-11-22T10:00:00Z".into(),
            cancelled: false,
            test: false,
        }
    }

    pub fn payload(&self) -> Value {
        let lines: Vec<Value> = self
            .lines
            .iter()
            .enumerate()
            .map(|(at, (id, quantity, price))| {
                let mut allocations = Vec::new();
                if let (0, Some(amount)) = (at, self.discount) {
                    allocations.push(json!({
                        "amount": amount, "amount_set": self.money(amount), "discount_application_index": 0,
                    }));
                }
                json!({"id": id, "quantity": quantity, "price": price, "price_set": self.money(price),
                   "gift_card": false, "discount_allocations": allocations})
            })
            .collect();
        let is_discounted = self.discount.is_some() || self.delivery.is_some();
        let applications: Vec<Value> =
            is_discounted.then(|| json!({"title": "Loyalty points"})).into_iter().collect();
        let delivery = self.delivery.iter().map(|(price, off)| {
            json!({"price_set": self.money(price), "discount_allocations": [
                {"amount": off, "amount_set": self.money(off), "discount_application_index": 0}]})
        });
        let delivery: Vec<Value> = delivery.collect();
        let attributes = [("_loyalty", &self.mark), ("_loyalty_ref", &self.referral)];
        let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let attributes: Vec<Value> =
            attributes.map(|(name, value)| json!({"name": name, "value": value})).collect();
        json!({
            "id": self.id, "test": self.test,
            "customer": self.customer.map(|id| json!({"id": id})),
            "created_at": self.placed_at, "updated_at": self.updated_at,
            "cancelled_at": self.cancelled.then_some(&self.updated_at),
            "financial_status": self.status,
            "currency": self.currency, "presentment_currency": self.currency,
            "note_attributes": attributes, "discount_applications": applications,
            "line_items": lines, "shipping_lines": delivery, "refunds": [],
        })
    }

    fn money(&self, amount: &str) -> Value {
        money(amount, self.currency)
    }
}

/// A refund of units of lines: line, units, what was paid for them.
pub fn refund(id: i64, order: i64, lines: &[(i64, i64, &str)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(line, quantity, subtotal)| {
            json!({"line_item_id": line, "quantity": quantity, "subtotal": subtotal.parse::<f64>().unwrap(),
               "subtotal_set": money(subtotal, "GBP")})
        })
        .collect();
    json!({"id": id, "order_id": order, "refund_line_items": lines})
}

/// A refund of what was paid for delivery.
pub fn delivery_refund(id: i64, order: i64, paid: &str) -> Value {
    let mut refund = refund(id, order, &[]);
    refund["refund_shipping_lines"] = json!([{"subtotal_amount_set": money(paid, "GBP")}]);
    refund
}

/// A refund of no line: below zero is what was paid back, above what was kept back of what its lines had cost.
pub fn money_refund(id: i64, order: i64, amount: &str) -> Value {
    let mut refund = refund(id, order, &[]);
    refund["order_adjustments"] = json!([{
        "kind": "refund_discrepancy", "amount_set": money(amount, "GBP"), "tax_amount_set": money("0.00", "GBP"),
    }]);
    refund
}

fn money(amount: &str, currency: &str) -> Value {
    let money = json!({"amount": amount, "currency_code": currency});
    json!({"shop_money": money, "presentment_money": money})
}
