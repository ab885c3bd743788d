//! What comes round for payouts: those of which nothing came are taken up again.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Pay, store};
use crate::tasks::{self, Order, Run, Task, TaskError};

/// After which time the task of a payout that is not settled has died: its retries are over by then.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(12);
/// How many are taken up at a time; the others are the next day's.
const AT_ONCE: i64 = 500;

/// Takes up the payouts of a shop that nothing came of: the app was out of the shop, or Shopify did not answer, for longer
/// than is tried. Their points are held until it is known what became of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Resume {}

#[async_trait]
impl Task for Resume {
    const KIND: &'static str = "redemptions.resume_payouts";

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        let now = run.now();
        let mut tx = run.begin().await?;
        for payout in store::unsettled(&mut tx, shop, now - GIVEN_UP, AT_ONCE).await? {
            // One task more than there is, where the first still tries, does no harm: each step is taken once.
            let order = Order::new(format!("{payout}@{}", now.as_second()));
            let pushed = tasks::push(&mut tx, shop, &Pay { payout }, order, now).await;
            pushed.map_err(|error| TaskError::Failed(error.to_string()))?;
        }
        run.finish(tx).await
    }
}
