//! Signing up: a customer whom the app has known without an account at the shop has one, or was made with one while the app
//! was there. Who had one before the app came has not signed up, whatever is told of them now.
//!
//! Shopify tells by a customer's `state`, which may lag; so whoever is signed in at the storefront has an account, too.

use super::{Error, shadows};
use crate::db;
use crate::db::{Db, Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::{points, programs};

/// Whether it is news that the member's customer has an account; none where nobody need be told, because they are known to be
/// no guest, whatever an order tells.
async fn is_news(read: &mut Read, shop: ShopId, member: MemberId) -> Result<Option<bool>, db::Error> {
    let found: Option<(bool,)> = db!(
        read.optional,
        "select coalesce(shadow is true or (signed_up_at is null and state <> 'enabled'), false)
         from customers_members where shop_id = $1 and member_id = $2
             and (shadow is not false or (signed_up_at is null and state <> 'enabled'))",
        shop,
        member
    )?;
    Ok(found.map(|(is_news,)| is_news))
}

/// The member's customer is signed in: what a guest earned is theirs to spend, and whoever had no account until now has
/// signed up. Both once, and whatever becomes of what they came for. No order that comes later makes a guest of them.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn signed_in(db: &Db, shop: ShopId, member: MemberId, now: Timestamp) -> Result<(), Error> {
    if is_news(&mut db.read(shop).await?, shop, member).await?.is_none() {
        return Ok(());
    }
    let mut tx = db.begin(shop).await?;
    // Another window may have been here meanwhile.
    let is_new = is_news(&mut tx, shop, member).await?.unwrap_or_default();
    shadows::claim(&mut tx, shop, member, now).await?;
    shadows::vouch(&mut tx, shop, member).await?;
    if is_new && note(&mut tx, shop, member, now).await? {
        give(&mut tx, shop, &[member], now).await?;
    }
    Ok(tx.commit().await?)
}

/// Takes note that a member has signed up; false if that is known, or they are nobody any more.
pub(super) async fn note(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let noted = db!(
        tx.execute,
        "update customers_members set signed_up_at = $3
         where shop_id = $1 and member_id = $2 and signed_up_at is null and merged_into is null
             and deleted_at is null and redacted_at is null",
        shop,
        member,
        now
    )?;
    Ok(noted > 0)
}

/// Gives those who have signed up, and are still there, what the program gives for it.
pub(super) async fn give(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
    now: Timestamp,
) -> Result<(), Error> {
    let there = there(tx, shop, members).await?;
    match programs::current(tx, shop).await {
        Ok(program) => Ok(points::bonuses::sign_up(tx, shop, &there, &program, now).await?),
        Err(programs::Error::Missing) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Those who were neither deleted nor erased; whoever was merged since is the one who was kept.
async fn there(read: &mut Read, shop: ShopId, members: &[MemberId]) -> Result<Vec<MemberId>, db::Error> {
    let found: Vec<(MemberId,)> = db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select distinct k.member_id from v
                     join customers_members m on m.shop_id = v.shop_id and m.member_id = v.member_id
                     join customers_members k on k.shop_id = m.shop_id
                         and k.member_id = coalesce(m.merged_into, m.member_id)
                 where k.deleted_at is null and k.redacted_at is null",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select distinct k.member_id from v
                       join customers_members m on m.shop_id = v.shop_id and m.member_id = v.member_id
                       join customers_members k on k.shop_id = m.shop_id
                           and k.member_id = coalesce(m.merged_into, m.member_id)
                   where k.deleted_at is null and k.redacted_at is null",
        |member| shop, *member)?;
    Ok(found.into_iter().map(|(member,)| member).collect())
}
