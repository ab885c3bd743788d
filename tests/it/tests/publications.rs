//! Batches of publications that Shopify takes badly: whoever was not written stays marked.

use std::time::Duration;

use devshop::{AdminFault, AdminFaultKind, BucketSettings, Settings, Switches, ThrottledStatus};
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::customers;
use loyalnest::db;
use loyalnest::db::{Db, Engine, Options};
use loyalnest::ids::{CustomerId, MemberId, ShopId};
use loyalnest::merchants::Shop;
use loyalnest::shopify::admin::{Admin, AdminError, CompareDigest, MetafieldWrite};
use loyalnest::sync;

use crate::support::door::{Door, SHOP};
use crate::support::simulation::Simulation;
use crate::support::tripwire::{Stops, Tripwire};
use crate::support::{TestDb, on_both_engines, on_engine};

/// A shop with members who are to be published, and nobody who does it.
pub struct Batch {
    pub door: Door,
    pub shop: Shop,
    pub customers: Vec<u64>,
    pub members: Vec<MemberId>,
}

impl Batch {
    pub async fn of(test: &TestDb, count: usize) -> Batch {
        Batch::behind(Door::new(test).await, test, count).await
    }

    /// Behind this door.
    async fn behind(door: Door, test: &TestDb, count: usize) -> Batch {
        opens(&door).await;
        Batch::at(test, door, count).await
    }

    /// The same, in a shop that has the app already.
    pub async fn at(test: &TestDb, door: Door, count: usize) -> Batch {
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        let new = |n| door.shop.add_customer("Ada", "Byron", &format!("{n}@example.com")).id;
        let customers: Vec<u64> = (0..count).map(new).collect();
        let mut tx = test.db.begin(shop.id).await.unwrap();
        let ids: Vec<_> = customers.iter().map(|id| CustomerId(*id as i64)).collect();
        let enrolled = customers::enrol(&mut tx, shop.id, &ids, door.now()).await.unwrap();
        let members: Vec<MemberId> = ids.iter().map(|id| enrolled[id]).collect();
        sync::mark(&mut tx, shop.id, &members, door.now()).await.unwrap();
        tx.commit().await.unwrap();
        Batch { door, shop: (*shop).clone(), customers, members }
    }

    fn shop_id(&self) -> ShopId {
        self.shop.id
    }

    pub async fn admin(&self) -> Admin {
        self.door.app.admin_of(&self.shop).await.unwrap().within(Duration::from_secs(3))
    }

    pub async fn publish(&self, members: &[MemberId]) -> Result<sync::Outcome, sync::Error> {
        let app = &self.door.app;
        sync::publish(&app.db, &self.admin().await, &app.clock, self.shop_id(), members).await
    }

    pub async fn waiting(&self) -> i64 {
        sync::backlog(&mut self.door.app.db.read_across().await.unwrap()).await.unwrap().members
    }

    fn is_published(&self, customer: u64) -> bool {
        self.shown(customer).is_some()
    }

    /// The points that a customer's metafield shows.
    fn shown(&self, customer: u64) -> Option<i64> {
        let owner = format!("gid://shopify/Customer/{customer}");
        let account = self.door.shop.metafield(&owner, "$app", "account")?;
        serde_json::from_str::<serde_json::Value>(&account.value).unwrap()["points"].as_i64()
    }

    /// The ledger says so many points of these members from now on, and they are to be published.
    async fn set_points(&self, members: &[MemberId], points: i64) {
        let mut tx = self.door.app.db.begin(self.shop_id()).await.unwrap();
        for member in members {
            let set = db!(
                tx.execute,
                "insert into points_accounts (shop_id, member_id, available, pending, held, seq)
                 values ($1, $2, $3, 0, 0, 1)
                 on conflict (shop_id, member_id) do update
                 set available = excluded.available, seq = points_accounts.seq + 1",
                self.shop_id(),
                *member,
                points
            );
            assert_eq!(set.unwrap(), 1);
        }
        sync::mark(&mut tx, self.shop_id(), members, self.door.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// How many members came to this outcome in this process, as `/metrics` says.
    async fn counted(&self, outcome: &str) -> f64 {
        let metrics = loyalnest::metrics::render(&self.door.app).await.unwrap();
        let series = format!("loyalnest_sync_members_total{{outcome=\"{outcome}\"}} ");
        metrics
            .lines()
            .find_map(|line| line.strip_prefix(&series))
            .map_or(0.0, |value| value.parse().unwrap())
    }

    /// Publishes whoever is due in two minutes; then nobody waits.
    pub async fn comes_right(&self) {
        self.door.advance(SignedDuration::from_mins(2));
        sync::publish_due(&self.door.app).await.unwrap();
        assert_eq!(self.waiting().await, 0);
    }

    pub fn all_are_published(&self) -> bool {
        self.customers.iter().all(|customer| self.is_published(*customer))
    }
}

/// A merchant opens the app.
pub async fn opens(door: &Door) {
    let token = door.shop.session_token(devshop::Surface::Admin(devshop::StaffUser::some()[0].id));
    let answered = door.me(&token).await;
    assert!(answered.status.is_success(), "{answered:?}");
}

#[test]
fn a_shop_that_throttles_for_a_minute_is_not_pressed_and_nobody_is_lost() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        for throttled_status in [ThrottledStatus::Ok, ThrottledStatus::TooManyRequests] {
            batch.door.shop.set_switches(Switches { throttled_status, ..Switches::default() });
            let before = batch.door.shop.admin_calls().len();
            batch.door.shop.fail_admin(vec![AdminFault::before(AdminFaultKind::Throttled); 100]);
            let error = batch.publish(&batch.members).await.unwrap_err();
            assert!(matches!(error, sync::Error::Admin(AdminError::Throttled { .. })), "{error:?}");
            let calls = batch.door.shop.admin_calls().len() - before;
            assert!((1..=6).contains(&calls), "{calls} calls in three seconds");
            assert_eq!(batch.waiting().await, 3);
            batch.door.shop.heal_admin();
        }
        batch.comes_right().await;
        assert!(batch.all_are_published());
    });
}

#[test]
fn a_deleted_customer_and_a_stale_digest_do_not_hold_up_a_batch_of_25() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 25).await;
        batch.door.shop.delete_customer(batch.customers[7]);
        let owner = format!("gid://shopify/Customer/{}", batch.customers[3]);
        batch.door.shop.put_metafield(&owner, "$app", "account", "{}");
        let mut before = Vec::new();
        for outcome in ["published", "stale", "gone"] {
            before.push((outcome, batch.counted(outcome).await));
        }
        let outcome = batch.publish(&batch.members).await.unwrap();
        assert_eq!((outcome.published.len(), outcome.gone.as_slice()), (24, &[batch.members[7]][..]));
        assert_eq!(batch.waiting().await, 0);
        for (outcome, before) in before {
            // Other tests of this process are counted, too.
            assert!(batch.counted(outcome).await > before, "{outcome}");
        }
    });
}

#[test]
fn a_customer_whom_the_app_may_not_see_for_a_while_is_not_given_up() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        let owner = format!("gid://shopify/Customer/{}", batch.customers[1]);
        // It was written past us, so that it must be read.
        batch.door.shop.put_metafield(&owner, "$app", "account", "{}");
        batch.door.shop.hide_from_admin(&owner, true);
        let outcome = batch.publish(&batch.members).await.unwrap();
        let (gone, failed) = (outcome.gone.as_slice(), outcome.failed.as_slice());
        assert_eq!((outcome.published.len(), gone, failed), (2, &[][..], &[batch.members[1]][..]));
        assert_eq!(batch.waiting().await, 1);
        batch.door.shop.hide_from_admin(&owner, false);
        batch.comes_right().await;
        assert_ne!(batch.door.shop.metafield(&owner, "$app", "account").unwrap().value, "{}");
    });
}

#[test]
fn a_value_that_is_too_large_is_named_and_nothing_of_its_batch_is_written() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 25).await;
        let write = |customer: &u64| MetafieldWrite {
            owner_id: format!("gid://shopify/Customer/{customer}"),
            namespace: "$app".into(),
            key: "account".into(),
            r#type: "json".into(),
            value: "{}".into(),
            compare_digest: CompareDigest::New,
        };
        let mut writes: Vec<_> = batch.customers.iter().map(write).collect();
        writes[9].value = format!("\"{}\"", "x".repeat(200_000));
        let set = batch.admin().await.metafields_set(&writes).await.unwrap();
        assert_eq!((set.written.len(), set.errors.len()), (0, 1));
        assert_eq!((set.errors[0].index(), set.errors[0].is_stale()), (Some(9), false));
        assert!(set.errors[0].message.contains("too long"), "{set:?}");
        assert!(batch.customers.iter().all(|customer| !batch.is_published(*customer)));
    });
}

#[test]
fn a_member_whose_account_is_too_large_is_tried_again_and_the_batch_is_written() {
    on_both_engines(async |test| {
        let small = Settings { json_bytes: 50, ..Settings::default() };
        let batch = Batch::behind(Door::of(test, small).await, test, 25).await;
        let large = &batch.members[9..10];
        batch.set_points(large, 9_007_199_254_740_991).await;
        let outcome = batch.publish(&batch.members).await.unwrap();
        assert_eq!((outcome.published.len(), outcome.failed.as_slice()), (24, large));
        assert_eq!(batch.waiting().await, 1);
        batch.set_points(large, 7).await;
        batch.comes_right().await;
        assert_eq!(batch.shown(batch.customers[9]), Some(7));
    });
}

#[test]
fn work_in_the_background_steps_aside_from_a_bucket_that_is_low_and_a_shopper_gets_through() {
    on_both_engines(async |test| {
        let bucket = BucketSettings { capacity: 100, restore_rate: 1 };
        let simulation = Simulation::new(test, bucket).await;
        let shop = simulation.shop("slow").await;
        let customers = simulation.mark(shop, 500).await;
        let written = || simulation.shopify.admin_calls().len();
        sync::publish_due(&simulation.app).await.unwrap();
        assert_eq!(written(), 7, "three tenths are left to shoppers");

        let mut tx = test.db.begin(shop).await.unwrap();
        let last = customers.last().unwrap();
        let member =
            customers::enrol(&mut tx, shop, &[*last], simulation.app.clock.now()).await.unwrap()[last];
        tx.commit().await.unwrap();
        let merchant = simulation.app.shops.find(shop).await.unwrap().unwrap();
        assert!(sync::publish_within(&simulation.app, &merchant, member, Duration::from_secs(3)).await);
        assert_eq!(written(), 8);

        simulation.run_for(SignedDuration::from_mins(1)).await;
        assert!(
            (3..=5).contains(&(written() - 8)),
            "60 points in a minute, ten of them to make up for the shopper's"
        );
        simulation.run(Vec::new()).await;
        assert!(simulation.shopify.admin_calls().iter().all(|call| call.executed), "nobody was throttled");
        for customer in customers {
            assert!(simulation.shopify.metafield(&customer.gid(), "$app", "account").is_some());
        }
    });
}

#[test]
fn a_worker_whose_lease_was_over_notes_nothing_and_the_metafield_comes_right() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        let app = &batch.door.app;
        let slow = sync::next_turn(app).await.unwrap().unwrap();
        assert!(sync::next_turn(app).await.unwrap().is_none(), "nobody else has them meanwhile");
        batch.door.advance(SignedDuration::from_mins(2));
        let other = batch.door.another_process(test).await;
        assert_eq!(sync::publish_due(&other).await.unwrap(), 1);
        batch.set_points(&batch.members, 3).await;
        slow.serve(app).await.unwrap();
        assert_eq!(batch.waiting().await, 3, "what it wrote is not known to be written");
        batch.set_points(&batch.members, 4).await;
        batch.comes_right().await;
        assert!(batch.customers.iter().all(|customer| batch.shown(*customer) == Some(4)));
    });
}

#[test]
fn killed_between_any_two_steps_of_a_publication_it_converges() {
    on_engine(Engine::Postgres, async |test| {
        let batch = Batch::of(test, 3).await;
        let mut points = 0;
        for stops in [Stops::Before, Stops::After] {
            for at in 1.. {
                points += 1;
                batch.set_points(&batch.members, points).await;
                let line = Tripwire::at(&test.url, at, stops).await;
                let db = Db::connect(&line.url, &Options::default()).await.unwrap();
                let door = &batch.door;
                let killed = App::builder(door.app.config.clone()).db(db).clock(door.app.clock.clone());
                let killed = killed.build().await.unwrap();
                let publishing = tokio::spawn(async move { sync::publish_due(&killed).await });
                let was_killed = tokio::select! {
                    () = line.tripped() => true,
                    () = async { while !publishing.is_finished() { tokio::time::sleep(Duration::from_millis(5)).await } } => false,
                };
                publishing.abort();
                batch.comes_right().await;
                assert!(
                    batch.customers.iter().all(|customer| batch.shown(*customer) == Some(points)),
                    "{stops:?} {at}"
                );
                if !was_killed {
                    assert!(at > 2, "a lease, what became of it");
                    break;
                }
            }
        }
    });
}
