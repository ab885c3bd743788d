//! Sync keeps up with Shopify's rate, and no shop waits for all that another has. Time is simulated, so it is asserted.

use std::collections::HashMap;
use std::time::Instant;

use async_trait::async_trait;
use devshop::BucketSettings;
use jiff::SignedDuration;
use jiff::civil::Time;
use loyalnest::app::App;
use loyalnest::clock::Clock;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::db::Timestamp;
use loyalnest::ids::ShopId;
use loyalnest::inbox::Delivery;
use loyalnest::shopify::admin::METAFIELDS_AT_ONCE;
use loyalnest::tasks::{self, Kind, Order, Run, Schedule, Task, TaskError, When};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::support::app::{TestApp, config};
use crate::support::recorder::effects;
use crate::support::simulation::{Marks, Served, Simulation, register};
use crate::support::{TestDb, on_both_engines};

/// What a batch of 25 costs at Shopify.
const BATCH: usize = 10;

/// Publishes this many members of one shop, and wants it done as fast as the bucket allows.
async fn converges(test: &TestDb, members: usize, bucket: BucketSettings) {
    let simulation = Simulation::new(test, bucket).await;
    let shop = simulation.shop("busy").await;
    let customers = simulation.mark(shop, members).await;
    let began = Instant::now();
    simulation.run(Vec::new()).await;

    let took = simulation.elapsed().as_secs_f64();
    let batches = members.div_ceil(METAFIELDS_AT_ONCE);
    let least = (batches * BATCH - bucket.capacity as usize) as f64 / f64::from(bucket.restore_rate);
    let calls = simulation.shopify.admin_calls();
    eprintln!(
        "{members} members on {:?}: {took:.1} s simulated, {least:.1} s at least ({:+.1} %), {} calls, {:.1} s real",
        test.db.engine(),
        (took / least - 1.0) * 100.0,
        calls.len(),
        began.elapsed().as_secs_f64(),
    );
    assert!(took <= least * 1.05, "{took} s, {least} s at least");
    assert_eq!(calls.len(), batches, "nothing is read, nothing written twice, nobody is throttled");
    for customer in customers {
        assert!(simulation.shopify.metafield(&customer.gid(), "$app", "account").is_some(), "{customer}");
    }
}

#[test]
fn a_shop_converges_as_fast_as_its_bucket_allows() {
    // A twentieth of the below.
    on_both_engines(async |test| {
        converges(test, 2_500, BucketSettings { capacity: 100, restore_rate: 5 }).await;
    });
}

#[test]
#[ignore = "takes minutes"]
fn fifty_thousand_members_converge_at_the_standard_rate() {
    on_both_engines(async |test| converges(test, 50_000, BucketSettings::default()).await);
}

/// Shops of every kind on one pool of workers; says how long the small ones waited for their turn at most.
async fn shares(test: &TestDb, shops: usize, of_greedy: usize) {
    let simulation = Simulation::new(test, BucketSettings::default()).await;
    // Its bucket is no reason to leave it alone.
    let large = BucketSettings { capacity: 40_000, restore_rate: 2_000 };
    simulation.shopify.set_bucket("greedy.myshopify.com", large);
    let greedy = simulation.shop("greedy").await;
    simulation.mark(greedy, of_greedy).await;
    let slow = BucketSettings { capacity: 20, restore_rate: 1 };
    for n in 0..shops / 100 {
        simulation.shopify.set_bucket(&format!("slow-{n}.myshopify.com"), slow);
        let shop = simulation.shop(&format!("slow-{n}")).await;
        simulation.mark(shop, 100).await;
    }
    let small = shops - 1 - shops / 100;
    // What all of them need at least: most are there at once, the others come meanwhile.
    let workers = i32::try_from(simulation.workers).unwrap();
    let busy = simulation.turn * i32::try_from(small).unwrap() / workers;
    let mut marks = Vec::new();
    for n in 0..small {
        let at = if n % 10 != 9 {
            SignedDuration::ZERO
        } else {
            busy * i32::try_from(n * 37 % 100).unwrap() / 100
        };
        let shop = simulation.shop(&format!("small-{n}")).await;
        marks.push(Marks { at, shop, members: 1 + n % 20 });
    }
    marks.sort_by_key(|marks| marks.at);
    let marked: HashMap<ShopId, SignedDuration> = marks.iter().map(|marks| (marks.shop, marks.at)).collect();
    let began = Instant::now();
    let served = simulation.run(marks).await;

    let waits = served.iter().filter_map(|served| Some(served.until - *marked.get(&served.shop)?));
    let longest = waits.max().unwrap();
    // One turn of everyone, and one more of those whom a look had found already; then its own.
    let turns = (shops + 64).div_ceil(simulation.workers) + 2;
    let bound = simulation.turn * i32::try_from(turns).unwrap();
    eprintln!(
        "{shops} shops on {:?}: the longest wait of {small} small ones is {longest:#}, {bound:#} at most; {} turns, {} s real",
        test.db.engine(),
        served.len(),
        began.elapsed().as_secs(),
    );
    assert!(longest <= bound, "{longest:#}, {bound:#} at most");
    assert_eq!(
        served.iter().filter(|served| marked.contains_key(&served.shop)).count(),
        small,
        "one turn each"
    );
    assert!(
        most_at_once(&served, greedy) <= simulation.workers / 2,
        "nobody holds more than half of the workers"
    );
}

/// How many workers this shop held at most.
fn most_at_once(served: &[Served], shop: ShopId) -> usize {
    let turns: Vec<&Served> = served.iter().filter(|served| served.shop == shop).collect();
    let at_once =
        |one: &&Served| turns.iter().filter(|turn| turn.from <= one.from && one.from < turn.until).count();
    turns.iter().map(at_once).max().unwrap()
}

#[test]
fn a_shop_waits_one_turn_of_each_other_however_much_they_have() {
    on_both_engines(async |test| shares(test, 200, 4_000).await);
}

#[test]
#[ignore = "takes minutes"]
fn five_thousand_shops_share_a_pool_without_one_starving() {
    on_both_engines(async |test| shares(test, 5_000, 50_000).await);
}

/// A task that takes a second of simulated time.
#[derive(Debug, Serialize, Deserialize)]
struct Second {}

#[async_trait]
impl Task for Second {
    const KIND: &'static str = "test.second";

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        run.app.clock.advance(SECOND);
        Ok(())
    }
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Shops whose daily task comes at the same time, after one of them has pushed many: one worker does them all.
async fn does_all(test: &TestDb, shops: usize, of_greedy: usize) {
    let clock = Clock::fixed("2026-11-23T12:00:00Z".parse().unwrap());
    let daily = Schedule::new(&Second {}, When::Daily(Time::constant(4, 0, 0, 0))).unwrap();
    let builder = App::builder(config(&[])).db(test.db.clone()).clock(clock.clone());
    let app = builder.tasks(vec![Kind::of::<Second>()], vec![daily]).build().await.unwrap();
    let mut all = Vec::new();
    for n in 0..shops {
        all.push(register(&app, &format!("shop-{n}"), &Secret::new("shpat_1")).await);
    }
    let greedy = all[shops / 2];
    clock.set("2026-11-24T03:00:00Z".parse().unwrap());
    push_many(&app, (0..of_greedy).map(|_| (greedy, SignedDuration::ZERO))).await;
    clock.set("2026-11-24T04:00:00Z".parse().unwrap());
    assert_eq!(app.tasks.tick().await.unwrap(), shops);
    // More of some of them, while these are done.
    let others = all.iter().copied().filter(|shop| *shop != greedy).step_by(7).enumerate();
    push_many(&app, others.map(|(n, shop)| (shop, SECOND * i32::try_from(n * 3).unwrap()))).await;
    app.tasks.run_due(&app).await.unwrap();

    let mut read = app.db.read_outside().await.unwrap();
    let done: Vec<(ShopId, Timestamp, Option<Timestamp>)> =
        db!(read.all, "select shop_id, run_at, settled_at from tasks").unwrap();
    let waits = done
        .iter()
        .filter(|(shop, ..)| *shop != greedy)
        .map(|(_, run_at, settled)| settled.unwrap() - *run_at);
    let longest = waits.max().unwrap();
    // Two of its own, and of everyone else two turns at most until then.
    let bound = SECOND * i32::try_from(2 * (shops + 64)).unwrap();
    eprintln!(
        "{shops} shops on {:?}, one of them with {of_greedy} tasks: {longest:#} at most",
        test.db.engine()
    );
    assert!(longest <= bound, "{longest:#}, {bound:#} at most");
}

async fn push_many(app: &App, tasks: impl Iterator<Item = (ShopId, SignedDuration)>) {
    let (mut tx, now) = (app.db.begin_outside().await.unwrap(), app.clock.now());
    for (n, (shop, after)) in tasks.enumerate() {
        tasks::push(&mut tx, shop, &Second {}, Order::new(format!("{now}-{n}")).at(now + after), now)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

#[test]
fn a_shop_with_many_tasks_does_not_keep_others_from_theirs() {
    on_both_engines(async |test| does_all(test, 100, 700).await);
}

#[test]
#[ignore = "takes minutes"]
fn five_thousand_shops_have_their_daily_task_beside_one_with_ten_thousand() {
    on_both_engines(async |test| does_all(test, 5_000, 10_000).await);
}

/// Webhooks of one shop, all of one customer or of many, come before those of others; one worker takes them in.
async fn takes_in(test: &TestDb, shops: usize, of_greedy: usize, customers: usize) {
    let changed = [("LOYALNEST_INBOX__BATCH", "64"), ("LOYALNEST_INBOX__WORKERS", "1")];
    let app = TestApp::with(&test.db, &changed).await;
    let delivery = |shop: ShopId, id: String, customer: usize| Delivery {
        shop,
        webhook_id: id,
        event_id: None,
        topic: "orders/create".into(),
        api_version: None,
        triggered_at: app.now(),
        payload: format!(r#"{{"id":1,"customer":{{"id":{customer}}}}}"#).into_bytes(),
    };
    let greedy = register(&app.app, "greedy", &Secret::new("shpat_1")).await;
    let mut deliveries: Vec<_> =
        (0..of_greedy).map(|n| delivery(greedy, format!("greedy-{n}"), n % customers)).collect();
    for n in 0..shops {
        let shop = register(&app.app, &format!("small-{n}"), &Secret::new("shpat_1")).await;
        deliveries.push(delivery(shop, format!("small-{n}"), n));
    }
    for deliveries in deliveries.chunks(100) {
        let mut accepting = JoinSet::new();
        for delivery in deliveries.iter().cloned() {
            let inbox = app.app.inbox.clone();
            accepting.spawn(async move { inbox.accept(delivery).await.unwrap() });
        }
        accepting.join_all().await;
    }
    app.drain().await;

    let done = effects(&test.db).await;
    assert_eq!(done.len(), of_greedy + shops);
    let last = done.iter().rposition(|id| id.starts_with("small")).unwrap();
    // The circle of the first claim, in batches of at most 64: one share of everyone.
    let bound = (shops + 1).div_ceil(63) * 64;
    eprintln!(
        "{shops} shops behind {of_greedy} webhooks of another on {:?}: {last} before the last",
        test.db.engine()
    );
    assert!(last < bound, "{last} webhooks before the last of the small shops, {bound} at most");
}

#[test]
fn a_shop_with_many_webhooks_or_a_customer_with_many_does_not_keep_others_from_theirs() {
    for customers in [1, 100] {
        on_both_engines(async |test| takes_in(test, 100, 1_500, customers).await);
    }
}
