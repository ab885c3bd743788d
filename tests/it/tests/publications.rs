//! Batches of publications that Shopify takes badly: whoever was not written stays marked.

use std::time::{Duration, Instant};

use devshop::{AdminFault, AdminFaultKind, Switches, ThrottledStatus};
use jiff::SignedDuration;
use loyalnest::customers;
use loyalnest::ids::{CustomerId, MemberId, ShopId};
use loyalnest::merchants::Shop;
use loyalnest::shopify::admin::{Admin, AdminError, CompareDigest, MetafieldWrite};
use loyalnest::sync;

use crate::support::door::{Door, SHOP};
use crate::support::{TestDb, on_both_engines};

/// A shop with members who are to be published, and nobody who does it.
pub struct Batch {
    pub door: Door,
    pub shop: Shop,
    pub customers: Vec<u64>,
    pub members: Vec<MemberId>,
}

impl Batch {
    pub async fn of(test: &TestDb, count: usize) -> Batch {
        let door = Door::new(test).await;
        opens(&door).await;
        Batch::at(test, door, count).await
    }

    /// The same, in a shop that has the app already.
    pub async fn at(test: &TestDb, door: Door, count: usize) -> Batch {
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        let new = |n| door.shop.add_customer("Ada", "Byron", &format!("{n}@example.com")).id;
        let customers: Vec<u64> = (0..count).map(new).collect();
        let mut tx = test.db.begin(shop.id).await.unwrap();
        let ids: Vec<_> = customers.iter().map(|id| CustomerId(*id as i64)).collect();
        let enrolled = customers::enrol(&mut tx, shop.id, &ids, door.now()).await.unwrap();
        let members: Vec<MemberId> = ids.iter().map(|id| enrolled[id]).collect();
        sync::mark(&mut tx, shop.id, &members, door.now()).await.unwrap();
        tx.commit().await.unwrap();
        Batch { door, shop: (*shop).clone(), customers, members }
    }

    fn shop_id(&self) -> ShopId {
        self.shop.id
    }

    pub async fn admin(&self) -> Admin {
        self.door.app.admin_of(&self.shop).await.unwrap().within(Duration::from_secs(1))
    }

    pub async fn publish(&self, members: &[MemberId]) -> Result<sync::Outcome, sync::Error> {
        let app = &self.door.app;
        sync::publish(&app.db, &self.admin().await, &app.clock, self.shop_id(), members).await
    }

    pub async fn waiting(&self) -> i64 {
        sync::backlog(&mut self.door.app.db.read_across().await.unwrap()).await.unwrap()
    }

    fn is_published(&self, customer: u64) -> bool {
        self.door.shop.metafield(&format!("gid://shopify/Customer/{customer}"), "$app", "account").is_some()
    }

    /// Publishes whoever is due in two minutes; then nobody waits.
    pub async fn comes_right(&self) {
        self.door.advance(SignedDuration::from_mins(2));
        sync::publish_due(&self.door.app).await.unwrap();
        assert_eq!(self.waiting().await, 0);
    }

    pub fn all_are_published(&self) -> bool {
        self.customers.iter().all(|customer| self.is_published(*customer))
    }
}

/// A merchant opens the app.
pub async fn opens(door: &Door) {
    let token = door.shop.session_token(devshop::Surface::Admin(devshop::StaffUser::some()[0].id));
    let answered = door.me(&token).await;
    assert!(answered.status.is_success(), "{answered:?}");
}

#[test]
fn a_shop_that_throttles_for_a_minute_is_not_pressed_and_nobody_is_lost() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        for throttled_status in [ThrottledStatus::Ok, ThrottledStatus::TooManyRequests] {
            batch.door.shop.set_switches(Switches { throttled_status, ..Switches::default() });
            let (before, asked) = (batch.door.shop.admin_calls().len(), Instant::now());
            batch.door.shop.fail_admin(vec![AdminFault::before(AdminFaultKind::Throttled); 100]);
            let error = batch.publish(&batch.members).await.unwrap_err();
            assert!(matches!(error, sync::Error::Admin(AdminError::Throttled { .. })), "{error:?}");
            assert!(asked.elapsed() < Duration::from_secs(2));
            let calls = batch.door.shop.admin_calls().len() - before;
            assert!((1..=6).contains(&calls), "{calls} calls in a second");
            assert_eq!(batch.waiting().await, 3);
            batch.door.shop.heal_admin();
        }
        batch.comes_right().await;
        assert!(batch.all_are_published());
    });
}

#[test]
fn a_deleted_customer_and_a_stale_digest_do_not_hold_up_a_batch_of_25() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 25).await;
        batch.door.shop.delete_customer(batch.customers[7]);
        let owner = format!("gid://shopify/Customer/{}", batch.customers[3]);
        batch.door.shop.put_metafield(&owner, "$app", "account", "{}");
        let outcome = batch.publish(&batch.members).await.unwrap();
        assert_eq!((outcome.published.len(), outcome.gone.as_slice()), (24, &[batch.members[7]][..]));
        assert_eq!(batch.waiting().await, 0);
    });
}

#[test]
fn a_customer_whom_the_app_may_not_see_for_a_while_is_not_given_up() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 3).await;
        let owner = format!("gid://shopify/Customer/{}", batch.customers[1]);
        // It was written past us, so that it must be read.
        batch.door.shop.put_metafield(&owner, "$app", "account", "{}");
        batch.door.shop.hide_from_admin(&owner, true);
        let outcome = batch.publish(&batch.members).await.unwrap();
        let (gone, failed) = (outcome.gone.as_slice(), outcome.failed.as_slice());
        assert_eq!((outcome.published.len(), gone, failed), (2, &[][..], &[batch.members[1]][..]));
        assert_eq!(batch.waiting().await, 1);
        batch.door.shop.hide_from_admin(&owner, false);
        batch.comes_right().await;
        assert_ne!(batch.door.shop.metafield(&owner, "$app", "account").unwrap().value, "{}");
    });
}

#[test]
fn a_value_that_is_too_large_is_named_and_nothing_of_its_batch_is_written() {
    on_both_engines(async |test| {
        let batch = Batch::of(test, 25).await;
        let write = |customer: &u64| MetafieldWrite {
            owner_id: format!("gid://shopify/Customer/{customer}"),
            namespace: "$app".into(),
            key: "account".into(),
            r#type: "json".into(),
            value: "{}".into(),
            compare_digest: CompareDigest::New,
        };
        let mut writes: Vec<_> = batch.customers.iter().map(write).collect();
        writes[9].value = format!("\"{}\"", "x".repeat(200_000));
        let set = batch.admin().await.metafields_set(&writes).await.unwrap();
        assert_eq!((set.written.len(), set.errors.len()), (0, 1));
        assert_eq!((set.errors[0].index(), set.errors[0].is_stale()), (Some(9), false));
        assert!(set.errors[0].message.contains("too long"), "{set:?}");
        assert!(batch.customers.iter().all(|customer| !batch.is_published(*customer)));
    });
}
