//! `cargo xtask bench`: what the project promises about speed, measured in a release build.

mod audit;
mod history;
mod import;
mod intake;
mod ledger;
mod pick;
mod reconcile;
mod replay;
mod rfm;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use serde_json::Value;

use crate::setup::postgres::{self, Cluster, Durability};
use crate::workspace::{in_root, target_dir};
use crate::{process, release};

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Replay a file of order lines on SQLite and on PostgreSQL (every commit written through), and compare
    Replay {
        /// Columns invoice, time, customer, stock_code, quantity, price_pence; .csv or .csv.gz
        file: PathBuf,
        /// Print one JSON object as the last line of standard output
        #[arg(long)]
        json: bool,
    },
    /// How many webhooks a second are taken, beside Shopify's own Node stack, and how soon a metafield shows an order
    Intake(intake::Args),
    /// How fast a million published accounts are compared with the ledger, and how much memory that takes
    Reconcile(reconcile::Args),
    /// How many orders a second the ledger books, on both engines
    Ledger(ledger::Args),
    /// How many members a second are imported from a file, on both engines, and how much memory that takes
    Import(import::Args),
    /// How long the audit of a large ledger takes, on both engines, and how much memory
    Audit(audit::Args),
    /// How long a shopper waits from the press on a reward to the discount, in the demo as developers run it
    Pick(pick::Args),
    /// How many orders from before the app are read from a shop's file in a second, in memory
    History(history::Args),
    /// How many members a second are scored, in memory
    Rfm(rfm::Args),
}

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::Replay { file, json } => replay::run(file, *json),
        What::Intake(args) => intake::run(args),
        What::History(args) => history::run(args),
        What::Reconcile(args) => reconcile::run(args),
        What::Ledger(args) => ledger::run(args),
        What::Import(args) => import::run(args),
        What::Audit(args) => audit::run(args),
        What::Pick(args) => pick::run(args),
        What::Rfm(args) => rfm::run(args),
    }
}

/// Runs the loader on an empty database of its own; what it says in the end. `args` are its arguments, by its folder.
fn load(name: &str, durability: Option<Durability>, args: impl FnOnce(&mut Command, &Path)) -> Result<Value> {
    let folder = folder(name)?;
    // Never the one of DATABASE_URL: its data is somebody's.
    let cluster: Option<Cluster> = durability.map(postgres::private).transpose()?;
    let database = match &cluster {
        Some(cluster) => cluster.url.clone(),
        None => format!("sqlite://{}", folder.join("loyalnest.db").display()),
    };
    let mut load = in_root(release::program("load"));
    load.arg(name).env("DATABASE_URL", database);
    load.env("SHOPIFY_API_KEY", "bench").env("SHOPIFY_API_SECRET", "bench-secret");
    load.env("LOYALNEST_ENCRYPTION_KEY", "5a".repeat(32));
    args(&mut load, &folder);
    let output = last_line(&mut load)?;
    serde_json::from_str(&output).with_context(|| format!("the loader said {output:?}"))
}

/// An empty folder for a benchmark's files.
fn folder(name: &str) -> Result<PathBuf> {
    let folder = target_dir().join("bench").join(name);
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs a program whose progress goes to our terminal; returns the last line of its answer.
fn last_line(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{} ended with {}", process::shown(command), output.status);
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().last().unwrap_or_default().to_owned())
}
