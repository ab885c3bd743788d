//! `cargo xtask build` and `cargo xtask functions`.

use anyhow::{Result, bail};

/// Options of `cargo xtask functions`.
#[derive(clap::Args)]
pub struct Args {
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    pub json: bool,
}

/// Builds the Functions into `target/functions`. Not written yet.
pub fn build() -> Result<()> {
    bail!("not written yet")
}

/// Reports size and instructions of each Function. Not written yet.
pub fn run(_: &Args) -> Result<()> {
    bail!("not written yet")
}
