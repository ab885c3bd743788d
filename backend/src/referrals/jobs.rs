//! What comes round for referrals: friends who have not ordered in time, and points that have waited long enough.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Error, follow, store};
use crate::db::{Db, Timestamp};
use crate::ids::ShopId;
use crate::points;
use crate::tasks::{Run, Task, TaskError};

/// How many are settled in one transaction.
const AT_ONCE: i64 = 200;

/// Looks at the referrals of a shop that time alone has changed: points that have waited long enough are given, and whoever
/// has not ordered has lapsed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Lapse {}

#[async_trait]
impl Task for Lapse {
    const KIND: &'static str = "referrals.lapse";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(30);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        lapse(&run.app.db, shop, run.now()).await.map(|_| ()).map_err(|error| match error {
            Error::Db(error) => error.into(),
            error => TaskError::Failed(error.to_string()),
        })
    }
}

/// Settles the referrals that time has changed, and says how many.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn lapse(db: &Db, shop: ShopId, now: Timestamp) -> Result<usize, Error> {
    let mut lapsed = 0;
    loop {
        let mut tx = db.begin(shop).await?;
        let friends = store::overdue(&mut tx, shop, now, AT_ONCE).await?;
        if friends.is_empty() {
            return Ok(lapsed);
        }
        lapsed += friends.len();
        match follow::settle_alone(&mut tx, shop, &friends, now).await {
            // Two customers became one this moment: the next look finds the kept one.
            Err(Error::Points(points::Error::Merged)) => continue,
            settled => settled?,
        }
        tx.commit().await?;
    }
}
