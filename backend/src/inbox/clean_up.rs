//! What is kept only for a time: payloads, and the memory of deliveries.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Inner, store};
use crate::db;
use crate::tasks::{Run, Task, TaskError};

/// Rows per transaction, so that webhooks are not kept waiting.
const AT_ONCE: i64 = 1_000;

/// Drops old webhooks.
#[derive(Debug, Serialize, Deserialize)]
pub struct CleanUp {}

#[async_trait]
impl Task for CleanUp {
    const KIND: &'static str = "inbox.clean_up";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(30);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        run.app.inbox.clean_up().await?;
        Ok(())
    }
}

pub(super) async fn clean_up(inbox: &Inner) -> Result<u64, db::Error> {
    let now = inbox.clock.now();
    let payloads_before = now - inbox.settings.payloads_kept;
    let messages_before = now - inbox.settings.messages_kept;
    let mut gone = 0;
    loop {
        let mut tx = inbox.db.begin_outside().await?;
        let payloads = store::drop_payloads(&mut tx, payloads_before, AT_ONCE).await?;
        let messages = store::forget_messages(&mut tx, messages_before, AT_ONCE).await?;
        store::drop_expired_holds(&mut tx, now).await?;
        tx.commit().await?;
        gone += payloads + messages;
        if payloads.max(messages) < AT_ONCE.unsigned_abs() {
            return Ok(gone);
        }
    }
}
