//! What comes round for orders: points that have waited long enough are earned for good.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Error, Incoming, process};
use crate::db::{Db, Timestamp};
use crate::ids::{OrderId, ShopId};
use crate::tasks::{INSTALLATION, Run, Task, TaskError};
use crate::{merchants, points};

/// How many orders are settled in one transaction.
const AT_ONCE: i64 = 200;
/// How many shops are looked up at a time.
const SHOPS: i64 = 500;

/// Posts the points of orders that have waited long enough, shop by shop. An order's points are posted in the
/// transaction that takes note of it, so that it happens once however often this runs, or dies.
#[derive(Debug, Serialize, Deserialize)]
pub struct PostRipe {}

#[async_trait]
impl Task for PostRipe {
    const KIND: &'static str = "orders.post_ripe";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(30);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let mut after = INSTALLATION;
        loop {
            let shops = merchants::zones(&mut run.app.db.read_outside().await?, after, SHOPS).await?;
            let Some(last) = shops.last() else { return Ok(()) };
            after = last.shop_id;
            for shop in &shops {
                match post_ripe(&run.app.db, shop.shop_id, run.now()).await {
                    Ok(_) => {}
                    Err(Error::Db(error)) => return Err(error.into()),
                    // One shop must not keep all others waiting.
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(shop = %shop.shop_id, error, "points that are due cannot be posted");
                    }
                }
            }
        }
    }
}

/// Posts what has waited long enough in a shop, and says of how many orders.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn post_ripe(db: &Db, shop: ShopId, now: Timestamp) -> Result<usize, Error> {
    let mut posted = 0;
    loop {
        let mut tx = db.begin(shop).await?;
        let due = points::orders::ripe(&mut tx, shop, now, AT_ONCE).await?;
        if due.is_empty() {
            return Ok(posted);
        }
        posted += due.len();
        process(&mut tx, shop, due.into_iter().map(Incoming::Ripe).collect(), now).await?;
        tx.commit().await?;
    }
}

/// Counts what orders of a shop are left of that were booked before anybody counted that, as if something were told of
/// them. Each is counted once.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn count_old(db: &Db, shop: ShopId, now: Timestamp) -> Result<(), Error> {
    let mut after = OrderId(i64::MIN);
    loop {
        let mut tx = db.begin(shop).await?;
        let old = points::history::uncounted(&mut tx, shop, after, AT_ONCE).await?;
        let Some(last) = old.last() else { return Ok(()) };
        after = *last;
        process(&mut tx, shop, old.into_iter().map(Incoming::Ripe).collect(), now).await?;
        tx.commit().await?;
    }
}
