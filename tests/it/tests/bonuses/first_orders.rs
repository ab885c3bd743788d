//! The bonus for the first order that stands: the same in whatever order the webhooks come.

use axum::http::Method;
use fastrand::Rng;
use loyalnest::db::Db;
use loyalnest::orders::{self, Incoming};
use loyalnest::points;
use loyalty::order::{Until, Wait};
use loyalty::program::ReturnPolicy;
use serde_json::{Value, json};

use super::{EVE, merge, points_of};
use crate::support::counter::Counter;
use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};
use crate::support::till::{ADA, BOB, Shop, later};

/// A shop that gives 500 points for the first order; an order earns 100.
async fn opened(db: &Db, policy: ReturnPolicy) -> Shop<'_> {
    let shop = Shop::open(db).await;
    shop.set_program(|program| {
        program.returns = policy;
        program.bonuses.first_order = points_of(500);
    })
    .await;
    shop
}

/// An order that was placed at this hour of the day.
fn at(id: i64, customer: i64, hour: u8) -> Order {
    let time = format!("2026-11-22T{hour:02}:00:00Z");
    Order { placed_at: time.clone(), updated_at: time, ..Order::new(id, customer) }
}

/// As the inbox does, again where the member was being merged just then.
async fn told(shop: &Shop<'_>, order: &Order) {
    for _ in 0..100 {
        let mut tx = shop.db.begin(shop.id).await.unwrap();
        match orders::process(&mut tx, shop.id, vec![shop.order(order)], shop.now).await {
            Ok(()) => return tx.commit().await.unwrap(),
            Err(orders::Error::Points(points::Error::Merged)) => tx.rollback().await.unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the merge never ends");
}

/// All of an order comes back.
fn whole(order: i64) -> Value {
    refund(order, order, &[(order * 10 + 1, 2, "50.00"), (order * 10 + 2, 1, "50.00")])
}

async fn returned(shop: &Shop<'_>, order: i64) {
    shop.take(vec![shop.refund(&whole(order))]).await;
}

/// What was issued and reversed.
async fn totals(shop: &Shop<'_>) -> (i64, i64) {
    let mut read = shop.db.read(shop.id).await.unwrap();
    let totals = points::totals(&mut read, shop.id).await.unwrap();
    (totals.issued, totals.reversed)
}

#[test]
fn the_first_order_gives_its_bonus_once_and_gives_it_back_when_nothing_of_it_is_left() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, ReturnPolicy::WithinBalance).await;
        for _ in 0..2 {
            told(&shop, &at(1, ADA, 10)).await;
            assert_eq!(shop.points(ADA).await, (600, 0, 0));
        }
        told(&shop, &at(2, ADA, 11)).await;
        assert_eq!(shop.points(ADA).await, (700, 0, 0), "the second is no first");
        // A part of it comes back: the order stands.
        shop.take(vec![shop.refund(&refund(9, 1, &[(11, 2, "50.00")]))]).await;
        assert_eq!(shop.points(ADA).await, (650, 0, 0));
        // The rest, too: the second is the first now, and nobody notices.
        let before = totals(&shop).await;
        shop.take(vec![shop.refund(&refund(10, 1, &[(12, 1, "50.00")]))]).await;
        assert_eq!(shop.points(ADA).await, (600, 0, 0));
        assert_eq!(totals(&shop).await, (before.0, before.1 + 50), "the bonus did not move");
        for _ in 0..2 {
            returned(&shop, 2).await;
            assert_eq!(shop.points(ADA).await, (0, 0, 0));
        }
        told(&shop, &at(3, ADA, 12)).await;
        assert_eq!(shop.points(ADA).await, (600, 0, 0), "the first that stands");
        shop.is_sound().await;
    });
}

#[test]
fn a_batch_of_many_members_gives_each_their_own() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, ReturnPolicy::WithinBalance).await;
        let orders = (0..150).flat_map(|member| {
            [at(2 * member + 2, 1_000 + member, 10), at(2 * member + 1, 1_000 + member, 9)]
        });
        shop.take(orders.map(|order| shop.order(&order)).collect()).await;
        // Half of the first orders come back.
        shop.take((0..75).map(|member| shop.refund(&whole(2 * member + 1))).collect()).await;
        for member in 0..150 {
            let expected = if member < 75 { 600 } else { 700 };
            assert_eq!(shop.points(1_000 + member).await, (expected, 0, 0), "{member}");
        }
        shop.is_sound().await;
    });
}

#[test]
fn the_bonus_waits_with_its_order_and_goes_with_it() {
    on_both_engines(async |test| {
        let mut shop = opened(&test.db, ReturnPolicy::WithinBalance).await;
        shop.set_program(|program| program.earn.wait = Wait { until: Until::Paid, days: 14 }).await;
        let unpaid = Order { status: "pending", ..at(1, ADA, 8) };
        told(&shop, &unpaid).await;
        assert_eq!(shop.points(ADA).await, (0, 600, 0));
        let voided = later(&unpaid, |order| order.status = "voided");
        told(&shop, &voided).await;
        assert_eq!(shop.points(ADA).await, (0, 0, 0));
        told(&shop, &at(2, ADA, 9)).await;
        assert_eq!(shop.points(ADA).await, (0, 600, 0));
        let paid = Order { updated_at: "2026-11-22T12:00:00Z".into(), status: "paid", ..unpaid };
        told(&shop, &paid).await;
        assert_eq!(shop.points(ADA).await, (0, 700, 0), "it was paid after all, and is the first");
        shop.wait(15 * 24 * 60);
        orders::jobs::post_ripe(shop.db, shop.id, shop.now).await.unwrap();
        assert_eq!(shop.points(ADA).await, (700, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn an_order_that_comes_late_and_was_earlier_is_the_first() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, ReturnPolicy::WithinBalance).await;
        told(&shop, &at(2, ADA, 10)).await;
        shop.set_program(|program| program.bonuses.first_order = points_of(300)).await;
        told(&shop, &at(1, ADA, 9)).await;
        assert_eq!(shop.points(ADA).await, (500, 0, 0), "what it gave when it was seen first");
        returned(&shop, 1).await;
        assert_eq!(shop.points(ADA).await, (600, 0, 0), "and the other what that gave");
        shop.is_sound().await;
    });
}

#[test]
fn what_a_program_gives_later_changes_no_order_that_was_seen_before() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, ReturnPolicy::WithinBalance).await;
        told(&shop, &at(1, ADA, 9)).await;
        shop.set_program(|program| program.bonuses.first_order = None).await;
        told(&shop, &at(2, ADA, 10)).await;
        assert_eq!(shop.points(ADA).await, (700, 0, 0));
        returned(&shop, 1).await;
        assert_eq!(shop.points(ADA).await, (100, 0, 0), "taken back though it is switched off");
        // Bob's first order was before there was a bonus.
        told(&shop, &at(3, BOB, 9)).await;
        shop.set_program(|program| program.bonuses.first_order = points_of(500)).await;
        told(&shop, &at(4, BOB, 10)).await;
        assert_eq!(shop.points(BOB).await, (200, 0, 0));
        // Nothing of what counts was bought.
        let free = Order { lines: vec![(51, 1, "0.00")], ..at(5, EVE, 9) };
        told(&shop, &free).await;
        assert_eq!(shop.points(EVE).await, (0, 0, 0));
        told(&shop, &at(6, EVE, 10)).await;
        assert_eq!(shop.points(EVE).await, (600, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn a_bonus_that_was_spent_is_taken_back_as_the_policy_says_and_not_given_twice() {
    on_both_engines(async |test| {
        for (policy, left, after) in
            [(ReturnPolicy::WithinBalance, 0, 100), (ReturnPolicy::NegativeAllowed, -600, 0)]
        {
            let shop = opened(&test.db, policy).await;
            told(&shop, &at(1, ADA, 9)).await;
            let hold = shop.pick(ADA, "points", Some(600)).await.unwrap();
            let redeeming = Order {
                discount: Some("6.00"),
                mark: Some(hold.mark().to_string()),
                lines: vec![(21, 1, "6.00")],
                ..at(2, ADA, 10)
            };
            told(&shop, &redeeming).await;
            assert_eq!(shop.points(ADA).await, (0, 0, 0));
            returned(&shop, 1).await;
            assert_eq!(shop.points(ADA).await, (left, 0, 0), "{policy:?}");
            // The next order is the first now. What was forgiven is not given again.
            told(&shop, &at(3, ADA, 11)).await;
            assert_eq!(shop.points(ADA).await, (after, 0, 0), "{policy:?}");
            shop.is_sound().await;
        }
    });
}

#[test]
fn members_who_become_one_have_one_first_order_in_any_order_of_merges_and_refunds() {
    enum Step {
        Told(Incoming),
        Merge(i64, i64),
    }
    on_both_engines(async |test| {
        let mut ends = Vec::new();
        for seed in 0..16 {
            // What is taken back stays so: with nothing forgiven, the end is the same.
            let shop = opened(&test.db, ReturnPolicy::NegativeAllowed).await;
            let mut steps = vec![Step::Merge(EVE, BOB), Step::Merge(BOB, ADA)];
            for (id, customer, hour) in [(1, ADA, 12), (2, BOB, 11), (3, EVE, 10), (4, ADA, 13)] {
                steps.push(Step::Told(shop.order(&at(id, customer, hour))));
            }
            // The first of all comes back whole, and so does one that was the first of its own.
            steps.extend([3, 1].map(|id| Step::Told(shop.refund(&whole(id)))));
            Rng::with_seed(seed).shuffle(&mut steps);
            for step in steps {
                match step {
                    Step::Told(incoming) => shop.take(vec![incoming]).await,
                    Step::Merge(gone, kept) => merge(&shop, gone, kept).await,
                }
                shop.is_sound().await;
            }
            ends.push(shop.points(ADA).await);
        }
        assert_eq!(ends, vec![(500 + 2 * 100, 0, 0); 16]);
    });
}

#[test]
fn two_first_orders_at_the_same_time_of_two_who_are_one_give_one_bonus() {
    on_both_engines(async |test| {
        for _ in 0..4 {
            let shop = opened(&test.db, ReturnPolicy::WithinBalance).await;
            shop.member(ADA).await;
            shop.member(BOB).await;
            merge(&shop, BOB, ADA).await;
            let take = async |order: Order| told(&shop, &order).await;
            tokio::join!(take(at(1, ADA, 9)), take(at(2, BOB, 9)), take(at(3, ADA, 10)));
            assert_eq!(shop.points(ADA).await, (800, 0, 0));
            // Two who become one while both buy.
            tokio::join!(take(at(4, EVE, 8)), merge(&shop, EVE, BOB));
            assert_eq!(shop.points(EVE).await, (900, 0, 0));
            shop.is_sound().await;
        }
    });
}

#[test]
fn an_order_is_explained_with_what_it_gives_as_the_first() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.set_program(|program| program.bonuses.first_order = points_of(500)).await;
        for (id, hour) in [(1, 9), (2, 10)] {
            let order = at(id, ADA, hour).payload();
            let (name, now) = (format!("order-{id}"), counter.door.now());
            assert_eq!(counter.door.webhook(&name, "orders/create", now, &order).await, 200);
        }
        let explained = async |order: i64| counter.get(&format!("/api/orders/{order}/explain?lang=en")).await;
        let first = explained(1).await;
        assert_eq!(first["booked"]["first_order"], json!({"points": 500, "gave": true}));
        let sentence = "It is the first order, which gives 500 points more.";
        assert!(first["text"].as_array().unwrap().contains(&json!(sentence)), "{first}");
        let second = explained(2).await;
        assert_eq!(second["booked"]["first_order"], json!({"points": 500, "gave": false}));
        let lines = counter.proxy(ADA, Method::GET, "/proxy/history", &Value::Null).await.json();
        let bonus = lines.as_array().unwrap().iter().find(|line| line["kind"] == "bonus").unwrap();
        assert_eq!(bonus["available"], 500);
        assert!(bonus["source_id"].as_str().unwrap().starts_with("first_order:"), "{bonus}");
        counter.is_sound().await;
    });
}
