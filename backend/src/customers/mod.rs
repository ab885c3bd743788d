//! Members: the customers of a shop that are enrolled in its programme.

use std::collections::HashMap;

use uuid::Uuid;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::events::{self, CustomerCreated, Event};
use crate::ids::{CustomerId, MemberId, ShopId};

/// The member that a customer is, if it is one.
///
/// # Errors
/// Any error of the database.
pub async fn member(
    tx: &mut Read,
    shop: ShopId,
    customer: CustomerId,
) -> Result<Option<MemberId>, db::Error> {
    let found: Option<(MemberId,)> = db!(
        tx.optional,
        "select member_id from customers_members where shop_id = $1 and customer_id = $2",
        shop,
        customer
    )?;
    Ok(found.map(|(member,)| member))
}

/// The members that these customers are.
///
/// # Errors
/// Any error of the database.
pub async fn members(
    tx: &mut Read,
    shop: ShopId,
    customers: &[CustomerId],
) -> Result<HashMap<CustomerId, MemberId>, db::Error> {
    let found: Vec<(CustomerId, MemberId)> = db!(tx.all each customers,
        sqlite: "with v (shop_id, customer_id) as (values ($1, $2))
                 select m.customer_id, m.member_id from v join customers_members m
                     on m.shop_id = v.shop_id and m.customer_id = v.customer_id",
        postgres: "with v (shop_id, customer_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select m.customer_id, m.member_id from v join customers_members m
                       on m.shop_id = v.shop_id and m.customer_id = v.customer_id",
        |customer| shop, *customer)?;
    Ok(found.into_iter().collect())
}

/// The members that these customers are; those that are none yet are enrolled.
///
/// # Errors
/// Any error of the database.
pub async fn enrol(
    tx: &mut Tx,
    shop: ShopId,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<HashMap<CustomerId, MemberId>, db::Error> {
    let known = members(tx, shop, customers).await?;
    let mut new: Vec<CustomerId> =
        customers.iter().copied().filter(|customer| !known.contains_key(customer)).collect();
    if new.is_empty() {
        return Ok(known);
    }
    // In one order everywhere, so that two workers never wait for each other.
    new.sort_unstable();
    new.dedup();
    let enrolled: Vec<(MemberId, CustomerId)> = db!(tx.all each new,
        sqlite: "insert into customers_members (shop_id, member_id, customer_id, enrolled_at)
                 values ($1, $2, $3, $4) on conflict (shop_id, customer_id) do nothing
                 returning member_id, customer_id",
        postgres: "insert into customers_members (shop_id, member_id, customer_id, enrolled_at)
                   select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[])
                   on conflict (shop_id, customer_id) do nothing
                   returning member_id, customer_id",
        |customer| shop, MemberId(Uuid::now_v7()), *customer, now)?;
    let created = |&(member, customer): &_| Event::CustomerCreated(CustomerCreated { member, customer });
    events::publish_all(tx, shop, &enrolled.iter().map(created).collect::<Vec<_>>(), now).await?;
    // Whoever enrolled them first gave the id.
    members(tx, shop, customers).await
}

/// Shopify's numbers of these members.
///
/// # Errors
/// Any error of the database.
pub async fn customers(
    tx: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, CustomerId>, db::Error> {
    let found: Vec<(MemberId, CustomerId)> = db!(tx.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select m.member_id, m.customer_id from v join customers_members m
                     on m.shop_id = v.shop_id and m.member_id = v.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select m.member_id, m.customer_id from v join customers_members m
                       on m.shop_id = v.shop_id and m.member_id = v.member_id",
        |member| shop, *member)?;
    Ok(found.into_iter().collect())
}
