//! Whether the books hold: every invariant is broken by hand once, and the proof names it.

mod chain;
mod command;
mod nightly;

use loyalnest::db;
use loyalnest::db::{Db, Engine, Read, Timestamp, Tx};
use loyalnest::ids::ShopId;
use loyalnest::points::recount::{AtOnce, recount};
use loyalnest::proof::{self, Asked};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use uuid::Uuid;

use crate::support::orders::{Order, refund};
use crate::support::till::{ADA, BOB, Shop, redeeming};
use crate::support::{TestDb, on_both_engines};

/// A shop that has an order with points, one that was paid with points, a refund, and a hold.
pub async fn shop(test: &TestDb) -> Shop<'_> {
    let mut shop = Shop::open(&test.db).await;
    let orders = [(1, ADA), (2, BOB), (4, ADA), (5, ADA), (6, BOB)];
    shop.take(orders.map(|(order, customer)| shop.order(&Order::new(order, customer))).into()).await;
    shop.wait(10);
    let hold = shop.pick(ADA, "points", Some(200)).await.unwrap();
    shop.shown(ADA, Some(hold.id)).await;
    shop.take(vec![shop.order(&redeeming(3, ADA, &hold, "2.00"))]).await;
    shop.take(vec![shop.refund(&refund(7, 2, &[(21, 1, "25.00")]))]).await;
    shop.pick(BOB, "points", Some(100)).await.unwrap();
    shop.is_sound().await;
    shop
}

async fn broken(read: &mut Read, shop: ShopId) -> Vec<&'static str> {
    proof::prove(read, shop, Asked { chain: true, ..Asked::default() }).await.unwrap().broken()
}

/// Breaks an invariant, as nothing in the program can; false where the database itself does not let it happen.
async fn sabotage(tx: &mut Tx, shop: ShopId, invariant: &str) -> bool {
    let touched = match invariant {
        "postings_sum_to_zero" => {
            db!(
                tx.execute,
                "update points_postings set amount = amount + 1 where shop_id = $1 and account = 'issued'",
                shop
            )
        }
        "entries_move_something" => db!(tx.execute, "delete from points_postings where shop_id = $1", shop),
        "postings_and_moves_have_their_entry" => {
            db!(tx.execute, "delete from points_entries where shop_id = $1 and kind = 'capture'", shop)
        }
        "balances_are_their_postings" => {
            db!(tx.execute, "update points_accounts set pending = pending + 1 where shop_id = $1", shop)
        }
        "available_is_open_lots_less_deficit" => db!(
            tx.execute,
            "update points_lots set remaining = remaining - 1 where shop_id = $1 and remaining > 0",
            shop
        ),
        "lots_are_what_entries_moved" => {
            db!(tx.execute, "update points_moves set held = held + 1 where shop_id = $1", shop)
        }
        "nothing_is_spent_from_an_expired_lot" => {
            db!(
                tx.execute,
                "update points_lots set expires_at = $2 where shop_id = $1",
                shop,
                "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap()
            )
        }
        "held_is_what_holds_pin" => {
            db!(
                tx.execute,
                "update points_pins set returned = returned + 1 where shop_id = $1 and held",
                shop
            )
        }
        "pending_and_held_are_not_negative" => {
            db!(tx.execute, "update points_accounts set held = -1 where shop_id = $1", shop)
        }
        "effects_are_booked_once" => {
            db!(
                tx.execute,
                "update points_entries set kind = 'bonus' where shop_id = $1 and kind = 'capture'",
                shop
            )
        }
        "a_bonus_is_had_once" => {
            db!(
                tx.execute,
                "insert into points_bonuses (shop_id, occasion, member_id, bonus_id, occurred_at, pending, posted,
                     forgiven, revision)
                 select shop_id, 'sign_up', member_id, member_id, $2, 0, 0, 0, 1 from points_accounts
                 where shop_id = $1",
                shop,
                "2026-11-22T09:00:00Z".parse::<Timestamp>().unwrap()
            )
            .unwrap();
            db!(
                tx.execute,
                "update points_accounts set merged_into = (
                     select member_id from points_accounts where shop_id = $1 order by member_id limit 1)
                 where shop_id = $1",
                shop
            )
        }
        "the_first_order_that_stands_gives_its_bonus" => {
            db!(tx.execute, "update points_orders set first_order = 1 where shop_id = $1", shop)
        }
        "referrals_give_what_the_friends_order_gives" | "referrals_stand_where_the_friends_orders_say" => {
            db!(
                tx.execute,
                "insert into referrals_referrals (shop_id, referral_id, advocate_id, friend_id, state, advocate_points,
                     friend_points, min_paid, wait_days, sent_at, until)
                 select shop_id, member_id, member_id, member_id, 'waiting', 5, 5, 0, 0, $2, $3 from points_accounts
                 where shop_id = $1",
                shop,
                Timestamp::UNIX_EPOCH,
                "2030-01-01T00:00:00Z".parse::<Timestamp>().unwrap()
            )
        }
        "returns_take_no_more_than_was_redeemed" => {
            db!(tx.execute, "update redemptions_uses set let_off = -1 where shop_id = $1", shop)
        }
        "captures_have_their_order" => {
            db!(tx.execute, "delete from redemptions_uses where shop_id = $1", shop)
        }
        "payouts_say_what_came_of_them" => {
            db!(
                tx.execute,
                "insert into redemptions_payouts (shop_id, payout_id, member_id, reward_id, kind, currency, minor,
                     points, spend_id, stocked, state, asked_at)
                 values ($1, $2, $2, 'card', 'gift_card', 'GBP', 100, 100, $2, false, 'done', $3)",
                shop,
                Uuid::now_v7(),
                "2026-11-22T09:00:00Z".parse::<Timestamp>().unwrap()
            )
        }
        "booked_is_the_fold_of_the_order" => {
            db!(tx.execute, "update points_orders set posted = posted + 1 where shop_id = $1", shop)
        }
        "what_is_booked_is_no_history" => db!(
            tx.execute,
            "insert into history_orders (shop_id, order_id, member_id, placed_at, kept, spent, as_of)
             select shop_id, order_id, member_id, placed_at, false, 0, placed_at from points_orders where shop_id = $1",
            shop
        ),
        "imports_are_their_rows" => {
            db!(
                tx.execute,
                "insert into imports_batches (shop_id, batch_id, state, digest, last_row, imported, refused,
                     new_members, points, reverted_row, taken_back, left_alone, created_at)
                 values ($1, $2, 'done', $3, 2, 1, 0, 1, 10, 1, 0, 0, $4)",
                shop,
                Uuid::now_v7(),
                vec![0_u8; 32],
                "2026-11-22T09:00:00Z".parse::<Timestamp>().unwrap()
            )
        }
        "blocks_are_as_they_were_sealed" => {
            db!(tx.execute, "update points_seals set digest = entry_ids where shop_id = $1", shop)
        }
        "entries_are_sealed_once" => db!(
            tx.execute,
            "insert into points_seals (shop_id, number, up_to, entry_ids, digest)
             select shop_id, 99, up_to, entry_ids, digest from points_seals where shop_id = $1 and number = 1",
            shop
        ),
        "old_entries_are_sealed" => {
            db!(tx.execute, "update points_seals set entry_ids = substr(entry_ids, 17) where shop_id = $1", shop)
        }
        "notes_are_as_they_were_sealed" => db!(
            tx.execute,
            "insert into points_notes (shop_id, entry_id, member_id, reason, actor_kind, salt, digest)
             select shop_id, entry_id, member_id, 'goodwill', 'staff', $2, $2 from points_entries where shop_id = $1",
            shop,
            vec![0_u8; 32]
        ),
        "what_members_bought_is_in_their_orders" => {
            db!(tx.execute, "update rfm_members set spent = spent + 1 where shop_id = $1", shop)
        }
        "members_are_in_their_segment" => {
            db!(tx.execute, "update rfm_members set segment = 555, is_there = false where shop_id = $1", shop)
        }
        "lots_hold_no_more_than_was_earned"
        | "discounts_are_captured_debited_or_unbacked"
        | "one_live_hold_per_member" => return false,
        unknown => panic!("each invariant is broken here: {unknown}"),
    };
    assert!(touched.unwrap() > 0, "{invariant}");
    true
}

#[test]
fn each_invariant_that_is_broken_is_named() {
    on_both_engines(async |test| {
        let mut shop = shop(test).await;
        shop.wait(120);
        assert!(chain::seal(&shop).await > 0);
        let asked = Asked { chain: true, ..Asked::default() };
        let all = proof::prove(&mut test.db.read(shop.id).await.unwrap(), shop.id, asked).await.unwrap();
        assert_eq!(all.violations(), 0, "{:?}", all.broken());
        let all = all.violations;
        let mut kept_by_the_database = Vec::new();
        for (invariant, _) in all {
            let mut tx = test.db.begin(shop.id).await.unwrap();
            if sabotage(&mut tx, shop.id, invariant).await {
                let named = broken(&mut tx, shop.id).await;
                assert!(named.contains(&invariant), "{invariant}: {named:?}");
            } else {
                kept_by_the_database.push(invariant);
            }
            tx.rollback().await.unwrap();
        }
        shop.is_sound().await;

        // What a constraint keeps is counted, too: it may be missing.
        assert_eq!(kept_by_the_database.len(), 3, "{kept_by_the_database:?}");
        let lift = match test.db.engine() {
            Engine::Sqlite => "pragma ignore_check_constraints = on",
            Engine::Postgres => {
                "alter table points_lots drop constraint points_lots_remaining;
                 alter table redemptions_uses drop constraint redemptions_uses_money"
            }
        };
        for sql in [
            lift,
            "update points_lots set remaining = original + 1",
            "update redemptions_uses set used_minor = used_minor + 1",
            "drop index redemptions_holds_shop_id_member_id_key",
            "update redemptions_holds set state = 'live'",
            "update redemptions_holds set member_id = (select member_id from redemptions_holds limit 1)",
        ] {
            as_owner(test, sql).await;
        }
        let named = broken(&mut test.db.read(shop.id).await.unwrap(), shop.id).await;
        for invariant in kept_by_the_database {
            assert!(named.contains(&invariant), "{invariant}: {named:?}");
        }
    });
}

/// Does something to the database as no part of the program may.
async fn as_owner(test: &TestDb, sql: &'static str) {
    match &test.db {
        Db::Sqlite { writer, .. } => _ = writer.execute(sql).await.unwrap(),
        Db::Postgres(_) => {
            let mut owner = PgConnection::connect(&test.url).await.unwrap();
            owner.execute(sql).await.unwrap();
            owner.close().await.unwrap();
        }
    }
}

#[test]
fn a_ledger_that_is_added_up_in_parts_is_the_same() {
    on_both_engines(async |test| {
        let shop = shop(test).await;
        let mut read = test.db.read(shop.id).await.unwrap();
        let whole = recount(&mut read, shop.id, None, AtOnce::default()).await.unwrap();
        assert!(whole.entries > 5 && whole.postings >= 2 * whole.entries, "{whole:?}");
        assert_eq!(whole.totals.values().sum::<i64>(), 0);
        drop(read);
        let mut tx = test.db.begin(shop.id).await.unwrap();
        sabotage(&mut tx, shop.id, "balances_are_their_postings").await;
        sabotage(&mut tx, shop.id, "lots_are_what_entries_moved").await;
        let whole = recount(&mut tx, shop.id, None, AtOnce::default()).await.unwrap();
        let parts = recount(&mut tx, shop.id, None, AtOnce { members: 1, lots: 1 }).await.unwrap();
        assert_eq!(parts.counts, whole.counts);
        assert_eq!(
            (parts.entries, parts.postings, &parts.totals),
            (whole.entries, whole.postings, &whole.totals)
        );
        assert!(whole.counts.all(false).iter().any(|(_, count)| *count > 1), "{whole:?}");
        tx.rollback().await.unwrap();
    });
}

#[test]
fn the_past_is_what_was_booked_until_then() {
    on_both_engines(async |test| {
        let mut shop = shop(test).await;
        let (then, sum) = (shop.now, async |shop: &Shop<'_>, before| {
            let mut read = test.db.read(shop.id).await.unwrap();
            proof::prove(&mut read, shop.id, Asked { before, chain: false }).await.unwrap()
        });
        let now = sum(&shop, None).await;
        shop.wait(60);
        shop.take(vec![shop.order(&Order::new(9, ADA))]).await;
        let later = sum(&shop, None).await;
        assert_eq!(later.accounts["issued"], now.accounts["issued"] - 100);
        // Half-open: what was booked at that very instant is not among it.
        let until = Timestamp::from_microsecond(then.as_microsecond() + 1).unwrap();
        let past = sum(&shop, Some(until)).await;
        assert_eq!((past.entries, &past.accounts), (now.entries, &now.accounts));
        assert!(past.violations.len() < now.violations.len() && past.violations() == 0, "{past:?}");
        let earlier = sum(&shop, Some(then)).await;
        assert!(earlier.entries < past.entries, "{earlier:?}");
        // What a lot held then is within what was earned.
        let mut tx = test.db.begin(shop.id).await.unwrap();
        sabotage(&mut tx, shop.id, "lots_are_what_entries_moved").await;
        db!(tx.execute, "update points_moves set available = -1 where shop_id = $1", shop.id).unwrap();
        let asked = Asked { before: Some(until), chain: false };
        let found = proof::prove(&mut tx, shop.id, asked).await.unwrap();
        assert_eq!(found.broken(), ["lots_are_what_entries_moved"]);
        tx.rollback().await.unwrap();
    });
}
