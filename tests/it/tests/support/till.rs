//! A shop's till: orders and refunds go straight to the ledger, and members pick what they buy with points.

use jiff::SignedDuration;
use loyalnest::customers;
use loyalnest::db::{Db, Timestamp};
use loyalnest::ids::{CustomerId, MemberId, ShopId};
use loyalnest::orders::{self, Incoming, payload};
use loyalnest::points::{self, Balance};
use loyalnest::redemptions::{self, Hold, lifecycle};
use loyalnest::{programs, proof};
use loyalty::{Currency, HoldId, Points, Program, Scope};
use serde_json::Value;
use uuid::Uuid;

use super::orders::Order;

pub const ADA: i64 = 101;
pub const BOB: i64 = 102;

/// A shop whose orders earn one point for a pound, and the time in it.
pub struct Shop<'a> {
    pub db: &'a Db,
    pub id: ShopId,
    pub now: Timestamp,
}

impl<'a> Shop<'a> {
    pub async fn open(db: &'a Db) -> Shop<'a> {
        let shop = Shop { db, id: ShopId(Uuid::now_v7()), now: "2026-11-22T09:00:00Z".parse().unwrap() };
        let program = Program::standard(Currency::parse("GBP").unwrap());
        let mut tx = db.begin(shop.id).await.unwrap();
        programs::set(&mut tx, shop.id, program, shop.now).await.unwrap();
        tx.commit().await.unwrap();
        shop
    }

    pub fn order(&self, order: &Order) -> Incoming {
        let order = payload::order(order.payload().to_string().as_bytes()).unwrap().unwrap();
        Incoming::Order { order: Box::new(order), metafield: None, opens: true }
    }

    pub fn refund(&self, refund: &Value) -> Incoming {
        Incoming::Refund(payload::refund(refund.to_string().as_bytes()).unwrap())
    }

    pub async fn take(&self, batch: Vec<Incoming>) {
        let mut tx = self.db.begin(self.id).await.unwrap();
        orders::process(&mut tx, self.id, batch, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn member(&self, customer: i64) -> MemberId {
        let mut tx = self.db.begin(self.id).await.unwrap();
        let members = customers::enrol(&mut tx, self.id, &[CustomerId(customer)], self.now).await.unwrap();
        tx.commit().await.unwrap();
        members[&CustomerId(customer)]
    }

    pub async fn balance(&self, customer: i64) -> Balance {
        let member = self.member(customer).await;
        points::balance(&mut self.db.read(self.id).await.unwrap(), self.id, member, self.now).await.unwrap()
    }

    /// Available, pending, held.
    pub async fn points(&self, customer: i64) -> (i64, i64, i64) {
        let balance = self.balance(customer).await;
        (balance.available.get(), balance.pending.get(), balance.held.get())
    }

    pub async fn pick(
        &self,
        customer: i64,
        reward: &str,
        spend: Option<i64>,
    ) -> Result<Hold, redemptions::Error> {
        self.pick_for(customer, reward, spend, Scope::Cart).await
    }

    pub async fn pick_for(
        &self,
        customer: i64,
        reward: &str,
        spend: Option<i64>,
        scope: Scope,
    ) -> Result<Hold, redemptions::Error> {
        let member = self.member(customer).await;
        let wish = lifecycle::Wish {
            reward: reward.into(),
            points: spend.map(|points| Points::new(points).unwrap()),
            currency: Currency::parse("GBP").unwrap(),
            scope,
        };
        let mut tx = self.db.begin(self.id).await.unwrap();
        let hold = lifecycle::open(&mut tx, self.id, member, wish, self.now).await?;
        tx.commit().await.unwrap();
        Ok(hold)
    }

    pub async fn hold(&self, customer: i64, hold: HoldId) -> Hold {
        let member = self.member(customer).await;
        lifecycle::get(&mut self.db.read(self.id).await.unwrap(), self.id, member, hold)
            .await
            .unwrap()
            .unwrap()
    }

    /// Says to the redemptions that the member's metafield shows this hold, as a publication would.
    pub async fn shown(&self, customer: i64, hold: Option<HoldId>) {
        let shown = [(self.member(customer).await, hold)].into();
        let mut tx = self.db.begin(self.id).await.unwrap();
        lifecycle::shown(&mut tx, self.id, &shown, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn cancel(&self, customer: i64, hold: HoldId) -> Result<Hold, redemptions::Error> {
        let member = self.member(customer).await;
        let mut tx = self.db.begin(self.id).await.unwrap();
        let hold = lifecycle::cancel(&mut tx, self.id, member, hold, self.now).await?;
        tx.commit().await.unwrap();
        Ok(hold)
    }

    pub async fn advance(&self, customer: i64, hold: HoldId) -> bool {
        let member = self.member(customer).await;
        let mut tx = self.db.begin(self.id).await.unwrap();
        let advanced = lifecycle::advance(&mut tx, self.id, member, hold, self.now).await.unwrap();
        tx.commit().await.unwrap();
        advanced
    }

    /// The daily work: books what has expired and warns of what will soon.
    pub async fn expire(&self) {
        let mut after = MemberId(Uuid::nil());
        loop {
            let mut tx = self.db.begin(self.id).await.unwrap();
            let Some(last) = points::expire(&mut tx, self.id, after, self.now).await.unwrap() else { return };
            tx.commit().await.unwrap();
            after = last;
        }
    }

    pub fn wait(&mut self, minutes: i64) {
        self.now = self.now + SignedDuration::from_mins(minutes);
    }

    /// Changes the program, from the next order and pick on.
    pub async fn set_program(&self, change: impl FnOnce(&mut Program)) {
        let mut tx = self.db.begin(self.id).await.unwrap();
        let mut program = match programs::current(&mut tx, self.id).await {
            Ok(current) => current.program,
            // It was never published.
            Err(_) => Program::standard(Currency::parse("GBP").unwrap()),
        };
        change(&mut program);
        programs::set(&mut tx, self.id, program, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Every invariant holds.
    pub async fn is_sound(&self) {
        let mut read = self.db.read(self.id).await.unwrap();
        let all = proof::violations(&mut read, self.id).await.unwrap();
        let broken: Vec<_> = all.into_iter().filter(|(_, count)| *count != 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }
}

/// A discounted order that carries the mark of a hold.
pub fn redeeming(id: i64, customer: i64, hold: &Hold, discount: &'static str) -> Order {
    Order { discount: Some(discount), mark: Some(hold.mark().to_string()), ..Order::new(id, customer) }
}

/// The same order, changed an hour later.
pub fn later(order: &Order, change: impl FnOnce(&mut Order)) -> Order {
    let mut order = Order { updated_at: "2026-11-22T11:00:00Z".into(), ..order.clone() };
    change(&mut order);
    order
}
