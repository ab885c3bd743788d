//! The outbox: what is told, to whom, in which order, and what happens when someone does not listen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use loyalnest::clock::Clock;
use loyalnest::config::{Config, Events as Settings};
use loyalnest::db;
use loyalnest::db::{Db, Engine, Timestamp, Tx};
use loyalnest::events::{
    self, CustomerCreated, Envelope, Event, Events, Kind, RedemptionUnbacked, Subscriber, SubscriberError,
};
use loyalnest::ids::{CustomerId, MemberId, OrderId, ShopId};
use loyalnest::orders::{self, Incoming, payload};
use loyalnest::programs;
use loyalnest::redemptions::lifecycle;
use loyalty::{Currency, Mark, Points, Program, Scope};
use uuid::Uuid;

use crate::support::orders::Order;
use crate::support::{on_both_engines, on_engine};

const SHOP: ShopId = ShopId(Uuid::from_u128(7));

/// Keeps what it is told; fails, panics or waits where it is told to.
#[derive(Default)]
struct Listener {
    told: Mutex<Vec<Envelope>>,
    /// Customers whose events fail.
    fails: Mutex<Vec<i64>>,
    panics: Mutex<Vec<i64>>,
    tries: AtomicI64,
}

impl Listener {
    fn customers(&self) -> Vec<i64> {
        self.told.lock().unwrap().iter().map(|told| customer(&told.event)).collect()
    }
}

fn customer(event: &Event) -> i64 {
    match event {
        Event::CustomerCreated(created) => created.customer.0,
        _ => 0,
    }
}

#[async_trait]
impl Subscriber for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }

    fn wants(&self, kind: Kind) -> bool {
        kind != Kind::ShopBehind
    }

    async fn handle(&self, _tx: &mut Tx, events: &[Envelope]) -> Result<(), SubscriberError> {
        for told in events {
            self.tries.fetch_add(1, Ordering::SeqCst);
            assert!(!self.panics.lock().unwrap().contains(&customer(&told.event)), "told to");
            if self.fails.lock().unwrap().contains(&customer(&told.event)) {
                return Err(SubscriberError::Failed("told to".into()));
            }
        }
        // Only what is handled whole.
        self.told.lock().unwrap().extend_from_slice(events);
        Ok(())
    }
}

fn settings(batch: usize) -> Settings {
    let changed = [("LOYALNEST_EVENTS__RETRY".to_owned(), "1s,1s".to_owned())];
    Settings { batch, ..Config::load(None, &changed).unwrap().events }
}

struct Outbox {
    db: Db,
    clock: Clock,
    listener: Arc<Listener>,
    events: Events,
}

impl Outbox {
    fn new(db: &Db) -> Outbox {
        Outbox::with(db, 500)
    }

    fn with(db: &Db, batch: usize) -> Outbox {
        let clock = Clock::fixed("2026-11-22T09:00:00Z".parse().unwrap());
        let listener = Arc::new(Listener::default());
        let events = Events::new(db.clone(), clock.clone(), settings(batch), vec![listener.clone()]);
        Outbox { db: db.clone(), clock, listener, events }
    }

    fn created(&self, customer: i64) -> Event {
        let member = MemberId(Uuid::from_u128(u128::try_from(customer).unwrap()));
        Event::CustomerCreated(CustomerCreated { member, customer: CustomerId(customer) })
    }

    async fn publish(&self, customer: i64) {
        let mut tx = self.db.begin_outside().await.unwrap();
        events::publish(&mut tx, SHOP, self.created(customer), self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn deliver(&self) {
        while self.events.deliver_due().await.unwrap() > 0 {}
    }

    async fn dead(&self) -> Vec<(i64, String)> {
        let mut read = self.db.read_across().await.unwrap();
        db!(read.all, "select position, reason from events_dead order by position").unwrap()
    }
}

#[test]
fn what_is_committed_is_told_once_in_order_and_what_is_undone_is_not() {
    on_both_engines(async |test| {
        let outbox = Outbox::with(&test.db, 3);
        let mut undone = test.db.begin_outside().await.unwrap();
        events::publish(&mut undone, SHOP, outbox.created(99), outbox.clock.now()).await.unwrap();
        undone.rollback().await.unwrap();
        for customer in 1..=10 {
            outbox.publish(customer).await;
        }
        outbox.deliver().await;
        outbox.deliver().await;
        assert_eq!(outbox.listener.customers(), (1..=10).collect::<Vec<_>>());
        let told = outbox.listener.told.lock().unwrap().clone();
        assert_eq!(told.iter().map(|told| told.position).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
        let backlog = events::backlog(&mut test.db.read_across().await.unwrap()).await.unwrap();
        assert_eq!((backlog[0].subscriber.as_str(), backlog[0].waiting, backlog[0].dead), ("listener", 0, 0));
    });
}

#[test]
fn a_late_commit_is_not_passed_by() {
    // SQLite has one writer, so nothing there commits out of its order.
    on_engine(Engine::Postgres, async |test| {
        let outbox = Outbox::new(&test.db);
        let mut early = test.db.begin_outside().await.unwrap();
        events::publish(&mut early, SHOP, outbox.created(1), outbox.clock.now()).await.unwrap();
        outbox.publish(2).await;
        outbox.deliver().await;
        assert_eq!(outbox.listener.customers(), [2]);
        early.commit().await.unwrap();
        outbox.deliver().await;
        assert_eq!(outbox.listener.customers(), [2, 1]);
    });
}

#[test]
fn the_events_of_a_key_come_in_order_from_writers_that_wait_for_each_other() {
    on_engine(Engine::Postgres, async |test| {
        let outbox = Arc::new(Outbox::with(&test.db, 7));
        let number = Arc::new(AtomicI64::new(0));
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (outbox, number) = (outbox.clone(), number.clone());
            writers.spawn(async move {
                for _ in 0..25 {
                    let mut tx = outbox.db.begin_outside().await.unwrap();
                    // Whoever writes of a member has locked its account; here, the one row there is for all.
                    db!(tx.execute, "update inbox_leases set bucket = bucket where bucket = 0").unwrap();
                    let next = number.fetch_add(1, Ordering::SeqCst);
                    events::publish(&mut tx, SHOP, outbox.created(next), outbox.clock.now()).await.unwrap();
                    tx.commit().await.unwrap();
                }
            });
        }
        while !writers.is_empty() {
            outbox.deliver().await;
            while writers.try_join_next().is_some() {}
        }
        outbox.deliver().await;
        assert_eq!(outbox.listener.customers(), (0..100).collect::<Vec<_>>());
    });
}

#[test]
fn two_processes_deliver_everything_once() {
    on_both_engines(async |test| {
        let one = Outbox::with(&test.db, 2);
        let two = Events::new(test.db.clone(), one.clock.clone(), settings(2), vec![one.listener.clone()]);
        for customer in 1..=40 {
            one.publish(customer).await;
        }
        let other = tokio::spawn(async move {
            for _ in 0..20 {
                two.deliver_due().await.unwrap();
            }
        });
        for _ in 0..20 {
            one.events.deliver_due().await.unwrap();
        }
        other.await.unwrap();
        one.deliver().await;
        assert_eq!(one.listener.customers(), (1..=40).collect::<Vec<_>>());
    });
}

#[test]
fn an_event_that_fails_is_tried_again_in_its_place_and_given_up_in_the_end() {
    on_both_engines(async |test| {
        let outbox = Outbox::new(&test.db);
        outbox.listener.fails.lock().unwrap().push(2);
        outbox.listener.panics.lock().unwrap().push(4);
        for customer in 1..=5 {
            outbox.publish(customer).await;
        }
        outbox.deliver().await;
        assert_eq!(outbox.listener.customers(), [1]);
        outbox.deliver().await;
        let tries = outbox.listener.tries.load(Ordering::SeqCst);
        assert_eq!(tries, 4, "the batch until it failed, then one by one; not again before it is due");

        outbox.listener.fails.lock().unwrap().clear();
        outbox.clock.advance(SignedDuration::from_secs(2));
        outbox.deliver().await;
        assert_eq!(outbox.listener.customers(), [1, 2, 3]);
        for _ in 0..2 {
            outbox.clock.advance(SignedDuration::from_secs(2));
            outbox.deliver().await;
        }
        assert_eq!(outbox.listener.customers(), [1, 2, 3, 5]);
        assert_eq!(outbox.dead().await, [(4, "the subscriber panicked".to_owned())]);
    });
}

#[test]
fn a_process_whose_lease_was_taken_over_moves_nothing() {
    /// While it handles an event, another process takes its cursor over.
    struct Robbed(Db, Timestamp);

    #[async_trait]
    impl Subscriber for Robbed {
        fn name(&self) -> &'static str {
            "listener"
        }

        fn wants(&self, _kind: Kind) -> bool {
            // Called between the claim and the transaction that delivers.
            let (db, until) = (self.0.clone(), self.1);
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async move {
                    let mut tx = db.begin_outside().await.unwrap();
                    let token = Uuid::from_u128(9);
                    db!(tx.execute, "update events_cursors set token = $1, leased_until = $2", token, until)
                        .unwrap();
                    tx.commit().await.unwrap();
                });
            });
            true
        }

        async fn handle(&self, _tx: &mut Tx, _events: &[Envelope]) -> Result<(), SubscriberError> {
            panic!("it is another's now");
        }
    }
    on_both_engines(async |test| {
        let outbox = Outbox::new(&test.db);
        outbox.publish(1).await;
        let until = outbox.clock.now() + SignedDuration::from_secs(60);
        let robbed = Arc::new(Robbed(test.db.clone(), until));
        let events = Events::new(test.db.clone(), outbox.clock.clone(), settings(10), vec![robbed]);
        assert_eq!(events.deliver_due().await.unwrap(), 0);
        let mut read = test.db.read_across().await.unwrap();
        let cursor: (i64, i64) = db!(read.one, "select position, attempts from events_cursors").unwrap();
        assert_eq!(cursor, (0, 0));
        drop(read);
        outbox.clock.advance(SignedDuration::from_secs(61));
        outbox.deliver().await;
        assert_eq!(outbox.listener.customers(), [1], "the lease ends, and the event is still there");
    });
}

#[test]
fn old_events_go_once_everyone_has_them() {
    on_both_engines(async |test| {
        let outbox = Outbox::new(&test.db);
        outbox.publish(1).await;
        outbox.deliver().await;
        outbox.publish(2).await;
        outbox.clock.advance(SignedDuration::from_hours(169));
        assert_eq!(outbox.events.clean_up().await.unwrap(), 1, "the second has yet to be delivered");
        outbox.deliver().await;
        assert_eq!(outbox.listener.customers(), [1, 2]);
        assert_eq!(outbox.events.clean_up().await.unwrap(), 1);
        outbox.publish(3).await;
        outbox.deliver().await;
        assert_eq!(outbox.listener.customers(), [1, 2, 3], "positions go on where they were");
    });
}

#[test]
fn the_rooms_tell_what_happened_in_the_transaction_that_did_it() {
    on_both_engines(async |test| {
        let outbox = Outbox::new(&test.db);
        let (db, now) = (&test.db, outbox.clock.now());
        let mut tx = db.begin(SHOP).await.unwrap();
        let program = Program::standard(Currency::parse("GBP").unwrap());
        programs::set(&mut tx, SHOP, program, now).await.unwrap();
        tx.commit().await.unwrap();
        let take = async |order: &Order, commit: bool| {
            let order = payload::order(order.payload().to_string().as_bytes()).unwrap().unwrap();
            let mut tx = db.begin(SHOP).await.unwrap();
            let incoming = Incoming::Order { order: Box::new(order), metafield: None, opens: true };
            orders::process(&mut tx, SHOP, vec![incoming], now).await.unwrap();
            if commit { tx.commit().await.unwrap() } else { tx.rollback().await.unwrap() }
        };
        take(&Order::new(1, 101), false).await;
        take(&Order::new(1, 101), true).await;
        take(&Order::new(1, 101), true).await; // a repeat is nothing new
        let member = {
            let mut read = db.read_across().await.unwrap();
            loyalnest::customers::member(&mut read, SHOP, CustomerId(101)).await.unwrap().unwrap()
        };
        let mut tx = db.begin(SHOP).await.unwrap();
        let wish = lifecycle::Wish {
            reward: "points".into(),
            points: Some(Points::new(100).unwrap()),
            currency: Currency::parse("GBP").unwrap(),
            scope: Scope::Cart,
        };
        let hold = lifecycle::open(&mut tx, SHOP, member, wish, now).await.unwrap();
        tx.commit().await.unwrap();
        let mark = Mark { hold: hold.id, attempt: 1 }.to_string();
        let redeems = |id| Order {
            discount: Some("1.00"),
            mark: Some(mark.clone()),
            status: "pending",
            ..Order::new(id, 101)
        };
        take(&redeems(2), true).await;
        take(&redeems(3), true).await; // the hold is spent: the member pays again, and a person is to look

        outbox.deliver().await;
        let told = outbox.listener.told.lock().unwrap().clone();
        let kinds: Vec<_> = told.iter().map(|told| told.event.kind().as_str()).collect();
        let expected = ["customer.created", "points.earned", "points.redeemed", "redemption.unbacked"];
        assert_eq!(kinds, expected);
        assert!(told.iter().all(|told| told.key == format!("member:{member}") && told.shop == SHOP));
        let created = CustomerCreated { member, customer: CustomerId(101) };
        assert_eq!(told[0].event, Event::CustomerCreated(created));
        let Event::PointsEarned(earned) = &told[1].event else { panic!("{told:?}") };
        assert_eq!((earned.points, earned.source_id.as_str(), earned.member), (100, "order:1#1", member));
        let Event::PointsRedeemed(redeemed) = &told[2].event else { panic!("{told:?}") };
        assert_eq!((redeemed.points, redeemed.member), (100, member));
        let unbacked = RedemptionUnbacked {
            order: OrderId(3),
            member: Some(member),
            currency: "GBP".into(),
            used_minor: 100,
            unbacked_minor: 100,
        };
        assert_eq!(told[3].event, Event::RedemptionUnbacked(unbacked));
        let ids: HashMap<Uuid, i64> = told.iter().map(|told| (told.id, told.position)).collect();
        assert_eq!(ids.len(), 4);
    });
}
