//! Support: who of the installation is let in, for how long, what they may do, what is written down, who ends it.

use axum::http::{Method, StatusCode};
use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::support::{self, Session, SupportError, Token, Wish};
use serde_json::{Value, json};

use crate::support::app::Answered;
use crate::support::door::{self, Door, SHOP};
use crate::support::{TestDb, on_both_engines};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn wish(minutes: u32, may_write: bool) -> Wish {
    Wish { operator: "Ada".into(), reason: "ticket 7".into(), minutes, may_write }
}

async fn opened(door: &Door) {
    for user in [42, 43] {
        door.staff(user, Method::GET, "/api/me", &Value::Null).await.json();
    }
}

async fn open(door: &Door, wish: Wish) -> Result<(Session, String), SupportError> {
    let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
    let (session, token) = support::open(&door.app, &shop, wish).await?;
    Ok((session, token.show()))
}

async fn ask(door: &Door, token: &str, method: Method, path: &str, body: &Value) -> Answered {
    door::api(&door.app, token, method, path, body).await
}

async fn log(door: &Door) -> Vec<(String, Value, Value)> {
    let log = door.staff(42, Method::GET, "/api/audit?limit=200", &Value::Null).await.json();
    let entries = log["entries"].as_array().unwrap().iter();
    entries
        .map(|e| (e["action"].as_str().unwrap().to_owned(), e["target"].clone(), e["after"].clone()))
        .collect()
}

async fn requests(test: &TestDb) -> i64 {
    let mut read = test.db.read_across().await.unwrap();
    let (count,): (i64,) =
        db!(read.one, "select count(*) from audit_entries where action = $1", "support.request").unwrap();
    count
}

#[test]
fn support_looks_for_a_time_and_every_request_is_written_down() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let (session, token) = open(&door, wish(30, false)).await.unwrap();
        let me = ask(&door, &token, Method::GET, "/api/me", &Value::Null).await.json();
        assert_eq!((&me["role"], &me["user"], &me["shop"]), (&json!("support"), &Value::Null, &json!(SHOP)));
        assert_eq!(ask(&door, &token, Method::GET, "/api/staff", &Value::Null).await.status, StatusCode::OK);
        let id = session.session_id;
        for (method, path, body) in [
            (Method::PUT, "/api/languages", json!({"languages": ["de"]})),
            (Method::PUT, "/api/staff/43/role", json!({"role": "viewer"})),
            (Method::PUT, "/api/staff/default-role", json!({"role": "viewer"})),
            (Method::DELETE, "/api/staff/43/session", Value::Null),
            (Method::PUT, "/api/support/allowed", json!({"allowed": true})),
            (Method::DELETE, &format!("/api/support/{id}"), Value::Null),
            (Method::POST, "/api/group", Value::Null),
            (Method::GET, "/api/audit", Value::Null),
        ] {
            let answered = ask(&door, &token, method.clone(), path, &body).await;
            assert_eq!(answered.problem(), (403, "forbidden_role".to_owned()), "{method} {path}");
        }
        let log = log(&door).await;
        assert_eq!(log[0], ("support.request".into(), json!("GET /api/audit"), json!({"status": 403})));
        let of_session = log.iter().find(|(_, target, _)| target == "DELETE /api/support/{id}");
        assert!(of_session.is_some(), "the route, not what was in it: {log:?}");
        let (_, target, after) = &log[10];
        assert_eq!(log[10].0, "support.opened");
        assert_eq!(target, &json!(id.to_string()));
        assert_eq!(after, &json!({"until": session.expires_at, "reason": "ticket 7", "write": false}));
        assert_eq!(requests(test).await, 10);

        let all = door.staff(42, Method::GET, "/api/audit", &Value::Null).await.json();
        let entry = &all["entries"][0];
        assert_eq!((&entry["actor_kind"], &entry["operator"]), (&json!("support"), &json!("Ada")));
        assert_eq!(entry["actor_id"], json!(id.to_string()));
        assert_eq!(entry["text"], "Support (Ada) asked for GET /api/audit and was answered with 403.");
        assert!(entry["request"].is_string());
    });
}

#[test]
fn a_session_for_writing_edits_and_never_says_who_may_do_what() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let (session, token) = open(&door, wish(30, true)).await.unwrap();
        let edited = ask(&door, &token, Method::PUT, "/api/languages", &json!({"languages": ["de"]})).await;
        assert_eq!(edited.json()["languages"], json!(["de"]));
        for (method, path, body) in [
            (Method::PUT, "/api/staff/43/role", json!({"role": "viewer"})),
            (Method::PUT, "/api/staff/default-role", json!({"role": "viewer"})),
            (Method::PUT, "/api/support/allowed", json!({"allowed": true})),
            (Method::POST, "/api/group", Value::Null),
            (Method::POST, "/api/group/join", json!({"code": "x"})),
        ] {
            let answered = ask(&door, &token, method.clone(), path, &body).await;
            assert_eq!(answered.problem(), (403, "forbidden_role".to_owned()), "{method} {path}");
        }
        let all = door.staff(42, Method::GET, "/api/audit", &Value::Null).await.json();
        let change = &all["entries"][6];
        assert_eq!((&change["action"], &change["operator"]), (&json!("languages.changed"), &json!("Ada")));
        assert_eq!(change["actor_id"], json!(session.session_id.to_string()));
    });
}

#[test]
fn no_token_but_the_one_that_was_shown_is_let_in() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let (session, token) = open(&door, wish(30, false)).await.unwrap();
        let (other, _) = open(&door, wish(30, false)).await.unwrap();
        let refused = async |token: &str, why: &str| {
            let answered = ask(&door, token, Method::GET, "/api/me", &Value::Null).await;
            assert_eq!(answered.problem(), (401, "invalid_support_token".to_owned()), "{why}: {token}");
            let retry = answered.headers.get("x-shopify-retry-invalid-session-request");
            assert!(retry.is_none(), "App Bridge has no other");
        };
        for place in 4..token.len() {
            let old = token.as_bytes()[place] as char;
            let new = if old == 'A' { 'B' } else { 'A' };
            let changed = format!("{}{new}{}", &token[..place], &token[place + 1..]);
            refused(&changed, &format!("place {place}")).await;
        }
        let mut swapped = Token::read(&token).unwrap();
        swapped.session = other.session_id;
        refused(&swapped.show(), "another session of the shop").await;
        let mut swapped = Token::read(&token).unwrap();
        swapped.shop = loyalnest::ids::ShopId(uuid::Uuid::now_v7());
        refused(&swapped.show(), "another shop").await;
        for (why, token) in [
            ("nothing", "lns_".to_owned()),
            ("cut", token[..token.len() - 1].to_owned()),
            ("longer", format!("{token}A")),
            ("padded", format!("{token}=")),
            ("the id", format!("lns_{}", session.session_id)),
            ("nonsense", "lns_\u{7f}é".replace('\u{7f}', "").replace('é', "e")),
        ] {
            refused(&token, why).await;
        }
        assert_eq!(requests(test).await, 0, "nobody was let in");
        let me = ask(&door, &token, Method::GET, "/api/me", &Value::Null).await;
        assert_eq!(me.status, StatusCode::OK);
        // Nothing that could be replayed is kept.
        let mut read = test.db.read_across().await.unwrap();
        let hashes: Vec<(Vec<u8>,)> = db!(read.all, "select token_hash from support_sessions").unwrap();
        assert!(
            hashes
                .iter()
                .all(|(hash,)| hash.len() == 32 && !token.contains(&String::from_utf8_lossy(hash)[..]))
        );
        // It opens nothing but the routes below /api.
        let answered = ask(&door, &token, Method::GET, "/metrics", &Value::Null).await;
        assert_eq!(answered.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_session_ends_with_its_time_by_command_and_by_the_merchant() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let over = async |token: &str, why: &str| {
            let answered = ask(&door, token, Method::GET, "/api/me", &Value::Null).await;
            assert_eq!(answered.problem(), (401, "support_ended".to_owned()), "{why}");
        };
        let (_, timed) = open(&door, wish(1, false)).await.unwrap();
        door.advance(MINUTE - SignedDuration::from_micros(1));
        assert_eq!(ask(&door, &timed, Method::GET, "/api/me", &Value::Null).await.status, StatusCode::OK);
        door.advance(SignedDuration::from_micros(1));
        over(&timed, "its time").await;
        assert_eq!(log(&door).await[0].2, json!({"status": 401}), "whoever comes too late is written down");

        let (session, by_merchant) = open(&door, wish(30, true)).await.unwrap();
        let path = format!("/api/support/{}", session.session_id);
        door.staff(43, Method::PUT, "/api/staff/43/role", &json!({"role": "viewer"})).await.json();
        let refused = door.staff(43, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(refused.problem().1, "forbidden_role");
        let list = door.staff(43, Method::GET, "/api/support", &Value::Null).await.json();
        assert_eq!((&list["allowed"], &list["sessions"][0]["open"]), (&json!(true), &json!(true)));
        assert_eq!(
            (&list["sessions"][0]["operator"], &list["sessions"][0]["write"]),
            (&json!("Ada"), &json!(true))
        );
        assert_eq!(list["sessions"][1]["open"], false);
        let ended = door.staff(42, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(ended.status, StatusCode::NO_CONTENT);
        over(&by_merchant, "the merchant").await;
        for gone in [path.as_str(), "/api/support/x", &format!("/api/support/{}", uuid::Uuid::now_v7())] {
            let answered = door.staff(42, Method::DELETE, gone, &Value::Null).await;
            assert_eq!(answered.problem(), (404, "unknown_support_session".to_owned()), "{gone}");
        }

        let (_, one) = open(&door, wish(30, false)).await.unwrap();
        let (two_session, two) = open(&door, wish(30, false)).await.unwrap();
        let close = async |which: Option<uuid::Uuid>| {
            let by = loyalnest::audit::By::from(loyalnest::audit::Actor::Cli);
            let mut tx = test.db.begin(two_session.shop_id).await.unwrap();
            let closed = support::close(&mut tx, two_session.shop_id, which, &by, door.now()).await.unwrap();
            tx.commit().await.unwrap();
            closed
        };
        assert_eq!(close(Some(two_session.session_id)).await, 1);
        assert_eq!(close(Some(two_session.session_id)).await, 0);
        over(&two, "by its id").await;
        assert_eq!(close(None).await, 1);
        over(&one, "all").await;
    });
}

#[test]
fn a_shop_that_wants_no_support_lets_nobody_in_and_puts_out_who_is() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let (_, token) = open(&door, wish(30, false)).await.unwrap();
        let allow = async |allowed: bool| {
            let body = json!({"allowed": allowed});
            let answered = door.staff(43, Method::PUT, "/api/support/allowed", &body).await;
            assert_eq!(answered.status, StatusCode::NO_CONTENT, "{answered:?}");
        };
        allow(false).await;
        let answered = ask(&door, &token, Method::GET, "/api/me", &Value::Null).await;
        assert_eq!(answered.problem().1, "support_ended");
        assert!(matches!(open(&door, wish(30, false)).await, Err(SupportError::NotAllowed)));
        allow(true).await;
        let answered = ask(&door, &token, Method::GET, "/api/me", &Value::Null).await;
        assert_eq!(answered.problem().1, "support_ended", "what has ended stays so");
        assert!(open(&door, wish(30, false)).await.is_ok());
        for nonsense in [json!({}), json!({"allowed": "no"}), json!({"allowed": null}), json!([])] {
            let answered = door.staff(42, Method::PUT, "/api/support/allowed", &nonsense).await;
            assert_eq!(answered.problem(), (400, "bad_body".to_owned()), "{nonsense}");
        }
        let changes: Vec<_> = log(&door).await.into_iter().map(|(action, ..)| action).collect();
        assert_eq!(changes.iter().filter(|action| *action == "support.allowed_changed").count(), 2);
        assert_eq!(changes.iter().filter(|action| *action == "support.closed").count(), 1);
    });
}

#[test]
fn an_uninstall_ends_support_and_nonsense_opens_none() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let (_, token) = open(&door, wish(30, false)).await.unwrap();
        for minutes in [0, 121, u32::MAX] {
            let refused = open(&door, wish(minutes, false)).await;
            assert!(matches!(refused, Err(SupportError::Nonsense(_))), "{minutes}");
        }
        door.advance(MINUTE);
        door.shop.uninstall_app();
        door.webhook("u1", "app/uninstalled", door.now(), &json!({"id": 1})).await;
        let answered = ask(&door, &token, Method::GET, "/api/me", &Value::Null).await;
        assert_eq!(answered.problem().1, "support_ended");
        door.advance(MINUTE);
        door.shop.install_app();
        opened(&door).await;
        let answered = ask(&door, &token, Method::GET, "/api/me", &Value::Null).await;
        assert_eq!(answered.problem().1, "support_ended", "also when the shop is back");
    });
}
