//! How good the chances are that members stay away: told by orders until a day, held against what came after it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::read::MultiGzDecoder;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use loyalty::rfm::{Churn, Orders, Silences, WEEKS_AHEAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const WEEK: i64 = 7 * 86_400_000_000;
/// How far ahead it is told.
const AHEAD: i64 = WEEKS_AHEAD as i64 * WEEK;
/// Before this nothing is told: little is known.
const FIRST: i64 = 52 * WEEK;
/// Groups of members by what they were told.
const BANDS: usize = 5;

/// A line of a file of order lines.
#[derive(Debug, Deserialize)]
struct Row {
    invoice: String,
    time: DateTime,
    customer: i64,
}

/// What was told on a day, and what came of it.
#[derive(Debug, Serialize)]
struct Told {
    day: String,
    /// Members who had ordered by then.
    members: usize,
    /// The share of them that stayed away.
    base_rate: f64,
    /// The share that had stayed away in the quarter before: what could be known by then.
    known_rate: f64,
    /// The mean square of what was told, less what came: of the model, of the base rate, and of the known one.
    brier: f64,
    brier_base_rate: f64,
    brier_known_rate: f64,
    /// From those who were told the least to those who were told the most: told and come, in the mean.
    reliability: Vec<(f64, f64)>,
}

/// Tells chances on a day of each quarter, and holds them against the next quarter.
///
/// # Errors
/// When the file cannot be read, or is too short.
pub fn measure(file: &Path) -> Result<Value> {
    let members = read(file)?;
    let times = || members.values().flatten().copied();
    let (first, last) = (times().min().context("no orders")?, times().max().context("no orders")?);
    let mut told = Vec::new();
    let mut day = first + FIRST;
    while day + AHEAD <= last {
        told.push(tell(&members, day)?);
        day += AHEAD;
    }
    ensure!(!told.is_empty(), "the orders of a year and a quarter are needed");
    let mean = |of: fn(&Told) -> f64| told.iter().map(of).sum::<f64>() / told.len() as f64;
    Ok(json!({
        "weeks": WEEKS_AHEAD,
        "brier": rounded(mean(|told| told.brier)),
        "brier_base_rate": rounded(mean(|told| told.brier_base_rate)),
        "brier_known_rate": rounded(mean(|told| told.brier_known_rate)),
        "told": told,
    }))
}

fn tell(members: &BTreeMap<i64, Vec<i64>>, now: i64) -> Result<Told> {
    let mut silences = Silences::default();
    let mut known: Vec<(Orders, bool, bool)> = Vec::new();
    for placed in members.values() {
        let until = placed.partition_point(|time| *time < now);
        silences.add(&placed[..until], now);
        let comes = placed[until..].first().is_some_and(|next| *next < now + AHEAD);
        let Some((first, last)) = placed[..until].first().zip(placed[..until].last()) else { continue };
        let came = *last >= now - AHEAD;
        known.push((Orders { count: until as i64, first: *first, last: *last }, !comes, !came));
    }
    let churn = Churn::of(&silences).context("too few came again")?;
    let mut chances: Vec<(f64, f64)> = known
        .iter()
        .map(|(orders, stays, _)| {
            (f64::from(churn.permille(orders, now)) / 1_000.0, f64::from(u8::from(*stays)))
        })
        .collect();
    chances.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64, some: &[(f64, f64)]| {
        some.iter().map(of).sum::<f64>() / some.len().max(1) as f64
    };
    let base_rate = mean(&|one| one.1, &chances);
    let before: Vec<bool> =
        known.iter().filter(|(orders, ..)| orders.first < now - AHEAD).map(|known| known.2).collect();
    let known_rate = before.iter().filter(|stayed| **stayed).count() as f64 / before.len().max(1) as f64;
    let brier = |told: &dyn Fn(f64) -> f64| mean(&|one| (told(one.0) - one.1).powi(2), &chances);
    let bands = chances.chunks(chances.len().div_ceil(BANDS).max(1));
    Ok(Told {
        day: jiff::Timestamp::from_microsecond(now)?.to_string(),
        members: chances.len(),
        base_rate: rounded(base_rate),
        known_rate: rounded(known_rate),
        brier: rounded(brier(&|told| told)),
        brier_base_rate: rounded(brier(&|_| base_rate)),
        brier_known_rate: rounded(brier(&|_| known_rate)),
        reliability: bands
            .map(|band| (rounded(mean(&|one| one.0, band)), rounded(mean(&|one| one.1, band))))
            .collect(),
    })
}

/// When each customer placed their orders, in ascending order. Cancellations (`C…`) are none.
fn read(file: &Path) -> Result<BTreeMap<i64, Vec<i64>>> {
    let source = BufReader::new(File::open(file).with_context(|| format!("cannot read {}", file.display()))?);
    let is_gzip = file.extension().is_some_and(|extension| extension == "gz");
    let source =
        if is_gzip { Box::new(MultiGzDecoder::new(source)) } else { Box::new(source) as Box<dyn Read> };
    let mut orders: BTreeMap<(i64, String), i64> = BTreeMap::new();
    for row in csv::Reader::from_reader(source).deserialize() {
        let Row { invoice, time, customer } = row?;
        if !invoice.starts_with('C') {
            let time = time.to_zoned(TimeZone::UTC)?.timestamp().as_microsecond();
            orders.entry((customer, invoice)).or_insert(time);
        }
    }
    let mut members: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for ((customer, _), time) in orders {
        members.entry(customer).or_default().push(time);
    }
    members.values_mut().for_each(|placed| placed.sort_unstable());
    Ok(members)
}

fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}
