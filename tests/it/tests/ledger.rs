//! The ledger under everything that orders and refunds do to it, on both engines.

use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::orders::{Incoming, payload};
use loyalnest::points;
use loyalnest::redemptions::catalogue::Refusal;
use loyalnest::redemptions::{Error, Hold, State, lifecycle};
use loyalnest::sync;
use loyalty::{Gate, Limit, Period, Scope};

use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};
use crate::support::till::{ADA, BOB, Shop, later, redeeming};

#[test]
fn a_customer_whose_first_order_earns_nothing_is_shown_as_a_member_too() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        // What Shopify shows of them may be from before the shop took the app out and came back.
        let free = Order { lines: vec![(11, 1, "0.00")], ..Order::new(1, ADA) };
        shop.take(vec![shop.order(&free)]).await;
        let marked = sync::backlog(&mut test.db.read_across().await.unwrap()).await.unwrap().members;
        assert_eq!((shop.points(ADA).await, marked), ((0, 0, 0), 1));
        shop.is_sound().await;
    });
}

#[test]
fn a_paid_order_earns_and_an_unpaid_one_waits() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take(vec![shop.order(&Order::new(1, ADA))]).await;
        assert_eq!(shop.points(ADA).await, (100, 0, 0));
        let unpaid = Order { status: "pending", ..Order::new(2, BOB) };
        shop.take(vec![shop.order(&unpaid)]).await;
        assert_eq!(shop.points(BOB).await, (0, 100, 0));
        shop.take(vec![shop.order(&later(&unpaid, |order| order.status = "paid"))]).await;
        assert_eq!(shop.points(BOB).await, (100, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn what_is_told_twice_late_or_in_any_order_is_booked_once() {
    on_both_engines(async |test| {
        let created = Order { status: "pending", ..Order::new(1, ADA) };
        let paid = later(&created, |order| order.status = "paid");
        let first = refund(7, 1, &[(11, 1, "25.00")]);
        let second = refund(8, 1, &[(12, 1, "50.00")]);
        let mut totals = Vec::new();
        // Every order of arrival, with one of them told again at the end.
        for rotation in 0..4 {
            for again in 0..4 {
                let shop = Shop::open(&test.db).await;
                let mut batch =
                    vec![shop.order(&created), shop.order(&paid), shop.refund(&first), shop.refund(&second)];
                batch.rotate_left(rotation);
                batch.push(batch[again].clone());
                for message in batch {
                    shop.take(vec![message]).await;
                }
                assert_eq!(shop.points(ADA).await, (25, 0, 0), "rotation {rotation}, again {again}");
                shop.is_sound().await;
                totals
                    .push(points::totals(&mut shop.db.read(shop.id).await.unwrap(), shop.id).await.unwrap());
            }
        }
        totals.dedup();
        assert_eq!(totals.len(), 1, "the ledger tells one story: {totals:?}");
        assert_eq!((totals[0].issued, totals[0].reversed, totals[0].outstanding), (100, 75, 25));
    });
}

#[test]
fn a_refund_before_its_order_waits_for_it() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take(vec![shop.refund(&refund(7, 1, &[(11, 2, "50.00")]))]).await;
        assert_eq!(shop.points(ADA).await, (0, 0, 0));
        shop.take(vec![shop.order(&Order::new(1, ADA))]).await;
        assert_eq!(shop.points(ADA).await, (50, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn a_cancelled_order_leaves_nothing() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        let order = Order::new(1, ADA);
        let cancelled = later(&order, |order| order.cancelled = true);
        shop.take(vec![shop.order(&order), shop.order(&cancelled), shop.order(&order)]).await;
        assert_eq!(shop.points(ADA).await, (0, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn nothing_is_booked_for_guests_and_test_orders() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        let guest = Order { customer: None, ..Order::new(1, 0) };
        shop.take(vec![shop.order(&guest)]).await;
        let test_order = Order { test: true, ..Order::new(2, ADA) };
        assert!(payload::order(test_order.payload().to_string().as_bytes()).unwrap().is_none());
        // A guest's refund finds an order of nobody.
        shop.take(vec![shop.refund(&refund(7, 1, &[(11, 1, "25.00")]))]).await;
        shop.is_sound().await;
    });
}

#[test]
fn an_order_captures_its_hold_and_earns_on_what_was_paid() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=9).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        assert_eq!(shop.points(ADA).await, (400, 0, 500));
        // The cart allowed 3 of 5 pounds.
        shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "3.00"))]).await;
        assert_eq!(shop.points(ADA).await, (400 + 200 + 97, 0, 0), "300 captured, 200 released, 97 earned");
        let hold = shop.hold(ADA, hold.id).await;
        assert_eq!((hold.state, hold.captured), (State::Captured, Some(300)));
        shop.is_sound().await;
        // A return of the discounted line brings its points back.
        shop.take(vec![shop.refund(&refund(7, 20, &[(201, 2, "47.00")]))]).await;
        assert_eq!(shop.points(ADA).await, (697 + 300 - 47, 0, 0));
        shop.is_sound().await;
        let all = refund(8, 20, &[(202, 1, "50.00")]);
        shop.take(vec![shop.refund(&all), shop.refund(&all)]).await;
        assert_eq!(shop.points(ADA).await, (900, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn a_second_order_with_the_same_hold_is_debited_then_unbacked_and_flagged() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        let orders = [redeeming(20, ADA, &hold, "5.00"), redeeming(21, ADA, &hold, "5.00")];
        shop.take(orders.iter().map(|order| shop.order(order)).collect()).await;
        // 100 were left, and 95 came with the first order: 195 are debited, 305 are not covered.
        assert_eq!(shop.points(ADA).await, (95, 0, 0));
        assert!(matches!(
            shop.pick(ADA, "points", Some(100)).await,
            Err(Error::Refused(Refusal::UnderReview))
        ));
        shop.is_sound().await;
        // Cancelling the second order gives the debit back, and nothing that was never paid.
        shop.take(vec![shop.order(&later(&orders[1], |order| order.cancelled = true))]).await;
        assert_eq!(shop.points(ADA).await, (195, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn another_members_hold_pays_for_nothing() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.take(vec![shop.order(&redeeming(20, BOB, &hold, "5.00"))]).await;
        assert_eq!(shop.points(ADA).await, (100, 0, 500));
        assert_eq!(shop.points(BOB).await, (95, 0, 0));
        assert!(matches!(shop.pick(BOB, "points", None).await, Err(Error::Refused(Refusal::UnderReview))));
        shop.is_sound().await;
    });
}

#[test]
fn a_new_pick_replaces_the_one_that_stands_and_the_same_one_renews_it() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let first = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.wait(1);
        let same = shop.pick(ADA, "points", Some(500)).await.unwrap();
        assert_eq!(same.id, first.id);
        assert!(same.expires_at > first.expires_at);
        let second = shop.pick(ADA, "points", Some(600)).await.unwrap();
        assert_ne!(second.id, first.id);
        assert_eq!(shop.points(ADA).await, (0, 0, 600));
        assert_eq!(shop.hold(ADA, first.id).await.state, State::Released);
        shop.is_sound().await;
        // An order with the first was on its way: the points of the second pay for it, and nobody is blamed.
        shop.take(vec![shop.order(&redeeming(20, ADA, &first, "5.00"))]).await;
        assert_eq!(shop.points(ADA).await, (100 + 95, 0, 0));
        assert!(shop.pick(ADA, "points", Some(100)).await.is_ok());
        shop.is_sound().await;
    });
}

#[test]
fn a_hold_lives_closes_and_is_released_after_its_grace() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        assert_eq!(hold.state, State::Opening);
        shop.shown(ADA, Some(hold.id)).await;
        assert_eq!(shop.hold(ADA, hold.id).await.state, State::Live);
        assert!(!shop.advance(ADA, hold.id).await, "its time has not come");
        shop.wait(60);
        assert!(shop.advance(ADA, hold.id).await);
        assert_eq!(shop.hold(ADA, hold.id).await.state, State::Closing);
        shop.wait(600);
        assert!(!shop.advance(ADA, hold.id).await, "the metafield may show it still: its points stay held");
        assert_eq!(shop.points(ADA).await, (100, 0, 500));
        shop.shown(ADA, None).await;
        shop.wait(29);
        assert!(!shop.advance(ADA, hold.id).await, "an order may be on its way");
        shop.wait(1);
        assert!(shop.advance(ADA, hold.id).await);
        assert_eq!(shop.hold(ADA, hold.id).await.state, State::Released);
        assert_eq!(shop.points(ADA).await, (600, 0, 0));
        shop.is_sound().await;
        // An order that comes even later is paid from what there is, and nobody is blamed.
        shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "5.00"))]).await;
        assert_eq!(shop.points(ADA).await, (100 + 95, 0, 0));
        assert!(shop.pick(ADA, "points", Some(100)).await.is_ok());
        shop.is_sound().await;
    });
}

#[test]
fn an_order_captures_a_hold_that_closes() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.shown(ADA, Some(hold.id)).await;
        let closing = shop.cancel(ADA, hold.id).await.unwrap();
        assert_eq!(closing.state, State::Closing);
        shop.shown(ADA, None).await;
        shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "5.00"))]).await;
        assert_eq!(shop.hold(ADA, hold.id).await.state, State::Captured);
        assert_eq!(shop.points(ADA).await, (195, 0, 0));
        assert!(matches!(shop.cancel(ADA, hold.id).await, Err(Error::Captured)));
        assert!(matches!(shop.cancel(BOB, hold.id).await, Err(Error::UnknownHold)));
        shop.is_sound().await;
    });
}

#[test]
fn a_pick_that_cannot_be_held_changes_nothing() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take(vec![shop.order(&Order::new(1, ADA))]).await;
        let before = shop.balance(ADA).await;
        let error = |picked: Result<Hold, Error>| picked.map(|hold| hold.id).unwrap_err().to_string();
        assert_eq!(error(shop.pick(ADA, "none", None).await), "there is no such reward");
        assert_eq!(
            error(shop.pick(ADA, "points", Some(200)).await),
            "100 points are available, 200 are needed"
        );
        for points in [0, -100, 150, 10_000] {
            let told = error(shop.pick(ADA, "points", Some(points)).await);
            assert_eq!(told, "the reward cannot be had for this number of points", "{points}");
        }
        assert_eq!(shop.balance(ADA).await, before);
        shop.is_sound().await;
    });
}

#[test]
fn what_was_spent_already_is_forgiven_within_the_balance() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        let order = Order::new(1, ADA);
        shop.take(vec![shop.order(&order)]).await;
        let hold = shop.pick(ADA, "points", Some(100)).await.unwrap();
        shop.take(vec![shop.order(&redeeming(2, ADA, &hold, "1.00"))]).await;
        assert_eq!(shop.points(ADA).await, (99, 0, 0));
        shop.take(vec![shop.order(&later(&order, |order| order.cancelled = true))]).await;
        assert_eq!(shop.points(ADA).await, (0, 0, 0), "99 of 100 could be taken back");
        shop.is_sound().await;
    });
}

#[test]
fn a_batch_for_many_members_is_booked_as_one_by_one() {
    on_both_engines(async |test| {
        let (together, apart) = (Shop::open(&test.db).await, Shop::open(&test.db).await);
        let messages: Vec<Incoming> = (0..120)
            .flat_map(|n| {
                let order = Order {
                    status: if n % 3 == 0 { "pending" } else { "paid" },
                    ..Order::new(n + 1, n % 17)
                };
                let paid = later(&order, |order| order.status = "paid");
                let back = refund(n, n + 1, &[((n + 1) * 10 + 1, n % 3, "12.34")]);
                [together.order(&order), together.refund(&back), together.order(&paid)]
            })
            .collect();
        together.take(messages.clone()).await;
        for message in messages {
            apart.take(vec![message]).await;
        }
        for customer in 0..17 {
            assert_eq!(together.points(customer).await, apart.points(customer).await, "customer {customer}");
        }
        together.is_sound().await;
        apart.is_sound().await;
    });
}

#[test]
fn holding_before_returning_does_not_keep_both() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        let order = Order::new(1, ADA);
        shop.take(vec![shop.order(&order)]).await;
        let hold = shop.pick(ADA, "points", Some(100)).await.unwrap();
        shop.shown(ADA, Some(hold.id)).await;
        shop.take(vec![shop.order(&later(&order, |order| order.cancelled = true))]).await;
        assert_eq!(shop.points(ADA).await, (-100, 0, 100));
        shop.is_sound().await;
        shop.cancel(ADA, hold.id).await.unwrap();
        shop.shown(ADA, None).await;
        shop.wait(30);
        assert!(shop.advance(ADA, hold.id).await);
        assert_eq!(shop.points(ADA).await, (0, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn a_hold_for_the_next_order_is_captured_whatever_mark_the_cart_carried() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=9).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let old = shop.pick(ADA, "points", Some(100)).await.unwrap();
        shop.take(vec![shop.order(&redeeming(20, ADA, &old, "1.00"))]).await;
        let next = shop.pick_for(ADA, "points", Some(500), Scope::NextOrder).await.unwrap();
        let order = Order { mark: Some(old.mark().to_string()), ..redeeming(21, ADA, &next, "5.00") };
        shop.take(vec![shop.order(&order)]).await;
        assert_eq!(shop.hold(ADA, next.id).await.state, State::Captured);
        assert_eq!(shop.points(ADA).await, (900 - 100 + 99 - 500 + 95, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn a_discount_is_known_by_the_title_it_was_promised_under() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.set_program(|program| program.discount_title = "Rewards".into()).await;
        shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "5.00"))]).await;
        assert_eq!(shop.hold(ADA, hold.id).await.state, State::Captured);
        assert_eq!(shop.points(ADA).await, (195, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn a_reward_that_an_order_used_although_it_was_replaced_was_had() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        shop.take((1..=9).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let limit = Some(Limit { most: 1, per: Period::Week });
        shop.set_program(|program| program.rewards[0].gate = Gate { limit, ..Gate::default() }).await;
        let id = shop.id;
        let left = async || {
            let mut read = test.db.read(id).await.unwrap();
            let (left,): (i64,) =
                db!(read.one, "select remaining from redemptions_stock where shop_id = $1", id).unwrap();
            left
        };
        stock(&shop, 5).await;
        let first = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.wait(1);
        shop.pick(ADA, "points", Some(300)).await.expect("what is replaced does not count");
        assert_eq!(left().await, 4);
        shop.take(vec![shop.order(&redeeming(20, ADA, &first, "5.00"))]).await;
        assert_eq!(left().await, 3, "both are had");
        let again = shop.pick(ADA, "points", Some(200)).await.unwrap_err();
        assert!(matches!(again, Error::Refused(Refusal::LimitReached { .. })), "{again:?}");
        assert_eq!(shop.points(ADA).await, (900 - 500 + 95 - 300, 0, 300));
        shop.is_sound().await;
    });
}

/// There are so many of the reward "points".
async fn stock(shop: &Shop<'_>, remaining: i64) {
    let mut tx = shop.db.begin(shop.id).await.unwrap();
    db!(
        tx.execute,
        "insert into redemptions_stock (shop_id, reward_id, remaining) values ($1, 'points', $2)",
        shop.id,
        remaining
    )
    .unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn what_was_replaced_and_its_successor_are_both_had_also_where_both_orders_come_at_once() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        stock(&shop, 5).await;
        let first = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.wait(1);
        let second = shop.pick(ADA, "points", Some(600)).await.unwrap();
        let orders = [redeeming(20, ADA, &first, "5.00"), redeeming(21, ADA, &second, "6.00")];
        shop.take(orders.iter().map(|order| shop.order(order)).collect()).await;
        let mut read = test.db.read(shop.id).await.unwrap();
        let (left,): (i64,) =
            db!(read.one, "select remaining from redemptions_stock where shop_id = $1", shop.id).unwrap();
        assert_eq!(left, 3, "both are had");
        shop.is_sound().await;
    });
}

#[test]
fn an_order_on_its_way_pays_for_the_next_order_hold_that_was_replaced() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let first = shop.pick_for(ADA, "points", Some(500), Scope::NextOrder).await.unwrap();
        let placed_at = (shop.now + SignedDuration::from_secs(10)).to_string();
        shop.wait(1);
        let second = shop.pick_for(ADA, "points", Some(600), Scope::NextOrder).await.unwrap();
        let order = Order { mark: None, placed_at, ..redeeming(20, ADA, &first, "5.00") };
        shop.take(vec![shop.order(&order)]).await;
        assert_eq!(shop.hold(ADA, second.id).await.state, State::Released);
        assert_eq!(shop.points(ADA).await, (600 - 500 + 95, 0, 0));
        assert!(shop.pick(ADA, "points", Some(100)).await.is_ok(), "nobody is blamed");
        shop.is_sound().await;
    });
}

#[test]
fn what_was_used_late_does_not_take_the_stock_below_nothing() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=9).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        shop.take(vec![shop.order(&Order::new(11, BOB))]).await;
        stock(&shop, 1).await;
        let first = shop.pick(ADA, "points", Some(100)).await.unwrap();
        shop.pick(ADA, "five-off", None).await.unwrap();
        shop.pick(BOB, "points", Some(100)).await.unwrap();
        shop.take(vec![shop.order(&redeeming(20, ADA, &first, "1.00"))]).await;
        shop.is_sound().await;
    });
}

#[test]
fn a_discount_of_another_title_is_none_of_ours() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        let mut body = Order { discount: Some("5.00"), ..Order::new(20, ADA) }.payload();
        body["discount_applications"][0]["title"] = "Summer sale".into();
        let order = payload::order(body.to_string().as_bytes()).unwrap().unwrap();
        shop.take(vec![Incoming::Order { order: Box::new(order), metafield: None, opens: true }]).await;
        assert_eq!(shop.hold(ADA, hold.id).await.state, State::Opening);
        assert_eq!(shop.points(ADA).await, (100 + 95, 0, 500));
    });
}

#[test]
fn what_nobody_paid_for_comes_off_the_books_with_its_order() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        let free = |id| Order { lines: vec![(id * 10 + 1, 1, "5.00")], ..redeeming(id, ADA, &hold, "5.00") };
        shop.take(vec![shop.order(&free(20)), shop.order(&free(21))]).await;
        let redeemed = async || {
            points::totals(&mut test.db.read(shop.id).await.unwrap(), shop.id).await.unwrap().redeemed
        };
        assert_eq!((shop.points(ADA).await, redeemed().await), ((0, 0, 0), 1_000));
        shop.take(vec![shop.order(&later(&free(21), |order| order.cancelled = true))]).await;
        assert_eq!((shop.points(ADA).await, redeemed().await), ((0, 0, 0), 500));
        shop.is_sound().await;
    });
}

/// Nothing more is picked before somebody has looked at what Ada used.
async fn waits_for_a_review(shop: &Shop<'_>) {
    let again = shop.pick(ADA, "points", Some(100)).await;
    assert!(matches!(again, Err(Error::Refused(Refusal::UnderReview))), "{again:?}");
    shop.is_sound().await;
}

#[test]
fn whoever_uses_more_than_a_pick_is_worth_is_looked_at() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=9).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "9.00"))]).await;
        assert_eq!(shop.points(ADA).await, (400 + 91, 0, 0));
        waits_for_a_review(&shop).await;
    });
}

#[test]
fn whoever_uses_a_pick_twice_is_looked_at_though_both_are_paid() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.take((1..=9).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(100)).await.unwrap();
        shop.take([20, 21].map(|id| shop.order(&redeeming(id, ADA, &hold, "1.00"))).into()).await;
        assert_eq!(shop.points(ADA).await, (898, 0, 0));
        waits_for_a_review(&shop).await;
    });
}

#[test]
fn whoever_cannot_pay_for_what_they_used_late_is_looked_at() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let first = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.cancel(ADA, first.id).await.unwrap();
        shop.shown(ADA, None).await;
        shop.wait(30);
        assert!(shop.advance(ADA, first.id).await);
        let other = shop.pick(ADA, "points", Some(400)).await.unwrap();
        shop.take(vec![shop.order(&redeeming(20, ADA, &other, "4.00"))]).await;
        shop.take(vec![shop.order(&redeeming(21, ADA, &first, "5.00"))]).await;
        assert_eq!(shop.points(ADA).await, (95, 0, 0), "196 of 500 were there");
        waits_for_a_review(&shop).await;
    });
}

#[test]
fn a_late_order_leaves_the_newer_pick_alone_where_the_balance_just_pays() {
    on_both_engines(async |test| {
        for delivery in [false, true] {
            let shop = Shop::open(&test.db).await;
            shop.take((1..=9).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
            let (reward, points) = if delivery { ("free-delivery", None) } else { ("points", Some(400)) };
            let first = shop.pick(ADA, reward, points).await.unwrap();
            let second = shop.pick(ADA, "points", Some(500)).await.unwrap();
            let order = redeeming(20, ADA, &first, "4.00");
            let order = if delivery {
                Order { discount: None, delivery: Some(("5.00", "5.00")), ..order }
            } else {
                order
            };
            shop.take(vec![shop.order(&order)]).await;
            assert_eq!(shop.hold(ADA, second.id).await.state, State::Opening, "delivery: {delivery}");
            let left = if delivery { 200 } else { 96 };
            assert_eq!(shop.points(ADA).await, (left, 0, 500));
            shop.is_sound().await;
        }
    });
}

#[test]
fn a_publication_from_before_a_pick_or_its_end_changes_nothing() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        shop.take((1..=6).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.shown(ADA, None).await;
        assert_eq!(shop.hold(ADA, hold.id).await.state, State::Opening);
        shop.shown(ADA, Some(hold.id)).await;
        let mut closing = shop.cancel(ADA, hold.id).await.unwrap();
        shop.shown(ADA, Some(hold.id)).await;
        shop.wait(60);
        let mut tx = test.db.begin(shop.id).await.unwrap();
        lifecycle::renew(&mut tx, shop.id, &mut closing, shop.now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(closing.expires_at, shop.hold(ADA, hold.id).await.expires_at, "no visit renews it");
        assert!(!shop.advance(ADA, hold.id).await, "checkouts know it still");
        assert_eq!(shop.points(ADA).await, (100, 0, 500));
    });
}
