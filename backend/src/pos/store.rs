//! The tables of devices and of what they did.

use loyalty::Points;
use loyalty::offline::{Act, Code, State};

use super::{Error, Operation, Told};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points;

crate::holds! {
    pos_devices [shop_id, device] of Nobody, kept "as long as the programme" {
        shop_id: Id, device: Plain, next_sequence: Plain,
    }
}
crate::holds! {
    pos_operations [shop_id, device, sequence] of Member("member_id"), kept "as long as the programme" {
        shop_id: Id, device: Plain, sequence: Plain, request: Plain, kind: Plain, member_id: Id, order_id: Plain,
        state: Plain, code: Plain, points: Plain, done_at: Time, settled_at: Time,
    }
}

/// Locks a device, which is known from now on, and says which of its operations comes next.
pub(super) async fn lock_device(tx: &mut Tx, shop: ShopId, device: &str) -> Result<i64, db::Error> {
    db!(
        tx.execute,
        "insert into pos_devices (shop_id, device, next_sequence) values ($1, $2, 1)
         on conflict (shop_id, device) do nothing",
        shop,
        device
    )?;
    let (next,): (i64,) = db!(tx.one,
        sqlite: "select next_sequence from pos_devices where shop_id = $1 and device = $2",
        postgres: "select next_sequence from pos_devices where shop_id = $1 and device = $2 for update",
        shop, device)?;
    Ok(next)
}

/// This operation of a device comes next.
pub(super) async fn set_next(tx: &mut Tx, shop: ShopId, device: &str, next: i64) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update pos_devices set next_sequence = $3 where shop_id = $1 and device = $2",
        shop,
        device,
        next
    )?;
    Ok(())
}

/// What is known of an operation.
pub(super) struct Known {
    pub request: String,
    pub member: Option<MemberId>,
    pub order: Option<OrderId>,
    /// When it was done (UTC); where the till's clock was ahead, when it came.
    pub at: Timestamp,
    pub told: Told,
}

#[derive(sqlx::FromRow)]
struct Row {
    request: String,
    member_id: Option<MemberId>,
    order_id: Option<OrderId>,
    done_at: Timestamp,
    state: String,
    code: String,
    points: Option<i64>,
}

/// An operation that came before.
pub(super) async fn find(
    read: &mut Read,
    shop: ShopId,
    device: &str,
    sequence: i64,
) -> Result<Option<Known>, Error> {
    let found: Option<Row> = db!(
        read.optional,
        "select request, member_id, order_id, done_at, state, code, points from pos_operations
         where shop_id = $1 and device = $2 and sequence = $3",
        shop,
        device,
        sequence
    )?;
    let Some(row) = found else { return Ok(None) };
    let points = row.points.map(Points::new).transpose().map_err(points::Error::from)?;
    let corrupt = points::Error::Corrupt("what became of an operation is not known");
    let (Some(state), Some(code)) = (State::parse(&row.state), Code::parse(&row.code)) else {
        return Err(corrupt.into());
    };
    let Row { request, member_id: member, order_id: order, done_at: at, .. } = row;
    Ok(Some(Known { request, member, order, at, told: Told { state, code, points } }))
}

/// Writes down an operation, and what became of it.
pub(super) async fn insert(
    tx: &mut Tx,
    shop: ShopId,
    (device, operation): (&str, &Operation),
    (request, member): (&str, Option<MemberId>),
    told: &Told,
    now: Timestamp,
) -> Result<(), db::Error> {
    let order = match operation.act {
        Act::Earn { order, .. } => Some(OrderId(order)),
        _ => None,
    };
    db!(
        tx.execute,
        "insert into pos_operations (shop_id, device, sequence, request, kind, member_id, order_id, state, code,
             points, done_at, settled_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        shop,
        device,
        operation.sequence,
        request,
        operation.act.name(),
        member,
        order,
        told.state.as_str(),
        told.code.as_str(),
        told.points.map(Points::get),
        operation.at.min(now),
        now
    )?;
    Ok(())
}

/// What it waited for has come.
pub(super) async fn update(
    tx: &mut Tx,
    shop: ShopId,
    device: &str,
    sequence: i64,
    told: &Told,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update pos_operations set state = $4, code = $5, points = $6, settled_at = $7
         where shop_id = $1 and device = $2 and sequence = $3",
        shop,
        device,
        sequence,
        told.state.as_str(),
        told.code.as_str(),
        told.points.map(Points::get),
        now
    )?;
    Ok(())
}

/// What tills did for one member they did for another.
pub(crate) async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    from: MemberId,
    into: MemberId,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update pos_operations set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    Ok(())
}
