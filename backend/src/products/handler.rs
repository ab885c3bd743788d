//! What the inbox does with webhooks about products.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::Deserialize;
use sqlx::types::Json;

use super::store::{self, Product};
use super::{Shelf, jobs, shelves};
use crate::clock::Clock;
use crate::db::{self, Timestamp, Tx};
use crate::events::{self, Event, ProductUpdated};
use crate::inbox::{Handler, HandlerError, Message, Outcome};

/// Acts on the topics that tell of products and collections.
#[derive(Debug, Clone)]
pub struct ProductHandler {
    clock: Clock,
}

#[derive(Deserialize)]
struct ProductJson {
    id: i64,
    title: Option<String>,
    handle: Option<String>,
    status: Option<String>,
    product_type: Option<String>,
    vendor: Option<String>,
    /// Labels, with commas.
    #[serde(default)]
    tags: String,
    #[serde(default)]
    variants: Vec<Id>,
    updated_at: Timestamp,
}

#[derive(Deserialize)]
struct Id {
    id: i64,
}

impl ProductHandler {
    /// A handler with this clock.
    pub fn new(clock: Clock) -> Self {
        ProductHandler { clock }
    }

    async fn act(&self, tx: &mut Tx, message: &Message) -> Result<Outcome, db::Error> {
        if message.topic.starts_with("collections/") {
            return self.collection(tx, message).await;
        }
        let Some(product) = read(message) else {
            return Ok(Outcome::Dead("not the payload of this topic".to_owned()));
        };
        if store::keep(tx, message.shop, &product).await? {
            let told = ProductUpdated { product: product.product_id, deleted: product.deleted_at.is_some() };
            events::publish(tx, message.shop, Event::ProductUpdated(told), self.clock.now()).await?;
            let kept = shelves::kept(tx, message.shop).await?;
            shelves::shelve(tx, message.shop, product.product_id, &product.tags.0, &kept).await?;
            if kept.iter().any(|shelf| matches!(shelf, Shelf::Collection(_))) {
                jobs::product_changed(tx, message.shop, self.clock.now()).await?;
            }
        }
        Ok(Outcome::Done)
    }

    /// A collection changed or is gone: which products are in it is read again.
    async fn collection(&self, tx: &mut Tx, message: &Message) -> Result<Outcome, db::Error> {
        let Ok(Id { id }) = serde_json::from_slice(&message.payload) else {
            return Ok(Outcome::Dead("not the payload of this topic".to_owned()));
        };
        let occasion = message.triggered_at.to_string();
        jobs::collection_changed(tx, message.shop, id, &occasion, self.clock.now()).await?;
        Ok(Outcome::Done)
    }
}

#[async_trait]
impl Handler for ProductHandler {
    fn knows(&self, topic: &str) -> bool {
        matches!(
            topic,
            "products/create"
                | "products/update"
                | "products/delete"
                | "collections/update"
                | "collections/delete"
        )
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for message in batch {
            outcomes.push(self.act(tx, message).await?);
        }
        Ok(outcomes)
    }
}

/// The product as the message tells it. Its end has no time but that of the message.
fn read(message: &Message) -> Option<Product> {
    if message.topic == "products/delete" {
        let Id { id } = serde_json::from_slice(&message.payload).ok()?;
        return Some(Product {
            product_id: id,
            title: None,
            handle: None,
            status: None,
            product_type: None,
            vendor: None,
            tags: Json(Vec::new()),
            variants: Json(Vec::new()),
            updated_at: message.triggered_at,
            deleted_at: Some(message.triggered_at),
        });
    }
    let told: ProductJson = serde_json::from_slice(&message.payload).ok()?;
    // Shopify stamps whole seconds: what changed in the second of its creation is newer than that.
    let is_new = message.topic == "products/create";
    let updated_at = if is_new { told.updated_at - SignedDuration::from_micros(1) } else { told.updated_at };
    // PostgreSQL keeps no NUL.
    let text = |text: Option<String>| text.map(|text| text.replace('\0', ""));
    let tags = told.tags.split(',').map(|tag| tag.trim().replace('\0', "")).filter(|tag| !tag.is_empty());
    Some(Product {
        product_id: told.id,
        title: text(told.title),
        handle: text(told.handle),
        status: text(told.status),
        product_type: text(told.product_type),
        vendor: text(told.vendor),
        tags: Json(tags.collect()),
        variants: Json(told.variants.iter().map(|variant| variant.id).collect()),
        updated_at,
        deleted_at: None,
    })
}
