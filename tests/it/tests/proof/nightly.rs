//! Every night the books are proven, and what comes of it is told.

use axum::http::Method;
use jiff::SignedDuration;
use loyalnest::db;
use serde_json::{Value, json};

use crate::support::counter::Counter;
use crate::support::on_both_engines;
use crate::topics::events;

const ADA: i64 = 4_101_101;

async fn a_day_later(counter: &Counter) {
    counter.door.advance(SignedDuration::from_hours(24));
    counter.door.app.tasks.tick().await.unwrap();
    let app = &counter.door.app;
    while app.tasks.run_due(app).await.unwrap() > 0 {}
}

#[test]
fn the_books_are_proven_every_night_and_staff_see_what_came_of_it() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let never = counter.door.staff(42, Method::GET, "/api/proof", &Value::Null).await;
        assert_eq!(never.problem(), (404, "never_proven".to_owned()));
        counter.member(ADA).await;
        let given = json!({"points": 500, "reason": "goodwill"});
        counter.post(&format!("/api/members/{ADA}/adjustments"), "k1", &given).await.json();
        a_day_later(&counter).await;
        let proof = counter.get("/api/proof").await;
        assert_eq!(
            (&proof["violations"], &proof["entries"], &proof["postings"]),
            (&json!(0), &json!(1), &json!(2))
        );
        assert_eq!((&proof["blocks"], proof["head"].as_str().unwrap().len()), (&json!(1), 64));
        let invariants = proof["invariants"].as_object().unwrap();
        assert!(invariants.len() > 15 && invariants.values().all(|count| *count == 0), "{invariants:?}");
        assert!(events(test, "books.broken").await.is_empty());

        let mut tx = test.db.begin(counter.id).await.unwrap();
        db!(tx.execute, "update points_accounts set available = 501 where shop_id = $1", counter.id).unwrap();
        tx.commit().await.unwrap();
        a_day_later(&counter).await;
        let proof = counter.get("/api/proof").await;
        assert_eq!(proof["violations"], 2);
        assert_eq!(proof["invariants"]["balances_are_their_postings"], 1);
        let told = events(test, "books.broken").await;
        assert_eq!(told.len(), 1);
        let broken = ["balances_are_their_postings", "available_is_open_lots_less_deficit"];
        assert_eq!(told[0], json!({"violations": 2, "invariants": broken}));
    });
}
