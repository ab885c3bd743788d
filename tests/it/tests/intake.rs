//! `POST /webhooks`: what is refused, what is kept, and that nothing is lost.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, StatusCode};
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::clock::Clock;
use loyalnest::db;
use loyalnest::db::{Db, Engine, Options, Timestamp};

use crate::support::app::{SHOP, TestApp, config};
use crate::support::recorder::effects;
use crate::support::{TestDb, on_both_engines, on_engine};
use crash::line::Line;

const ORDER: &str = r#"{"id":1,"customer":{"id":7}}"#;

fn with(mut request: Request<Body>, name: &str, value: Option<&str>) -> Request<Body> {
    let name: HeaderName = name.parse().unwrap();
    match value {
        Some(value) => request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap()),
        None => request.headers_mut().remove(name),
    };
    request
}

async fn reasons(test: &TestDb) -> Vec<(String, String)> {
    let mut read = test.db.read_across().await.unwrap();
    db!(
        read.all,
        "select webhook_id, reason from inbox_messages where reason is not null order by webhook_id"
    )
    .unwrap()
}

#[test]
fn a_webhook_is_stored_answered_and_acted_upon_once() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        for _ in 0..3 {
            let answered = app.send(app.webhook("w1", "orders/create", ORDER)).await;
            assert_eq!(answered.status, StatusCode::OK);
        }
        assert_eq!(app.drain().await, 1);
        assert_eq!(app.drain().await, 0);
        let answered = app.send(app.webhook("w1", "orders/create", ORDER)).await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(app.drain().await, 0);
        assert_eq!(effects(&test.db).await, ["w1"]);
    });
}

#[test]
fn what_is_not_shopifys_or_not_a_webhook_is_refused_and_not_kept() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &[("LOYALNEST_INBOX__BODY_LIMIT", "1000")]).await;
        let good = || app.webhook("w", "orders/create", ORDER);
        let changed = |name, value| with(good(), name, value);
        let signed = |body: &str| app.webhook("w", "orders/create", body);
        let long = "x".repeat(256);
        let large = format!("[{}]", "1,".repeat(600) + "1");
        for (why, request, problem) in [
            ("no signature", changed("x-shopify-hmac-sha256", None), (401, "bad_signature")),
            ("another's signature", changed("x-shopify-hmac-sha256", Some("AAAA")), (401, "bad_signature")),
            (
                "the signature of another body",
                changed("x-shopify-hmac-sha256", Some(&app.app.signer.sign_webhook(b"{}"))),
                (401, "bad_signature"),
            ),
            ("no topic", changed("x-shopify-topic", None), (400, "bad_header")),
            ("a topic too long", changed("x-shopify-topic", Some(&long)), (400, "bad_header")),
            ("no webhook id", changed("x-shopify-webhook-id", None), (400, "bad_header")),
            ("an empty webhook id", changed("x-shopify-webhook-id", Some("")), (400, "bad_header")),
            ("no shop", changed("x-shopify-shop-domain", None), (400, "bad_header")),
            ("not a shop", changed("x-shopify-shop-domain", Some("evil.example")), (400, "bad_header")),
            ("no time", changed("x-shopify-triggered-at", None), (400, "bad_header")),
            ("not a time", changed("x-shopify-triggered-at", Some("yesterday")), (400, "bad_header")),
            (
                "an unknown shop",
                changed("x-shopify-shop-domain", Some("coffee.myshopify.com")),
                (404, "unknown_shop"),
            ),
            ("not JSON", signed("{\"id\":"), (400, "not_json")),
            ("nothing", signed(""), (400, "not_json")),
            ("too large", signed(&large), (413, "body_too_large")),
            ("a GET", Request::get("/webhooks").body(Body::empty()).unwrap(), (405, "method_not_allowed")),
            ("a PUT", Request::put("/webhooks").body(Body::empty()).unwrap(), (405, "method_not_allowed")),
            (
                "a PATCH",
                Request::patch("/webhooks").body(Body::empty()).unwrap(),
                (405, "method_not_allowed"),
            ),
            (
                "a DELETE",
                Request::delete("/webhooks").body(Body::empty()).unwrap(),
                (405, "method_not_allowed"),
            ),
            (
                "an OPTIONS",
                Request::options("/webhooks").body(Body::empty()).unwrap(),
                (405, "method_not_allowed"),
            ),
            (
                "a time before all shops",
                changed("x-shopify-triggered-at", Some("-009000-01-01T00:00:00Z")),
                (400, "bad_header"),
            ),
            ("elsewhere", Request::post("/webhook").body(Body::empty()).unwrap(), (404, "not_found")),
        ] {
            let answered = app.send(request).await;
            assert_eq!(answered.problem(), (problem.0, problem.1.to_owned()), "{why}");
        }
        assert_eq!(app.drain().await, 0);
        let mut read = test.db.read_across().await.unwrap();
        let (kept,): (i64,) = db!(read.one, "select count(*) from inbox_messages").unwrap();
        assert_eq!(kept, 0);
    });
}

#[test]
fn what_is_shopifys_is_answered_200_and_noted_even_if_nothing_can_be_done() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        let stale = (app.now() - SignedDuration::from_hours(121)).to_string();
        let late = (app.now() - SignedDuration::from_hours(24)).to_string();
        let order = |id| app.webhook(id, "orders/create", ORDER);
        for request in [
            app.webhook("1 not the topic's", "orders/create", r#"{"name":"no id"}"#),
            app.webhook("2 an array", "orders/create", "[1]"),
            app.webhook("3 unknown topic", "themes/publish", r#"{"id":1}"#),
            app.webhook("6 upper case", "ORDERS/CREATE", ORDER),
            with(order("4 stale"), "x-shopify-triggered-at", Some(&stale)),
            with(order("5 a day late"), "x-shopify-triggered-at", Some(&late)),
        ] {
            assert_eq!(app.send(request).await.status, StatusCode::OK);
        }
        app.drain().await;
        let noted = [
            ("1 not the topic's", "not the topic's"),
            ("2 an array", "not the topic's"),
            ("3 unknown topic", "unknown_topic"),
            ("4 stale", "stale"),
            ("6 upper case", "unknown_topic"),
        ];
        assert_eq!(reasons(test).await, noted.map(|(id, reason)| (id.to_owned(), reason.to_owned())));
        assert_eq!(
            (test.count("dead").await, test.count("done").await, test.count("ready").await),
            (3, 3, 0)
        );
        assert_eq!(effects(&test.db).await, ["5 a day late"]);
    });
}

#[test]
fn a_delivery_repeated_at_once_to_two_processes_is_one() {
    on_both_engines(async |test| {
        let processes = [TestApp::new(&test.db).await, TestApp::new(&test.db).await];
        let sent: Vec<_> = (0..60)
            .map(|n| {
                let process = &processes[n % 2];
                let (router, request) =
                    (process.app.router(), process.webhook(&format!("w{}", n % 3), "orders/paid", ORDER));
                tokio::spawn(
                    async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status() },
                )
            })
            .collect();
        for status in sent {
            assert_eq!(status.await.unwrap(), StatusCode::OK);
        }
        assert_eq!(test.count("ready").await, 3);
        let (one, other) = tokio::join!(processes[0].drain(), processes[1].drain());
        assert_eq!(one + other, 3);
        let mut effects = effects(&test.db).await;
        effects.sort();
        assert_eq!(effects, ["w0", "w1", "w2"]);
    });
}

#[test]
fn deliveries_that_come_together_share_commits_and_each_is_stored() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        let sent: Vec<_> = (0..300)
            .map(|n| {
                let request = app.webhook(&format!("w{n}"), "orders/create", &format!(r#"{{"id":{n}}}"#));
                tokio::spawn(tower::ServiceExt::oneshot(app.app.router(), request))
            })
            .collect();
        for answer in sent {
            assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
        }
        assert_eq!(test.count("ready").await, 300);
        assert_eq!(app.drain().await, 300);
        assert_eq!(effects(&test.db).await.len(), 300);
    });
}

#[test]
fn a_full_queue_answers_503_and_the_next_try_is_kept() {
    on_both_engines(async |test| {
        let settings = [("LOYALNEST_INBOX__QUEUE", "2"), ("LOYALNEST_INBOX__ACCEPT_TIMEOUT", "300ms")];
        let app = TestApp::with(&test.db, &settings).await;
        // Nothing can be committed as long as this transaction is open.
        let mut blocking = test.db.begin_outside().await.unwrap();
        db!(blocking.execute,
            sqlite: "update inbox_leases set bucket = bucket",
            postgres: "lock table inbox_messages in exclusive mode")
        .unwrap();

        let send = |n| {
            let request = app.webhook(&format!("w{n}"), "orders/create", ORDER);
            tokio::spawn(tower::ServiceExt::oneshot(app.app.router(), request))
        };
        let sent: Vec<_> = (0..10).map(send).collect();
        for answer in sent {
            let answer = answer.await.unwrap().unwrap();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.headers()["retry-after"], "1");
        }
        drop(blocking);

        // Shopify sends them again; the queue needs a moment to move.
        for n in 0..10 {
            let mut tries = 0..100;
            while app.send(app.webhook(&format!("w{n}"), "orders/create", ORDER)).await.status
                != StatusCode::OK
            {
                tries.next().expect("it is kept in the end");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        app.drain().await;
        assert_eq!(effects(&test.db).await.len(), 10);
    });
}

#[test]
fn the_database_may_go_at_any_moment_and_nothing_is_lost() {
    on_engine(Engine::Postgres, async |test| {
        let line = Line::to(&test.url).await.unwrap();
        let options = Options { acquire_timeout: Duration::from_secs(2), ..Options::default() };
        let db = Db::connect(&line.url, &options).await.unwrap();
        let app = TestApp::at(&db, &[], Clock::system()).await;
        app.order("before", 1, "").await;
        assert_eq!(app.get("/readyz").await.status, StatusCode::OK);

        line.cut();
        let answered = app.send(app.webhook("cut", "orders/create", ORDER)).await;
        assert_eq!(answered.problem(), (503, "unavailable".to_owned()));
        assert!(answered.retry_after.is_some());
        assert_eq!(app.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
        assert!(app.app.inbox.drain_until_idle().await.is_err());
        line.mend();

        // Cut again and again while Shopify sends each delivery until it is answered 200, and a worker works.
        let stop = tokio_util::sync::CancellationToken::new();
        let working = tokio::spawn({
            let (inbox, stop) = (app.app.inbox.clone(), stop.clone());
            async move { inbox.work(stop).await }
        });
        let sent: Vec<_> = (0..100)
            .map(|n| {
                let router = app.app.router();
                let again = move |app: &TestApp| app.webhook(&format!("w{n:03}"), "orders/create", ORDER);
                let requests: Vec<_> = (0..200).map(|_| again(&app)).collect();
                tokio::spawn(async move {
                    for request in requests {
                        let answer = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
                        match answer.status() {
                            StatusCode::OK => return,
                            StatusCode::SERVICE_UNAVAILABLE => {
                                tokio::time::sleep(Duration::from_millis(20)).await;
                            }
                            status => panic!("{status}"),
                        }
                    }
                    panic!("never stored");
                })
            })
            .collect();
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(15)).await;
            line.cut();
            tokio::time::sleep(Duration::from_millis(60)).await;
            line.mend();
        }
        for one in sent {
            one.await.unwrap();
        }
        stop.cancel();
        working.await.unwrap();
        // What a cut left leased is free again after the lease.
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(tx.execute, "update inbox_leases set expires_at = $1", Timestamp::UNIX_EPOCH).unwrap();
        tx.commit().await.unwrap();
        app.drain().await;

        let mut effects = effects(&test.db).await;
        effects.sort();
        let mut expected = vec!["before".to_owned()];
        expected.extend((0..100).map(|n| format!("w{n:03}")));
        assert_eq!(effects, expected);
        assert_eq!(test.count("dead").await, 0);
        db.close().await;
    });
}

#[test]
fn a_shop_that_has_the_app_is_looked_up_once_for_many_webhooks_and_one_that_has_not_each_time() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        let answer = async |id: &str| app.send(app.webhook(id, "orders/create", r#"{"id":1}"#)).await.status;
        let change = async |what: &str| {
            let mut tx = test.db.begin_outside().await.unwrap();
            match what {
                "rename" => db!(tx.execute, "update merchants_shops set domain = 'other.myshopify.com'"),
                "uninstall" => {
                    db!(
                        tx.execute,
                        "update merchants_shops set domain = $1, uninstalled_at = $2",
                        SHOP,
                        app.now()
                    )
                }
                _ => db!(tx.execute, "delete from merchants_shops"),
            }
            .unwrap();
            tx.commit().await.unwrap();
        };
        assert_eq!(answer("w1").await, StatusCode::OK);
        change("rename").await;
        assert_eq!(answer("w2").await, StatusCode::OK, "nobody looked");

        // Another process, which knows nothing yet.
        change("uninstall").await;
        let domain = SHOP.parse().unwrap();
        let other = App::builder(config(&[])).db(test.db.clone()).build().await.unwrap();
        assert_eq!(other.shops.find_known(&domain).await.unwrap(), Some(app.shop.id));
        change("erase").await;
        assert_eq!(other.shops.find_known(&domain).await.unwrap(), None, "an erased shop is not remembered");
    });
}
