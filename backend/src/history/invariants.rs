//! What must always hold of history, counted: no order is booked and history at once.

use super::store;
use crate::db::Read;
use crate::ids::{OrderId, ShopId};
use crate::points;

/// How many orders are read at a time.
const PAGE: i64 = 2_000;

/// Counts the orders of a shop that are history although they are booked.
///
/// # Errors
/// Any error of the database, or a booking that cannot be read.
pub async fn violations(read: &mut Read, shop: ShopId) -> Result<Vec<(&'static str, i64)>, points::Error> {
    let (mut twice, mut after) = (0, OrderId(i64::MIN));
    loop {
        let page = store::page(read, shop, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.order_id;
        let ids: Vec<OrderId> = page.iter().map(|row| row.order_id).collect();
        twice += points::orders::load(read, shop, &ids).await?.len() as i64;
    }
    Ok(vec![("what_is_booked_is_no_history", twice)])
}
