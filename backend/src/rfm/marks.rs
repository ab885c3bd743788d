//! Having Shopify shown who is in another segment, at the pace at which sync gets on.
//!
//! A night may move everyone. Were all of them marked at once, whoever buys something next would wait behind a million others
//! until their points are at the checkout. So marks follow a refresh some at a time: sync never has many of them before it.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::changes;
use crate::db::{self, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::sync;
use crate::tasks::{self, Order, Run, Task, TaskError};

/// How many members of a shop may wait for sync when more are marked: as many as a small plan writes in ten seconds.
const WAITING: i64 = 2_000;
/// How many are marked in one transaction.
const AT_ONCE: i64 = 500;
/// When the next are marked: by then sync has written some.
const NEXT: SignedDuration = SignedDuration::from_secs(5);
/// When is looked again whether sync gets on at a shop where it does not.
const STUCK: SignedDuration = SignedDuration::from_mins(5);

/// Marks the members of a shop whose segment a refresh has changed. Whoever has it marked twice is written twice, no more.
#[derive(Debug, Serialize, Deserialize)]
pub struct Mark {
    /// Since when segments have changed that were not marked (UTC).
    pub since: Timestamp,
    /// Who was the last to be looked at.
    pub after: MemberId,
}

/// Has everyone marked whose segment has changed since then, in the transaction that says that all of them are scored.
pub(super) async fn mark_soon(
    tx: &mut Tx,
    shop: ShopId,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), db::Error> {
    Mark { since, after: MemberId(Uuid::nil()) }.push(tx, shop, now, now).await
}

#[async_trait]
impl Task for Mark {
    const KIND: &'static str = "rfm.mark";
    const PRIORITY: i64 = -1;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        let mut tx = run.begin().await?;
        let mut room = WAITING - sync::waiting(&mut tx, shop, WAITING).await?;
        let wait = if room > 0 { NEXT } else { STUCK };
        let mut after = self.after;
        while room > 0 {
            let most = room.min(AT_ONCE);
            let moved = changes::moved_since(&mut tx, shop, self.since, after, most).await?;
            sync::mark(&mut tx, shop, &moved, run.now()).await?;
            let Some(last) = moved.last().filter(|_| moved.len() as i64 == most) else {
                return run.finish(tx).await;
            };
            (after, room) = (*last, room - most);
            tx.commit().await?;
            tx = run.begin().await?;
        }
        Mark { after, ..self }.push(&mut tx, shop, run.now() + wait, run.now()).await?;
        run.finish(tx).await
    }
}

impl Mark {
    async fn push(&self, tx: &mut Tx, shop: ShopId, at: Timestamp, now: Timestamp) -> Result<(), db::Error> {
        // It may come to nobody in a run: each is a task of its own.
        let order = Order::new(format!("{} after {} at {at}", self.since, self.after)).at(at);
        tasks::push(tx, shop, self, order, now).await?;
        Ok(())
    }
}
