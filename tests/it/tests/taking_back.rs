//! What becomes of earned and of redeemed points when an order is not what it was, on both engines.

use fastrand::Rng;
use loyalnest::customers;
use loyalnest::ids::CustomerId;
use loyalnest::orders::payload;
use loyalnest::points;
use loyalnest::programs;
use loyalnest::redemptions::catalogue::Refusal;
use loyalnest::redemptions::{self, State};
use loyalty::Scope;
use loyalty::program::ReturnPolicy;

use crate::support::on_both_engines;
use crate::support::orders::{Order, delivery_refund, refund};
use crate::support::till::{ADA, BOB, Shop, later, redeeming};

/// A shop in which Ada has 900 points.
async fn with_points(db: &loyalnest::db::Db) -> Shop<'_> {
    let shop = Shop::open(db).await;
    shop.take((1..=9).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
    shop
}

#[test]
fn merge_with_a_live_hold_moves_it_where_nothing_is_held_and_frees_it_else() {
    on_both_engines(async |test| {
        for bob_holds in [false, true] {
            let shop = with_points(&test.db).await;
            shop.take((11..=19).map(|id| shop.order(&Order::new(id, BOB))).collect()).await;
            let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
            shop.shown(ADA, Some(hold.id)).await;
            if bob_holds {
                shop.pick(BOB, "points", Some(200)).await.unwrap();
            }
            let mut tx = test.db.begin(shop.id).await.unwrap();
            customers::merge(&mut tx, shop.id, CustomerId(BOB), CustomerId(ADA), shop.now).await.unwrap();
            tx.commit().await.unwrap();
            let (held, state) = if bob_holds { (200, State::Released) } else { (500, State::Opening) };
            assert_eq!(shop.points(BOB).await, (1_800 - held, 0, held));
            assert_eq!(shop.hold(BOB, hold.id).await.state, state);
            shop.is_sound().await;
            // Their order finds the hold through the kept member.
            shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "5.00"))]).await;
            assert_eq!(shop.points(BOB).await.0 + shop.points(BOB).await.2, 1_800 - 500 + 95);
            shop.is_sound().await;
        }
    });
}

#[test]
fn an_order_that_is_edited_gives_back_what_its_discount_lost_and_never_takes_more_than_was_held() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        let order = redeeming(20, ADA, &hold, "5.00");
        shop.take(vec![shop.order(&order)]).await;
        assert_eq!(shop.points(ADA).await, (400 + 95, 0, 0));
        let less = later(&order, |order| order.discount = Some("2.00"));
        shop.take(vec![shop.order(&less)]).await;
        assert_eq!(shop.points(ADA).await, (400 + 300 + 98, 0, 0));
        shop.is_sound().await;
        let more = later(&order, |order| {
            (order.discount, order.updated_at) = (Some("9.00"), "2026-11-22T12:00:00Z".into());
        });
        shop.take(vec![shop.order(&more)]).await;
        assert_eq!(shop.points(ADA).await, (400 + 91, 0, 0), "500 stand again, and no more");
        shop.is_sound().await;
    });
}

#[test]
fn a_voided_expired_or_cancelled_order_gives_everything_back_to_its_lots() {
    on_both_engines(async |test| {
        let ends: [fn(&mut Order); 3] = [
            |order| order.status = "voided",
            |order| order.status = "expired",
            |order| order.cancelled = true,
        ];
        for end in ends {
            let shop = with_points(&test.db).await;
            let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
            let order = Order { status: "pending", ..redeeming(20, ADA, &hold, "5.00") };
            shop.take(vec![shop.order(&order)]).await;
            assert_eq!(shop.points(ADA).await, (400, 95, 0));
            let ended = shop.order(&later(&order, end));
            shop.take(vec![ended.clone(), shop.order(&order), ended]).await;
            assert_eq!(shop.points(ADA).await, (900, 0, 0));
            shop.is_sound().await;
        }
    });
}

#[test]
fn a_voided_order_that_is_paid_after_all_costs_its_points_again() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        let order = redeeming(20, ADA, &hold, "5.00");
        let void = later(&order, |order| order.status = "voided");
        let paid = Order { updated_at: "2026-11-22T12:00:00Z".into(), ..order.clone() };
        shop.take(vec![shop.order(&order), shop.order(&void)]).await;
        assert_eq!(shop.points(ADA).await, (900, 0, 0));
        shop.take(vec![shop.order(&paid), shop.order(&void), shop.order(&paid)]).await;
        assert_eq!(shop.points(ADA).await, (400 + 95, 0, 0));
        shop.is_sound().await;
        // What comes back of it now comes back to the member.
        shop.take(vec![shop.refund(&refund(7, 20, &[(201, 2, "45.00")]))]).await;
        assert_eq!(shop.points(ADA).await, (900 + 50, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn what_had_come_back_and_was_spent_meanwhile_is_debited_by_the_policy_and_flagged_where_it_is_not_covered() {
    on_both_engines(async |test| {
        for (policy, flagged) in [(ReturnPolicy::WithinBalance, true), (ReturnPolicy::NegativeAllowed, false)]
        {
            let shop = with_points(&test.db).await;
            shop.set_program(|program| program.returns = policy).await;
            let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
            let order = redeeming(20, ADA, &hold, "5.00");
            let void = later(&order, |order| order.status = "voided");
            let paid = Order { updated_at: "2026-11-22T12:00:00Z".into(), ..order.clone() };
            shop.take(vec![shop.order(&order), shop.order(&void)]).await;
            // 700 of the 900 are spent: 200 are left of the 500 that had come back.
            let other = shop.pick(ADA, "points", Some(700)).await.unwrap();
            shop.take(vec![shop.order(&redeeming(21, ADA, &other, "7.00"))]).await;
            assert_eq!(shop.points(ADA).await, (200 + 93, 0, 0));
            shop.take(vec![shop.order(&paid), shop.order(&void), shop.order(&paid)]).await;
            let left = if policy == ReturnPolicy::WithinBalance { 0 } else { 200 + 93 - 500 };
            assert_eq!(shop.points(ADA).await, (left + 95, 0, 0), "{policy:?}");
            shop.is_sound().await;
            let again = shop.pick(ADA, "points", Some(100)).await;
            assert_eq!(
                matches!(again, Err(redemptions::Error::Refused(Refusal::UnderReview))),
                flagged,
                "{policy:?}"
            );
            // Called off for good, the member has again what they paid, and nothing that they were let off.
            let cancelled = Order { updated_at: "2026-11-22T13:00:00Z".into(), cancelled: true, ..order };
            shop.take(vec![shop.order(&cancelled), shop.order(&cancelled)]).await;
            assert_eq!(shop.points(ADA).await, (200 + 93, 0, 0), "{policy:?}");
            shop.is_sound().await;
        }
    });
}

#[test]
fn nothing_is_booked_for_a_test_order() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        let order = Order { test: true, ..redeeming(20, ADA, &hold, "5.00") };
        assert!(payload::order(order.payload().to_string().as_bytes()).unwrap().is_none());
        shop.take(vec![shop.refund(&refund(7, 20, &[(201, 2, "45.00")]))]).await;
        assert_eq!(shop.points(ADA).await, (400, 0, 500));
        shop.is_sound().await;
    });
}

#[test]
fn a_draft_order_without_a_hold_costs_nothing_and_one_with_our_discount_is_unbacked() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        shop.take(vec![shop.order(&Order::new(20, ADA))]).await;
        assert_eq!(shop.points(ADA).await, (1_000, 0, 0));
        shop.take(vec![shop.order(&Order { discount: Some("5.00"), ..Order::new(21, ADA) })]).await;
        assert_eq!(shop.points(ADA).await, (1_095, 0, 0));
        assert!(matches!(
            shop.pick(ADA, "points", Some(100)).await,
            Err(redemptions::Error::Refused(Refusal::UnderReview))
        ));
        shop.is_sound().await;
    });
}

#[test]
fn of_a_subscription_the_first_cycle_redeems_and_renewals_earn() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        let first = redeeming(20, ADA, &hold, "5.00");
        // Functions do not run for renewals; the contract may carry the first cart's attributes on.
        let renewal = Order { mark: first.mark.clone(), ..Order::new(21, ADA) };
        shop.take(vec![shop.order(&first), shop.order(&renewal)]).await;
        assert_eq!(shop.points(ADA).await, (400 + 95 + 100, 0, 0));
        assert!(shop.pick(ADA, "points", Some(100)).await.is_ok(), "nobody is blamed");
        shop.is_sound().await;
    });
}

#[test]
fn what_was_applied_is_captured_and_the_rest_of_the_hold_is_free() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        let mut order = redeeming(20, ADA, &hold, "1.50");
        order.lines.truncate(1);
        shop.take(vec![shop.order(&order)]).await;
        assert_eq!(shop.hold(ADA, hold.id).await.captured, Some(150));
        assert_eq!(shop.points(ADA).await, (750 + 48, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn an_order_of_somebody_else_captures_nothing() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.take(vec![shop.order(&redeeming(20, BOB, &hold, "5.00"))]).await;
        assert_eq!((shop.points(ADA).await, shop.points(BOB).await), ((400, 0, 500), (95, 0, 0)));
        assert!(matches!(
            shop.pick(BOB, "points", None).await,
            Err(redemptions::Error::Refused(Refusal::UnderReview))
        ));
        shop.is_sound().await;
    });
}

#[test]
fn whoever_is_erased_while_they_hold_points_has_them_let_go_first() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        let hold = shop.pick_for(ADA, "points", Some(500), Scope::NextOrder).await.unwrap();
        shop.shown(ADA, Some(hold.id)).await;
        let member = shop.member(ADA).await;
        let mut tx = test.db.begin(shop.id).await.unwrap();
        customers::redact(&mut tx, shop.id, CustomerId(ADA), shop.now).await.unwrap();
        let program = programs::current(&mut tx, shop.id).await.unwrap();
        redemptions::let_go(&mut tx, shop.id, member, &program, shop.now).await.unwrap();
        tx.commit().await.unwrap();
        let mut read = test.db.read(shop.id).await.unwrap();
        let balance = points::balance(&mut read, shop.id, member, shop.now).await.unwrap();
        assert_eq!((balance.available.get(), balance.held.get()), (900, 0));
        shop.is_sound().await;
    });
}

#[test]
fn points_on_delivery_come_back_with_what_is_refunded_of_it() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        let hold = shop.pick(ADA, "points", Some(400)).await.unwrap();
        // 3.00 off the delivery of 5.00, 1.00 off the first line.
        let order = Order { delivery: Some(("5.00", "3.00")), ..redeeming(20, ADA, &hold, "1.00") };
        shop.take(vec![shop.order(&order)]).await;
        assert_eq!(shop.points(ADA).await, (500 + 99, 0, 0));
        let half = shop.refund(&delivery_refund(7, 20, "1.00"));
        shop.take(vec![half.clone(), half]).await;
        assert_eq!(shop.points(ADA).await, (500 + 99 + 150, 0, 0));
        shop.take(vec![shop.refund(&delivery_refund(8, 20, "1.00"))]).await;
        assert_eq!(shop.points(ADA).await, (500 + 99 + 300, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn a_refund_to_store_credit_takes_back_like_any_other() {
    on_both_engines(async |test| {
        let shop = with_points(&test.db).await;
        let mut credit = refund(7, 1, &[(11, 1, "25.00")]);
        credit["transactions"] = serde_json::json!([{"kind": "refund", "gateway": "shopify_store_credit"}]);
        shop.take(vec![shop.refund(&credit)]).await;
        assert_eq!(shop.points(ADA).await, (875, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn whatever_the_order_and_number_in_which_webhooks_come_the_end_is_the_same() {
    on_both_engines(async |test| {
        let at = |minute: u32| format!("2026-11-22T11:{minute:02}:00Z");
        for seed in 0..12 {
            let mut random = Rng::with_seed(seed);
            let mut ends = Vec::new();
            let statuses = ["pending", "paid", "voided", "partially_refunded"];
            // What happens to one order, and to another that redeemed points.
            let told: Vec<(usize, &str, bool)> = (0..random.usize(2..6))
                .map(|_| (random.usize(..2), statuses[random.usize(..4)], random.u8(..8) == 0))
                .collect();
            let back: Vec<(i64, i64)> =
                (0..random.usize(..3)).map(|_| (random.i64(20..22), random.i64(1..3))).collect();
            for turn in 0..4 {
                let shop = with_points(&test.db).await;
                shop.set_program(|program| program.returns = ReturnPolicy::NegativeAllowed).await;
                let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
                let orders = [redeeming(20, ADA, &hold, "5.00"), Order::new(21, ADA)];
                let mut webhooks: Vec<_> = orders.iter().map(|order| shop.order(order)).collect();
                for (minute, &(order, status, cancelled)) in (0..).zip(&told) {
                    let order = orders[order].clone();
                    let order = Order { status, cancelled, updated_at: at(minute), ..order };
                    webhooks.push(shop.order(&order));
                }
                for (id, &(order, units)) in (7..).zip(&back) {
                    let lines = [(order * 10 + 1, units, "22.50")];
                    webhooks.push(shop.refund(&refund(id, order, &lines)));
                }
                if turn > 0 {
                    let again = webhooks[random.usize(..webhooks.len())].clone();
                    webhooks.push(again);
                    random.shuffle(&mut webhooks);
                }
                for webhook in webhooks {
                    shop.take(vec![webhook]).await;
                }
                shop.is_sound().await;
                ends.push(shop.points(ADA).await);
            }
            assert!(ends.iter().all(|end| *end == ends[0]), "seed {seed}: {ends:?}, {told:?}, {back:?}");
        }
    });
}

#[test]
fn the_grace_of_a_hold_that_closes_begins_anew_where_two_become_one() {
    on_both_engines(async |test| {
        let mut shop = with_points(&test.db).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.shown(ADA, Some(hold.id)).await;
        shop.cancel(ADA, hold.id).await.unwrap();
        shop.shown(ADA, None).await;
        shop.wait(20);
        let mut tx = test.db.begin(shop.id).await.unwrap();
        customers::merge(&mut tx, shop.id, CustomerId(BOB), CustomerId(ADA), shop.now).await.unwrap();
        tx.commit().await.unwrap();
        shop.wait(10);
        assert!(!shop.advance(BOB, hold.id).await);
        shop.shown(BOB, None).await;
        shop.wait(30);
        assert!(shop.advance(BOB, hold.id).await);
        assert_eq!(shop.points(BOB).await, (900, 0, 0));
    });
}
