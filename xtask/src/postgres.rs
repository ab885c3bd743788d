//! `cargo xtask postgres`: the tests' PostgreSQL, for working on one test.

use std::io::{Read, stdin};
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::setup::postgres::{Durability, cluster};

/// Options of `cargo xtask postgres`.
#[derive(clap::Args)]
pub struct Args {
    /// Write every commit through to the disk, as in production
    #[arg(long)]
    durable: bool,
    /// Run this with LOYALNEST_TEST_POSTGRES set, and stop the server after it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Starts the server for one command, or until standard input ends or Ctrl-C.
pub fn run(args: &Args) -> Result<()> {
    let postgres = cluster(if args.durable { Durability::Full } else { Durability::None })?;
    if let [program, rest @ ..] = &args.command.as_slice() {
        let mut command = Command::new(program);
        return process::run(command.args(rest).env("LOYALNEST_TEST_POSTGRES", &postgres.url));
    }
    println!("export LOYALNEST_TEST_POSTGRES={}", postgres.url);
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
