//! How far behind the inbox is, and who is told.

use std::collections::HashSet;

use super::Inner;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::events::{self, Event, ShopBehind};
use crate::ids::ShopId;

/// What waits in the inbox, all shops counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// How many messages wait.
    pub ready: i64,
    /// When the oldest of them came (UTC).
    pub oldest_at: Option<Timestamp>,
    /// How many messages are dead.
    pub dead: i64,
    /// How many shops are behind.
    pub shops_behind: i64,
}

pub(super) async fn backlog(read: &mut Read) -> Result<Backlog, db::Error> {
    let (ready, oldest_at): (i64, Option<Timestamp>) =
        db!(read.one, "select count(*), min(received_at) from inbox_messages where state = 'ready'")?;
    let (dead,): (i64,) = db!(read.one, "select count(*) from inbox_messages where state = 'dead'")?;
    let (shops_behind,): (i64,) = db!(read.one, "select count(*) from inbox_behind")?;
    Ok(Backlog { ready, oldest_at, dead, shops_behind })
}

/// A shop whose oldest message waits too long.
#[derive(sqlx::FromRow)]
struct Behind {
    shop_id: ShopId,
    waiting: i64,
    oldest_at: Timestamp,
}

async fn behind(read: &mut Read, before: Timestamp) -> Result<Vec<Behind>, db::Error> {
    db!(
        read.all,
        "select shop_id, count(*) as waiting, min(received_at) as oldest_at from inbox_messages
         where state = 'ready' group by shop_id having min(received_at) <= $1 order by shop_id",
        before
    )
}

async fn told(read: &mut Read) -> Result<HashSet<ShopId>, db::Error> {
    let told: Vec<(ShopId,)> = db!(read.all, "select shop_id from inbox_behind")?;
    Ok(told.into_iter().map(|(shop,)| shop).collect())
}

/// Whether a shop is known to be behind: its oldest message waits too long.
///
/// # Errors
/// Any error of the database.
pub async fn is_behind(read: &mut Read, shop: ShopId) -> Result<bool, db::Error> {
    let found: Option<(ShopId,)> =
        db!(read.optional, "select shop_id from inbox_behind where shop_id = $1", shop)?;
    Ok(found.is_some())
}

/// Notes that a shop is behind; false if that is known.
async fn note(tx: &mut Tx, shop: ShopId, now: Timestamp) -> Result<bool, db::Error> {
    let noted = db!(
        tx.execute,
        "insert into inbox_behind (shop_id, since) values ($1, $2) on conflict (shop_id) do nothing",
        shop,
        now
    )?;
    Ok(noted == 1)
}

/// Tells of every shop that is behind, once until it has caught up, and says how many those were.
pub(super) async fn watch(inbox: &Inner) -> Result<usize, db::Error> {
    let now = inbox.clock.now();
    let mut read = inbox.db.read_outside().await?;
    let behind = behind(&mut read, now - inbox.settings.behind_after).await?;
    let mut recovered = told(&mut read).await?;
    drop(read);
    let mut count = 0;
    for shop in behind {
        if recovered.remove(&shop.shop_id) {
            continue;
        }
        let mut tx = inbox.db.begin_outside().await?;
        if note(&mut tx, shop.shop_id, now).await? {
            let event = Event::ShopBehind(ShopBehind { waiting: shop.waiting, oldest_at: shop.oldest_at });
            events::publish(&mut tx, shop.shop_id, event, now).await?;
            count += 1;
        }
        tx.commit().await?;
    }
    for shop in recovered {
        tracing::info!(%shop, "a shop has caught up");
        let mut tx = inbox.db.begin_outside().await?;
        db!(tx.execute, "delete from inbox_behind where shop_id = $1", shop)?;
        tx.commit().await?;
    }
    Ok(count)
}
