//! What the shop tells of an order, read from its webhook's body.

use serde_json::Value;

/// An order as one message tells it. Money in minor units.
#[derive(Debug, Clone)]
pub struct Told {
    pub order: u64,
    pub customer: Option<u64>,
    /// The customer has no account.
    pub guest: bool,
    /// It tells only that something about the order has changed.
    pub is_change: bool,
    pub placed_at: i64,
    pub updated_at: i64,
    pub payment: Payment,
    pub cancelled: bool,
    pub fulfilled: bool,
    /// In which the customer pays.
    pub currency: String,
    pub lines: Vec<Line>,
    /// What was taken off delivery by points, as the customer saw it, and what it cost after all discounts.
    pub delivery: (i64, i64),
    pub refunds: Vec<Refund>,
    /// The code of whoever sent the customer, as the cart named it.
    pub sent_by: Option<String>,
    /// The holds that the cart named: in the note before in the metafield.
    pub marks: Vec<String>,
}

impl Told {
    /// The same without its refunds, of which others tell. What is gone of the lines shows all the same.
    pub fn without_refunds(mut self) -> Told {
        self.refunds.clear();
        self
    }

    /// What was paid for what is left of these lines, gift cards apart; none where nothing is. `paid` are the lines as they
    /// were paid for.
    pub fn kept(&self, is_void: bool, gone: &[Back], paid: &[Line]) -> Option<i64> {
        let back = |line: &Line| gone.iter().filter(|back| back.line == line.id).collect::<Vec<_>>();
        let units = |line: &Line| line.quantity - back(line).iter().map(|back| back.units).sum::<i64>();
        let goods = || self.lines.iter().filter(|line| matches!(line.kind, Kind::Thing | Kind::GiftCard));
        if is_void || (goods().count() > 0 && goods().all(|line| units(line) <= 0)) {
            return None;
        }
        let cards: Vec<_> = self.lines.iter().filter(|line| line.kind == Kind::GiftCard).collect();
        let is_card = |line: Option<u64>| cards.iter().any(|card| card.id == line);
        let lines = self.lines.iter().filter(|line| !is_card(line.id));
        let paid: i64 = lines.map(|line| line.paid_in(paid)).sum();
        let came_back: i64 = gone.iter().filter(|back| !is_card(back.line)).map(|back| back.amount).sum();
        Some(paid - came_back)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payment {
    Pending,
    Paid,
    Void,
}

#[derive(Debug, Clone)]
pub struct Line {
    /// None is delivery.
    pub id: Option<u64>,
    pub kind: Kind,
    pub product: Option<u64>,
    pub quantity: i64,
    pub current: i64,
    /// What was paid for all units.
    pub paid: i64,
    /// What all discounts took off.
    pub discount: i64,
    /// What points took off, as the customer saw it.
    pub off: i64,
}

impl Line {
    /// What was paid for it, by the lines as they were paid for.
    pub fn paid_in(&self, lines: &[Line]) -> i64 {
        lines.iter().find(|known| known.id == self.id).map_or(0, |known| known.paid)
    }
}

/// What a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Thing,
    GiftCard,
    Tip,
    Delivery,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: u64,
    pub back: Vec<Back>,
    /// What came back of no line; less than nothing, where the lines came to more.
    pub difference: i64,
}

/// What came back of a line; of delivery, where there is none.
#[derive(Debug, Clone)]
pub struct Back {
    pub line: Option<u64>,
    pub units: i64,
    pub amount: i64,
}

/// Reads an order. `title` is what the discount that points buy is called.
pub fn order(json: &Value, title: &str) -> Told {
    let ours = |allocations: &Value| -> i64 {
        let is_ours = |one: &&Value| {
            let at = one["discount_application_index"].as_u64().unwrap_or(u64::MAX);
            json["discount_applications"][at as usize]["title"] == title
        };
        list(allocations).iter().filter(is_ours).map(|one| presented(&one["amount_set"])).sum()
    };
    let all =
        |allocations: &Value| -> i64 { list(allocations).iter().map(|one| money(&one["amount_set"])).sum() };
    let line = |line: &Value| {
        let quantity = line["quantity"].as_i64().unwrap_or(0);
        let off = &line["discount_allocations"];
        Line {
            id: Some(number(&line["id"])),
            kind: match (line["gift_card"] == true, line.get("tip_payment_gateway")) {
                (true, _) => Kind::GiftCard,
                (false, Some(_)) => Kind::Tip,
                (false, None) => Kind::Thing,
            },
            product: line["product_id"].as_u64(),
            quantity,
            current: line["current_quantity"].as_i64().unwrap_or(quantity),
            paid: money(&line["price_set"]) * quantity - all(off),
            discount: all(off),
            off: ours(off),
        }
    };
    let delivery = list(&json["shipping_lines"]).iter().fold((0, 0, 0), |(off, paid, discount), line| {
        let taken = &line["discount_allocations"];
        (off + ours(taken), paid + money(&line["price_set"]) - all(taken), discount + all(taken))
    });
    let (off, paid, discount) = delivery;
    let shipped = Line {
        id: None,
        kind: Kind::Delivery,
        product: None,
        quantity: 1,
        current: 1,
        paid,
        discount,
        // It is counted apart.
        off: 0,
    };
    let has_delivery = !list(&json["shipping_lines"]).is_empty();
    let lines = list(&json["line_items"]).iter().map(line).chain(has_delivery.then_some(shipped));
    let noted = |name: &str| {
        let noted = list(&json["note_attributes"]).iter().find(|attribute| attribute["name"] == name);
        noted.and_then(|noted| noted["value"].as_str())
    };
    Told {
        order: number(&json["id"]),
        customer: json["customer"]["id"].as_u64(),
        guest: matches!(json["customer"]["state"].as_str(), Some("disabled" | "invited" | "declined")),
        is_change: false,
        placed_at: time(&json["created_at"]),
        updated_at: time(&json["updated_at"]),
        payment: match json["financial_status"].as_str() {
            Some("paid" | "partially_refunded" | "refunded") => Payment::Paid,
            Some("voided" | "expired") => Payment::Void,
            _ => Payment::Pending,
        },
        cancelled: !json["cancelled_at"].is_null(),
        fulfilled: json["fulfillment_status"] == "fulfilled",
        currency: json["presentment_currency"].as_str().unwrap_or_default().to_owned(),
        lines: lines.collect(),
        delivery: (off, paid),
        refunds: list(&json["refunds"]).iter().map(refund).collect(),
        sent_by: noted("_loyalty_ref").map(str::to_owned),
        marks: noted("_loyalty")
            .and_then(|mark| Some(mark.split_once('.')?.0.to_owned()))
            .into_iter()
            .collect(),
    }
}

/// Reads a refund.
pub fn refund(json: &Value) -> Refund {
    let line = |line: &Value| Back {
        line: Some(number(&line["line_item_id"])),
        units: line["quantity"].as_i64().unwrap_or(0),
        amount: money(&line["subtotal_set"]),
    };
    let delivery = |line: &Value| Back { line: None, units: 0, amount: money(&line["subtotal_amount_set"]) };
    let lines = list(&json["refund_line_items"]).iter().map(line);
    let back = lines.chain(list(&json["refund_shipping_lines"]).iter().map(delivery)).collect();
    let differs = |one: &&Value| one["kind"] == "refund_discrepancy";
    let difference =
        list(&json["order_adjustments"]).iter().filter(differs).map(|one| -money(&one["amount_set"]));
    Refund { id: number(&json["id"]), back, difference: difference.sum() }
}

fn list(json: &Value) -> &[Value] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub fn number(json: &Value) -> u64 {
    json.as_u64().unwrap_or(0)
}

/// In the shop's currency.
fn money(set: &Value) -> i64 {
    minor(&set["shop_money"])
}

/// In the currency that the customer pays in.
fn presented(set: &Value) -> i64 {
    minor(&set["presentment_money"])
}

/// `12.34` is 1234: in all currencies here a hundred minor units are one.
fn minor(money: &Value) -> i64 {
    money["amount"].as_str().unwrap_or("0.00").replace('.', "").parse().unwrap_or(0)
}

pub fn time(json: &Value) -> i64 {
    let at = json.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    at.map_or(0, |at| at.as_microsecond())
}
