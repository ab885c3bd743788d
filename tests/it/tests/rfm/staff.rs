//! What staff, widgets and the night do with segments.

use axum::http::Method;
use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::Timestamp;
use loyalnest::sync;
use loyalty::rfm::Group;
use serde_json::{Value, json};

use super::order;
use crate::support::TestDb;
use crate::support::counter::{CLERK, Counter, OWNER};
use crate::support::on_both_engines;

const REFRESH: &str = "/api/rfm/refresh";

/// A counter at which so many customers have bought, each next one later and for more.
pub async fn opened(test: &TestDb, count: i64) -> (Counter, Vec<i64>) {
    let counter = Counter::open(test).await;
    let mut customers = Vec::new();
    for n in 1..=count {
        let customer = counter.door.shop.add_customer("Ada", "Byron", "ada@example.com").id.cast_signed();
        let pounds = ["10.00", "20.00", "30.00", "40.00", "50.00"][n as usize - 1];
        let order = order(n, customer, &format!("2026-11-1{n}"), pounds).payload();
        counter.door.webhook(&format!("order {n}"), "orders/create", counter.door.now(), &order).await;
        customers.push(customer);
    }
    counter.door.app.inbox.drain_until_idle().await.unwrap();
    (counter, customers)
}

pub async fn refresh(counter: &Counter) {
    counter.door.staff(OWNER, Method::POST, REFRESH, &Value::Null).await.json();
    counter.door.app.tasks.run_due(&counter.door.app).await.unwrap();
}

async fn problem(counter: &Counter, method: Method, path: &str, body: Value) -> (u16, String) {
    counter.door.staff(OWNER, method, path, &body).await.problem()
}

fn group(counts: &Value, name: &str) -> i64 {
    let groups = counts["groups"].as_array().unwrap();
    groups.iter().find(|group| group["group"] == name).unwrap()["members"].as_i64().unwrap()
}

#[test]
fn staff_see_segments_and_have_members_scored() {
    on_both_engines(async |test| {
        let (counter, customers) = opened(test, 5).await;
        let path = format!("/api/members/{}/rfm", customers[4]);
        let get = async |path: &str| problem(&counter, Method::GET, path, Value::Null).await;
        assert_eq!(get(&path).await, (404, "never_scored".into()));
        assert_eq!(get("/api/rfm/segments").await, (404, "never_scored".into()));
        refresh(&counter).await;
        let again = counter.door.staff(OWNER, Method::POST, REFRESH, &Value::Null).await.json();
        assert_eq!(again["under_way"], true, "asked for in this minute already");
        let asked = counter.log().await.into_iter().filter(|entry| entry["action"] == "rfm.asked").count();
        assert_eq!(asked, 1);

        let member = counter.get(&path).await;
        let expected = [
            ("segment", json!("seg_515")),
            ("group", json!("active")),
            ("stage", json!("active")),
            ("score_tenths", json!(38)),
            ("orders", json!(1)),
            ("spent_minor", json!(5_000)),
            ("last_order_at", json!("2026-11-15T10:00:00Z")),
        ];
        for (field, value) in expected {
            assert_eq!(member[field], value, "{field}: {member}");
        }
        assert_eq!(member["changes"].as_array().unwrap().len(), 1);
        let stranger = 9_999_999;
        counter.member(stranger).await;
        let prospect = counter.get(&format!("/api/members/{stranger}/rfm")).await;
        assert_eq!((&prospect["segment"], &prospect["group"]), (&json!("seg_111"), &json!("prospects")));
        assert_eq!((&prospect["stage"], &prospect["changes"]), (&json!("prospect"), &json!([])));

        let now = counter.get("/api/rfm/segments").await;
        assert_eq!(
            (&now["base"], group(&now, "prospects"), group(&now, "dormant")),
            (&json!(5), 1, 2),
            "{now}"
        );
        let day = counter.get("/api/rfm/segments?day=2026-11-23").await;
        assert_eq!((&day["segments"], group(&day, "prospects")), (&now["segments"], 0), "as it was then");
        assert_eq!(get("/api/rfm/segments?day=2026-11-22").await, (404, "unknown_day".into()));
        assert_eq!(get("/api/rfm/segments?day=yesterday").await, (400, "bad_parameter".into()));
        assert_eq!(get("/api/members/1/rfm").await, (404, "unknown_member".into()));
        assert_eq!(get("/api/members/%80/rfm").await, (400, "bad_path".into()));
        let role = json!({"role": "viewer"});
        counter.door.staff(OWNER, Method::PUT, &format!("/api/staff/{CLERK}/role"), &role).await.json();
        let clerk = counter.door.staff(CLERK, Method::POST, REFRESH, &Value::Null).await.problem();
        assert_eq!(clerk, (403, "forbidden_role".into()));
        counter.is_sound().await;
    });
}

#[test]
fn another_rule_is_tried_before_it_is_set() {
    on_both_engines(async |test| {
        let (counter, _) = opened(test, 5).await;
        let post = async |rfm: Value| {
            let body = json!({"rfm": rfm});
            counter.door.staff(OWNER, Method::POST, "/api/rfm/preview", &body).await
        };
        let beside = post(json!({"kind": "relative"})).await.json();
        assert_eq!((&beside["base"], group(&beside, "dormant")), (&json!(5), 2), "{beside}");
        let steps = |monetary: Value| json!({"kind": "thresholds", "recency": [10, 20, 30, 40], "frequency": [2, 3, 4, 5], "monetary": monetary});
        let own = post(steps(json!([2_000, 3_000, 4_000, 5_000]))).await.json();
        let segments: Vec<&str> =
            own["segments"].as_array().unwrap().iter().map(|one| one["segment"].as_str().unwrap()).collect();
        assert_eq!(segments, ["seg_411", "seg_412", "seg_513", "seg_514", "seg_515"]);
        assert_eq!(post(steps(json!([5, 4, 3, 2]))).await.problem(), (422, "invalid_rfm".into()));
        assert_eq!(post(json!({"kind": "ntile"})).await.problem(), (400, "bad_body".into()));
        assert_eq!(post(steps(json!([1, 2, 3]))).await.problem(), (400, "bad_body".into()));
        // The same is refused where it would be set.
        let program = counter.get("/api/program").await;
        let (version, mut program) = (program["version"].as_i64().unwrap(), program["program"].clone());
        program["rfm"] = steps(json!([5, 4, 3, 2]));
        let body = program.to_string();
        let token = counter.door.shop.session_token(devshop::Surface::Admin(OWNER));
        let request = axum::http::Request::put("/api/program")
            .header("authorization", format!("Bearer {token}"))
            .header("if-match", format!("\"{version}\""))
            .body(axum::body::Body::from(body))
            .unwrap();
        let refused = counter.door.send(request).await;
        assert_eq!(refused.problem(), (422, "invalid_program".into()));
        assert!(
            refused.body.contains("rfm_monetary") && refused.body.contains("rfm.monetary"),
            "{}",
            refused.body
        );
        let mut read = test.db.read(counter.id).await.unwrap();
        let (scored,): (i64,) =
            db!(read.one, "select count(*) from rfm_members where segment is not null").unwrap();
        assert_eq!(scored, 0, "nothing was written");
    });
}

#[test]
fn a_segment_stands_in_the_metafield_and_opens_gates() {
    on_both_engines(async |test| {
        let (counter, customers) = opened(test, 5).await;
        let customer = customers[4];
        counter
            .set_program(|program| {
                let reward = program.rewards.iter_mut().find(|reward| reward.id == "points").unwrap();
                (reward.gate.segments, reward.points) =
                    ([Group::Active].into(), loyalty::Points::new(5).unwrap());
            })
            .await;
        let account = async || {
            sync::publish_due(&counter.door.app).await.unwrap();
            let owner = format!("gid://shopify/Customer/{customer}");
            let metafield = counter.door.shop.metafield(&owner, "$app", "account").unwrap();
            serde_json::from_str::<Value>(&metafield.value).unwrap()
        };
        let refused = async || {
            let offers = counter.proxy(customer, Method::GET, "/proxy/rewards", &Value::Null).await.json();
            let offers = offers.as_array().unwrap().clone();
            offers.into_iter().find(|offer| offer["id"] == "points").unwrap()["refused"].clone()
        };
        let wish = json!({"reward": "points", "points": 5, "currency": "GBP"});
        let pick = async || counter.proxy(customer, Method::POST, "/proxy/redemptions", &wish).await;
        assert_eq!(account().await.get("segment"), None);
        assert_eq!(refused().await, "other_segment");
        assert_eq!(pick().await.problem(), (422, "other_segment".into()));
        refresh(&counter).await;
        assert_eq!(account().await["segment"], "seg_515");
        assert_eq!(refused().await, Value::Null);
        pick().await.json();
        // Whoever is in it no more keeps what they picked.
        counter.door.advance(SignedDuration::from_secs(1));
        let back = super::refund(1, 5, &[(51, 1, "50.00")]);
        counter.door.webhook("back", "refunds/create", counter.door.now(), &back).await;
        counter.door.app.inbox.drain_until_idle().await.unwrap();
        let shown = account().await;
        assert_eq!((shown.get("segment"), &shown["hold"]["points"]), (None, &json!(5)));
        assert_eq!(refused().await, "other_segment");
        counter.is_sound().await;
    });
}

#[test]
fn every_night_everyone_is_scored_within_the_hour_after_one() {
    on_both_engines(async |test| {
        let (counter, customers) = opened(test, 5).await;
        let app = &counter.door.app;
        app.clock.set("2026-11-24T00:59:59Z".parse().unwrap());
        app.tasks.tick().await.unwrap();
        let due = async || -> Vec<(Timestamp,)> {
            let mut read = test.db.read_across().await.unwrap();
            db!(read.all, "select run_at from tasks where kind = 'rfm.refresh' order by run_at").unwrap()
        };
        assert!(due().await.is_empty());
        app.clock.set("2026-11-24T01:00:00Z".parse().unwrap());
        for _ in 0..2 {
            app.tasks.tick().await.unwrap();
        }
        let [(at,)] = due().await[..] else { panic!("{:?}", due().await) };
        let hour = SignedDuration::from_hours(1);
        assert!(at >= app.clock.now() && at < app.clock.now() + hour, "{at}");
        app.clock.set(app.clock.now() + hour);
        app.tasks.run_due(app).await.unwrap();
        let mut read = test.db.read(counter.id).await.unwrap();
        let (scored,): (i64,) =
            db!(read.one, "select count(*) from rfm_members where segment is not null").unwrap();
        assert_eq!(scored, customers.len() as i64);
    });
}
