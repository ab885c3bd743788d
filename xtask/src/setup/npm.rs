//! The npm packages of `package-lock.json`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::workspace::{in_root, root, target_dir};
use crate::{process, progress};

/// Installs the locked packages, unless exactly these are installed already; returns `node_modules`.
pub fn packages() -> Result<PathBuf> {
    let modules = root().join("node_modules");
    let lock = fs::read(root().join("package-lock.json")).context("cannot read package-lock.json")?;

    // Two commands at once must not both install.
    fs::create_dir_all(target_dir())?;
    let guard = fs::File::create(target_dir().join("npm.lock"))?;
    guard.lock()?;

    let installed = modules.join(".installed-lock.json");
    if fs::read(&installed).is_ok_and(|earlier| earlier == lock) {
        return Ok(modules);
    }
    progress::step("npm packages", || process::run(in_root("npm").args(["ci", "--no-audit", "--no-fund"])))?;
    fs::write(&installed, lock)?;
    Ok(modules)
}
