//! How many members a second are imported from a file, on both engines, and how much memory that takes.
//!
//! Every member is new: an account, an entry with its postings, lots and moves, the event and the mark of whoever is to
//! be published. Two kinds of files: full rows, with two lots and their dates, a referral code and a birthday; and, with
//! `balance` in the figure's name, a balance in each row, as exports of other programmes have it. PostgreSQL writes every
//! commit through, SQLite too. The ledger's invariants are counted afterwards.

use anyhow::Result;
use serde_json::{Value, json};

use crate::setup::postgres::Durability;
use crate::{progress, release};

/// Options of `cargo xtask bench import`.
#[derive(clap::Args)]
pub struct Args {
    /// Members of a file
    #[arg(long, default_value_t = 200_000)]
    members: u32,
    /// Files; their median counts
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Bytes of a column that nobody reads: 20,000 members with 100,000 of them are 2 GB
    #[arg(long, default_value_t = 10)]
    note: u32,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    release::build()?;
    let mut summary = json!({});
    let mut reports = json!({});
    for (name, on_postgres, rows) in [
        ("postgres_per_second", true, "full"),
        ("sqlite_per_second", false, "full"),
        ("postgres_balance_per_second", true, "balance"),
        ("sqlite_balance_per_second", false, "balance"),
    ] {
        let report = progress::step(name, || measure(args, on_postgres, rows))?;
        println!("{name}: {report}");
        summary[name] = report["members_per_second"].clone();
        reports[name] = report;
    }
    if args.json {
        summary["reports"] = reports;
        println!("{summary}");
    }
    Ok(())
}

fn measure(args: &Args, on_postgres: bool, rows: &str) -> Result<Value> {
    super::load("import", on_postgres.then_some(Durability::Full), |load, folder| {
        load.args(["--members", &args.members.to_string(), "--rounds", &args.rounds.to_string()]);
        load.args(["--note", &args.note.to_string(), "--rows", rows]).arg("--folder").arg(folder);
    })
}
