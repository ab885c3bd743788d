//! What a shop's orders would have earned by other rules: a look, nothing is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use loyalty::line::LineNow;
use loyalty::multiplier::Labels;
use loyalty::price::Circumstances;
use loyalty::{Expiry, Points, Program};
use serde::Serialize;

use super::Error;
use super::store::{self, Known};
use crate::db::{Read, Timestamp};
use crate::ids::{CustomerId, MemberId, OrderId, ShopId};
use crate::points::orders::Booking;
use crate::points::{self, Calendar};
use crate::{campaigns, merchants, products};

/// The newest orders of a shop that are looked at, at most.
const MOST: usize = 5_000;
/// How many are read at a time.
const PAGE: i64 = 1_000;
/// How many of the biggest changes are shown.
const SHOWN: usize = 20;

/// What a shop's newest orders earn, and would earn by other rules.
#[derive(Debug, Default, Serialize)]
pub struct Preview {
    /// How many orders were looked at.
    pub orders: usize,
    /// Whether that were all of the time asked for; else only the newest.
    pub complete: bool,
    /// How many of them are not compared: nothing is booked for them, or their lines were never kept.
    pub left_out: usize,
    /// What they earn, as of now.
    pub points_now: i64,
    /// What they would earn.
    pub points_then: i64,
    /// How many members would have more or fewer points.
    pub members_affected: usize,
    /// The orders that change most, those first.
    pub biggest: Vec<OrderChange>,
    /// Collections and tags that were never read, and so have no products yet.
    pub unread: Vec<String>,
}

/// What an order earns, and would earn by other rules.
#[derive(Debug, Clone, Serialize)]
pub struct OrderChange {
    /// Shopify's number of it.
    pub order: OrderId,
    /// Whose it is.
    pub customer: Option<CustomerId>,
    /// What it earns, as of now.
    pub now: i64,
    /// What it would earn.
    pub then: i64,
}

/// Prices the shop's orders since a time by other settings, oldest first, in today's collections, with today's tags and
/// tiers. What came back stays back; who was a guest then is one.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn preview(
    read: &mut Read,
    shop: ShopId,
    program: &Program,
    since: Timestamp,
) -> Result<Preview, Error> {
    let (known, complete) = newest(read, shop, since).await?;
    let calendar = Calendar::new(since, merchants::zone(read, shop).await?, Expiry::default());
    let lines = known.iter().filter_map(|known| known.latest.as_ref()).flat_map(|latest| &latest.lines);
    let bought: BTreeSet<i64> = lines.filter_map(|line| line.product).collect();
    let labels = products::labels(read, shop, &bought, [&program.earn]).await?;
    let mut bookings = HashMap::new();
    for page in known.chunks(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
        let ids: Vec<OrderId> = page.iter().map(|known| known.order).collect();
        bookings.extend(points::orders::load(read, shop, &ids).await?);
    }

    let members: BTreeSet<MemberId> = bookings.values().map(|booking| booking.member).collect();
    let tiers = campaigns::tiers(read, shop, &members.into_iter().collect::<Vec<_>>()).await?;

    let mut preview = Preview { orders: known.len(), complete, ..Preview::default() };
    preview.unread = products::unread(read, shop, &program.earn).await?;
    let mut days: HashMap<(MemberId, Timestamp), Points> = HashMap::new();
    let mut members: BTreeMap<MemberId, i64> = BTreeMap::new();
    let mut changes = Vec::new();
    for order in &known {
        let (Some(booking), Some(latest), Some(placed_at)) =
            (bookings.get(&order.order), &order.latest, order.placed_at)
        else {
            preview.left_out += 1;
            continue;
        };
        let earned = days.entry((booking.member, calendar.day_start(placed_at))).or_default();
        let day_left = program.earn.day_cap.map(|cap| cap.minus(*earned).unwrap_or_default().or_zero());
        let about = Circumstances {
            day_left,
            labels: of_lines(&labels, &latest.lines),
            guest: booking.circumstances.guest,
            tier: tiers.get(&booking.member).cloned(),
            placed: calendar.minute(placed_at),
        };
        let then = stands(order, program, &latest.lines, &about)?;
        *earned = earned.plus(then).map_err(points::Error::from)?;
        let (now, then) = (booked(booking), then.get());
        preview.points_now += now;
        preview.points_then += then;
        *members.entry(booking.member).or_default() += then - now;
        if now != then {
            changes.push(OrderChange { order: order.order, customer: order.customer, now, then });
        }
    }
    preview.members_affected = members.values().filter(|change| **change != 0).count();
    changes.sort_by_key(|change| (-(change.then - change.now).abs(), change.order));
    changes.truncate(SHOWN);
    preview.biggest = changes;
    Ok(preview)
}

/// The shop's newest orders since a time, oldest first, and whether that are all. Newer orders have greater numbers.
async fn newest(read: &mut Read, shop: ShopId, since: Timestamp) -> Result<(Vec<Known>, bool), Error> {
    let (mut found, mut before) = (Vec::new(), OrderId(i64::MAX));
    loop {
        let page = store::newest(read, shop, before, PAGE).await?;
        let Some(last) = page.last() else { break };
        before = last.order;
        let is_last = page.iter().all(|known| known.placed_at.is_some_and(|placed| placed < since));
        found.extend(page.into_iter().filter(|known| known.placed_at.is_some_and(|placed| placed >= since)));
        if is_last || found.len() > MOST {
            break;
        }
    }
    let complete = found.len() <= MOST;
    found.truncate(MOST);
    found.sort_by_key(|known| (known.placed_at, known.order));
    Ok((found, complete))
}

/// What would stand of an order now.
fn stands(
    order: &Known,
    program: &Program,
    lines: &[LineNow],
    about: &Circumstances,
) -> Result<Points, Error> {
    if order.facts.is_none_or(|facts| facts.is_void()) {
        return Ok(Points::ZERO);
    }
    let earning = program.price(lines, about).map_err(points::Error::from)?;
    Ok(earning.points_after(&order.gone(Some(&earning))))
}

fn booked(booking: &Booking) -> i64 {
    booking.tally.booked.pending.get() + booking.tally.booked.posted.get()
}

fn of_lines(labels: &BTreeMap<i64, Labels>, lines: &[LineNow]) -> BTreeMap<i64, Labels> {
    let products = lines.iter().filter_map(|line| line.product);
    products.filter_map(|product| Some((product, labels.get(&product)?.clone()))).collect()
}
