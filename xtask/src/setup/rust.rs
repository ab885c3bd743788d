//! Rust's own parts. rustup installs the pinned toolchain by itself (`rust-toolchain.toml`).

use anyhow::Result;

use crate::workspace::in_root;
use crate::{process, progress};

/// Installs a compilation target of the pinned toolchain, if it is missing.
pub fn target(name: &str) -> Result<()> {
    let installed = process::output(in_root("rustup").args(["target", "list", "--installed"]))?;
    if installed.lines().any(|line| line.trim() == name) {
        return Ok(());
    }
    progress::step(format!("Rust target {name}"), || {
        process::run(in_root("rustup").args(["target", "add", name]))
    })
}
