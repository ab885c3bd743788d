//! How likely members stay away, and the steps that a shop's members suggest.

use axum::http::Method;
use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::Timestamp;
use serde_json::{Value, json};

use super::order;
use super::staff::refresh;
use crate::support::counter::{Counter, OWNER};
use crate::support::till::Shop;
use crate::support::{TestDb, on_both_engines};

/// Customers who bought in each of these months and have not come since.
const MONTHLY: [&str; 3] = ["2026-06-01", "2026-07-01", "2026-08-01"];
/// One of them.
const LOST: i64 = 5_000;
/// One who has just begun to buy.
const NEW: i64 = 4_000;

/// A counter at which so many customers have bought monthly, and one is new.
async fn opened(test: &TestDb, monthly: i64) -> Counter {
    let counter = Counter::open(test).await;
    let shop = Shop { db: &test.db, id: counter.id, now: counter.door.now() };
    let mut orders = vec![shop.order(&order(1, NEW, "2026-11-20", "30.00"))];
    for customer in LOST..LOST + monthly {
        for (n, day) in (0..).zip(MONTHLY) {
            orders.push(shop.order(&order(customer * 10 + n, customer, day, "20.00")));
        }
    }
    shop.take(orders).await;
    counter
}

async fn member(counter: &Counter, customer: i64) -> Value {
    counter.get(&format!("/api/members/{customer}/rfm")).await
}

async fn counted(test: &TestDb, counter: &Counter) -> (i64, Timestamp) {
    let mut read = test.db.read(counter.id).await.unwrap();
    db!(read.one, "select returns, counted_at from rfm_churn where shop_id = $1", counter.id).unwrap()
}

#[test]
fn how_likely_members_stay_away_is_told_with_what_fits_them() {
    on_both_engines(async |test| {
        let counter = opened(test, 60).await;
        refresh(&counter).await;
        let (new, lost) = (member(&counter, NEW).await, member(&counter, LOST).await);
        assert_eq!(new["churn"]["weeks"], 13);
        assert!(new["churn"]["permille"].as_u64().unwrap() < 100, "whoever began came again: {new}");
        assert!(lost["churn"]["permille"].as_u64().unwrap() > 900, "nobody came after so long: {lost}");
        assert_eq!((&lost["group"], &lost["suggested"]), (&json!("dormant"), &json!("let_rest")));
        let stranger = 9_999_999;
        counter.member(stranger).await;
        let prospect = member(&counter, stranger).await;
        let expected = (&Value::Null, &json!("invite_first_order"));
        assert_eq!((&prospect["churn"], &prospect["suggested"]), expected);
        counter.is_sound().await;
    });
}

#[test]
fn where_few_came_again_nothing_is_told() {
    on_both_engines(async |test| {
        let counter = opened(test, 49).await;
        refresh(&counter).await;
        assert_eq!(counted(test, &counter).await.0, 98);
        assert_eq!(member(&counter, LOST).await["churn"], Value::Null);
    });
}

#[test]
fn silences_are_counted_once_a_week() {
    on_both_engines(async |test| {
        let counter = opened(test, 2).await;
        refresh(&counter).await;
        let first = counted(test, &counter).await;
        for (days, is_new) in [(1, false), (5, false), (1, true)] {
            counter.door.advance(SignedDuration::from_hours(24 * days));
            refresh(&counter).await;
            assert_eq!(counted(test, &counter).await.1 > first.1, is_new);
        }
    });
}

#[test]
fn steps_are_proposed_that_the_program_takes() {
    on_both_engines(async |test| {
        let counter = opened(test, 60).await;
        let proposal = async || counter.get("/api/rfm/proposal").await;
        let before = proposal().await;
        assert_eq!(before["rfm"]["recency_decay"], Value::Null, "nothing is known of intervals: {before}");
        refresh(&counter).await;
        let proposal = proposal().await;
        assert_eq!(proposal["rfm"]["recency_decay"], json!({"kind": "subscription", "every_days": 30}));
        assert_eq!(proposal["counts"]["base"], 61);
        let preview = json!({"rfm": proposal["rfm"]});
        let preview = counter.door.staff(OWNER, Method::POST, "/api/rfm/preview", &preview).await.json();
        assert_eq!(preview["segments"], proposal["counts"]["segments"]);
        let rfm = serde_json::from_value(proposal["rfm"].clone()).unwrap();
        counter.set_program(|program| program.rfm = rfm).await;
        refresh(&counter).await;
        let counts = counter.get("/api/rfm/segments").await;
        assert_eq!(counts["segments"], proposal["counts"]["segments"], "it came to what was shown");
    });
}

#[test]
fn a_shop_without_members_has_steps_proposed() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let proposal = counter.get("/api/rfm/proposal").await;
        assert_eq!(
            (&proposal["counts"]["base"], &proposal["rfm"]["kind"]),
            (&json!(0), &json!("thresholds"))
        );
    });
}
