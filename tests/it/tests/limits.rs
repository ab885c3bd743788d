//! Limits: what a shop, a client and everyone together may ask for; and what happens beyond.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Request};
use devshop::Surface;
use loyalnest::db;
use loyalnest::db::Engine;
use loyalnest::serve;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::app::{Answered, SECRET, SHOP, TestApp, proxied};
use crate::support::door::{Door, api};
use crate::support::{TestDb, on_both_engines, on_engine};

/// A widget's request, signed for a shop.
async fn widget(app: &TestApp, path: &str, secret: &str) -> Answered {
    let now = app.now().as_second();
    let query = format!("logged_in_customer_id=&path_prefix=%2Fapps%2Floyalty&shop={SHOP}&timestamp={now}");
    app.get(&format!("{path}?{}", proxied(secret, &query))).await
}

#[test]
fn a_shop_that_asks_too_often_is_told_when_to_try_again() {
    on_both_engines(async |test| {
        let limits = [("LOYALNEST_WEB__RATE", "1"), ("LOYALNEST_WEB__BURST", "3")];
        let app = TestApp::with(&test.db, &limits).await;
        // What nobody signed takes nothing out of the shop's bucket.
        for _ in 0..10 {
            assert_eq!(widget(&app, "/proxy/account", "guess").await.problem().1, "bad_signature");
        }
        for _ in 0..3 {
            assert_ne!(widget(&app, "/proxy/account", SECRET).await.status, 429);
        }
        let refused = widget(&app, "/proxy/account", SECRET).await;
        assert_eq!(refused.problem(), (429, "too_many_requests".to_owned()));
        assert_eq!(refused.retry_after.as_deref(), Some("1"));
        assert_ne!(widget(&app, "/proxy/history", SECRET).await.status, 429, "another endpoint");
        app.advance(jiff::SignedDuration::from_secs(1));
        assert_ne!(widget(&app, "/proxy/account", SECRET).await.status, 429);
        assert_eq!(widget(&app, "/proxy/account", SECRET).await.status, 429);
        for n in 0..20 {
            app.order(&n.to_string(), n, "").await; // webhooks are not counted
        }
    });
}

#[test]
fn what_is_too_much_at_once_is_turned_away_and_probes_are_not() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &[("LOYALNEST_WEB__CONCURRENCY", "1")]).await;
        // A webhook is under way as long as it waits for its commit.
        let mut busy = test.db.begin_outside().await.unwrap();
        db!(busy.execute,
            sqlite: "update inbox_leases set bucket = bucket",
            postgres: "lock table inbox_messages in exclusive mode")
        .unwrap();
        let webhook = app.webhook("1", "orders/create", r#"{"id":1}"#);
        let waiting = tokio::spawn(app.app.router().oneshot(webhook));
        while app.get("/proxy/account").await.status != 503 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let refused = app.get("/proxy/account").await;
        assert_eq!(refused.problem(), (503, "unavailable".to_owned()));
        assert_eq!(refused.retry_after.as_deref(), Some("1"));
        assert_eq!(app.get("/healthz").await.status, 200);
        drop(busy);
        assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
        assert_eq!(app.get("/proxy/account").await.problem().1, "bad_signature");
    });
}

#[test]
fn whoever_sends_a_body_slowly_takes_nobodys_place() {
    on_both_engines(async |test| {
        let (running, app) = Running::start(test, &[("LOYALNEST_WEB__CONCURRENCY", "1")]).await;
        let mut slow = Vec::new();
        for path in ["/webhooks", "/webhooks", "/proxy/redemptions"] {
            let mut stream = TcpStream::connect(running.address).await.unwrap();
            let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{");
            stream.write_all(head.as_bytes()).await.unwrap();
            slow.push(stream);
        }
        // They are all there, and wait.
        tokio::time::sleep(Duration::from_millis(300)).await;
        app.order("1", 1, "").await;
        assert_eq!(app.get("/proxy/account").await.problem().1, "bad_signature");
        drop(slow);
    });
}

/// The program on a port of its own.
struct Running {
    address: std::net::SocketAddr,
    stop: CancellationToken,
}

impl Running {
    async fn start(test: &TestDb, changed: &[(&str, &str)]) -> (Running, TestApp) {
        let app = TestApp::with(&test.db, changed).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(serve::run(app.app.clone(), Some(listener), false, stop.clone()));
        (Running { address, stop }, app)
    }

    /// Sends this much of a request and reads until the server hangs up: what it said, and after how long.
    async fn send(&self, text: &str) -> (String, Duration) {
        let start = Instant::now();
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await.unwrap();
        (String::from_utf8(answer).unwrap(), start.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[test]
fn headers_that_are_too_many_or_too_long_are_refused() {
    on_engine(Engine::Sqlite, async |test| {
        let (running, _app) = Running::start(test, &[("LOYALNEST_WEB__HEADERS", "20")]).await;
        let request = |headers: String| {
            format!("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
        };
        let headers = |count: usize| (0..count).map(|n| format!("h{n}: v\r\n")).collect::<String>();
        let long = |bytes: usize| format!("h: {}\r\n", "v".repeat(bytes));
        for (headers, status) in [
            (headers(10), "200"),
            (headers(30), "431"),
            (long(10_000), "200"),
            (long(20_000), "431"),
            (long(1_000_000), "431"),
        ] {
            let (answer, _) = running.send(&request(headers)).await;
            assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
        }
    });
}

#[test]
fn clients_that_are_too_slow_are_let_go() {
    on_engine(Engine::Sqlite, async |test| {
        let times = [("LOYALNEST_WEB__HEADER_TIMEOUT", "1s"), ("LOYALNEST_WEB__BODY_TIMEOUT", "1s")];
        let (running, _app) = Running::start(test, &times).await;
        for (what, says) in [
            ("", ""),
            ("GET /healthz HT", ""),
            ("GET /healthz HTTP/1.1\r\nhost: x\r\nslow", ""),
            // An answer, and then no next request.
            ("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", "ok"),
            ("POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"id\":", "body_too_slow"),
        ] {
            let (answer, after) = running.send(what).await;
            assert!(answer.contains(says), "{what:?}: {answer}");
            assert!(after > Duration::from_millis(700), "{what:?}: {after:?}");
        }
    });
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    on_engine(Engine::Sqlite, async |test| {
        let limits = [("LOYALNEST_WEB__CONNECTIONS", "1"), ("LOYALNEST_WEB__HEADER_TIMEOUT", "2s")];
        let (running, _app) = Running::start(test, &limits).await;
        let _idle = TcpStream::connect(running.address).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (answer, after) =
            running.send("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(after > Duration::from_millis(500), "it waited until the idle one was let go: {after:?}");
    });
}

#[test]
fn a_body_that_is_too_large_is_refused_everywhere() {
    on_engine(Engine::Sqlite, async |test| {
        let limits = [("LOYALNEST_WEB__BODY_LIMIT", "100"), ("LOYALNEST_INBOX__BODY_LIMIT", "200")];
        let app = TestApp::with(&test.db, &limits).await;
        let large = app.webhook("1", "orders/create", &format!("{{\"id\":1{}}}", " ".repeat(200)));
        assert_eq!(app.send(large).await.problem(), (413, "body_too_large".to_owned()));
        let fits = app.webhook("2", "orders/create", &format!("{{\"id\":1{}}}", " ".repeat(150)));
        assert_eq!(app.send(fits).await.status, 200, "webhooks have their own limit");

        let door = Door::with(test, &limits).await;
        let pick = |label: &str| {
            let path = format!("/proxy/redemptions?{}", door.shop.signed_proxy_query(Some(7), &[]));
            let body = format!(r#"{{"reward":"{label}","currency":"GBP"}}"#);
            let request = Request::post(path).header("content-type", "application/json");
            door.send(request.body(Body::from(body)).unwrap())
        };
        let token = door.shop.session_token(Surface::Admin(42));
        assert_eq!(door.me(&token).await.status, 200);
        assert_eq!(pick(&"x".repeat(100)).await.problem(), (413, "body_too_large".to_owned()));
        assert_ne!(pick("x").await.status, 413);
        let languages = async |tag: &str| {
            let body = json!({"languages": [tag]});
            door.staff(42, Method::PUT, "/api/languages", &body).await
        };
        assert_eq!(languages(&"x".repeat(100)).await.problem(), (413, "body_too_large".to_owned()));
        assert_ne!(languages("de").await.status, 413);
    });
}

#[test]
fn extensions_take_from_the_same_buckets() {
    on_both_engines(async |test| {
        let limits = [("LOYALNEST_WEB__RATE", "1"), ("LOYALNEST_WEB__BURST", "3")];
        let door = Door::with(test, &limits).await;
        door.me(&door.shop.session_token(Surface::Admin(42))).await.json();
        let shopper = door.shop.session_token(Surface::Checkout(Some(7)));
        let ask =
            async |token: &str, path: &str| door.extension(token, Method::GET, path, &json!(null)).await;
        for token in ["forged", &door.shop.session_token(Surface::Pos(42))] {
            for _ in 0..10 {
                assert_ne!(ask(token, "/account").await.status, 429, "who may not ask takes nothing");
            }
        }
        for _ in 0..3 {
            assert_eq!(ask(&shopper, "/account").await.status, 200);
        }
        let refused = ask(&shopper, "/account").await;
        assert_eq!(refused.problem(), (429, "too_many_requests".to_owned()));
        assert_eq!(refused.retry_after.as_deref(), Some("1"));
        assert_eq!(refused.headers["access-control-expose-headers"], "retry-after");
        assert_eq!(ask(&shopper, "/history").await.status, 200, "another endpoint");
        door.advance(jiff::SignedDuration::from_secs(1));
        assert_eq!(ask(&shopper, "/account").await.status, 200);
        assert_eq!(ask(&shopper, "/account").await.status, 429);
    });
}

#[test]
fn guests_and_customers_use_up_only_what_is_theirs() {
    on_both_engines(async |test| {
        let limits = [
            ("LOYALNEST_WEB__RATE", "1"),
            ("LOYALNEST_WEB__BURST", "3"),
            ("LOYALNEST_WEB__CUSTOMER_RATE", "1"),
            ("LOYALNEST_WEB__CUSTOMER_BURST", "2"),
        ];
        let door = Door::with(test, &limits).await;
        let staff = async || door.staff(42, Method::GET, "/api/program", &json!(null)).await.status;
        assert_eq!(staff().await, 200);
        let guest = door.shop.session_token(Surface::Checkout(None));
        let ask = async |customer| {
            let token = door.shop.session_token(Surface::Checkout(customer));
            door.extension(&token, Method::GET, "/account", &json!(null)).await.status
        };
        let asked = [ask(None).await, ask(None).await, ask(None).await, ask(None).await];
        assert_eq!(asked, [401, 401, 401, 429]);
        let asked = [ask(Some(7)).await, ask(Some(7)).await, ask(Some(7)).await];
        assert_eq!(asked, [200, 200, 429], "one customer");
        assert_eq!([ask(Some(8)).await, ask(Some(9)).await], [200, 429], "all customers together");
        // Who comes by the other door's tokens is told so, at nobody's cost.
        for _ in 0..10 {
            api(&door.app, &guest, Method::GET, "/api/program", &json!(null)).await;
        }
        assert_eq!([staff().await, staff().await, staff().await], [200, 200, 429]);
    });
}

#[test]
fn a_shop_that_asks_too_often_with_session_tokens_is_told_when_to_try_again() {
    on_both_engines(async |test| {
        let limits = [("LOYALNEST_WEB__RATE", "1"), ("LOYALNEST_WEB__BURST", "3")];
        let door = Door::with(test, &limits).await;
        let token = door.shop.session_token(Surface::Admin(42));
        for _ in 0..10 {
            assert_eq!(door.me("forged").await.problem().0, 401, "what is forged takes nothing");
        }
        for _ in 0..3 {
            assert_eq!(door.me(&token).await.status, 200);
        }
        let refused = door.me(&token).await;
        assert_eq!(refused.problem(), (429, "too_many_requests".to_owned()));
        assert_eq!(refused.retry_after.as_deref(), Some("1"));
        let shown = refused.headers["access-control-expose-headers"].to_str().unwrap();
        assert!(shown.contains("retry-after"), "{shown}");
        door.advance(jiff::SignedDuration::from_secs(1));
        assert_eq!(door.me(&token).await.status, 200);
        assert_eq!(door.me(&token).await.status, 429);
    });
}
