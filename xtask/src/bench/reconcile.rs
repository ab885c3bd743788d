//! A million metafields beside the ledger: members a second, and the most memory that the backend had in use.

use anyhow::{Context, Result};
use serde_json::Value;

use super::last_line;
use super::server::{Server, free_port};
use crate::setup::postgres::{self, Durability};
use crate::{progress, release};

/// Options of `cargo xtask bench reconcile`.
#[derive(clap::Args)]
pub struct Args {
    /// How many members the shop has
    #[arg(long, default_value_t = 1_000_000)]
    members: u64,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// Measures, on PostgreSQL: members who have points, one in a thousand of them published wrongly.
pub fn run(args: &Args) -> Result<()> {
    release::build()?;
    let folder = super::folder("reconcile")?;
    let cluster = postgres::private(Durability::Full)?;
    let shop_port = free_port()?;
    let server = Server::backend("all", &cluster.url, &folder, &format!("http://127.0.0.1:{shop_port}"))?;
    let report: Value = progress::step(format!("{} members", args.members), || {
        let mut load = server.load("reconcile");
        load.args(["--members", &args.members.to_string(), "--shop", &format!("127.0.0.1:{shop_port}")]);
        load.args(["--watch", &format!("backend={}", server.running.id())]);
        let output = last_line(&mut load)?;
        serde_json::from_str(&output).with_context(|| format!("the loader said {output:?}"))
    })?;
    let figure = |name: &str| report[name].as_f64().unwrap_or_default();
    println!(
        "{} members in {} s: {} a second; at most {} MB in use, {} MB before",
        args.members,
        figure("seconds"),
        figure("members_per_second"),
        figure("peak_mb"),
        figure("peak_before_mb")
    );
    if args.json {
        println!("{report}");
    }
    Ok(())
}
