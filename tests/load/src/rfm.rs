//! How fast members are scored, in memory and on one thread, and from a file to a file.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use fastrand::Rng;
use loyalty::rfm::{Group, History, Scale};
use serde_json::{Value, json};

/// Three years, in microseconds.
const YEARS: i64 = 3 * 365 * 86_400_000_000;
/// The end of them: November 2026.
const NOW: i64 = 1_795_000_000_000_000;

/// Scores made-up members.
#[derive(Debug, Clone, Copy)]
pub struct Scoring {
    /// How many there are.
    pub members: usize,
    /// How often; the median counts.
    pub rounds: usize,
}

impl Scoring {
    /// Scores them: the scale is laid from all of them, and each is put into a segment.
    pub fn measure(&self) -> Value {
        let members = made_up(self.members);
        let mut segments: Vec<u16> = Vec::with_capacity(members.len());
        let mut seconds: Vec<f64> = (0..self.rounds.max(1))
            .map(|_| {
                segments.clear();
                let start = Instant::now();
                let scale = Scale::relative(black_box(&members));
                segments
                    .extend(members.iter().map(|one| scale.segment(one).map_or(0, |segment| segment.code())));
                black_box(&segments);
                start.elapsed().as_secs_f64()
            })
            .collect();
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        json!({
            "members": members.len(),
            "seconds": median,
            "members_per_second": (members.len() as f64 / median).round(),
            "groups": groups(&segments),
        })
    }
}

/// Members as shops have them: most buy once or twice, few buy much.
pub(crate) fn made_up(members: usize) -> Vec<History> {
    let mut random = Rng::with_seed(8);
    let mut one = || {
        let orders = 1 + i64::from(random.u64(..).trailing_zeros()) * random.i64(1..=2);
        let spent = (0..orders).map(|_| 500 + random.i64(0..200).pow(2)).sum();
        History { last_order: NOW - random.i64(0..YEARS), orders, spent }
    };
    (0..members).map(|_| one()).collect()
}

/// The columns of a file of members.
const COLUMNS: [&str; 4] = ["customer", "last_order", "orders", "spent"];

/// Writes made-up members to a file of CSV, for whoever else scores them.
///
/// # Errors
/// When the file cannot be written.
pub fn write(members: usize, file: &Path) -> Result<()> {
    let mut table = csv::Writer::from_path(file)?;
    table.write_record(COLUMNS)?;
    for (customer, one) in made_up(members).into_iter().enumerate() {
        table.serialize((customer, one.last_order, one.orders, one.spent))?;
    }
    Ok(table.flush()?)
}

/// Reads members from a file, scores them and writes their scores to another, several times; the median in seconds.
///
/// # Errors
/// When a file cannot be read or written.
pub fn from_file(members: &Path, scores: &Path, rounds: usize) -> Result<Value> {
    let mut seconds = Vec::new();
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        score_file(members, scores)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(json!({ "file_seconds": seconds[seconds.len() / 2] }))
}

fn score_file(members: &Path, scores: &Path) -> Result<()> {
    let mut table = csv::Reader::from_path(members)?;
    let (mut customers, mut histories, mut row) = (Vec::new(), Vec::new(), csv::ByteRecord::new());
    while table.read_byte_record(&mut row)? {
        let number = |at: usize| -> Result<i64> { Ok(str::from_utf8(&row[at])?.parse()?) };
        customers.push(number(0)?);
        histories.push(History { last_order: number(1)?, orders: number(2)?, spent: number(3)? });
    }
    let scale = Scale::relative(&histories);
    let mut table = csv::Writer::from_path(scores)?;
    table.write_record(["customer", "code"])?;
    for (customer, history) in customers.iter().zip(&histories) {
        table.serialize((customer, scale.segment(history).map_or(0, |segment| segment.code())))?;
    }
    Ok(table.flush()?)
}

/// How many members came into which group.
fn groups(segments: &[u16]) -> BTreeMap<&'static str, usize> {
    let mut groups = BTreeMap::new();
    for code in segments {
        let segment = loyalty::rfm::Segment::of_code(i64::from(*code)).ok();
        *groups.entry(Group::of(segment).as_str()).or_default() += 1;
    }
    groups
}
