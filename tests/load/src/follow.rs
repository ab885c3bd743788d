//! From the answer to a webhook until the shopper's metafield shows its points.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use loyalnest::shopify::Signer;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::drive::{Answer, Pace, drive};
use crate::intake::percentiles;
use crate::webhook::{Post, Webhook};

/// How long the last metafields may take to be written.
const PATIENCE: Duration = Duration::from_secs(120);
/// What is left of a pound's pence earns nothing.
const PENCE_PER_POINT: i64 = 100;

/// What is sent, and where it should show.
#[derive(Debug)]
pub struct Follow<'a> {
    /// Where the backend takes webhooks.
    pub server: SocketAddr,
    /// The path of it.
    pub path: &'a str,
    /// The local shop's address.
    pub shop_url: &'a str,
    /// The shop's domain.
    pub domain: &'a str,
    /// Signs webhooks.
    pub signer: &'a Signer,
    /// Orders a second.
    pub rate: u32,
    /// For how long.
    pub seconds: u32,
    /// Connections that may be used.
    pub connections: usize,
}

/// A version of an account metafield: since when it showed how many points.
#[derive(Debug, Clone, Copy)]
struct Version {
    at: Timestamp,
    points: i64,
}

impl Follow<'_> {
    /// Sends an order after the other, of the shop's customers in turn, and looks up in the shop when each one's points
    /// were written.
    ///
    /// # Errors
    /// When a webhook is not answered with 200, or the points that a metafield ends with are not those of its orders.
    pub async fn measure(&self) -> Result<Value> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let customers = customers(&http, self.shop_url).await?;
        let host = self.server.to_string();
        let now = Timestamp::now();
        let post = Post { signer: self.signer, host: &host, path: self.path, now };
        let count = (self.rate * self.seconds) as usize;
        let seed = now.as_microsecond().unsigned_abs();
        let webhooks = Arc::new(post.of_customers(count, seed, self.domain, &customers));
        let at_most = Duration::from_secs(u64::from(self.seconds) + 60);
        let pace = Pace { connections: self.connections, at_most, rate: Some(self.rate) };
        let driven = drive(self.server, &webhooks, pace).await?;
        ensure!(driven.answers.len() == count, "{} of {count} orders were sent", driven.answers.len());

        let orders = by_customer(&webhooks, &driven.answers);
        let mut delays = Vec::with_capacity(count);
        let patience = Instant::now() + PATIENCE;
        // Looking costs the shop some of its time: not while the last ones are on their way.
        tokio::time::sleep(Duration::from_secs(3)).await;
        for (customer, orders) in &orders {
            delays.append(&mut self.delays(&http, *customer, orders, patience).await?);
        }
        ensure!(delays.len() == count, "{} of {count} orders show", delays.len());
        let [p50_ms, p99_ms, slowest_ms] = percentiles(delays, [50, 99, 100]);
        let latencies = driven.answers.iter().map(|answer| answer.latency).collect();
        let [answered_p50_ms, answered_p99_ms] = percentiles(latencies, [50, 99]);
        Ok(json!({
            "orders": count,
            "customers": orders.len(),
            "orders_per_second": (count as f64 / driven.time.as_secs_f64()).round(),
            "p50_ms": p50_ms,
            "p99_ms": p99_ms,
            "slowest_ms": slowest_ms,
            "answered_p50_ms": answered_p50_ms,
            "answered_p99_ms": answered_p99_ms,
        }))
    }

    /// How long each of a customer's orders took to show, once all of them do.
    async fn delays(
        &self,
        http: &reqwest::Client,
        customer: u64,
        orders: &[(Timestamp, i64)],
        patience: Instant,
    ) -> Result<Vec<Duration>> {
        let wanted: i64 = orders.iter().map(|(_, points)| points).sum();
        loop {
            let versions = versions(http, self.shop_url, customer).await?;
            let shown = versions.last().map_or(0, |version| version.points);
            if shown == wanted {
                return shown_after(orders, &versions);
            }
            ensure!(shown < wanted, "customer {customer} has {shown} points of {wanted}");
            if Instant::now() > patience {
                bail!("customer {customer} still has {shown} points of {wanted}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// When each order was answered and the points that it earned, by customer, in the order of their answers.
fn by_customer(webhooks: &[Webhook], answers: &[Answer]) -> HashMap<u64, Vec<(Timestamp, i64)>> {
    let mut answers = answers.to_vec();
    answers.sort_unstable_by_key(|answer| answer.at);
    let mut orders: HashMap<u64, Vec<(Timestamp, i64)>> = HashMap::new();
    for answer in answers {
        let webhook = &webhooks[answer.webhook];
        orders.entry(webhook.customer).or_default().push((answer.at, webhook.pence / PENCE_PER_POINT));
    }
    orders
}

/// How long after its answer each order's points were first among those shown.
fn shown_after(orders: &[(Timestamp, i64)], versions: &[Version]) -> Result<Vec<Duration>> {
    let mut earned = 0;
    let delay = |&(answered, points): &(Timestamp, i64)| {
        earned += points;
        let shown = versions.iter().find(|version| version.points >= earned);
        let shown = shown.context("a metafield does not show its points")?;
        // The worker may have been faster than the answer's way back.
        Ok(Duration::try_from(shown.at.duration_since(answered)).unwrap_or_default())
    };
    orders.iter().map(delay).collect()
}

async fn customers(http: &reqwest::Client, shop_url: &str) -> Result<Vec<u64>> {
    #[derive(Deserialize)]
    struct Customers {
        customers: Vec<Customer>,
    }
    #[derive(Deserialize)]
    struct Customer {
        id: String,
    }
    let found: Customers = http.get(format!("{shop_url}/shop/customers")).send().await?.json().await?;
    ensure!(!found.customers.is_empty(), "the shop has no customers");
    found.customers.iter().map(|customer| Ok(customer.id.parse()?)).collect()
}

/// What a customer's account metafield was, oldest first.
async fn versions(http: &reqwest::Client, shop_url: &str, customer: u64) -> Result<Vec<Version>> {
    #[derive(Deserialize)]
    struct Metafields {
        metafields: Vec<Metafield>,
    }
    #[derive(Deserialize)]
    struct Metafield {
        key: String,
        history: Vec<Moment>,
    }
    #[derive(Deserialize)]
    struct Moment {
        at: Timestamp,
        value: Option<String>,
    }
    let url = format!("{shop_url}/shop/customers/{customer}/metafields");
    let found: Metafields = http.get(url).send().await?.error_for_status()?.json().await?;
    let accounts = found.metafields.into_iter().filter(|one| one.key == loyalty::Account::METAFIELD);
    let mut versions = Vec::new();
    for moment in accounts.flat_map(|account| account.history) {
        let value: Value = serde_json::from_str(moment.value.as_deref().unwrap_or("{}"))?;
        versions.push(Version { at: moment.at, points: value["points"].as_i64().unwrap_or(0) });
    }
    Ok(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn an_order_shows_with_the_first_version_that_has_its_points() {
        let orders = [(at(1_000), 10), (at(1_100), 5), (at(2_000), 0)];
        let versions = [Version { at: at(1_050), points: 10 }, Version { at: at(1_400), points: 15 }];
        let delays = shown_after(&orders, &versions).unwrap();
        assert_eq!(delays, [50, 300, 0].map(Duration::from_millis));
        assert!(shown_after(&[(at(1_000), 16)], &versions).is_err());
    }
}
