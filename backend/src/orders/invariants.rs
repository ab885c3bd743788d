//! What must always hold of orders, counted: what is booked for each is what its fold says.

use loyalty::order::standing;

use super::{Error, store};
use crate::db::Read;
use crate::ids::{OrderId, ShopId};
use crate::points::{self, history::Kept};

/// How many orders are read at a time.
const PAGE: i64 = 2_000;

/// Counts the orders of a shop whose booking differs from the fold of their facts and refunds.
///
/// # Errors
/// Any error of the database.
pub async fn violations(tx: &mut Read, shop: ShopId) -> Result<Vec<(&'static str, i64)>, Error> {
    let (mut differing, mut after) = (0, OrderId(i64::MIN));
    loop {
        let page = store::page(tx, shop, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.order;
        let ids: Vec<OrderId> = page.iter().map(|known| known.order).collect();
        let bookings = points::orders::load(tx, shop, &ids).await?;
        for known in &page {
            let (Some(facts), Some(booking)) = (&known.facts, bookings.get(&known.order)) else { continue };
            let gone = known.gone(Some(&booking.earning));
            let standing = standing(facts, &booking.earning, &gone, booking.ripe);
            let target = standing.give(booking.earning.points_after(&gone));
            let kept = known.kept(facts, &gone).map_or(Kept::Nothing, Kept::Paid);
            let is_counted = booking.kept == Kept::Unknown || booking.kept == kept;
            if target != booking.tally.booked || standing != booking.standing || !is_counted {
                differing += 1;
            }
        }
    }
    Ok(vec![("booked_is_the_fold_of_the_order", differing)])
}
