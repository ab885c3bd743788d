//! What the inbox does with webhooks about bulk operations.

use async_trait::async_trait;
use serde::Deserialize;

use super::store::{self, Finished};
use super::{Look, push};
use crate::clock::Clock;
use crate::db::{Timestamp, Tx};
use crate::inbox::{Handler, HandlerError, Message, Outcome};

/// Acts on `bulk_operations/finish`.
#[derive(Debug, Clone)]
pub struct BulkHandler {
    clock: Clock,
}

impl BulkHandler {
    /// A handler with this clock.
    pub fn new(clock: Clock) -> Self {
        BulkHandler { clock }
    }
}

#[derive(Deserialize)]
struct OperationJson {
    admin_graphql_api_id: String,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    error_code: Option<String>,
    completed_at: Option<Timestamp>,
}

#[async_trait]
impl Handler for BulkHandler {
    fn knows(&self, topic: &str) -> bool {
        topic == "bulk_operations/finish"
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for message in batch {
            let Some(finished) = read(message) else {
                outcomes.push(Outcome::Dead("not the payload of this topic".to_owned()));
                continue;
            };
            store::note(tx, message.shop, &finished).await?;
            if let Some(run) = store::waits_for(tx, message.shop, &finished.operation_id).await? {
                let (look, now) = (Look { run: run.run_id, attempt: run.attempt, turn: 0 }, self.clock.now());
                push(tx, message.shop, &look, now, now).await?;
            }
            outcomes.push(Outcome::Done);
        }
        Ok(outcomes)
    }
}

fn read(message: &Message) -> Option<Finished> {
    let told: OperationJson = serde_json::from_slice(&message.payload).ok()?;
    let is_plain =
        |text: &String| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_id = told.admin_graphql_api_id.strip_prefix("gid://shopify/BulkOperation/");
    let is_id = is_id.is_some_and(|number| number.parse::<i64>().is_ok());
    (is_id && is_plain(&told.kind) && is_plain(&told.status)).then(|| Finished {
        operation_id: told.admin_graphql_api_id,
        kind: told.kind,
        status: told.status,
        error_code: told.error_code.filter(is_plain),
        finished_at: told.completed_at.unwrap_or(message.triggered_at),
    })
}
