//! The audit log: what staff did, before and after, in their language, page by page and as a table.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use devshop::Surface;
use loyalnest::audit::{self, Action, Actor, By, Change};
use loyalnest::ids::ShopId;
use serde_json::{Value, json};

use crate::support::door::{Door, SHOP};
use crate::support::{TestDb, on_both_engines};

async fn log(door: &Door, query: &str) -> Value {
    door.staff(42, Method::GET, &format!("/api/audit{query}"), &Value::Null).await.json()
}

fn actions(log: &Value) -> Vec<String> {
    log["entries"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap().to_owned()).collect()
}

async fn opened(door: &Door) -> ShopId {
    for user in [42, 43] {
        door.staff(user, Method::GET, "/api/me", &Value::Null).await.json();
    }
    door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap().id
}

async fn record(test: &TestDb, door: &Door, shop: ShopId, target: &str) {
    let mut tx = test.db.begin(shop).await.unwrap();
    let change = Change {
        action: Action::StaffSessionEnded,
        target: Some(target.into()),
        before: Value::Null,
        after: json!({"session": false}),
    };
    audit::record(&mut tx, shop, &By::from(Actor::Cli), change, door.now()).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn each_action_is_there_with_before_and_after_and_who_did_it_in_which_request() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let token = door.shop.session_token(Surface::Admin(42));
        let request = Request::put("/api/staff/43/role")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("x-request-id", "request-7")
            .body(Body::from(r#"{"role":"viewer"}"#));
        assert_eq!(door.send(request.unwrap()).await.status, StatusCode::OK);
        // The same again changes nothing, and so is no entry.
        door.staff(42, Method::PUT, "/api/staff/43/role", &json!({"role": "viewer"})).await.json();
        // What is refused changes nothing either.
        door.staff(42, Method::PUT, "/api/staff/42/role", &json!({"role": "viewer"})).await.problem();
        let log = log(&door, "").await;
        assert_eq!(actions(&log), ["staff.role_changed", "staff.joined", "staff.joined"]);
        let entry = &log["entries"][0];
        assert_eq!(entry["before"], json!({"role": "admin", "given": null}));
        assert_eq!(entry["after"], json!({"role": "viewer", "given": "viewer"}));
        assert_eq!((&entry["actor_kind"], &entry["actor_id"]), (&json!("user"), &json!("42")));
        assert_eq!((&entry["target"], &entry["request"]), (&json!("43"), &json!("request-7")));
        assert_eq!(entry["at"], json!(door.now().to_string()));
        assert_eq!(
            entry["text"],
            "Staff member 42 changed the role of staff member 43 from admin to viewer."
        );
    });
}

#[test]
fn an_entry_is_undone_with_what_it_tells_of() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let shop = opened(&door).await;
        let mut tx = test.db.begin(shop).await.unwrap();
        let change = Change {
            action: Action::LanguagesChanged,
            target: None,
            before: Value::Null,
            after: Value::Null,
        };
        audit::record(&mut tx, shop, &By::from(Actor::System), change, door.now()).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(actions(&log(&door, "").await), ["staff.joined", "staff.joined"]);
    });
}

#[test]
fn the_log_speaks_the_language_that_is_asked_for_or_that_the_reader_reads() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let german = "Teammitglied 43 hat die App zum ersten Mal geöffnet.";
        for (user, query, language, text) in [
            (42, "", "en", "Staff member 43 opened the app for the first time."),
            (43, "", "de", german),
            (42, "?lang=de-AT", "de", german),
            (43, "?lang=nl", "de", german),
            (42, "?lang=nl", "en", "Staff member 43 opened the app for the first time."),
            (
                43,
                "?lang=fr-CA",
                "fr",
                "Le membre du personnel 43 a ouvert l’application pour la première fois.",
            ),
        ] {
            let log = door.staff(user, Method::GET, &format!("/api/audit{query}"), &Value::Null).await.json();
            assert_eq!(
                (&log["language"], &log["entries"][0]["text"]),
                (&json!(language), &json!(text)),
                "{query}"
            );
        }
        for nonsense in ["xx-", "und", "%00", "en%00", &"a".repeat(200)] {
            let path = format!("/api/audit?lang={nonsense}");
            let answered = door.staff(42, Method::GET, &path, &Value::Null).await;
            assert_eq!(answered.problem(), (400, "bad_language".to_owned()), "{nonsense}");
        }
    });
}

#[test]
fn pages_show_every_entry_once_newest_first_and_no_other_shops() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let shop = opened(&door).await;
        for number in 0..5 {
            record(test, &door, shop, &number.to_string()).await;
            record(test, &door, ShopId(uuid::Uuid::now_v7()), "another shop's").await;
        }
        let (mut seen, mut query) = (Vec::new(), "?limit=3".to_owned());
        loop {
            let page = log(&door, &query).await;
            let entries = page["entries"].as_array().unwrap();
            seen.extend(entries.iter().map(|entry| entry["target"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            assert_eq!(entries.len(), 3);
            query = format!("?limit=3&after={next}");
        }
        assert_eq!(seen, ["4", "3", "2", "1", "0", "43", "42"]);
        for nonsense in ["?limit=0", "?limit=201", "?limit=-1", "?limit=x", "?after=x", "?before=1"] {
            let answered = door.staff(42, Method::GET, &format!("/api/audit{nonsense}"), &Value::Null).await;
            assert_eq!(answered.problem(), (400, "bad_parameter".to_owned()), "{nonsense}");
        }
    });
}

#[test]
fn as_a_table_nothing_is_a_formula() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let shop = opened(&door).await;
        record(test, &door, shop, "=HYPERLINK(\"https://evil.example\",\"a,b\")").await;
        let table = async |user: u64| {
            let token = door.shop.session_token(Surface::Admin(user));
            let request = Request::get("/api/audit?lang=en")
                .header("authorization", format!("Bearer {token}"))
                .header("accept", "text/csv");
            door.send(request.body(Body::empty()).unwrap()).await
        };
        let answered = table(42).await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.content_type.as_deref(), Some("text/csv; charset=utf-8"));
        assert_eq!(answered.headers["content-disposition"], "attachment; filename=\"audit.csv\"");
        let lines: Vec<_> = answered.body.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0], "at,id,actor_kind,actor_id,operator,action,text,target,before,after,request");
        assert!(
            lines[1].contains(",\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"a,b\"\")\","),
            "{}",
            lines[1]
        );
        assert!(lines[3].contains(",user,42,,staff.joined,"), "{}", lines[3]);
        door.staff(42, Method::PUT, "/api/staff/43/role", &json!({"role": "editor"})).await.json();
        assert_eq!(table(43).await.problem(), (403, "forbidden_role".to_owned()));
    });
}
