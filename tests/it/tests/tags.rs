//! Tags of orders whose discount no hold covered: shops take turns, and what fails does not stand before the others.

use devshop::BucketSettings;
use jiff::SignedDuration;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::ids::{OrderId, ShopId};
use loyalnest::redemptions::jobs::tag_flagged;

use crate::support::simulation::{Simulation, register};
use crate::support::{TestDb, on_both_engines};

/// More than are tagged in one look at all shops.
const MANY: i64 = 250;

/// Orders of a shop that wait for their tag.
async fn flag(simulation: &Simulation, shop: ShopId, orders: impl Iterator<Item = i64>) {
    let now = simulation.app.clock.now();
    let mut tx = simulation.app.db.begin(shop).await.unwrap();
    for order in orders {
        db!(
            tx.execute,
            "insert into redemptions_uses (shop_id, order_id, currency, used, used_minor, captured_minor,
                 debited_minor, unbacked_minor, paid, unbacked, paid_kept, unbacked_kept, revision, used_at, flagged)
             values ($1, $2, 'GBP', '{}', 100, 0, 0, 100, 0, 100, 0, 100, 1, $3, true)",
            shop,
            OrderId(order),
            now
        )
        .unwrap();
    }
    tx.commit().await.unwrap();
}

/// How many of a shop's orders are tagged.
async fn tagged(test: &TestDb, shop: ShopId) -> i64 {
    let mut read = test.db.read(shop).await.unwrap();
    let (count,): (i64,) = db!(
        read.one,
        "select count(*) from redemptions_uses where shop_id = $1 and tagged_at is not null",
        shop
    )
    .unwrap();
    count
}

#[test]
fn a_shop_that_refuses_or_has_gone_does_not_keep_others_from_their_tags() {
    on_both_engines(async |test| {
        let simulation =
            Simulation::new(test, BucketSettings { capacity: 40_000, restore_rate: 2_000 }).await;
        let app = &simulation.app;
        let refusing = register(app, "refusing", &Secret::new("shpat_wrong")).await;
        let gone = simulation.shop("gone").await;
        let mut tx = app.db.begin_outside().await.unwrap();
        let now = app.clock.now();
        db!(
            tx.execute,
            "update merchants_shops set uninstalled_at = $2, sealed_token = null where shop_id = $1",
            gone,
            now
        )
        .unwrap();
        tx.commit().await.unwrap();
        for shop in [refusing, gone] {
            flag(&simulation, shop, 1..=MANY).await;
        }
        app.clock.advance(SignedDuration::from_secs(1));
        let fine = simulation.shop("fine").await;
        flag(&simulation, fine, 1..=25).await;

        assert_eq!(tag_flagged(app).await.unwrap(), 10, "a turn");
        assert_eq!(simulation.shopify.admin_calls().len(), 1 + 10, "who refuses is asked once");
        assert_eq!(tag_flagged(app).await.unwrap() + tag_flagged(app).await.unwrap(), 15);
        assert_eq!(tagged(test, fine).await, 25);
        assert_eq!(simulation.shopify.admin_calls().len(), 1 + 25, "and is left alone for a while");

        // Its token comes right, and the other one comes back: nothing was lost.
        simulation.shop("refusing").await;
        simulation.shop("gone").await;
        app.clock.advance(SignedDuration::from_hours(1));
        while tag_flagged(app).await.unwrap() > 0 {}
        assert_eq!((tagged(test, refusing).await, tagged(test, gone).await), (MANY, MANY));
    });
}

#[test]
fn an_order_that_fails_gives_way_to_the_others_of_its_shop() {
    on_both_engines(async |test| {
        let simulation =
            Simulation::new(test, BucketSettings { capacity: 40_000, restore_rate: 2_000 }).await;
        let shop = register(&simulation.app, "shop", &Secret::new("shpat_wrong")).await;
        flag(&simulation, shop, 1..=3).await;
        assert_eq!(tag_flagged(&simulation.app).await.unwrap(), 0);
        simulation.shop("shop").await;
        assert_eq!(tag_flagged(&simulation.app).await.unwrap(), 0, "not yet");
        simulation.app.clock.advance(SignedDuration::from_secs(60));
        assert_eq!(tag_flagged(&simulation.app).await.unwrap(), 2);
        simulation.app.clock.advance(SignedDuration::from_mins(10));
        assert_eq!(tag_flagged(&simulation.app).await.unwrap(), 1);
    });
}
