//! A till that is offline now and then: what it did is sent later, in pieces, again, with gaps.

use std::fmt;

use anyhow::Context;
use axum::http::Request;
use devshop::Surface;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::staff::OWNER;
use super::{Act, CUSTOMERS, Kind, MANY, Touches, one};
use crate::model::tills::Operation;
use crate::process::Died;
use crate::world::{DOWN, Outcome, Trouble, World};

pub const KINDS: &[Kind] = &[
    (3, |rng| {
        let what = [Served::Enrol, Served::Earn, Served::Earn, Served::Redeem, Served::Lose][rng.usize(0..5)];
        one(AtTill { who: rng.usize(0..CUSTOMERS), order: rng.usize(0..MANY), what })
    }),
    (2, |rng| one(Flush { from: rng.usize(0..MANY), many: rng.usize(1..6) })),
];

/// Somebody is served at the till; it remembers that.
struct AtTill {
    who: usize,
    order: usize,
    what: Served,
}

/// The till sends some of what it remembers.
struct Flush {
    from: usize,
    many: usize,
}

/// What somebody does at a till.
#[derive(Debug, Clone, Copy)]
enum Served {
    /// They join.
    Enrol,
    /// They pay for an order.
    Earn,
    /// They ask for a reward.
    Redeem,
    /// The till forgets what it was.
    Lose,
}

impl Act for AtTill {
    fn take(&self, world: &mut World) -> Outcome {
        let at = world.now();
        let shop = world.here();
        let customer = shop.customers[self.who % shop.customers.len()];
        let order = self.order.checked_rem(shop.orders.len()).map(|at| shop.orders[at]);
        let operation = match (self.what, order) {
            (Served::Earn, Some(order)) => Operation::Earn { order, customer },
            (Served::Redeem, _) => Operation::Redeem { customer },
            (Served::Lose, _) => Operation::Lost,
            (Served::Enrol | Served::Earn, _) => Operation::Enrol { customer },
        };
        shop.till.push((at, operation));
        Ok(format!("operation {}", shop.till.len()))
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for Flush {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        if !world.staff_get_in()? {
            return Ok("Shopify does not let them in".into());
        }
        let shop = world.here();
        let Some(from) = self.from.checked_rem(shop.till.len()) else {
            return Ok("it remembers nothing".into());
        };
        let sent: Vec<(usize, i64, Operation)> = (from + 1..)
            .zip(&shop.till[from..])
            .take(self.many)
            .map(|(sequence, (at, operation))| (sequence, *at, operation.clone()))
            .collect();
        let operations = sent.iter().map(|(sequence, at, one)| told(*sequence, *at, one));
        let operations = operations.collect::<Result<Vec<Value>, _>>().map_err(anyhow::Error::from)?;
        let body = json!({"device": "till-1", "operations": operations});
        let mut answered = tell(world, &body)?;
        if answered.is_err() {
            world.pass(DOWN);
            answered = tell(world, &body)?;
        }
        let (status, answer) =
            answered.map_err(|Died| Trouble::Violation("it died without a cause".into()))?;
        let results = answer["results"].as_array().with_context(|| format!("{status} {answer}"))?;
        for (result, (sequence, at, operation)) in results.iter().zip(&sent) {
            let must = world.here().model.take(*sequence, operation, *at);
            let has = (result["state"].as_str(), result["code"].as_str(), result["points"].as_i64());
            if has != (Some(must.0), Some(must.1), must.2) {
                let text = format!("a till is told {has:?} of {operation:?}; by the model {must:?}");
                return Err(Trouble::Disagreement(text));
            }
        }
        Ok(format!("{} operations", results.len()))
    }
}

fn tell(world: &mut World, body: &Value) -> Result<Result<(u16, Value), Died>, Trouble> {
    let token = world.here().local.session_token(Surface::Admin(OWNER));
    let request = Request::post("/api/pos/queue").header("authorization", format!("Bearer {token}"));
    world.ask(request, Some(body))
}

fn told(sequence: usize, at: i64, operation: &Operation) -> Result<Value, jiff::Error> {
    let at = Timestamp::from_microsecond(at)?.to_string();
    Ok(match operation {
        Operation::Enrol { customer } => {
            json!({"sequence": sequence, "at": at, "kind": "enrol", "customer": customer})
        }
        Operation::Earn { order, customer } => {
            json!({"sequence": sequence, "at": at, "kind": "earn", "order": order, "customer": customer})
        }
        Operation::Redeem { customer } => {
            json!({"sequence": sequence, "at": at, "kind": "redeem", "customer": customer, "reward": "points"})
        }
        Operation::Lost => json!({"sequence": sequence, "at": at, "kind": "lost"}),
    })
}

impl fmt::Display for AtTill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {}, order {}, at the till: {:?}", self.who, self.order, self.what)
    }
}

impl fmt::Display for Flush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the till sends {} operations from {} on", self.many, self.from)
    }
}
