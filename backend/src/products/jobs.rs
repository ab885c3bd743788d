//! Reading the shelves that earning rules name: when a rule names a new one, when Shopify tells that one changed, and once
//! a day, because a collection whose products follow from its rules changes without a word.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Shelf, shelves};
use crate::app::App;
use crate::db::{self, Timestamp, Tx};
use crate::ids::ShopId;
use crate::programs;
use crate::tasks::{self, Order, PushError, Run, Task, TaskError};

/// Products that change within so long of each other have collections read once.
const TOGETHER: SignedDuration = SignedDuration::from_mins(10);

/// Reads one shelf.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadShelf {
    /// Its name.
    pub shelf: String,
}

#[async_trait]
impl Task for ReadShelf {
    const KIND: &'static str = "products.read_shelf";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(10);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let shop = run.shop().ok_or_else(|| TaskError::Dead("a shelf is a shop's".into()))?;
        let shelf = Shelf::read(&self.shelf).ok_or_else(|| TaskError::Dead("no such shelf".into()))?;
        if !is_named(&run.app, shop, &shelf).await? {
            let mut tx = run.begin().await?;
            shelves::forget(&mut tx, shop, &shelf).await?;
            return run.finish(tx).await;
        }
        // What changes while it is read comes with a webhook of its own.
        let read_at = run.now();
        let Some(products) = read(&run.app, shop, &shelf).await? else { return Ok(()) };
        let mut tx = run.begin().await?;
        shelves::fill(&mut tx, shop, &shelf, &products, read_at).await?;
        run.finish(tx).await
    }
}

/// Has every shelf of a shop read that its rules name, and those forgotten that they do not.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadShelves {}

#[async_trait]
impl Task for ReadShelves {
    const KIND: &'static str = "products.read_shelves";

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let shop = run.shop().ok_or_else(|| TaskError::Dead("shelves are a shop's".into()))?;
        let mut tx = run.begin().await?;
        let mut all = shelves::kept(&mut tx, shop).await?;
        match programs::current(&mut tx, shop).await {
            Ok(program) => all.extend(shelves::named([&program.program.earn])),
            Err(programs::Error::Missing) => {}
            Err(error) => return Err(TaskError::Failed(error.to_string())),
        }
        for shelf in all {
            read_soon(&mut tx, shop, &shelf, &run.id().to_string(), run.now()).await?;
        }
        run.finish(tx).await
    }
}

/// Has the shelves read that a program names and that are not kept yet, in the transaction that makes it the shop's.
///
/// # Errors
/// Any error of the database.
pub async fn read_new(
    tx: &mut Tx,
    shop: ShopId,
    (program, version): (&loyalty::Program, i64),
    now: Timestamp,
) -> Result<(), db::Error> {
    let named = shelves::named([&program.earn]);
    if named.is_empty() {
        return Ok(());
    }
    let kept = shelves::kept(tx, shop).await?;
    for shelf in named.difference(&kept) {
        read_soon(tx, shop, shelf, &format!("version {version}"), now).await?;
    }
    Ok(())
}

/// Has a collection read again that Shopify tells has changed, if it is kept.
pub(super) async fn collection_changed(
    tx: &mut Tx,
    shop: ShopId,
    collection: i64,
    message: &str,
    now: Timestamp,
) -> Result<(), db::Error> {
    let shelf = Shelf::Collection(collection);
    if shelves::kept(tx, shop).await?.contains(&shelf) {
        read_soon(tx, shop, &shelf, message, now).await?;
    }
    Ok(())
}

/// A product changed: collections whose products follow from rules may have it now, or no more. They are read once for all
/// products that change at about the same time.
pub(super) async fn product_changed(tx: &mut Tx, shop: ShopId, now: Timestamp) -> Result<(), db::Error> {
    let minutes = TOGETHER.as_mins().max(1);
    let slot = now.as_second().div_euclid(60).div_euclid(minutes);
    let order = Order::new(format!("changes {slot}")).at(now + TOGETHER);
    ignore_key(tasks::push(tx, shop, &ReadShelves {}, order, now).await)
}

async fn read_soon(
    tx: &mut Tx,
    shop: ShopId,
    shelf: &Shelf,
    occasion: &str,
    now: Timestamp,
) -> Result<(), db::Error> {
    let task = ReadShelf { shelf: shelf.to_string() };
    let order = Order::new(format!("{} {occasion}", task.shelf));
    ignore_key(tasks::push(tx, shop, &task, order, now).await)
}

/// Another task with the same key does the same.
fn ignore_key(pushed: Result<tasks::Pushed, PushError>) -> Result<(), db::Error> {
    match pushed {
        Ok(_) | Err(PushError::KeyUsed { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn is_named(app: &App, shop: ShopId, shelf: &Shelf) -> Result<bool, TaskError> {
    match programs::current(&mut app.db.read(shop).await?, shop).await {
        Ok(program) => Ok(shelves::named([&program.program.earn]).contains(shelf)),
        Err(programs::Error::Missing) => Ok(false),
        Err(error) => Err(TaskError::Failed(error.to_string())),
    }
}

/// The products on a shelf, as Shopify tells now; none if the shop is gone.
async fn read(app: &App, shop: ShopId, shelf: &Shelf) -> Result<Option<Vec<i64>>, TaskError> {
    let failed = |error: &dyn std::error::Error| TaskError::Failed(error.to_string());
    let Some(shop) = app.shops.find(shop).await.map_err(|error| failed(&error))? else { return Ok(None) };
    let admin = app.admin_of(&shop).await.map_err(|error| failed(&error))?;
    let products = match shelf {
        Shelf::Collection(id) => admin.products_in(*id).await,
        Shelf::Tag(tag) => admin.products_tagged(tag).await,
    };
    products.map(Some).map_err(|error| failed(&error))
}
