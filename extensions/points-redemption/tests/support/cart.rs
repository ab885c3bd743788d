//! Inputs for carts of any size, as the input queries select them.

use serde_json::{Value, json};

/// The hold that the marks name.
pub const HOLD: &str = "0123456789abcdef0123456789abcdef";

/// What a live hold says: 5.00 GBP for 500 points.
pub fn hold() -> Value {
    json!({
        "id": HOLD, "scope": "cart", "kind": "amount", "points": 500, "value": 500, "cur": "GBP",
        "label": "Loyalty points",
    })
}

/// A hold with every member that a hold can have.
pub fn full_hold() -> Value {
    json!({
        "id": HOLD, "scope": "cart", "kind": "amount", "points": 500, "value": 500, "cur": "GBP", "cap": 500,
        "min": 100, "label": "Loyalty points",
    })
}

/// An account metafield with this hold, or none.
pub fn account(hold: Option<Value>) -> Value {
    let mut account = json!({ "v": 1, "seq": 12, "points": 1_500, "pending": 20, "tier": "gold" });
    if let Some(hold) = hold {
        account["hold"] = hold;
    }
    account["next"] = json!({ "points": 100, "at": "2027-01-31" });
    account
}

/// A line of a cart.
#[derive(Clone, Debug)]
pub struct Line {
    pub number: usize,
    pub quantity: u32,
    pub subtotal: String,
    pub gift_card: bool,
}

impl Line {
    pub fn new(number: usize, quantity: u32, subtotal: &str) -> Line {
        Line { number, quantity, subtotal: subtotal.to_owned(), gift_card: false }
    }

    pub fn gift_card(number: usize, subtotal: &str) -> Line {
        Line { gift_card: true, ..Line::new(number, 1, subtotal) }
    }

    /// As long as Shopify's: a UUID.
    pub fn id(&self) -> String {
        let n = self.number as u64;
        format!("gid://shopify/CartLine/{:08x}-5c1b-4f0e-9a3d-{n:012x}", n.wrapping_mul(2_654_435_761) as u32)
    }

    pub fn variant(&self) -> String {
        format!("gid://shopify/ProductVariant/{}", 43_000_000_000_000 + self.number)
    }

    fn cost(&self) -> Value {
        json!({ "subtotalAmount": { "amount": self.subtotal } })
    }

    fn gift_card_merchandise(&self) -> Value {
        json!({ "product": { "isGiftCard": self.gift_card } })
    }
}

/// Lines of which the first 5 % are gift cards.
pub fn lines(number: usize) -> Vec<Line> {
    let line = |n: usize| {
        let (quantity, subtotal) = (1 + n as u32 % 3, format!("{}.{:02}", 5 + n % 90, n % 100));
        Line { gift_card: n < number / 20, ..Line::new(n, quantity, &subtotal) }
    };
    (0..number).map(line).collect()
}

/// What the lines come to, gift cards and all.
fn subtotal(lines: &[Line]) -> String {
    let minor = |line: &Line| line.subtotal.replace('.', "").parse().unwrap_or(0_i64);
    let sum: i64 = lines.iter().map(minor).sum();
    format!("{}.{:02}", sum / 100, sum % 100)
}

/// The input of the target for lines: signed in, marked, with this account.
pub fn lines_input(account: &Value, lines: &[Line]) -> Value {
    let mut cart = cart(account);
    cart["subtotal"]["subtotalAmount"]["amount"] = subtotal(lines).into();
    cart["giftCards"] =
        lines.iter().map(|line| json!({ "merchandise": line.gift_card_merchandise() })).collect();
    cart["lines"] = lines.iter().map(|line| json!({ "cost": line.cost(), "id": line.id() })).collect();
    let variant = |line: &Line| json!({ "quantity": line.quantity, "merchandise": { "id": line.variant() } });
    cart["variants"] = lines.iter().map(variant).collect();
    let collected = |line: &Line| json!({ "merchandise": { "product": { "inAnyCollection": line.number.is_multiple_of(2) } } });
    cart["collected"] = lines.iter().map(collected).collect();
    json!({ "discount": discount(), "cart": cart })
}

/// The same for the discount that gives these perks.
pub fn with_perks(mut input: Value, perks: &Value) -> Value {
    input["discount"] =
        json!({ "discountClasses": ["PRODUCT", "SHIPPING"], "perks": { "value": perks.to_string() } });
    input
}

/// The input of the target for delivery: groups of options with these prices.
pub fn delivery_input(account: &Value, groups: &[&[&str]], lines: &[Line]) -> Value {
    let mut cart = cart(account);
    let group = |(group, prices): (usize, &&[&str])| {
        let option = |(option, price): (usize, &&str)| json!({ "cost": { "amount": price }, "handle": format!("{group}{option}c5f3ab-shipping") });
        json!({ "deliveryOptions": prices.iter().enumerate().map(option).collect::<Vec<_>>() })
    };
    cart["deliveryGroups"] = groups.iter().enumerate().map(group).collect();
    let line = |line: &Line| json!({ "cost": line.cost(), "merchandise": line.gift_card_merchandise() });
    cart["lines"] = lines.iter().map(line).collect();
    json!({ "discount": discount(), "cart": cart })
}

fn discount() -> Value {
    json!({ "discountClasses": ["PRODUCT", "ORDER", "SHIPPING"], "perks": null })
}

fn cart(account: &Value) -> Value {
    json!({
        "retailLocation": null,
        "buyerIdentity": { "isAuthenticated": true, "customer": { "metafield": { "value": account.to_string() } } },
        "attribute": { "value": format!("{HOLD}.1") },
        "redemption": null,
        "subtotal": { "subtotalAmount": { "currencyCode": "GBP" } },
    })
}
