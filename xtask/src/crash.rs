//! `cargo xtask crash`: the program `crash`, with a PostgreSQL and a backend to kill.

use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::setup::postgres::{Durability, private};
use crate::workspace::in_root;
use crate::{functions, progress, release};

/// Options of `cargo xtask crash`.
#[derive(clap::Args)]
pub struct Args {
    /// How often a process is killed
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// How many processes there are
    #[arg(long, default_value_t = 3)]
    processes: u32,
    /// Chooses who does what, and when who is killed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// Kills, and fails when something was lost.
pub fn run(args: &Args) -> Result<ExitCode> {
    prepare()?;
    let outcome = outcome(args.kills, args.processes, args.seed)?;
    if args.json {
        println!("{outcome}");
    }
    Ok(if outcome["losses"] == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds whatever [`outcome`] starts.
pub fn prepare() -> Result<()> {
    progress::step("Functions", functions::build)?;
    release::build()
}

/// Kills so often; what came of it. What was lost is said on standard error.
pub fn outcome(kills: u32, processes: u32, seed: u64) -> Result<Value> {
    let postgres = private(Durability::Full)?;
    let mut crash = in_root(release::program("crash"));
    crash.arg("--program").arg(release::program("loyalnest")).args(["--database", &postgres.url]);
    crash.args(["--kills", &kills.to_string(), "--processes", &processes.to_string()]);
    crash.args(["--seed", &seed.to_string()]);
    let said = progress::step(format!("{kills} kills"), || {
        let output = crash.stderr(Stdio::inherit()).output().context("cannot start the program")?;
        Ok(String::from_utf8(output.stdout)?)
    })?;
    let last = said.lines().last().context("the program broke off")?;
    progress::note(last);
    serde_json::from_str(last).context("the program broke off")
}
