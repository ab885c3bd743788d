//! The tables of history: orders that are not booked, and what came of files.

use std::collections::HashMap;

use uuid::Uuid;

use super::Subject;
use super::past::{Fault, Past};
use super::take::Taken;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, OrderId, ShopId};
use crate::points::history::{Bought, Did};

crate::holds! {
    history_orders [shop_id, order_id] of Member("member_id"), kept "as long as the programme: returns may come" {
        shop_id: Id, order_id: Plain, member_id: Id, placed_at: Time, kept: Plain, spent: Plain, as_of: Time,
        batch_id: Id,
    }
}
crate::holds! {
    history_reports [shop_id, run_id] of Nobody, kept "as long as the programme" {
        shop_id: Id, run_id: Id, subject: Plain, asked_at: Time, all_orders: Plain, taken: Plain, new_members: Plain,
        passed_by: Plain, refused: Plain,
    }
}
crate::holds! {
    history_refusals [shop_id, run_id, place] of Customer("customer_id"), kept "as long as the programme; the number until it is to be erased" {
        shop_id: Id, run_id: Id, place: Plain, order_id: Plain, customer_id: Link, code: Plain,
    }
}

/// An order that is history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Row {
    pub order_id: OrderId,
    pub member_id: MemberId,
    pub placed_at: Timestamp,
    pub kept: bool,
    pub spent: i64,
    pub as_of: Timestamp,
    /// The file that told of it, if that was none of Shopify's.
    pub batch_id: Option<Uuid>,
}

impl Row {
    pub fn of(past: &Past, member_id: MemberId, batch_id: Option<Uuid>) -> Row {
        let Past { order: order_id, placed_at, kept, as_of, .. } = *past;
        Row {
            order_id,
            member_id,
            placed_at,
            kept: kept.is_some(),
            spent: kept.unwrap_or(0),
            as_of,
            batch_id,
        }
    }
}

/// Those of these orders that are history.
pub(super) async fn load(
    read: &mut Read,
    shop: ShopId,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Row>, db::Error> {
    let rows: Vec<Row> = db!(read.all each orders,
        sqlite: "with v (shop, id) as (values ($1, $2))
                 select order_id, member_id, placed_at, kept, spent, as_of, batch_id
                 from v join history_orders h on h.shop_id = v.shop and h.order_id = v.id",
        postgres: "with v (shop, id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select order_id, member_id, placed_at, kept, spent, as_of, batch_id
                   from v join history_orders h on h.shop_id = v.shop and h.order_id = v.id",
        |order| shop, *order)?;
    Ok(rows.into_iter().map(|row| (row.order_id, row)).collect())
}

/// Writes what is known of these orders.
pub(super) async fn save(tx: &mut Tx, shop: ShopId, rows: &[Row]) -> Result<(), db::Error> {
    db!(tx.each rows,
        sqlite: "insert into history_orders (shop_id, order_id, member_id, placed_at, kept, spent, as_of, batch_id)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)
                 on conflict (shop_id, order_id) do update set placed_at = excluded.placed_at, kept = excluded.kept,
                     spent = excluded.spent, as_of = excluded.as_of, batch_id = excluded.batch_id",
        postgres: "insert into history_orders (shop_id, order_id, member_id, placed_at, kept, spent, as_of, batch_id)
                   select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::timestamptz[], $5::boolean[],
                       $6::bigint[], $7::timestamptz[], $8::uuid[])
                   on conflict (shop_id, order_id) do update set placed_at = excluded.placed_at,
                       kept = excluded.kept, spent = excluded.spent, as_of = excluded.as_of,
                       batch_id = excluded.batch_id",
        |row| shop, row.order_id, row.member_id, row.placed_at, row.kept, row.spent, row.as_of, row.batch_id)?;
    Ok(())
}

/// Takes these orders out, and gives those that were there.
pub(super) async fn delete(tx: &mut Tx, shop: ShopId, orders: &[OrderId]) -> Result<Vec<Row>, db::Error> {
    db!(tx.all each orders,
        sqlite: "with v (shop_id, order_id) as (values ($1, $2))
                 delete from history_orders where (shop_id, order_id) in (select shop_id, order_id from v)
                 returning order_id, member_id, placed_at, kept, spent, as_of, batch_id",
        postgres: "delete from history_orders h using unnest($1::uuid[], $2::bigint[]) as v (shop_id, order_id)
                   where h.shop_id = v.shop_id and h.order_id = v.order_id
                   returning h.order_id, h.member_id, h.placed_at, h.kept, h.spent, h.as_of, h.batch_id",
        |order| shop, *order)
}

/// Orders that are as a batch told them.
pub(super) async fn of_batch(
    read: &mut Read,
    shop: ShopId,
    batch: Uuid,
    most: i64,
) -> Result<Vec<OrderId>, db::Error> {
    let orders: Vec<(OrderId,)> = db!(
        read.all,
        "select order_id from history_orders where shop_id = $1 and batch_id = $2 order by order_id limit $3",
        shop,
        batch,
        most
    )?;
    Ok(orders.into_iter().map(|(order,)| order).collect())
}

/// What these members bought by history.
pub(super) async fn of(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<Vec<Bought>, db::Error> {
    db!(read.all each members,
        sqlite: "with v (shop, member) as (values ($1, $2))
                 select h.member_id, min(h.placed_at) as first_order_at, max(h.placed_at) as last_order_at,
                     count(*) as orders, sum(h.spent) as spent
                 from v join history_orders h indexed by history_orders_by_member
                     on h.shop_id = v.shop and h.member_id = v.member
                 where h.kept group by h.member_id",
        postgres: "with v (shop, member) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select h.member_id, min(h.placed_at) as first_order_at, max(h.placed_at) as last_order_at,
                       count(*) as orders, sum(h.spent)::bigint as spent
                   from v join history_orders h on h.shop_id = v.shop and h.member_id = v.member
                   where h.kept group by h.member_id",
        |member| shop, *member)
}

/// What a member bought by history from then on.
pub(super) async fn since(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
    from: Timestamp,
) -> Result<Vec<Did>, db::Error> {
    db!(
        read.all,
        sqlite: "select placed_at as at, 0 as points, spent
                 from history_orders indexed by history_orders_by_member
                 where shop_id = $1 and member_id = $2 and placed_at >= $3",
        postgres: "select placed_at as at, 0::bigint as points, spent from history_orders
                   where shop_id = $1 and member_id = $2 and placed_at >= $3",
        shop,
        member,
        from
    )
}

/// What the members who come next after one of them bought by history, placed before then.
pub(super) async fn until(
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
         from history_orders where shop_id = $1 and member_id > $2 and placed_at < $3 and kept
         group by member_id order by member_id limit $4",
        shop,
        after,
        before,
        most
    )
}

/// When the members who come next after one of them, so many at most, placed orders that are history and of which something is
/// left: member by member.
pub(super) async fn placed(
    read: &mut Read,
    shop: ShopId,
    after: MemberId,
    most: i64,
) -> Result<Vec<(MemberId, Timestamp)>, db::Error> {
    db!(
        read.all,
        "select h.member_id, h.placed_at
         from (select distinct member_id from history_orders where shop_id = $1 and member_id > $2 and kept
               order by member_id limit $3) as next
         join history_orders h on h.shop_id = $1 and h.member_id = next.member_id
         where h.kept order by h.member_id",
        shop,
        after,
        most
    )
}

/// How many members bought something by history.
pub(super) async fn buyers(read: &mut Read, shop: ShopId) -> Result<i64, db::Error> {
    let (buyers,): (i64,) = db!(
        read.one,
        "select count(distinct member_id) from history_orders where shop_id = $1 and kept",
        shop
    )?;
    Ok(buyers)
}

/// The orders that come next after one of them.
pub(super) async fn page(
    read: &mut Read,
    shop: ShopId,
    after: OrderId,
    most: i64,
) -> Result<Vec<Row>, db::Error> {
    db!(
        read.all,
        "select order_id, member_id, placed_at, kept, spent, as_of, batch_id from history_orders
         where shop_id = $1 and order_id > $2 order by order_id limit $3",
        shop,
        after,
        most
    )
}

/// What one member bought is another's; nobody takes more of either until the transaction ends.
///
/// # Errors
/// Any error of the database.
pub async fn merge(tx: &mut Tx, shop: ShopId, from: MemberId, into: MemberId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update history_orders set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    Ok(())
}

/// Erases what leads from lines that were refused to this customer.
///
/// # Errors
/// Any error of the database.
pub async fn redact(tx: &mut Tx, shop: ShopId, customer: CustomerId) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "update history_refusals set customer_id = null where shop_id = $1 and customer_id = $2",
        shop,
        customer
    )
}

/// What came of the lines of a file so far.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Report {
    /// The bulk run.
    pub run_id: Uuid,
    /// Whether Shopify shows all orders, else those of the last 60 days; none before it has begun.
    pub all_orders: Option<bool>,
    /// Customers or orders that were taken.
    pub taken: i64,
    /// Customers who became members.
    pub new_members: i64,
    /// Tests, orders without a customer, and what is known better already.
    pub passed_by: i64,
    /// Lines that could not be taken.
    pub refused: i64,
}

/// Begins a report.
pub(super) async fn report_on(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    subject: Subject,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into history_reports (shop_id, run_id, subject, asked_at) values ($1, $2, $3, $4)",
        shop,
        run,
        subject,
        now
    )?;
    Ok(())
}

/// Begins to count, with another file perhaps: what an earlier one of the run came to does not count.
pub(super) async fn begin(tx: &mut Tx, shop: ShopId, run: Uuid, all_orders: bool) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update history_reports set all_orders = $3, taken = 0, new_members = 0, passed_by = 0, refused = 0
         where shop_id = $1 and run_id = $2",
        shop,
        run,
        all_orders
    )?;
    db!(tx.execute, "delete from history_refusals where shop_id = $1 and run_id = $2", shop, run)?;
    Ok(())
}

/// Counts on; gives how many were refused before.
pub(super) async fn count(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    counts: &Taken,
    refused: i64,
) -> Result<i64, db::Error> {
    let (now,): (i64,) = db!(
        tx.one,
        "update history_reports set taken = taken + $3, new_members = new_members + $4, passed_by = passed_by + $5,
             refused = refused + $6
         where shop_id = $1 and run_id = $2 returning refused",
        shop,
        run,
        counts.taken,
        counts.new_members,
        counts.passed_by,
        refused
    )?;
    Ok(now - refused)
}

/// The last report of this kind.
pub(super) async fn last(
    read: &mut Read,
    shop: ShopId,
    subject: Subject,
) -> Result<Option<Report>, db::Error> {
    db!(
        read.optional,
        "select run_id, all_orders, taken, new_members, passed_by, refused from history_reports
         where shop_id = $1 and subject = $2 order by run_id desc limit 1",
        shop,
        subject
    )
}

/// A line that could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Refusal {
    pub order_id: Option<OrderId>,
    pub customer_id: Option<CustomerId>,
    pub code: Fault,
}

/// Notes lines that could not be taken, after `before` of them.
pub(super) async fn refuse(
    tx: &mut Tx,
    shop: ShopId,
    run: Uuid,
    before: i64,
    refused: &[Refusal],
) -> Result<(), db::Error> {
    let placed: Vec<(i64, &Refusal)> = (before + 1..).zip(refused).collect();
    db!(tx.each placed,
        sqlite: "insert into history_refusals (shop_id, run_id, place, order_id, customer_id, code)
                 values ($1, $2, $3, $4, $5, $6)",
        postgres: "insert into history_refusals (shop_id, run_id, place, order_id, customer_id, code)
                   select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])",
        |one| shop, run, one.0, one.1.order_id, one.1.customer_id, one.1.code)?;
    Ok(())
}

/// The lines of a file that could not be taken, as far as they are noted.
pub(super) async fn refusals(read: &mut Read, shop: ShopId, run: Uuid) -> Result<Vec<Refusal>, db::Error> {
    db!(
        read.all,
        "select order_id, customer_id, code from history_refusals where shop_id = $1 and run_id = $2 order by place",
        shop,
        run
    )
}
