//! What orders earn by the rules that a merchant sets: what counts, multipliers, caps, and how long points wait.

mod house;
mod since;
mod till;

use loyalty::multiplier::{Factor, Multiplier, Selection};

fn multiplier(id: &str, of: Selection, factor: i64) -> Multiplier {
    Multiplier { id: id.into(), of, factor: Factor(factor) }
}
