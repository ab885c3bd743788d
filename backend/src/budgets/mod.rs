//! What is left of the shops' budgets at the Admin API, as all processes know it: one row for each shop, written only
//! while there is little left. The arithmetic is the Admin client's; here it happens in one place at a time.

mod store;

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::db::Db;
use crate::events::{self, Event, ShopifyBudgetLow};
use crate::ids::ShopId;
use crate::merchants::Shops;
use crate::shopify::ShopDomain;
use crate::shopify::admin::{Bucket, Done, SharedBuckets, Unshared, Wanted};

/// The budgets of a database.
#[derive(Clone)]
pub struct Budgets {
    db: Db,
    shops: Shops,
    clock: Clock,
    /// By which buckets fill.
    bucket_clock: Clock,
}

impl Budgets {
    /// The budgets of these shops, and the clock by which their buckets fill.
    pub fn new(db: Db, shops: Shops, clock: Clock, bucket_clock: Clock) -> Self {
        Budgets { db, shops, clock, bucket_clock }
    }

    /// None while a shop is being installed for the first time.
    async fn shop(&self, domain: &ShopDomain) -> Result<Option<ShopId>, Unshared> {
        self.shops.find_known(domain).await.map_err(unshared)
    }
}

#[async_trait]
impl SharedBuckets for Budgets {
    async fn reserve(
        &self,
        domain: &ShopDomain,
        wanted: &Wanted,
        own: Option<Bucket>,
    ) -> Result<Option<Result<(), Duration>>, Unshared> {
        let Some(shop) = self.shop(domain).await? else { return Ok(None) };
        let mut tx = self.db.begin(shop).await.map_err(unshared)?;
        let known = store::lock(&mut tx, shop).await.map_err(unshared)?;
        // The time once the lock is had: others may have had it for a while.
        let now = self.bucket_clock.now().to_jiff();
        let Some(mut bucket) = known.or_else(|| own.clone()) else { return Ok(None) };
        if let Some(own) = own {
            bucket.learn(&own, now);
        }
        let answer = bucket.reserve(wanted, now);
        if answer.is_ok() {
            store::keep(&mut tx, shop, &bucket, self.clock.now()).await.map_err(unshared)?;
            tx.commit().await.map_err(unshared)?;
        }
        Ok(Some(answer))
    }

    async fn settle(&self, domain: &ShopDomain, done: &Done) -> Result<(), Unshared> {
        let Some(shop) = self.shop(domain).await? else { return Ok(()) };
        let mut tx = self.db.begin(shop).await.map_err(unshared)?;
        let known = store::lock(&mut tx, shop).await.map_err(unshared)?;
        let (now, at) = (self.bucket_clock.now().to_jiff(), self.clock.now());
        let Some(mut bucket) = known.or_else(|| done.told.map(|told| Bucket::new(told, now))) else {
            return Ok(());
        };
        if bucket.settle(done, now) {
            let (available, maximum) = bucket.level();
            let event = Event::ShopifyBudgetLow(ShopifyBudgetLow { available, maximum });
            events::publish(&mut tx, shop, event, at).await.map_err(unshared)?;
        }
        store::keep(&mut tx, shop, &bucket, at).await.map_err(unshared)?;
        tx.commit().await.map_err(unshared)
    }
}

impl std::fmt::Debug for Budgets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budgets").finish_non_exhaustive()
    }
}

fn unshared(error: impl std::error::Error + Send + Sync + 'static) -> Unshared {
    Unshared(Box::new(error))
}
