//! How many orders a second the ledger books, on both engines: spread over many members, on one member alone, and, as
//! the floor, each in a transaction of its own.
//!
//! Every order of three lines is a webhook that the inbox holds already; its booking is an entry with postings, a lot, the
//! order, the event and the member's mark. PostgreSQL writes every commit through (`fsync`, `synchronous_commit`), SQLite
//! too (`synchronous = full`). The ledger's invariants are counted afterwards.

use anyhow::Result;
use serde_json::{Value, json};

use crate::setup::postgres::Durability;
use crate::{progress, release};

/// Options of `cargo xtask bench ledger`.
#[derive(clap::Args)]
pub struct Args {
    /// Members over whom orders are spread
    #[arg(long, default_value_t = 50_000)]
    members: u32,
    /// Orders of a round
    #[arg(long, default_value_t = 30_000)]
    orders: u32,
    /// Rounds; their median counts
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// What is measured: a name, whether on PostgreSQL, members, orders, and how many orders share a transaction.
struct Part {
    name: &'static str,
    on_postgres: bool,
    members: u32,
    orders: u32,
    batch: u32,
}

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    release::build()?;
    let Args { members, orders, rounds, json: as_json } = *args;
    let part = |name, on_postgres, members, orders, batch| Part { name, on_postgres, members, orders, batch };
    let parts = [
        part("postgres_spread_per_second", true, members, orders, 2_048),
        part("postgres_hot_per_second", true, 1, orders, 2_048),
        part("sqlite_per_second", false, members, orders, 2_048),
        part("floor_per_second", true, members.min(2_000), orders.min(4_000), 1),
    ];
    let mut summary = json!({});
    let mut reports = json!({});
    for part in &parts {
        let report = progress::step(part.name, || measure(part, rounds))?;
        println!("{}: {report}", part.name);
        summary[part.name] = report["orders_per_second"].clone();
        reports[part.name] = report;
    }
    if as_json {
        summary["reports"] = reports;
        println!("{summary}");
    }
    Ok(())
}

fn measure(part: &Part, rounds: u32) -> Result<Value> {
    super::load("ledger", part.on_postgres.then_some(Durability::Full), |load, _| {
        load.args(["--members", &part.members.to_string(), "--orders", &part.orders.to_string()]);
        load.args(["--rounds", &rounds.to_string()]).env("LOYALNEST_INBOX__BATCH", part.batch.to_string());
    })
}
