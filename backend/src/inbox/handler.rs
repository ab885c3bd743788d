//! What a message is to the one who acts on it.

use std::collections::HashMap;

use async_trait::async_trait;
use uuid::Uuid;

use crate::db::{self, Read, Timestamp, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};

/// A stored webhook.
#[derive(Debug, Clone)]
pub struct Message {
    /// Whose it is.
    pub shop: ShopId,
    /// Ours; a later arrival has a greater one.
    pub id: Uuid,
    /// Shopify's id of the delivery.
    pub webhook_id: String,
    /// Shopify's id of the action, shared by the deliveries it caused.
    pub event_id: Option<String>,
    /// E.g. `orders/paid`.
    pub topic: String,
    /// When Shopify sent it first.
    pub triggered_at: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
    /// How often it has failed.
    pub attempts: i64,
    /// The order it keeps with others, e.g. `customer:1`.
    pub lane: String,
    /// The raw body: JSON, though not always the topic's.
    pub payload: Vec<u8>,
    /// What the handler read beside it, if it wanted to.
    pub beside: Option<String>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was acted upon, or nothing had to be done.
    Done,
    /// It can never be acted upon; a person should look. The reason is kept: no personal data in it.
    Dead(String),
    /// It cannot be acted upon yet. Nothing was written for it.
    Later(String),
}

/// Longer reasons are cut.
const REASON_LIMIT: usize = 500;

impl Outcome {
    /// With a reason that every engine can keep: PostgreSQL refuses text with a NUL in it, and a message whose reason
    /// cannot be written would never be settled.
    pub(super) fn storable(self) -> Outcome {
        let clean = |reason: String| -> String {
            reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_LIMIT).collect()
        };
        match self {
            Outcome::Done => Outcome::Done,
            Outcome::Dead(reason) => Outcome::Dead(clean(reason)),
            Outcome::Later(reason) => Outcome::Later(clean(reason)),
        }
    }
}

/// A batch that failed as a whole. It is taken apart until it is known which of its messages fails.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The database's error; if it is only unavailable, the batch waits and no message is to blame.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// What the next try would fail at, too: no database, no answer and no setting of the moment is to blame.
    #[error("{code}: {reason}")]
    Never {
        /// Names the reason for good.
        code: &'static str,
        /// For a person: no personal data in it.
        reason: String,
    },
    /// Any other; the text is kept as the reason: no personal data in it.
    #[error("{0}")]
    Failed(String),
}

impl HandlerError {
    /// What becomes of the message that fails like this.
    pub(super) fn outcome(&self) -> Outcome {
        let reason = self.to_string();
        let outcome = match self {
            HandlerError::Never { .. } => Outcome::Dead(reason),
            HandlerError::Database(_) | HandlerError::Failed(_) => Outcome::Later(reason),
        };
        outcome.storable()
    }
}

/// An order of a shop.
pub type OrderKey = (ShopId, OrderId);

/// Acts on messages.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Whether messages of this topic are acted upon. Others are noted and left.
    fn knows(&self, topic: &str) -> bool;

    /// The customers of orders that are known already, so that a message which names only its order (a refund)
    /// keeps in line with the customer's others. Shops are [entered](Read::enter) one after the other.
    async fn customers_of(
        &self,
        _read: &mut Read,
        _orders: &[OrderKey],
    ) -> Result<HashMap<OrderKey, CustomerId>, db::Error> {
        Ok(HashMap::new())
    }

    /// Messages that cannot be acted upon without asking someone else first, by their place in the batch.
    fn wants_beside(&self, _batch: &[Message]) -> Vec<usize> {
        Vec::new()
    }

    /// Asks for what a message needs beside it. No transaction is open meanwhile, so it may take its time.
    async fn read_beside(&self, _message: &Message) -> Result<Option<String>, HandlerError> {
        Ok(None)
    }

    /// Acts on a batch of one shop, in its order, within the transaction that also settles it and is in that shop: one
    /// outcome for each message.
    /// Everything is undone if it fails, or panics.
    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError>;
}
