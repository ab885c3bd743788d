//! `cargo xtask simulate`: the simulator, in the release profile.

use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::cargo;

/// Options of `cargo xtask simulate`; `--help` tells them.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Builds the simulator and runs it. It says itself what went wrong.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut simulate = cargo();
    simulate.args(["run", "--release", "--locked", "--quiet", "-p", "simulator", "--bin", "simulate", "--"]);
    let status = simulate.args(&args.options).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
