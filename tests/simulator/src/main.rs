//! `cargo xtask simulate`: seeds, one after the other, and what came of them.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use serde_json::json;
use simulator::{Template, Trouble, run};

/// Lets a shop's weeks pass in seconds, beside a naive model
#[derive(Parser)]
#[command(name = "cargo xtask simulate")]
struct Args {
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after the other
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// How many hours pass in each world
    #[arg(long, default_value_t = 240)]
    hours: i64,
    /// Run the real WebAssembly at checkout (`cargo xtask build` makes it)
    #[arg(long)]
    wasm: bool,
    /// Tell the result as JSON
    #[arg(long)]
    json: bool,
    /// Tell every step
    #[arg(long)]
    trace: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let start = Instant::now();
    let template = Template::new()?;
    let template = if args.wasm { template.with_wasm()? } else { template };
    let (mut steps, mut disagreements, mut violations) = (0, 0, 0);
    for seed in args.seed..args.seed + args.seeds {
        if args.trace {
            run::take(&template, seed, &run::plan(seed, args.hours))?
                .trace
                .iter()
                .for_each(|line| println!("{line}"));
        }
        let (taken, failure) = run::run(&template, seed, args.hours)?;
        steps += taken;
        let Some(failure) = failure else { continue };
        match failure.trouble {
            Trouble::Disagreement(_) => disagreements += 1,
            Trouble::Violation(_) => violations += 1,
            Trouble::Broken(error) => {
                return Err(error.context(format!("seed {seed}\n{}", failure.trace.join("\n"))));
            }
        }
        eprintln!("seed {seed}, {} steps:", failure.steps.len());
        failure.trace.iter().for_each(|line| eprintln!("  {line}"));
    }
    let seconds = start.elapsed().as_secs_f64();
    let shops: usize = (args.seed..args.seed + args.seeds).map(run::shops).sum();
    let days = shops as f64 * args.hours as f64 / 24.0;
    let rate = days / seconds;
    if args.json {
        let result = json!({
            "seed": args.seed, "seeds": args.seeds, "hours": args.hours, "shop_days": days as u64, "steps": steps,
            "disagreements": disagreements, "violations": violations,
            "seconds": (seconds * 1_000.0).round() / 1_000.0, "shop_days_per_second": rate.round(),
        });
        println!("{result}");
    } else {
        println!(
            "{days} shop-days, {steps} steps in {seconds:.1} s ({rate:.0} shop-days/s): \
             {disagreements} disagreements, {violations} violations"
        );
    }
    Ok(if disagreements + violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
