//! Reads the file of all customers with their tags.

use async_trait::async_trait;
use serde::Deserialize;

use super::PURPOSE;
use super::told::{All, all_told};
use crate::bulk::{self, Line, Reader};
use crate::clock::Clock;
use crate::db::{Timestamp, Tx};
use crate::ids::{CustomerId, ShopId};
use crate::tasks::TaskError;

/// Reads the files of tags.
#[derive(Debug, Clone)]
pub struct TagsReader {
    clock: Clock,
}

/// A customer of `graphql/customer_tags_in_bulk.graphql`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomerJson {
    updated_at: Timestamp,
    tags: Vec<String>,
}

impl TagsReader {
    /// A reader with this clock.
    pub fn new(clock: Clock) -> Self {
        TagsReader { clock }
    }
}

#[async_trait]
impl Reader for TagsReader {
    fn purpose(&self) -> &'static str {
        PURPOSE
    }

    fn query(&self) -> &'static str {
        include_str!("../../../../graphql/customer_tags_in_bulk.graphql")
    }

    async fn begins(&self, _: &mut Tx, _: ShopId, _: &bulk::Run) -> Result<(), TaskError> {
        Ok(())
    }

    /// Lines of other types, and those that lack what Shopify promises, tell of no tags.
    async fn lines(&self, tx: &mut Tx, shop: ShopId, _: &bulk::Run, lines: &[Line]) -> Result<(), TaskError> {
        let all = lines.iter().filter(|line| line.id.kind == "Customer" && line.parent.is_none());
        let all = all.filter_map(|line| {
            let CustomerJson { updated_at, tags } = CustomerJson::deserialize(&line.object).ok()?;
            Some(All { customer: CustomerId(line.id.number), tags, as_of: updated_at })
        });
        Ok(all_told(tx, shop, &all.collect::<Vec<_>>(), self.clock.now()).await?)
    }

    async fn ends(&self, _: &mut Tx, _: ShopId, _: &bulk::Run) -> Result<(), TaskError> {
        Ok(())
    }
}
