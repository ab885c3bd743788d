//! What orders earn by the rules that a merchant sets: what counts, multipliers, caps, and how long points wait.

mod house;
mod since;
mod till;

use loyalnest::orders::{Incoming, payload};
use loyalty::multiplier::{Factor, Multiplier, Selection};
use serde_json::Value;

fn multiplier(id: &str, of: Selection, factor: i64) -> Multiplier {
    Multiplier { id: id.into(), of, factor: Factor(factor) }
}

/// An order's webhook with this body.
fn as_told(body: &Value) -> Incoming {
    let order = payload::order(body.to_string().as_bytes()).unwrap().unwrap();
    Incoming::Order { order: Box::new(order), metafield: None, opens: true }
}
