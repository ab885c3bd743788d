//! What the inbox does with webhooks about orders.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use loyalty::Mark;

use super::process::Incoming;
use super::{Error, payload, process, store};
use crate::clock::Clock;
use crate::db::{self, Db, Read, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};
use crate::inbox::{Handler, HandlerError, Message, OrderKey, Outcome};
use crate::merchants::Shops;
use crate::shopify::admin::AdminApi;
use crate::{programs, redemptions};

/// Acts on the topics that tell of orders and refunds.
#[derive(Clone)]
pub struct OrderHandler {
    db: Db,
    clock: Clock,
    shops: Shops,
    admin: AdminApi,
}

/// How long an order's metafield may take to read.
const READ_WITHIN: Duration = Duration::from_secs(10);

impl OrderHandler {
    /// A handler that books into `db` and asks Shopify where an order does not say which hold it used.
    pub fn new(db: Db, clock: Clock, shops: Shops, admin: AdminApi) -> OrderHandler {
        OrderHandler { db, clock, shops, admin }
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

    /// Orders that carry a discount: the mark of the hold they used may stand in their metafield.
    fn wants_beside(&self, batch: &[Message]) -> Vec<usize> {
        let wants = |message: &Message| {
            let order = payload::order(&message.payload).ok().flatten();
            order.is_some_and(|order| order.discounts.iter().any(|one| one.used.total() > 0))
        };
        let orders = batch.iter().enumerate().filter(|(_, message)| message.topic.starts_with("orders/"));
        orders.filter(|(_, message)| may_be_discounted(message) && wants(message)).map(|(at, _)| at).collect()
    }

    async fn read_beside(&self, message: &Message) -> Result<Option<String>, HandlerError> {
        let Ok(Some(order)) = payload::order(&message.payload) else { return Ok(None) };
        let mut read = self.db.read().await?;
        let title = programs::current(&mut read, message.shop).await.map_err(failed)?.program.discount_title;
        let marked = match order.mark {
            Some(mark) => redemptions::lifecycle::is_held(&mut read, message.shop, mark.hold).await?,
            None => false,
        };
        let settled = redemptions::lifecycle::is_settled(&mut read, message.shop, order.id).await?;
        drop(read);
        if marked || settled || order.discounts.iter().all(|discount| discount.title != title) {
            return Ok(None);
        }
        let Some(shop) = self.shops.find(message.shop).await.map_err(failed)? else { return Ok(None) };
        let token = self.shops.token(&shop).await.map_err(failed)?;
        let admin = self.admin.shop(&shop.domain, &token).within(READ_WITHIN);
        admin.order_redemption(order.id).await.map_err(failed)
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

/// A cheap look, since few orders are: whether the list of discounts is anything but empty.
fn may_be_discounted(message: &Message) -> bool {
    const EMPTY: &[u8] = br#""discount_applications":[]"#;
    !message.payload.windows(EMPTY.len()).any(|window| window == EMPTY)
}

fn failed(error: impl std::error::Error) -> HandlerError {
    HandlerError::Failed(error.to_string())
}

/// What a message tells; nothing for a test order.
fn read(message: &Message) -> Result<Option<Incoming>, payload::Error> {
    if message.topic == "refunds/create" {
        return Ok(Some(Incoming::Refund(payload::refund(&message.payload)?)));
    }
    let metafield =
        message.beside.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let metafield = metafield.and_then(|json| Mark::read(&&json).ok());
    Ok(payload::order(&message.payload)?.map(|order| Incoming::Order { order, metafield }))
}
