//! What the inbox does with webhooks about orders.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use loyalty::Mark;

use super::process::Incoming;
use super::{Error, payload, process, reread, store};
use crate::clock::Clock;
use crate::db::{self, Db, Read, Timestamp, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};
use crate::inbox::{Handler, HandlerError, Message, OrderKey, Outcome};
use crate::merchants::Shops;
use crate::shopify::admin::{Admin, AdminApi, OrderNow};
use crate::{customers, merchants, programs, redemptions};

/// Acts on the topics that tell of orders and refunds.
#[derive(Clone)]
pub struct OrderHandler {
    db: Db,
    clock: Clock,
    shops: Shops,
    admin: AdminApi,
}

const CREATED: &str = "orders/create";
const EDITED: &str = "orders/edited";
const DELETED: &str = "orders/delete";
/// No topic of Shopify's: an order of which it told nobody, in the end.
pub(super) const MISSED: &str = "orders/missed";
const REFUND: &str = "refunds/create";

/// How long an order, or its metafield, may take to read.
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
        matches!(
            topic,
            CREATED
                | "orders/paid"
                | "orders/updated"
                | "orders/cancelled"
                | "orders/fulfilled"
                | EDITED
                | MISSED
                | DELETED
                | REFUND
        )
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
            read.enter(shop).await?;
            let customers = store::customers(read, shop, &orders).await?;
            found.extend(customers.into_iter().map(|(order, customer)| ((shop, order), customer)));
        }
        Ok(found)
    }

    /// Orders that carry a discount: the mark of the hold they used may stand in their metafield. And those that were
    /// edited, or that nobody was told of: the message says little more than that.
    fn wants_beside(&self, batch: &[Message]) -> Vec<usize> {
        let is_discounted = |message: &Message| {
            let order = payload::order(&message.payload).ok().flatten();
            order.is_some_and(|order| order.discounts.iter().any(|one| one.used.total() > 0))
        };
        let wants = |message: &Message| match message.topic.as_str() {
            EDITED | MISSED => true,
            REFUND | DELETED => false,
            _ => may_be_discounted(message) && is_discounted(message),
        };
        batch.iter().enumerate().filter(|(_, message)| wants(message)).map(|(at, _)| at).collect()
    }

    async fn read_beside(&self, message: &Message) -> Result<Option<String>, HandlerError> {
        if matches!(message.topic.as_str(), EDITED | MISSED) {
            return self.reread(message).await;
        }
        let Ok(Some(order)) = payload::order(&message.payload) else { return Ok(None) };
        let mut read = self.db.read(message.shop).await?;
        let title = programs::current(&mut read, message.shop).await?.program.discount_title;
        let member = match order.customer {
            Some(customer) => customers::member(&mut read, message.shop, customer).await?,
            None => None,
        };
        // Whoever buys can write any mark there: it speaks for a hold of their own only.
        let marked = match (order.mark, member) {
            (Some(mark), Some(member)) => {
                redemptions::lifecycle::is_held(&mut read, message.shop, member, mark.hold).await?
            }
            _ => false,
        };
        let settled = redemptions::lifecycle::is_settled(&mut read, message.shop, order.id).await?;
        drop(read);
        if marked || settled || order.discounts.iter().all(|discount| discount.title != title) {
            return Ok(None);
        }
        let Some(admin) = self.admin(message.shop).await? else { return Ok(None) };
        admin.order_redemption(order.id).await.map_err(failed)
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        let Some(shop) = batch.first().map(|message| message.shop) else { return Ok(Vec::new()) };
        let installed = match batch.iter().any(|message| message.topic != REFUND) {
            true => merchants::installed_since(tx, shop).await?,
            false => None,
        };
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut incoming = Vec::with_capacity(batch.len());
        for message in batch {
            // A shop that is gone takes on nothing.
            outcomes.push(match read(message, installed.unwrap_or(message.received_at)) {
                Ok(told) => {
                    incoming.extend(told);
                    Outcome::Done
                }
                Err(error) => Outcome::Dead(error.to_string()),
            });
        }
        process(tx, shop, incoming, self.clock.now()).await?;
        Ok(outcomes)
    }
}

impl OrderHandler {
    /// A shop's Admin API; none if the shop has gone.
    async fn admin(&self, shop: ShopId) -> Result<Option<Admin>, HandlerError> {
        let Some(shop) = self.shops.find(shop).await.map_err(failed)? else { return Ok(None) };
        let admin = self.shops.admin(&self.admin, &shop).await.map_err(failed)?;
        Ok(Some(admin.within(READ_WITHIN)))
    }

    /// The order that a message names, as it is now; none if nobody can be asked or it is gone. What came back of one that
    /// was edited is told by webhooks of its own.
    async fn reread(&self, message: &Message) -> Result<Option<String>, HandlerError> {
        let Ok(order) = named(message) else { return Ok(None) };
        let Some(admin) = self.admin(message.shop).await? else { return Ok(None) };
        let order = match message.topic == MISSED {
            true => admin.order_and_refunds(order).await,
            false => admin.order_now(order).await,
        };
        let order = order.map_err(failed)?;
        order.map(|order| serde_json::to_string(&order)).transpose().map_err(failed)
    }
}

/// A cheap look, since few orders are: whether the list of discounts is anything but empty.
fn may_be_discounted(message: &Message) -> bool {
    const EMPTY: &[u8] = br#""discount_applications":[]"#;
    !message.payload.windows(EMPTY.len()).any(|window| window == EMPTY)
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> HandlerError {
        match error {
            Error::Points(error) => error.into(),
            Error::Redemption(error) => error.into(),
            Error::Program(error) => error.into(),
            Error::Referral(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}

fn failed(error: impl std::error::Error) -> HandlerError {
    HandlerError::Failed(error.to_string())
}

/// Which order a message names that says little more.
fn named(message: &Message) -> Result<OrderId, payload::Error> {
    let named = if message.topic == MISSED { payload::named } else { payload::edited };
    named(&message.payload)
}

/// What a message tells; nothing for a test order, or one that is gone. Orders from before `since` are not taken on.
fn read(message: &Message, since: Timestamp) -> Result<Option<Incoming>, payload::Error> {
    let (order, metafield) = match message.topic.as_str() {
        REFUND => return Ok(Some(Incoming::Refund(payload::refund(&message.payload)?))),
        DELETED => {
            return Ok(Some(Incoming::Deleted(payload::named(&message.payload)?, message.triggered_at)));
        }
        EDITED | MISSED => {
            let id = named(message)?;
            let Some(now) = &message.beside else { return Ok(None) };
            let now: OrderNow = serde_json::from_str(now)?;
            (reread::order(id, &now)?, now.redemption)
        }
        _ => (payload::order(&message.payload)?, message.beside.clone()),
    };
    let metafield = metafield.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let metafield = metafield.and_then(|json| Mark::read(&&json).ok());
    Ok(order.map(|order| {
        // Shopify tells the time of an order in whole seconds.
        // An order that is new at Shopify is new to us, however late that is told, if it was not brought there from elsewhere.
        let is_new = match message.topic.as_str() {
            CREATED => true,
            MISSED => order.created_at.as_second() >= since.as_second(),
            _ => false,
        };
        let is_new = is_new && !order.is_imported();
        let opens = is_new || order.placed_at.as_second() >= since.as_second();
        Incoming::Order { order: Box::new(order), metafield, opens }
    }))
}
