//! What members earn on one day of the shop, for caps that count by day.

use std::collections::HashMap;

use loyalty::Points;

use super::orders::Booking;
use super::{Error, store};
use crate::db;
use crate::db::{Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};

/// A member and the beginning of a day.
pub type MemberDay = (MemberId, Timestamp);

/// What is booked for the orders of some members and days.
#[derive(Debug, Default)]
pub struct Days(HashMap<MemberDay, HashMap<OrderId, Points>>);

#[derive(sqlx::FromRow)]
struct Row {
    member_id: MemberId,
    day_from: Timestamp,
    order_id: OrderId,
    points: i64,
}

impl Days {
    /// What is booked for these. The members' accounts must be locked: nobody else books for them meanwhile.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn load(tx: &mut Tx, shop: ShopId, days: &[MemberDay]) -> Result<Days, Error> {
        let rows: Vec<Row> = db!(tx.all each days,
            sqlite: "with v (shop_id, member_id, day_from) as (values ($1, $2, $3))
                     select o.member_id, o.day_from, o.order_id, o.pending + o.posted as points
                     from v join points_orders o indexed by points_orders_by_day
                         on o.shop_id = v.shop_id and o.member_id = v.member_id
                         and o.day_from = v.day_from and o.day_from is not null",
            postgres: "with v (shop_id, member_id, day_from) as (
                           select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]))
                       select o.member_id, o.day_from, o.order_id, o.pending + o.posted as points
                       from v join points_orders o on o.shop_id = v.shop_id and o.member_id = v.member_id
                           and o.day_from = v.day_from",
            |day| shop, day.0, day.1)?;
        let mut days = Days::default();
        for row in rows {
            let day = days.0.entry((row.member_id, row.day_from)).or_default();
            day.insert(row.order_id, store::points(row.points)?);
        }
        Ok(days)
    }

    /// What of a day's cap the member's orders have left; never less than nothing.
    pub fn left(&self, day: MemberDay, cap: Points) -> Points {
        let mut booked = self.0.get(&day).into_iter().flat_map(HashMap::values);
        let left = booked.try_fold(cap, |left, points| left.minus(*points));
        left.unwrap_or_default().or_zero()
    }

    /// Takes note of what is booked for an order now.
    pub fn note(&mut self, booking: &Booking) {
        if let (Some(from), Ok(points)) =
            (booking.day_from, booking.tally.booked.pending.plus(booking.tally.booked.posted))
        {
            self.0.entry((booking.member, from)).or_default().insert(booking.order, points);
        }
    }
}
