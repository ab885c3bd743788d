//! The table of privacy requests.

use sqlx::types::Json;
use uuid::Uuid;

use super::{RequestKind, RequestState};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};

/// A privacy request.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Request {
    /// Ours.
    pub request_id: Uuid,
    /// The delivery of the webhook that brought it.
    pub webhook_id: String,
    /// What is asked for.
    pub kind: RequestKind,
    /// Of whom; none of a shop, and none once it is settled.
    pub customer_id: Option<CustomerId>,
    /// The orders it names.
    pub orders: Json<Vec<OrderId>>,
    /// How far it has come.
    pub state: RequestState,
    /// Why it was refused, or what was found.
    pub outcome: Option<String>,
    /// When it came (UTC).
    pub received_at: Timestamp,
    /// When it must be settled (UTC).
    pub due_at: Timestamp,
    /// When it is tried next (UTC).
    pub try_at: Option<Timestamp>,
    /// When it was settled (UTC).
    pub settled_at: Option<Timestamp>,
}

/// The newest requests of a shop, newest first.
///
/// # Errors
/// Any error of the database.
pub async fn requests(read: &mut Read, shop: ShopId, most: i64) -> Result<Vec<Request>, db::Error> {
    db!(
        read.all,
        "select request_id, webhook_id, kind, customer_id, orders, state, outcome, received_at, due_at, try_at,
                settled_at
         from privacy_requests where shop_id = $1 order by request_id desc limit $2",
        shop,
        most
    )
}

/// Writes a request down, and says whether it is new.
pub(super) async fn insert(tx: &mut Tx, shop: ShopId, request: &Request) -> Result<bool, db::Error> {
    let inserted = db!(
        tx.execute,
        "insert into privacy_requests (shop_id, request_id, webhook_id, kind, customer_id, orders, state, outcome,
             received_at, due_at, try_at, settled_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (shop_id, webhook_id) do nothing",
        shop,
        request.request_id,
        request.webhook_id,
        request.kind,
        request.customer_id,
        request.orders,
        request.state,
        request.outcome,
        request.received_at,
        request.due_at,
        request.try_at,
        request.settled_at
    )?;
    Ok(inserted > 0)
}
