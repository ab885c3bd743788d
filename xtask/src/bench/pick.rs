//! How long a shopper waits from the press on a reward to the discount that checkout confirms, in the demo and a real
//! browser. What the demo takes as Shopify is told apart.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::demo::Demo;
use crate::setup::chromium;
use crate::workspace::in_root;
use crate::{demo, process};

/// Options of `cargo xtask bench pick`.
#[derive(clap::Args)]
pub struct Args {
    /// Presses
    #[arg(long, default_value_t = 24)]
    presses: u32,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    let chromium = chromium::executable()?;
    demo::build()?;
    let demo = Demo::start(Some(0))?;
    let mut pick = in_root("node");
    pick.arg("tests/browser/pick.mjs").args([demo.shop_url(), &args.presses.to_string()]);
    let report = process::output(pick.env("CHROMIUM", chromium))?;
    let report: Value = serde_json::from_str(&report).with_context(|| format!("the page said {report:?}"))?;
    if args.json {
        println!("{report}");
    } else {
        println!(
            "{} ms from press to discount (median of {}), {} of them the shop's own: {} ms beside it",
            report["median_ms"], report["presses"], report["shop_median_ms"], report["beside_shop_median_ms"]
        );
    }
    Ok(())
}
