//! A running server: health, and how it stops.

use std::time::Duration;

use axum::http::StatusCode;
use loyalnest::clock::Clock;
use loyalnest::db;
use loyalnest::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::app::{SHOP, TestApp};
use crate::support::on_both_engines;

#[test]
fn health_says_the_process_is_up_and_readiness_that_it_can_serve() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
        assert_eq!(app.get("/readyz").await.status, StatusCode::OK);
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(tx.execute, "delete from _sqlx_migrations where version = 2").unwrap();
        tx.commit().await.unwrap();
        assert_eq!(app.get("/readyz").await.problem(), (503, "not_migrated".to_owned()));
    });
}

#[test]
fn a_server_that_is_asked_to_stop_finishes_what_it_has_in_hand() {
    on_both_engines(async |test| {
        let app = TestApp::at(&test.db, &[], Clock::system()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(serve::run(app.app.clone(), Some(listener), true, stop.clone()));

        // A webhook whose commit has to wait: it is in hand when the server is asked to stop.
        let mut blocking = test.db.begin_outside().await.unwrap();
        db!(blocking.execute,
            sqlite: "update inbox_leases set bucket = bucket",
            postgres: "lock table inbox_messages in exclusive mode")
        .unwrap();
        let body = r#"{"id":1}"#;
        let request = format!(
            "POST /webhooks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\
             x-shopify-topic: orders/create\r\nx-shopify-shop-domain: {SHOP}\r\nx-shopify-webhook-id: w1\r\n\
             x-shopify-triggered-at: {}\r\nx-shopify-hmac-sha256: {}\r\n\r\n{body}",
            body.len(),
            app.now(),
            app.app.signer.sign_webhook(body.as_bytes()),
        );
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!running.is_finished());
        assert!(TcpStream::connect(address).await.is_err(), "no new connection is taken");
        blocking.rollback().await.unwrap();

        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.contains("x-request-id: "), "{answer}");
        running.await.unwrap().unwrap();
    });
}
