//! cargo-deny, pinned.

use std::path::PathBuf;

use anyhow::Result;

use super::lock;
use crate::workspace::{cargo, target_dir};
use crate::{process, progress};

const VERSION: &str = "0.20.2";

/// Installs cargo-deny into the target directory, once; returns its program.
pub fn program() -> Result<PathBuf> {
    let folder = target_dir().join("tools").join(format!("cargo-deny-{VERSION}"));
    let program = folder.join("bin/cargo-deny");
    let _guard = lock("tools")?;
    if program.is_file() {
        return Ok(program);
    }
    progress::step(format!("cargo-deny {VERSION} (compiled once, one to two minutes)"), || {
        let mut install = cargo();
        // A debug build: it compiles in a third of the time, and checking our graph takes a second either way.
        install.args(["install", "cargo-deny", "--version", VERSION, "--locked", "--debug"]);
        install.args(["--no-default-features", "--quiet", "--root"]).arg(&folder);
        process::run(&mut install)
    })?;
    Ok(program)
}
