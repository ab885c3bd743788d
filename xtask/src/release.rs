//! The programs that measure and prove, and the backend, in the release profile.

use std::path::PathBuf;

use anyhow::Result;

use crate::workspace::{cargo, target_dir};
use crate::{process, progress};

/// Where each program comes from.
const PACKAGES: [&str; 4] = ["loyalnest", "load", "crash", "simulator"];

/// Builds them, always all: alone, each would choose other features of what they share, and compile it again.
pub fn build() -> Result<()> {
    progress::step("programs, release build", || {
        let mut build = cargo();
        build.args(["build", "--locked", "--release", "--bins"]);
        PACKAGES.iter().for_each(|package| _ = build.args(["--package", package]));
        process::run(&mut build)
    })
}

/// One of them.
pub fn program(name: &str) -> PathBuf {
    target_dir().join("release").join(name)
}
