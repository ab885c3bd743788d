//! Customers who become one: whatever else happens to them, in any order and at once, on both engines.

use fastrand::Rng;
use loyalnest::db;
use loyalnest::ids::CustomerId;
use loyalnest::orders::Incoming;
use loyalnest::{campaigns, customers, points};
use loyalty::multiplier::Factor;
use loyalty::program::ReturnPolicy;
use loyalty::tier::Tier;

use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};
use crate::support::till::{ADA, BOB, Shop, redeeming};

const EVE: i64 = 103;

impl Shop<'_> {
    /// Shopify merges `gone` into `kept`; as the inbox does, again where somebody else was at it.
    async fn merge(&self, gone: i64, kept: i64) {
        loop {
            let mut tx = self.db.begin(self.id).await.unwrap();
            match customers::merge(&mut tx, self.id, CustomerId(kept), CustomerId(gone), self.now).await {
                Ok(_) => return tx.commit().await.unwrap(),
                Err(customers::Error::Points(points::Error::Merged)) => tx.rollback().await.unwrap(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn belongs_to(&self, customer: i64, tier: &str) {
        let member = self.member(customer).await;
        let mut tx = self.db.begin(self.id).await.unwrap();
        campaigns::assign(&mut tx, self.id, member, Some(tier), self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn tier(&self, customer: i64) -> Option<String> {
        let member = self.member(customer).await;
        campaigns::tier_of(&mut self.db.read(self.id).await.unwrap(), self.id, member).await.unwrap()
    }

    /// What all members have together.
    async fn total(&self) -> i64 {
        let mut read = self.db.read(self.id).await.unwrap();
        points::totals(&mut read, self.id).await.unwrap().outstanding
    }
}

async fn shop_with_tiers(db: &db::Db, policy: ReturnPolicy) -> Shop<'_> {
    let shop = Shop::open(db).await;
    shop.set_program(|program| {
        program.returns = policy;
        program.tiers = ["tin", "silver", "gold"]
            .map(|id| Tier {
                id: id.into(),
                name: id.to_uppercase(),
                threshold: None,
                earn_factor: Factor::ONE,
                perks: Vec::new(),
            })
            .into();
    })
    .await;
    shop
}

/// What happens to three customers who are one person.
enum Step {
    Told(Incoming),
    Merge(i64, i64),
}

#[test]
fn merges_orders_and_refunds_end_the_same_in_any_order() {
    on_both_engines(async |test| {
        for policy in [ReturnPolicy::WithinBalance, ReturnPolicy::NegativeAllowed] {
            let mut ends = Vec::new();
            for seed in 0..12 {
                let shop = shop_with_tiers(&test.db, policy).await;
                for (customer, order, tier) in [(ADA, 1, "silver"), (BOB, 2, "tin"), (EVE, 3, "gold")] {
                    shop.take(vec![shop.order(&Order::new(order, customer))]).await;
                    shop.belongs_to(customer, tier).await;
                }
                let hold = shop.pick(EVE, "points", Some(100)).await.unwrap();
                let mut steps = vec![Step::Merge(EVE, BOB), Step::Merge(BOB, ADA)];
                for (id, customer) in [(11, ADA), (12, BOB), (13, EVE)] {
                    steps.push(Step::Told(shop.order(&Order::new(id, customer))));
                    // One unit of 25 pounds comes back, and sometimes is told of before its order.
                    let back = refund(id, id, &[(id * 10 + 1, 1, "25.00")]);
                    steps.push(Step::Told(shop.refund(&back)));
                }
                steps.push(Step::Told(shop.order(&redeeming(14, EVE, &hold, "1.00"))));
                Rng::with_seed(seed).shuffle(&mut steps);
                for step in steps {
                    match step {
                        Step::Told(incoming) => shop.take(vec![incoming]).await,
                        Step::Merge(gone, kept) => shop.merge(gone, kept).await,
                    }
                    shop.is_sound().await;
                }
                assert_eq!(shop.member(EVE).await, shop.member(ADA).await);
                ends.push((shop.points(ADA).await, shop.tier(ADA).await));
            }
            let end = (300 + 3 * 75 + 99 - 100, 0, 0);
            assert_eq!(ends, vec![(end, Some("gold".to_owned())); 12], "{policy:?}");
        }
    });
}

#[test]
fn a_circle_of_merges_loses_nothing() {
    on_both_engines(async |test| {
        let circle = [(ADA, BOB), (BOB, EVE), (EVE, ADA)];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let shop = shop_with_tiers(&test.db, ReturnPolicy::WithinBalance).await;
            for (customer, order) in [(ADA, 1), (BOB, 2), (EVE, 3)] {
                shop.take(vec![shop.order(&Order::new(order, customer))]).await;
            }
            for at in order {
                let (gone, kept) = circle[at];
                shop.merge(gone, kept).await;
                shop.merge(gone, gone).await;
            }
            assert_eq!(shop.points(ADA).await, (300, 0, 0), "{order:?}");
            assert_eq!(shop.member(ADA).await, shop.member(BOB).await);
            assert_eq!(shop.member(ADA).await, shop.member(EVE).await);
            shop.is_sound().await;
        }
    });
}

#[test]
fn a_member_who_is_merged_while_another_is_merged_into_them_takes_that_one_along() {
    on_both_engines(async |test| {
        for stranger in [false, true] {
            let shop = shop_with_tiers(&test.db, ReturnPolicy::WithinBalance).await;
            shop.take(vec![shop.order(&Order::new(1, ADA)), shop.order(&Order::new(2, BOB))]).await;
            if !stranger {
                shop.take(vec![shop.order(&Order::new(3, EVE))]).await;
            }
            // Eve becomes Bob; before that is committed, Bob becomes Ada.
            let mut first = test.db.begin(shop.id).await.unwrap();
            customers::merge(&mut first, shop.id, CustomerId(BOB), CustomerId(EVE), shop.now).await.unwrap();
            tokio::join!(shop.merge(BOB, ADA), async {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                first.commit().await.unwrap();
            });
            assert_eq!(shop.member(EVE).await, shop.member(ADA).await, "a stranger: {stranger}");
            assert_eq!(shop.points(EVE).await, (if stranger { 200 } else { 300 }, 0, 0));
            shop.take(vec![shop.order(&Order::new(4, EVE))]).await;
            shop.is_sound().await;
        }
    });
}

#[test]
fn two_who_are_merged_into_each_other_at_once_are_one() {
    on_both_engines(async |test| {
        for _ in 0..5 {
            let shop = shop_with_tiers(&test.db, ReturnPolicy::WithinBalance).await;
            for (customer, order) in [(ADA, 1), (BOB, 2), (EVE, 3)] {
                shop.take(vec![shop.order(&Order::new(order, customer))]).await;
            }
            tokio::join!(
                shop.merge(ADA, BOB),
                shop.merge(BOB, ADA),
                shop.merge(EVE, BOB),
                shop.merge(ADA, EVE)
            );
            assert_eq!((shop.points(ADA).await, shop.total().await), ((300, 0, 0), 300));
            assert_eq!(shop.member(BOB).await, shop.member(EVE).await);
            shop.is_sound().await;
        }
    });
}
