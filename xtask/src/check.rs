//! `cargo xtask check`.

use anyhow::{Result, bail};

/// Not written yet.
pub fn run() -> Result<()> {
    bail!("not written yet")
}
