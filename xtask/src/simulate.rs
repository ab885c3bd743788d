//! `cargo xtask simulate`: the simulator, in the release profile.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::release;
use crate::workspace::in_root;

/// Options of `cargo xtask simulate`; `--help` tells them.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Builds the simulator and runs it. It says itself what went wrong.
pub fn run(args: &Args) -> Result<ExitCode> {
    release::build()?;
    let status = simulator().args(&args.options).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs it, once it is [built](release::build), with these options; what it came to. Traces of what failed go to standard error.
pub fn outcome(options: &[&str]) -> Result<Value> {
    let output = simulator().args(options).arg("--json").stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8(output.stdout)?;
    serde_json::from_str(said.lines().last().unwrap_or_default()).context("the simulator broke off")
}

fn simulator() -> Command {
    in_root(release::program("simulate"))
}
