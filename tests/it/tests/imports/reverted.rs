//! Imports that are taken back.

use jiff::SignedDuration;
use loyalnest::audit::{Actor, By};
use loyalnest::imports::{self, Batch, Error, State};
use loyalnest::{campaigns, customers, ids::CustomerId};
use loyalty::program::ReturnPolicy;
use uuid::Uuid;

use super::Desk;
use crate::support::on_both_engines;
use crate::support::orders::Order;
use crate::support::till::redeeming;

impl Desk<'_> {
    async fn revert(&self, batch: Option<Uuid>) -> Result<Batch, Error> {
        imports::revert(&self.app.app, self.shop.id, batch.unwrap(), &By::from(Actor::Cli)).await
    }

    /// A customer spends points on an order of 100 pounds, which earns the rest of them.
    async fn spend(&self, order: i64, customer: i64, points: i64, discount: &'static str) {
        let hold = self.shop.pick(customer, "points", Some(points)).await.unwrap();
        self.shop.take(vec![self.shop.order(&redeeming(order, customer, &hold, discount))]).await;
    }

    async fn merge(&self, from: i64, into: i64) {
        let mut tx = self.shop.db.begin(self.shop.id).await.unwrap();
        let (kept, gone) = (CustomerId(into), CustomerId(from));
        customers::merge(&mut tx, self.shop.id, kept, gone, self.shop.now).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[test]
fn an_import_is_taken_back_once_and_its_file_can_come_again() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        let text: String = (1..=4_500).map(|customer| format!("{customer},10,gold\n")).collect();
        let text = format!("customer_id,points,tier\n{text}");
        let batch = desk.bring(&text).await.batch;
        let reverted = desk.revert(batch).await.unwrap();
        assert_eq!((reverted.state, reverted.taken_back, reverted.left_alone), (State::Reverted, 45_000, 0));
        for customer in [1, 2_000, 2_001, 4_500] {
            assert_eq!(desk.shop.points(customer).await, (0, 0, 0));
            assert_eq!(desk.tier(customer).await, None);
        }
        assert!(matches!(desk.revert(batch).await, Err(Error::NotThere(_))));
        assert!(matches!(desk.revert(Some(Uuid::now_v7())).await, Err(Error::NotThere(_))));
        assert_eq!(desk.told("import.reverted").await.len(), 1);
        desk.shop.is_sound().await;
        let again = desk.bring(&text).await;
        assert_eq!((again.imported, again.new_members), (4_500, 0));
        assert_eq!(desk.shop.points(1).await, (10, 0, 0));
        desk.shop.is_sound().await;
    });
}

#[test]
fn what_was_spent_is_taken_from_other_points_as_far_as_the_policy_lets_it() {
    on_both_engines(async |test| {
        for (policy, left, reverted) in
            [(ReturnPolicy::WithinBalance, 0, 500 - 400 + 96), (ReturnPolicy::NegativeAllowed, 96 - 400, 500)]
        {
            let desk = Desk::open(test).await;
            desk.shop.set_program(|program| program.returns = policy).await;
            let customer = 100 + reverted;
            let batch = desk.bring(&format!("customer_id,points\n{customer},500\n")).await.batch;
            desk.spend(customer, customer, 400, "4.00").await;
            assert_eq!(desk.shop.points(customer).await, (100 + 96, 0, 0));
            let batch = desk.revert(batch).await.unwrap();
            assert_eq!((batch.taken_back, batch.left_alone), (reverted, 500 - reverted), "{policy:?}");
            assert_eq!(desk.shop.points(customer).await, (left, 0, 0), "{policy:?}");
            desk.shop.is_sound().await;
        }
    });
}

#[test]
fn imported_lots_go_first_and_what_expired_is_not_taken_elsewhere() {
    on_both_engines(async |test| {
        let mut desk = Desk::open(test).await;
        desk.shop.take(vec![desk.shop.order(&Order::new(1, 101))]).await;
        let lots = "customer_id,lots\n101,30@2025-01-01>2026-11-05; 40@2025-01-01>never; 20\n";
        let batch = desk.bring(lots).await.batch;
        assert_eq!(desk.shop.points(101).await, (100 + 90, 0, 0));
        let days = SignedDuration::from_hours(5 * 24);
        desk.app.advance(days);
        desk.shop.now = desk.shop.now + days;
        // Its own order's points stay, although the policy would let them be taken.
        let batch = desk.revert(batch).await.unwrap();
        assert_eq!((batch.taken_back, batch.left_alone), (60, 30));
        assert_eq!(desk.shop.points(101).await, (100, 0, 0));
        desk.shop.is_sound().await;
    });
}

#[test]
fn what_a_merged_member_brought_is_taken_from_who_was_kept() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        let batch = desk.bring("customer_id,points,tier\n101,50,gold\n102,70,\n").await.batch;
        desk.merge(101, 102).await;
        assert_eq!(desk.shop.points(102).await, (120, 0, 0));
        let batch = desk.revert(batch).await.unwrap();
        assert_eq!((batch.taken_back, batch.left_alone), (120, 0));
        assert_eq!(desk.shop.points(102).await, (0, 0, 0));
        desk.shop.is_sound().await;
    });
}

#[test]
fn two_rows_of_who_became_one_member_bring_the_last_ones_tier() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        desk.bring("customer_id,points,tier\n101,10,silver\n102,20,\n").await;
        desk.merge(101, 102).await;
        let before = desk.tier(102).await;
        let batch = desk.bring("customer_id,points,tier\n101,50,gold\n102,70,silver\n").await.batch;
        assert_eq!(desk.tier(102).await.as_deref(), Some("silver"));
        desk.revert(batch).await.unwrap();
        assert_eq!(desk.tier(102).await, before);
        assert_eq!(desk.shop.points(102).await, (30, 0, 0));
        desk.shop.is_sound().await;
    });
}

#[test]
fn a_tier_that_changed_since_stays() {
    on_both_engines(async |test| {
        let desk = Desk::open(test).await;
        desk.bring("customer_id,points,tier\n101,0,silver\n102,0,silver\n").await;
        let batch = desk.bring("customer_id,points,tier\n101,0,gold\n102,0,gold\n103,0,gold\n").await.batch;
        let member = desk.shop.member(102).await;
        let mut tx = test.db.begin(desk.shop.id).await.unwrap();
        campaigns::assign(&mut tx, desk.shop.id, member, None, desk.shop.now).await.unwrap();
        tx.commit().await.unwrap();
        desk.revert(batch).await.unwrap();
        assert_eq!(desk.tier(101).await.as_deref(), Some("silver"));
        assert_eq!((desk.tier(102).await, desk.tier(103).await), (None, None));
    });
}
