//! The bonus for the first order: the fold of all of a member's orders. It belongs to the first that stands, moves on
//! when nothing of that one is left, and comes back with it.

use std::collections::{BTreeSet, HashMap};

use loyalty::order::{Earned, Standing};
use loyalty::program::ReturnPolicy;

use super::{Bonus, Occasion, store};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::orders::{Booking, standing};
use crate::points::{Book, Error, store::points};
use crate::programs::Versioned;

/// The first order of a member that stands.
#[derive(Debug, Clone, Copy)]
pub struct First {
    /// The order.
    pub order: OrderId,
    /// When it was placed (UTC).
    pub placed_at: Timestamp,
    /// What becomes of its points.
    pub standing: Standing,
    /// What was paid for what is left of it, in minor units of the shop's currency.
    pub paid: i64,
    /// What it gives for being the first.
    gives: Earned,
}

/// Books what follows for first orders from what became of these, which are saved. The members are in the book.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn follow_orders(
    tx: &mut Tx,
    book: &mut Book,
    bookings: impl IntoIterator<Item = &Booking>,
    program: &Versioned,
) -> Result<(), Error> {
    let shop = book.shop();
    let moved: Vec<&Booking> = bookings.into_iter().filter(|booking| booking.has_moved()).collect();
    let gives = |booking: &&Booking| booking.first_order.is_positive();
    if program.program.bonuses.first_order.is_none()
        && !moved.iter().any(gives)
        && !store::is_had(tx, shop, Occasion::FirstOrder).await?
    {
        return Ok(());
    }
    let members: BTreeSet<MemberId> = moved.iter().map(|booking| booking.member).collect();
    let members: Vec<MemberId> = members.into_iter().collect();
    let firsts = first_orders(tx, shop, &members).await?;
    let mut had = store::load(tx, shop, Occasion::FirstOrder, &members).await?;
    let mut changed = Vec::new();
    for member in members {
        let first = firsts.get(&member);
        match (had.remove(&member), first) {
            (Some(bonus), first) => changed.push((bonus, first)),
            (None, Some(first)) if first.gives != Earned::default() => {
                changed.push((Bonus::new(Occasion::FirstOrder, member, first.placed_at), Some(first)));
            }
            (None, _) => {}
        }
    }
    changed.retain(|(bonus, first)| {
        let gives = first.map(|first| first.gives).unwrap_or_default();
        bonus.tally.booked != gives || bonus.order != first.map(|first| first.order)
    });
    store::load_lots(tx, book, changed.iter().map(|(bonus, _)| bonus)).await?;
    let mut bonuses = Vec::new();
    for (mut bonus, first) in changed {
        bonus.belong_to(book, first, program.program.returns)?;
        bonuses.push(bonus);
    }
    Ok(store::save(tx, shop, &bonuses).await?)
}

impl Bonus {
    /// The bonus is for this order now.
    pub(super) fn belong_to(
        &mut self,
        book: &mut Book,
        first: Option<&First>,
        policy: ReturnPolicy,
    ) -> Result<(), Error> {
        self.order = first.map(|first| first.order);
        self.occurred_at = first.map_or(self.occurred_at, |first| first.placed_at);
        self.settle(book, first.map(|first| first.gives).unwrap_or_default(), policy)
    }
}

/// Whether the member has the bonus for the first order because of this one.
///
/// # Errors
/// Any error of the database.
pub async fn is_first(read: &mut Read, shop: ShopId, booking: &Booking) -> Result<bool, Error> {
    let bonus =
        store::load(read, shop, Occasion::FirstOrder, &[booking.member]).await?.remove(&booking.member);
    Ok(bonus.is_some_and(|bonus| bonus.order == Some(booking.order)))
}

/// Members of whom more or less is booked for their first order than it gives.
pub(in crate::points) async fn count_wrong_firsts(read: &mut Read, shop: ShopId) -> Result<i64, db::Error> {
    let (count,): (i64,) = db!(
        read.one,
        "select count(*) from (
             select member_id from (
                 select member_id, case when standing = 'waits' then first_order else 0 end as pending,
                     case when standing = 'stands' then first_order else 0 end as posted
                 from (
                     select member_id, standing, first_order,
                         row_number() over (partition by member_id order by placed_at, order_id) as place
                     from points_orders where shop_id = $1 and standing <> 'gone'
                 ) as standing where place = 1
                 union all
                 select member_id, -pending, -posted from points_bonuses
                 where shop_id = $1 and occasion = 'first_order'
             ) as gives_and_had group by member_id having sum(pending) <> 0 or sum(posted) <> 0
         ) as wrong",
        shop
    )?;
    Ok(count)
}

/// The first orders of these members that stand, where they have any.
///
/// # Errors
/// Any error of the database.
pub async fn first_orders(
    tx: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, First>, Error> {
    let rows: Vec<(MemberId, OrderId, Timestamp, String, i64, i64)> = db!(tx.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select o.member_id, o.order_id, o.placed_at, o.standing, o.first_order, o.spent
                 from v join points_orders o on o.shop_id = v.shop_id and o.order_id = (
                     select f.order_id from points_orders f
                     where f.shop_id = v.shop_id and f.member_id = v.member_id and f.standing <> 'gone'
                     order by f.placed_at, f.order_id limit 1)",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select o.* from v cross join lateral (
                       select o.member_id, o.order_id, o.placed_at, o.standing, o.first_order, o.spent
                       from points_orders o
                       where o.shop_id = v.shop_id and o.member_id = v.member_id and o.standing <> 'gone'
                       order by o.placed_at, o.order_id limit 1
                   ) as o",
        |member| shop, *member)?;
    let first = |(member, order, placed_at, stored, amount, paid): (MemberId, _, _, String, i64, _)| {
        let standing = standing(&stored)?;
        Ok((member, First { order, placed_at, standing, paid, gives: standing.give(points(amount)?) }))
    };
    rows.into_iter().map(first).collect()
}
