//! What leads to a person goes before its time.

use crate::db;
use crate::db::{Read, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};

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
    let customer = std::iter::once(format!("customer:{customer}"));
    let lanes: Vec<String> = customer.chain(orders.iter().map(|order| format!("order:{order}"))).collect();
    db!(tx.each lanes,
        sqlite: "with v (shop_id, lane) as (values ($1, $2))
                 delete from inbox_payloads where (shop_id, message_id) in (
                     select m.shop_id, m.message_id from v join inbox_messages m indexed by inbox_messages_settled_lane
                         on m.shop_id = v.shop_id and m.lane = v.lane where m.state <> 'ready')",
        postgres: "with v (shop_id, lane) as (select * from unnest($1::uuid[], $2::text[]))
                   delete from inbox_payloads where (shop_id, message_id) in (
                       select m.shop_id, m.message_id from v join inbox_messages m
                           on m.shop_id = v.shop_id and m.lane = v.lane where m.state <> 'ready')",
        |lane| shop, lane.as_str())?;
    db!(tx.each lanes,
        sqlite: "with v (shop_id, lane) as (values ($1, $2))
                 delete from inbox_held_lanes where (shop_id, lane) in (select shop_id, lane from v)",
        postgres: "with v (shop_id, lane) as (select * from unnest($1::uuid[], $2::text[]))
                   delete from inbox_held_lanes where (shop_id, lane) in (select shop_id, lane from v)",
        |lane| shop, lane.as_str())?;
    db!(tx.each lanes,
        sqlite: "with v (shop_id, lane) as (values ($1, $2))
                 update inbox_messages set lane = 'redacted' where (shop_id, message_id) in (
                     select m.shop_id, m.message_id from v join inbox_messages m indexed by inbox_messages_settled_lane
                         on m.shop_id = v.shop_id and m.lane = v.lane where m.state <> 'ready')",
        postgres: "with v (shop_id, lane) as (select * from unnest($1::uuid[], $2::text[]))
                   update inbox_messages set lane = 'redacted'
                   where state <> 'ready' and (shop_id, lane) in (select shop_id, lane from v)",
        |lane| shop, lane.as_str())
}
