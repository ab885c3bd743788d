//! `cargo xtask bundles`: how large the extensions are that shoppers load.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::in_root;
use crate::{extensions, process};

/// Options of `cargo xtask bundles`.
#[derive(clap::Args)]
pub struct Args {
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// Bundles the extensions and reports their sizes.
pub fn run(args: &Args) -> Result<()> {
    extensions::build()?;
    let mut sizes = in_root("node");
    let report = process::output(sizes.arg("tests/loyalty-wasm/sizes.mjs").arg(extensions::folder()))?;
    let report: Value = serde_json::from_str(&report).context("the sizes cannot be read")?;
    for bundle in report["bundles"].as_array().into_iter().flatten() {
        let name = bundle["name"].as_str().unwrap_or_default();
        println!("{:>8} bytes of {:>6}  {name}", bundle["deflate_bytes"], bundle["most"]);
    }
    if args.json {
        println!("{report}");
    }
    Ok(())
}
