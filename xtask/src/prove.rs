//! `cargo xtask prove`: everything that looks for a lost point, for as long as one likes, and a report of it.
//!
//! The report (`target/prove/report.md`, and the same as `report.json`) says what was run, with which seeds, and what it
//! found, so that whoever does not believe it can run it again.

use std::fmt::Write;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::progress::{self, seconds};
use crate::workspace::{in_root, target_dir};
use crate::{crash, fuzz, process, simulate};

/// Options of `cargo xtask prove`.
#[derive(clap::Args)]
pub struct Args {
    /// How long, in minutes, without the time that compiling takes
    #[arg(long, default_value_t = 30)]
    minutes: u32,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the report as one JSON object, too, as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// How many worlds are simulated at a time, and for how many hours each.
const WORLDS: u64 = 50;
const HOURS: u64 = 240;
/// How often processes are killed at a time, in one shop.
const KILLS: u32 = 50;
const PROCESSES: u32 = 3;

/// Simulates, kills and feeds, a third of the time each.
pub fn run(args: &Args) -> Result<ExitCode> {
    let share = Duration::from_secs(u64::from(args.minutes) * 60 / 3);
    let start = Instant::now();
    let simulated = simulated(args.seed, share)?;
    let killed = killed(args.seed, share)?;
    let targets = u32::try_from(fuzz::targets()?.len().max(1))?;
    let fuzzed = fuzz::all(&[], share / targets)?;
    let crashes: usize = fuzzed.iter().map(|outcome| outcome.crashes).sum();
    let report = json!({
        "commit": said(in_root("git").args(["rev-parse", "HEAD"]))?,
        "compiler": said(in_root("rustc").arg("--version"))?,
        "at": said(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))?,
        "cores": std::thread::available_parallelism()?.get(),
        "seconds": start.elapsed().as_secs(),
        "simulated": simulated,
        "killed": killed,
        "fuzzed": fuzzed,
    });
    let folder = target_dir().join("prove");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("report.json"), format!("{report:#}\n"))?;
    fs::write(folder.join("report.md"), page(&report)?)?;
    progress::note(folder.join("report.md").display());
    if args.json {
        println!("{report}");
    }
    let found =
        number(&simulated, "disagreements") + number(&simulated, "violations") + number(&killed, "losses");
    Ok(if found == 0 && crashes == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Worlds, one after the other, until the time is over.
fn simulated(seed: u64, time: Duration) -> Result<Value> {
    let start = Instant::now();
    let mut sum = json!({ "first_seed": seed, "hours": HOURS });
    let mut next = seed;
    while start.elapsed() < time {
        let options =
            ["--seed", &next.to_string(), "--seeds", &WORLDS.to_string(), "--hours", &HOURS.to_string()];
        let outcome = progress::step(format!("worlds from {next} on"), || simulate::outcome(&options))?;
        add(&mut sum, &outcome, &["seeds", "steps", "disagreements", "violations"]);
        next += WORLDS;
    }
    sum["shop_days"] = json!(number(&sum, "seeds") * HOURS / 24);
    sum["seconds"] = json!(start.elapsed().as_secs());
    Ok(sum)
}

/// Shops, one after the other, until the time is over.
fn killed(seed: u64, time: Duration) -> Result<Value> {
    let start = Instant::now();
    let mut sum = json!({ "first_seed": seed, "processes": PROCESSES });
    let mut next = seed;
    while start.elapsed() < time {
        let outcome = crash::outcome(KILLS, PROCESSES, next)?;
        add(&mut sum, &outcome, &["kills", "cuts", "losses", "webhooks", "webhook_attempts", "picks"]);
        add(&mut sum, &outcome["done"], &["orders", "discounted", "refunds", "cancelled"]);
        next += 1;
    }
    sum["seconds"] = json!(start.elapsed().as_secs());
    Ok(sum)
}

fn add(sum: &mut Value, outcome: &Value, names: &[&str]) {
    for name in names {
        sum[*name] = json!(number(sum, name) + number(outcome, name));
    }
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_default()
}

fn said(command: &mut Command) -> Result<String> {
    Ok(process::output(command)?.trim().to_owned())
}

/// The report as a page for people.
fn page(report: &Value) -> Result<String> {
    let (simulated, killed) = (&report["simulated"], &report["killed"]);
    let text = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
    let mut page = String::new();
    writeln!(page, "# What was tried to lose a point\n")?;
    writeln!(
        page,
        "Commit {}, {}, {} cores. Written at {}",
        text("commit"),
        text("compiler"),
        report["cores"],
        text("at")
    )?;
    writeln!(page, "after {}.\n", seconds(Duration::from_secs(number(report, "seconds"))))?;
    writeln!(page, "| what was tried | how much | what was found |\n|---|---|---|")?;
    writeln!(
        page,
        "| **Simulated shops**: the real ledger, inbox and publishing beside a naive model, with lost, doubled and late \
         messages, crashes and changing rules; compared after every step | {} shop-days, {} steps, seeds from {} on | \
         {} disagreements, {} violations of invariants |",
        simulated["shop_days"],
        simulated["steps"],
        simulated["first_seed"],
        simulated["disagreements"],
        simulated["violations"],
    )?;
    writeln!(
        page,
        "| **Killed processes**: {} backends on one PostgreSQL while customers buy, pick, return and cancel; then every \
         balance is held against the shop's own orders | {} kills (`kill -9`), {} cut lines, {} orders ({} with points), \
         {} refunds, {} cancellations, seeds from {} on | {} losses |",
        killed["processes"],
        killed["kills"],
        killed["cuts"],
        killed["orders"],
        killed["discounted"],
        killed["refunds"],
        killed["cancelled"],
        killed["first_seed"],
        killed["losses"],
    )?;
    for target in report["fuzzed"].as_array().context("no targets")? {
        writeln!(
            page,
            "| **Inputs that nobody made on purpose**: `{}` | {} inputs | {} crashes |",
            target["target"].as_str().unwrap_or_default(),
            target["inputs"],
            target["crashes"],
        )?;
    }
    writeln!(
        page,
        "\nAnyone can run it again: `cargo xtask prove --seed N --minutes M` at the same commit. The same seeds make the same \
         simulated shops; when a process dies depends on the machine, too. What was tried is in `tests/simulator`, \
         `tests/crash` and `tests/fuzz`.\n\nNothing found is no proof that there is nothing to find: what is not simulated \
         is not covered."
    )?;
    Ok(page)
}
