//! Shadow accounts: what orders of customers without an account at the shop earn waits there until they have one.
//!
//! Shopify tells by a customer's `state`. It may lag, and where customers sign in by e-mail nobody says that it follows: so
//! whoever is signed in at the storefront has an account, whatever was told.

use std::collections::{BTreeMap, HashSet};

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::events::{self, CustomerChange, CustomerUpdated, Event};
use crate::ids::{CustomerId, MemberId, ShopId};

/// Takes note of customers who had no account at some time, as their orders tell, and gives those of them of whom that is
/// so: who was told to have one since, or has claimed theirs, has one, however late such an order comes.
///
/// # Errors
/// Any error of the database.
pub async fn note_guests(
    tx: &mut Tx,
    shop: ShopId,
    told: &[(CustomerId, Timestamp)],
) -> Result<HashSet<CustomerId>, db::Error> {
    let mut newest: BTreeMap<CustomerId, Timestamp> = BTreeMap::new();
    for (customer, at) in told {
        let known = newest.entry(*customer).or_insert(*at);
        *known = (*known).max(*at);
    }
    let customers: Vec<(CustomerId, Timestamp)> = newest.into_iter().collect();
    db!(tx.each customers,
        sqlite: "with v (shop_id, customer_id, told_at) as (values ($1, $2, $3))
                 update customers_members set shadow = true from v
                 where customers_members.shop_id = v.shop_id and customers_members.customer_id = v.customer_id
                     and shadow is null and merged_into is null
                     and (coalesce(state, '') <> 'enabled' or customers_members.told_at <= v.told_at)",
        postgres: "with v (shop_id, customer_id, told_at) as (
                       select * from unnest($1::uuid[], $2::bigint[], $3::timestamptz[]))
                   update customers_members set shadow = true from v
                   where customers_members.shop_id = v.shop_id and customers_members.customer_id = v.customer_id
                       and shadow is null and merged_into is null
                       and (coalesce(state, '') <> 'enabled' or customers_members.told_at <= v.told_at)",
        |told| shop, told.0, told.1)?;
    let guests: Vec<(CustomerId,)> = db!(tx.all each customers,
        sqlite: "with v (shop_id, customer_id) as (values ($1, $2))
                 select m.customer_id from v join customers_members m
                     on m.shop_id = v.shop_id and m.customer_id = v.customer_id where m.shadow",
        postgres: "with v (shop_id, customer_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select m.customer_id from v join customers_members m
                       on m.shop_id = v.shop_id and m.customer_id = v.customer_id where m.shadow",
        |told| shop, told.0)?;
    Ok(guests.into_iter().map(|(customer,)| customer).collect())
}

/// Whether the member's customer has no account yet, so that nothing may be spent.
///
/// # Errors
/// Any error of the database.
pub async fn is_shadow(tx: &mut Read, shop: ShopId, member: MemberId) -> Result<bool, db::Error> {
    let found: Option<(Option<bool>,)> = db!(
        tx.optional,
        "select shadow from customers_members where shop_id = $1 and member_id = $2",
        shop,
        member
    )?;
    Ok(found.is_some_and(|(shadow,)| shadow == Some(true)))
}

/// The member's customer has an account: what was earned is theirs to spend. Told once, the first time, which is when this
/// is true.
pub(super) async fn claim(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let claimed = db!(
        tx.execute,
        "update customers_members set shadow = false where shop_id = $1 and member_id = $2 and shadow",
        shop,
        member
    )?;
    if claimed > 0 {
        let event = Event::CustomerUpdated(CustomerUpdated { member, change: CustomerChange::Claimed });
        events::publish(tx, shop, event, now).await?;
    }
    Ok(claimed > 0)
}

/// The member's customer has an account, although nobody doubted it: no order makes a guest of them.
pub(super) async fn vouch(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update customers_members set shadow = false where shop_id = $1 and member_id = $2 and shadow is null",
        shop,
        member
    )?;
    Ok(())
}
