//! What the inbox does with webhooks about orders.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;

use super::process::Incoming;
use super::{Error, payload, process, store};
use crate::clock::Clock;
use crate::db::{self, Read, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};
use crate::inbox::{Handler, HandlerError, Message, OrderKey, Outcome};

/// Acts on the topics that tell of orders and refunds.
#[derive(Debug, Clone)]
pub struct OrderHandler {
    clock: Clock,
}

impl OrderHandler {
    /// A handler that tells the time by `clock`.
    pub fn new(clock: Clock) -> OrderHandler {
        OrderHandler { clock }
    }
}

#[async_trait]
impl Handler for OrderHandler {
    fn knows(&self, topic: &str) -> bool {
        matches!(topic, "orders/create" | "orders/paid" | "orders/cancelled" | "refunds/create")
    }

    async fn customers_of(
        &self,
        read: &mut Read,
        orders: &[OrderKey],
    ) -> Result<HashMap<OrderKey, CustomerId>, db::Error> {
        let mut by_shop: BTreeMap<ShopId, Vec<OrderId>> = BTreeMap::new();
        for (shop, order) in orders {
            by_shop.entry(*shop).or_default().push(*order);
        }
        let mut found = HashMap::new();
        for (shop, orders) in by_shop {
            let customers = store::customers(read, shop, &orders).await?;
            found.extend(customers.into_iter().map(|(order, customer)| ((shop, order), customer)));
        }
        Ok(found)
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut by_shop: BTreeMap<ShopId, Vec<Incoming>> = BTreeMap::new();
        for message in batch {
            outcomes.push(match read(message) {
                Ok(incoming) => {
                    by_shop.entry(message.shop).or_default().extend(incoming);
                    Outcome::Done
                }
                Err(error) => Outcome::Dead(error.to_string()),
            });
        }
        for (shop, batch) in by_shop {
            process(tx, shop, batch, self.clock.now()).await.map_err(|error| match error {
                Error::Db(error) => HandlerError::Database(error),
                error => HandlerError::Failed(error.to_string()),
            })?;
        }
        Ok(outcomes)
    }
}

/// What a message tells; nothing for a test order.
fn read(message: &Message) -> Result<Option<Incoming>, payload::Error> {
    Ok(match message.topic.as_str() {
        "refunds/create" => Some(Incoming::Refund(payload::refund(&message.payload)?)),
        _ => payload::order(&message.payload)?.map(|order| Incoming::Order { order, metafield: None }),
    })
}
