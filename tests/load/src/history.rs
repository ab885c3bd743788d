//! How fast orders of a shop's whole file are read and added up, in memory and on one thread.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use fastrand::Rng;
use loyalnest::bulk::Line;
use loyalnest::db::Timestamp;
use loyalnest::history;
use loyalty::Currency;
use loyalty::rfm::History;
use serde_json::{Value, json};

/// Lines that are made at once, and read again and again: their ids do not matter here.
const MADE: usize = 20_000;
/// How many customers placed them.
const CUSTOMERS: i64 = 10_000;

/// Reads made-up orders.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// How many lines there are.
    pub orders: usize,
}

impl Reading {
    /// Reads each line as it stands in a file, and adds up what its customer has bought.
    ///
    /// # Errors
    /// When a line that is made here cannot be read.
    pub fn measure(&self) -> Result<Value> {
        let lines = made_up();
        let (currency, now) = (Currency::parse("GBP")?, Timestamp::from_microsecond(NOW)?);
        let mut bought: HashMap<i64, History> = HashMap::new();
        let (start, mut taken) = (Instant::now(), 0_usize);
        for text in lines.iter().cycle().take(self.orders) {
            let line = Line::read(black_box(text)).context("a line of a file")?;
            let order = history::read_order(line.id.number, &line.object, currency, now);
            let Some(order) = order.map_err(|fault| anyhow!("{fault}"))? else { continue };
            let known = bought.entry(order.customer.0).or_default();
            known.last_order = known.last_order.max(order.placed_at.as_microsecond());
            known.orders += i64::from(order.kept.is_some());
            known.spent += order.kept.unwrap_or(0);
            taken += 1;
        }
        let seconds = start.elapsed().as_secs_f64();
        Ok(json!({
            "orders": taken,
            "customers": black_box(&bought).len(),
            "bytes_per_line": lines.iter().map(Vec::len).sum::<usize>() / lines.len(),
            "seconds": seconds,
            "orders_per_second": (taken as f64 / seconds).round(),
        }))
    }
}

fn made_up() -> Vec<Vec<u8>> {
    let mut random = Rng::with_seed(8);
    let money = |pence: u32| json!({"shopMoney": {"amount": format!("{}.{:02}", pence / 100, pence % 100), "currencyCode": "GBP"}});
    let mut one = |id: usize| {
        let (month, day) = (random.u8(1..=12), random.u8(1..=28));
        let at = format!("2025-{month:02}-{day:02}T10:00:00Z");
        let line = json!({
            "id": format!("gid://shopify/Order/{}", 5_000_000_000_000_i64 + id as i64), "test": false,
            "processedAt": at, "updatedAt": at, "cancelledAt": null, "displayFinancialStatus": "PAID",
            "customer": {"id": format!("gid://shopify/Customer/{}", 7_000_000_000_000 + random.i64(0..CUSTOMERS))},
            "subtotalLineItemsQuantity": 3, "currentSubtotalLineItemsQuantity": 3,
            "currentSubtotalPriceSet": money(random.u32(500..20_000)), "currentShippingPriceSet": money(495),
            "totalTipReceivedSet": money(0),
        });
        line.to_string().into_bytes()
    };
    (0..MADE).map(&mut one).collect()
}

/// November 2026.
const NOW: i64 = 1_795_000_000_000_000;
