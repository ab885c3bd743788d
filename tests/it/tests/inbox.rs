//! Draining: order, failure, and what happens when a worker dies.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::{Db, Error, Timestamp};
use loyalnest::inbox::{Accepted, Delivery};
use uuid::Uuid;

use crate::support::app::TestApp;
use crate::support::recorder::effects;
use crate::support::{TestDb, on_both_engines};

async fn attempts(db: &Db, webhook_id: &str) -> (String, i64, Option<String>) {
    let mut read = db.read_across().await.unwrap();
    db!(read.one, "select state, attempts, reason from inbox_messages where webhook_id = $1", webhook_id)
        .unwrap()
}

#[test]
fn a_lane_is_worked_off_in_order_even_across_batches() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &[("LOYALNEST_INBOX__BATCH", "4")]).await;
        for n in 0..30 {
            app.order(&format!("{n:02}"), n % 3, "").await;
        }
        assert_eq!(app.drain().await, 30);
        let effects = effects(&test.db).await;
        for customer in 0..3 {
            let lane: Vec<_> =
                effects.iter().filter(|id| id.parse::<i64>().unwrap() % 3 == customer).collect();
            assert!(lane.is_sorted(), "{lane:?}");
            assert_eq!(lane.len(), 10);
        }
    });
}

#[test]
fn a_failing_message_holds_back_its_own_lane_only_and_is_tried_again() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        app.order("1 fine", 1, "").await;
        app.order("2 fails once", 2, r#","do":"fail","tries":1"#).await;
        app.order("3 after it", 2, "").await;
        app.order("4 fine", 3, "").await;
        app.order("5 panics once", 4, r#","do":"panic","tries":1"#).await;
        app.drain().await;
        assert_eq!(effects(&test.db).await, ["1 fine", "4 fine"]);
        assert_eq!(attempts(&test.db, "2 fails once").await, ("ready".into(), 1, Some("told to".into())));
        let panicked = ("ready".into(), 1, Some("the handler panicked".into()));
        assert_eq!(attempts(&test.db, "5 panics once").await, panicked);
        assert_eq!(attempts(&test.db, "3 after it").await, ("ready".into(), 0, None));

        app.order("6 new in the held lane", 2, "").await;
        assert_eq!(app.drain().await, 0, "not yet");
        app.advance(SignedDuration::from_secs(7)); // 5 s ± 20 %
        app.drain().await;
        let effects = effects(&test.db).await;
        assert_eq!(effects.len(), 6);
        let lane: Vec<_> = effects.iter().filter(|id| ["2", "3", "6"].contains(&&id[..1])).collect();
        assert!(lane.is_sorted(), "{lane:?}");
    });
}

#[test]
fn a_message_that_keeps_failing_is_dead_in_the_end_and_lets_its_lane_go_on() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &[("LOYALNEST_INBOX__RETRY", "1s,1s")]).await;
        app.order("1 poison", 1, r#","do":"fail""#).await;
        app.order("2 after it", 1, "").await;
        for tries in 1..=3 {
            app.drain().await;
            assert_eq!(attempts(&test.db, "1 poison").await.1, tries);
            app.advance(SignedDuration::from_secs(2));
        }
        app.drain().await;
        assert_eq!(attempts(&test.db, "1 poison").await, ("dead".into(), 3, Some("told to".into())));
        assert_eq!(effects(&test.db).await, ["2 after it"]);
    });
}

#[test]
fn what_can_never_be_acted_upon_is_dead_at_once_and_lets_its_lane_go_on() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &[]).await;
        app.order("1 before it", 1, "").await;
        app.order("2 never", 1, r#","do":"never""#).await;
        app.order("3 after it", 1, "").await;
        app.order("4 asks, and never", 2, r#","beside":"never""#).await;
        app.order("5 after that", 2, "").await;
        app.drain().await;
        let dead = ("dead".into(), 0, Some("told_to: for good".into()));
        assert_eq!(attempts(&test.db, "2 never").await, dead);
        assert_eq!(attempts(&test.db, "4 asks, and never").await, dead);
        let mut done = effects(&test.db).await;
        done.sort_unstable();
        assert_eq!(done, ["1 before it", "3 after it", "5 after that"]);
    });
}

/// Another worker queues up for the leases while ours handles a message; it gets them as soon as that transaction
/// ends, before the next can begin.
async fn take_over_while_waiting(app: &TestApp, db: &Db) -> Result<u64, Error> {
    let inbox = app.app.inbox.clone();
    let draining = tokio::spawn(async move { inbox.drain_until_idle().await });
    while app.recorder.waiting.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (db, until) = (db.clone(), app.now() + SignedDuration::from_secs(60));
    let taking_over = tokio::spawn(async move {
        let mut tx = db.begin_outside().await.unwrap();
        db!(tx.execute,
            sqlite: "update inbox_leases set bucket = bucket",
            postgres: "lock table inbox_leases in share row exclusive mode")
        .unwrap();
        let token = Uuid::from_u128(9);
        db!(tx.execute, "update inbox_leases set token = $1, expires_at = $2", token, until).unwrap();
        tx.commit().await.unwrap();
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    app.recorder.gate.add_permits(10);
    taking_over.await.unwrap();
    draining.await.unwrap()
}

#[test]
fn a_worker_whose_lease_was_taken_over_between_batches_commits_nothing_more() {
    on_both_engines(async |test| {
        let settings = [("LOYALNEST_INBOX__BATCH", "1"), ("LOYALNEST_INBOX__LEASE", "1s")];
        let app = TestApp::with(&test.db, &settings).await;
        app.order("1", 1, r#","do":"wait""#).await;
        app.order("2", 1, "").await;
        let drained = take_over_while_waiting(&app, &test.db).await;
        assert!(drained.is_err(), "the work is another's now");
        assert_eq!(effects(&test.db).await, ["1"]);

        // The other one died, too: its lease ends.
        app.advance(SignedDuration::from_secs(61));
        app.drain().await;
        assert_eq!(effects(&test.db).await, ["1", "2"]);
    });
}

#[test]
fn a_worker_whose_lease_was_taken_over_after_a_failed_batch_commits_nothing_more() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &[("LOYALNEST_INBOX__LEASE", "1s")]).await;
        app.order("1", 1, r#","do":"wait""#).await;
        app.order("2", 2, r#","do":"fail","tries":1"#).await;
        let drained = take_over_while_waiting(&app, &test.db).await;
        assert!(drained.is_err(), "the work is another's now");
        assert_eq!(effects(&test.db).await, [""; 0]);
        assert_eq!(attempts(&test.db, "2").await.1, 0);

        app.advance(SignedDuration::from_secs(61));
        app.drain().await;
        assert_eq!(effects(&test.db).await, ["1"]);
        assert_eq!(attempts(&test.db, "2").await.1, 1);
    });
}

#[test]
fn what_a_dead_worker_had_in_hand_is_done_by_another_once_its_lease_ends() {
    on_both_engines(async |test| {
        let settings = [("LOYALNEST_INBOX__LEASE", "500ms")];
        let dying = TestApp::with(&test.db, &settings).await;
        dying.order("1", 1, r#","do":"wait""#).await;
        let inbox = dying.app.inbox.clone();
        let draining = tokio::spawn(async move { inbox.drain_until_idle().await });
        while dying.recorder.waiting.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        draining.abort();
        dying.recorder.gate.add_permits(1);
        assert!(draining.await.unwrap_err().is_cancelled());

        let living = TestApp::at(&test.db, &settings, dying.app.clock.clone()).await;
        living.recorder.gate.add_permits(1);
        assert!(living.app.inbox.drain_until_idle().await.is_err(), "leased for as long as it may live");
        assert_eq!(effects(&test.db).await, [""; 0]);
        living.advance(SignedDuration::from_secs(1));
        assert_eq!(living.drain().await, 1);
        assert_eq!(effects(&test.db).await, ["1"]);
    });
}

#[test]
fn work_starts_at_once_and_stops_after_the_batch_in_hand() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &[("LOYALNEST_INBOX__POLL_EVERY", "60s")]).await;
        let stop = tokio_util::sync::CancellationToken::new();
        let working = tokio::spawn({
            let (inbox, stop) = (app.app.inbox.clone(), stop.clone());
            async move { inbox.work(stop).await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await; // it looked, and found nothing
        app.order("1", 1, "").await;
        wait_for(test, &["1"]).await;
        app.order("2", 1, r#","do":"wait""#).await;
        while app.recorder.waiting.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!working.is_finished());
        app.recorder.gate.add_permits(1);
        working.await.unwrap();
        assert_eq!(effects(&test.db).await, ["1", "2"]);
        // The leases were given back.
        let mut read = test.db.read_across().await.unwrap();
        let (leased,): (i64,) =
            db!(read.one, "select count(*) from inbox_leases where expires_at > $1", app.now()).unwrap();
        assert_eq!(leased, 0);
    });
}

async fn wait_for(test: &TestDb, expected: &[&str]) {
    for _ in 0..6_000 {
        if effects(&test.db).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(effects(&test.db).await, expected);
}

#[test]
fn payloads_are_sealed_dropped_in_time_and_messages_forgotten_later() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        app.order("done", 1, r#","note":"secret""#).await;
        app.order("held", 2, r#","do":"fail""#).await;
        let mut read = test.db.read_across().await.unwrap();
        let sealed: Vec<(Vec<u8>,)> = db!(read.all, "select payload from inbox_payloads").unwrap();
        drop(read);
        assert!(sealed.iter().all(|(payload,)| !payload.windows(6).any(|part| part == b"secret")));
        app.drain().await;
        assert_eq!(rows(&test.db).await, (2, 2));

        app.advance(SignedDuration::from_hours(167));
        assert_eq!(app.app.inbox.clean_up().await.unwrap(), 0);
        app.advance(SignedDuration::from_hours(2));
        assert_eq!(app.app.inbox.clean_up().await.unwrap(), 1);
        assert_eq!(rows(&test.db).await, (2, 1), "what is not settled keeps its payload");
        app.advance(SignedDuration::from_hours(24 * 30));
        assert_eq!(app.app.inbox.clean_up().await.unwrap(), 1);
        assert_eq!(rows(&test.db).await, (1, 1));
    });
}

async fn rows(db: &Db) -> (i64, i64) {
    let mut read = db.read_across().await.unwrap();
    let (messages,): (i64,) = db!(read.one, "select count(*) from inbox_messages").unwrap();
    let (payloads,): (i64,) = db!(read.one, "select count(*) from inbox_payloads").unwrap();
    (messages, payloads)
}

#[test]
fn the_inbox_can_be_fed_in_process() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        let delivery = Delivery {
            shop: app.shop.id,
            webhook_id: "r1".into(),
            event_id: None,
            topic: "refunds/create".into(),
            api_version: None,
            triggered_at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 56),
            payload: br#"{"id":5,"order_id":9}"#.to_vec(),
        };
        app.app.clock.set(delivery.triggered_at);
        assert_eq!(app.app.inbox.accept(delivery.clone()).await.unwrap(), Accepted::Stored);
        assert_eq!(app.app.inbox.accept(delivery).await.unwrap(), Accepted::Duplicate);
        assert_eq!(app.drain().await, 1);
    });
}
