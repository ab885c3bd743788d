//! How fast members are scored, in memory and on one thread.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

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
        let members = self.made_up();
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

    /// Members as shops have them: most buy once or twice, few buy much.
    fn made_up(&self) -> Vec<History> {
        let mut random = Rng::with_seed(8);
        let mut one = || {
            let orders = 1 + i64::from(random.u64(..).trailing_zeros()) * random.i64(1..=2);
            let spent = (0..orders).map(|_| 500 + random.i64(0..200).pow(2)).sum();
            History { last_order: NOW - random.i64(0..YEARS), orders, spent }
        };
        (0..self.members).map(|_| one()).collect()
    }
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
