//! After a night, metafields follow some at a time: who buys something meanwhile does not wait behind everyone.

use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::Timestamp;
use loyalnest::ids::ShopId;
use loyalnest::rfm::{End, Mark, Refreshing};
use loyalnest::sync;
use loyalnest::tasks::Task;
use uuid::Uuid;

use super::staff::{opened, refresh};
use crate::support::counter::Counter;
use crate::support::on_both_engines;

/// How many members may wait for sync when more are marked.
const WAITING: usize = 2_000;

/// How many members wait to be written.
async fn waiting(counter: &Counter) -> i64 {
    let mut read = counter.door.app.db.read(counter.id).await.unwrap();
    sync::waiting(&mut read, counter.id, 1_000_000).await.unwrap()
}

/// Whether there are marks still to come.
async fn is_marking(counter: &Counter) -> bool {
    let mut read = counter.door.app.db.read(counter.id).await.unwrap();
    let kind = Mark::KIND;
    let found: Option<(Uuid,)> = db!(
        read.optional,
        "select task_id from tasks where shop_id = $1 and kind = $2 and state = 'ready'",
        counter.id,
        kind
    )
    .unwrap();
    found.is_some()
}

async fn run_after(counter: &Counter, seconds: i64) {
    counter.door.advance(SignedDuration::from_secs(seconds));
    counter.door.app.tasks.run_due(&counter.door.app).await.unwrap();
}

/// Others of the shop who wait since then.
async fn others(counter: &Counter, count: usize, due_at: Option<Timestamp>) {
    let (db, shop): (_, ShopId) = (&counter.door.app.db, counter.id);
    let others: Vec<Uuid> = (0..count).map(|n| Uuid::from_u128(n as u128 + 1)).collect();
    let mut tx = db.begin(shop).await.unwrap();
    db!(tx.each others,
        sqlite: "insert into sync_accounts (shop_id, member_id, wanted, published, due_at, attempts, gone)
                 values ($1, $2, 1, 0, $3, 0, false)
                 on conflict (shop_id, member_id) do update set due_at = excluded.due_at",
        postgres: "insert into sync_accounts (shop_id, member_id, wanted, published, due_at, attempts, gone)
                   select shop_id, member_id, 1, 0, due_at, 0, false
                   from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as v (shop_id, member_id, due_at)
                   on conflict (shop_id, member_id) do update set due_at = excluded.due_at",
        |other| shop, *other, due_at)
    .unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn so_many_are_marked_as_sync_can_take() {
    on_both_engines(async |test| {
        let (counter, _) = opened(test, 5).await;
        sync::publish_due(&counter.door.app).await.unwrap();
        assert_eq!(waiting(&counter).await, 0);
        // The shop cannot be written to just now.
        others(&counter, WAITING, Some(counter.door.now())).await;
        refresh(&counter).await;
        assert_eq!(waiting(&counter).await, WAITING as i64);
        run_after(&counter, 5).await;
        assert_eq!(
            waiting(&counter).await,
            WAITING as i64,
            "nothing has gone on: it is not looked again yet"
        );
        // Sync gets on: there is room for three of the five.
        others(&counter, 3, None).await;
        run_after(&counter, 295).await;
        assert_eq!(waiting(&counter).await, WAITING as i64);
        assert!(is_marking(&counter).await);
        others(&counter, WAITING, None).await;
        assert_eq!(waiting(&counter).await, 3);
        run_after(&counter, 5).await;
        assert_eq!(waiting(&counter).await, 5);
        assert!(!is_marking(&counter).await, "these were all");
    });
}

#[test]
fn whom_a_refresh_that_broke_off_has_moved_is_marked_by_the_next() {
    on_both_engines(async |test| {
        let (counter, _) = opened(test, 5).await;
        let (app, shop) = (&counter.door.app, counter.id);
        sync::publish_due(app).await.unwrap();
        let killed = Refreshing::prepare(&app.db, shop, counter.door.now()).await.unwrap().unwrap();
        let mut tx = app.db.begin(shop).await.unwrap();
        killed.begin(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        assert!(killed.next(&app.db, End::First, 2).await.unwrap());
        assert_eq!(waiting(&counter).await, 0);
        counter.door.advance(SignedDuration::from_mins(1));
        refresh(&counter).await;
        assert_eq!(waiting(&counter).await, 5);
        // The next one has nothing to do with those.
        sync::publish_due(app).await.unwrap();
        counter.door.advance(SignedDuration::from_mins(1));
        refresh(&counter).await;
        assert_eq!(waiting(&counter).await, 0);
    });
}
