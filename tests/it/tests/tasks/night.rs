//! The night of many shops: each is scored at its own one o'clock, no herd comes, and all of a zone are done within the hour.
//!
//! When each shop is due the real schedule says, on a clock that is moved; its workers are counted, not waited for.

use async_trait::async_trait;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use loyalnest::app::App;
use loyalnest::chores;
use loyalnest::clock::Clock;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::db::{Engine, Timestamp};
use loyalnest::ids::ShopId;
use loyalnest::shopify::admin::ShopDetails;
use loyalnest::tasks::{Kind, Run, Task, TaskError};
use serde::{Deserialize, Serialize};

use crate::support::app::config;
use crate::support::{TestDb, on_engine};

/// How long the clock goes on between two looks: every zone's hour begins at one of them.
const STEP: SignedDuration = SignedDuration::from_mins(15);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// From west to east; some by half an hour or a quarter.
const ZONES: [&str; 8] = [
    "Pacific/Honolulu",
    "America/New_York",
    "America/St_Johns",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
];

/// In the place of the one that scores.
#[derive(Debug, Serialize, Deserialize)]
struct Refresh {}

#[async_trait]
impl Task for Refresh {
    const KIND: &'static str = "rfm.refresh";
    const PRIORITY: i64 = -1;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        run.finish(run.begin().await?).await
    }
}

/// A night of so many shops in these zones: when each was due, since its own one o'clock.
async fn night(test: &TestDb, shops: usize, zones: &[&str]) -> (App, Vec<SignedDuration>) {
    let start: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
    let schedules = chores::schedules().unwrap();
    let schedules = schedules.into_iter().filter(|one| one.kind() == Refresh::KIND).collect();
    let app = App::builder(config(&[]))
        .db(test.db.clone())
        .clock(Clock::fixed(start))
        .tasks(vec![Kind::of::<Refresh>()], schedules)
        .build()
        .await
        .unwrap();
    for number in 0..shops {
        let domain = format!("shop-{number}.myshopify.com");
        let details = ShopDetails {
            id: "gid://shopify/Shop/1".into(),
            name: "Tea".into(),
            domain: domain.clone(),
            currency: "GBP".into(),
            time_zone: zones[number % zones.len()].into(),
        };
        app.shops.register(details, &domain.parse().unwrap(), &Secret::new("shpat_1")).await.unwrap();
    }
    // Two days, so that every zone's second night, and nobody's third, is among them.
    let mut run = 0;
    while app.clock.now() < start + HOUR * 48 {
        app.tasks.tick().await.unwrap();
        run += app.tasks.run_due(&app).await.unwrap();
        app.clock.advance(STEP);
    }
    let mut read = test.db.read_across().await.unwrap();
    let due: Vec<(ShopId, String, Timestamp, String, i64)> = db!(
        read.all,
        "select t.shop_id, s.time_zone, t.run_at, t.state, t.attempts from tasks t
         join merchants_shops s on s.shop_id = t.shop_id where t.kind = 'rfm.refresh'"
    )
    .unwrap();
    assert_eq!(due.len(), run, "each ran once");
    assert!(due.iter().all(|(.., state, attempts)| (state.as_str(), *attempts) == ("done", 1)));
    let last = due.iter().fold(std::collections::HashMap::new(), |mut last, (shop, zone, at, ..)| {
        let at = *at;
        last.entry(*shop)
            .and_modify(|(_, known): &mut (String, Timestamp)| *known = (*known).max(at))
            .or_insert((zone.clone(), at));
        last
    });
    assert_eq!(last.len(), shops);
    let since_one = last.into_values().map(|(zone, at)| {
        let local = at.to_jiff().to_zoned(TimeZone::get(&zone).unwrap());
        let one = local.start_of_day().unwrap().checked_add(1.hour()).unwrap();
        local.timestamp().duration_since(one.timestamp())
    });
    let mut since_one: Vec<SignedDuration> = since_one.collect();
    since_one.sort_unstable();
    (app, since_one)
}

/// When the last of them is done, and how long one waited at most, if so many work and each takes so long.
fn served(due: &[SignedDuration], workers: usize, takes: SignedDuration) -> (SignedDuration, SignedDuration) {
    let mut free = vec![SignedDuration::ZERO; workers];
    let (mut end, mut longest) = (SignedDuration::ZERO, SignedDuration::ZERO);
    for &at in due {
        let worker = free.iter_mut().min().unwrap();
        let begins = at.max(*worker);
        *worker = begins + takes;
        (end, longest) = (end.max(*worker), longest.max(begins - at));
    }
    (end, longest)
}

/// Each takes four fifths of what there is time for.
async fn is_over_within_the_hour(test: &TestDb, shops: usize, zones: &[&str]) {
    let (app, due) = night(test, shops, zones).await;
    let workers = app.config.tasks.workers;
    let takes = HOUR * i32::try_from(workers).unwrap() * 4 / 5 / i32::try_from(shops).unwrap();
    let (end, waited) = served(&due, workers, takes);
    println!("{shops} shops, {workers} workers, {takes:?} each: over after {end:?}, one waited {waited:?}");
    assert!(end <= HOUR, "over after {end:?}");
    // The most that come in any minute: no herd.
    let busiest = due.chunk_by(|one, next| one.as_mins() == next.as_mins()).map(<[_]>::len).max().unwrap();
    let average = shops.div_ceil(50);
    assert!(busiest <= 2 * average + 10, "{busiest} in a minute, {average} on the average");
}

#[test]
fn the_shops_of_one_zone_are_done_within_the_hour() {
    on_engine(Engine::Sqlite, async |test| is_over_within_the_hour(test, 400, &["Europe/London"]).await);
}

#[test]
fn every_zone_has_its_own_hour() {
    on_engine(Engine::Sqlite, async |test| is_over_within_the_hour(test, 160, &ZONES).await);
}

#[test]
#[ignore = "takes minutes"]
fn five_thousand_shops_are_done_within_the_hour() {
    on_engine(Engine::Sqlite, async |test| is_over_within_the_hour(test, 5_000, &["Europe/London"]).await);
}

#[test]
#[ignore = "takes minutes"]
fn five_thousand_shops_across_zones_are_done_within_their_hours() {
    on_engine(Engine::Sqlite, async |test| is_over_within_the_hour(test, 5_000, &ZONES).await);
}
