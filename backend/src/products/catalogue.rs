//! Reading what a shop sold before the app came, so that explanations call it by its name. What changes afterwards is told by
//! webhooks, in whatever order: what changed last counts.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::store::{self, Product};
use crate::db::{self, Timestamp, Tx};
use crate::ids::ShopId;
use crate::shopify::admin::ListedProduct;
use crate::tasks::{self, Order, Pushed, Run, Task, TaskError};

/// How many pages one run reads; another goes on.
const PAGES: usize = 4;
/// They must end somewhere: a million products (250 each).
const MOST_PAGES: usize = 4_000;

/// Reads the shop's products page by page. Broken off, it begins again with its first page, and whoever goes on after it
/// reads none of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadCatalogue {
    /// Shopify's mark of where to begin; at the beginning where there is none.
    pub after: Option<String>,
    /// How many pages were read before.
    pub pages: usize,
}

/// Has the shop's products read that has installed the app then, in the transaction that sets it up.
///
/// # Errors
/// Any error of the database.
pub async fn read_catalogue_soon(
    tx: &mut Tx,
    shop: ShopId,
    installed_at: Timestamp,
    now: Timestamp,
) -> Result<Pushed, db::Error> {
    ReadCatalogue { after: None, pages: 0 }.push(tx, shop, format!("installed {installed_at}"), now).await
}

impl ReadCatalogue {
    async fn push(
        &self,
        tx: &mut Tx,
        shop: ShopId,
        occasion: String,
        now: Timestamp,
    ) -> Result<Pushed, db::Error> {
        Ok(tasks::push(tx, shop, self, Order::new(occasion), now).await?)
    }
}

#[async_trait]
impl Task for ReadCatalogue {
    const KIND: &'static str = "products.read_catalogue";
    const PRIORITY: i64 = -1;
    const DEADLINE: SignedDuration = SignedDuration::from_mins(10);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let failed = |error: &dyn std::error::Error| TaskError::Failed(error.to_string());
        if self.pages >= MOST_PAGES {
            return Err(TaskError::Dead("the list of products has no end".into()));
        }
        let Some(id) = run.shop() else { return Ok(()) };
        let Some(shop) = run.app.shops.find(id).await.map_err(|error| failed(&error))? else { return Ok(()) };
        let admin = run.app.admin_of(&shop).await.map_err(|error| failed(&error))?;
        let mut after = self.after;
        for _ in 0..PAGES {
            let (products, next) = admin.products_after(after).await.map_err(|error| failed(&error))?;
            let mut tx = run.begin().await?;
            for product in products.into_iter().filter_map(read) {
                store::keep(&mut tx, id, &product).await?;
            }
            if next.is_none() {
                return run.finish(tx).await;
            }
            tx.commit().await?;
            after = next;
        }
        let mut tx = run.begin().await?;
        let pages = self.pages + PAGES;
        ReadCatalogue { after, pages }.push(&mut tx, id, format!("after {}", run.id()), run.now()).await?;
        run.finish(tx).await
    }
}

/// None where Shopify tells no time. A webhook of the same change counts as newer: it is what others act upon, and may
/// come after this.
fn read(listed: ListedProduct) -> Option<Product> {
    // PostgreSQL keeps no NUL.
    let text = |text: String| Some(text.replace('\0', ""));
    Some(Product {
        product_id: listed.id,
        title: text(listed.title),
        handle: text(listed.handle),
        status: text(listed.status),
        product_type: text(listed.product_type),
        vendor: text(listed.vendor),
        tags: Json(listed.tags.into_iter().filter_map(text).collect()),
        variants: Json(Vec::new()),
        updated_at: listed.updated_at.parse::<Timestamp>().ok()? - SignedDuration::from_micros(1),
        deleted_at: None,
    })
}
