//! What shoppers and staff ask, and what they are told.

use axum::http::Method;
use jiff::SignedDuration;
use loyalnest::privacy;
use loyalty::limit::{Limit, Period};
use serde_json::{Value, json};

use super::{ADA, BOB, EVE, opened, order};
use crate::support::counter::{CLERK, Counter, OWNER};
use crate::support::on_both_engines;

impl Counter {
    async fn tells(&self, friend: i64, code: &str) -> (u16, String) {
        self.proxy(friend, Method::POST, "/proxy/referrals", &json!({"code": code})).await.problem()
    }
}

#[test]
fn an_advocate_has_one_code_and_sees_what_came_of_it() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let own = async || counter.proxy(ADA, Method::GET, "/proxy/referral", &Value::Null).await.json();
        let first = own().await;
        let code = first["code"].as_str().unwrap();
        assert_eq!(
            first,
            json!({
                "code": code, "link": format!("https://local-shop.myshopify.com/pages/friends?ref={code}"),
                "gives": {"advocate": 200, "friend": 100, "min": {"GBP": 2_000}, "days": 30, "wait_days": 0},
                "waiting": 0, "completed": 0, "points": 0,
            })
        );
        counter.sends(ADA, BOB).await;
        counter.sends(ADA, EVE).await;
        counter.take_order(&order(1, BOB)).await;
        let after = own().await;
        assert_eq!(after["code"], code);
        assert_eq!(
            (&after["waiting"], &after["completed"], &after["points"]),
            (&json!(1), &json!(1), &json!(200))
        );
        let guest = counter.door.shop.signed_proxy_query(None, &[]);
        let request = axum::http::Request::get(format!("/proxy/referral?{guest}"));
        let answer = counter.door.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(), (401, "not_signed_in".into()));
    });
}

#[test]
fn a_code_promises_the_friend_something_and_tells_nothing_of_the_advocate() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let code = counter.code(ADA).await;
        let promised = async |code: &str| {
            let query = counter.door.shop.signed_proxy_query(None, &[]);
            let request = axum::http::Request::get(format!("/proxy/referrals/{code}?{query}"));
            counter.door.send(request.body(axum::body::Body::empty()).unwrap()).await
        };
        let gives = json!({"friend": 100, "min": {"GBP": 2_000}, "days": 30, "wait_days": 0});
        assert_eq!(promised(&code).await.json(), json!({"gives": gives}));
        assert_eq!(promised(&code.to_lowercase()).await.json(), json!({"gives": gives}));
        for unknown in ["22222222", "nonsense", "%3Cscript%3E", "0", &"A".repeat(4_000)] {
            assert_eq!(promised(unknown).await.problem(), (404, "unknown_code".into()), "{unknown:.20}");
        }
        // Who may send nobody more is followed by nobody who would be refused later.
        let most_one = Limit { most: 1, per: Period::Month };
        counter.set_program(|program| program.referrals.as_mut().unwrap().limit = Some(most_one)).await;
        let told = counter.proxy(BOB, Method::POST, "/proxy/referrals", &json!({"code": code})).await;
        assert_eq!(told.json()["state"], "waiting");
        assert_eq!(promised(&code).await.problem(), (422, "limit_reached".into()));
        counter.door.advance(SignedDuration::from_hours(24 * 31));
        assert_eq!(promised(&code).await.json(), json!({"gives": gives}));
        counter.set_program(|program| program.referrals = None).await;
        assert_eq!(promised(&code).await.problem(), (404, "no_referrals".into()));
        let own = counter.proxy(ADA, Method::GET, "/proxy/referral", &Value::Null).await;
        assert_eq!(own.problem(), (404, "no_referrals".into()));
        assert_eq!(counter.tells(EVE, &code).await, (404, "no_referrals".into()));
    });
}

#[test]
fn a_friend_says_once_who_sent_them() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let (ada, bob) = (counter.code(ADA).await, counter.code(BOB).await);
        let told = counter.proxy(BOB, Method::POST, "/proxy/referrals", &json!({"code": ada})).await.json();
        let gives = json!({"friend": 100, "min": {"GBP": 2_000}, "days": 30, "wait_days": 0});
        assert_eq!(told, json!({"state": "waiting", "gives": gives, "until": "2026-12-23T12:00:00Z"}));
        let again = counter.proxy(BOB, Method::POST, "/proxy/referrals", &json!({"code": ada})).await.json();
        assert_eq!(again, told);
        let eve = counter.code(EVE).await;
        assert_eq!(counter.tells(BOB, &eve).await, (409, "already_referred".into()));
        assert_eq!(counter.tells(ADA, &ada).await, (422, "own_code".into()));
        assert_eq!(counter.tells(ADA, &bob).await, (422, "circular".into()));
        assert_eq!(counter.tells(EVE, "22222222").await, (404, "unknown_code".into()));
        assert_eq!(counter.tells(EVE, "nonsense").await, (404, "unknown_code".into()));
        let before = crate::support::orders::Order::new(9, EVE);
        counter.take_order(&before).await;
        assert_eq!(counter.tells(EVE, &ada).await, (422, "not_new".into()));
        assert_eq!(counter.tells(EVE, &eve).await, (422, "own_code".into()));
        for bad in [json!({}), json!({"code": 5}), json!({"code": ada, "more": 1})] {
            let refused = counter.proxy(EVE, Method::POST, "/proxy/referrals", &bad).await;
            assert_eq!(refused.problem(), (400, "bad_body".into()), "{bad}");
        }
        // What was refused left nothing.
        assert_eq!(counter.states().await, [("waiting".into(), None)]);
        counter.is_sound().await;
    });
}

#[test]
fn staff_look_at_advocates_who_send_many_and_decide() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.set_program(|program| program.referrals.as_mut().unwrap().review_from = Some(2)).await;
        counter.sends(ADA, BOB).await;
        let code = counter.code(ADA).await;
        for friend in [EVE, EVE + 1] {
            let told = counter.proxy(friend, Method::POST, "/proxy/referrals", &json!({"code": code})).await;
            assert_eq!(told.json()["state"], "review");
            counter.take_order(&order(friend, friend)).await;
        }
        assert_eq!(counter.points(ADA).await.0, 0);
        let page = counter.get("/api/referrals?state=review").await;
        let ids: Vec<&str> =
            page["referrals"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        let [newest, older] = ids[..] else { panic!("{page}") };
        assert_eq!(page["referrals"][0]["reason"], "many_friends");
        let decide = async |user, id: &str, what: &str| {
            counter.door.staff(user, Method::POST, &format!("/api/referrals/{id}/{what}"), &Value::Null).await
        };
        let role = json!({"role": "viewer"});
        counter.door.staff(OWNER, Method::PUT, &format!("/api/staff/{CLERK}/role"), &role).await.json();
        assert_eq!(decide(CLERK, older, "approve").await.problem(), (403, "forbidden_role".into()));
        // It counts from when the friend was sent: the order was placed since.
        for _ in 0..2 {
            assert_eq!(decide(OWNER, older, "approve").await.json()["state"], "completed");
        }
        assert_eq!(counter.have(ADA, EVE).await, [(200, 0), (100, 0)]);
        for _ in 0..2 {
            assert_eq!(decide(OWNER, newest, "refuse").await.json()["state"], "refused");
        }
        counter.is_sound().await;
        assert_eq!(decide(OWNER, newest, "approve").await.problem(), (409, "not_in_review".into()));
        // What staff have said stays said, however the friend comes again.
        let refused = counter.proxy(EVE + 1, Method::POST, "/proxy/referrals", &json!({"code": code})).await;
        assert_eq!(refused.status, 422);
        // What was given is taken back where staff refuse it later.
        assert_eq!(decide(OWNER, older, "refuse").await.json()["reason"], "staff");
        assert_eq!(counter.have(ADA, EVE).await, [(0, 0), (0, 0)]);
        let whole = counter.get(&format!("/api/referrals/{older}")).await;
        let steps: Vec<_> =
            whole["history"].as_array().unwrap().iter().map(|step| step["state"].clone()).collect();
        assert_eq!(steps, ["review", "waiting", "completed", "refused"]);
        let log = counter.log().await;
        assert_eq!(log.iter().filter(|entry| entry["action"] == "referral.decided").count(), 3);
        for unknown in ["nonsense", "0197d0a0-0000-7000-8000-000000000001"] {
            assert_eq!(decide(OWNER, unknown, "approve").await.problem(), (404, "unknown_referral".into()));
        }
        let bad = counter.door.staff(OWNER, Method::GET, "/api/referrals?state=novel", &Value::Null).await;
        assert_eq!(bad.problem(), (400, "bad_parameter".into()));
        counter.is_sound().await;
    });
}

#[test]
fn pages_of_referrals_come_one_after_the_other() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let code = counter.code(ADA).await;
        for friend in 0..55 {
            counter
                .proxy(EVE + friend, Method::POST, "/proxy/referrals", &json!({"code": code}))
                .await
                .json();
        }
        let first = counter.get("/api/referrals").await;
        let next = first["next"].as_str().unwrap();
        let second = counter.get(&format!("/api/referrals?after={next}")).await;
        let count = |page: &Value| page["referrals"].as_array().unwrap().len();
        assert_eq!((count(&first), count(&second), &second["next"]), (50, 5, &Value::Null));
    });
}

#[test]
fn an_export_shows_a_referral_to_both_whom_it_is_about() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.sends(ADA, EVE).await;
        let app = &counter.door.app;
        for customer in [ADA, EVE] {
            let about = json!({"customer": {"id": customer}, "orders_requested": [], "orders_to_redact": []});
            let id = format!("ask {customer}");
            counter.door.webhook(&id, "customers/data_request", counter.door.now(), &about).await;
            app.inbox.drain_until_idle().await.unwrap();
            app.tasks.run_due(app).await.unwrap();
        }
        let mut read = app.db.read(counter.id).await.unwrap();
        let requests = privacy::requests(&mut read, counter.id, 9).await.unwrap();
        drop(read);
        assert_eq!(requests.len(), 2);
        for request in requests {
            let document = privacy::document(app, counter.id, request.request_id).await.unwrap();
            let document: Value = serde_json::from_slice(&document.unwrap()).unwrap();
            let rows = document["held_here"]["referrals_referrals"]["rows"].as_array().unwrap();
            assert_eq!((rows.len(), &rows[0]["state"]), (1, &json!("waiting")), "{document}");
        }
    });
}

#[test]
fn what_staff_refused_stays_refused_whomever_either_becomes() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.sends(ADA, BOB).await;
        let id = counter.sent_by(BOB).await["id"].clone();
        let refuse = format!("/api/referrals/{}/refuse", id.as_str().unwrap());
        let decide = async || counter.door.staff(OWNER, Method::POST, &refuse, &Value::Null).await.json();
        assert_eq!(decide().await["reason"], "staff");
        let (friend, advocate) = (EVE + 1, EVE + 2);
        counter.code(friend).await;
        counter.merge(BOB, friend).await;
        counter.merge(ADA, advocate).await;
        // Staff see it with those who are there, may say so again, and it is known of those two.
        assert_eq!(counter.sent_by(friend).await["id"], id);
        assert_eq!(decide().await["state"], "refused");
        let code = counter.code(advocate).await;
        let told = counter.proxy(friend, Method::POST, "/proxy/referrals", &json!({"code": code})).await;
        assert_eq!(told.problem(), (422, "staff".into()));
        counter.is_sound().await;
    });
}
