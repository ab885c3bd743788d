//! What the inbox does with privacy requests: they are written down, and told of.

use async_trait::async_trait;
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::settle::{REINSTALLED, Settle};
use super::store::{self, Request};
use super::{DUE_WITHIN, RequestKind, RequestState};
use crate::clock::Clock;
use crate::db::Tx;
use crate::events::{self, Event, GdprRequestCreated};
use crate::ids::{CustomerId, OrderId};
use crate::inbox::{Handler, HandlerError, Message, Outcome};
use crate::merchants;
use crate::tasks::{self, Order, PushError};

/// Acts on the three topics that every app must take.
#[derive(Debug, Clone)]
pub struct PrivacyHandler {
    clock: Clock,
}

/// What the three tell. The customer's address stands there too, and is not read.
#[derive(Deserialize, Default)]
struct RequestJson {
    shop_domain: Option<String>,
    customer: Option<Customer>,
    #[serde(default)]
    orders_requested: Vec<i64>,
    #[serde(default)]
    orders_to_redact: Vec<i64>,
}

#[derive(Deserialize)]
struct Customer {
    id: i64,
}

impl PrivacyHandler {
    /// A handler with this clock.
    pub fn new(clock: Clock) -> Self {
        PrivacyHandler { clock }
    }

    async fn act(&self, tx: &mut Tx, message: &Message) -> Result<Outcome, HandlerError> {
        let told = serde_json::from_slice::<RequestJson>(&message.payload);
        let (Some(kind), Ok(told)) = (RequestKind::parse(&message.topic), told) else {
            return Ok(Outcome::Dead("not the payload of this topic".to_owned()));
        };
        if kind != RequestKind::RedactShop && told.customer.is_none() {
            return Ok(Outcome::Dead("the request names no customer".to_owned()));
        }
        if let Some(named) = &told.shop_domain {
            // The header says whose the message is. Where the body says otherwise, nobody knows whom to erase.
            let domain = merchants::domain(tx, message.shop).await?;
            if domain.is_some_and(|domain| !domain.eq_ignore_ascii_case(named)) {
                return Ok(Outcome::Dead("the request names another shop than its header".to_owned()));
            }
        }
        let now = self.clock.now();
        let refused = match kind {
            RequestKind::RedactShop => {
                merchants::installed_since(tx, message.shop).await?.map(|_| REINSTALLED)
            }
            RequestKind::Data | RequestKind::Redact => None,
        };
        let orders = [told.orders_requested, told.orders_to_redact].concat();
        let request = Request {
            request_id: Uuid::now_v7(),
            webhook_id: message.webhook_id.clone(),
            kind,
            customer_id: told.customer.map(|customer| CustomerId(customer.id)),
            orders: Json(orders.into_iter().map(OrderId).collect()),
            state: if refused.is_some() { RequestState::Refused } else { RequestState::Received },
            outcome: refused.map(str::to_owned),
            received_at: message.received_at,
            due_at: message.received_at + DUE_WITHIN,
            settled_at: refused.is_some().then_some(now),
        };
        if store::insert(tx, message.shop, &request).await? {
            let told = GdprRequestCreated {
                request: request.request_id,
                kind: kind.as_str().to_owned(),
                refused: request.outcome,
                due_at: request.due_at,
            };
            events::publish(tx, message.shop, Event::GdprRequestCreated(told), now).await?;
            if request.state == RequestState::Received {
                let task = Settle { request: request.request_id };
                let order = Order::new(request.request_id.to_string());
                tasks::push(tx, message.shop, &task, order, now).await.map_err(|error| match error {
                    PushError::Database(error) => HandlerError::Database(error),
                    error => HandlerError::Failed(error.to_string()),
                })?;
            }
        }
        Ok(Outcome::Done)
    }
}

#[async_trait]
impl Handler for PrivacyHandler {
    fn knows(&self, topic: &str) -> bool {
        RequestKind::parse(topic).is_some()
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for message in batch {
            outcomes.push(self.act(tx, message).await?);
        }
        Ok(outcomes)
    }
}
