//! Cargo's programs that the commands need, pinned, each compiled on first use.

use std::path::PathBuf;

use anyhow::Result;

use super::lock;
use crate::workspace::{cargo, target_dir};
use crate::{process, progress};

/// A program from crates.io.
pub struct Program {
    name: &'static str,
    version: &'static str,
}

/// Looks at licences and sources of the dependencies.
pub const DENY: Program = Program { name: "cargo-deny", version: "0.20.2" };
/// Builds with coverage and runs libFuzzer.
pub const FUZZ: Program = Program { name: "cargo-fuzz", version: "0.13.2" };
/// Changes the code and looks whether tests notice.
pub const MUTANTS: Program = Program { name: "cargo-mutants", version: "27.1.0" };

impl Program {
    /// Its path. It is installed into the target directory, once.
    pub fn path(&self) -> Result<PathBuf> {
        let Program { name, version } = self;
        let folder = target_dir().join("tools").join(format!("{name}-{version}"));
        let program = folder.join("bin").join(name);
        let _guard = lock("tools")?;
        if program.is_file() {
            return Ok(program);
        }
        progress::step(format!("{name} {version} (compiled once, one to two minutes)"), || {
            let mut install = cargo();
            // A debug build: it compiles in a third of the time, and what these do takes no time of theirs.
            install.args(["install", name, "--version", version, "--locked", "--debug"]);
            install.args(["--no-default-features", "--quiet", "--root"]).arg(&folder);
            process::run(&mut install)
        })?;
        Ok(program)
    }
}
