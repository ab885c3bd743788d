//! The table of privacy requests.

use sqlx::types::Json;
use uuid::Uuid;

use super::{RequestKind, RequestState};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};

crate::holds! {
    privacy_requests [shop_id, request_id] of Customer("customer_id"), kept "for 90 days after they are settled" {
        shop_id: Id, request_id: Id, webhook_id: Plain, kind: Plain, customer_id: Link, orders: Json,
        state: Plain, outcome: Plain, received_at: Time, due_at: Time, settled_at: Time,
    }
}
crate::holds! {
    privacy_exports [shop_id, request_id] of Nobody, kept "for 30 days" {
        shop_id: Id, request_id: Id, made_at: Time, expires_at: Time, document: Sealed,
    }
}

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
        "select request_id, webhook_id, kind, customer_id, orders, state, outcome, received_at, due_at, settled_at
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
             received_at, due_at, settled_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
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
        request.settled_at
    )?;
    Ok(inserted > 0)
}

/// A request of a shop.
///
/// # Errors
/// Any error of the database.
pub async fn request(read: &mut Read, shop: ShopId, request: Uuid) -> Result<Option<Request>, db::Error> {
    db!(
        read.optional,
        "select request_id, webhook_id, kind, customer_id, orders, state, outcome, received_at, due_at, settled_at
         from privacy_requests where shop_id = $1 and request_id = $2",
        shop,
        request
    )
}

/// Settles a request. What of it led to a person goes, except where an export must still be found if they are to be erased.
pub(super) async fn settle(
    tx: &mut Tx,
    shop: ShopId,
    request: Uuid,
    (state, outcome): (RequestState, &str),
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update privacy_requests set state = $3, outcome = $4, settled_at = $5, orders = '[]',
             customer_id = case when kind = 'customers/data_request' then customer_id end
         where shop_id = $1 and request_id = $2",
        shop,
        request,
        state,
        outcome,
        now
    )?;
    Ok(())
}

/// Drops the exports that were made of a customer, and what led from settled requests to them.
pub(super) async fn forget_person(tx: &mut Tx, shop: ShopId, customer: CustomerId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "delete from privacy_exports where shop_id = $1 and request_id in (
             select request_id from privacy_requests where shop_id = $1 and customer_id = $2)",
        shop,
        customer
    )?;
    db!(
        tx.execute,
        "update privacy_requests set customer_id = null
         where shop_id = $1 and customer_id = $2 and settled_at is not null",
        shop,
        customer
    )?;
    Ok(())
}

/// What leads from any request of a shop to a person.
pub(super) async fn forget_people(tx: &mut Tx, shop: ShopId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update privacy_requests set customer_id = null, orders = '[]' where shop_id = $1",
        shop
    )?;
    Ok(())
}

/// Requests of all shops that must be settled before this time and are not.
pub(super) async fn open(read: &mut Read, due_before: Timestamp) -> Result<Vec<(ShopId, Uuid)>, db::Error> {
    db!(
        read.all,
        "select shop_id, request_id from privacy_requests
         where state = 'received' and due_at < $1 order by due_at limit 100",
        due_before
    )
}

/// Keeps what was found for a request, sealed.
pub(super) async fn keep_export(
    tx: &mut Tx,
    shop: ShopId,
    request: Uuid,
    document: &[u8],
    (now, until): (Timestamp, Timestamp),
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into privacy_exports (shop_id, request_id, made_at, expires_at, document)
         values ($1, $2, $3, $4, $5) on conflict (shop_id, request_id) do update set
             made_at = excluded.made_at, expires_at = excluded.expires_at, document = excluded.document",
        shop,
        request,
        now,
        until,
        document
    )?;
    Ok(())
}

/// What was found for a request, sealed, while it is kept.
pub(super) async fn export(
    read: &mut Read,
    shop: ShopId,
    request: Uuid,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, db::Error> {
    let found: Option<(Vec<u8>,)> = db!(
        read.optional,
        "select document from privacy_exports where shop_id = $1 and request_id = $2 and expires_at > $3",
        shop,
        request,
        now
    )?;
    Ok(found.map(|(document,)| document))
}

/// Which exports are kept, of which shops.
pub(super) async fn exports(read: &mut Read) -> Result<Vec<(ShopId, Uuid)>, db::Error> {
    db!(read.all, "select shop_id, request_id from privacy_exports order by shop_id, request_id")
}

/// An export, sealed, whatever time it is, which nobody else writes meanwhile.
pub(super) async fn hold_export(
    tx: &mut Tx,
    shop: ShopId,
    request: Uuid,
) -> Result<Option<Vec<u8>>, db::Error> {
    let found: Option<(Vec<u8>,)> = db!(tx.optional,
        sqlite: "select document from privacy_exports where shop_id = $1 and request_id = $2",
        postgres: "select document from privacy_exports where shop_id = $1 and request_id = $2 for update",
        shop, request)?;
    Ok(found.map(|(document,)| document))
}

/// Replaces an export by the same one, sealed anew.
pub(super) async fn reseal(
    tx: &mut Tx,
    shop: ShopId,
    request: Uuid,
    document: &[u8],
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update privacy_exports set document = $3 where shop_id = $1 and request_id = $2",
        shop,
        request,
        document
    )?;
    Ok(())
}

/// All shops that have requests which are settled.
pub(super) async fn with_settled(read: &mut Read) -> Result<Vec<ShopId>, db::Error> {
    let shops: Vec<(ShopId,)> = db!(
        read.all,
        "select distinct shop_id from privacy_requests where settled_at is not null order by shop_id"
    )?;
    Ok(shops.into_iter().map(|(shop,)| shop).collect())
}

/// Forgets a shop's exports whose time is over, and requests that were settled before `settled_before`.
pub(super) async fn forget(
    tx: &mut Tx,
    shop: ShopId,
    now: Timestamp,
    settled_before: Timestamp,
) -> Result<(), db::Error> {
    db!(tx.execute, "delete from privacy_exports where shop_id = $1 and expires_at <= $2", shop, now)?;
    db!(
        tx.execute,
        "update privacy_requests set customer_id = null
         where shop_id = $1 and settled_at is not null and customer_id is not null and not exists (
             select 1 from privacy_exports e
             where e.shop_id = privacy_requests.shop_id and e.request_id = privacy_requests.request_id)",
        shop
    )?;
    db!(
        tx.execute,
        "delete from privacy_requests where shop_id = $1 and settled_at < $2",
        shop,
        settled_before
    )?;
    Ok(())
}
