//! `/metrics`: what it says, and to whom.

use axum::body::Body;
use axum::http::Request;
use jiff::SignedDuration;
use loyalnest::customers;
use loyalnest::db::Engine;
use loyalnest::ids::{CustomerId, ShopId};
use loyalnest::orders::{self, Incoming, payload};
use loyalnest::{programs, serve};
use loyalty::{Currency, Program};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::app::{Answered, TestApp};
use crate::support::orders::Order;
use crate::support::{on_both_engines, on_engine};

const TOKEN: [(&str, &str); 2] =
    [("LOYALNEST_METRICS__TOKEN", "let me in"), ("LOYALNEST_INBOX__RETRY", "1s")];

async fn ask(app: &TestApp, authorization: &str) -> Answered {
    let request = Request::get("/metrics").header("authorization", authorization);
    app.send(request.body(Body::empty()).unwrap()).await
}

async fn metrics(app: &TestApp) -> String {
    let answered = ask(app, "Bearer let me in").await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert!(answered.content_type.unwrap().starts_with("text/plain; version=0.0.4"));
    answered.body
}

/// The value of a series, as it is written: `name{label="value"}`.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

#[test]
fn metrics_are_for_those_who_have_the_token() {
    on_engine(Engine::Sqlite, async |test| {
        let app = TestApp::with(&test.db, &TOKEN).await;
        for wrong in ["Bearer let me", "Bearer let me in!", "Bearer ", "let me in", "", "Basic let me in"] {
            assert_eq!(ask(&app, wrong).await.problem(), (401, "bad_token".to_owned()), "{wrong}");
        }
        assert_eq!(app.get("/metrics").await.problem(), (401, "bad_token".to_owned()));
        metrics(&app).await;
        let closed = TestApp::new(&test.db).await;
        assert_eq!(ask(&closed, "Bearer ").await.problem(), (404, "not_found".to_owned()));
    });
}

#[test]
fn what_waits_and_what_is_dead_is_measured() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &TOKEN).await;
        app.order("1 fails twice", 1, r#","do":"fail""#).await;
        app.order("2", 2, "").await;
        app.app.events.deliver_due().await.unwrap();
        app.advance(SignedDuration::from_secs(90));
        let waits = metrics(&app).await;
        assert_eq!(value(&waits, "loyalnest_inbox_waiting"), 2.0, "{waits}");
        assert_eq!(value(&waits, "loyalnest_inbox_lag_seconds"), 90.0);
        app.drain().await;
        app.advance(SignedDuration::from_mins(6));
        app.app.inbox.watch().await.unwrap();
        let behind = metrics(&app).await;
        assert_eq!(value(&behind, "loyalnest_inbox_shops_behind"), 1.0);
        assert_eq!(value(&behind, r#"loyalnest_outbox_waiting{subscriber="alerts"}"#), 1.0, "{behind}");
        app.drain().await;
        app.app.events.deliver_due().await.unwrap();
        let after = metrics(&app).await;
        assert_eq!(value(&after, "loyalnest_inbox_waiting"), 0.0);
        assert_eq!(value(&after, "loyalnest_inbox_lag_seconds"), 0.0);
        assert_eq!(value(&after, "loyalnest_inbox_dead"), 1.0);
        assert_eq!(value(&after, r#"loyalnest_outbox_waiting{subscriber="alerts"}"#), 0.0);
    });
}

#[test]
fn requests_and_the_ledgers_entries_are_counted() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &TOKEN).await;
        let stored = r#"loyalnest_http_requests_total{method="POST",route="/webhooks",status="200"}"#;
        let unsigned = r#"loyalnest_http_requests_total{method="POST",route="/webhooks",status="401"}"#;
        let earned = r#"loyalnest_ledger_entries_total{kind="earn"}"#;
        let before = metrics(&app).await;
        app.order("1", 1, "").await;
        let forged = Request::post("/webhooks").body(Body::from("{}")).unwrap();
        assert_eq!(app.send(forged).await.status, 401);
        let (shop, now) = (ShopId(Uuid::now_v7()), app.now());
        let mut tx = test.db.begin(shop).await.unwrap();
        let program = Program::standard(Currency::parse("GBP").unwrap());
        programs::set(&mut tx, shop, program, now).await.unwrap();
        let order = payload::order(Order::new(1, 101).payload().to_string().as_bytes()).unwrap().unwrap();
        let incoming = Incoming::Order { order: Box::new(order), metafield: None, opens: true };
        orders::process(&mut tx, shop, vec![incoming], now).await.unwrap();
        let enrolled = customers::member(&mut tx, shop, CustomerId(101)).await.unwrap();
        assert!(enrolled.is_some());
        tx.commit().await.unwrap();

        let after = metrics(&app).await;
        // Other tests of this process are counted, too.
        for series in [stored, unsigned, earned] {
            assert!(value(&after, series) > value(&before, series), "{series}\n{after}");
        }
        assert_eq!(value(&after, "loyalnest_sync_waiting"), 1.0, "the new member's metafield");
        assert!(
            after.contains(r#"loyalnest_http_request_seconds_bucket{route="/webhooks",le="5"}"#),
            "{after}"
        );
        assert!(!after.contains("myshopify"), "no shop in any label");

        app.advance(SignedDuration::from_secs(30));
        let later = metrics(&app).await;
        assert_eq!(value(&later, "loyalnest_sync_shops_waiting"), 1.0);
        assert_eq!(value(&later, "loyalnest_sync_lag_seconds"), 30.0, "{later}");
    });
}

#[test]
fn tasks_are_measured_by_kind() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &TOKEN).await;
        let of = |name: &str| format!(r#"loyalnest_{name}{{kind="inbox.clean_up"}}"#);
        app.app.tasks.tick().await.unwrap();
        app.advance(SignedDuration::from_mins(2));
        let waits = metrics(&app).await;
        assert_eq!(value(&waits, &of("tasks_waiting")), 1.0, "{waits}");
        assert_eq!(value(&waits, &of("tasks_lag_seconds")), 120.0);
        app.app.tasks.run_due(&app.app).await.unwrap();
        let done = metrics(&app).await;
        assert_eq!((value(&done, &of("tasks_waiting")), value(&done, &of("tasks_lag_seconds"))), (0.0, 0.0));
        assert_eq!(value(&done, &of("tasks_dead")), 0.0);
        assert!(value(&done, &of("task_seconds_count")) >= 1.0, "{done}");
    });
}

#[test]
fn the_loopback_listener_serves_metrics_and_nothing_else_also_beside_workers_only() {
    on_engine(Engine::Sqlite, async |test| {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let listen = free.to_string();
        let app = TestApp::with(&test.db, &[("LOYALNEST_METRICS__LISTEN", &listen)]).await;
        let stop = CancellationToken::new();
        let running = tokio::spawn(serve::run(app.app.clone(), None, true, stop.clone()));
        let http = reqwest::Client::new();
        let metrics = loop {
            match http.get(format!("http://{listen}/metrics")).send().await {
                Ok(answer) => break answer,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        };
        assert_eq!(metrics.status(), 200);
        assert!(metrics.text().await.unwrap().contains("loyalnest_inbox_waiting 0"));
        for path in ["/", "/healthz", "/webhooks"] {
            assert_eq!(
                http.get(format!("http://{listen}{path}")).send().await.unwrap().status(),
                404,
                "{path}"
            );
        }
        drop(http);
        stop.cancel();
        running.await.unwrap().unwrap();
    });
}
