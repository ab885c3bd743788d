//! The extensions that shoppers see, bundled as the Shopify CLI bundles them, into `target/extensions`.

use std::path::PathBuf;

use anyhow::Result;

use crate::setup::npm;
use crate::workspace::{in_root, target_dir};
use crate::{loyalty_wasm, process, progress};

/// Where the bundles are.
pub fn folder() -> PathBuf {
    target_dir().join("extensions")
}

/// Builds the rules and bundles the extensions, together with the host that runs them in the local shop's pages.
pub fn build() -> Result<()> {
    loyalty_wasm::build()?;
    npm::packages()?;
    progress::step("bundles of the extensions", || {
        process::run(in_root("node").arg("tests/ui/bundle.mjs").arg(folder()))
    })
}
