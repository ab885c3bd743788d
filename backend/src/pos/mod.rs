//! Tills: what they did while they were offline, told by each in the order in which it did it.
//!
//! A till numbers its operations from 1 on and sends them again until it is told what became of them. Each is acted upon
//! once. One that comes before another is told which one is missing; a till that has lost one says so (`lost`).
//!
//! What a till may do, how much of it at a time and what it is told are rules (`loyalty::offline`), which tills have, too.
//!
//! Points are earned by the order's webhook alone, so an `earn` that comes first waits for it and one that comes later finds
//! it: neither can book a second time. The order's entries name the till as their source because the webhook tells that it
//! was placed there (`source_name`); joining books nothing.

pub mod routes;
mod store;

use jiff::SignedDuration;
use loyalty::Points;
use loyalty::offline::{Act, Code, KNOWN_WITHIN, STALE_AFTER, State};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::db::{self, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, OrderId, ShopId};
use crate::{customers, orders, points, sync};

pub(crate) use store::merge;

/// What a till did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operation {
    /// Its number on the till, from 1.
    pub sequence: i64,
    /// When it was done, by the till's clock (UTC), which may be ahead.
    pub at: Timestamp,
    /// What it was.
    #[serde(flatten)]
    pub act: Act,
}

/// What became of an operation, as its till is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// What.
    pub state: State,
    /// Why.
    pub code: Code,
    /// The points that the order earned, waiting ones among them.
    pub points: Option<Points>,
}

impl Told {
    fn of(state: State, code: Code) -> Told {
        Told { state, code, points: None }
    }
}

/// What can go wrong with an operation, besides itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The points.
    #[error(transparent)]
    Points(#[from] points::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// Acts upon the operation of a device if it is its turn, or says what became of it before; and which one comes next.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn take(
    tx: &mut Tx,
    shop: ShopId,
    device: &str,
    operation: &Operation,
    now: Timestamp,
) -> Result<(Told, i64), Error> {
    let request = digest(operation)?;
    // Whoever sends operations of the same device waits here.
    let next = store::lock_device(tx, shop, device).await?;
    if operation.sequence > next {
        return Ok((Told::of(State::Refused, Code::Missing), next));
    }
    if operation.sequence == next {
        let (told, member) = act(tx, shop, operation, now).await?;
        store::insert(tx, shop, (device, operation), (&request, member), &told, now).await?;
        store::set_next(tx, shop, device, next + 1).await?;
        return Ok((told, next + 1));
    }
    let known = store::find(tx, shop, device, operation.sequence).await?;
    let told = match known {
        Some(known) if known.request != request => Told::of(State::Refused, Code::SequenceReused),
        Some(known) if known.told.state != State::Waiting => known.told,
        Some(known) => {
            let told = match (known.order, known.member) {
                (Some(order), Some(member)) => earned(tx, shop, (order, member), known.at, now).await?,
                _ => known.told,
            };
            if told != known.told {
                store::update(tx, shop, device, operation.sequence, &told, now).await?;
            }
            told
        }
        None => Told::of(State::Refused, Code::Missing),
    };
    Ok((told, next))
}

/// Acts upon an operation whose turn it is, and says whose it was.
async fn act(
    tx: &mut Tx,
    shop: ShopId,
    operation: &Operation,
    now: Timestamp,
) -> Result<(Told, Option<MemberId>), Error> {
    if now - operation.at > SignedDuration::from_millis(STALE_AFTER) {
        return Ok((Told::of(State::Refused, Code::Stale), None));
    }
    match &operation.act {
        Act::Lost => Ok((Told::of(State::Done, Code::Lost), None)),
        Act::Redeem { .. } => Ok((Told::of(State::Refused, Code::Offline), None)),
        Act::Enrol { customer } => {
            let member = enrol(tx, shop, CustomerId(*customer), now).await?;
            Ok((Told::of(State::Done, Code::Enrolled), member))
        }
        Act::Earn { order, customer } => {
            let Some(member) = enrol(tx, shop, CustomerId(*customer), now).await? else {
                return Ok((Told::of(State::Refused, Code::NoCustomer), None));
            };
            let at = operation.at.min(now);
            Ok((earned(tx, shop, (OrderId(*order), member), at, now).await?, Some(member)))
        }
    }
}

async fn enrol(
    tx: &mut Tx,
    shop: ShopId,
    customer: CustomerId,
    now: Timestamp,
) -> Result<Option<MemberId>, db::Error> {
    let known = customers::member(tx, shop, customer).await?;
    let member = customers::enrol(tx, shop, &[customer], now).await?.remove(&customer);
    if let (None, Some(member)) = (known, member) {
        sync::mark(tx, shop, &[member], now).await?;
    }
    Ok(member)
}

/// What the order's webhook has booked by now.
async fn earned(
    tx: &mut Tx,
    shop: ShopId,
    (order, member): (OrderId, MemberId),
    at: Timestamp,
    now: Timestamp,
) -> Result<Told, Error> {
    if let Some(booking) = points::orders::load(tx, shop, &[order]).await?.remove(&order) {
        if booking.member != member {
            return Ok(Told::of(State::Refused, Code::OtherCustomer));
        }
        let points =
            booking.tally.booked.pending.plus(booking.tally.booked.posted).map_err(points::Error::from)?;
        let code = if points.is_positive() { Code::Earned } else { Code::NothingEarned };
        return Ok(Told { points: Some(points), ..Told::of(State::Done, code) });
    }
    Ok(match orders::is_known(tx, shop, order).await? {
        true => Told::of(State::Refused, Code::NoCustomer),
        false if now - at > SignedDuration::from_millis(KNOWN_WITHIN) => {
            Told::of(State::Refused, Code::OrderUnknown)
        }
        false => Told::of(State::Waiting, Code::OrderAwaited),
    })
}

fn digest(operation: &Operation) -> Result<String, db::Error> {
    let text = serde_json::to_vec(operation).map_err(db::Error::other)?;
    Ok(hex::encode(Sha256::digest(text)))
}
