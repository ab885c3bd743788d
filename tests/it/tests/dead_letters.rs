//! Dead letters: listed with their reasons, and given another chance. Shops that are behind.

use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::Db;
use loyalnest::events::Kind;
use loyalnest::ids::ShopId;
use loyalnest::inbox::command::{self, InboxCommand};
use loyalnest::named::{Again, OfShop};
use uuid::Uuid;

use crate::support::app::{SHOP, TestApp};
use crate::support::on_both_engines;
use crate::support::recorder::effects;

const NO_SECOND_TRY: [(&str, &str); 1] = [("LOYALNEST_INBOX__RETRY", "1s")];

/// Two dead letters, one for a reason that passes.
async fn with_two_dead(db: &Db) -> TestApp {
    let app = TestApp::with(db, &NO_SECOND_TRY).await;
    app.order("1 fails twice", 1, r#","do":"fail","tries":2"#).await;
    app.order("2 always fails", 2, r#","do":"fail""#).await;
    app.order("3 fine", 3, "").await;
    app.drain().await;
    app.advance(SignedDuration::from_secs(2));
    app.drain().await;
    app
}

#[test]
fn dead_letters_are_listed_with_their_reasons() {
    on_both_engines(async |test| {
        let app = with_two_dead(&test.db).await;
        let letters = app.app.inbox.dead_letters(Some(app.shop.id), 10).await.unwrap();
        let told: Vec<_> =
            letters.iter().map(|dead| (dead.webhook_id.as_str(), dead.attempts, dead.has_body)).collect();
        assert_eq!(told, [("1 fails twice", 2, true), ("2 always fails", 2, true)]);
        assert!(letters.iter().all(|dead| dead.reason.as_deref() == Some("told to")), "{letters:?}");
        assert_eq!(app.app.inbox.dead_letters(None, 1).await.unwrap().len(), 1);
        let other = Some(ShopId(Uuid::from_u128(1)));
        assert!(app.app.inbox.dead_letters(other, 10).await.unwrap().is_empty());
    });
}

#[test]
fn a_requeued_letter_has_all_its_tries_ahead_of_it() {
    on_both_engines(async |test| {
        let app = with_two_dead(&test.db).await;
        let letters = app.app.inbox.dead_letters(None, 10).await.unwrap();
        let other = Some(ShopId(Uuid::from_u128(1)));
        assert_eq!(app.app.inbox.requeue(other, None).await.unwrap(), 0, "another shop's");
        assert_eq!(app.app.inbox.requeue(None, Some(letters[0].message_id)).await.unwrap(), 1);
        assert_eq!(app.app.inbox.requeue(None, Some(letters[0].message_id)).await.unwrap(), 0, "once");
        assert_eq!((test.count("ready").await, test.count("dead").await), (1, 1));

        // Its attempts count anew, so it fails twice again before it is dead.
        app.drain().await;
        assert_eq!(test.count("ready").await, 1);
        app.advance(SignedDuration::from_secs(2));
        app.drain().await;
        assert_eq!(test.count("dead").await, 2);
        assert_eq!(effects(&test.db).await, ["3 fine"]);
    });
}

#[test]
fn what_was_put_right_is_acted_upon_and_what_lost_its_body_stays_dead() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &NO_SECOND_TRY).await;
        let body = r#"{"id":1,"customer":{"id":5}}"#;
        let stale = app.webhook("stale", "orders/create", body);
        let gone = app.webhook("gone", "orders/create", body);
        app.advance(SignedDuration::from_hours(121));
        for webhook in [stale, gone] {
            assert_eq!(app.send(webhook).await.status, 200);
        }
        assert_eq!(test.count("dead").await, 2);
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(
            tx.execute,
            "delete from inbox_payloads where message_id = (
                 select message_id from inbox_messages where webhook_id = 'gone')"
        )
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(app.app.inbox.requeue(None, None).await.unwrap(), 1);
        app.drain().await;
        assert_eq!(effects(&test.db).await, ["stale"]);
        let letters = app.app.inbox.dead_letters(None, 10).await.unwrap();
        assert_eq!((letters[0].webhook_id.as_str(), letters[0].has_body), ("gone", false));

        let requeue = |id, shop: &str| {
            let of = OfShop { shop: Some(shop.to_owned()) };
            InboxCommand::Requeue(Again { id, all: false, of })
        };
        let id = Some(letters[0].message_id);
        let refused = command::run(&app.app, requeue(id, SHOP)).await.unwrap_err();
        assert!(refused.to_string().contains("no dead webhook that still has its body"), "{refused}");
        let unknown = command::run(&app.app, requeue(None, "none.myshopify.com")).await.unwrap_err();
        assert!(unknown.to_string().contains("none.myshopify.com never installed"), "{unknown}");
        let nonsense = command::run(&app.app, requeue(None, "none")).await.unwrap_err();
        assert!(nonsense.to_string().starts_with("none is "), "{nonsense}");
    });
}

#[test]
fn a_reason_that_an_engine_cannot_keep_does_not_hold_anything_up() {
    on_both_engines(async |test| {
        let app = TestApp::with(&test.db, &NO_SECOND_TRY).await;
        let says = format!(r#","do":"fail","says":"a\u0000b{}""#, "c".repeat(2_000));
        app.order("1 has a NUL", 1, &says).await;
        app.order("2 after it", 1, r#","note":"\u0000""#).await;
        app.drain().await;
        app.advance(SignedDuration::from_secs(2));
        app.drain().await;
        let dead = app.app.inbox.dead_letters(None, 10).await.unwrap();
        let reason = dead[0].reason.as_deref().unwrap();
        assert_eq!((&reason[..5], reason.len()), ("a bcc", 500));
        assert_eq!(effects(&test.db).await, ["2 after it"]);
    });
}

#[test]
fn bodies_are_kept_compressed_and_sealed() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        let lines = format!(r#","lines":[{}{{}}]"#, r#"{"price":"10.00","quantity":1},"#.repeat(200));
        app.order("large", 1, &lines).await;
        let mut read = test.db.read_across().await.unwrap();
        let (kept,): (Vec<u8>,) = db!(read.one, "select payload from inbox_payloads").unwrap();
        drop(read);
        assert!(kept.len() * 5 < lines.len(), "{} of {}", kept.len(), lines.len());
        assert!(!kept.windows(5).any(|bytes| bytes == b"price"));
        app.drain().await;
        assert_eq!(effects(&test.db).await, ["large"]);
    });
}

#[test]
fn a_shop_that_is_behind_is_told_of_once_until_it_has_caught_up() {
    on_both_engines(async |test| {
        let app = TestApp::new(&test.db).await;
        let told = async || {
            let mut read = test.db.read_across().await.unwrap();
            let (count,): (i64,) =
                db!(read.one, "select count(*) from events_outbox where kind = $1", Kind::ShopBehind)
                    .unwrap();
            count
        };
        let inbox = &app.app.inbox;
        app.order("1", 1, "").await;
        app.order("2", 2, "").await;
        assert_eq!(inbox.watch().await.unwrap(), 0, "it has only just come");
        app.advance(SignedDuration::from_mins(6));
        assert_eq!((inbox.watch().await.unwrap(), inbox.watch().await.unwrap(), told().await), (1, 0, 1));
        let backlog = inbox.backlog().await.unwrap();
        assert_eq!((backlog.ready, backlog.dead, backlog.shops_behind), (2, 0, 1));
        assert_eq!(backlog.oldest_at, Some(app.now() - SignedDuration::from_mins(6)));

        app.drain().await;
        assert_eq!((inbox.watch().await.unwrap(), inbox.backlog().await.unwrap().shops_behind), (0, 0));
        app.order("3", 1, "").await;
        app.advance(SignedDuration::from_mins(6));
        assert_eq!((inbox.watch().await.unwrap(), told().await), (1, 2), "behind again");
    });
}
