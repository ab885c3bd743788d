//! What a fresh machine lacks, installed on first use.

pub mod chromium;
pub mod debian;
pub mod npm;
pub mod postgres;
pub mod programs;
pub mod rust;

use std::fs;
use std::fs::File;

use anyhow::Result;

use crate::progress;
use crate::workspace::target_dir;

/// Installs all that any command may need.
pub fn everything() -> Result<()> {
    rust::target("wasm32-unknown-unknown")?;
    npm::packages()?;
    npm::shopify_schemas()?;
    npm::install("tests/shopify-cli")?;
    programs::DENY.path()?;
    postgres::cluster(postgres::Durability::None)?;
    progress::note(chromium::executable()?.display());
    Ok(())
}

/// Held while something is installed, so that two commands at once do not both do it.
pub fn lock(name: &str) -> Result<File> {
    fs::create_dir_all(target_dir())?;
    let file = File::create(target_dir().join(format!("{name}.lock")))?;
    file.lock()?;
    Ok(file)
}
