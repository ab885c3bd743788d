//! The tables of e-mail addresses.

use uuid::Uuid;

use super::Settings;
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, ShopId};

crate::holds! {
    customers_email_settings [shop_id] of Nobody, kept "until the shop is to be erased" {
        shop_id: Id, kept: Plain, changed_at: Time, withheld_at: Time,
    }
}
crate::holds! {
    customers_emails [shop_id, member_id] of Member("member_id"), kept "as long as the merchant wants it and the customer is there" {
        shop_id: Id, member_id: Id, sealed_email: Sealed, email_index: Sealed, kept_at: Time,
    }
}

/// Whether a shop keeps addresses.
pub(super) async fn settings(read: &mut Read, shop: ShopId) -> Result<Settings, db::Error> {
    let found: Option<Settings> = db!(
        read.optional,
        "select kept, changed_at, withheld_at from customers_email_settings where shop_id = $1",
        shop
    )?;
    Ok(found.unwrap_or_default())
}

/// Whether a shop keeps addresses, and nobody switches it until the transaction ends.
pub(super) async fn lock(tx: &mut Tx, shop: ShopId) -> Result<Settings, db::Error> {
    let found: Option<Settings> = db!(tx.optional,
        sqlite: "select kept, changed_at, withheld_at from customers_email_settings where shop_id = $1",
        postgres: "select kept, changed_at, withheld_at from customers_email_settings where shop_id = $1 for update",
        shop)?;
    Ok(found.unwrap_or_default())
}

/// Switches the keeping on or off.
pub(super) async fn switch(tx: &mut Tx, shop: ShopId, kept: bool, now: Timestamp) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "insert into customers_email_settings (shop_id, kept, changed_at) values ($1, $2, $3)
         on conflict (shop_id) do update set kept = excluded.kept, changed_at = excluded.changed_at,
             withheld_at = null",
        shop,
        kept,
        now
    )?;
    Ok(())
}

/// Notes since when Shopify leaves addresses out, or that it does not.
pub(super) async fn set_withheld(
    tx: &mut Tx,
    shop: ShopId,
    since: Option<Timestamp>,
) -> Result<(), db::Error> {
    db!(tx.execute, "update customers_email_settings set withheld_at = $2 where shop_id = $1", shop, since)?;
    Ok(())
}

/// A member, and Shopify's number of the customer that it is.
pub(super) type Whose = (MemberId, CustomerId);

/// Those of these who are still the same customers. Nobody deletes, merges or erases them until the transaction ends.
pub(super) async fn lock_members(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
) -> Result<Vec<Whose>, db::Error> {
    db!(tx.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select m.member_id, m.customer_id from v join customers_members m
                     on m.shop_id = v.shop_id and m.member_id = v.member_id
                 where m.customer_id is not null and m.merged_into is null and m.deleted_at is null",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select m.member_id, m.customer_id from v join customers_members m
                       on m.shop_id = v.shop_id and m.member_id = v.member_id
                   where m.customer_id is not null and m.merged_into is null and m.deleted_at is null
                   order by m.member_id for update of m",
        |member| shop, *member)
}

/// An address as it is kept.
pub(super) struct SealedEmail {
    pub member: MemberId,
    pub sealed: Vec<u8>,
    pub index: Vec<u8>,
}

/// Keeps addresses, in place of those that were known.
pub(super) async fn keep(
    tx: &mut Tx,
    shop: ShopId,
    emails: &[SealedEmail],
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(tx.each emails,
        sqlite: "insert into customers_emails (shop_id, member_id, sealed_email, email_index, kept_at)
                 values ($1, $2, $3, $4, $5)
                 on conflict (shop_id, member_id) do update set sealed_email = excluded.sealed_email,
                     email_index = excluded.email_index, kept_at = excluded.kept_at",
        postgres: "insert into customers_emails (shop_id, member_id, sealed_email, email_index, kept_at)
                   select * from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::timestamptz[])
                   on conflict (shop_id, member_id) do update set sealed_email = excluded.sealed_email,
                       email_index = excluded.email_index, kept_at = excluded.kept_at",
        |email| shop, email.member, email.sealed.as_slice(), email.index.as_slice(), now)?;
    Ok(())
}

/// Replaces an address by the same one, sealed and indexed anew.
pub(super) async fn reseal(tx: &mut Tx, shop: ShopId, email: &SealedEmail) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update customers_emails set sealed_email = $3, email_index = $4 where shop_id = $1 and member_id = $2",
        shop,
        email.member,
        email.sealed.as_slice(),
        email.index.as_slice()
    )?;
    Ok(())
}

/// Forgets the addresses of these members.
pub(super) async fn forget(tx: &mut Tx, shop: ShopId, members: &[MemberId]) -> Result<(), db::Error> {
    db!(tx.each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 delete from customers_emails where (shop_id, member_id) in (select shop_id, member_id from v)",
        postgres: "delete from customers_emails e using unnest($1::uuid[], $2::uuid[]) as v (shop_id, member_id)
                   where e.shop_id = v.shop_id and e.member_id = v.member_id",
        |member| shop, *member)?;
    Ok(())
}

/// Erases some addresses of a shop, and says how many.
pub(super) async fn erase(tx: &mut Tx, shop: ShopId, most: i64) -> Result<u64, db::Error> {
    db!(
        tx.execute,
        "delete from customers_emails where shop_id = $1 and member_id in (
             select member_id from customers_emails where shop_id = $1 order by member_id limit $2)",
        shop,
        most
    )
}

/// The members whose address has this index, and who they are to Shopify.
pub(super) async fn find(read: &mut Read, shop: ShopId, index: &[u8]) -> Result<Vec<Whose>, db::Error> {
    db!(
        read.all,
        "select m.member_id, m.customer_id from customers_emails e
         join customers_members m on m.shop_id = e.shop_id and m.member_id = e.member_id
         where e.shop_id = $1 and e.email_index = $2 and m.customer_id is not null and m.merged_into is null
         order by m.member_id",
        shop,
        index
    )
}

/// The members whose address has one of these indexes: the index, and whose it is.
pub(super) async fn find_all(
    read: &mut Read,
    shop: ShopId,
    indexes: &[&[u8]],
) -> Result<Vec<(Vec<u8>, MemberId, CustomerId)>, db::Error> {
    db!(read.all each indexes,
        sqlite: "with v (shop_id, email_index) as (values ($1, $2))
                 select e.email_index, m.member_id, m.customer_id from v
                     join customers_emails e on e.shop_id = v.shop_id and e.email_index = v.email_index
                     join customers_members m on m.shop_id = e.shop_id and m.member_id = e.member_id
                 where m.customer_id is not null and m.merged_into is null",
        postgres: "with v (shop_id, email_index) as (select * from unnest($1::uuid[], $2::bytea[]))
                   select e.email_index, m.member_id, m.customer_id from v
                       join customers_emails e on e.shop_id = v.shop_id and e.email_index = v.email_index
                       join customers_members m on m.shop_id = e.shop_id and m.member_id = e.member_id
                   where m.customer_id is not null and m.merged_into is null",
        |index| shop, *index)
}

/// The address of a member, sealed.
pub(super) async fn sealed(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
) -> Result<Option<Vec<u8>>, db::Error> {
    let found: Option<(Vec<u8>,)> = db!(
        read.optional,
        "select sealed_email from customers_emails where shop_id = $1 and member_id = $2",
        shop,
        member
    )?;
    Ok(found.map(|(sealed,)| sealed))
}

/// The shops that keep addresses, or have yet to erase them.
pub(super) async fn shops(read: &mut Read) -> Result<Vec<(ShopId,)>, db::Error> {
    db!(read.all, "select shop_id from customers_email_settings order by shop_id")
}

/// The next addresses of a shop, sealed, by member, their rows locked.
pub(super) async fn sealed_after(
    tx: &mut Tx,
    shop: ShopId,
    after: MemberId,
    most: i64,
) -> Result<Vec<(MemberId, Vec<u8>)>, db::Error> {
    db!(tx.all,
        sqlite: "select member_id, sealed_email from customers_emails
                 where shop_id = $1 and member_id > $2 order by member_id limit $3",
        postgres: "select member_id, sealed_email from customers_emails
                   where shop_id = $1 and member_id > $2 order by member_id limit $3 for update",
        shop,
        after,
        most)
}

/// Nobody's id: before all others.
pub(super) const FIRST: MemberId = MemberId(Uuid::nil());
