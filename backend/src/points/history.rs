//! What members have bought, as their orders count in it: what is left of each, whatever it earned.

use std::collections::HashMap;

use super::orders::Booking;
use crate::db;
use crate::db::{Read, Timestamp};
use crate::ids::{MemberId, OrderId, ShopId};

/// What an order counts for in its member's history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kept {
    /// It was not looked at yet.
    #[default]
    Unknown,
    /// Nothing is left of it.
    Nothing,
    /// So much was paid for what is left, in minor units of the shop's currency.
    Paid(i64),
}

impl Kept {
    /// As it is stored: whether something is left, and what was paid for it.
    pub(super) fn stored(self) -> (Option<bool>, i64) {
        match self {
            Kept::Unknown => (None, 0),
            Kept::Nothing => (Some(false), 0),
            Kept::Paid(paid) => (Some(true), paid),
        }
    }

    /// What was stored.
    pub(super) fn read(kept: Option<bool>, spent: i64) -> Kept {
        match kept {
            None => Kept::Unknown,
            Some(false) => Kept::Nothing,
            Some(true) => Kept::Paid(spent),
        }
    }

    /// How many orders that is, and what was paid for them.
    fn counts(self) -> (i64, i64) {
        match self {
            Kept::Unknown | Kept::Nothing => (0, 0),
            Kept::Paid(paid) => (1, paid),
        }
    }
}

/// What an order changes in its member's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Whose.
    pub member: MemberId,
    /// When the order was placed (UTC).
    pub placed_at: Timestamp,
    /// One order more, none, or one less.
    pub orders: i64,
    /// What was paid more, or less.
    pub spent: i64,
}

impl Booking {
    /// What became of its member's history since it was read.
    pub fn moved_history(&self) -> Option<Moved> {
        let ((orders_before, spent_before), (orders, spent)) =
            (self.kept_before.counts(), self.kept.counts());
        let (orders, spent) = (orders - orders_before, spent - spent_before);
        let moved = Moved { member: self.member, placed_at: self.placed_at, orders, spent };
        ((orders, spent) != (0, 0)).then_some(moved)
    }
}

/// What a member has bought; only of those who have an order of which something is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Bought {
    /// Who.
    pub member_id: MemberId,
    /// When they placed the first of their orders (UTC).
    pub first_order_at: Timestamp,
    /// When they placed the last of their orders (UTC).
    pub last_order_at: Timestamp,
    /// How many those are.
    pub orders: i64,
    /// What they paid for what is left, in minor units of the shop's currency.
    pub spent: i64,
}

impl Bought {
    /// Adds what the same member has bought beside.
    pub fn add(&mut self, other: &Bought) {
        self.first_order_at = self.first_order_at.min(other.first_order_at);
        self.last_order_at = self.last_order_at.max(other.last_order_at);
        self.orders += other.orders;
        self.spent = self.spent.saturating_add(other.spent);
    }
}

/// What these members have bought by orders that are booked.
///
/// # Errors
/// Any error of the database.
pub async fn of(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, Bought>, db::Error> {
    let rows: Vec<Bought> = db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select o.member_id, min(o.placed_at) as first_order_at, max(o.placed_at) as last_order_at, count(*) as orders, sum(o.spent) as spent
                 from v join points_orders o indexed by points_orders_by_member
                     on o.shop_id = v.shop_id and o.member_id = v.member_id
                 where o.kept group by o.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select o.member_id, min(o.placed_at) as first_order_at, max(o.placed_at) as last_order_at, count(*) as orders,
                       sum(o.spent)::bigint as spent
                   from v join points_orders o on o.shop_id = v.shop_id and o.member_id = v.member_id
                   where o.kept group by o.member_id",
        |member| shop, *member)?;
    Ok(rows.into_iter().map(|row| (row.member_id, row)).collect())
}

/// What a member did at a moment that tiers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Did {
    /// When (UTC).
    pub at: Timestamp,
    /// The points that it earned and that have arrived, less what was taken back.
    pub points: i64,
    /// What was paid for what is left, in minor units of the shop's currency.
    pub spent: i64,
}

/// The orders that a member placed from then on, as they are booked, and the occasions for which they had a bonus.
///
/// # Errors
/// Any error of the database.
pub async fn since(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
    from: Timestamp,
) -> Result<Vec<Did>, db::Error> {
    let mut all: Vec<Did> = db!(
        read.all,
        "select placed_at as at, posted as points, spent from points_orders
         where shop_id = $1 and member_id = $2 and placed_at >= $3",
        shop,
        member,
        from
    )?;
    all.extend(super::bonuses::since(read, shop, member, from).await?);
    Ok(all)
}

/// What the members who come next after one of them have bought by booked orders that were placed before then.
///
/// # Errors
/// Any error of the database.
pub async fn until(
    read: &mut Read,
    shop: ShopId,
    before: Timestamp,
    after: MemberId,
    most: i64,
) -> Result<Vec<Bought>, db::Error> {
    db!(
        read.all,
        "select member_id, min(placed_at) as first_order_at, max(placed_at) as last_order_at, count(*) as orders,
             cast(sum(spent) as bigint) as spent
         from points_orders where shop_id = $1 and member_id > $2 and placed_at < $3 and kept
         group by member_id order by member_id limit $4",
        shop,
        after,
        before,
        most
    )
}

/// When the members who come next after one of them, so many at most, placed their orders of which something is left:
/// member by member, in the order of the times.
///
/// # Errors
/// Any error of the database.
pub async fn placed(
    read: &mut Read,
    shop: ShopId,
    after: MemberId,
    most: i64,
) -> Result<Vec<(MemberId, Timestamp)>, db::Error> {
    db!(
        read.all,
        "select o.member_id, o.placed_at
         from (select distinct member_id from points_orders where shop_id = $1 and member_id > $2 and kept
               order by member_id limit $3) as next
         join points_orders o on o.shop_id = $1 and o.member_id = next.member_id
         where o.kept order by o.member_id, o.placed_at",
        shop,
        after,
        most
    )
}

/// How many members have a booked order of which something is left.
///
/// # Errors
/// Any error of the database.
pub async fn buyers(read: &mut Read, shop: ShopId) -> Result<i64, db::Error> {
    let (buyers,): (i64,) = db!(
        read.one,
        "select count(distinct member_id) from points_orders where shop_id = $1 and kept",
        shop
    )?;
    Ok(buyers)
}

/// Orders from before they were counted, which come next after one of them.
///
/// # Errors
/// Any error of the database.
pub async fn uncounted(
    read: &mut Read,
    shop: ShopId,
    after: OrderId,
    most: i64,
) -> Result<Vec<OrderId>, db::Error> {
    let orders: Vec<(OrderId,)> = db!(
        read.all,
        "select order_id from points_orders
         where shop_id = $1 and kept is null and order_id > $2 order by order_id limit $3",
        shop,
        after,
        most
    )?;
    Ok(orders.into_iter().map(|(order,)| order).collect())
}
