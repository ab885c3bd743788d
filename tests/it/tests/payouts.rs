//! Store credit and gift cards that points buy, whatever becomes of the call at Shopify: once, or not at all and the points
//! are back.

use axum::http::Method;
use devshop::{AdminFault, AdminFaultKind, Currency};
use jiff::SignedDuration;
use loyalnest::ids::CustomerId;
use loyalnest::redemptions::payouts::Resume;
use loyalnest::{customers, db, tasks};
use loyalty::reward::{Amounts, Benefit};
use loyalty::{Gate, Limit, Period, Points, Reward};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::counter::{Counter, OWNER};
use crate::support::orders::Order;
use crate::support::{TestDb, on_both_engines};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// The operations that must not be sent twice.
const CALLS: [&str; 2] = ["StoreCreditAccountCredit", "GiftCardCreate"];

/// A shop that pays out five pounds for 450 points.
async fn open(test: &TestDb) -> Counter {
    let counter = Counter::open(test).await;
    let value = Amounts::from([(loyalty::Currency::parse("GBP").unwrap(), 500)]);
    let reward = |id: &str, benefit| Reward {
        id: id.into(),
        name: id.into(),
        points: Points::new(450).unwrap(),
        benefit,
        min: Amounts::new(),
        gate: Gate::default(),
    };
    let credit = reward("credit", Benefit::StoreCredit { value: value.clone() });
    let card = reward("card", Benefit::GiftCard { value });
    counter.set_program(|program| program.rewards.extend([credit, card])).await;
    counter
}

/// A customer with a thousand points.
async fn ada(counter: &Counter) -> i64 {
    let customer = counter.door.shop.add_customer("Ada", "Byron", "ada@example.com").id as i64;
    counter.member(customer).await;
    let path = format!("/api/members/{customer}/adjustments");
    let key = format!("begin-{customer}");
    counter.post(&path, &key, &json!({"points": 1000, "reason": "goodwill"})).await.json();
    customer
}

fn wish(id: Uuid, reward: &str) -> Value {
    json!({"id": id, "reward": reward, "currency": "GBP"})
}

async fn ask(counter: &Counter, customer: i64, body: &Value) -> Value {
    counter.proxy(customer, Method::POST, "/proxy/payouts", body).await.json()
}

async fn refused(counter: &Counter, customer: i64, body: &Value) -> (u16, String) {
    counter.proxy(customer, Method::POST, "/proxy/payouts", body).await.problem()
}

/// State, and why nothing was paid out.
async fn state(counter: &Counter, customer: i64, id: Uuid) -> (String, Option<String>) {
    let path = format!("/proxy/payouts/{id}");
    let payout = counter.proxy(customer, Method::GET, &path, &Value::Null).await.json();
    (payout["state"].as_str().unwrap().to_owned(), payout["reason"].as_str().map(str::to_owned))
}

async fn work(counter: &Counter) {
    counter.door.app.tasks.run_due(&counter.door.app).await.unwrap();
}

/// How often Shopify carried out one of the calls that must not be sent twice.
fn executed(counter: &Counter) -> usize {
    let calls = counter.door.shop.admin_calls();
    calls.iter().filter(|call| CALLS.contains(&call.operation.as_str()) && call.executed).count()
}

/// How often one of them was sent.
fn sent(counter: &Counter) -> usize {
    let calls = counter.door.shop.admin_calls();
    calls.iter().filter(|call| CALLS.contains(&call.operation.as_str())).count()
}

/// How many were made at Shopify.
fn made(counter: &Counter) -> usize {
    counter.door.shop.store_credits().len() + counter.door.shop.gift_cards().len()
}

#[test]
fn points_buy_store_credit_and_gift_cards_and_the_same_wish_is_the_same_payout() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let ada = ada(&counter).await;
        let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
        let asked = ask(&counter, ada, &wish(first, "credit")).await;
        assert_eq!(
            (&asked["state"], &asked["value"], &asked["points"]),
            (&json!("asked"), &json!(500), &json!(450))
        );
        assert_eq!(counter.points(ada).await, (550, 0, 450));
        assert_eq!(ask(&counter, ada, &wish(first, "credit")).await, asked);
        assert_eq!(refused(&counter, ada, &wish(second, "card")).await, (409, "payout_under_way".into()));
        work(&counter).await;
        assert_eq!(state(&counter, ada, first).await, ("done".into(), None));
        let again = counter.proxy(ada, Method::POST, "/proxy/payouts", &wish(first, "credit")).await;
        assert_eq!(again.status, 200, "nothing more comes of it");
        assert_eq!(counter.points(ada).await, (550, 0, 0));
        ask(&counter, ada, &wish(second, "card")).await;
        for _ in 0..2 {
            work(&counter).await;
            assert_eq!(ask(&counter, ada, &wish(second, "card")).await["state"], "done");
        }
        assert_eq!(counter.points(ada).await, (100, 0, 0));
        let shop = &counter.door.shop;
        let credits: Vec<_> = shop.store_credits().iter().map(|one| (one.customer, one.minor)).collect();
        assert_eq!(credits, [(ada as u64, 500)]);
        let cards: Vec<_> = shop.gift_cards().into_iter().map(|card| (card.minor, card.note)).collect();
        assert_eq!(cards, [(500, Some(format!("LoyalNest {second}")))]);
        assert_eq!(sent(&counter), 2);
        counter.is_sound().await;
    });
}

#[test]
fn a_wish_that_makes_no_sense_holds_no_points() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let (ada, bob) = (ada(&counter).await, ada(&counter).await);
        let first = Uuid::now_v7();
        for (body, code) in [
            (wish(first, "five-off"), (422, "had_in_another_way")),
            (wish(first, "moon"), (404, "unknown_reward")),
            (json!({"id": first, "reward": "credit", "currency": "EUR"}), (422, "not_offered_in_currency")),
            (json!({"id": "one", "reward": "credit", "currency": "GBP"}), (400, "bad_body")),
        ] {
            assert_eq!(refused(&counter, ada, &body).await, (code.0, code.1.into()), "{body}");
        }
        let pick = json!({"reward": "credit", "currency": "GBP"});
        let picked = counter.proxy(ada, Method::POST, "/proxy/redemptions", &pick).await;
        assert_eq!(picked.problem(), (422, "had_in_another_way".into()));
        ask(&counter, ada, &wish(first, "credit")).await;
        // The id is taken: for another reward, by another member.
        assert_eq!(refused(&counter, ada, &wish(first, "card")).await, (409, "payout_id_reused".into()));
        assert_eq!(refused(&counter, bob, &wish(first, "credit")).await, (409, "payout_id_reused".into()));
        let shown = counter.proxy(bob, Method::GET, &format!("/proxy/payouts/{first}"), &Value::Null).await;
        assert_eq!(shown.problem(), (404, "unknown_payout".into()));
        assert_eq!((counter.points(ada).await, counter.points(bob).await), ((550, 0, 450), (1000, 0, 0)));
        counter.is_sound().await;
    });
}

#[test]
fn stock_and_limits_hold_for_what_is_paid_out_too() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let (ada, bob) = (ada(&counter).await, ada(&counter).await);
        let limit = Some(Limit { most: 1, per: Period::Ever });
        counter
            .set_program(|program| {
                let credit = program.rewards.iter_mut().find(|reward| reward.id == "credit").unwrap();
                credit.gate.limit = limit;
            })
            .await;
        let stock = json!({"stock": 1});
        counter.door.staff(OWNER, Method::PUT, "/api/rewards/credit/stock", &stock).await.json();
        let first = Uuid::now_v7();
        ask(&counter, ada, &wish(first, "credit")).await;
        assert_eq!(refused(&counter, bob, &wish(Uuid::now_v7(), "credit")).await, (422, "sold_out".into()));
        // Shopify does not know her: she has had none, and there is one again.
        counter.door.shop.delete_customer(ada as u64);
        work(&counter).await;
        assert_eq!(state(&counter, ada, first).await, ("refused".into(), Some("OWNER_NOT_FOUND".into())));
        assert_eq!(counter.points(ada).await, (1000, 0, 0));
        let second = Uuid::now_v7();
        ask(&counter, bob, &wish(second, "credit")).await;
        work(&counter).await;
        assert_eq!(state(&counter, bob, second).await.0, "done");
        let rewards = counter.get("/api/rewards").await;
        let credit = rewards.as_array().unwrap().iter().find(|reward| reward["id"] == "credit").unwrap();
        assert_eq!(credit["stock"], 0, "what was paid out does not come back");
        assert_eq!(
            refused(&counter, bob, &wish(Uuid::now_v7(), "credit")).await,
            (422, "limit_reached".into())
        );
        counter.is_sound().await;
    });
}

#[test]
fn nothing_is_paid_out_while_an_order_with_what_was_replaced_may_be_on_its_way() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let customer = ada(&counter).await;
        for reward in ["five-off", "free-delivery"] {
            let wish = json!({"reward": reward, "currency": "GBP"});
            let picked = counter.proxy(customer, Method::POST, "/proxy/redemptions", &wish).await;
            assert!(picked.status.is_success(), "{picked:?}");
        }
        let until = counter.door.now() + SignedDuration::from_mins(30);
        let wish = wish(Uuid::now_v7(), "credit");
        let answered = counter.proxy(customer, Method::POST, "/proxy/payouts", &wish).await;
        let told: Value = serde_json::from_str(&answered.body).unwrap();
        assert_eq!(told["again_at"], json!(until.to_string()));
        assert_eq!(answered.problem(), (422, "not_yet".to_owned()));
        counter.door.advance(SignedDuration::from_mins(30));
        ask(&counter, customer, &wish).await;
        work(&counter).await;
        assert_eq!(made(&counter), 1);
        counter.is_sound().await;
    });
}

#[test]
fn nothing_is_paid_out_either_where_it_was_taken_back_before_another_was_picked() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let customer = ada(&counter).await;
        let pick = |reward: &str| json!({"reward": reward, "currency": "GBP"});
        let first =
            counter.proxy(customer, Method::POST, "/proxy/redemptions", &pick("five-off")).await.json();
        let path = format!("/proxy/redemptions/{}", first["id"].as_str().unwrap());
        counter.proxy(customer, Method::DELETE, &path, &Value::Null).await.json();
        counter.proxy(customer, Method::POST, "/proxy/redemptions", &pick("free-delivery")).await.json();
        let wish = wish(Uuid::now_v7(), "credit");
        assert_eq!(refused(&counter, customer, &wish).await, (422, "not_yet".into()));
        counter.door.advance(MINUTE * 30);
        ask(&counter, customer, &wish).await;
        counter.is_sound().await;
    });
}

#[test]
fn a_pick_that_was_taken_back_and_had_its_grace_keeps_no_payout_waiting() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let customer = ada(&counter).await;
        let pick = json!({"reward": "five-off", "currency": "GBP"});
        let picked = counter.proxy(customer, Method::POST, "/proxy/redemptions", &pick).await.json();
        let path = format!("/proxy/redemptions/{}", picked["id"].as_str().unwrap());
        counter.proxy(customer, Method::DELETE, &path, &Value::Null).await.json();
        let app = &counter.door.app;
        loyalnest::sync::publish_due(app).await.unwrap();
        counter.door.advance(MINUTE * 30);
        assert_eq!(loyalnest::redemptions::jobs::advance_due(&app.db, &app.clock).await.unwrap(), 1);
        ask(&counter, customer, &wish(Uuid::now_v7(), "credit")).await;
        counter.is_sound().await;
    });
}

#[test]
fn a_payout_that_was_given_up_is_taken_up_again() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let ada = ada(&counter).await;
        let id = Uuid::now_v7();
        ask(&counter, ada, &wish(id, "credit")).await;
        // Whatever was tried is over.
        let mut tx = test.db.begin(counter.id).await.unwrap();
        db!(
            tx.execute,
            "update tasks set state = 'dead' where shop_id = $1 and kind = 'redemptions.pay'",
            counter.id
        )
        .unwrap();
        tx.commit().await.unwrap();
        let app = &counter.door.app;
        let mut resumed = Vec::new();
        for hours in [1, 24, 24] {
            counter.door.advance(SignedDuration::from_hours(hours));
            let mut tx = test.db.begin(counter.id).await.unwrap();
            let order = tasks::Order::new(format!("by hand {}", counter.door.now()));
            tasks::push(&mut tx, counter.id, &Resume {}, order, counter.door.now()).await.unwrap();
            tx.commit().await.unwrap();
            app.tasks.run_due(app).await.unwrap();
            work(&counter).await;
            resumed.push((state(&counter, ada, id).await.0, sent(&counter)));
        }
        assert_eq!(resumed, [("asked".to_owned(), 0), ("done".to_owned(), 1), ("done".to_owned(), 1)]);
        assert_eq!(counter.points(ada).await, (550, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn an_answer_that_is_lost_after_the_effect_is_found_by_looking() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        for (reward, call, kind) in [
            ("credit", CALLS[0], AdminFaultKind::Status(502)),
            ("card", CALLS[1], AdminFaultKind::Status(500)),
        ] {
            let ada = ada(&counter).await;
            // What staff gave before, and what they give of another amount, is not taken for it.
            let pounds: Currency = "GBP".parse().unwrap();
            counter.door.shop.credit(ada as u64, pounds, 500);
            counter.door.advance(MINUTE * 5);
            counter.door.shop.credit(ada as u64, pounds, 700);
            let before = (made(&counter), sent(&counter));
            counter.door.shop.fail_operation(call, AdminFault::after(kind));
            let id = Uuid::now_v7();
            ask(&counter, ada, &wish(id, reward)).await;
            work(&counter).await;
            assert_eq!(state(&counter, ada, id).await.0, "unknown", "{reward}");
            assert_eq!(counter.points(ada).await, (550, 0, 450));
            assert_eq!(refused(&counter, ada, &wish(Uuid::now_v7(), reward)).await.1, "payout_under_way");
            counter.door.advance(MINUTE * 5);
            work(&counter).await;
            assert_eq!(state(&counter, ada, id).await, ("done".into(), None), "{reward}");
            assert_eq!((made(&counter), sent(&counter)), (before.0 + 1, before.1 + 1), "{reward}");
            assert_eq!(counter.points(ada).await, (550, 0, 0));
            counter.is_sound().await;
        }
    });
}

#[test]
fn a_call_that_came_to_nothing_is_not_sent_again_and_the_points_come_back() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let ada = ada(&counter).await;
        let fault = AdminFault::before(AdminFaultKind::Status(503));
        counter.door.shop.fail_operation(CALLS[0], fault);
        let id = Uuid::now_v7();
        ask(&counter, ada, &wish(id, "credit")).await;
        for look in 0..4 {
            work(&counter).await;
            assert_eq!(state(&counter, ada, id).await.0, "unknown", "look {look}");
            assert_eq!(counter.points(ada).await, (550, 0, 450));
            counter.door.advance(MINUTE * 5);
        }
        work(&counter).await;
        assert_eq!(state(&counter, ada, id).await, ("refused".into(), Some("not_made".into())));
        assert_eq!((made(&counter), sent(&counter), executed(&counter)), (0, 1, 0));
        assert_eq!(counter.points(ada).await, (1000, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn what_shopify_has_not_begun_with_is_sent_again() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let ada = ada(&counter).await;
        let throttled = AdminFault::before(AdminFaultKind::Throttled);
        for _ in 0..20 {
            counter.door.shop.fail_operation(CALLS[0], throttled);
        }
        let id = Uuid::now_v7();
        ask(&counter, ada, &wish(id, "credit")).await;
        work(&counter).await;
        assert_eq!(state(&counter, ada, id).await.0, "asked");
        counter.door.shop.heal_admin();
        counter.door.advance(MINUTE * 30);
        work(&counter).await;
        assert_eq!(state(&counter, ada, id).await.0, "done");
        assert_eq!((made(&counter), executed(&counter)), (1, 1));
        counter.is_sound().await;
    });
}

#[test]
fn what_is_under_way_while_two_become_one_is_paid_out_to_the_one() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let (ada, gone) = (ada(&counter).await, ada(&counter).await);
        let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
        ask(&counter, ada, &wish(first, "credit")).await;
        ask(&counter, gone, &wish(second, "card")).await;
        let mut tx = test.db.begin(counter.id).await.unwrap();
        let now = counter.door.now();
        customers::merge(&mut tx, counter.id, CustomerId(ada), CustomerId(gone), now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(counter.points(ada).await, (1100, 0, 900));
        work(&counter).await;
        assert_eq!(counter.points(ada).await, (1100, 0, 0));
        assert_eq!(counter.door.shop.store_credits()[0].customer, ada as u64);
        assert_eq!(counter.door.shop.gift_cards()[0].customer, ada as u64);
        counter.is_sound().await;
    });
}

#[test]
fn no_other_credit_is_taken_for_one_whose_answer_is_lost() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let ada = ada(&counter).await;
        let [pounds, euros] = ["GBP", "EUR"].map(|code| code.parse::<Currency>().unwrap());
        counter.door.shop.credit(ada as u64, pounds, 500);
        counter.door.advance(MINUTE * 5);
        ask(&counter, ada, &wish(Uuid::now_v7(), "credit")).await;
        work(&counter).await;
        counter.door.shop.credit(ada as u64, pounds, 700);
        counter.door.shop.credit(ada as u64, euros, 500);
        counter.door.shop.fail_operation(CALLS[0], AdminFault::before(AdminFaultKind::Status(503)));
        let id = Uuid::now_v7();
        ask(&counter, ada, &wish(id, "credit")).await;
        for look in 0..4 {
            work(&counter).await;
            assert_eq!(state(&counter, ada, id).await.0, "unknown", "look {look}");
            counter.door.advance(MINUTE * 5);
        }
        work(&counter).await;
        assert_eq!(state(&counter, ada, id).await, ("refused".into(), Some("not_made".into())));
        assert_eq!(counter.points(ada).await, (550, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn what_was_never_sent_comes_back_where_the_customer_is_gone() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let ada = ada(&counter).await;
        let (member, id) = (counter.member(ada).await, Uuid::now_v7());
        ask(&counter, ada, &wish(id, "credit")).await;
        let mut tx = test.db.begin(counter.id).await.unwrap();
        customers::redact(&mut tx, counter.id, CustomerId(ada), counter.door.now()).await.unwrap();
        tx.commit().await.unwrap();
        work(&counter).await;
        let mut read = test.db.read(counter.id).await.unwrap();
        let now = counter.door.now();
        let balance = loyalnest::points::balance(&mut read, counter.id, member, now).await.unwrap();
        assert_eq!((balance.available.get(), balance.held.get(), sent(&counter)), (1000, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn whoever_waits_for_a_review_is_paid_nothing() {
    on_both_engines(async |test| {
        let counter = open(test).await;
        let ada = ada(&counter).await;
        let order = Order { discount: Some("5.00"), ..Order::new(1, ada) };
        counter.door.webhook("1", "orders/create", counter.door.now(), &order.payload()).await;
        let told = refused(&counter, ada, &wish(Uuid::now_v7(), "credit")).await;
        assert_eq!(told, (409, "under_review".into()));
    });
}
