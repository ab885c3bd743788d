//! The load generator against a running server, so that it can be trusted when it counts; nothing is timed here.

use load::intake::Intake;
use load::store;
use loyalnest::clock::Clock;
use loyalnest::config::Secret;
use loyalnest::serve;
use loyalnest::shopify::Signer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::app::{SECRET, TestApp};
use crate::support::on_both_engines;
use crate::support::recorder::effects;

#[test]
fn what_the_loader_was_answered_is_in_the_database_once_and_can_be_acted_upon() {
    on_both_engines(async |test| {
        let app = TestApp::at(&test.db, &[], Clock::system()).await;
        let shops = store::add_shops(&app.app, 3).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(serve::run(app.app.clone(), Some(listener), false, stop.clone()));
        let measure = async |secret: &str, requests| {
            let intake = Intake {
                server,
                path: "/webhooks",
                signer: &Signer::new(vec![Secret::new(secret)]),
                shops: &shops,
                connections: 8,
                seconds: 600,
                requests,
                rounds: 1,
                watched: &[],
            };
            intake.measure().await
        };

        let measured = measure(SECRET, 200).await.unwrap();
        assert_eq!(measured.answered.len(), 240, "the round and a fifth of it to warm up");
        store::each_once(&measured.answered, &store::in_the_inbox(&test.db).await.unwrap()).unwrap();
        assert_eq!(app.drain().await, 240);
        store::each_once(&measured.answered, &effects(&test.db).await).unwrap();

        let refused = measure("another", 1).await.unwrap_err();
        assert!(refused.to_string().contains("answered with 401"), "{refused}");
        stop.cancel();
        running.await.unwrap().unwrap();
    });
}
