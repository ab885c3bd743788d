//! How many webhooks a second a server takes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use loyalnest::shopify::Signer;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::drive::{Driven, Pace, drive};
use crate::usage::Watched;
use crate::webhook::Post;

/// What is sent, and how often.
#[derive(Debug)]
pub struct Intake<'a> {
    /// Where the server is.
    pub server: SocketAddr,
    /// Where it takes webhooks.
    pub path: &'a str,
    /// Signs them.
    pub signer: &'a Signer,
    /// Whose they are.
    pub shops: &'a [String],
    /// Requests under way at once.
    pub connections: usize,
    /// How long a round is, unless it runs out of requests.
    pub seconds: u64,
    /// Requests of a round; they are all made before it.
    pub requests: usize,
    /// How often it is measured; the medians count.
    pub rounds: usize,
    /// Whose processor time is taken.
    pub watched: &'a [Watched],
}

/// A round.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// Answers of 200.
    pub requests: usize,
    /// Per second.
    pub requests_per_second: f64,
    /// Half of them were faster.
    pub p50_ms: f64,
    /// 99 of a hundred were faster.
    pub p99_ms: f64,
    /// Processor time per request, in microseconds, by program.
    pub processor_us: Map<String, Value>,
}

/// What all rounds came to: their medians, and the ids of everything that was answered, the warm-up's too.
#[derive(Debug)]
pub struct Measured {
    /// In the order in which they ran.
    pub rounds: Vec<Round>,
    /// Bytes of a body, on average.
    pub body_bytes: usize,
    /// Everything that was answered with 200.
    pub answered: Vec<String>,
}

impl Intake<'_> {
    /// Sends the warm-up and the rounds.
    ///
    /// # Errors
    /// When a webhook is answered with anything but 200.
    pub async fn measure(&self) -> Result<Measured> {
        let (mut answered, mut rounds, mut body_bytes) = (Vec::new(), Vec::new(), 0);
        let host = self.server.to_string();
        for round in 0..=self.rounds {
            let is_warm_up = round == 0;
            let now = Timestamp::now();
            let post = Post { signer: self.signer, host: &host, path: self.path, now };
            let share = if is_warm_up { 5 } else { 1 };
            let count = self.requests.div_ceil(share);
            // Another run may have left its orders in the database.
            let seed = now.as_microsecond().unsigned_abs() + round as u64;
            let webhooks = Arc::new(post.of_anybody(count, seed, self.shops));
            body_bytes = webhooks.iter().map(|webhook| webhook.body().len()).sum::<usize>() / webhooks.len();
            let at_most = Duration::from_secs(self.seconds) / share as u32;
            let pace = Pace { connections: self.connections, at_most, rate: None };
            let before: Vec<_> = self.watched.iter().map(Watched::processor_time).collect();
            let driven = drive(self.server, &webhooks, pace).await?;
            let after: Vec<_> = self.watched.iter().map(Watched::processor_time).collect();
            answered.extend(driven.answers.iter().map(|answer| webhooks[answer.webhook].id.clone()));
            if !is_warm_up {
                let took = before.into_iter().zip(after).map(|(before, after)| Some(after? - before?));
                rounds.push(self.round(&driven, took)?);
            }
        }
        Ok(Measured { rounds, body_bytes, answered })
    }

    fn round(&self, driven: &Driven, took: impl Iterator<Item = Option<Duration>>) -> Result<Round> {
        let requests = driven.answers.len();
        ensure!(requests > 0, "nothing was answered");
        let latencies: Vec<_> = driven.answers.iter().map(|answer| answer.latency).collect();
        let [p50_ms, p99_ms] = percentiles(latencies, [50, 99]);
        let per_request = |took: Duration| (took.as_secs_f64() * 1e6 / requests as f64).round();
        let names = self.watched.iter().map(|watched| watched.name.clone());
        let processor_us =
            names.zip(took.map(|took| took.map_or(Value::Null, |took| json!(per_request(took)))));
        Ok(Round {
            requests,
            requests_per_second: (requests as f64 / driven.time.as_secs_f64()).round(),
            p50_ms,
            p99_ms,
            processor_us: processor_us.collect(),
        })
    }
}

impl Measured {
    /// The medians as JSON, and every round.
    pub fn report(&self) -> Value {
        let of = |figure: fn(&Round) -> f64| median(self.rounds.iter().map(figure).collect());
        let names = self.rounds.first().map(|round| round.processor_us.keys().cloned().collect::<Vec<_>>());
        let processor_us = names.unwrap_or_default().into_iter().map(|name| {
            let figures = self.rounds.iter().filter_map(|round| round.processor_us[&name].as_f64());
            let median = median(figures.collect());
            (name, json!(median))
        });
        json!({
            "requests_per_second": of(|round| round.requests_per_second),
            "p50_ms": of(|round| round.p50_ms),
            "p99_ms": of(|round| round.p99_ms),
            "stored": self.answered.len(),
            "body_bytes": self.body_bytes,
            "processor_us_per_request": processor_us.collect::<Map<_, _>>(),
            "rounds": self.rounds,
        })
    }
}

/// The middle one; none of nothing.
fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

/// Percentiles in milliseconds, to the hundredth.
pub(crate) fn percentiles<const N: usize>(mut times: Vec<Duration>, wanted: [usize; N]) -> [f64; N] {
    times.sort_unstable();
    wanted.map(|percent| {
        let at = (times.len() * percent).div_ceil(100).max(1) - 1;
        times.get(at).map_or(0.0, |time| (time.as_secs_f64() * 1e5).round() / 100.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentiles(times, [50, 99, 100]), [100.0, 198.0, 200.0]);
        assert_eq!(percentiles(vec![Duration::from_millis(7)], [50, 99]), [7.0, 7.0]);
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }
}
