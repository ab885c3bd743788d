//! What one shop's webhooks do to those of others: slow answers from outside, and messages that fail.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::db::Db;
use loyalnest::ids::ShopId;
use loyalnest::inbox::Delivery;

use crate::support::app::TestApp;
use crate::support::on_both_engines;
use crate::support::recorder::effects;
use crate::support::simulation::register;

async fn shop(app: &TestApp, name: &str) -> ShopId {
    register(&app.app, name, &Secret::new("shpat_1")).await
}

async fn deliver(app: &TestApp, shop: ShopId, id: &str, customer: i64, extra: &str) {
    let delivery = Delivery {
        shop,
        webhook_id: id.into(),
        event_id: None,
        topic: "orders/create".into(),
        api_version: None,
        triggered_at: app.now(),
        payload: format!(r#"{{"id":1,"customer":{{"id":{customer}}}{extra}}}"#).into_bytes(),
    };
    app.app.inbox.accept(delivery).await.unwrap();
}

/// State, attempts and reason of each of a shop's messages, by their webhooks' ids.
async fn messages(db: &Db, shop: ShopId) -> Vec<(String, String, i64, Option<String>)> {
    let mut read = db.read_outside().await.unwrap();
    db!(
        read.all,
        "select webhook_id, state, attempts, reason from inbox_messages where shop_id = $1 order by webhook_id",
        shop
    )
    .unwrap()
}

const SLOW: &str = r#","beside":"slow""#;
const QUICK: &str = r#","beside":"quick""#;

#[test]
fn a_shop_that_is_answered_slowly_takes_nobody_elses_time() {
    on_both_engines(async |test| {
        let settings = [("LOYALNEST_INBOX__LEASE", "3s"), ("LOYALNEST_INBOX__WORKERS", "1")];
        let app = TestApp::with(&test.db, &settings).await;
        // The first in the circle, with more to ask than there are places.
        let slow = app.shop.id;
        for n in 0..20 {
            deliver(&app, slow, &format!("slow {n:02}"), n, SLOW).await;
        }
        deliver(&app, slow, "behind a slow one", 0, "").await;
        deliver(&app, slow, "of another customer", 100, "").await;
        let mut others = Vec::new();
        for n in 0..5 {
            let other = shop(&app, &format!("other-{n}")).await;
            for customer in 0..10 {
                deliver(&app, other, &format!("{n} {customer}"), customer, QUICK).await;
            }
            others.push(other);
        }
        app.drain().await;

        for other in others {
            for (id, state, attempts, reason) in messages(&test.db, other).await {
                assert_eq!((state.as_str(), attempts, reason), ("done", 0, None), "{id}");
            }
        }
        let effects = effects(&test.db).await;
        assert_eq!(effects.len(), 51);
        assert_eq!(effects[0], "of another customer", "who asks nothing waits for no answer");
        // Each was really asked about before that counted, and none waits that was not.
        let told = messages(&test.db, slow).await;
        let tried = told.iter().filter(|(_, _, attempts, _)| *attempts == 1).count();
        let late = told.iter().filter(|told| told.3.as_deref() == Some("no answer in time")).count();
        assert_eq!((tried, late), (20, 20));
        assert_eq!(app.recorder.asked.load(Ordering::SeqCst), 50 + 20);
        assert!(told.contains(&("behind a slow one".into(), "ready".into(), 0, None)), "{told:?}");
    });
}

#[test]
fn a_question_that_panics_is_a_failure_of_its_own_message() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        deliver(&app, app.shop.id, "panics", 1, r#","beside":"panic""#).await;
        deliver(&app, app.shop.id, "behind it", 1, "").await;
        deliver(&app, app.shop.id, "quick", 2, QUICK).await;
        app.drain().await;
        assert_eq!(effects(&test.db).await, ["quick"]);
        let told = messages(&test.db, app.shop.id).await;
        assert_eq!(told[0], ("behind it".into(), "ready".into(), 0, None));
        let reason = Some("the handler panicked".into());
        assert_eq!(told[1], ("panics".into(), "ready".into(), 1, reason));
    });
}

#[test]
fn one_failing_message_takes_no_other_shops_batch_apart_and_little_of_its_own() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &[("LOYALNEST_INBOX__WORKERS", "1")]).await;
        for n in 0..64 {
            let fails = if n == 40 { r#","do":"fail","tries":1"# } else { "" };
            deliver(&app, app.shop.id, &format!("{n:02}"), n, fails).await;
        }
        for other in ["one", "two", "three"] {
            let shop = shop(&app, other).await;
            for n in 0..64 {
                deliver(&app, shop, &format!("{other} {n:02}"), n, "").await;
            }
        }
        app.drain().await;
        let effects = effects(&test.db).await;
        assert_eq!(effects.len(), 4 * 64 - 1);
        assert!(effects[..3 * 64].iter().all(|id| id.contains(' ')), "the others first: {effects:?}");
        // All at once, shop by shop, and both halves of what failed, six times.
        let batches = app.recorder.batches.load(Ordering::SeqCst);
        assert!(batches <= 4 + 4 + 2 * 6, "{batches}");
        let told = messages(&test.db, app.shop.id).await;
        assert_eq!(told[40], ("40".into(), "ready".into(), 1, Some("told to".into())));

        app.advance(SignedDuration::from_secs(7)); // 5 s ± 20 %
        assert_eq!(app.drain().await, 1);
        assert_eq!(test.count("done").await, 4 * 64);
    });
}

#[test]
fn what_is_taken_apart_keeps_the_order_of_its_lanes() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        for n in 0..40 {
            let fails = if [7, 8, 23, 39].contains(&n) { r#","do":"fail","tries":1"# } else { "" };
            deliver(&app, app.shop.id, &format!("{n:02}"), n % 5, fails).await;
        }
        app.drain().await;
        let before = effects(&test.db).await;
        assert!(before.contains(&"02".into()) && !before.contains(&"12".into()), "{before:?}");
        for _ in 0..3 {
            app.advance(SignedDuration::from_secs(7));
            app.drain().await;
        }
        let effects = effects(&test.db).await;
        assert_eq!(effects.len(), 40);
        for lane in 0..5 {
            let of_lane = |id: &&String| id.parse::<i64>().unwrap() % 5 == lane;
            let lane: Vec<_> = effects.iter().filter(of_lane).collect();
            assert!(lane.is_sorted(), "{lane:?}");
        }
    });
}
