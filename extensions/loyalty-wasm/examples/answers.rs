//! `answers SEED COUNT`: what the rules say of made-up members, programs and carts, a line of JSON each, for the builds
//! for JavaScript to be held against: `{"account":…,"program":…,"cart":…,"answer":…}`. The metafields are texts.
//!
//! Of the inputs most are as they should be, and some have something else in one place, or break off.

use std::io::{BufWriter, Write};

use fastrand::Rng;
use serde_json::{Value, json};

/// The largest whole number that JavaScript's numbers are exact up to.
const LIMIT: i64 = loyalty::LIMIT;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [seed, count] =
        std::env::args().skip(1).map(|word| word.parse()).collect::<Result<Vec<u64>, _>>()?[..]
    else {
        return Err("answers SEED COUNT".into());
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut made_up = MadeUp(Rng::with_seed(seed));
    for _ in 0..count {
        let (account, program, cart) = (made_up.account(), made_up.program(), made_up.cart());
        let account = made_up.spoilt(account);
        let program = made_up.spoilt(program);
        let answer =
            loyalty_wasm::offers(account.as_bytes(), program.as_bytes(), cart.to_string().as_bytes());
        let answer: Value = serde_json::from_slice(&answer)?;
        writeln!(out, "{}", json!({"account": account, "program": program, "cart": cart, "answer": answer}))?;
    }
    Ok(out.flush()?)
}

const HOLD: &str = "0190a5c0ffee00000000000000000abc";

struct MadeUp(Rng);

impl MadeUp {
    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.0.usize(..all.len())].clone()
    }

    fn often(&mut self) -> bool {
        self.0.u8(..8) > 0
    }

    /// A number as they occur, now and then one from the ends of the range.
    fn number(&mut self) -> i64 {
        match self.0.u8(..16) {
            0 => self.one_of(&[0, 1, -1, LIMIT, -LIMIT, LIMIT - 1]),
            1 => self.0.i64(-LIMIT..=LIMIT),
            2..6 => self.0.i64(0..10),
            _ => self.0.i64(0..20_000),
        }
    }

    fn currency(&mut self) -> &'static str {
        self.one_of(&["GBP", "GBP", "GBP", "GBP", "EUR", "JPY"])
    }

    fn amounts(&mut self) -> Value {
        let mut amounts = json!({});
        for currency in ["GBP", "EUR", "JPY"] {
            if self.0.bool() {
                amounts[currency] = json!(self.number());
            }
        }
        amounts
    }

    fn account(&mut self) -> Value {
        let mut account =
            json!({"v": 1, "seq": self.0.u32(..), "points": self.number(), "pending": self.number()});
        if self.0.bool() {
            account["tier"] = json!(self.one_of(&["tin", "gold", "gone"]));
            account["segment"] = json!(self.one_of(&["seg_555", "seg_111", "seg_344"]));
            account["next"] = json!({"points": self.number(), "at": "2027-01-31"});
        }
        if self.0.bool() {
            account["hold"] = json!({
                "id": HOLD, "scope": self.one_of(&["cart", "next_order"]), "points": self.number(),
                "kind": self.one_of(&["amount", "percent", "product", "shipping"]), "value": self.0.u16(..10_001),
                "cur": self.currency(), "label": "Points “é” 😀", "variant": "gid://shopify/ProductVariant/7",
            });
            for bound in ["cap", "min"] {
                if self.0.bool() {
                    account["hold"][bound] = json!(self.number());
                }
            }
        }
        account
    }

    fn reward(&mut self, id: usize) -> Value {
        let benefit = match self.0.u8(..7) {
            0 => json!({"kind": "amount", "value": self.amounts()}),
            1 => json!({"kind": "steps", "value": self.amounts(), "most": self.number()}),
            2 => json!({"kind": "percent", "basis_points": self.number(), "cap": self.amounts()}),
            3 => json!({"kind": "product", "variant": "gid://shopify/ProductVariant/7"}),
            4 => json!({"kind": "store_credit", "value": self.amounts()}),
            5 => json!({"kind": "gift_card", "value": self.amounts()}),
            _ => json!({"kind": "shipping"}),
        };
        let name = self.one_of(&["5 off", "ذهبي", "😀 \"\\\n\u{7f}", "é"]);
        let mut reward =
            json!({"id": format!("r{id}"), "name": name, "points": self.number(), "benefit": benefit});
        if self.0.bool() {
            reward["min"] = self.amounts();
        }
        if self.0.bool() {
            let segments = self.one_of(&[json!([]), json!(["champions", "loyal"])]);
            reward["gate"] =
                json!({"tiers": self.one_of(&[json!([]), json!(["gold"])]), "segments": segments});
        }
        reward
    }

    fn program(&mut self) -> Value {
        let rewards: Vec<Value> = (0..self.0.usize(..6)).map(|id| self.reward(id)).collect();
        let multiplier = json!({"id": "m", "of": {"products": [3, 4]}, "factor": self.number()});
        let threshold =
            json!({"measure": self.one_of(&["points", "spend"]), "at_least": self.number(), "days": 365});
        json!({
            "v": 1, "version": self.0.u32(..), "currency": self.currency(),
            "earn": {
                "points": self.number(), "per": self.number(), "order_cap": self.one_of(&[Value::Null, json!(500)]),
                "basis": {"shipping": self.0.bool(), "gift_cards": self.0.bool(),
                          "discounts": self.one_of(&["after", "before"])},
                "multipliers": self.one_of(&[json!([]), json!([multiplier])]),
                "combine": self.one_of(&["best", "multiply"]),
            },
            "boosts": [{"source": "tier", "id": "gold", "factor": self.number(), "tiers": ["gold"]}],
            "tiers": [{"id": "tin", "name": "Tin"}, {"id": "gold", "name": "Gold", "threshold": threshold}],
            "rewards": rewards,
        })
    }

    fn cart(&mut self) -> Value {
        let line = |made_up: &mut MadeUp| {
            json!({
                "variant": format!("gid://shopify/ProductVariant/{}", made_up.0.u8(5..9)), "product": made_up.0.u8(1..5),
                "quantity": if made_up.often() { made_up.0.i64(0..9) } else { made_up.number() },
                "unit": made_up.number(), "net": made_up.number(), "giftCard": !made_up.often(),
            })
        };
        let lines: Vec<Value> = (0..self.0.usize(..5)).map(|_| line(self)).collect();
        let mut cart = json!({"currency": self.currency(), "lines": lines});
        if self.0.bool() {
            cart["delivery"] = json!(self.number());
        }
        if self.0.bool() {
            let stale = self.one_of(&["", "x", "0190a5c0ffee00000000000000000abd.1", HOLD]);
            cart["mark"] =
                json!(if self.often() { format!("{HOLD}.{}", self.0.u8(..)) } else { stale.to_owned() });
        }
        cart
    }

    /// Its text, at times with something else in one place, or not all of it.
    fn spoilt(&mut self, mut json: Value) -> String {
        if !self.often() {
            let mut places = Vec::new();
            places_in(&json, "", &mut places);
            let place = self.one_of(&places);
            let number = self.number();
            let else_ = [
                json!(null),
                json!(true),
                json!(0.5),
                json!({}),
                json!([[]]),
                json!("x"),
                json!(number),
                json!(2),
            ];
            if let Some(value) = json.pointer_mut(&place) {
                *value = self.one_of(&else_);
            }
        }
        let mut text = json.to_string();
        if self.0.u8(..16) == 0 {
            let end = (0..self.0.usize(..=text.len())).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or(0));
        }
        text
    }
}

/// Every place in it, as a JSON pointer.
fn places_in(json: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    for (name, value) in json.as_object().into_iter().flatten() {
        places_in(value, &format!("{at}/{name}"), into);
    }
    for (place, value) in json.as_array().into_iter().flatten().enumerate() {
        places_in(value, &format!("{at}/{place}"), into);
    }
}
