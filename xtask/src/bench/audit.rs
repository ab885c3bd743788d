//! How long `loyalnest audit` takes over a ledger of ten million postings, on both engines, and how much memory.

use anyhow::Result;
use serde_json::{Value, json};

use crate::setup::postgres::Durability;
use crate::{progress, release};

/// Options of `cargo xtask bench audit`.
#[derive(clap::Args)]
pub struct Args {
    /// Postings of the ledger
    #[arg(long, default_value_t = 10_000_000)]
    postings: u64,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    release::build()?;
    let mut reports = json!({});
    for (name, on_postgres) in [("postgres", true), ("sqlite", false)] {
        let report = progress::step(name, || measure(args.postings, on_postgres))?;
        println!("{name}: {report}");
        reports[name] = report;
    }
    if args.json {
        println!("{reports}");
    }
    Ok(())
}

fn measure(postings: u64, on_postgres: bool) -> Result<Value> {
    // What is read is as durable as it gets either way.
    super::load("audit", on_postgres.then_some(Durability::None), |load, _| {
        load.args(["--postings", &postings.to_string(), "--program"]).arg(release::program("loyalnest"));
    })
}
