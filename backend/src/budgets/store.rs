//! The table of budgets.

use sqlx::types::Json;

use crate::db;
use crate::db::{Timestamp, Tx};
use crate::ids::ShopId;
use crate::shopify::admin::Bucket;

crate::holds! {
    budgets_buckets [shop_id] of Nobody, kept "as long as the programme" {
        shop_id: Id, bucket: Json, changed_at: Time,
    }
}

/// A shop's bucket, its row locked until the transaction ends. Where there is no row yet nothing is locked: whoever
/// writes last is right, since each writes what Shopify said just now.
pub(super) async fn lock(tx: &mut Tx, shop: ShopId) -> Result<Option<Bucket>, db::Error> {
    let found: Option<(Json<Bucket>,)> = db!(tx.optional,
        sqlite: "select bucket from budgets_buckets where shop_id = $1",
        postgres: "select bucket from budgets_buckets where shop_id = $1 for update",
        shop)?;
    Ok(found.map(|(Json(bucket),)| bucket))
}

/// Keeps a shop's bucket.
pub(super) async fn keep(
    tx: &mut Tx,
    shop: ShopId,
    bucket: &Bucket,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into budgets_buckets (shop_id, bucket, changed_at) values ($1, $2, $3)
         on conflict (shop_id) do update set bucket = excluded.bucket, changed_at = excluded.changed_at",
        shop,
        Json(bucket),
        now
    )?;
    Ok(())
}
