//! `cargo xtask bench`: what the project promises about speed, measured in a release build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::setup::postgres::{self, Durability};
use crate::workspace::{cargo, in_root, target_dir};
use crate::{process, progress};

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
}

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::Replay { file, json } => replay(file, *json),
    }
}

fn replay(file: &Path, as_json: bool) -> Result<()> {
    let file = file.canonicalize().with_context(|| format!("cannot read {}", file.display()))?;
    progress::step("backend, release build", || {
        process::run(cargo().args(["build", "--locked", "--release", "--package", "loyalnest"]))
    })?;
    let folder = target_dir().join("bench");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder)?;

    let url = format!("sqlite://{}", folder.join("loyalnest.db").display());
    let sqlite = replay_on("SQLite", &url, &file)?;
    // Never the one of DATABASE_URL: its data is somebody's.
    let server = postgres::private(Durability::Full)?;
    let postgres = replay_on("PostgreSQL", &server.url, &file)?;

    if as_json {
        println!("{}", json!({ "sqlite": sqlite, "postgres": postgres }));
    }
    for report in [&sqlite, &postgres] {
        ensure!(report["violations"] == 0, "{} violations", report["violations"]);
    }
    if totals(&sqlite) != totals(&postgres) {
        bail!("the engines do not agree");
    }
    Ok(())
}

/// The report of one replay, shown as soon as it is there.
fn replay_on(engine: &str, database: &str, file: &Path) -> Result<Value> {
    progress::step(format!("replay on {engine}"), || {
        let mut replay = in_root(target_dir().join("release/loyalnest"));
        replay.arg("replay").arg(file).arg("--json").env("DATABASE_URL", database);
        let output = last_line(&mut replay)?;
        println!("{engine}: {output}");
        serde_json::from_str(&output).with_context(|| format!("the replay's last line is not JSON: {output}"))
    })
}

/// Runs a program whose progress goes to our terminal; returns the last line of its answer.
fn last_line(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{} ended with {}", process::shown(command), output.status);
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().last().unwrap_or_default().to_owned())
}

/// What must be the same on both engines: all but the times.
fn totals(report: &Value) -> Map<String, Value> {
    let mut totals = report.as_object().cloned().unwrap_or_default();
    totals.retain(|name, _| !name.contains("second"));
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_differ_and_totals_may_not() {
        let report = |points: i64, seconds: f64| json!({ "points_issued": points, "violations": 0, "seconds": seconds, "orders_per_second": seconds });
        assert_eq!(totals(&report(7, 1.0)), totals(&report(7, 2.0)));
        assert_ne!(totals(&report(7, 1.0)), totals(&report(8, 1.0)));
    }
}
