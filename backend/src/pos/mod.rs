//! Tills: what they did while they were offline, told by each in the order in which it did it.
//!
//! A till numbers its operations from 1 on and sends them again until it is told what became of them. Each is acted upon
//! once. One that comes before another is told which one is missing; a till that has lost one says so (`lost`).
//!
//! Points are earned by the order's webhook alone, so an `earn` that comes first waits for it and one that comes later finds
//! it: neither can book a second time. The order's entries name the till as their source because the webhook tells that it
//! was placed there (`source_name`); joining books nothing.

pub mod routes;
mod store;

use jiff::SignedDuration;
use loyalty::Points;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::db::{self, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, OrderId, ShopId};
use crate::{customers, orders, points, sync};

pub(crate) use store::merge;

/// After how long an operation is not acted upon any more: tills forget theirs after a month, too.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long an order may take to become known after it was paid for at a till.
const KNOWN_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a till did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operation {
    /// Its number on the till, from 1.
    pub sequence: i64,
    /// When it was done, by the till's clock (UTC).
    pub at: Timestamp,
    /// What it was.
    #[serde(flatten)]
    pub act: Act,
}

/// What a till can do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Act {
    /// A customer paid for an order, and was promised its points.
    Earn {
        /// Shopify's number of the order.
        order: OrderId,
        /// Shopify's number of the customer.
        customer: CustomerId,
    },
    /// A customer joined the programme.
    Enrol {
        /// Shopify's number of the customer.
        customer: CustomerId,
    },
    /// A reward was asked for.
    Redeem {
        /// Shopify's number of the customer.
        customer: CustomerId,
        /// The reward's id.
        reward: String,
    },
    /// The till has lost what it did under this number.
    Lost,
}

impl Act {
    /// Whose it is, if it is somebody's.
    fn customer(&self) -> Option<CustomerId> {
        match self {
            Act::Earn { customer, .. } | Act::Enrol { customer } | Act::Redeem { customer, .. } => {
                Some(*customer)
            }
            Act::Lost => None,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Act::Earn { .. } => "earn",
            Act::Enrol { .. } => "enrol",
            Act::Redeem { .. } => "redeem",
            Act::Lost => "lost",
        }
    }
}

crate::text_enum! {
    /// What became of an operation.
    pub enum State {
        /// It was acted upon.
        Done = "done",
        /// It waits for something; it is looked at again when it is sent again.
        Waiting = "waiting",
        /// It was not acted upon, and will not be.
        Refused = "refused",
    }
}

crate::text_enum! {
    /// Why.
    pub enum Code {
        /// The order has earned its points.
        Earned = "earned",
        /// The order earned nothing: it came to nothing, or nothing of it counts.
        NothingEarned = "nothing_earned",
        /// The customer is a member.
        Enrolled = "enrolled",
        /// Passed over.
        Lost = "lost",
        /// Shopify has not told of the order yet.
        OrderAwaited = "order_awaited",
        /// Shopify never told of the order.
        OrderUnknown = "order_unknown",
        /// The order names another customer.
        OtherCustomer = "other_customer",
        /// The order names no customer.
        NoCustomer = "no_customer",
        /// Nothing is redeemed offline.
        Offline = "offline",
        /// It is too long ago.
        Stale = "stale",
        /// Operations before it have not come.
        Missing = "missing",
        /// Another operation had its number.
        SequenceReused = "sequence_reused",
    }
}

impl Code {
    /// For a person at the till.
    pub fn words(self) -> &'static str {
        match self {
            Code::Earned => "The order has earned its points.",
            Code::NothingEarned => "The order has earned no points.",
            Code::Enrolled => "The customer is a member.",
            Code::Lost => "The operation was passed over.",
            Code::OrderAwaited => "The points come as soon as Shopify has told of the order.",
            Code::OrderUnknown => "Shopify has not told of this order for a week, so it has earned nothing.",
            Code::OtherCustomer => "The order belongs to another customer, who has its points.",
            Code::NoCustomer => "The order names no customer. Add the customer to the order in Shopify.",
            Code::Offline => "Rewards cannot be redeemed offline: nobody knows how many points are left.",
            Code::Stale => "This was more than 30 days ago and is not acted upon any more.",
            Code::Missing => "Operations before this one have not come yet. Send them first.",
            Code::SequenceReused => "Another operation of this device had this number.",
        }
    }
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
                (Some(order), Some(member)) => earned(tx, shop, (order, member), operation.at, now).await?,
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
    if now - operation.at > STALE_AFTER {
        return Ok((Told::of(State::Refused, Code::Stale), None));
    }
    match &operation.act {
        Act::Lost => Ok((Told::of(State::Done, Code::Lost), None)),
        Act::Redeem { .. } => Ok((Told::of(State::Refused, Code::Offline), None)),
        Act::Enrol { customer } => {
            let member = enrol(tx, shop, *customer, now).await?;
            Ok((Told::of(State::Done, Code::Enrolled), member))
        }
        Act::Earn { order, customer } => {
            let Some(member) = enrol(tx, shop, *customer, now).await? else {
                return Ok((Told::of(State::Refused, Code::NoCustomer), None));
            };
            Ok((earned(tx, shop, (*order, member), operation.at, now).await?, Some(member)))
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
        false if now - at > KNOWN_WITHIN => Told::of(State::Refused, Code::OrderUnknown),
        false => Told::of(State::Waiting, Code::OrderAwaited),
    })
}

fn digest(operation: &Operation) -> Result<String, db::Error> {
    let text = serde_json::to_vec(operation).map_err(db::Error::other)?;
    Ok(hex::encode(Sha256::digest(text)))
}
