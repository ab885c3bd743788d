//! How likely members stay away: the life tables of a shop, counted anew from all orders once a week.

use jiff::SignedDuration;
use loyalty::rfm::{Churn, Orders, Silences};
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::db::{Db, Read, Timestamp};
use crate::history;
use crate::ids::{MemberId, ShopId};

crate::holds! {
    rfm_churn [shop_id] of Nobody, kept "with the shop" {
        shop_id: Id, tables: Json, every_days: Plain, returns: Plain, counted_at: Time,
    }
}

/// How long tables count: a week, less what the hour of the night varies by.
const AGE: SignedDuration = SignedDuration::from_hours(6 * 24 + 12);
/// How many members' orders are read at a time.
const PAGE: i64 = 500;

/// What is known of how members of a shop come and stay away.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Known {
    tables: Option<Json<Churn>>,
    /// The days from one order to the next, where most come at that interval.
    pub every_days: Option<i64>,
    counted_at: Timestamp,
}

impl Known {
    /// The chance that a member with these orders stays away for the next quarter, in thousandths.
    pub fn permille(&self, bought: &history::Bought, now: Timestamp) -> Option<u32> {
        let orders = Orders {
            count: bought.orders,
            first: bought.first_order_at.as_microsecond(),
            last: bought.last_order_at.as_microsecond(),
        };
        Some(self.tables.as_ref()?.0.permille(&orders, now.as_microsecond()))
    }
}

/// What is known of a shop; nothing before it is counted for the first time.
pub(super) async fn known(read: &mut Read, shop: ShopId) -> Result<Option<Known>, db::Error> {
    db!(read.optional, "select tables, every_days, counted_at from rfm_churn where shop_id = $1", shop)
}

/// Counts how long members of a shop stayed away, unless that was counted less than a week ago.
pub(super) async fn count_old(db: &Db, shop: ShopId, now: Timestamp) -> Result<(), db::Error> {
    let known = known(&mut db.read(shop).await?, shop).await?;
    if known.is_some_and(|known| known.counted_at > now - AGE) {
        return Ok(());
    }
    let silences = silences(db, shop, now).await?;
    let (tables, returns) = (Churn::of(&silences).map(Json), silences.returns());
    let mut tx = db.begin(shop).await?;
    db!(
        tx.execute,
        "insert into rfm_churn (shop_id, tables, every_days, returns, counted_at) values ($1, $2, $3, $4, $5)
         on conflict (shop_id) do update set tables = excluded.tables, every_days = excluded.every_days,
             returns = excluded.returns, counted_at = excluded.counted_at",
        shop,
        tables,
        silences.regular().map(i64::from),
        returns.cast_signed(),
        now
    )?;
    tx.commit().await
}

async fn silences(db: &Db, shop: ShopId, now: Timestamp) -> Result<Silences, db::Error> {
    let (mut silences, mut after) = (Silences::default(), MemberId(Uuid::nil()));
    loop {
        let placed = history::placed(&mut db.read(shop).await?, shop, after, PAGE).await?;
        let Some((last, _)) = placed.last() else { return Ok(silences) };
        after = *last;
        for orders in placed.chunk_by(|(one, _), (next, _)| one == next) {
            let times: Vec<i64> = orders.iter().map(|(_, at)| at.as_microsecond()).collect();
            silences.add(&times, now.as_microsecond());
        }
    }
}
