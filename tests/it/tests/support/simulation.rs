//! Simulated time: the backend, its workers and Shopify's buckets go by one clock, which moves from one event to the next.
//! So what takes hours is over in seconds, and how long it took can be asserted.

use std::collections::VecDeque;

use devshop::{BucketSettings, DevShop, Settings};
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::clock::Clock;
use loyalnest::config::Secret;
use loyalnest::customers;
use loyalnest::db::Timestamp;
use loyalnest::ids::{CustomerId, ShopId};
use loyalnest::shopify::admin::ShopDetails;
use loyalnest::sync;

use super::TestDb;
use super::app::config;

/// How often idle workers look for work.
const LOOK_EVERY: SignedDuration = SignedDuration::from_millis(200);
/// Members are enrolled this many at a time.
const AT_ONCE: usize = 1_000;

pub struct Simulation {
    pub shopify: DevShop,
    pub app: App,
    /// How many turns are served at once.
    pub workers: usize,
    /// How long each takes.
    pub turn: SignedDuration,
    start: Timestamp,
}

/// Members of a shop that are to be marked at a time.
pub struct Marks {
    pub at: SignedDuration,
    pub shop: ShopId,
    pub members: usize,
}

/// A turn that was served.
#[derive(Debug, Clone, Copy)]
pub struct Served {
    pub shop: ShopId,
    /// When its worker took it, and when it was over, since the start.
    pub from: SignedDuration,
    pub until: SignedDuration,
}

impl Simulation {
    /// Eight workers whose every turn takes 300 ms, and shops with buckets like this.
    pub async fn new(test: &TestDb, bucket: BucketSettings) -> Self {
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let clock = devshop::Clock::standing_at(start.into());
        let settings = Settings { clock, bucket, bucket_by_clock: true, ..Settings::default() };
        let shopify = DevShop::start(settings).await.unwrap();
        let url = format!("{}/at/{{shop}}", shopify.url());
        let (workers, clock) = (8, Clock::fixed(start));
        let changed =
            [("LOYALNEST_SHOPIFY_URL", url.as_str()), ("LOYALNEST_SYNC__WORKERS", &workers.to_string())];
        let builder = App::builder(config(&changed)).db(test.db.clone());
        let app = builder.clock(clock.clone()).bucket_clock(clock).build().await.unwrap();
        Simulation { shopify, app, workers, turn: SignedDuration::from_millis(300), start }
    }

    pub fn elapsed(&self) -> SignedDuration {
        self.app.clock.now() - self.start
    }

    fn go_to(&self, at: SignedDuration) {
        let by = at - self.elapsed();
        self.app.clock.advance(by);
        self.shopify.clock().advance(by.unsigned_abs());
    }

    /// A shop that has the app installed.
    pub async fn shop(&self, name: &str) -> ShopId {
        let token = Secret::new(self.shopify.settings().app.admin_token.clone());
        register(&self.app, name, &token).await
    }

    /// Enrols members of a shop and marks them, and gives their customers.
    pub async fn mark(&self, shop: ShopId, members: usize) -> Vec<CustomerId> {
        let new = |_| CustomerId(self.shopify.add_customer("Ada", "Byron", "ada@example.com").id as i64);
        let customers: Vec<CustomerId> = (0..members).map(new).collect();
        for customers in customers.chunks(AT_ONCE) {
            let mut tx = self.app.db.begin(shop).await.unwrap();
            let now = self.app.clock.now();
            let enrolled = customers::enrol(&mut tx, shop, customers, now).await.unwrap();
            let members: Vec<_> = enrolled.into_values().collect();
            sync::mark(&mut tx, shop, &members, now).await.unwrap();
            tx.commit().await.unwrap();
        }
        customers
    }

    pub async fn backlog(&self) -> sync::Backlog {
        sync::backlog(&mut self.app.db.read_across().await.unwrap()).await.unwrap()
    }

    /// Lets one worker serve turns for a while.
    pub async fn run_for(&self, time: SignedDuration) {
        let end = self.elapsed() + time;
        while self.elapsed() < end {
            sync::publish_due(&self.app).await.unwrap();
            self.go_to(self.elapsed() + LOOK_EVERY);
        }
    }

    /// Lets the workers serve turns, while members are marked at their times, until nobody waits any more.
    pub async fn run(&self, marks: Vec<Marks>) -> Vec<Served> {
        let mut marks = VecDeque::from(marks);
        let (mut busy, mut served) = (VecDeque::new(), Vec::new());
        loop {
            let now = self.elapsed();
            while marks.front().is_some_and(|marks| marks.at <= now) {
                let marks = marks.pop_front().unwrap();
                self.mark(marks.shop, marks.members).await;
            }
            while busy.len() < self.workers {
                let Some(turn) = sync::next_turn(&self.app).await.unwrap() else { break };
                busy.push_back((now, turn));
            }
            if busy.is_empty() && marks.is_empty() && self.backlog().await.members == 0 {
                return served;
            }
            let ends = busy.front().map(|(from, _)| *from + self.turn);
            let look = (busy.len() < self.workers).then_some(now + LOOK_EVERY);
            self.go_to(ends.into_iter().chain(look).min().unwrap());
            while busy.front().is_some_and(|(from, _)| *from + self.turn <= self.elapsed()) {
                let (from, turn) = busy.pop_front().unwrap();
                served.push(Served { shop: turn.shop(), from, until: self.elapsed() });
                turn.serve(&self.app).await.unwrap();
            }
        }
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.shopify.close();
    }
}

/// A shop that has the app installed, without a word to Shopify.
pub async fn register(app: &App, name: &str, token: &Secret) -> ShopId {
    let domain = format!("{name}.myshopify.com");
    let details = ShopDetails {
        id: "gid://shopify/Shop/1".into(),
        name: name.into(),
        domain: domain.clone(),
        currency: "GBP".into(),
        time_zone: "Europe/London".into(),
    };
    app.shops.register(details, &domain.parse().unwrap(), token).await.unwrap().id
}
