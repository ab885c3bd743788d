//! Signing up: a customer whom the app has known without an account at the shop has one, or was made with one while the app
//! was there. Who had one before the app came has not signed up, whatever is told of them now.
//!
//! Shopify tells by a customer's `state`, which may lag; so whoever is signed in at the storefront has an account, too.

use super::{Error, shadows};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::{points, programs};

/// Whether no account of the member's customer is known of.
///
/// # Errors
/// Any error of the database.
pub async fn is_to_come(read: &mut Read, shop: ShopId, member: MemberId) -> Result<bool, db::Error> {
    let found: Option<(i64,)> = db!(
        read.optional,
        "select cast(1 as bigint) from customers_members where shop_id = $1 and member_id = $2
             and (shadow or (signed_up_at is null and state <> 'enabled'))",
        shop,
        member
    )?;
    Ok(found.is_some())
}

/// The member's customer is signed in: what a guest earned is theirs to spend, and whoever had no account until now has
/// signed up. Both once.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn signed_in(tx: &mut Tx, shop: ShopId, member: MemberId, now: Timestamp) -> Result<(), Error> {
    let is_new = is_to_come(tx, shop, member).await?;
    shadows::claim(tx, shop, member, now).await?;
    if is_new && note(tx, shop, member, now).await? {
        give(tx, shop, &[member], now).await?;
    }
    Ok(())
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

/// Gives those who have signed up what the program gives for it.
pub(super) async fn give(
    tx: &mut Tx,
    shop: ShopId,
    members: &[MemberId],
    now: Timestamp,
) -> Result<(), Error> {
    match programs::current(tx, shop).await {
        Ok(program) => Ok(points::bonuses::sign_up(tx, shop, members, &program, now).await?),
        Err(programs::Error::Missing) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
