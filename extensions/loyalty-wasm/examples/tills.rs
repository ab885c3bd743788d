//! `tills SEED COUNT`: questions of made-up tills, and what the rules say, a line of JSON each, for the build for
//! JavaScript to be held against: `{"question":…,"answer":…}`.
//!
//! A till goes on with what it was given back, so that its numbers rise; now and then what it keeps is spoilt, or a till
//! begins anew.

use std::io::{BufWriter, Write};

use fastrand::Rng;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [seed, count] =
        std::env::args().skip(1).map(|word| word.parse()).collect::<Result<Vec<u64>, _>>()?[..]
    else {
        return Err("tills SEED COUNT".into());
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut till = Till { rng: Rng::with_seed(seed), queue: Value::Null, now: 1_800_000_000_000 };
    for _ in 0..count {
        let question = till.question();
        let answer: Value = serde_json::from_slice(&loyalty_wasm::till(question.to_string().as_bytes()))?;
        writeln!(out, "{}", json!({"question": question, "answer": answer}))?;
        till.queue = answer["queue"].clone();
    }
    Ok(out.flush()?)
}

struct Till {
    rng: Rng,
    queue: Value,
    now: i64,
}

impl Till {
    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.rng.usize(..all.len())].clone()
    }

    /// A number as they occur, now and then one from the ends of the range.
    fn number(&mut self) -> i64 {
        match self.rng.u8(..24) {
            0 => self.one_of(&[0, -1, loyalty::LIMIT, -loyalty::LIMIT]),
            1 => self.rng.i64(-loyalty::LIMIT..=loyalty::LIMIT),
            _ => self.rng.i64(1..40),
        }
    }

    /// One of a few.
    fn customer(&mut self) -> i64 {
        if self.rng.u8(..10) == 0 { self.number() } else { self.rng.i64(1..9) }
    }

    fn question(&mut self) -> Value {
        // Clocks go on, stand still, and now and then go back or far ahead.
        self.now = match self.rng.u16(..400) {
            0 => 0,
            1 => loyalty::LIMIT,
            2 => 1_800_000_000_000,
            step => self.now.saturating_add(i64::from(step) * 100_000).min(loyalty::LIMIT),
        };
        match self.rng.u16(..200) {
            0 => self.queue = Value::Null,
            at @ 1..4 => {
                let place = ["/next", "/operations/0/sequence", "/v"][usize::from(at - 1)];
                let number = self.number();
                if let Some(value) = self.queue.pointer_mut(place) {
                    *value = json!(number);
                }
            }
            _ => {}
        }
        let (queue, now) = (self.queue.clone(), self.now);
        match self.rng.u8(..8) {
            0..4 => {
                let kind = self.one_of(&["earn", "earn", "earn", "enrol", "redeem", "moon"]);
                let act = json!({"kind": kind, "order": self.number(), "customer": self.customer()});
                json!({"do": "add", "queue": queue, "act": act, "estimate": self.number(), "now": now})
            }
            4 => json!({"do": "batch", "queue": queue}),
            5 | 6 => {
                json!({"do": "acknowledge", "queue": queue, "next": self.next(), "results": self.results()})
            }
            _ => {
                let known = json!({"points": self.number(), "at": now - self.rng.i64(-20..200) * 1_000_000});
                let known = if self.rng.bool() { known } else { Value::Null };
                json!({"do": "shown", "queue": queue, "customer": self.customer(), "known": known, "now": now})
            }
        }
    }

    /// What the app waits for: as a rule nothing that it has.
    fn next(&mut self) -> Value {
        let next = self.queue["next"].as_i64().unwrap_or(1);
        match self.rng.u8(..12) {
            0 => json!(self.number()),
            1 => json!(next.saturating_add(1)),
            2..5 => json!((next - 3).max(1)),
            _ => json!(next),
        }
    }

    fn results(&mut self) -> Value {
        let kept = self.queue["operations"].as_array().cloned().unwrap_or_default();
        let results = kept.iter().map(|kept| {
            let state = self.one_of(&["done", "done", "waiting", "refused", "moon"]);
            let code = self.one_of(&["earned", "order_awaited", "missing", "sequence_reused", "of_tomorrow"]);
            json!({"sequence": kept["sequence"], "state": state, "code": code, "because": ""})
        });
        results.collect()
    }
}
