//! Who sees tasks: the operator all of them, a shop's staff their shop's.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use devshop::Surface;
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::config::Secret;
use loyalnest::db::Engine;
use loyalnest::ids::ShopId;
use loyalnest::tasks::{self, Order};
use serde_json::Value;
use uuid::Uuid;

use super::script::{self, Do, Script};
use crate::support::app::Answered;
use crate::support::door::{self, Door, SHOP};
use crate::support::{TestDb, on_both_engines, on_engine};

const TOKEN: &str = "a token that nobody can guess";
const OPEN: [(&str, &str); 2] = [("LOYALNEST_OPERATOR__TOKEN", TOKEN), ("HOST", "https://app.example")];
const HERE: &str = "https://app.example";

async fn send(app: &App, request: axum::http::request::Builder, body: &str) -> Answered {
    door::send(app, request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn sign_in(app: &App, origin: Option<&str>, token: &str) -> Answered {
    let mut request =
        Request::post("/staff/sign-in").header("content-type", "application/x-www-form-urlencoded");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    send(app, request, &format!("token={}", token.replace(' ', "+"))).await
}

/// The cookie of an answer: its value, and its attributes.
fn cookie(answered: &Answered) -> (String, String) {
    let cookie = answered.headers["set-cookie"].to_str().unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    (pair.to_owned(), attributes.to_owned())
}

async fn board(app: &App, cookie: &str) -> Answered {
    send(app, Request::get("/staff/tasks").header("cookie", cookie), "").await
}

async fn requeue(app: &App, cookie: &str, origin: &str, task: &str) -> Answered {
    let path = format!("/staff/tasks/{task}/requeue");
    send(app, Request::post(path).header("cookie", cookie).header("origin", origin), "").await
}

async fn push(test: &TestDb, app: &App, shop: ShopId, name: &str, act: Do) -> Uuid {
    let mut tx = test.db.begin_outside().await.unwrap();
    let now = app.clock.now();
    let pushed = tasks::push(&mut tx, shop, &Script::new(name, act), Order::new(name), now).await.unwrap();
    tx.commit().await.unwrap();
    pushed.id
}

fn is_sent_to_sign_in(answered: &Answered) -> bool {
    answered.status == StatusCode::SEE_OTHER && answered.headers["location"] == "/staff/sign-in"
}

#[test]
fn the_operator_sees_the_tasks_of_all_shops_and_gives_dead_ones_another_chance() {
    on_both_engines(async |test| {
        let app = script::process(test, &OPEN).await;
        let (one, two) = (ShopId(Uuid::from_u128(1)), ShopId(Uuid::from_u128(2)));
        let dead = push(test, &app, one, "hopeless", Do::Dead("<b>no</b>".into())).await;
        let done = push(test, &app, two, "fine", Do::Fine).await;
        app.tasks.run_due(&app).await.unwrap();

        let signed_in = sign_in(&app, Some(HERE), TOKEN).await;
        assert_eq!(signed_in.status, StatusCode::SEE_OTHER, "{signed_in:?}");
        assert_eq!(signed_in.headers["location"], "/staff/tasks");
        let (cookie, attributes) = cookie(&signed_in);
        assert_eq!(attributes, "Path=/staff; Max-Age=28800; HttpOnly; Secure; SameSite=Strict");
        assert!(!cookie.contains("token"), "{cookie}");

        let page = board(&app, &cookie).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["x-frame-options"], "DENY");
        for shown in ["test.script", "hopeless", &one.to_string(), &two.to_string(), "&lt;b&gt;no&lt;/b&gt;"]
        {
            assert!(page.body.contains(shown), "{shown}\n{}", page.body);
        }
        let filtered =
            send(&app, Request::get("/staff/tasks?state=dead").header("cookie", &cookie), "").await;
        assert!(filtered.body.contains("hopeless") && !filtered.body.contains(&two.to_string()));
        for nonsense in ["state=lost", "before=1", "state=dead&before="] {
            let request = Request::get(format!("/staff/tasks?{nonsense}")).header("cookie", &cookie);
            assert_eq!(
                send(&app, request, "").await.problem(),
                (400, "bad_parameter".to_owned()),
                "{nonsense}"
            );
        }

        for (task, why) in
            [(done.to_string(), "done"), (Uuid::nil().to_string(), "none"), ("x".into(), "no id")]
        {
            let refused = requeue(&app, &cookie, HERE, &task).await;
            assert_eq!(refused.problem(), (404, "no_dead_task".to_owned()), "{why}");
        }
        let elsewhere = requeue(&app, &cookie, "https://evil.example", &dead.to_string()).await;
        assert_eq!(elsewhere.problem(), (403, "foreign_origin".to_owned()));
        assert!(is_sent_to_sign_in(&requeue(&app, "", HERE, &dead.to_string()).await));
        assert_eq!(app.tasks.dead(None, 10).await.unwrap().len(), 1, "nothing has changed");
        let requeued = requeue(&app, &cookie, HERE, &dead.to_string()).await;
        assert_eq!(requeued.status, StatusCode::SEE_OTHER, "{requeued:?}");
        assert!(app.tasks.dead(None, 10).await.unwrap().is_empty());
    });
}

#[test]
fn a_page_holds_fifty_tasks_and_leads_to_the_older_ones() {
    on_both_engines(async |test| {
        let app = script::process(test, &OPEN).await;
        for number in 0..60 {
            push(test, &app, ShopId(Uuid::from_u128(1)), &format!("number-{number:02}"), Do::Fine).await;
        }
        let (cookie, _) = cookie(&sign_in(&app, Some(HERE), TOKEN).await);
        let first = board(&app, &cookie).await.body;
        assert_eq!(first.matches("number-").count(), 50);
        assert!(first.contains("number-59") && !first.contains("number-09"));
        let (_, link) = first.split_once("href=\"/staff/tasks?before=").unwrap();
        let path = format!("/staff/tasks?before={}", &link[..36]);
        let second = send(&app, Request::get(path).header("cookie", &cookie), "").await.body;
        assert_eq!(second.matches("number-").count(), 10);
        assert!(second.contains("number-09") && second.contains("number-00") && !second.contains(">Older<"));
    });
}

#[test]
fn the_board_is_closed_to_everybody_else() {
    on_engine(Engine::Sqlite, async |test| {
        let app = script::process(test, &OPEN).await;
        let (good, _) = cookie(&sign_in(&app, Some(HERE), TOKEN).await);
        assert_eq!(board(&app, &good).await.status, StatusCode::OK);

        let (value, signature) = good.rsplit_once('.').unwrap();
        let second: i64 = value.rsplit_once('=').unwrap().1.parse().unwrap();
        let later = format!("loyalnest_operator={}.{signature}", second + 1);
        let sealed_for_another =
            format!("loyalnest_operator={}", app.signer.seal("oauth state", &second.to_string()));
        let unsigned = format!("loyalnest_operator={second}");
        for (cookie, why) in [
            ("", "none"),
            ("loyalnest_operator=", "empty"),
            ("loyalnest_oauth=1.2", "another"),
            (&unsigned, "unsigned"),
            (&later, "changed"),
            (&sealed_for_another, "sealed for another purpose"),
        ] {
            assert!(is_sent_to_sign_in(&board(&app, cookie).await), "{why}");
        }
        // A new token ends all sessions.
        let changed = [("LOYALNEST_OPERATOR__TOKEN", "another token that nobody can guess")];
        let renewed = script::another_process(test, &app, &changed).await;
        assert!(is_sent_to_sign_in(&board(&renewed, &good).await));
        // A session lasts eight hours.
        app.clock.advance(SignedDuration::from_hours(8) - SignedDuration::from_secs(1));
        assert_eq!(board(&app, &good).await.status, StatusCode::OK);
        app.clock.advance(SignedDuration::from_secs(1));
        assert!(is_sent_to_sign_in(&board(&app, &good).await));

        // Without a token in the settings there is nothing.
        let closed = script::another_process(test, &app, &[]).await;
        for path in ["/staff/tasks", "/staff/sign-in"] {
            let answered = send(&closed, Request::get(path).header("cookie", &good), "").await;
            assert_eq!(answered.problem(), (404, "not_found".to_owned()), "{path}");
        }
        assert_eq!(sign_in(&closed, Some(HERE), "").await.problem(), (404, "not_found".to_owned()));
    });
}

#[test]
fn only_the_token_opens_and_only_from_our_own_page_and_not_for_those_who_guess() {
    on_engine(Engine::Sqlite, async |test| {
        let app = script::process(test, &OPEN).await;
        let page = send(&app, Request::get("/staff/sign-in"), "").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains("type=\"password\""));
        assert!(page.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));

        for origin in
            [None, Some("null"), Some("https://evil.example"), Some("https://app.example.evil.example")]
        {
            let foreign = sign_in(&app, origin, TOKEN).await;
            assert_eq!(foreign.problem(), (403, "foreign_origin".to_owned()), "{origin:?}");
        }
        let nowhere = script::another_process(test, &app, &OPEN[..1]).await;
        assert_eq!(sign_in(&nowhere, Some(""), TOKEN).await.problem(), (403, "foreign_origin".to_owned()));
        let not_a_form = Request::post("/staff/sign-in").header("origin", HERE);
        assert_eq!(send(&app, not_a_form, TOKEN).await.status, StatusCode::UNAUTHORIZED);
        for wrong in ["", "a token", "a token that nobody can guess!", "A token that nobody can guess"] {
            let refused = sign_in(&app, Some(HERE), wrong).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{wrong}");
            assert!(refused.body.contains("This is not the token."));
            assert!(!refused.headers.contains_key("set-cookie"));
        }
        for _ in 0..5 {
            assert_eq!(sign_in(&app, Some(HERE), "guess").await.status, StatusCode::UNAUTHORIZED);
        }
        let closed = sign_in(&app, Some(HERE), TOKEN).await;
        assert_eq!(closed.problem(), (429, "too_many_guesses".to_owned()), "also for the right one");
        assert_eq!(closed.retry_after.as_deref(), Some("6"));
        app.clock.advance(SignedDuration::from_secs(6));
        let (cookie, _) = cookie(&sign_in(&app, Some(HERE), TOKEN).await);
        assert_eq!(board(&app, &cookie).await.status, StatusCode::OK);
        // At the address it was asked at, as well.
        let local = Request::post("/staff/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("host", "127.0.0.1:3000")
            .header("origin", "http://127.0.0.1:3000");
        let body = format!("token={}", TOKEN.replace(' ', "+"));
        assert_eq!(send(&app, local, &body).await.headers["location"], "/staff/tasks");

        let out = Request::post("/staff/sign-out").header("cookie", &cookie).header("origin", HERE);
        let out = send(&app, out, "").await;
        assert!(is_sent_to_sign_in(&out));
        assert!(
            out.headers["set-cookie"]
                .to_str()
                .unwrap()
                .starts_with("loyalnest_operator=; Path=/staff; Max-Age=0")
        );
    });
}

#[test]
fn staff_see_their_own_shops_tasks_page_by_page() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let token = Secret::new("devshop-token");
        let shop = door.app.shops.add(&door.app.admin, &SHOP.parse().unwrap(), &token).await.unwrap();
        let pushing = script::another_process(test, &door.app, &[]).await;
        for number in 0..5 {
            push(test, &pushing, shop.id, &number.to_string(), Do::Fine).await;
        }
        push(test, &pushing, ShopId(Uuid::from_u128(1)), "another shop's", Do::Fine).await;
        let mut tx = test.db.begin_outside().await.unwrap();
        let own = Script::new("own", Do::Fine);
        tasks::push(&mut tx, tasks::INSTALLATION, &own, Order::new("own"), pushing.clock.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        pushing.tasks.run_due(&pushing).await.unwrap();
        let hopeless = push(test, &pushing, shop.id, "hopeless", Do::Dead("no".into())).await;
        pushing.tasks.run_due(&pushing).await.unwrap();
        push(test, &pushing, shop.id, "waits", Do::Fine).await;

        let ask = async |query: &str, surface: Surface| {
            let token = door.shop.session_token(surface);
            let request =
                Request::get(format!("/api/tasks{query}")).header("authorization", format!("Bearer {token}"));
            send(&door.app, request, "").await
        };
        let read = |answered: Answered| -> Value {
            assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
            serde_json::from_str(&answered.body).unwrap()
        };
        let all = read(ask("", Surface::Admin(42)).await);
        let statuses: Vec<_> =
            all["tasks"].as_array().unwrap().iter().map(|task| task["status"].as_str().unwrap()).collect();
        assert_eq!(
            statuses,
            ["waiting", "dead", "done", "done", "done", "done", "done"],
            "none but this shop's"
        );
        assert_eq!(all["next"], Value::Null);
        assert_eq!(all["tasks"][1]["id"], hopeless.to_string());
        assert_eq!(all["tasks"][1]["reason"], "no");
        assert_eq!(all["tasks"][1]["kind"], "test.script");

        let (mut query, mut seen) = ("?limit=3".to_owned(), Vec::new());
        loop {
            let page = read(ask(&query, Surface::Admin(42)).await);
            seen.extend(page["tasks"].as_array().unwrap().iter().map(|task| task["id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=3&before={next}");
        }
        let ids: Vec<_> = all["tasks"].as_array().unwrap().iter().map(|task| task["id"].clone()).collect();
        assert_eq!(seen, ids);
        for nonsense in ["?limit=0", "?limit=201", "?limit=many", "?before=1", "?page=2"] {
            let refused = ask(nonsense, Surface::Admin(42)).await.problem();
            assert_eq!(refused, (400, "bad_parameter".to_owned()), "{nonsense}");
        }
        for surface in [Surface::Checkout(Some(7)), Surface::Checkout(None), Surface::CustomerAccount(7)] {
            assert_eq!(ask("", surface).await.problem(), (403, "staff_only".to_owned()), "{surface:?}");
        }
        let without = send(&door.app, Request::get("/api/tasks"), "").await;
        assert_eq!(without.problem(), (401, "session_token_missing".to_owned()));
    });
}
