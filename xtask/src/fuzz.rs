//! `cargo xtask fuzz`: libFuzzer on every target of `tests/fuzz`.
//!
//! Inputs that reach new code are kept in `target/fuzz/corpus` from run to run; those of the repository are read only. What
//! breaks something is left in `target/fuzz/artifacts`: put it into `tests/fuzz/corpus`, where every test run feeds it again.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::process;
use crate::progress::{self, seconds};
use crate::setup::programs;
use crate::workspace::{in_root, root, target_dir};

/// An input that takes longer than this many seconds is a finding, too.
const SLOW: u32 = 10;
/// And one that takes more than this many MiB.
const MEMORY: u32 = 2_048;

/// Options of `cargo xtask fuzz`.
#[derive(clap::Args)]
pub struct Args {
    /// Only these targets
    targets: Vec<String>,
    /// How long each target is fed, in minutes
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// What came of one target.
#[derive(Serialize)]
pub struct Outcome {
    target: String,
    /// How many inputs it was fed.
    inputs: u64,
    seconds: u64,
    /// What broke something.
    pub crashes: usize,
}

/// Feeds the targets one after the other; fails when one breaks.
pub fn run(args: &Args) -> Result<ExitCode> {
    let time = Duration::from_secs(u64::from(args.minutes) * 60);
    prepare()?;
    let outcomes = all(&args.targets, time)?;
    if args.json {
        println!("{}", serde_json::json!({ "targets": outcomes }));
    }
    let is_whole = outcomes.iter().all(|outcome| outcome.crashes == 0);
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compiles the targets, and all that they use, with coverage.
pub fn prepare() -> Result<()> {
    progress::step("fuzz targets (ten minutes the first time)", || {
        process::run(&mut cargo_fuzz("build", None)?)
    })
}

/// Feeds these targets, or all, each for a time.
pub fn all(chosen: &[String], time: Duration) -> Result<Vec<Outcome>> {
    let known = targets()?;
    if let Some(unknown) = chosen.iter().find(|name| !known.contains(name)) {
        bail!("there is no target `{unknown}`: {}", known.join(", "));
    }
    let chosen = if chosen.is_empty() { &known } else { chosen };
    chosen.iter().map(|name| progress::step(format!("fuzz {name}"), || feed(name, time))).collect()
}

/// The targets' names: their folders in the corpus.
pub fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in fs::read_dir(root().join("tests/fuzz/corpus"))? {
        names.push(folder?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn feed(target: &str, time: Duration) -> Result<Outcome> {
    let corpus = target_dir().join("fuzz/corpus").join(target);
    let findings = target_dir().join("fuzz/artifacts").join(target);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&findings)?;
    let start = Instant::now();
    let mut fuzz = cargo_fuzz("run", Some(target))?;
    fuzz.arg(&corpus).arg(root().join("tests/fuzz/corpus").join(target)).arg("--");
    fuzz.arg(format!("-max_total_time={}", time.as_secs())).arg(format!("-timeout={SLOW}"));
    fuzz.arg(format!("-rss_limit_mb={MEMORY}")).arg(format!("-artifact_prefix={}/", findings.display()));
    fuzz.args(["-print_final_stats=1", "-verbosity=0"]);
    let output = fuzz.output().context("cannot start cargo fuzz")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let inputs = stat(&said, "number_of_executed_units").unwrap_or_default();
    // The first finding ends a run. One that was fed nothing has shown nothing.
    let crashed = !output.status.success() || inputs == 0;
    if crashed {
        eprintln!("{said}");
        progress::note(format!("what broke it is in {}", findings.display()));
    }
    let crashes = usize::from(crashed);
    progress::note(format!("{inputs} inputs in {}, {crashes} crashes", seconds(start.elapsed())));
    Ok(Outcome { target: target.to_owned(), inputs, seconds: start.elapsed().as_secs(), crashes })
}

fn cargo_fuzz(command: &str, target: Option<&str>) -> Result<Command> {
    let mut fuzz = in_root(programs::FUZZ.path()?);
    fuzz.args([command, "--fuzz-dir", "tests/fuzz/libfuzzer", "--target-dir"]).arg(target_dir().join("fuzz"));
    // No sanitizer: it needs a nightly compiler, and there is no unsafe code of ours for it to look at.
    fuzz.args(["--sanitizer", "none"]).args(target);
    Ok(fuzz)
}

/// A number of libFuzzer's last words: `stat::name: 12`.
fn stat(said: &str, name: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name))?;
    line.trim_start_matches(':').trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_says_in_the_end_is_read() {
        let said = "Done 12 runs\nstat::number_of_executed_units: 12\nstat::peak_rss_mb: 90\n";
        assert_eq!(stat(said, "number_of_executed_units"), Some(12));
        assert_eq!(stat(said, "slowest_unit_time_sec"), None);
    }
}
