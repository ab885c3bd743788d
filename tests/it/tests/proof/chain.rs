//! Whoever changes the past in the database shows.

use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::Tx;
use loyalnest::ids::ShopId;
use loyalnest::points::seals::{Break, Chain, Sealer, Wrong, verify};
use serde_json::json;
use uuid::Uuid;

use super::shop;
use crate::support::counter::Counter;
use crate::support::on_both_engines;
use crate::support::orders::Order;
use crate::support::till::{ADA, Shop};

/// Seals what there is, in as many blocks as it takes.
pub async fn seal(shop: &Shop<'_>) -> usize {
    let mut sealer =
        Sealer::open(&mut shop.db.read(shop.id).await.unwrap(), shop.id, shop.now).await.unwrap();
    let mut sealed = 0;
    loop {
        let due = sealer.due(&mut shop.db.read(shop.id).await.unwrap()).await.unwrap();
        if due.is_empty() {
            return sealed;
        }
        sealed += due.len();
        let mut tx = shop.db.begin(shop.id).await.unwrap();
        sealer.seal(&mut tx, due).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn chain(shop: &Shop<'_>) -> Chain {
    verify(&mut shop.db.read(shop.id).await.unwrap(), shop.id).await.unwrap()
}

/// Three blocks: each has an order's entry, the first has more.
async fn three_blocks(shop: &mut Shop<'_>) -> Chain {
    for order in 11..14 {
        shop.wait(120);
        assert!(seal(shop).await > 0);
        shop.take(vec![shop.order(&Order::new(order, ADA))]).await;
    }
    let chain = chain(shop).await;
    assert_eq!((chain.blocks, chain.breaks, chain.twice, chain.unsealed), (3, 0, 0, 0));
    chain
}

/// The chain after a change that nobody commits.
async fn after(shop: &Shop<'_>, change: impl AsyncFnOnce(&mut Tx, ShopId)) -> Chain {
    let mut tx = shop.db.begin(shop.id).await.unwrap();
    change(&mut tx, shop.id).await;
    let chain = verify(&mut tx, shop.id).await.unwrap();
    tx.rollback().await.unwrap();
    chain
}

fn is(block: i64, wrong: Wrong) -> Option<Break> {
    Some(Break { block, wrong })
}

#[test]
fn every_entry_is_sealed_once_an_hour_after_it_was_booked() {
    on_both_engines(async |test| {
        let mut shop = shop(test).await;
        shop.wait(50);
        let first = seal(&shop).await;
        assert!(first > 0, "what is an hour old");
        assert_eq!(seal(&shop).await, 0);
        shop.wait(60);
        let second = seal(&shop).await;
        assert!(second > 0);
        let chain = chain(&shop).await;
        assert_eq!((chain.blocks, chain.sealed), (2, (first + second) as i64));
        assert_eq!(chain.violations().iter().map(|(_, count)| count).sum::<i64>(), 0);
        assert_eq!(chain.head.len(), 32);
    });
}

#[test]
fn what_was_committed_late_is_sealed_by_the_next_block() {
    on_both_engines(async |test| {
        let mut shop = shop(test).await;
        three_blocks(&mut shop).await;
        // An hour before the last sealed one.
        let now = shop.now;
        shop.now = now - SignedDuration::from_hours(4);
        shop.take(vec![shop.order(&Order::new(50, ADA))]).await;
        shop.now = now;
        assert_eq!(chain(&shop).await.unsealed, 1);
        assert_eq!(seal(&shop).await, 1);
        let sound = chain(&shop).await;
        assert_eq!((sound.blocks, sound.breaks, sound.twice, sound.unsealed), (4, 0, 0, 0));
    });
}

#[test]
fn whatever_is_changed_afterwards_breaks_the_chain_there() {
    on_both_engines(async |test| {
        let mut shop = shop(test).await;
        let sound = three_blocks(&mut shop).await;
        let changed = after(&shop, async |tx, shop| {
            let touched = db!(
                tx.execute,
                "update points_postings set amount = amount * 2 where shop_id = $1 and entry_id in (
                     select entry_id from points_entries where shop_id = $1 and kind = 'capture')",
                shop
            );
            assert!(touched.unwrap() > 0);
        });
        let changed = changed.await;
        assert_eq!((changed.broken, changed.breaks), (is(1, Wrong::Changed), 1));

        let moved = after(&shop, async |tx, shop| {
            db!(tx.execute, "update points_moves set cohort = 202501 where shop_id = $1", shop).unwrap();
        });
        assert_eq!(moved.await.breaks, 3, "moves are sealed, too");

        let renamed = after(&shop, async |tx, shop| {
            let rename = db!(
                tx.execute,
                "update points_entries set source_id = 'x' where shop_id = $1 and kind = 'capture'",
                shop
            );
            assert_eq!(rename.unwrap(), 1);
        });
        assert_eq!(renamed.await.broken, is(1, Wrong::Changed));

        let deleted = after(&shop, async |tx, shop| {
            let gone =
                db!(tx.execute, "delete from points_entries where shop_id = $1 and kind = 'capture'", shop);
            assert_eq!(gone.unwrap(), 1);
        });
        assert_eq!(deleted.await.broken, is(1, Wrong::EntryMissing));

        let inserted = after(&shop, async |tx, shop| {
            let back = "2026-11-22T09:30:00Z".parse::<db::Timestamp>().unwrap();
            db!(
                tx.execute,
                "insert into points_entries (shop_id, entry_id, member_id, seq, kind, source, source_id,
                     program_version, booked_at)
                 values ($1, $2, $2, 1, 'earn', 'shopify', 'backdated', 1, $3)",
                shop,
                Uuid::now_v7(),
                back
            )
            .unwrap();
        });
        let inserted = inserted.await;
        assert_eq!((inserted.unsealed, inserted.broken), (1, None));

        let lost = after(&shop, async |tx, shop| {
            db!(tx.execute, "delete from points_seals where shop_id = $1 and number = 2", shop).unwrap();
        });
        let lost = lost.await;
        assert_eq!((lost.broken, lost.blocks, lost.unsealed), (is(2, Wrong::Missing), 2, 1));

        let swapped = after(&shop, async |tx, shop| {
            for (from, to) in [(1, 9), (2, 1), (9, 2)] {
                db!(
                    tx.execute,
                    "update points_seals set number = $3 where shop_id = $1 and number = $2",
                    shop,
                    from,
                    to
                )
                .unwrap();
            }
        });
        assert_eq!(swapped.await.broken, is(1, Wrong::Changed));

        let twice = after(&shop, async |tx, shop| {
            let again: (db::Timestamp, Vec<u8>) = db!(
                tx.one,
                "select up_to, entry_ids from points_seals where shop_id = $1 and number = 2",
                shop
            )
            .unwrap();
            db!(
                tx.execute,
                "insert into points_seals (shop_id, number, up_to, entry_ids, digest) values ($1, 4, $2, $3, $3)",
                shop,
                again.0,
                again.1
            )
            .unwrap();
        });
        let twice = twice.await;
        assert_eq!((twice.twice, twice.broken), (1, is(4, Wrong::Changed)));
        assert_eq!(chain(&shop).await, sound, "nothing of that was kept");
    });
}

#[test]
fn a_note_may_be_erased_and_not_be_changed() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let member = counter.member(ADA).await;
        let given = json!({"points": 500, "reason": "goodwill", "note": "her parcel was late"});
        counter.post(&format!("/api/members/{ADA}/adjustments"), "k1", &given).await.json();
        let shop =
            Shop { db: &test.db, id: counter.id, now: counter.door.now() + SignedDuration::from_hours(2) };
        assert_eq!(seal(&shop).await, 1);
        let sound = chain(&shop).await;
        assert_eq!((sound.breaks, sound.notes), (0, 0));
        let changed = after(&shop, async |tx, shop| {
            db!(tx.execute, "update points_notes set note = 'it was not' where shop_id = $1", shop).unwrap();
        });
        let changed = changed.await;
        assert_eq!((changed.breaks, changed.notes), (0, 1));
        let unsalted = after(&shop, async |tx, shop| {
            db!(
                tx.execute,
                "update points_notes set note = 'it was not', salt = null where shop_id = $1",
                shop
            )
            .unwrap();
        });
        assert_eq!(unsalted.await.notes, 1, "nor said anew where nothing can be compared");
        let reasoned = after(&shop, async |tx, shop| {
            db!(
                tx.execute,
                "update points_notes set note = 'it was not', salt = null, digest = $2 where shop_id = $1",
                shop,
                vec![0_u8; 32]
            )
            .unwrap();
        });
        assert_eq!(reasoned.await.broken, is(1, Wrong::Changed), "nor can it be made to fit");
        let erased = after(&shop, async |tx, shop| {
            loyalnest::points::redact(tx, shop, member).await.unwrap();
            let left: Vec<(Option<String>, Option<Vec<u8>>)> =
                db!(tx.all, "select note, salt from points_notes where shop_id = $1", shop).unwrap();
            assert_eq!(left, [(None, None)], "nobody can try words");
        });
        assert_eq!(erased.await, sound);
    });
}
