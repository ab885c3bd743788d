//! The table of bulk operations.

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    bulk_operations [shop_id, operation_id] of Nobody, kept "as long as the programme" {
        shop_id: Id, operation_id: Plain, kind: Plain, status: Plain, error_code: Plain, finished_at: Time,
    }
}

/// A bulk operation that is over.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Finished {
    /// Shopify's global id.
    pub operation_id: String,
    /// `query` or `mutation`.
    pub kind: String,
    /// `completed`, `failed`, `canceled` or `expired`.
    pub status: String,
    /// Shopify's word for what went wrong.
    pub error_code: Option<String>,
    /// When it was over (UTC).
    pub finished_at: Timestamp,
}

/// What became of a bulk operation, if it is over.
///
/// # Errors
/// Any error of the database.
pub async fn finished(read: &mut Read, shop: ShopId, operation: &str) -> Result<Option<Finished>, db::Error> {
    db!(
        read.optional,
        "select operation_id, kind, status, error_code, finished_at from bulk_operations
         where shop_id = $1 and operation_id = $2",
        shop,
        operation
    )
}

/// Notes what became of one; told again, nothing changes.
pub(super) async fn note(tx: &mut Tx, shop: ShopId, finished: &Finished) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into bulk_operations (shop_id, operation_id, kind, status, error_code, finished_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (shop_id, operation_id) do nothing",
        shop,
        finished.operation_id,
        finished.kind,
        finished.status,
        finished.error_code,
        finished.finished_at
    )?;
    Ok(())
}
