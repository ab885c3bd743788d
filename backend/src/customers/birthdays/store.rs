//! The table of birthdays.

use std::collections::{HashMap, HashSet};

use loyalty::Birthday;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    customers_birthdays [shop_id, member_id] of Member("member_id"), kept "until the member takes it back, or is deleted or erased" {
        shop_id: Id, member_id: Id, day: Link, told_at: Time,
    }
}
crate::holds! {
    customers_celebrated [shop_id] of Nobody, kept "with the shop" {
        shop_id: Id, until: Time,
    }
}

/// A member's birthday.
///
/// # Errors
/// Any error of the database.
pub async fn of(read: &mut Read, shop: ShopId, member: MemberId) -> Result<Option<Birthday>, db::Error> {
    Ok(of_all(read, shop, &[member]).await?.remove(&member))
}

/// The birthdays of these members, where they are known.
///
/// # Errors
/// Any error of the database.
pub async fn of_all(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, Birthday>, db::Error> {
    let found: Vec<(MemberId, String)> = db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select b.member_id, b.day from v join customers_birthdays b
                     on b.shop_id = v.shop_id and b.member_id = v.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select b.member_id, b.day from v join customers_birthdays b
                       on b.shop_id = v.shop_id and b.member_id = v.member_id",
        |member| shop, *member)?;
    let read = |(member, day): (_, String)| Ok((member, day.parse().map_err(db::Error::other)?));
    found.into_iter().map(read).collect()
}

/// A member's birthday is this one. Told again, it was told when it was first.
pub(super) async fn set(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    birthday: Birthday,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into customers_birthdays (shop_id, member_id, day, told_at) values ($1, $2, $3, $4)
         on conflict (shop_id, member_id) do update set day = excluded.day, told_at = excluded.told_at
         where customers_birthdays.day <> excluded.day",
        shop,
        member,
        birthday.to_string(),
        now
    )?;
    Ok(())
}

/// Keeps birthdays that another programme knew, of members of whom none is known; says who those are.
///
/// # Errors
/// Any error of the database.
pub async fn bring(
    tx: &mut Tx,
    shop: ShopId,
    brought: &[(MemberId, Birthday)],
) -> Result<HashSet<MemberId>, db::Error> {
    let new: Vec<(MemberId,)> = db!(tx.all each brought,
        sqlite: "insert into customers_birthdays (shop_id, member_id, day) values ($1, $2, $3)
                 on conflict (shop_id, member_id) do nothing returning member_id",
        postgres: "insert into customers_birthdays (shop_id, member_id, day)
                   select * from unnest($1::uuid[], $2::uuid[], $3::text[])
                   on conflict (shop_id, member_id) do nothing returning member_id",
        |one| shop, one.0, one.1.to_string())?;
    Ok(new.into_iter().map(|(member,)| member).collect())
}

/// Forgets the birthdays of these members.
///
/// # Errors
/// Any error of the database.
pub async fn forget(tx: &mut Tx, shop: ShopId, members: &[MemberId]) -> Result<(), db::Error> {
    db!(tx.each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 delete from customers_birthdays where (shop_id, member_id) in (select shop_id, member_id from v)",
        postgres: "delete from customers_birthdays b using unnest($1::uuid[], $2::uuid[]) as v (shop_id, member_id)
                   where b.shop_id = v.shop_id and b.member_id = v.member_id",
        |member| shop, *member)?;
    Ok(())
}

/// One member's birthday is another's, if none is known of that one.
///
/// # Errors
/// Any error of the database.
pub async fn merge(tx: &mut Tx, shop: ShopId, from: MemberId, into: MemberId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update customers_birthdays set member_id = $3 where shop_id = $1 and member_id = $2
             and not exists (select 1 from customers_birthdays b where b.shop_id = $1 and b.member_id = $3)",
        shop,
        from,
        into
    )?;
    forget(tx, shop, &[from]).await
}

/// The next members, by id, who have one of these birthdays, told before then; nobody erases them until the transaction ends.
pub(super) async fn having(
    tx: &mut Tx,
    shop: ShopId,
    [one, other]: [Birthday; 2],
    told_before: Timestamp,
    (after, most): (MemberId, i64),
) -> Result<Vec<MemberId>, db::Error> {
    let rows: Vec<(MemberId,)> = db!(tx.all,
        sqlite: "select member_id from customers_birthdays
                 where shop_id = $1 and day in ($2, $3) and (told_at is null or told_at < $4) and member_id > $5
                 order by member_id limit $6",
        postgres: "select member_id from customers_birthdays
                   where shop_id = $1 and day in ($2, $3) and (told_at is null or told_at < $4) and member_id > $5
                   order by member_id limit $6 for update",
        shop, one.to_string(), other.to_string(), told_before, after, most)?;
    Ok(rows.into_iter().map(|(member,)| member).collect())
}

/// When the first day begins whose birthdays were not looked at yet.
pub(super) async fn celebrated(read: &mut Read, shop: ShopId) -> Result<Option<Timestamp>, db::Error> {
    let found: Option<(Timestamp,)> =
        db!(read.optional, "select until from customers_celebrated where shop_id = $1", shop)?;
    Ok(found.map(|(until,)| until))
}

/// All birthdays before then were looked at.
pub(super) async fn set_celebrated(tx: &mut Tx, shop: ShopId, until: Timestamp) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into customers_celebrated (shop_id, until) values ($1, $2)
         on conflict (shop_id) do update set until = excluded.until
         where customers_celebrated.until < excluded.until",
        shop,
        until
    )?;
    Ok(())
}
