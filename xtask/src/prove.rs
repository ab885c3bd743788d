//! `cargo xtask prove`: everything that looks for a lost point, for as long as one likes, and a report of it.
//!
//! The report (`target/prove/report.md`, and the same as `report.json`) says what was run, with which seeds, and what it
//! found, so that whoever does not believe it can run it again.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::progress::{self, seconds};
use crate::workspace::{in_root, target_dir};
use crate::{crash, fuzz, process, simulate};

/// Options of `cargo xtask prove`.
#[derive(clap::Args)]
pub struct Args {
    /// How long, in minutes, without the time that compiling takes
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
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

/// Simulates, kills and feeds, a third of the time each. What breaks off one of them is a finding like any other.
pub fn run(args: &Args) -> Result<ExitCode> {
    let share = Duration::from_secs(u64::from(args.minutes) * 60 / 3);
    crash::prepare()?;
    fuzz::prepare()?;
    let targets = u32::try_from(fuzz::targets()?.len().max(1))?;
    let start = Instant::now();
    let simulated = told(simulated(args.seed, share));
    let killed = told(killed(args.seed, share));
    let fuzzed = told(fuzz::all(&[], share / targets).map(|outcomes| json!(outcomes)));
    let report = json!({
        "commit": said(in_root("git").args(["describe", "--always", "--dirty", "--abbrev=40"]))?,
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
    fs::write(folder.join("report.md"), page(&report))?;
    progress::note(folder.join("report.md").display());
    if args.json {
        println!("{report}");
    }
    Ok(if is_clean(&report) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What came of a part; what broke it off, if it was.
fn told(part: Result<Value>) -> Value {
    part.unwrap_or_else(|error| json!({ "broke_off": format!("{error:#}") }))
}

fn is_clean(report: &Value) -> bool {
    let found = number(&report["simulated"], "disagreements")
        + number(&report["simulated"], "violations")
        + number(&report["killed"], "losses")
        + targets(report).iter().map(|target| number(target, "crashes")).sum::<u64>();
    found == 0 && ["simulated", "killed", "fuzzed"].iter().all(|part| report[part]["broke_off"].is_null())
}

fn targets(report: &Value) -> &[Value] {
    report["fuzzed"].as_array().map(Vec::as_slice).unwrap_or_default()
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
        add(&mut sum, &outcome, &["seeds", "shop_days", "steps", "disagreements", "violations"]);
        next += WORLDS;
    }
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
fn page(report: &Value) -> String {
    let (simulated, killed) = (&report["simulated"], &report["killed"]);
    let text = |name: &str| report[name].as_str().unwrap_or_default();
    let time = seconds(Duration::from_secs(number(report, "seconds")));
    let mut lines = vec![
        "# What was tried to lose a point\n".to_owned(),
        format!("Commit {}, {}, {} cores.", text("commit"), text("compiler"), report["cores"]),
        format!("Written at {} after {time}.\n", text("at")),
        "| what was tried | how much | what was found |\n|---|---|---|".to_owned(),
    ];
    let of = |part: &Value, name: &str| number(part, name);
    lines.push(row(
        simulated,
        "**Simulated shops**: the real ledger, inbox and publishing beside a naive model, with lost, doubled and late \
         messages, crashes and changing rules; compared after each step in which a ledger may have changed",
        &format!(
            "{} shop-days, {} steps, seeds from {} on",
            of(simulated, "shop_days"),
            of(simulated, "steps"),
            of(simulated, "first_seed")
        ),
        &format!(
            "{} disagreements, {} violations of invariants",
            of(simulated, "disagreements"),
            of(simulated, "violations")
        ),
    ));
    lines.push(row(
        killed,
        "**Killed processes**: backends on one PostgreSQL while customers buy, pick, return and cancel; then every balance \
         is held against the shop's own orders",
        &format!(
            "{} processes, {} kills (`kill -9`), {} cut lines, {} orders ({} with points), {} refunds, {} cancellations, \
             seeds from {} on",
            of(killed, "processes"),
            of(killed, "kills"),
            of(killed, "cuts"),
            of(killed, "orders"),
            of(killed, "discounted"),
            of(killed, "refunds"),
            of(killed, "cancelled"),
            of(killed, "first_seed")
        ),
        &format!("{} losses", of(killed, "losses")),
    ));
    for target in targets(report) {
        let name = target["target"].as_str().unwrap_or_default();
        lines.push(row(
            target,
            &format!("**Inputs that nobody made on purpose**: `{name}`"),
            &format!("{} inputs", of(target, "inputs")),
            &format!("{} crashes", of(target, "crashes")),
        ));
    }
    if !report["fuzzed"]["broke_off"].is_null() {
        lines.push(row(&report["fuzzed"], "**Inputs that nobody made on purpose**", "", ""));
    }
    lines.push(
        "\nAnyone can run it again: `cargo xtask prove --seed N --minutes M` at the same commit. The same seeds make the \
         same simulated shops; when a process dies depends on the machine, too. What was tried is in `tests/simulator`, \
         `tests/crash` and `tests/fuzz`.\n\nNothing found is no proof that there is nothing to find: what is not simulated \
         is not covered.\n"
            .to_owned(),
    );
    lines.join("\n")
}

/// A line of the table; what broke a part off stands in it.
fn row(part: &Value, tried: &str, much: &str, found: &str) -> String {
    match part["broke_off"].as_str() {
        Some(error) => format!("| {tried} | {much} | **broke off**: {} |", error.replace(['\n', '|'], " ")),
        None => format!("| {tried} | {much} | {found} |"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_broke_off_is_found_and_shown() {
        let clean = json!({"simulated": {"shop_days": 500}, "killed": {}, "fuzzed": [{"target": "csv", "crashes": 0}]});
        assert!(is_clean(&clean) && page(&clean).contains("500 shop-days"));
        for (part, value) in [
            ("simulated", json!({"violations": 1})),
            ("killed", json!({"losses": 1})),
            ("killed", json!({"broke_off": "a line\nof several"})),
            ("fuzzed", json!([{"target": "csv", "crashes": 1}])),
            ("fuzzed", json!({"broke_off": "no compiler"})),
        ] {
            let mut report = clean.clone();
            report[part] = value.clone();
            assert!(!is_clean(&report), "{part} {value}");
            assert_eq!(page(&report).contains("broke off"), value["broke_off"].is_string(), "{part} {value}");
        }
    }
}
