//! The table of orders.

use std::collections::{HashMap, HashSet};

use loyalty::line::LineNow;
use loyalty::order::{Facts, Used};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::Refunds;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{CustomerId, OrderId, ShopId};

crate::holds! {
    orders_orders [shop_id, order_id] of Customer("customer_id"), kept "as long as the programme: returns may come" {
        shop_id: Id, order_id: Plain, customer_id: Link, placed_at: Time, facts: Json, refunds: Json, latest: Json,
        erased: Plain,
    }
}

/// What is known of an order.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub order: OrderId,
    pub customer: Option<CustomerId>,
    /// What led to its customer was erased; nothing leads there again.
    pub erased: bool,
    pub placed_at: Option<Timestamp>,
    /// None until the order itself came.
    pub facts: Option<Facts>,
    /// What those facts told of its lines; none of an order that was last seen before this was kept.
    pub latest: Option<Latest>,
    pub refunds: Refunds,
}

/// An order's lines and our discount on it, as its newest facts tell them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Latest {
    /// From when this is, in microseconds since 1970 (UTC).
    pub as_of: i64,
    pub lines: Vec<LineNow>,
    /// What the discount that points buy takes off now.
    pub used: Used,
    /// The titles under which it was ever known: a program may be renamed.
    pub titles: Vec<String>,
    /// The newest lines that were paid for, and from when they are, where an edit has changed them since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<(i64, Vec<LineNow>)>,
}

#[derive(sqlx::FromRow)]
struct Row {
    order_id: OrderId,
    customer_id: Option<CustomerId>,
    erased: bool,
    placed_at: Option<Timestamp>,
    facts: Option<Json<Facts>>,
    latest: Option<Json<Latest>>,
    refunds: Json<Refunds>,
}

impl From<Row> for Known {
    fn from(row: Row) -> Known {
        Known {
            order: row.order_id,
            customer: row.customer_id,
            erased: row.erased,
            placed_at: row.placed_at,
            facts: row.facts.map(|facts| facts.0),
            latest: row.latest.map(|latest| latest.0),
            refunds: row.refunds.0,
        }
    }
}

/// Locks these orders, known or not, and reads what is known of them.
pub(super) async fn lock(
    tx: &mut Tx,
    shop: ShopId,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Known>, db::Error> {
    let mut orders = orders.to_vec();
    // In one order everywhere, so that two workers never wait for each other.
    orders.sort_unstable();
    orders.dedup();
    // New rows first: a worker that holds locks must not wait for another's new row.
    db!(tx.each orders,
        sqlite: "insert into orders_orders (shop_id, order_id, refunds) values ($1, $2, '{}')
                 on conflict (shop_id, order_id) do nothing",
        postgres: "insert into orders_orders (shop_id, order_id, refunds)
                   select shop_id, order_id, '{}' from unnest($1::uuid[], $2::bigint[]) as v (shop_id, order_id)
                   on conflict (shop_id, order_id) do nothing",
        |order| shop, *order)?;
    let rows = select(tx, shop, &orders).await?;
    Ok(rows.into_iter().map(|row| (row.order_id, Known::from(row))).collect())
}

/// Locks these orders, which a file tells of with their customers, and gives those that may be history: nothing else was told of
/// them, and nothing of them was erased.
///
/// # Errors
/// Any error of the database.
pub async fn lock_for_history(
    tx: &mut Tx,
    shop: ShopId,
    orders: &[(OrderId, CustomerId)],
) -> Result<HashSet<OrderId>, db::Error> {
    let mut orders = orders.to_vec();
    orders.sort_unstable();
    db!(tx.each orders,
        sqlite: "insert into orders_orders (shop_id, order_id, customer_id, refunds) values ($1, $2, $3, '{}')
                 on conflict (shop_id, order_id) do update
                     set customer_id = coalesce(orders_orders.customer_id, excluded.customer_id)
                     where orders_orders.facts is null and not orders_orders.erased",
        postgres: "insert into orders_orders (shop_id, order_id, customer_id, refunds)
                   select shop_id, order_id, customer_id, '{}'
                   from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as v (shop_id, order_id, customer_id)
                   on conflict (shop_id, order_id) do update
                       set customer_id = coalesce(orders_orders.customer_id, excluded.customer_id)
                       where orders_orders.facts is null and not orders_orders.erased",
        |one| shop, one.0, one.1)?;
    let open: Vec<(OrderId,)> = db!(tx.all each orders,
        sqlite: "with v (shop_id, order_id) as (values ($1, $2))
                 select o.order_id from v join orders_orders o on o.shop_id = v.shop_id and o.order_id = v.order_id
                 where o.facts is null and not o.erased",
        postgres: "with v (shop_id, order_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select o.order_id from v join orders_orders o on o.shop_id = v.shop_id and o.order_id = v.order_id
                   where o.facts is null and not o.erased",
        |one| shop, one.0)?;
    Ok(open.into_iter().map(|(order,)| order).collect())
}

/// Locks the rows of these orders.
///
/// # Errors
/// Any error of the database.
pub async fn hold(tx: &mut Tx, shop: ShopId, orders: &[OrderId]) -> Result<(), db::Error> {
    select(tx, shop, orders).await.map(drop)
}

async fn select(tx: &mut Tx, shop: ShopId, orders: &[OrderId]) -> Result<Vec<Row>, db::Error> {
    db!(tx.all each orders,
        sqlite: "with v (shop_id, order_id) as (values ($1, $2))
                 select o.* from v join orders_orders o on o.shop_id = v.shop_id and o.order_id = v.order_id",
        postgres: "with v (shop_id, order_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select o.* from v join orders_orders o on o.shop_id = v.shop_id and o.order_id = v.order_id
                   order by o.order_id for update of o",
        |order| shop, *order)
}

/// Writes what is known of these orders.
pub(super) async fn save(tx: &mut Tx, shop: ShopId, orders: &[&Known]) -> Result<(), db::Error> {
    db!(tx.each orders,
        sqlite: "insert into orders_orders (shop_id, order_id, customer_id, placed_at, facts, latest, refunds)
                 values ($1, $2, $3, $4, $5, $6, $7)
                 on conflict (shop_id, order_id) do update set customer_id = excluded.customer_id,
                     placed_at = excluded.placed_at, facts = excluded.facts, latest = excluded.latest,
                     refunds = excluded.refunds",
        postgres: "insert into orders_orders (shop_id, order_id, customer_id, placed_at, facts, latest, refunds)
                   select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::jsonb[],
                       $6::jsonb[], $7::jsonb[])
                   on conflict (shop_id, order_id) do update set customer_id = excluded.customer_id,
                       placed_at = excluded.placed_at, facts = excluded.facts, latest = excluded.latest,
                       refunds = excluded.refunds",
        |o| shop, o.order, o.customer, o.placed_at, o.facts.map(Json), o.latest.as_ref().map(Json),
            Json(&o.refunds))?;
    Ok(())
}

/// The customer of each of these orders, where it is known.
pub(super) async fn customers(
    tx: &mut Read,
    shop: ShopId,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, CustomerId>, db::Error> {
    let rows: Vec<(OrderId, CustomerId)> = db!(tx.all each orders,
        sqlite: "with v (shop_id, order_id) as (values ($1, $2))
                 select o.order_id, o.customer_id from v join orders_orders o
                     on o.shop_id = v.shop_id and o.order_id = v.order_id where o.customer_id is not null",
        postgres: "with v (shop_id, order_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select o.order_id, o.customer_id from v join orders_orders o
                       on o.shop_id = v.shop_id and o.order_id = v.order_id where o.customer_id is not null",
        |order| shop, *order)?;
    Ok(rows.into_iter().collect())
}

/// Until when each of these orders is known, in microseconds since 1970 (UTC), where it is.
pub(super) async fn told_until(
    read: &mut Read,
    shop: ShopId,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, i64>, db::Error> {
    let rows: Vec<(OrderId, Json<Facts>)> = db!(read.all each orders,
        sqlite: "with v (shop_id, order_id) as (values ($1, $2))
                 select o.order_id, o.facts from v join orders_orders o
                     on o.shop_id = v.shop_id and o.order_id = v.order_id where o.facts is not null",
        postgres: "with v (shop_id, order_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select o.order_id, o.facts from v join orders_orders o
                       on o.shop_id = v.shop_id and o.order_id = v.order_id where o.facts is not null",
        |order| shop, *order)?;
    Ok(rows.into_iter().map(|(order, facts)| (order, facts.0.updated_at)).collect())
}

/// Every order of a shop that is known itself, a page at a time, after the one with number `after`.
pub(super) async fn page(
    tx: &mut Read,
    shop: ShopId,
    after: OrderId,
    limit: i64,
) -> Result<Vec<Known>, db::Error> {
    let rows: Vec<Row> = db!(
        tx.all,
        "select order_id, customer_id, erased, placed_at, facts, latest, refunds from orders_orders
         where shop_id = $1 and order_id > $2 order by order_id limit $3",
        shop,
        after,
        limit
    )?;
    Ok(rows.into_iter().map(Known::from).collect())
}

/// What is known of an order, if anything is.
pub(super) async fn find(read: &mut Read, shop: ShopId, order: OrderId) -> Result<Option<Known>, db::Error> {
    let found: Option<Row> = db!(
        read.optional,
        "select order_id, customer_id, erased, placed_at, facts, latest, refunds from orders_orders
         where shop_id = $1 and order_id = $2",
        shop,
        order
    )?;
    Ok(found.map(Known::from))
}

/// The orders of a shop with the greatest numbers, those first, a page at a time, below the one with number `before`.
pub(super) async fn newest(
    read: &mut Read,
    shop: ShopId,
    before: OrderId,
    limit: i64,
) -> Result<Vec<Known>, db::Error> {
    let rows: Vec<Row> = db!(
        read.all,
        "select order_id, customer_id, erased, placed_at, facts, latest, refunds from orders_orders
         where shop_id = $1 and order_id < $2 order by order_id desc limit $3",
        shop,
        before,
        limit
    )?;
    Ok(rows.into_iter().map(Known::from).collect())
}

/// Whether Shopify has told of an order.
///
/// # Errors
/// Any error of the database.
pub async fn is_known(read: &mut Read, shop: ShopId, order: OrderId) -> Result<bool, db::Error> {
    let found: Option<(i64,)> = db!(
        read.optional,
        "select cast(1 as bigint) from orders_orders where shop_id = $1 and order_id = $2 and facts is not null",
        shop,
        order
    )?;
    Ok(found.is_some())
}

/// Erases what leads from orders to this customer, and says from how many. Their points stay with the member.
///
/// # Errors
/// Any error of the database.
pub async fn redact(tx: &mut Tx, shop: ShopId, customer: CustomerId) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "update orders_orders set customer_id = null, erased = true where shop_id = $1 and customer_id = $2",
        shop,
        customer
    )
}
