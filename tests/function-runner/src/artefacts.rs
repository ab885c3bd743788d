//! What `cargo xtask build` leaves behind for the runner.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::LoadError;

/// The folder of built Functions: `functions` in cargo's target directory, unless `LOYALNEST_FUNCTIONS` names another.
pub fn folder() -> PathBuf {
    if let Some(folder) = env::var_os("LOYALNEST_FUNCTIONS") {
        return folder.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root.join(target).join("functions")
}

/// Reads a file, or says which command makes it.
pub fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })
}

/// How the provider was built: `provider.json`.
#[derive(Debug, Deserialize)]
pub struct ProviderInfo {
    /// Whether its compiler is the one that makes the counts equal to production's.
    pub exact: bool,
}

impl ProviderInfo {
    pub fn read(path: &Path) -> Result<ProviderInfo, LoadError> {
        serde_json::from_slice(&read(path)?)
            .map_err(|source| LoadError::ProviderInfo { path: path.to_owned(), source })
    }
}
