//! Customers who buy, pick, change their minds and send things back.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use devshop::{DevShop, NewCart, PlaceOptions, RefundRequest};
use fastrand::Rng;
use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// What a mug costs, in pence.
pub const MUG: i64 = 1_000;
/// Points of each pick; they are worth a pound.
pub const PICKED: i64 = 100;
/// How many mugs everyone buys first, so that points never run out.
pub const FIRST: u32 = 200;
/// How long a widget waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was done.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Done {
    /// Orders.
    pub orders: u32,
    /// Of which with points.
    pub discounted: u32,
    /// Refunds.
    pub refunds: u32,
    /// Orders that were cancelled.
    pub cancelled: u32,
    /// Picks that were answered, with their customer.
    #[serde(skip)]
    pub picks: BTreeMap<String, u64>,
    /// Picks that got no answer.
    pub unanswered: u32,
}

/// Customers of a shop.
pub struct Traffic {
    shop: DevShop,
    /// Where its app answers.
    url: String,
    /// What they buy.
    variant: u64,
    customers: Vec<u64>,
    http: reqwest::Client,
    random: Rng,
    /// The mark of each customer's pick.
    marks: BTreeMap<u64, (String, String)>,
    /// First orders, which stand.
    first: Vec<u64>,
    done: Done,
}

impl Done {
    /// What several did.
    pub fn add(&mut self, other: Done) {
        self.orders += other.orders;
        self.discounted += other.discounted;
        self.refunds += other.refunds;
        self.cancelled += other.cancelled;
        self.picks.extend(other.picks);
        self.unanswered += other.unanswered;
    }
}

impl Traffic {
    /// Customers, who have bought something each.
    ///
    /// # Errors
    /// When the shop refuses.
    pub fn open(shop: DevShop, url: String, variant: u64, count: u32, seed: u64) -> Result<Traffic> {
        let customers = (0..count)
            .map(|n| shop.add_customer("Ada", &n.to_string(), &format!("ada-{seed}-{n}@example.com")).id);
        let customers: Vec<u64> = customers.collect();
        let mut traffic = Traffic {
            shop,
            url,
            variant,
            customers,
            http: reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build()?,
            random: Rng::with_seed(seed),
            marks: BTreeMap::new(),
            first: Vec::new(),
            done: Done::default(),
        };
        for customer in traffic.customers.clone() {
            let order = traffic.buy(customer, FIRST)?;
            traffic.first.push(order);
        }
        Ok(traffic)
    }

    /// They do one thing after the other until they are told to stop. Returns what was done.
    ///
    /// # Errors
    /// When the shop refuses what it should not.
    pub async fn go_on(mut self, pace: Duration, stop: CancellationToken) -> Result<Done> {
        while !stop.is_cancelled() {
            self.act().await?;
            tokio::time::sleep(pace).await;
        }
        Ok(self.done)
    }

    async fn act(&mut self) -> Result<()> {
        let customer = self.customers[self.random.usize(..self.customers.len())];
        match self.random.u8(..20) {
            0..10 => {
                let mugs = self.random.u32(1..=3);
                self.buy(customer, mugs)?;
            }
            10..15 => self.pick(customer).await,
            15 => self.change_mind(customer).await,
            16..19 => self.send_back()?,
            _ => self.cancel()?,
        }
        Ok(())
    }

    fn buy(&mut self, customer: u64, mugs: u32) -> Result<u64> {
        let cart = self.shop.new_cart(NewCart::of(customer))?.token;
        self.shop.add_to_cart(&cart, self.variant, mugs)?;
        if let Some((_, mark)) = self.marks.remove(&customer) {
            self.shop.set_cart_attribute(&cart, "_loyalty", Some(&mark))?;
        }
        let order = self.shop.place_order(&cart, PlaceOptions::default())?;
        self.done.orders += 1;
        self.done.discounted += u32::from(is_discounted(&order));
        Ok(order.id)
    }

    async fn pick(&mut self, customer: u64) {
        let wish = json!({"reward": "points", "points": PICKED, "currency": "GBP"});
        let Some((status, answer)) = self.ask("POST", "/redemptions", customer, Some(wish)).await else {
            self.done.unanswered += 1;
            return;
        };
        let Some(id) = answer["id"].as_str().filter(|_| matches!(status, 200 | 202)) else { return };
        self.done.picks.insert(id.to_owned(), customer);
        if let Some(mark) = answer["mark"].as_str() {
            self.marks.insert(customer, (id.to_owned(), mark.to_owned()));
        }
    }

    async fn change_mind(&mut self, customer: u64) {
        if let Some((id, _)) = self.marks.remove(&customer) {
            self.ask("DELETE", &format!("/redemptions/{id}"), customer, None).await;
        }
    }

    fn send_back(&mut self) -> Result<()> {
        let full = |order: &devshop::Order| !is_discounted(order) && order.cancelled_at.is_none();
        let Some(order) = self.some_order(|order| full(order) && order.lines[0].current_quantity() > 0)
        else {
            return Ok(());
        };
        let request = RefundRequest { lines: vec![(order.lines[0].id, 1)], ..RefundRequest::default() };
        self.shop.refund(order.id, &request)?;
        self.done.refunds += 1;
        Ok(())
    }

    fn cancel(&mut self) -> Result<()> {
        let whole = |order: &devshop::Order| order.cancelled_at.is_none() && order.refunds.is_empty();
        let Some(order) = self.some_order(whole) else { return Ok(()) };
        self.shop.cancel(order.id, "customer")?;
        self.done.cancelled += 1;
        Ok(())
    }

    /// One of their latest orders for which something holds; first ones are left alone.
    fn some_order(&mut self, holds: impl Fn(&devshop::Order) -> bool) -> Option<devshop::Order> {
        let orders = self.shop.orders();
        // Another group's first orders stand, too.
        let own = |order: &devshop::Order| {
            let customer = order.customer.as_ref().map(|customer| customer.id);
            customer.is_some_and(|customer| self.customers.contains(&customer))
                && !self.first.contains(&order.id)
        };
        let latest: Vec<_> =
            orders.iter().rev().take(80).filter(|order| own(order) && holds(order)).collect();
        (!latest.is_empty()).then(|| latest[self.random.usize(..latest.len())].clone())
    }

    /// A widget's request; `None` where there was no answer.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        customer: u64,
        body: Option<Value>,
    ) -> Option<(u16, Value)> {
        let query = self.shop.signed_proxy_query(Some(customer), &[]);
        let method = method.parse().ok()?;
        let mut request = self.http.request(method, format!("{}/proxy{path}?{query}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }
}

/// Whether points took something off.
pub fn is_discounted(order: &devshop::Order) -> bool {
    order.lines.iter().any(|line| line.discount().shop > 0)
}
