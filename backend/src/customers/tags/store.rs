//! The tables of tags.

use super::Known;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, ShopId};

crate::holds! {
    customers_tag_settings [shop_id] of Nobody, kept "until the shop is to be erased" {
        shop_id: Id, kept: Plain, changed_at: Time,
    }
}
crate::holds! {
    customers_tags [shop_id, member_id, tag_key] of Member("member_id"), kept "as long as the merchant wants it and the customer is there" {
        shop_id: Id, member_id: Id, tag_key: Plain, tag: Plain, kept: Plain, as_of: Time,
    }
}

/// Whether a shop keeps tags.
pub(super) async fn are_kept(read: &mut Read, shop: ShopId) -> Result<bool, db::Error> {
    let found: Option<(bool,)> =
        db!(read.optional, "select kept from customers_tag_settings where shop_id = $1", shop)?;
    Ok(found.is_some_and(|(kept,)| kept))
}

/// Whether a shop keeps tags, and nobody switches it until the transaction ends.
pub(super) async fn stay(tx: &mut Tx, shop: ShopId) -> Result<bool, db::Error> {
    let found: Option<(bool,)> = db!(tx.optional,
        sqlite: "select kept from customers_tag_settings where shop_id = $1",
        postgres: "select kept from customers_tag_settings where shop_id = $1 for share",
        shop)?;
    Ok(found.is_some_and(|(kept,)| kept))
}

/// Whether a shop keeps tags, and nobody keeps any until the transaction ends.
pub(super) async fn lock(tx: &mut Tx, shop: ShopId) -> Result<bool, db::Error> {
    let found: Option<(bool,)> = db!(tx.optional,
        sqlite: "select kept from customers_tag_settings where shop_id = $1",
        postgres: "select kept from customers_tag_settings where shop_id = $1 for update",
        shop)?;
    Ok(found.is_some_and(|(kept,)| kept))
}

/// Switches the keeping on or off.
pub(super) async fn switch(tx: &mut Tx, shop: ShopId, kept: bool, now: Timestamp) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into customers_tag_settings (shop_id, kept, changed_at) values ($1, $2, $3)
         on conflict (shop_id) do update set kept = excluded.kept, changed_at = excluded.changed_at",
        shop,
        kept,
        now
    )?;
    Ok(())
}

/// Erases all tags of a shop.
pub(super) async fn erase(tx: &mut Tx, shop: ShopId) -> Result<(), db::Error> {
    db!(tx.execute, "delete from customers_tags where shop_id = $1", shop)?;
    Ok(())
}

/// The members that these customers are, unless they were merged or deleted. Nobody deletes, merges or erases them, or writes
/// their tags, until the transaction ends.
pub(super) async fn lock_members(
    tx: &mut Tx,
    shop: ShopId,
    customers: &[CustomerId],
) -> Result<Vec<(CustomerId, MemberId)>, db::Error> {
    db!(tx.all each customers,
        sqlite: "with v (shop_id, customer_id) as (values ($1, $2))
                 select m.customer_id, m.member_id from v join customers_members m
                     on m.shop_id = v.shop_id and m.customer_id = v.customer_id
                 where m.merged_into is null and m.deleted_at is null",
        postgres: "with v (shop_id, customer_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select m.customer_id, m.member_id from v join customers_members m
                       on m.shop_id = v.shop_id and m.customer_id = v.customer_id
                   where m.merged_into is null and m.deleted_at is null
                   order by m.member_id for no key update of m",
        |customer| shop, *customer)
}

/// What is known of the tags of these members.
pub(super) async fn load(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<Vec<Known>, db::Error> {
    let rows: Vec<(MemberId, String, bool, Timestamp)> = db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select t.member_id, t.tag, t.kept, t.as_of from v join customers_tags t
                     on t.shop_id = v.shop_id and t.member_id = v.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select t.member_id, t.tag, t.kept, t.as_of from v join customers_tags t
                       on t.shop_id = v.shop_id and t.member_id = v.member_id",
        |member| shop, *member)?;
    Ok(rows.into_iter().map(|(member, tag, kept, as_of)| Known { member, tag, kept, as_of }).collect())
}

/// Writes what is known of tags.
pub(super) async fn save(tx: &mut Tx, shop: ShopId, known: &[Known]) -> Result<(), db::Error> {
    db!(tx.each known,
        sqlite: "insert into customers_tags (shop_id, member_id, tag_key, tag, kept, as_of)
                 values ($1, $2, $3, $4, $5, $6)
                 on conflict (shop_id, member_id, tag_key) do update set tag = excluded.tag, kept = excluded.kept,
                     as_of = excluded.as_of",
        postgres: "insert into customers_tags (shop_id, member_id, tag_key, tag, kept, as_of)
                   select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::timestamptz[])
                   on conflict (shop_id, member_id, tag_key) do update set tag = excluded.tag, kept = excluded.kept,
                       as_of = excluded.as_of",
        |one| shop, one.member, one.key(), one.tag.as_str(), one.kept, one.as_of)?;
    Ok(())
}

/// Forgets of these members which tags they lost before then.
pub(super) async fn forget_lost(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
    before: Timestamp,
) -> Result<(), db::Error> {
    db!(tx.each members,
        sqlite: "with v (shop_id, member_id, before) as (values ($1, $2, $3))
                 delete from customers_tags where not kept and (shop_id, member_id) in (select shop_id, member_id from v)
                     and as_of < (select max(before) from v)",
        postgres: "delete from customers_tags t using unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
                       as v (shop_id, member_id, before)
                   where t.shop_id = v.shop_id and t.member_id = v.member_id and not t.kept and t.as_of < v.before",
        |member| shop, *member, before)?;
    Ok(())
}

/// The tags that a member has.
pub(super) async fn of_member(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
) -> Result<Vec<String>, db::Error> {
    let tags: Vec<(String,)> = db!(
        read.all,
        "select tag from customers_tags where shop_id = $1 and member_id = $2 and kept order by tag_key",
        shop,
        member
    )?;
    Ok(tags.into_iter().map(|(tag,)| tag).collect())
}

/// Whoever was merged into another had tags that the kept one has now, unless something is known of those already.
pub(in crate::customers) async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    from: MemberId,
    into: MemberId,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into customers_tags (shop_id, member_id, tag_key, tag, kept, as_of)
         select shop_id, $3, tag_key, tag, kept, as_of from customers_tags
         where shop_id = $1 and member_id = $2 and kept
         on conflict (shop_id, member_id, tag_key) do nothing",
        shop,
        from,
        into
    )?;
    forget(tx, shop, &[from]).await
}

/// Forgets the tags of members who are none any more.
pub(in crate::customers) async fn forget(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
) -> Result<(), db::Error> {
    db!(tx.each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 delete from customers_tags where (shop_id, member_id) in (select shop_id, member_id from v)",
        postgres: "delete from customers_tags t using unnest($1::uuid[], $2::uuid[]) as v (shop_id, member_id)
                   where t.shop_id = v.shop_id and t.member_id = v.member_id",
        |member| shop, *member)?;
    Ok(())
}
