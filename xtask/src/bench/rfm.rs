//! How many members a second are scored, in memory and on one thread: the scale is laid from all of them, and each is put
//! into a segment.

use anyhow::Result;

use crate::release;

/// Options of `cargo xtask bench rfm`.
#[derive(clap::Args)]
pub struct Args {
    /// Members
    #[arg(long, default_value_t = 1_000_000)]
    members: u32,
    /// Rounds; their median counts
    #[arg(long, default_value_t = 25)]
    rounds: u32,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// Measures.
pub fn run(args: &Args) -> Result<()> {
    release::build()?;
    let report = super::load("rfm", None, |load, _| {
        load.args(["--members", &args.members.to_string(), "--rounds", &args.rounds.to_string()]);
    })?;
    if args.json {
        println!("{report}");
    } else {
        println!("{} members a second; {}", report["members_per_second"], report["groups"]);
    }
    Ok(())
}
