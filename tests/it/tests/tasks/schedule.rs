//! What the clock starts: once, however many processes look at it; each shop in its own zone.

use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::clock::Clock;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::db::{Db, Timestamp};
use loyalnest::ids::ShopId;
use loyalnest::shopify::ShopDomain;
use loyalnest::shopify::admin::ShopDetails;
use loyalnest::tasks::{Schedule, When};

use super::script::{self, Brief};
use crate::support::TestDb;
use crate::support::app::{SHOP, TestApp};
use crate::support::on_both_engines;

fn nightly() -> Vec<Schedule> {
    let one = "01:00".parse().unwrap();
    vec![Schedule::new(&Brief {}, When::Daily(one)).unwrap()]
}

async fn app(test: &TestDb, now: &str) -> App {
    script::scheduled(test.db.clone(), Clock::fixed(now.parse().unwrap()), &[], nightly()).await
}

async fn shop(app: &App, name: &str, zone: &str) -> ShopId {
    let domain: ShopDomain = format!("{name}.myshopify.com").parse().unwrap();
    let details = ShopDetails {
        id: "gid://shopify/Shop/1".into(),
        name: name.into(),
        domain: domain.to_string(),
        currency: "GBP".into(),
        time_zone: zone.into(),
    };
    app.shops.register(details, &domain, &Secret::new("shpat_1")).await.unwrap().id
}

/// Key and time of a shop's tasks.
async fn started(db: &Db, shop: ShopId) -> Vec<(String, String)> {
    let mut read = db.read_across().await.unwrap();
    let rows: Vec<(String, Timestamp)> =
        db!(read.all, "select key, run_at from tasks where shop_id = $1 order by run_at", shop).unwrap();
    rows.into_iter().map(|(key, at)| (key, at.to_string())).collect()
}

fn pair(key: &str, at: &str) -> (String, String) {
    (key.to_owned(), at.to_owned())
}

#[test]
fn an_occurrence_is_started_once_however_many_processes_look() {
    on_both_engines(async |test| {
        let app = app(test, "2026-11-26T09:00:00Z").await;
        let tea = shop(&app, "tea", "Europe/London").await;
        assert_eq!(app.tasks.tick().await.unwrap(), 0, "a new shop has missed nothing");
        app.clock.advance(SignedDuration::from_hours(16));
        let mut looking = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let other = script::scheduled(test.db.clone(), app.clock.clone(), &[], nightly()).await;
            looking.spawn(async move { other.tasks.tick().await.unwrap() });
        }
        let mut count = 0;
        while let Some(started) = looking.join_next().await {
            count += started.unwrap();
        }
        assert_eq!((count, app.tasks.tick().await.unwrap()), (1, 0));
        assert_eq!(started(&test.db, tea).await, [pair("2026-11-27", "2026-11-27T01:00:00Z")]);
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 1);

        // Nobody looked for two days: the newest is made up for, the one before is not.
        app.clock.advance(SignedDuration::from_hours(48));
        assert_eq!((app.tasks.tick().await.unwrap(), app.tasks.tick().await.unwrap()), (1, 0));
        assert_eq!(started(&test.db, tea).await[1..], [pair("2026-11-29", "2026-11-29T01:00:00Z")]);
    });
}

#[test]
fn what_comes_round_for_each_shop_comes_at_its_own_moment() {
    on_both_engines(async |test| {
        let two_hours = SignedDuration::from_hours(2);
        let often = vec![Schedule::new(&Brief {}, When::Each(two_hours)).unwrap().spread(two_hours)];
        let clock = Clock::fixed("2026-11-26T09:00:00Z".parse().unwrap());
        let app = script::scheduled(test.db.clone(), clock, &[], often).await;
        let shops = [shop(&app, "tea", "Europe/London").await, shop(&app, "sencha", "Asia/Tokyo").await];
        // Nobody looked for a day: the newest is made up for.
        app.clock.advance(SignedDuration::from_hours(24));
        assert_eq!((app.tasks.tick().await.unwrap(), app.tasks.tick().await.unwrap()), (2, 0));
        app.clock.advance(two_hours);
        assert_eq!((app.tasks.tick().await.unwrap(), app.tasks.tick().await.unwrap()), (2, 0));
        let mut moments = Vec::new();
        for shop in shops {
            let started = started(&test.db, shop).await;
            let keys: Vec<&str> = started.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys, ["2026-11-27T08:00:00Z", "2026-11-27T10:00:00Z"]);
            let at: Vec<Timestamp> = started.iter().map(|(_, at)| at.parse().unwrap()).collect();
            assert_eq!(at[1] - at[0], two_hours);
            moments.push(at[0]);
        }
        assert_ne!(moments[0], moments[1]);
    });
}

#[test]
fn each_shop_has_its_own_night() {
    on_both_engines(async |test| {
        let app = app(test, "2026-11-26T09:00:00Z").await;
        let new_york = shop(&app, "bagel", "America/New_York").await;
        let tokyo = shop(&app, "sencha", "Asia/Tokyo").await;
        app.clock.set("2026-11-26T16:00:00Z".parse().unwrap());
        assert_eq!(app.tasks.tick().await.unwrap(), 1);
        assert_eq!(started(&test.db, tokyo).await, [pair("2026-11-27", "2026-11-26T16:00:00Z")]);
        assert!(started(&test.db, new_york).await.is_empty());
        app.clock.set("2026-11-27T06:00:00Z".parse().unwrap());
        assert_eq!(app.tasks.tick().await.unwrap(), 1);
        assert_eq!(started(&test.db, new_york).await, [pair("2026-11-27", "2026-11-27T06:00:00Z")]);
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(tx.execute, "update merchants_shops set time_zone = 'Mars/Olympus' where shop_id = $1", new_york)
            .unwrap();
        tx.commit().await.unwrap();
        app.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(app.tasks.tick().await.unwrap(), 1, "an unknown zone keeps nobody else from their night");
    });
}

#[test]
fn a_night_with_a_gap_and_a_night_with_an_hour_twice_come_once_each() {
    on_both_engines(async |test| {
        let app = app(test, "2026-03-28T09:00:00Z").await;
        let tea = shop(&app, "tea", "Europe/London").await;
        let look = async |from: &str, hours: i64| {
            app.clock.set(from.parse().unwrap());
            for _ in 0..hours * 4 {
                app.tasks.tick().await.unwrap();
                app.clock.advance(SignedDuration::from_mins(15));
            }
        };
        look("2026-03-28T12:00:00Z", 36).await;
        assert_eq!(started(&test.db, tea).await, [pair("2026-03-29", "2026-03-29T01:00:00Z")]);
        look("2026-10-24T12:00:00Z", 36).await;
        assert_eq!(
            started(&test.db, tea).await[1..],
            [pair("2026-10-24", "2026-10-24T00:00:00Z"), pair("2026-10-25", "2026-10-25T00:00:00Z")]
        );
    });
}

#[test]
fn housekeeping_is_done_every_hour() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        let tasks = &app.app.tasks;
        // The installation's own: all, and those that are done. The shop is looked at now and then, too.
        let own = async || -> (i64, i64) {
            let mut read = test.db.read_across().await.unwrap();
            db!(
                read.one,
                "select count(*), coalesce(cast(sum(case when state = 'done' then 1 else 0 end) as bigint), 0)
                 from tasks where shop_id = $1",
                ShopId(uuid::Uuid::nil())
            )
            .unwrap()
        };
        tasks.tick().await.unwrap();
        assert_eq!(tasks.tick().await.unwrap(), 0);
        assert_eq!(own().await, (6, 0));
        tasks.run_due(&app.app).await.unwrap();
        app.advance(SignedDuration::from_mins(59));
        tasks.tick().await.unwrap();
        assert_eq!(own().await, (6, 6));
        app.advance(SignedDuration::from_mins(1));
        tasks.tick().await.unwrap();
        tasks.run_due(&app.app).await.unwrap();
        assert_eq!(own().await, (12, 12));
        let mut read = test.db.read_across().await.unwrap();
        let (told,): (i64,) = db!(
            read.one,
            "select count(*) from events_outbox where kind like 'task.%' and shop_id = $1",
            ShopId(uuid::Uuid::nil())
        )
        .unwrap();
        assert_eq!(told, 0, "the installation's own tasks belong to no shop");
        drop(read);
        assert_eq!(app.shop.domain.as_str(), SHOP);

        // A week later they are forgotten, by one of them.
        app.advance(SignedDuration::from_hours(169));
        tasks.tick().await.unwrap();
        tasks.run_due(&app.app).await.unwrap();
        assert_eq!(own().await.0, 6);
    });
}
