//! `cargo xtask demo`.

use anyhow::{Result, bail};

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub struct Args {}

/// Not written yet.
pub fn run(_: &Args) -> Result<()> {
    bail!("not written yet")
}
