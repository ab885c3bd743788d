//! How many orders of a shop's whole file are read and added up in a second, in memory and on one thread.

use anyhow::Result;

use crate::release;

/// Options of `cargo xtask bench history`.
#[derive(clap::Args)]
pub struct Args {
    /// Orders
    #[arg(long, default_value_t = 5_000_000)]
    orders: u32,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    release::build()?;
    let report = super::load("history", None, |load, _| {
        load.args(["--orders", &args.orders.to_string()]);
    })?;
    if args.json {
        println!("{report}");
    } else {
        println!(
            "{} orders a second, of {} bytes each",
            report["orders_per_second"], report["bytes_per_line"]
        );
    }
    Ok(())
}
