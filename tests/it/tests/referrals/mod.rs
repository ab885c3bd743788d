//! Members who send others: what both get for the friend's first order, whatever becomes of it, on both engines.

mod booked;
mod told;

use axum::http::Method;
use loyalnest::customers;
use loyalnest::ids::CustomerId;
use loyalnest::orders::{self, Incoming, payload};
use loyalty::{Points, Referrals};
use serde_json::{Value, json};

use crate::support::TestDb;
use crate::support::counter::Counter;
use crate::support::orders::Order;

const ADA: i64 = 4_101_101;
const BOB: i64 = 4_202_202;
const EVE: i64 = 4_303_303;

/// The time of orders that come after a friend was sent, at noon on 23 November 2026.
const LATER: &str = "2026-11-23T13:00:00Z";

/// 200 points for whoever sends, 100 for whoever is sent, for a first order of 20 pounds within 30 days.
fn referrals() -> Referrals {
    let points = |points| Points::new(points).unwrap();
    Referrals {
        advocate: points(200),
        friend: points(100),
        min: 2_000,
        days: 30,
        wait_days: 0,
        limit: None,
        review_from: None,
        landing: "/pages/friends".into(),
    }
}

/// A shop whose program has referrals; orders earn nothing else that would be in the way of counting.
async fn opened(test: &TestDb) -> Counter {
    let counter = Counter::open(test).await;
    counter
        .set_program(|program| {
            program.referrals = Some(referrals());
            program.earn.per = 10_000_000;
        })
        .await;
    counter
}

/// A paid order of a hundred pounds, placed after the friend was sent.
fn order(id: i64, customer: i64) -> Order {
    Order { placed_at: LATER.into(), updated_at: LATER.into(), ..Order::new(id, customer) }
}

impl Counter {
    async fn code(&self, customer: i64) -> String {
        let own = self.proxy(customer, Method::GET, "/proxy/referral", &Value::Null).await.json();
        own["code"].as_str().unwrap().to_owned()
    }

    /// The friend says who sent them.
    async fn sends(&self, advocate: i64, friend: i64) {
        let code = self.code(advocate).await;
        let told = self.proxy(friend, Method::POST, "/proxy/referrals", &json!({"code": code})).await;
        assert_eq!(told.json()["state"], "waiting");
    }

    fn heard(&self, order: &Order) -> Incoming {
        let order = payload::order(order.payload().to_string().as_bytes()).unwrap().unwrap();
        Incoming::Order { order: Box::new(order), metafield: None, opens: true }
    }

    fn back(&self, refund: &Value) -> Incoming {
        Incoming::Refund(payload::refund(refund.to_string().as_bytes()).unwrap())
    }

    async fn take(&self, batch: Vec<Incoming>) {
        let mut tx = self.door.app.db.begin(self.id).await.unwrap();
        orders::process(&mut tx, self.id, batch, self.door.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn take_order(&self, order: &Order) {
        self.take(vec![self.heard(order)]).await;
    }

    async fn merge(&self, gone: i64, kept: i64) {
        let mut tx = self.door.app.db.begin(self.id).await.unwrap();
        let (kept, gone) = (CustomerId(kept), CustomerId(gone));
        assert!(customers::merge(&mut tx, self.id, kept, gone, self.door.now()).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// What both have, available and pending.
    async fn have(&self, advocate: i64, friend: i64) -> [(i64, i64); 2] {
        let (ada, bob) = (self.points(advocate).await, self.points(friend).await);
        [(ada.0, ada.1), (bob.0, bob.1)]
    }

    /// By which a customer was sent last, as staff see it.
    async fn sent_by(&self, customer: i64) -> Value {
        self.get(&format!("/api/members/{customer}/referrals")).await["sent_by"][0].clone()
    }

    /// State and reason of all referrals, the newest first.
    async fn states(&self) -> Vec<(String, Option<String>)> {
        let all = self.get("/api/referrals").await;
        let all = all["referrals"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        all.map(|one| (text(&one["state"]).unwrap(), text(&one["reason"]))).collect()
    }
}
