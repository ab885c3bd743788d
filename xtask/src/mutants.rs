//! `cargo xtask mutants`: whether the tests notice it when the code is changed.
//!
//! Each mutant is the code with one thing wrong: a sum that is a difference, a condition that is turned round, a function
//! that does nothing. Tests that pass all the same have missed it. `target/mutants/*/mutants.out` has the lists.
//!
//! Mutants of the backend are shown to quick tests first: to the room's own, and to the simulator's worlds, which need no
//! PostgreSQL. Only those that these miss are shown to the integration tests, which take minutes to compile and to run.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;

use crate::process::escaped;
use crate::setup::postgres::{Durability, cluster};
use crate::setup::{npm, programs};
use crate::workspace::{in_root, target_dir};
use crate::{functions, progress};

/// What nobody's tests take, in seconds, where there are databases.
const LONG: u32 = 600;

/// Options of `cargo xtask mutants`.
#[derive(clap::Args)]
pub struct Args {
    /// Of which rooms; of all, where none is named
    #[arg(value_enum)]
    rooms: Vec<Room>,
    /// Only one mutant of so many, spread over all files
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    one_of: u32,
    /// Which of them: below that number
    #[arg(long, default_value_t = 0)]
    turn: u32,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    json: bool,
}

/// What is changed, and which tests are to notice.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Room {
    /// The rules
    Shared,
    /// The ledger
    Points,
    /// Picks and what becomes of them
    Redemptions,
}

impl Room {
    const ALL: [Room; 3] = [Room::Shared, Room::Points, Room::Redemptions];

    fn name(self) -> &'static str {
        match self {
            Room::Shared => "shared",
            Room::Points => "points",
            Room::Redemptions => "redemptions",
        }
    }

    /// What is changed, as cargo-mutants is told.
    fn changed(self) -> &'static [&'static str] {
        match self {
            // What is stored and sent is tested with the formats as serde knows them.
            Room::Shared => {
                &["--package", "loyalty", "--file", "shared/src/**", "--features", "loyalty/serde"]
            }
            Room::Points => &["--package", "loyalnest", "--file", "backend/src/points/**"],
            Room::Redemptions => &["--package", "loyalnest", "--file", "backend/src/redemptions/**"],
        }
    }

    /// The tests that are run on every mutant.
    fn quick(self) -> Tests {
        let (packages, names): (&[_], &[_]) = match self {
            Room::Shared => (&["loyalty"], &[]),
            Room::Points => (&["loyalnest", "simulator"], &["points::", "seeds"]),
            Room::Redemptions => (&["loyalnest", "simulator"], &["redemptions::", "seeds"]),
        };
        let patience = if self == Room::Shared { 60 } else { LONG };
        Tests { lists: self.name().to_owned(), packages, names, patience, on_postgres: false }
    }

    /// The tests that are run on those that these have missed.
    fn slow(self) -> Option<Tests> {
        let names: &[_] = match self {
            Room::Shared => return None,
            Room::Points => &[
                "points",
                "bonuses",
                "earning",
                "effects",
                "expiry",
                "ledger",
                "merges",
                "proof",
                "taking_back",
            ],
            Room::Redemptions => &[
                "redemptions",
                "expiry",
                "journey",
                "ledger",
                "marks",
                "merges",
                "payouts",
                "proof",
                "rewards",
                "storefront",
                "surfaces",
                "tags",
                "taking_back",
                "topics",
            ],
        };
        let lists = format!("{}-again", self.name());
        Some(Tests { lists, packages: &["it"], names, patience: LONG, on_postgres: true })
    }
}

/// Some of the tests.
struct Tests {
    /// The folder of what comes of them.
    lists: String,
    packages: &'static [&'static str],
    /// Part of their names; all, where none is named.
    names: &'static [&'static str],
    /// How long they may take before a mutant counts as noticed, in seconds: it made them run for ever.
    patience: u32,
    on_postgres: bool,
}

/// What came of the mutants of one room.
#[derive(Serialize)]
struct Outcome {
    room: &'static str,
    /// The tests failed, or did not end.
    noticed: usize,
    /// The tests passed.
    missed: Vec<String>,
    /// It did not compile.
    unviable: usize,
    /// Noticed, in per cent of those that compile.
    score: f64,
}

/// Makes the mutants and runs the tests on each.
pub fn run(args: &Args) -> Result<ExitCode> {
    progress::step("Functions", functions::build)?;
    let rooms = if args.rooms.is_empty() { &Room::ALL[..] } else { &args.rooms };
    let outcomes = rooms
        .iter()
        .map(|room| progress::step(format!("mutants of {}", room.name()), || mutate(*room, args)));
    let outcomes = outcomes.collect::<Result<Vec<_>>>()?;
    if args.json {
        println!("{}", json!({ "rooms": outcomes }));
    }
    let is_whole = outcomes.iter().all(|outcome| outcome.missed.is_empty());
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Some mutants of every room, others every day, until all have had their turn in a year. What is missed is told, and is no
/// failure: it says nothing of what was changed today.
///
/// # Errors
/// When they cannot be made.
pub fn sample() -> Result<()> {
    const TURNS: u32 = 365;
    let days = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / (24 * 60 * 60);
    let turn = u32::try_from(days % u64::from(TURNS))?;
    let args = Args { rooms: Vec::new(), one_of: TURNS, turn, json: false };
    run(&args).map(|_| ())
}

fn mutate(room: Room, args: &Args) -> Result<Outcome> {
    let shard = format!("{}/{}", args.turn, args.one_of);
    let shard = ["--sharding", "round-robin", "--shard", &shard].map(str::to_owned);
    let mut seen = show(room, &room.quick(), &shard)?;
    if let (Some(slow), false) = (room.slow(), seen.missed.is_empty()) {
        let those = seen.missed.iter().map(|mutant| format!("--re=^{}$", escaped(mutant)));
        let again = show(room, &slow, &those.collect::<Vec<_>>())?;
        // Of those only: whatever it is asked for, cargo-mutants takes those along that leave out a field.
        let missed = seen.missed.len();
        seen.missed.retain(|mutant| again.missed.contains(mutant));
        seen.noticed += missed - seen.missed.len();
    }
    let Seen { noticed, missed, unviable } = seen;
    let score = 100.0 * noticed as f64 / (noticed + missed.len()).max(1) as f64;
    progress::note(format!("{noticed} noticed, {} missed, {unviable} do not compile", missed.len()));
    for mutant in &missed {
        progress::note(format!("missed: {mutant}"));
    }
    Ok(Outcome { room: room.name(), noticed, missed, unviable, score })
}

/// What tests made of some mutants.
struct Seen {
    noticed: usize,
    missed: Vec<String>,
    unviable: usize,
}

/// Runs tests on some of the mutants of a room.
fn show(room: Room, tests: &Tests, some: &[String]) -> Result<Seen> {
    let folder = target_dir().join("mutants");
    let lists = folder.join(&tests.lists);
    fs::create_dir_all(&lists)?;
    let mut mutants = in_root(programs::MUTANTS.path()?);
    mutants.arg("mutants").args(room.changed()).args(some);
    for package in tests.packages {
        mutants.args(["--test-package", package]);
    }
    mutants.args(["--no-shuffle", "--colors", "never", "--timeout", &tests.patience.to_string(), "--output"]);
    mutants.arg(&lists).args(["--", "--locked", "--lib", "--bins", "--tests"]);
    // Cargo takes one name; the test programs themselves any number.
    mutants.arg("--").args(tests.names);
    // Its own, because cargo-mutants works in a copy of the workspace.
    mutants.env("CARGO_TARGET_DIR", &folder).env("LOYALNEST_FUNCTIONS", target_dir().join("functions"));
    mutants.env_remove("DATABASE_URL");
    let postgres = if tests.on_postgres { Some(cluster(Durability::None)?) } else { None };
    if let Some(postgres) = &postgres {
        mutants.env("LOYALNEST_TEST_POSTGRES", &postgres.url);
        mutants.env("LOYALNEST_TEST_SCHEMAS", npm::shopify_schemas()?);
    }
    // It fails where a mutant was missed; what counts is what it wrote down.
    mutants.status().context("cannot start cargo mutants")?;
    seen(&lists.join("mutants.out"))
}

fn seen(folder: &Path) -> Result<Seen> {
    let list = |name: &str| -> Result<Vec<String>> {
        let file = folder.join(name);
        let text = fs::read_to_string(&file).with_context(|| format!("{} is not there", file.display()))?;
        Ok(text.lines().map(str::to_owned).collect())
    };
    let noticed = list("caught.txt")?.len() + list("timeout.txt")?.len();
    Ok(Seen { noticed, missed: list("missed.txt")?, unviable: list("unviable.txt")?.len() })
}
