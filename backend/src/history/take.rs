//! Orders become history, follow what is told of them later, and stop being history when they are booked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::past::Past;
use super::store::{self, Row};
use crate::db::{self, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, OrderId, ShopId};
use crate::points::history::Moved;
use crate::{customers, orders, rfm, sync};

/// What became of orders that a file tells of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// They are history, and now as they were told at least.
    pub taken: i64,
    /// Customers who became members by them.
    pub new_members: i64,
    /// They are booked, or nothing may lead to their customers any more.
    pub passed_by: i64,
    /// Those that were not known, or not as new as they are told now.
    pub written: HashSet<OrderId>,
}

/// Takes orders that a file tells of, one of Shopify's or, as a batch, a merchant's. Of one that is known, the newer facts stay.
/// Members are in the segments that follow.
///
/// # Errors
/// Any error of the database.
pub async fn take(
    tx: &mut Tx,
    shop: ShopId,
    told: &[Past],
    batch: Option<Uuid>,
    now: Timestamp,
) -> Result<Taken, db::Error> {
    let mut orders: Vec<(OrderId, CustomerId)> =
        told.iter().map(|past| (past.order, past.customer)).collect();
    orders.sort_unstable();
    orders.dedup_by_key(|(order, _)| *order);
    let open = orders::lock_for_history(tx, shop, &orders).await?;
    let passed_by = (orders.len() - open.len()) as i64;
    let told: Vec<Past> = told.iter().filter(|past| open.contains(&past.order)).copied().collect();
    let customers: BTreeSet<CustomerId> = told.iter().map(|past| past.customer).collect();
    let customers: Vec<CustomerId> = customers.into_iter().collect();
    let (members, new) = customers::enrol_and_stay(tx, shop, &customers, now).await?;
    let (written, moved) = write(tx, shop, &told, &members, batch).await?;
    let mut marked: BTreeSet<MemberId> = rfm::follow(tx, shop, moved, now).await?.into_iter().collect();
    marked.extend(&new);
    sync::mark(tx, shop, &marked.into_iter().collect::<Vec<_>>(), now).await?;
    Ok(Taken { taken: open.len() as i64, new_members: new.len() as i64, passed_by, written })
}

/// Takes orders whose rows are locked, and whose customers are members that nobody merges. Of one that is known, the newer
/// facts stay. Says what members have bought more or less by that.
///
/// # Errors
/// Any error of the database.
pub async fn note(
    tx: &mut Tx,
    shop: ShopId,
    told: &[Past],
    members: &HashMap<CustomerId, MemberId>,
) -> Result<Vec<Moved>, db::Error> {
    Ok(write(tx, shop, told, members, None).await?.1)
}

/// As [`note`], and which orders were written.
async fn write(
    tx: &mut Tx,
    shop: ShopId,
    told: &[Past],
    members: &HashMap<CustomerId, MemberId>,
    batch: Option<Uuid>,
) -> Result<(HashSet<OrderId>, Vec<Moved>), db::Error> {
    if told.is_empty() {
        return Ok((HashSet::new(), Vec::new()));
    }
    let told = newest(told);
    let known = store::load(tx, shop, &told.keys().copied().collect::<Vec<_>>()).await?;
    let (mut rows, mut all) = (Vec::new(), Vec::new());
    for (order, past) in &told {
        let known = known.get(order);
        let member = known.map(|known| known.member_id).or_else(|| members.get(&past.customer).copied());
        let Some(member) = member.filter(|_| known.is_none_or(|known| known.as_of < past.as_of)) else {
            continue;
        };
        let row = Row::of(past, member, batch);
        // A webhook tells when an order was made at Shopify, a file when it was placed, elsewhere perhaps.
        let row = Row { placed_at: known.map_or(row.placed_at, |known| known.placed_at), ..row };
        all.extend(moved(known, Some(&row)));
        rows.push(row);
    }
    store::save(tx, shop, &rows).await?;
    Ok((rows.iter().map(|row| row.order_id).collect(), all))
}

/// These orders, whose rows are locked, are booked: they are history no more. Says what members have bought less by that.
///
/// # Errors
/// Any error of the database.
pub async fn booked(tx: &mut Tx, shop: ShopId, orders: &[OrderId]) -> Result<Vec<Moved>, db::Error> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let gone = store::delete(tx, shop, orders).await?;
    Ok(gone.iter().filter_map(|row| moved(Some(row), None)).collect())
}

/// Takes up to so many orders out that are still as a batch told them, and says how many; none once there are no more. Members
/// are in the segments that follow.
///
/// # Errors
/// Any error of the database.
pub async fn take_back(
    tx: &mut Tx,
    shop: ShopId,
    batch: Uuid,
    most: i64,
    now: Timestamp,
) -> Result<Option<i64>, db::Error> {
    let ids = store::of_batch(tx, shop, batch, most).await?;
    if ids.is_empty() {
        return Ok(None);
    }
    orders::hold(tx, shop, &ids).await?;
    let whose = loop {
        let rows = store::load(tx, shop, &ids).await?;
        let mut members: Vec<MemberId> = rows.values().map(|row| row.member_id).collect();
        members.sort_unstable();
        members.dedup();
        if customers::stay(tx, shop, &members).await? {
            break rows;
        }
    };
    let ours: Vec<OrderId> =
        whose.values().filter(|row| row.batch_id == Some(batch)).map(|row| row.order_id).collect();
    let gone = store::delete(tx, shop, &ours).await?;
    let moved = gone.iter().filter_map(|row| moved(Some(row), None));
    let changed = rfm::follow(tx, shop, moved, now).await?;
    sync::mark(tx, shop, &changed, now).await?;
    Ok(Some(gone.len() as i64))
}

/// What is told last of each order.
fn newest(told: &[Past]) -> BTreeMap<OrderId, Past> {
    let mut newest: BTreeMap<OrderId, Past> = BTreeMap::new();
    for past in told {
        let known = newest.entry(past.order).or_insert(*past);
        if known.as_of < past.as_of {
            *known = *past;
        }
    }
    newest
}

/// What a member has bought more, or less, because an order counts in another way than before.
fn moved(before: Option<&Row>, now: Option<&Row>) -> Option<Moved> {
    let Row { member_id: member, placed_at, .. } = *now.or(before)?;
    let counts = |row: Option<&Row>| row.map_or((0, 0), |row| (i64::from(row.kept), row.spent));
    let ((orders_before, spent_before), (orders, spent)) = (counts(before), counts(now));
    let (orders, spent) = (orders - orders_before, spent - spent_before);
    ((orders, spent) != (0, 0)).then_some(Moved { member, placed_at, orders, spent })
}
