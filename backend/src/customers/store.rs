//! The table of members.

use std::collections::HashMap;

use uuid::Uuid;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::events::{self, CustomerCreated, Event};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::sync;

crate::holds! {
    customers_members [shop_id, member_id] of Customer("customer_id"), kept "as long as the programme; the number until it is to be erased" {
        shop_id: Id, member_id: Id, customer_id: Link, enrolled_at: Time, state: Plain, told_at: Time,
        merged_into: Id, deleted_at: Time, redacted_at: Time, shadow: Plain,
        signed_up_at: Time,
    }
}

/// The member that a customer is, if it is one; of a customer who was merged into another, that one's.
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
        "select coalesce(merged_into, member_id) from customers_members where shop_id = $1 and customer_id = $2",
        shop,
        customer
    )?;
    Ok(found.map(|(member,)| member))
}

/// The members that these customers are; of those who were merged into others, the others'.
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
                 select m.customer_id, coalesce(m.merged_into, m.member_id) from v join customers_members m
                     on m.shop_id = v.shop_id and m.customer_id = v.customer_id",
        postgres: "with v (shop_id, customer_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select m.customer_id, coalesce(m.merged_into, m.member_id) from v join customers_members m
                       on m.shop_id = v.shop_id and m.customer_id = v.customer_id",
        |customer| shop, *customer)?;
    Ok(found.into_iter().collect())
}

/// A customer who is, or was, a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Enrolled {
    /// Shopify's number.
    pub customer_id: CustomerId,
    /// The member.
    pub member_id: MemberId,
    /// Neither merged into another nor deleted by the shop.
    pub is_there: bool,
    /// The shop deleted it.
    pub is_deleted: bool,
}

/// Which of these customers were ever enrolled.
///
/// # Errors
/// Any error of the database.
pub async fn enrolled(
    tx: &mut Read,
    shop: ShopId,
    customers: &[CustomerId],
) -> Result<Vec<Enrolled>, db::Error> {
    db!(tx.all each customers,
        sqlite: "with v (shop_id, customer_id) as (values ($1, $2))
                 select m.customer_id, m.member_id, (m.merged_into is null and m.deleted_at is null) as is_there,
                     m.deleted_at is not null as is_deleted
                 from v join customers_members m on m.shop_id = v.shop_id and m.customer_id = v.customer_id",
        postgres: "with v (shop_id, customer_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select m.customer_id, m.member_id, (m.merged_into is null and m.deleted_at is null) as is_there,
                     m.deleted_at is not null as is_deleted
                   from v join customers_members m on m.shop_id = v.shop_id and m.customer_id = v.customer_id",
        |customer| shop, *customer)
}

/// The members that these customers are; those that are none yet are enrolled. They are marked: what a metafield shows of
/// them may be from before the shop took the app out and came back.
///
/// # Errors
/// Any error of the database.
pub async fn enrol(
    tx: &mut Tx,
    shop: ShopId,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<HashMap<CustomerId, MemberId>, db::Error> {
    let (members, new) = enrol_and_tell(tx, shop, customers, now).await?;
    sync::mark(tx, shop, &new, now).await?;
    Ok(members)
}

/// As [`enrol`], and who of them became a member by it: whom nobody else knows yet. It is left to the caller to mark them.
///
/// # Errors
/// Any error of the database.
pub async fn enrol_and_tell(
    tx: &mut Tx,
    shop: ShopId,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<(HashMap<CustomerId, MemberId>, Vec<MemberId>), db::Error> {
    let mut known = members(tx, shop, customers).await?;
    let mut new: Vec<CustomerId> =
        customers.iter().copied().filter(|customer| !known.contains_key(customer)).collect();
    if new.is_empty() {
        return Ok((known, Vec::new()));
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
    if enrolled.len() < new.len() {
        // Whoever enrolled them first gave the id.
        known = members(tx, shop, customers).await?;
    }
    known.extend(enrolled.iter().map(|&(member, customer)| (customer, member)));
    Ok((known, enrolled.into_iter().map(|(member, _)| member).collect()))
}

/// Shopify's numbers of these members; none of those who were erased or merged into others.
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
                     on m.shop_id = v.shop_id and m.member_id = v.member_id
                 where m.customer_id is not null and m.merged_into is null",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select m.member_id, m.customer_id from v join customers_members m
                       on m.shop_id = v.shop_id and m.member_id = v.member_id
                   where m.customer_id is not null and m.merged_into is null",
        |member| shop, *member)?;
    Ok(found.into_iter().collect())
}

/// What is known of a member.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Profile {
    pub customer_id: Option<CustomerId>,
    pub enrolled_at: Timestamp,
    pub state: Option<String>,
    pub shadow: Option<bool>,
    pub signed_up_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
}

/// What is known of a member.
pub(super) async fn profile(read: &mut Read, shop: ShopId, member: MemberId) -> Result<Profile, db::Error> {
    db!(
        read.one,
        "select customer_id, enrolled_at, state, shadow, signed_up_at, deleted_at from customers_members
         where shop_id = $1 and member_id = $2",
        shop,
        member
    )
}

/// The next members who are customers, by id, from after one of them.
///
/// # Errors
/// Any error of the database.
pub async fn after(
    read: &mut Read,
    shop: ShopId,
    after: MemberId,
    most: i64,
) -> Result<Vec<(MemberId, CustomerId)>, db::Error> {
    db!(
        read.all,
        "select member_id, customer_id from customers_members
         where shop_id = $1 and member_id > $2 and customer_id is not null and merged_into is null
             and deleted_at is null
         order by member_id limit $3",
        shop,
        after,
        most
    )
}

/// How many members there are who are customers.
///
/// # Errors
/// Any error of the database.
pub async fn count(read: &mut Read, shop: ShopId) -> Result<i64, db::Error> {
    let (count,): (i64,) = db!(
        read.one,
        "select count(*) from customers_members
         where shop_id = $1 and customer_id is not null and merged_into is null and deleted_at is null",
        shop
    )?;
    Ok(count)
}

/// Who these members are now: whoever was merged into another is that one.
///
/// # Errors
/// Any error of the database.
pub async fn current(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, MemberId>, db::Error> {
    let found: Vec<(MemberId, MemberId)> = db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select m.member_id, coalesce(m.merged_into, m.member_id) from v join customers_members m
                     on m.shop_id = v.shop_id and m.member_id = v.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select m.member_id, coalesce(m.merged_into, m.member_id) from v join customers_members m
                       on m.shop_id = v.shop_id and m.member_id = v.member_id",
        |member| shop, *member)?;
    Ok(found.into_iter().collect())
}

/// Keeps the state of a customer's account unless a newer one is known; then it gives the member, and the state before.
pub(super) async fn set_state(
    tx: &mut Tx,
    shop: ShopId,
    customer: CustomerId,
    state: &str,
    told_at: Timestamp,
) -> Result<Option<(MemberId, Option<String>)>, db::Error> {
    let known: Option<(MemberId, Option<String>)> = db!(tx.optional,
        sqlite: "select member_id, state from customers_members
                 where shop_id = $1 and customer_id = $2 and merged_into is null
                     and (told_at is null or told_at < $3)",
        postgres: "select member_id, state from customers_members
                   where shop_id = $1 and customer_id = $2 and merged_into is null
                       and (told_at is null or told_at < $3) for no key update",
        shop, customer, told_at)?;
    let Some((member, _)) = &known else { return Ok(None) };
    db!(
        tx.execute,
        "update customers_members set state = $3, told_at = $4 where shop_id = $1 and member_id = $2",
        shop,
        *member,
        state,
        told_at
    )?;
    Ok(known)
}

/// What is known of a customer's account.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Known {
    pub member_id: MemberId,
    pub customer_id: CustomerId,
    pub state: Option<String>,
    pub told_at: Option<Timestamp>,
    pub shadow: Option<bool>,
}

/// Locks what is known of the accounts of those of these customers who are there, and of whom nobody else is telling just
/// now: who waits for nobody waits in no circle.
pub(super) async fn lock_states(
    tx: &mut Tx,
    shop: ShopId,
    customers: &[CustomerId],
) -> Result<Vec<Known>, db::Error> {
    db!(tx.all each customers,
        sqlite: "with v (shop_id, customer_id) as (values ($1, $2))
                 select m.member_id, m.customer_id, m.state, m.told_at, m.shadow from v join customers_members m
                     on m.shop_id = v.shop_id and m.customer_id = v.customer_id
                 where m.merged_into is null and m.deleted_at is null",
        postgres: "with v (shop_id, customer_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select m.member_id, m.customer_id, m.state, m.told_at, m.shadow from v join customers_members m
                       on m.shop_id = v.shop_id and m.customer_id = v.customer_id
                   where m.merged_into is null and m.deleted_at is null
                   order by m.member_id for no key update of m skip locked",
        |customer| shop, *customer)
}

/// Notes the states of these members' accounts, which they have locked.
pub(super) async fn note_states(
    tx: &mut Tx,
    shop: ShopId,
    states: &[(MemberId, &str, Timestamp)],
) -> Result<(), db::Error> {
    db!(tx.each states,
        sqlite: "with v (shop_id, member_id, state, told_at) as (values ($1, $2, $3, $4))
                 update customers_members set state = v.state, told_at = v.told_at from v
                 where customers_members.shop_id = v.shop_id and customers_members.member_id = v.member_id",
        postgres: "with v (shop_id, member_id, state, told_at) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]))
                   update customers_members set state = v.state, told_at = v.told_at from v
                   where customers_members.shop_id = v.shop_id and customers_members.member_id = v.member_id",
        |one| shop, one.0, one.1, one.2)?;
    Ok(())
}

/// How many of these members were not merged into others; nobody merges those until the transaction ends.
pub(super) async fn stay(tx: &mut Tx, shop: ShopId, members: &[MemberId]) -> Result<usize, db::Error> {
    let there: Vec<(MemberId,)> = db!(tx.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select m.member_id from v join customers_members m
                     on m.shop_id = v.shop_id and m.member_id = v.member_id where m.merged_into is null",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select m.member_id from v join customers_members m
                       on m.shop_id = v.shop_id and m.member_id = v.member_id
                   where m.merged_into is null order by m.member_id for key share of m",
        |member| shop, *member)?;
    Ok(there.len())
}

/// Whether a member's customer is known to have an account.
pub(super) async fn has_account(read: &mut Read, shop: ShopId, member: MemberId) -> Result<bool, db::Error> {
    let found: Option<(i64,)> = db!(
        read.optional,
        "select cast(1 as bigint) from customers_members
         where shop_id = $1 and member_id = $2 and state = 'enabled'",
        shop,
        member
    )?;
    Ok(found.is_some())
}

/// Takes note that the shop deleted a customer; gives the member, the first time.
pub(super) async fn set_deleted(
    tx: &mut Tx,
    shop: ShopId,
    customer: CustomerId,
    at: Timestamp,
) -> Result<Option<MemberId>, db::Error> {
    let deleted: Option<(MemberId,)> = db!(
        tx.optional,
        "update customers_members set deleted_at = $3
         where shop_id = $1 and customer_id = $2 and deleted_at is null and merged_into is null
         returning member_id",
        shop,
        customer,
        at
    )?;
    Ok(deleted.map(|(member,)| member))
}

/// Whether a member was not merged into another; nobody merges it until the transaction ends.
pub(super) async fn lock(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<bool, db::Error> {
    let locked: Option<(MemberId,)> = db!(tx.optional,
        sqlite: "select member_id from customers_members
                 where shop_id = $1 and member_id = $2 and merged_into is null",
        postgres: "select member_id from customers_members
                   where shop_id = $1 and member_id = $2 and merged_into is null for update",
        shop, member)?;
    Ok(locked.is_some())
}

/// What leads from a customer to the points now goes to the member `into`; whoever was merged into `from` before follows.
pub(super) async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    from: MemberId,
    into: MemberId,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update customers_members set merged_into = $3 where shop_id = $1 and (member_id = $2 or merged_into = $2)",
        shop,
        from,
        into
    )?;
    Ok(())
}

/// A customer who was never a member and is merged into one: late orders of theirs find the way. False if they are a
/// member after all.
pub(super) async fn add_alias(
    tx: &mut Tx,
    shop: ShopId,
    customer: CustomerId,
    into: MemberId,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let added = db!(
        tx.execute,
        "insert into customers_members (shop_id, member_id, customer_id, enrolled_at, merged_into)
         values ($1, $2, $3, $4, $5) on conflict (shop_id, customer_id) do nothing",
        shop,
        MemberId(Uuid::now_v7()),
        customer,
        now,
        into
    )?;
    Ok(added > 0)
}

/// A customer's number, and the member that it was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Number {
    /// The number.
    pub customer_id: CustomerId,
    /// Whose it was at first, whoever that one was merged into.
    pub member_id: MemberId,
    /// Whom that one was merged into.
    pub merged_into: Option<MemberId>,
}

/// All numbers of the person that a customer is: its own, and those of the customers who were merged into it. The customer
/// whom it was merged into itself is another.
///
/// # Errors
/// Any error of the database.
pub async fn numbers(tx: &mut Read, shop: ShopId, customer: CustomerId) -> Result<Vec<Number>, db::Error> {
    db!(
        tx.all,
        "select customer_id, member_id, merged_into from customers_members
         where shop_id = $1 and customer_id is not null and (customer_id = $2 or merged_into = (
             select member_id from customers_members
             where shop_id = $1 and customer_id = $2 and merged_into is null))
         order by member_id",
        shop,
        customer
    )
}

/// Erases what leads from a member to this customer.
///
/// # Errors
/// Any error of the database.
pub async fn redact(
    tx: &mut Tx,
    shop: ShopId,
    customer: CustomerId,
    now: Timestamp,
) -> Result<(), db::Error> {
    let erased: Vec<(MemberId,)> = db!(
        tx.all,
        "update customers_members set customer_id = null, state = null, redacted_at = $3
         where shop_id = $1 and customer_id = $2 returning member_id",
        shop,
        customer,
        now
    )?;
    let members: Vec<MemberId> = erased.into_iter().map(|(member,)| member).collect();
    super::birthdays::forget(tx, shop, &members).await?;
    super::tags::forget(tx, shop, &members).await?;
    super::emails::forget(tx, shop, &members).await
}
