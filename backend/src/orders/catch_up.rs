//! Orders that Shopify told of while nobody listened. It tries for four hours and then gives up, and says so to nobody.
//!
//! So every shop is asked, again and again, which orders have changed. Those that are not known as they are now come into the
//! inbox, as if Shopify had told of them: there they are read and booked like any other (`reread.rs`, `process.rs`), and
//! whatever fails is tried again. It costs a shop that misses nothing one call each time.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::SignedDuration;
use metrics::counter;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{handler, store};
use crate::app::App;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{OrderId, ShopId};
use crate::inbox::{self, Accepted, Delivery};
use crate::metrics::ORDERS_MISSED;
use crate::shopify::admin::{Admin, OrderChanged};
use crate::tasks::{self, Order, PushError, Run, Task, TaskError};
use crate::{db, merchants};

/// What changed later than this ago may still be on its way.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(15);
/// Shopify's lists lag behind what they are of, and what has come to the inbox may wait there: so much is looked at twice.
const TWICE: SignedDuration = SignedDuration::from_hours(1);
/// Shopify shows no older orders to whoever did not ask for them.
const SHOWN: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How many pages, of 250 orders, a run looks through, and how many orders it has read again; then others have their turn.
const PAGES: usize = 8;
const MISSED_AT_ONCE: usize = 250;
/// When it goes on.
const AFTER: SignedDuration = SignedDuration::from_mins(1);

crate::holds! {
    orders_catch_up [shop_id] of Nobody, kept "as long as the shop" { shop_id: Id, looked_until: Time }
}

/// Looks through what has changed in a shop since it last did.
#[derive(Debug, Serialize, Deserialize)]
pub struct CatchUp {}

#[async_trait]
impl Task for CatchUp {
    const KIND: &'static str = "orders.catch_up";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(5);
    const PRIORITY: i64 = -1;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let failed = |error: &dyn std::error::Error| TaskError::Failed(error.to_string());
        let app = &run.app;
        let Some(shop) = run.shop() else { return Ok(()) };
        let known = app.shops.find(shop).await.map_err(|error| failed(&error))?;
        let Some(known) = known.filter(|known| !known.needs_token) else { return Ok(()) };
        let (now, mut read) = (run.now(), app.db.read(shop).await?);
        // What it does not know may wait in its inbox: to ask for all of that would make it wait longer.
        if inbox::is_behind(&mut read, shop).await? {
            return Ok(());
        }
        let Some(installed_at) = merchants::installed_since(&mut read, shop).await? else { return Ok(()) };
        // What changed while the app was not there, it was not told either.
        let from = match looked_until(&mut read, shop).await? {
            Some(until) => until,
            None => {
                first_known(&mut read, shop).await?.unwrap_or(installed_at).min(installed_at).max(now - SHOWN)
            }
        };
        drop(read);
        let admin = app.admin_of(&known).await.map_err(|error| failed(&error))?;
        let looked = look(app, shop, &admin, &Span { from, until: now - ON_ITS_WAY, installed_at }).await?;
        if looked.missed > 0 {
            let missed = looked.missed;
            tracing::warn!(%shop, missed, from = %from, until = %looked.until, "nobody was told of orders");
        }
        let mut tx = run.begin().await?;
        note(&mut tx, shop, if looked.to_the_end { (looked.until - TWICE).max(from) } else { looked.until })
            .await?;
        if !looked.to_the_end {
            let order = Order::new(format!("from {}", looked.until)).at(now + AFTER);
            match tasks::push(&mut tx, shop, &CatchUp {}, order, now).await {
                Ok(_) | Err(PushError::KeyUsed { .. }) => {}
                Err(PushError::Database(error)) => return Err(error.into()),
                Err(error) => return Err(failed(&error)),
            }
        }
        run.finish(tx).await
    }
}

/// What is looked at.
struct Span {
    from: Timestamp,
    until: Timestamp,
    /// What was changed before that is news only where the order is known: the rest is history, and has its file.
    installed_at: Timestamp,
}

/// How far a look has come.
struct Looked {
    until: Timestamp,
    to_the_end: bool,
    /// How many orders went into the inbox.
    missed: usize,
}

/// Looks through the orders that changed from one time to another, as far as one run goes, and puts those into the inbox that
/// are not known as they are.
async fn look(app: &App, shop: ShopId, admin: &Admin, span: &Span) -> Result<Looked, TaskError> {
    let (until, since) = (span.until, whole_second(span.from));
    let (mut after, mut pages, mut missed) = (None, 0, 0);
    loop {
        let changed = admin.orders_changed(since, after).await;
        let changed = changed.map_err(|error| TaskError::Failed(error.to_string()))?;
        let told: Vec<OrderChanged> =
            changed.orders.iter().copied().take_while(|order| order.updated_at <= until).collect();
        for order in unknown(&mut app.db.read(shop).await?, shop, &told, span.installed_at).await? {
            missed += usize::from(ask_for(app, shop, order).await? == Accepted::Stored);
        }
        let last = told.last().map(|last| last.updated_at);
        let (true, Some(next)) = (told.len() == changed.orders.len(), changed.next) else {
            return Ok(Looked { until: until.max(span.from), to_the_end: true, missed });
        };
        (after, pages) = (Some(next), pages + 1);
        // Not within a second: the next run would begin where this one did.
        if (pages >= PAGES || missed >= MISSED_AT_ONCE)
            && let Some(last) = last.filter(|last| *last > since)
        {
            return Ok(Looked { until: last, to_the_end: false, missed });
        }
    }
}

/// Those of them of which nothing is known, or something older. Nothing is booked of test orders.
async fn unknown(
    read: &mut Read,
    shop: ShopId,
    changed: &[OrderChanged],
    installed_at: Timestamp,
) -> Result<Vec<OrderChanged>, db::Error> {
    let orders: Vec<OrderId> = changed.iter().map(|order| order.order).collect();
    let known: HashMap<OrderId, i64> = store::told_until(read, shop, &orders).await?;
    let is_news = |order: &&OrderChanged| match known.get(&order.order) {
        Some(until) => *until < order.updated_at.as_microsecond(),
        None => order.updated_at.as_second() >= installed_at.as_second() && !order.test,
    };
    Ok(changed.iter().filter(is_news).copied().collect())
}

/// Has an order read and booked, once for each time at which it changed.
async fn ask_for(app: &App, shop: ShopId, order: OrderChanged) -> Result<Accepted, TaskError> {
    let delivery = Delivery {
        shop,
        webhook_id: format!("missed:{}:{}", order.order, order.updated_at),
        event_id: None,
        topic: handler::MISSED.to_owned(),
        api_version: None,
        triggered_at: app.clock.now(),
        payload: json!({"id": order.order.0}).to_string().into_bytes(),
    };
    let accepted = app.inbox.accept(delivery).await.map_err(|error| TaskError::Failed(error.to_string()))?;
    if accepted == Accepted::Stored {
        counter!(ORDERS_MISSED).increment(1);
    }
    Ok(accepted)
}

/// Shopify knows whole seconds.
fn whole_second(at: Timestamp) -> Timestamp {
    at - SignedDuration::from_micros(at.as_microsecond().rem_euclid(1_000_000))
}

/// Up to when what has changed in a shop was looked through.
async fn looked_until(read: &mut Read, shop: ShopId) -> Result<Option<Timestamp>, db::Error> {
    let found: Option<(Timestamp,)> =
        db!(read.optional, "select looked_until from orders_catch_up where shop_id = $1", shop)?;
    Ok(found.map(|(until,)| until))
}

/// When the first order was placed that is known of a shop: the lowest number is the oldest.
async fn first_known(read: &mut Read, shop: ShopId) -> Result<Option<Timestamp>, db::Error> {
    let found: Option<(Timestamp,)> = db!(
        read.optional,
        "select placed_at from orders_orders where shop_id = $1 and placed_at is not null order by order_id limit 1",
        shop
    )?;
    Ok(found.map(|(placed_at,)| placed_at))
}

async fn note(tx: &mut Tx, shop: ShopId, until: Timestamp) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "insert into orders_catch_up (shop_id, looked_until) values ($1, $2)
         on conflict (shop_id) do update set looked_until = excluded.looked_until",
        shop,
        until
    )
}
