//! The bonus for signing up: for whoever gets an account while the app is there, once for each person.

use axum::http::Method;
use jiff::SignedDuration;
use loyalnest::customers;
use loyalnest::ids::CustomerId;
use serde_json::{Value, json};

use super::points_of;
use crate::support::TestDb;
use crate::support::counter::Counter;
use crate::support::on_both_engines;
use crate::support::orders::Order;

const ADA: i64 = 4_101_101;
const BOB: i64 = 4_202_202;

/// A shop that gives 200 points for signing up.
async fn opened(test: &TestDb) -> Counter {
    let counter = Counter::open(test).await;
    counter.set_program(|program| program.bonuses.sign_up = points_of(200)).await;
    counter
}

impl Counter {
    async fn told(&self, id: &str, topic: &str, body: &Value) {
        self.door.advance(SignedDuration::from_secs(1));
        assert_eq!(self.door.webhook(id, topic, self.door.now(), body).await, 200);
    }

    async fn state(&self, id: &str, topic: &str, customer: i64, state: &str) {
        let body = json!({"id": customer, "state": state, "updated_at": self.door.now()});
        self.told(id, topic, &body).await;
    }

    async fn visits(&self, customer: i64) -> Value {
        self.proxy(customer, Method::GET, "/proxy/account", &Value::Null).await.json()
    }

    async fn merged(&self, gone: i64, kept: i64) {
        let gid = |id: i64| format!("gid://shopify/Customer/{id}");
        let body = json!({"admin_graphql_api_customer_kept_id": gid(kept), "status": "completed",
                          "admin_graphql_api_customer_deleted_id": gid(gone)});
        self.told(&format!("merge {gone} {kept}"), "customers/merge", &body).await;
    }
}

#[test]
fn whoever_gets_an_account_has_signed_up_once() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.state("1", "customers/create", ADA, "enabled").await;
        assert_eq!(counter.points(ADA).await, (200, 0, 0));
        counter.state("2", "customers/create", BOB, "disabled").await;
        assert_eq!(counter.points(BOB).await, (0, 0, 0), "not yet");
        for (id, state) in [("3", "invited"), ("4", "enabled"), ("5", "disabled"), ("6", "enabled")] {
            counter.state(id, "customers/update", ADA, state).await;
            counter.state(&format!("{id} too"), "customers/update", BOB, state).await;
        }
        for _ in 0..2 {
            assert_eq!(counter.visits(ADA).await["points"], 200);
            assert_eq!(counter.visits(BOB).await["points"], 200);
        }
        counter.is_sound().await;
    });
}

#[test]
fn who_had_an_account_before_the_app_came_has_not_signed_up() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        // A member of whom nothing was told, and a customer who is none.
        counter.member(ADA).await;
        for customer in [ADA, BOB] {
            counter.state(&format!("{customer}"), "customers/update", customer, "enabled").await;
        }
        assert_eq!(counter.visits(ADA).await["points"], 0);
        assert_eq!(counter.visits(BOB).await["points"], 0);
        assert_eq!((counter.points(ADA).await, counter.points(BOB).await), ((0, 0, 0), (0, 0, 0)));
        counter.is_sound().await;
    });
}

#[test]
fn a_customer_of_whom_shopify_says_nothing_has_signed_up_once_they_are_signed_in() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.state("1", "customers/create", ADA, "disabled").await;
        assert_eq!(counter.visits(ADA).await["points"], 200);
        counter.state("2", "customers/update", ADA, "enabled").await;
        assert_eq!(counter.visits(ADA).await["points"], 200);
        counter.is_sound().await;
    });
}

#[test]
fn what_is_told_in_the_wrong_order_ends_the_same() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        // An order enrols them; then it is told that they have an account, and last that they were made.
        let order = Order::new(1, ADA).payload();
        counter.told("1", "orders/create", &order).await;
        let made = json!({"id": ADA, "state": "disabled", "updated_at": counter.door.now()});
        counter.state("2", "customers/update", ADA, "enabled").await;
        assert_eq!(counter.points(ADA).await, (100, 0, 0), "they may have had it for years");
        counter.told("3", "customers/create", &made).await;
        assert_eq!(counter.points(ADA).await, (300, 0, 0));
        counter.told("4", "customers/create", &made).await;
        assert_eq!(counter.points(ADA).await, (300, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn a_guest_signs_up_when_they_have_an_account_and_their_first_order_is_the_members() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.set_program(|program| program.bonuses.first_order = points_of(500)).await;
        let mut order = Order::new(1, ADA).payload();
        order["customer"]["state"] = "disabled".into();
        counter.told("1", "orders/create", &order).await;
        assert_eq!(counter.points(ADA).await, (600, 0, 0), "not for signing up");
        assert_eq!(counter.visits(ADA).await["points"], 800);
        counter.told("2", "orders/create", &Order::new(2, ADA).payload()).await;
        assert_eq!(counter.points(ADA).await, (900, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn customers_who_become_one_have_signed_up_once() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let eve = ADA + 7;
        counter.state("1", "customers/create", ADA, "enabled").await;
        counter.state("2", "customers/create", BOB, "enabled").await;
        counter.state("3", "customers/create", eve, "disabled").await;
        counter.merged(BOB, ADA).await;
        assert_eq!(counter.points(ADA).await, (200, 0, 0));
        counter.merged(ADA, eve).await;
        counter.state("4", "customers/update", eve, "enabled").await;
        assert_eq!(counter.points(eve).await, (200, 0, 0), "as who was merged into them had");
        counter.is_sound().await;
    });
}

#[test]
fn a_bonus_that_was_spent_before_the_merge_is_taken_back_as_far_as_the_policy_says() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.state("1", "customers/create", ADA, "enabled").await;
        counter.state("2", "customers/create", BOB, "enabled").await;
        let spent = json!({"points": -150, "reason": "correction"});
        counter.post(&format!("/api/members/{BOB}/adjustments"), "k1", &spent).await.json();
        counter.post(&format!("/api/members/{ADA}/adjustments"), "k2", &spent).await.json();
        counter.merged(BOB, ADA).await;
        assert_eq!(counter.points(ADA).await, (0, 0, 0), "100 were there, 200 to be taken back");
        counter.is_sound().await;
    });
}

#[test]
fn nobody_gets_later_what_the_program_did_not_give_and_nobody_who_is_gone_gets_anything() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.state("1", "customers/create", ADA, "enabled").await;
        counter.set_program(|program| program.bonuses.sign_up = points_of(200)).await;
        counter.state("2", "customers/update", ADA, "disabled").await;
        counter.state("3", "customers/update", ADA, "enabled").await;
        assert_eq!(counter.visits(ADA).await["points"], 0);

        counter.state("4", "customers/create", BOB, "disabled").await;
        counter.told("5", "customers/delete", &json!({"id": BOB})).await;
        counter.state("6", "customers/update", BOB, "enabled").await;
        assert_eq!(counter.points(BOB).await, (0, 0, 0));
        let erased = ADA + 7;
        counter.state("7", "customers/create", erased, "disabled").await;
        let member = counter.member(erased).await;
        let mut tx = test.db.begin(counter.id).await.unwrap();
        customers::redact(&mut tx, counter.id, CustomerId(erased), counter.door.now()).await.unwrap();
        tx.commit().await.unwrap();
        customers::signed_in(&test.db, counter.id, member, counter.door.now()).await.unwrap();
        let mut read = test.db.read(counter.id).await.unwrap();
        let totals = loyalnest::points::totals(&mut read, counter.id).await.unwrap();
        assert_eq!(totals.issued, 0);
        counter.is_sound().await;
    });
}
