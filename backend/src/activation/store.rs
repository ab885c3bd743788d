//! What was put into shops, and who is at it.

use uuid::Uuid;

use super::{Code, Kind};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::ShopId;

crate::holds! {
    activation_things [shop_id, kind] of Nobody, kept "as long as the programme" {
        shop_id: Id, kind: Plain, discount_id: Plain, problem: Plain, changed_at: Time,
    }
}
crate::holds! {
    activation_leases [shop_id] of Nobody, kept "as long as the programme" {
        shop_id: Id, lease: Id, until: Time,
    }
}

/// What is known of a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Shopify's global id of the one that we made or found, whether or not it is still there.
    pub discount_id: Option<String>,
    /// Why it could not be made or put right the last time.
    pub problem: Option<Code>,
}

/// What is known of a thing of a shop.
///
/// # Errors
/// Any error of the database.
pub(super) async fn known(read: &mut Read, shop: ShopId, kind: Kind) -> Result<Known, db::Error> {
    let found: Option<(Option<String>, Option<String>)> = db!(
        read.optional,
        "select discount_id, problem from activation_things where shop_id = $1 and kind = $2",
        shop,
        kind
    )?;
    let (discount_id, problem) = found.unwrap_or_default();
    // A reason that only a newer program knows is none to this one.
    Ok(Known { discount_id, problem: problem.as_deref().and_then(Code::parse) })
}

/// Notes what is known of a thing.
///
/// # Errors
/// Any error of the database.
pub(super) async fn note(
    tx: &mut Tx,
    shop: ShopId,
    kind: Kind,
    known: &Known,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into activation_things (shop_id, kind, discount_id, problem, changed_at)
         values ($1, $2, $3, $4, $5) on conflict (shop_id, kind) do update set
             discount_id = excluded.discount_id, problem = excluded.problem, changed_at = excluded.changed_at",
        shop,
        kind,
        known.discount_id.as_deref(),
        known.problem.map(Code::as_str),
        now
    )?;
    Ok(())
}

/// Takes a shop's lease if nobody has it, and says whether it did.
///
/// # Errors
/// Any error of the database.
pub(super) async fn lease(
    tx: &mut Tx,
    shop: ShopId,
    lease: Uuid,
    (now, until): (Timestamp, Timestamp),
) -> Result<bool, db::Error> {
    let taken = db!(
        tx.execute,
        "insert into activation_leases (shop_id, lease, until) values ($1, $2, $3)
         on conflict (shop_id) do update set lease = excluded.lease, until = excluded.until
         where activation_leases.until <= $4",
        shop,
        lease,
        until,
        now
    )?;
    Ok(taken > 0)
}

/// Prolongs a lease that still stands, and says whether it did; the row is locked until the transaction ends.
///
/// # Errors
/// Any error of the database.
pub(super) async fn renew(
    tx: &mut Tx,
    shop: ShopId,
    lease: Uuid,
    until: Timestamp,
) -> Result<bool, db::Error> {
    let renewed = db!(
        tx.execute,
        "update activation_leases set until = $3 where shop_id = $1 and lease = $2",
        shop,
        lease,
        until
    )?;
    Ok(renewed > 0)
}

/// Gives a lease back.
///
/// # Errors
/// Any error of the database.
pub(super) async fn release(tx: &mut Tx, shop: ShopId, lease: Uuid) -> Result<(), db::Error> {
    db!(tx.execute, "delete from activation_leases where shop_id = $1 and lease = $2", shop, lease)?;
    Ok(())
}
