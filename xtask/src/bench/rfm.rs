//! How many members a second are scored: in memory on one thread, beside Polars and DuckDB, and from a file to a file; how
//! long a night's refresh takes on PostgreSQL; and how good the chances are that members stay away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::setup::postgres::Durability;
use crate::workspace::{in_root, root, target_dir};
use crate::{process, progress, release};

/// Options of `cargo xtask bench rfm`.
#[derive(clap::Args)]
pub struct Args {
    /// Members
    #[arg(long, default_value_t = 1_000_000)]
    members: u32,
    /// Rounds of scoring; their median counts
    #[arg(long, default_value_t = 25)]
    rounds: u32,
    /// Order lines on which the chances to stay away are tried; columns invoice, time, customer; .csv or .csv.gz
    #[arg(long)]
    orders: Option<PathBuf>,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// How often whole files are read, scored and written.
const FILES: &str = "5";

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    release::build()?;
    let members = args.members.to_string();
    let mut report = progress::step("scoring", || {
        super::load("rfm", None, |load, _| {
            load.args(["--members", &members, "--rounds", &args.rounds.to_string()]);
        })
    })?;
    let folder = super::folder("rfm-file")?;
    let (file, scores) = (folder.join("members.csv"), folder.join("scores.csv"));
    let from_file = progress::step("scoring from a file", || {
        super::load("rfm-file", None, |load, _| {
            load.args(["--members", &members, "--rounds", FILES]).args([&file, &scores]);
        })
    })?;
    report["file_seconds"] = from_file["file_seconds"].clone();
    report["peers"] = progress::step("Polars and DuckDB", || peers(&file, &scores, args.members))?;
    report["night"] = progress::step("a night on PostgreSQL", || {
        super::load("night", Some(Durability::Full), |load, _| {
            load.args(["--members", &members]);
        })
    })?;
    if let Some(orders) = &args.orders {
        let orders = orders.canonicalize().with_context(|| format!("cannot read {}", orders.display()))?;
        report["churn"] = super::load("churn", None, |load, _| {
            load.arg(orders);
        })?;
    }
    if args.json {
        println!("{report}");
    } else {
        println!("{report:#}");
    }
    Ok(())
}

/// The same members scored by others, who must come to the same.
fn peers(file: &Path, scores: &Path, members: u32) -> Result<Value> {
    let python = python()?;
    let out = file.with_file_name("peer");
    let mut script = in_root(&python);
    script.arg("tests/load/peers/score.py").arg(file).arg(&out).arg(FILES);
    let mut peers: Value = serde_json::from_str(&super::last_line(&mut script)?)?;
    let ours = fs::read_to_string(scores)?;
    for name in ["polars", "duckdb"] {
        let theirs = fs::read_to_string(out.with_extension(format!("{name}.csv")))?;
        ensure!(ours == theirs, "{name} scores otherwise");
        let seconds = peers[name]["seconds"].as_f64().context("no seconds")?;
        peers[name]["members_per_second"] = json!((f64::from(members) / seconds).round());
    }
    Ok(peers)
}

/// A Python of our own with the peers, of the versions that `requirements.txt` names.
fn python() -> Result<PathBuf> {
    let (folder, wanted) = (target_dir().join("peers"), root().join("tests/load/peers/requirements.txt"));
    let (python, done) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if fs::read(&done).ok() != Some(fs::read(&wanted)?) {
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        process::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&wanted))?;
        fs::copy(&wanted, &done)?;
    }
    Ok(python)
}
