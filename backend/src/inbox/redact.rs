//! What leads to a person goes before its time.

use crate::db;
use crate::db::{Read, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};

/// The lane of what led to somebody once.
const REDACTED: &str = "redacted";

/// Whether a message about this customer is still to be worked off.
///
/// # Errors
/// Any error of the database.
pub async fn is_waited_for(read: &mut Read, shop: ShopId, customer: CustomerId) -> Result<bool, db::Error> {
    let waiting: Option<(i64,)> = db!(
        read.optional,
        "select cast(1 as bigint) from inbox_messages
         where shop_id = $1 and lane = $2 and state = 'ready' limit 1",
        shop,
        format!("customer:{customer}")
    )?;
    Ok(waiting.is_some())
}

/// Drops the bodies of settled messages about this customer and these orders, and what their lanes say. Says how many
/// messages that were.
///
/// # Errors
/// Any error of the database.
pub async fn redact(
    tx: &mut Tx,
    shop: ShopId,
    customer: CustomerId,
    orders: &[OrderId],
) -> Result<u64, db::Error> {
    let lanes = std::iter::once(format!("customer:{customer}"));
    let mut messages = 0;
    for lane in lanes.chain(orders.iter().map(|order| format!("order:{order}"))) {
        db!(
            tx.execute,
            "delete from inbox_payloads where shop_id = $1 and message_id in (
                 select message_id from inbox_messages where shop_id = $1 and lane = $2 and state <> 'ready')",
            shop,
            lane
        )?;
        messages += db!(
            tx.execute,
            "update inbox_messages set lane = $3 where shop_id = $1 and lane = $2 and state <> 'ready'",
            shop,
            lane,
            REDACTED
        )?;
        db!(tx.execute, "delete from inbox_held_lanes where shop_id = $1 and lane = $2", shop, lane)?;
    }
    Ok(messages)
}
