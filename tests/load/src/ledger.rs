//! How many orders a second the ledger books: through the inbox and its worker, as webhooks are.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fastrand::Rng;
use loyalnest::app::App;
use loyalnest::ids::ShopId;
use loyalnest::inbox::Delivery;
use loyalnest::{points, proof};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many webhooks are being stored at once.
const AT_ONCE: usize = 512;
/// How often to look whether everything is booked.
const LOOK: Duration = Duration::from_millis(5);

/// What is booked, and how often.
pub struct Ledger<'a> {
    /// The application whose ledger it is.
    pub app: &'a App,
    /// Whose orders they are.
    pub shop: ShopId,
    /// Members who place them at random.
    pub members: i64,
    /// Orders of a round.
    pub orders: usize,
    /// How often it is measured; the median counts.
    pub rounds: usize,
}

/// What it came to.
#[derive(Debug, Serialize)]
struct Report {
    /// Orders booked a second: the median.
    orders_per_second: f64,
    /// Of each round.
    rounds: Vec<f64>,
    /// Members.
    members: i64,
    /// Orders of a round.
    orders: usize,
    /// Places where an invariant of the ledger does not hold, at the end.
    violations: i64,
}

impl Ledger<'_> {
    /// Books a warm-up, in which everyone becomes a member, then the rounds, and checks the ledger.
    ///
    /// # Errors
    /// When something could not be booked, or the ledger does not hold.
    pub async fn measure(&self) -> Result<Value> {
        let mut random = Rng::with_seed(7);
        let mut next = 1;
        let everyone: Vec<i64> = (1..=self.members).collect();
        self.book(&everyone, &mut next, &mut random).await?;
        let mut rounds = Vec::new();
        for _ in 0..self.rounds {
            let customers: Vec<i64> = (0..self.orders).map(|_| random.i64(1..=self.members)).collect();
            let took = self.book(&customers, &mut next, &mut random).await?;
            rounds.push((self.orders as f64 / took.as_secs_f64()).round());
        }
        let violations = self.check(next - 1).await?;
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let orders_per_second = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        let (members, orders) = (self.members, self.orders);
        Ok(serde_json::to_value(Report { orders_per_second, rounds, members, orders, violations })?)
    }

    /// Stores an order of each of these customers, then books them all, and says how long the booking took.
    async fn book(&self, customers: &[i64], next: &mut i64, random: &mut Rng) -> Result<Duration> {
        let mut storing = JoinSet::new();
        for customer in customers {
            let order = *next;
            *next += 1;
            if storing.len() >= AT_ONCE
                && let Some(stored) = storing.join_next().await
            {
                stored??;
            }
            let (inbox, delivery) = (self.app.inbox.clone(), self.delivery(order, *customer, random));
            storing.spawn(async move { inbox.accept(delivery).await });
        }
        while let Some(stored) = storing.join_next().await {
            stored??;
        }
        let stop = CancellationToken::new();
        let start = Instant::now();
        let working = tokio::spawn({
            let (inbox, stop) = (self.app.inbox.clone(), stop.clone());
            async move { inbox.work(stop).await }
        });
        while !self.app.inbox.is_idle().await? {
            tokio::time::sleep(LOOK).await;
        }
        let took = start.elapsed();
        stop.cancel();
        working.await?;
        Ok(took)
    }

    /// Everything was booked once, and every invariant holds.
    async fn check(&self, orders: i64) -> Result<i64> {
        let mut read = self.app.db.read(self.shop).await?;
        let violations = proof::violations(&mut read, self.shop).await?;
        let broken: Vec<_> = violations.iter().filter(|(_, count)| *count != 0).collect();
        ensure!(broken.is_empty(), "the ledger does not hold: {broken:?}");
        let totals = points::totals(&mut read, self.shop).await?;
        ensure!(totals.issued == orders * POINTS, "{} points were booked for {orders} orders", totals.issued);
        ensure!(self.app.inbox.dead(self.shop).await? == 0, "webhooks could not be acted upon");
        Ok(violations.iter().map(|(_, count)| count).sum())
    }

    fn delivery(&self, order: i64, customer: i64, random: &mut Rng) -> Delivery {
        Delivery {
            shop: self.shop,
            webhook_id: format!("{order}-{:016x}", random.u64(..)),
            event_id: None,
            topic: "orders/create".into(),
            api_version: None,
            triggered_at: self.app.clock.now(),
            payload: order_of(order, customer).to_string().into_bytes(),
        }
    }
}

/// What each order earns: a point for a pound.
const POINTS: i64 = 60;

/// A paid order of three lines and 60 pounds, with the fields that the app subscribes to.
fn order_of(id: i64, customer: i64) -> Value {
    let money = |amount: &str| {
        let money = json!({"amount": amount, "currency_code": "GBP"});
        json!({"shop_money": money, "presentment_money": money})
    };
    let lines = ["10.00", "20.00", "30.00"].iter().enumerate().map(|(at, price)| {
        json!({"id": id * 10 + at as i64, "quantity": 1, "current_quantity": 1, "price_set": money(price),
               "gift_card": false, "discount_allocations": []})
    });
    json!({
        "id": id, "test": false, "created_at": "2026-11-26T10:00:00Z", "updated_at": "2026-11-26T10:00:00Z",
        "cancelled_at": null, "financial_status": "paid", "currency": "GBP", "presentment_currency": "GBP",
        "customer": {"id": customer}, "note_attributes": [], "discount_applications": [],
        "line_items": lines.collect::<Vec<_>>(),
        "shipping_lines": [{"price_set": money("4.00"), "discount_allocations": []}], "refunds": [],
    })
}
