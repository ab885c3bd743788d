//! The audit log's SQL. There is no update and no delete.

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{ActorKind, By, Change};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    audit_entries [shop_id, entry_id] of Nobody, kept "with the shop" {
        shop_id: Id, entry_id: Id, at: Time, actor_kind: Plain, actor_id: Staff, operator: Plain, action: Plain,
        target: Plain, before: Json, after: Json, request_id: Plain,
    }
}

pub(super) async fn insert(
    tx: &mut Tx,
    shop: ShopId,
    id: Uuid,
    by: &By,
    change: &Change,
    now: Timestamp,
) -> Result<(), db::Error> {
    let json = |value: &Value| (!value.is_null()).then(|| Json(value.clone()));
    db!(
        tx.execute,
        "insert into audit_entries (shop_id, entry_id, at, actor_kind, actor_id, operator, action, target,
                                    before, after, request_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        shop,
        id,
        now,
        by.actor.kind(),
        by.actor.id(),
        by.actor.operator(),
        change.action,
        change.target,
        json(&change.before),
        json(&change.after),
        by.request
    )?;
    Ok(())
}

/// An entry as it is kept. Its action may be one that only a newer program knows.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Entry {
    pub entry_id: Uuid,
    pub at: Timestamp,
    pub actor_kind: ActorKind,
    pub actor_id: Option<String>,
    pub operator: Option<String>,
    pub action: String,
    pub target: Option<String>,
    pub before: Option<Json<Value>>,
    pub after: Option<Json<Value>>,
    pub request_id: Option<String>,
}

/// A shop's entries, newest first, from below one of them.
pub(super) async fn page(
    read: &mut Read,
    shop: ShopId,
    below: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Entry>, db::Error> {
    let below = below.unwrap_or(Uuid::max());
    db!(
        read.all,
        "select entry_id, at, actor_kind, actor_id, operator, action, target, before, after, request_id
         from audit_entries where shop_id = $1 and entry_id < $2 order by entry_id desc limit $3",
        shop,
        below,
        limit
    )
}
