//! How long `loyalnest audit` takes over a ledger of ten million postings, on both engines, and how much memory.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::last_line;
use crate::setup::postgres::{self, Cluster, Durability};
use crate::workspace::in_root;
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
    let folder = super::folder("audit")?;
    // Never the one of DATABASE_URL: its data is somebody's. What is read is as durable as it gets either way.
    let cluster: Option<Cluster> = on_postgres.then(|| postgres::private(Durability::None)).transpose()?;
    let database = match &cluster {
        Some(cluster) => cluster.url.clone(),
        None => format!("sqlite://{}", folder.join("loyalnest.db").display()),
    };
    let mut load = in_root(release::program("load"));
    load.args(["audit", "--postings", &postings.to_string(), "--program"]).arg(release::program("loyalnest"));
    load.env("DATABASE_URL", database)
        .env("SHOPIFY_API_KEY", "bench")
        .env("SHOPIFY_API_SECRET", "bench-secret");
    load.env("LOYALNEST_ENCRYPTION_KEY", "5a".repeat(32));
    let output = last_line(&mut load)?;
    serde_json::from_str(&output).with_context(|| format!("the loader said {output:?}"))
}
