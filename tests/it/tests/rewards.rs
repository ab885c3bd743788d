//! The catalogue: stock, limits, gates and times of rewards, as widgets show them and picks are held to them.

use axum::http::Method;
use jiff::SignedDuration;
use loyalnest::{campaigns, db};
use loyalty::multiplier::Factor;
use loyalty::{Gate, Limit, LocalTime, Period, Program, Tier};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::counter::{CLERK, Counter, OWNER};
use crate::support::door::send;
use crate::support::on_both_engines;
use crate::support::orders::Order;

const ADA: i64 = 4_101_101;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const FIVE_OFF: &str = "five-off";

fn wish(reward: &str) -> Value {
    json!({"reward": reward, "currency": "GBP"})
}

/// So many members, each with a thousand points.
async fn members(counter: &Counter, count: i64) {
    for customer in ADA..ADA + count {
        counter.member(customer).await;
        let path = format!("/api/members/{customer}/adjustments");
        let key = format!("begin-{customer}");
        counter.post(&path, &key, &json!({"points": 1000, "reason": "goodwill"})).await.json();
    }
}

async fn set_stock(counter: &Counter, reward: &str, stock: Option<i64>) -> Value {
    let path = format!("/api/rewards/{reward}/stock");
    counter.door.staff(OWNER, Method::PUT, &path, &json!({"stock": stock})).await.json()
}

async fn stock(counter: &Counter, reward: &str) -> Option<i64> {
    let rewards = counter.get("/api/rewards").await;
    let found = rewards.as_array().unwrap().iter().find(|known| known["id"] == reward).unwrap().clone();
    found["stock"].as_i64()
}

/// What became of a pick: the problem's code, or nothing.
async fn pick(counter: &Counter, customer: i64, reward: &str) -> Option<String> {
    let answered = counter.proxy(customer, Method::POST, "/proxy/redemptions", &wish(reward)).await;
    if answered.status.is_success() { None } else { Some(answered.problem().1) }
}

/// Why a widget says that the reward cannot be had, and from when on it can.
async fn refused(counter: &Counter, customer: i64, reward: &str) -> (Option<String>, Option<String>) {
    let offers = counter.proxy(customer, Method::GET, "/proxy/rewards", &Value::Null).await.json();
    let offer = offers.as_array().unwrap().iter().find(|offer| offer["id"] == reward).unwrap().clone();
    let text = |field: &str| offer[field].as_str().map(str::to_owned);
    assert_eq!(text("refused").is_some(), text("because").is_some());
    (text("refused"), text("again_at"))
}

fn gated(program: &mut Program, gate: Gate) {
    program.rewards.iter_mut().find(|reward| reward.id == FIVE_OFF).unwrap().gate = gate;
}

async fn cancel(counter: &Counter, customer: i64) {
    let account = counter.proxy(customer, Method::GET, "/proxy/account", &Value::Null).await.json();
    let hold = account["redemption"]["id"].as_str().unwrap().to_owned();
    counter.proxy(customer, Method::DELETE, &format!("/proxy/redemptions/{hold}"), &Value::Null).await.json();
    counter.door.advance(HOUR * 2);
    loyalnest::sync::publish_due(&counter.door.app).await.unwrap();
    counter.door.advance(HOUR);
    loyalnest::redemptions::jobs::advance_due(&counter.door.app.db, &counter.door.app.clock).await.unwrap();
}

#[test]
fn of_twenty_buyers_one_gets_the_last_and_it_comes_back_with_a_release() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        members(&counter, 20).await;
        assert_eq!(stock(&counter, FIVE_OFF).await, None, "no end of them");
        set_stock(&counter, FIVE_OFF, Some(1)).await;
        let mut under_way = JoinSet::new();
        for customer in ADA..ADA + 20 {
            let query = counter.door.shop.signed_proxy_query(Some(customer.unsigned_abs()), &[]);
            let request = axum::http::Request::post(format!("/proxy/redemptions?{query}"))
                .header("content-type", "application/json")
                .body(axum::body::Body::from(wish(FIVE_OFF).to_string()))
                .unwrap();
            let app = counter.door.app.clone();
            under_way.spawn(async move { (customer, send(&app, request).await) });
        }
        let (got, refused): (Vec<_>, Vec<_>) =
            under_way.join_all().await.into_iter().partition(|(_, answered)| answered.status.is_success());
        assert_eq!(got.len(), 1);
        assert!(refused.iter().all(|(_, answered)| answered.problem() == (422, "sold_out".into())));
        assert_eq!(stock(&counter, FIVE_OFF).await, Some(0));
        for (customer, _) in &refused {
            assert_eq!(counter.points(*customer).await, (1000, 0, 0));
        }
        let winner = got[0].0;
        // The same pick again takes no other; another reward frees it, and so does the end of a hold.
        assert_eq!(pick(&counter, winner, FIVE_OFF).await, None);
        assert_eq!(pick(&counter, winner, "free-delivery").await, None);
        assert_eq!(stock(&counter, FIVE_OFF).await, Some(1));
        assert_eq!(pick(&counter, winner, FIVE_OFF).await, None);
        assert_eq!(stock(&counter, FIVE_OFF).await, Some(0));
        cancel(&counter, winner).await;
        assert_eq!((stock(&counter, FIVE_OFF).await, counter.points(winner).await), (Some(1), (1000, 0, 0)));
        counter.is_sound().await;
    });
}

#[test]
fn two_rewards_that_change_hands_at_once_do_not_wait_in_a_circle() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        members(&counter, 2).await;
        for reward in [FIVE_OFF, "free-delivery"] {
            set_stock(&counter, reward, Some(2)).await;
        }
        for turn in 0..6 {
            let [one, other] =
                if turn % 2 == 0 { [FIVE_OFF, "free-delivery"] } else { ["free-delivery", FIVE_OFF] };
            let (first, second) = tokio::join!(pick(&counter, ADA, one), pick(&counter, ADA + 1, other));
            assert_eq!((first, second), (None, None), "turn {turn}");
        }
        assert_eq!(
            (stock(&counter, FIVE_OFF).await, stock(&counter, "free-delivery").await),
            (Some(1), Some(1))
        );
        counter.is_sound().await;
    });
}

#[test]
fn staff_say_how_many_there_are_and_older_settings_bring_nothing_back() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        members(&counter, 2).await;
        set_stock(&counter, FIVE_OFF, Some(1)).await;
        assert_eq!(pick(&counter, ADA, FIVE_OFF).await, None);
        counter.set_program(|program| program.discount_title = "Points".into()).await;
        counter.set_program(|program| program.discount_title = "Loyalty points".into()).await;
        assert_eq!(refused(&counter, ADA + 1, FIVE_OFF).await.0.as_deref(), Some("sold_out"));
        assert_eq!(pick(&counter, ADA + 1, FIVE_OFF).await.as_deref(), Some("sold_out"));
        // The same again is no change.
        for stock in [Some(0), None, None] {
            set_stock(&counter, FIVE_OFF, stock).await;
        }
        assert_eq!(pick(&counter, ADA + 1, FIVE_OFF).await, None);
        let log = counter.log().await;
        let changes: Vec<_> = log.iter().filter(|entry| entry["action"] == "stock.changed").collect();
        assert_eq!(changes.len(), 2);
        assert_eq!(
            (&changes[0]["before"], &changes[0]["after"]),
            (&json!({"stock": 0}), &json!({"stock": null}))
        );
        let put = async |user, path: &str, body: Value| {
            counter.door.staff(user, Method::PUT, path, &body).await.problem()
        };
        let path = "/api/rewards/five-off/stock";
        for body in [json!({"stock": -1}), json!({"stock": 1_000_000_001})] {
            assert_eq!(put(OWNER, path, body).await, (422, "bad_stock".into()));
        }
        assert_eq!(put(OWNER, path, json!({})).await, (400, "bad_body".into()));
        assert_eq!(
            put(OWNER, "/api/rewards/moon/stock", json!({"stock": 1})).await,
            (404, "unknown_reward".into())
        );
        let role = json!({"role": "viewer"});
        counter.door.staff(OWNER, Method::PUT, &format!("/api/staff/{CLERK}/role"), &role).await.json();
        assert_eq!(put(CLERK, path, json!({"stock": 1})).await, (403, "forbidden_role".into()));
        counter.is_sound().await;
    });
}

#[test]
fn a_member_has_a_reward_as_often_as_its_limit_and_what_was_released_does_not_count() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        members(&counter, 1).await;
        let limit = Some(Limit { most: 1, per: Period::Week });
        counter.set_program(|program| gated(program, Gate { limit, ..Gate::default() })).await;
        assert_eq!(pick(&counter, ADA, FIVE_OFF).await, None);
        assert_eq!(pick(&counter, ADA, FIVE_OFF).await, None, "it renews what stands");
        assert_eq!(pick(&counter, ADA, "free-delivery").await, None);
        assert_eq!(pick(&counter, ADA, FIVE_OFF).await, None, "the first was released");
        cancel(&counter, ADA).await;
        assert_eq!(refused(&counter, ADA, FIVE_OFF).await, (None, None));
        assert_eq!(pick(&counter, ADA, FIVE_OFF).await, None);
        let said = Some("2026-11-30T00:00:00Z".to_owned());
        assert_eq!(refused(&counter, ADA, FIVE_OFF).await, (Some("limit_reached".into()), said));
        counter.door.advance(HOUR * 24 * 7);
        assert_eq!(refused(&counter, ADA, FIVE_OFF).await, (None, None));
        counter.is_sound().await;
    });
}

#[test]
fn a_gate_opens_for_its_tiers_in_its_time_and_says_why_it_does_not() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        members(&counter, 1).await;
        let at = |minute| LocalTime::parse(minute).ok();
        counter
            .set_program(|program| {
                let gold = Tier {
                    id: "gold".into(),
                    name: "Gold".into(),
                    threshold: None,
                    earn_factor: Factor::ONE,
                    perks: Vec::new(),
                };
                program.tiers = vec![gold];
                let (from, until) = (at("2026-11-23T13:00"), at("2026-11-23T15:00"));
                gated(program, Gate { tiers: vec!["gold".into()], from, until, ..Gate::default() });
            })
            .await;
        let told = async |code: &str, again_at: Option<&str>| {
            assert_eq!(
                refused(&counter, ADA, FIVE_OFF).await,
                (Some(code.into()), again_at.map(str::to_owned))
            );
            assert_eq!(pick(&counter, ADA, FIVE_OFF).await.as_deref(), Some(code));
        };
        told("not_yet", Some("2026-11-23T13:00")).await;
        counter.door.advance(HOUR);
        told("other_tier", None).await;
        let member = counter.member(ADA).await;
        let mut tx = test.db.begin(counter.id).await.unwrap();
        campaigns::assign(&mut tx, counter.id, member, Some("gold"), counter.door.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(refused(&counter, ADA, FIVE_OFF).await, (None, None));
        assert_eq!(pick(&counter, ADA, FIVE_OFF).await, None);
        counter.door.advance(HOUR * 2);
        assert_eq!(refused(&counter, ADA, FIVE_OFF).await.0.as_deref(), Some("over"));
        assert_eq!(counter.points(ADA).await, (550, 0, 450), "what was picked stays");
        // Who is no member has no points, whatever the gate says.
        let stranger = counter.proxy(ADA + 7, Method::GET, "/proxy/rewards", &Value::Null).await.json();
        assert!(stranger.as_array().unwrap().iter().all(|offer| offer["refused"] == "insufficient_points"));
        counter.is_sound().await;
    });
}

#[test]
fn an_offer_says_what_the_points_buy_and_what_is_held_counts_as_free() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.member(ADA).await;
        let path = format!("/api/members/{ADA}/adjustments");
        counter.post(&path, "1", &json!({"points": 449, "reason": "goodwill"})).await.json();
        let few = Some("insufficient_points".to_owned());
        assert_eq!(refused(&counter, ADA, FIVE_OFF).await.0, few);
        counter.post(&path, "2", &json!({"points": 1, "reason": "goodwill"})).await.json();
        assert_eq!(refused(&counter, ADA, FIVE_OFF).await.0, None, "just enough");
        assert_eq!(pick(&counter, ADA, FIVE_OFF).await, None);
        assert_eq!(refused(&counter, ADA, "free-delivery").await.0, None);
        assert_eq!(refused(&counter, ADA, "tenth-off").await.0, few);
    });
}

#[test]
fn whoever_waits_for_a_review_is_told_before_they_pick() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        members(&counter, 1).await;
        let order = Order { discount: Some("5.00"), ..Order::new(1, ADA) };
        counter.door.webhook("1", "orders/create", counter.door.now(), &order.payload()).await;
        let told = Some("under_review".to_owned());
        assert_eq!(refused(&counter, ADA, FIVE_OFF).await, (told.clone(), None));
        assert_eq!(pick(&counter, ADA, FIVE_OFF).await, told);
    });
}

#[test]
fn a_hold_that_cannot_be_read_does_not_keep_the_others_open() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        members(&counter, 2).await;
        for customer in [ADA, ADA + 1] {
            assert_eq!(pick(&counter, customer, FIVE_OFF).await, None);
            counter.door.advance(SignedDuration::from_secs(1));
        }
        let member = counter.member(ADA).await;
        let mut tx = test.db.begin(counter.id).await.unwrap();
        db!(
            tx.execute,
            "update redemptions_holds set terms = '{}' where shop_id = $1 and member_id = $2",
            counter.id,
            member
        )
        .unwrap();
        tx.commit().await.unwrap();
        let app = &counter.door.app;
        let advance = async || loyalnest::redemptions::jobs::advance_due(&app.db, &app.clock).await.unwrap();
        counter.door.advance(HOUR * 2);
        assert_eq!(advance().await, 1, "the other is closed");
        assert_eq!((advance().await, counter.points(ADA + 1).await), (0, (550, 0, 450)), "its grace");
        counter.door.advance(HOUR);
        assert_eq!((advance().await, counter.points(ADA + 1).await), (1, (1000, 0, 0)));
    });
}
