//! The shops' buckets of cost points, on which every worker of every process draws.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use devshop::{AdminFault, AdminFaultKind, BucketSettings, DevShop, Settings};
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::clock::Clock;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::db::{Db, Engine, Options, Timestamp};
use loyalnest::events::Kind;
use loyalnest::merchants::Shop;
use loyalnest::shopify::admin::{Admin, AdminError, CompareDigest, MetafieldWrite, Priority};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::support::app::{Answered, config};
use crate::support::house::House;
use crate::support::{TestDb, on_both_engines, on_engine};

/// Processes of the backend on one database, none of which works by itself, and the shop that they ask.
struct Processes {
    shop: DevShop,
    clock: Clock,
    apps: Vec<App>,
    merchant: Shop,
    customer: u64,
}

impl Processes {
    async fn start(test: &TestDb, count: usize, bucket: (u32, u32)) -> Processes {
        Processes::of(test, count, bucket, false).await
    }

    /// Their clocks stand still, and so does the shop's: nothing comes back into its bucket.
    async fn standing(test: &TestDb, count: usize, capacity: u32) -> Processes {
        Processes::of(test, count, (capacity, 20), true).await
    }

    async fn of(test: &TestDb, count: usize, bucket: (u32, u32), standing: bool) -> Processes {
        let (capacity, restore_rate) = bucket;
        let bucket = BucketSettings { capacity, restore_rate };
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let settings = Settings { bucket, ..Settings::default() };
        let shop = DevShop::start(if standing {
            Settings { clock: devshop::Clock::standing_at(start.into()), bucket_by_clock: true, ..settings }
        } else {
            settings
        });
        let shop = shop.await.unwrap();
        let clock = if standing { Clock::fixed(start) } else { Clock::system() };
        let mut apps = Vec::new();
        for _ in 0..count {
            apps.push(Processes::app(&test.db, &shop, &clock).await);
        }
        let settings = shop.settings();
        let (domain, token) =
            (settings.domain.parse().unwrap(), Secret::new(settings.app.admin_token.clone()));
        let merchant = apps[0].shops.add(&apps[0].admin, &domain, &token).await.unwrap();
        let customer = shop.add_customer("Ada", "Byron", "ada@example.com").id;
        Processes { shop, clock, apps, merchant, customer }
    }

    async fn app(db: &Db, shop: &DevShop, clock: &Clock) -> App {
        let changed = [("LOYALNEST_SHOPIFY_URL", shop.url()), ("LOYALNEST_METRICS__TOKEN", "let me in")];
        let builder = App::builder(config(&changed)).db(db.clone());
        builder.bucket_clock(clock.clone()).build().await.unwrap()
    }

    async fn admin(&self, app: &App, priority: Priority) -> Admin {
        app.admin_of(&self.merchant).await.unwrap().priority(priority).within(Duration::from_secs(10))
    }

    /// A write that costs 10.
    fn write(&self) -> [MetafieldWrite; 1] {
        [MetafieldWrite {
            owner_id: format!("gid://shopify/Customer/{}", self.customer),
            namespace: "$app".into(),
            key: "account".into(),
            r#type: "json".into(),
            value: "{}".into(),
            compare_digest: CompareDigest::Any,
        }]
    }

    /// Eight workers, spread over the processes, write until they have done so this often together.
    async fn write_often(&self, often: u32) {
        let (mut workers, left) = (JoinSet::new(), Arc::new(AtomicU32::new(often)));
        for app in self.apps.iter().cycle().take(8) {
            let (admin, write) = (self.admin(app, Priority::Redemption).await, self.write());
            let left = left.clone();
            workers.spawn(async move {
                while left.load(Relaxed) > 0 {
                    match admin.metafields_set(&write).await {
                        Ok(set) if set.errors.is_empty() => {
                            let _ = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
                        }
                        Err(AdminError::Throttled { wait }) => {
                            sleep(wait.min(Duration::from_millis(500))).await
                        }
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
        timeout(Duration::from_secs(60), workers.join_all()).await.unwrap();
    }

    /// Lets clocks that stand go on by this much.
    fn pass(&self, seconds: i64) {
        let time = SignedDuration::from_secs(seconds);
        self.clock.advance(time);
        self.shop.clock().advance(time.unsigned_abs());
    }

    fn throttled(&self) -> usize {
        self.shop.admin_calls().iter().filter(|call| !call.executed).count()
    }

    /// The warnings so far.
    async fn warnings(&self) -> Vec<Value> {
        let mut read = self.apps[0].db.read_across().await.unwrap();
        let found: Vec<(sqlx::types::Json<Value>,)> = db!(
            read.all,
            "select payload from events_outbox where kind = $1 order by event_id",
            Kind::ShopifyBudgetLow
        )
        .unwrap();
        found.into_iter().map(|(payload,)| payload.0).collect()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.shop.close();
    }
}

#[test]
fn processes_that_draw_on_one_bucket_do_not_run_into_its_end() {
    on_both_engines(async |test| {
        // Shoppers only: nobody leaves a reserve into which a process that knows of no other could run unnoticed.
        let many = Processes::start(test, 4, (400, 40)).await;
        // 40 writes are there; the others share what comes back.
        many.write_often(60).await;
        // Whoever still believes that there is plenty runs into the end, once.
        assert!(many.throttled() <= 8, "{} throttled", many.throttled());
    });
}

#[test]
fn background_work_leaves_shoppers_their_part() {
    on_both_engines(async |test| {
        let many = Processes::standing(test, 2, 100).await;
        let mut apps = many.apps.iter().cycle();
        let mut written = 0;
        let refused = loop {
            let admin = many.admin(apps.next().unwrap(), Priority::Background).await;
            match admin.metafields_set(&many.write()).await {
                Ok(set) => written += u32::from(set.errors.is_empty()),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, AdminError::Throttled { .. }), "{refused}");
        // Of 100, 70 are for those for whom nobody waits; making the shop known took a little.
        assert!((5..=7).contains(&written), "{written}");
        for app in apps.take(3) {
            let admin = many.admin(app, Priority::Redemption).await;
            assert!(admin.metafields_set(&many.write()).await.unwrap().errors.is_empty());
        }
        assert_eq!(many.throttled(), 0);
    });
}

#[test]
fn a_pick_is_shown_at_once_although_background_work_has_used_its_part() {
    on_engine(Engine::Sqlite, async |test| {
        let bucket = BucketSettings { capacity: 100, restore_rate: 2 };
        let house = House::in_shop(test, Settings { bucket, ..Settings::default() }, &[]).await;
        let ada = house.customer(80).await;
        let owner_id = format!("gid://shopify/Customer/{ada}");
        let [write] = [MetafieldWrite {
            owner_id,
            namespace: "$app".into(),
            key: "other".into(),
            r#type: "json".into(),
            value: "{}".into(),
            compare_digest: CompareDigest::Any,
        }];
        let shop = house.app.shops.find(house.shop_id).await.unwrap().unwrap();
        let admin = house.app.admin_of(&shop).await.unwrap();
        let refused = loop {
            match admin.metafields_set(std::slice::from_ref(&write)).await {
                Ok(set) => assert!(set.errors.is_empty(), "{set:?}"),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, AdminError::Throttled { .. }), "{refused}");
        house.mark(ada, "points", Some(500)).await;
        assert!(house.shop.admin_calls().iter().all(|call| call.executed), "nobody was throttled by Shopify");
    });
}

#[test]
fn a_low_bucket_is_told_of_once_by_all_processes_until_it_recovers() {
    on_both_engines(async |test| {
        let many = Processes::standing(test, 2, 100).await;
        let drain = async |until: usize| {
            for app in many.apps.iter().cycle().take(40) {
                let admin = many.admin(app, Priority::Redemption).await;
                admin.metafields_set(&many.write()).await.unwrap();
                if many.warnings().await.len() == until {
                    return;
                }
            }
            panic!("{:?}", many.warnings().await);
        };
        drain(1).await;
        many.pass(1);
        for app in &many.apps {
            let admin = many.admin(app, Priority::Redemption).await;
            admin.metafields_set(&many.write()).await.unwrap();
        }
        let warnings = many.warnings().await;
        assert_eq!((warnings.len(), &warnings[0]["maximum"]), (1, &json!(100)));
        assert!((0..20).contains(&warnings[0]["available"].as_i64().unwrap()), "{warnings:?}");
        many.pass(3);
        drain(2).await;
        assert!(many.apps[1].events.deliver_due().await.unwrap() > 0, "and the log is");
    });
}

#[test]
fn a_database_that_is_gone_stops_no_call() {
    on_both_engines(async |test| {
        let many = Processes::start(test, 1, (20, 20)).await;
        let db = Db::connect(&test.url, &Options::default()).await.unwrap();
        let app = Processes::app(&db, &many.shop, &many.clock).await;
        let admin = many.admin(&app, Priority::Redemption).await;
        admin.metafields_set(&many.write()).await.unwrap();
        db.close().await;
        for _ in 0..4 {
            assert!(admin.metafields_set(&many.write()).await.unwrap().errors.is_empty());
        }
        assert_eq!(many.throttled(), 0, "it goes by what it knows itself");
    });
}

#[test]
fn costs_waits_and_throttled_answers_are_measured() {
    on_engine(Engine::Sqlite, async |test| {
        let many = Processes::start(test, 1, (40, 20)).await;
        let admin = many.admin(&many.apps[0], Priority::Redemption).await;
        many.shop.fail_admin([AdminFault::before(AdminFaultKind::Throttled)]);
        for _ in 0..6 {
            admin.metafields_set(&many.write()).await.unwrap();
        }
        let request = axum::http::Request::get("/metrics").header("authorization", "Bearer let me in");
        let request = request.body(axum::body::Body::empty()).unwrap();
        let metrics = Answered::read(many.apps[0].router().oneshot(request).await.unwrap()).await.body;
        let value = |series: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
            line.map_or(0.0, |value| value.parse::<f64>().unwrap())
        };
        // Other tests of this process are counted, too.
        let of = |name: &str| format!(r#"loyalnest_admin_{name}{{operation="MetafieldsSet"}}"#);
        assert!(
            value(&of("cost_requested_total")) >= 70.0,
            "seven answers, one of them throttled\n{metrics}"
        );
        assert!(value(&of("cost_actual_total")) >= 60.0, "{metrics}");
        assert!(value(&of("throttled_total")) >= 1.0, "{metrics}");
        assert!(value(r#"loyalnest_admin_wait_seconds_count{priority="redemption"}"#) >= 2.0, "{metrics}");
    });
}
