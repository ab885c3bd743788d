//! What becomes of an order's points by what is told of it later.

use loyalnest::customers;
use loyalnest::orders::Incoming;
use loyalty::multiplier::Selection;
use loyalty::rule::Guests;
use serde_json::json;

use super::{as_told, multiplier};
use crate::support::on_both_engines;
use crate::support::orders::{Order, money_refund, refund};
use crate::support::till::{ADA, Shop, later, redeeming};

/// The order's webhook, with these products on its lines.
fn of_products(order: &Order, products: [Option<i64>; 2]) -> Incoming {
    let mut body = order.payload();
    for (line, product) in products.iter().enumerate() {
        body["line_items"][line]["product_id"] = json!(product);
    }
    as_told(&body)
}

#[test]
fn a_product_that_the_shop_deletes_leaves_what_its_orders_have_earned() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        let rules = vec![
            multiplier("double", Selection::Products(vec![70]), 20_000),
            multiplier("none", Selection::Products(vec![71]), 0),
        ];
        shop.set_program(|program| program.earn.multipliers = rules).await;
        let order = Order::new(1, ADA);
        shop.take(vec![of_products(&order, [Some(70), Some(71)])]).await;
        assert_eq!(shop.points(ADA).await.0, 100);
        // Both are deleted, and somebody sends the order off.
        shop.take(vec![of_products(&later(&order, |_| {}), [None, None])]).await;
        assert_eq!(shop.points(ADA).await.0, 100);
        shop.take(vec![shop.refund(&refund(5, 1, &[(12, 1, "50.00")]))]).await;
        assert_eq!(shop.points(ADA).await.0, 100, "what came back had earned nothing");
        // The newest webhook came first: what an older one tells of products is known all the same.
        let other = Order::new(2, ADA);
        shop.take(vec![of_products(&later(&other, |_| {}), [None, None])]).await;
        assert_eq!(shop.points(ADA).await.0, 200);
        shop.take(vec![of_products(&other, [Some(70), None])]).await;
        assert_eq!(shop.points(ADA).await.0, 250);
        shop.is_sound().await;
    });
}

#[test]
fn money_that_is_paid_back_without_units_takes_its_points() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        let order = Order::new(1, ADA);
        shop.take(vec![shop.order(&order)]).await;
        shop.take(vec![shop.refund(&money_refund(5, 1, "-60.00"))]).await;
        assert_eq!(shop.points(ADA).await.0, 40);
        shop.take(vec![shop.refund(&money_refund(5, 1, "-60.00"))]).await;
        assert_eq!(shop.points(ADA).await.0, 40, "told twice");
        let refunded = later(&order, |order| order.status = "refunded").payload();
        shop.take(vec![as_told(&refunded), shop.refund(&money_refund(6, 1, "-40.00"))]).await;
        assert_eq!(shop.points(ADA).await.0, 0);

        // Whichever comes first; and a fee that is kept back from a return brings nothing.
        let (back, mut fee) = (money_refund(7, 2, "-30.00"), refund(8, 2, &[(22, 1, "50.00")]));
        fee["order_adjustments"] = money_refund(8, 2, "5.00")["order_adjustments"].clone();
        shop.take(vec![shop.refund(&back)]).await;
        shop.take(vec![shop.order(&Order::new(2, ADA))]).await;
        assert_eq!(shop.points(ADA).await.0, 70);
        shop.take(vec![shop.refund(&fee)]).await;
        assert_eq!(shop.points(ADA).await.0, 25, "50 are left of the units, and 25 of them were paid back");
        shop.is_sound().await;
    });
}

#[test]
fn a_deleted_order_is_as_if_it_were_cancelled() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        shop.take(vec![shop.order(&Order { lines: vec![(1, 1, "500.00")], ..Order::new(9, ADA) })]).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        let order = redeeming(1, ADA, &hold, "5.00");
        shop.take(vec![shop.order(&order)]).await;
        assert_eq!(shop.points(ADA).await, (95, 0, 0));
        shop.wait(60);
        let deleted = |order: i64| Incoming::Deleted(loyalnest::ids::OrderId(order), shop.now);
        shop.take(vec![deleted(1), deleted(77)]).await;
        assert_eq!(shop.points(ADA).await, (500, 0, 0), "nothing earned, nothing spent");
        // What was told before it comes late.
        shop.take(vec![shop.order(&later(&order, |order| order.updated_at = "2026-11-22T09:30:00Z".into()))])
            .await;
        assert_eq!(shop.points(ADA).await, (500, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn no_order_makes_a_guest_of_whoever_was_signed_in() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.set_program(|program| program.earn.guests = Guests::EarnNothing).await;
        let member = shop.member(ADA).await;
        customers::signed_in(shop.db, shop.id, member, shop.now).await.unwrap();
        let mut body = Order::new(1, ADA).payload();
        body["customer"]["state"] = json!("disabled");
        shop.take(vec![as_told(&body)]).await;
        assert_eq!(shop.points(ADA).await, (100, 0, 0));
        let mut read = shop.db.read(shop.id).await.unwrap();
        assert!(!customers::is_shadow(&mut read, shop.id, member).await.unwrap());
        drop(read);
        shop.is_sound().await;
    });
}
