//! `cargo xtask test`.

use anyhow::{Result, bail};

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub struct Args {}

/// Not written yet.
pub fn run(_: &Args) -> Result<()> {
    bail!("not written yet")
}
