//! Invoices as the webhooks that a shop would have sent: an order for each, and for what came back refunds of the
//! orders it was bought with.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::invoices::{Invoice, Line};

/// Order numbers begin beyond 2^53, as real ones may be.
const FIRST_ORDER: i64 = 9_007_199_254_740_993;

/// A webhook to be sent.
#[derive(Debug)]
pub(super) struct Webhook {
    pub topic: &'static str,
    pub id: String,
    pub body: Vec<u8>,
}

/// Turns invoices into webhooks, one after the other.
pub(super) struct History {
    zone: TimeZone,
    currency: &'static str,
    orders: i64,
    pub refunds: i64,
    /// Units that came back although the file does not say when they were bought.
    pub unmatched: i64,
    /// By customer and stock code: what was bought and has not come back, the newest last.
    bought: HashMap<(i64, String), Vec<Bought>>,
}

#[derive(Debug, Clone, Copy)]
struct Bought {
    order: i64,
    line: i64,
    left: i64,
    price: i64,
}

impl History {
    pub fn new(zone: TimeZone, currency: &'static str) -> History {
        History { zone, currency, orders: 0, refunds: 0, unmatched: 0, bought: HashMap::new() }
    }

    /// How many orders there were.
    pub fn orders(&self) -> i64 {
        self.orders
    }

    /// The webhooks of an invoice.
    pub fn webhooks(&mut self, invoice: &Invoice) -> Result<Vec<Webhook>, serde_json::Error> {
        // A file that is ambiguous at the end of summer time means the first of the two hours.
        let time = self.zone.to_ambiguous_timestamp(invoice.time).compatible();
        let time = time.map(|time| time.to_string()).unwrap_or_default();
        if invoice.is_cancellation() {
            self.refunds(invoice, &time)
        } else {
            self.order(invoice, &time).map(|order| vec![order])
        }
    }

    fn order(&mut self, invoice: &Invoice, time: &str) -> Result<Webhook, serde_json::Error> {
        let id = FIRST_ORDER + self.orders;
        self.orders += 1;
        let mut lines = Vec::with_capacity(invoice.lines.len());
        for (line, Line { stock_code, quantity, price }) in (id * 1_000..).zip(&invoice.lines) {
            lines.push(LineBody {
                id: line,
                sku: stock_code,
                quantity: *quantity,
                price_set: self.money(*price),
                gift_card: false,
                discount_allocations: [],
            });
            let bought = Bought { order: id, line, left: *quantity, price: *price };
            self.bought.entry((invoice.customer, stock_code.clone())).or_default().push(bought);
        }
        let body = serde_json::to_vec(&OrderBody {
            id,
            name: &invoice.number,
            test: false,
            customer: CustomerBody { id: invoice.customer },
            created_at: time,
            updated_at: time,
            cancelled_at: None,
            financial_status: "paid",
            currency: self.currency,
            presentment_currency: self.currency,
            note_attributes: [],
            discount_applications: [],
            line_items: lines,
            shipping_lines: [],
            refunds: [],
        })?;
        Ok(Webhook { topic: "orders/create", id: format!("order-{id}"), body })
    }

    /// What came back was bought with the customer's newest orders that have some of it left.
    fn refunds(&mut self, invoice: &Invoice, time: &str) -> Result<Vec<Webhook>, serde_json::Error> {
        let mut by_order: BTreeMap<i64, Vec<RefundLine>> = BTreeMap::new();
        for Line { stock_code, quantity, .. } in &invoice.lines {
            let mut back = -quantity;
            let bought = self.bought.get_mut(&(invoice.customer, stock_code.clone()));
            for bought in bought.into_iter().flatten().rev() {
                let units = bought.left.min(back);
                if units <= 0 {
                    continue;
                }
                bought.left -= units;
                back -= units;
                let subtotal_set = Money::set(units * bought.price, self.currency);
                by_order.entry(bought.order).or_default().push(RefundLine {
                    line_item_id: bought.line,
                    quantity: units,
                    subtotal_set,
                });
            }
            self.unmatched += back.max(0);
        }
        let mut webhooks = Vec::with_capacity(by_order.len());
        for (order, lines) in by_order {
            let id = FIRST_ORDER + self.refunds;
            self.refunds += 1;
            let body = serde_json::to_vec(&RefundBody {
                id,
                order_id: order,
                created_at: time,
                refund_line_items: lines,
            })?;
            webhooks.push(Webhook { topic: "refunds/create", id: format!("refund-{id}"), body });
        }
        Ok(webhooks)
    }

    fn money(&self, minor: i64) -> MoneySet {
        Money::set(minor, self.currency)
    }
}

#[derive(Serialize)]
struct OrderBody<'a> {
    id: i64,
    name: &'a str,
    test: bool,
    customer: CustomerBody,
    created_at: &'a str,
    updated_at: &'a str,
    cancelled_at: Option<&'a str>,
    financial_status: &'a str,
    currency: &'a str,
    presentment_currency: &'a str,
    note_attributes: [(); 0],
    discount_applications: [(); 0],
    line_items: Vec<LineBody<'a>>,
    shipping_lines: [(); 0],
    refunds: [(); 0],
}

#[derive(Serialize)]
struct CustomerBody {
    id: i64,
}

#[derive(Serialize)]
struct LineBody<'a> {
    id: i64,
    sku: &'a str,
    quantity: i64,
    price_set: MoneySet,
    gift_card: bool,
    discount_allocations: [(); 0],
}

#[derive(Serialize)]
struct RefundBody<'a> {
    id: i64,
    order_id: i64,
    created_at: &'a str,
    refund_line_items: Vec<RefundLine>,
}

#[derive(Serialize)]
struct RefundLine {
    line_item_id: i64,
    quantity: i64,
    subtotal_set: MoneySet,
}

#[derive(Serialize)]
struct MoneySet {
    shop_money: Money,
    presentment_money: Money,
}

#[derive(Serialize, Clone)]
struct Money {
    amount: String,
    currency_code: &'static str,
}

impl Money {
    /// Pence, as the file has them.
    fn set(pence: i64, currency_code: &'static str) -> MoneySet {
        let sign = if pence < 0 { "-" } else { "" };
        let amount = format!("{sign}{}.{:02}", pence.abs() / 100, pence.abs() % 100);
        let money = Money { amount, currency_code };
        MoneySet { shop_money: money.clone(), presentment_money: money }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn invoice(number: &str, lines: &[(&str, i64, i64)]) -> Invoice {
        let line =
            |&(code, quantity, price): &(&str, i64, i64)| Line { stock_code: code.into(), quantity, price };
        let time = "2009-12-01T07:45:00".parse().unwrap();
        Invoice { number: number.into(), time, customer: 7, lines: lines.iter().map(line).collect() }
    }

    fn bodies(history: &mut History, invoice: &Invoice) -> Vec<Value> {
        let webhooks = history.webhooks(invoice).unwrap();
        webhooks.iter().map(|webhook| serde_json::from_slice(&webhook.body).unwrap()).collect()
    }

    #[test]
    fn what_comes_back_is_refunded_to_the_newest_orders_that_have_it() {
        let mut history = History::new(TimeZone::get("Europe/London").unwrap(), "GBP");
        bodies(&mut history, &invoice("1", &[("A", 2, 150), ("B", 1, 99)]));
        let second = bodies(&mut history, &invoice("2", &[("A", 3, 140)]));
        assert_eq!(second[0]["created_at"], "2009-12-01T07:45:00Z");
        let refunds = bodies(&mut history, &invoice("C3", &[("A", -4, 150), ("Z", -5, 1)]));
        let lines = |refund: &Value| {
            let line = &refund["refund_line_items"][0];
            json!([refund["order_id"], line["quantity"], line["subtotal_set"]["shop_money"]["amount"]])
        };
        assert_eq!(refunds.len(), 2);
        assert_eq!(lines(&refunds[0]), json!([FIRST_ORDER, 1, "1.50"]));
        assert_eq!(lines(&refunds[1]), json!([FIRST_ORDER + 1, 3, "4.20"]));
        assert_eq!(history.unmatched, 5, "what was bought before the file begins");
        // One A is left of the first order.
        assert_eq!(bodies(&mut history, &invoice("C4", &[("A", -9, 150)])).len(), 1);
        assert_eq!(history.unmatched, 13);
    }
}
