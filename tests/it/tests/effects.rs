//! Points that no order gives: by hand and for actions. Each once, whoever asks again.

use axum::http::Method;
use jiff::SignedDuration;
use loyalnest::ids::CustomerId;
use loyalnest::points::Source;
use loyalnest::points::effects::{self, Asked, Effect, EffectError};
use loyalnest::{customers, privacy, programs};
use loyalty::expiry::{Rule, Term};
use loyalty::program::ReturnPolicy;
use loyalty::{Action, Limit, Period, Points};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::privacy::places;
use crate::support::counter::{CLERK, Counter, OWNER};
use crate::support::door::send;
use crate::support::on_both_engines;
use crate::support::till::Shop;
use crate::topics::events;

const ADA: i64 = 4_101_101;
const BOB: i64 = 4_202_202;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn adjustments(customer: i64) -> String {
    format!("/api/members/{customer}/adjustments")
}

fn actions(customer: i64) -> String {
    format!("/api/members/{customer}/actions")
}

fn by_hand(points: i64) -> Value {
    json!({"points": points, "reason": "goodwill"})
}

fn review() -> Value {
    json!({"action": "review"})
}

fn points(points: i64) -> Points {
    Points::new(points).unwrap()
}

async fn with_review(counter: &Counter, limit: Option<Limit>, cool_down_hours: u32) {
    let review =
        Action { id: "review".into(), name: "A review".into(), points: points(50), limit, cool_down_hours };
    counter.set_program(|program| program.actions = vec![review]).await;
}

#[test]
fn who_is_given_points_is_told_what_there_is_without_what_has_expired() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let rule = Rule::Term { after: Term::Days(1) };
        counter.set_program(|program| program.expiry.rule = Some(rule)).await;
        counter.member(ADA).await;
        counter.post(&adjustments(ADA), "k1", &by_hand(500)).await.json();
        // Nobody has booked the expiry when more is given.
        counter.door.advance(HOUR * 72);
        let given = counter.post(&adjustments(ADA), "k2", &by_hand(30)).await.json();
        assert_eq!(given["available"], 30);
        assert_eq!(counter.points(ADA).await, (30, 0, 0));
        let newest =
            counter.log().await.into_iter().find(|entry| entry["action"] == "points.adjusted").unwrap();
        assert_eq!((&newest["before"]["points"], &newest["after"]["points"]), (&json!(0), &json!(30)));
        counter.is_sound().await;
    });
}

#[test]
fn staff_give_and_take_points_once_and_it_is_known_who_and_why() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.member(ADA).await;
        let given = json!({"points": 500, "reason": "goodwill", "note": "her parcel was late"});
        let first = counter.post(&adjustments(ADA), "k1", &given).await.json();
        assert_eq!((&first["points"], &first["available"]), (&json!(500), &json!(500)));
        counter.door.advance(HOUR);
        for _ in 0..2 {
            assert_eq!(counter.post(&adjustments(ADA), "k1", &given).await.json(), first, "word for word");
        }
        let taken = counter.post(&adjustments(ADA), "k2", &by_hand(-200)).await.json();
        assert_eq!(taken["available"], 300);
        assert_eq!(counter.points(ADA).await, (300, 0, 0));

        let listed = counter.get(&adjustments(ADA)).await;
        let seen: Vec<_> =
            listed.as_array().unwrap().iter().map(|one| (&one["points"], &one["by_id"])).collect();
        assert_eq!(seen, [(&json!(-200), &json!("42")), (&json!(500), &json!("42"))]);
        assert_eq!((&listed[1]["note"], &listed[1]["entry"]), (&given["note"], &first["entry"]));
        let log = counter.log().await;
        let of_points: Vec<_> = log.iter().filter(|entry| entry["action"] == "points.adjusted").collect();
        assert_eq!(of_points.len(), 2);
        assert_eq!(of_points[0]["before"], json!({"points": 500}));
        assert_eq!(of_points[0]["after"]["points"], 300);
        assert!(!log.iter().any(|entry| entry.to_string().contains("parcel")), "notes are not in the log");
        let told: Vec<_> =
            events(test, "points.adjusted").await.iter().map(|event| event["points"].clone()).collect();
        assert_eq!(told, [json!(500), json!(-200)]);
        let month = counter.get("/api/finance/roll-forward").await["lines"][0].clone();
        assert_eq!(
            (&month["earned"], &month["adjusted"], &month["closing"]),
            (&json!(0), &json!(300), &json!(300))
        );
        counter.is_sound().await;
    });
}

#[test]
fn an_adjustment_that_makes_no_sense_changes_nothing() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.member(ADA).await;
        counter.member(BOB).await;
        counter.set_program(|program| program.most_adjusted = points(1_000)).await;
        counter.post(&adjustments(ADA), "k1", &by_hand(100)).await.json();
        let refused =
            async |path: &str, key: &str, body: Value| counter.post(path, key, &body).await.problem();
        for (body, code) in [
            (by_hand(1_001), (422, "beyond_bound")),
            (by_hand(-1_001), (422, "beyond_bound")),
            (by_hand(0), (422, "no_points")),
            (by_hand(-101), (422, "below_floor")),
            (json!({"points": 1, "reason": "because"}), (422, "unknown_reason")),
            (json!({"points": 1, "reason": "other", "note": "n".repeat(501)}), (422, "note_malformed")),
            (json!({"points": 1, "reason": "other", "note": "a\0b"}), (422, "note_malformed")),
            (json!({"points": 9_007_199_254_740_992_i64, "reason": "other"}), (400, "bad_body")),
            (json!({"points": 1.5, "reason": "other"}), (400, "bad_body")),
            (json!({"points": 1, "reason": "other", "member": 7}), (400, "bad_body")),
        ] {
            assert_eq!(
                refused(&adjustments(ADA), "k2", body.clone()).await,
                (code.0, code.1.into()),
                "{body}"
            );
        }
        assert_eq!(refused(&adjustments(1), "k2", by_hand(1)).await, (404, "unknown_member".into()));
        assert_eq!(
            refused(&adjustments(ADA), "k 2", by_hand(1)).await,
            (400, "idempotency_key_malformed".into())
        );
        let without = counter.door.staff(OWNER, Method::POST, &adjustments(ADA), &by_hand(1)).await;
        assert_eq!(without.problem(), (400, "idempotency_key_missing".into()));
        // The key of what was booked opens nothing else: another number, another member.
        let reused = (409, "idempotency_key_reused".into());
        assert_eq!(refused(&adjustments(ADA), "k1", by_hand(101)).await, reused);
        assert_eq!(refused(&adjustments(BOB), "k1", by_hand(100)).await, reused);
        let role = json!({"role": "viewer"});
        counter.door.staff(OWNER, Method::PUT, &format!("/api/staff/{CLERK}/role"), &role).await.json();
        let clerk = counter.post_as(CLERK, &adjustments(ADA), "k3", &by_hand(1)).await;
        assert_eq!(clerk.problem(), (403, "forbidden_role".into()));
        assert_eq!((counter.points(ADA).await, counter.points(BOB).await), ((100, 0, 0), (0, 0, 0)));
        // A key that was refused is free.
        counter.post(&adjustments(ADA), "k2", &by_hand(-100)).await.json();
        counter.is_sound().await;
    });
}

#[test]
fn a_balance_that_points_cannot_count_is_refused() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.member(ADA).await;
        counter.set_program(|program| program.most_adjusted = Points::MOST).await;
        counter.post(&adjustments(ADA), "k1", &by_hand(Points::MOST.get())).await.json();
        let more = counter.post(&adjustments(ADA), "k2", &by_hand(1)).await;
        assert_eq!(more.problem(), (422, "points_out_of_range".into()));
        assert_eq!(counter.points(ADA).await, (Points::MOST.get(), 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn a_member_may_owe_points_only_where_the_program_says_so() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.member(ADA).await;
        counter.set_program(|program| program.returns = ReturnPolicy::NegativeAllowed).await;
        let owed = counter.post(&adjustments(ADA), "k1", &by_hand(-80)).await.json();
        assert_eq!(owed["available"], -80);
        counter.post(&adjustments(ADA), "k2", &by_hand(100)).await.json();
        assert_eq!(counter.points(ADA).await, (20, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn an_action_gives_its_points_and_whoever_repeats_it_is_told_the_same_though_it_is_gone() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.member(ADA).await;
        with_review(&counter, None, 0).await;
        let first = counter.post(&actions(ADA), "k1", &review()).await.json();
        assert_eq!((&first["points"], &first["available"]), (&json!(50), &json!(50)));
        counter.set_program(|program| program.actions[0].points = points(70)).await;
        assert_eq!(counter.post(&actions(ADA), "k1", &review()).await.json(), first);
        let by_klaviyo = json!({"action": "review", "source": "klaviyo"});
        assert_eq!(
            counter.post(&actions(ADA), "k1", &by_klaviyo).await.json()["points"],
            70,
            "a key of its own"
        );
        counter.set_program(|program| program.actions.clear()).await;
        assert_eq!(counter.post(&actions(ADA), "k1", &review()).await.json(), first);
        for (body, code) in [
            (review(), "unknown_action"),
            (json!({"action": "review", "source": "manual"}), "unknown_source"),
            (json!({"action": "review", "source": "shopify"}), "unknown_source"),
        ] {
            assert_eq!(
                counter.post(&actions(ADA), "k2", &body).await.problem(),
                (422, code.into()),
                "{body}"
            );
        }
        assert_eq!(counter.points(ADA).await, (120, 0, 0));
        let log = counter.log().await;
        assert_eq!(log.iter().filter(|entry| entry["action"] == "action.rewarded").count(), 2);
        let lines = counter.proxy(ADA, Method::GET, "/proxy/history", &Value::Null).await.json();
        assert_eq!((&lines[0]["kind"], &lines[0]["cause"]), (&json!("bonus"), &json!("action:review")));
        assert_eq!(events(test, "points.earned").await.len(), 2);
        counter.is_sound().await;
    });
}

#[test]
fn an_action_is_had_as_often_as_its_limit_and_no_sooner_than_its_wait() {
    on_both_engines(async |test| {
        // Noon on a Monday, in London.
        let counter = Counter::open(test).await;
        counter.member(ADA).await;
        with_review(&counter, Some(Limit { most: 2, per: Period::Week }), 3).await;
        let act = async |key: &str| counter.post(&actions(ADA), key, &review()).await;
        let refused = async |key: &str| {
            let answered = act(key).await;
            let body: Value = serde_json::from_str(&answered.body).unwrap();
            (answered.problem().1, body["again_at"].as_str().map(str::to_owned))
        };
        act("k1").await.json();
        counter.door.advance(HOUR * 3 - SignedDuration::from_micros(1));
        assert_eq!(refused("k2").await, ("too_soon".into(), Some("2026-11-23T15:00:00Z".into())));
        counter.door.advance(SignedDuration::from_micros(1));
        act("k2").await.json();
        counter.door.advance(HOUR * 24);
        assert_eq!(refused("k3").await, ("limit_reached".into(), Some("2026-11-30T00:00:00Z".into())));
        assert_eq!(act("k2").await.json()["points"], 50, "what was had is told");
        counter.door.advance(HOUR * 24 * 6);
        act("k3").await.json();
        with_review(&counter, Some(Limit { most: 3, per: Period::Ever }), 0).await;
        assert_eq!(refused("k4").await, ("limit_reached".into(), None));
        assert_eq!(counter.points(ADA).await, (150, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn a_clock_that_goes_backwards_gives_nothing_twice() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        let member = shop.member(ADA).await;
        let act = async |shop: &Shop<'_>, key: &str, per, hours| {
            let mut tx = test.db.begin(shop.id).await.unwrap();
            let program = programs::current(&mut tx, shop.id).await.unwrap();
            let effect = Effect {
                asked: Asked::bonus(Source::Api, key.into(), &key).unwrap(),
                member,
                cause: "action:review".into(),
                points: points(50),
                limit: Some(Limit { most: 1, per }),
                cool_down: HOUR * hours,
            };
            let outcome = effects::apply(&mut tx, shop.id, effect, &program, shop.now).await;
            if outcome.is_ok() {
                tx.commit().await.unwrap();
            }
            outcome
        };
        let (receipt, is_new) = act(&shop, "k1", Period::Day, 3).await.unwrap();
        assert!(is_new);
        shop.wait(-30 * 60);
        let refused = act(&shop, "k2", Period::Day, 3).await;
        assert!(matches!(refused, Err(EffectError::TooSoon { .. })), "{refused:?}");
        let refused = act(&shop, "k2", Period::Day, 0).await;
        assert!(matches!(refused, Err(EffectError::LimitReached { .. })), "{refused:?}");
        assert_eq!(act(&shop, "k1", Period::Day, 3).await.unwrap(), (receipt, false));
        assert_eq!(shop.points(ADA).await, (50, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn at_the_same_time_the_same_is_done_once_and_a_limit_holds() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        for member in [ADA, BOB] {
            counter.member(member).await;
        }
        with_review(&counter, Some(Limit { most: 1, per: Period::Ever }), 0).await;
        let at_once = async |asked: Vec<(i64, String, Value)>| {
            let mut under_way = JoinSet::new();
            for (customer, key, body) in asked {
                let path =
                    if body.get("action").is_some() { actions(customer) } else { adjustments(customer) };
                let (app, request) = (counter.door.app.clone(), counter.request(OWNER, &path, &key, &body));
                under_way.spawn(async move { send(&app, request).await });
            }
            let mut codes: Vec<_> = under_way
                .join_all()
                .await
                .iter()
                .map(|answered| if answered.status == 200 { "ok".to_owned() } else { answered.problem().1 })
                .collect();
            codes.sort_unstable();
            codes.dedup_by_key(|code| code.clone());
            codes
        };
        let same = (0..10).map(|_| (ADA, "one".to_owned(), by_hand(10))).collect();
        assert_eq!(at_once(same).await, ["ok"]);
        assert_eq!(counter.points(ADA).await, (10, 0, 0));
        let reviews = (0..10).map(|at| (ADA, format!("review {at}").replace(' ', "-"), review())).collect();
        assert_eq!(at_once(reviews).await, ["limit_reached", "ok"]);
        assert_eq!(counter.points(ADA).await, (60, 0, 0));
        let both = (0..10).map(|at| ([ADA, BOB][at % 2], "two".to_owned(), by_hand(1))).collect();
        assert_eq!(at_once(both).await, ["idempotency_key_reused", "ok"]);
        assert_eq!(counter.points(ADA).await.0 + counter.points(BOB).await.0, 61, "one of them has it");
        counter.is_sound().await;
    });
}

#[test]
fn what_two_who_become_one_were_given_counts_for_the_one_and_a_note_is_erased_with_them() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        for member in [ADA, BOB] {
            counter.member(member).await;
        }
        with_review(&counter, Some(Limit { most: 1, per: Period::Ever }), 0).await;
        let first = counter.post(&actions(BOB), "k1", &review()).await.json();
        let note = json!({"points": 5, "reason": "other", "note": format!("asked for by {BOB}")});
        counter.post(&adjustments(BOB), "k2", &note).await.json();
        let mut tx = test.db.begin(counter.id).await.unwrap();
        let (kept, gone) = (CustomerId(ADA), CustomerId(BOB));
        assert!(customers::merge(&mut tx, counter.id, kept, gone, counter.door.now()).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(counter.points(ADA).await, (55, 0, 0));
        assert_eq!(
            counter.post(&actions(ADA), "k3", &review()).await.problem(),
            (422, "limit_reached".into())
        );
        assert_eq!(counter.post(&actions(BOB), "k1", &review()).await.json(), first);
        assert_eq!(counter.get(&adjustments(ADA)).await[0]["note"], note["note"]);

        let body = json!({"customer": {"id": ADA}, "orders_to_redact": []});
        counter.door.webhook("erase", "customers/redact", counter.door.now(), &body).await;
        counter.door.app.tasks.run_due(&counter.door.app).await.unwrap();
        let requests =
            privacy::requests(&mut test.db.read(counter.id).await.unwrap(), counter.id, 9).await.unwrap();
        assert_eq!(requests[0].outcome.as_deref(), Some("erased"));
        for text in [ADA.to_string(), BOB.to_string()] {
            let left = places(test, &text).await;
            assert!(left.is_empty(), "{text} stands in {left:?}");
        }
        counter.is_sound().await;
    });
}
