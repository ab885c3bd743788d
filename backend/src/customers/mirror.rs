//! Customers as a file of all of them tells: they are members, with the state of their account.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Error, emails, handler, sign_ups, store};
use crate::db::{self, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::sync;

/// What a file tells of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// Shopify's number.
    pub customer: CustomerId,
    /// The state of their account, in Shopify's word for it.
    pub state: String,
    /// From when that is (UTC).
    pub told_at: Timestamp,
}

/// Enrols these customers and keeps the states of their accounts, unless newer ones are known; says how many became members
/// by that. Of whom nothing was told before, the state is only noted: who has an account already has not signed up. Else it is
/// as if a webhook told it.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn mirror(tx: &mut Tx, shop: ShopId, told: &[Mirrored], now: Timestamp) -> Result<i64, Error> {
    let mut newest: BTreeMap<CustomerId, &Mirrored> = BTreeMap::new();
    for one in told.iter().filter(|one| handler::is_state(&one.state)) {
        let known = newest.entry(one.customer).or_insert(one);
        if known.told_at < one.told_at {
            *known = one;
        }
    }
    let customers: Vec<CustomerId> = newest.keys().copied().collect();
    let (_, new) = store::enrol_and_tell(tx, shop, &customers, now).await?;
    sync::mark(tx, shop, &new, now).await?;
    let new: HashSet<MemberId> = new.into_iter().collect();
    // Of whom a webhook tells this moment, it tells nothing older.
    let known = store::lock_states(tx, shop, &customers).await?;
    let (first, again): (Vec<_>, Vec<_>) =
        known.iter().partition(|known| known.told_at.is_none() && known.shadow != Some(true));
    let first: Vec<(MemberId, &str, Timestamp)> = first
        .into_iter()
        .filter_map(|known| {
            let told = newest.get(&known.customer_id)?;
            Some((known.member_id, told.state.as_str(), told.told_at))
        })
        .collect();
    store::note_states(tx, shop, &first).await?;
    let mut signed_up = Vec::new();
    for known in again {
        let Some(told) = newest.get(&known.customer_id) else { continue };
        // Who is a guest by an order that came later than what is known may have an account again.
        if known.state.as_deref() != Some(told.state.as_str()) || known.shadow == Some(true) {
            signed_up.extend(
                handler::updated(tx, shop, known.customer_id, Some(&told.state), told.told_at, now).await?,
            );
        }
    }
    if !signed_up.is_empty() {
        sign_ups::give(tx, shop, &signed_up, now).await?;
    }
    let addresses: Vec<CustomerId> =
        known.iter().filter(|known| new.contains(&known.member_id)).map(|known| known.customer_id).collect();
    emails::follow(tx, shop, &addresses, now).await?;
    Ok(new.len() as i64)
}

/// Whether none of these members was merged into another, so that nobody merges them until the transaction ends. They are named
/// once each.
///
/// # Errors
/// Any error of the database.
pub async fn stay(tx: &mut Tx, shop: ShopId, members: &[MemberId]) -> Result<bool, db::Error> {
    Ok(store::stay(tx, shop, members).await? == members.len())
}

/// As [`enrol_and_tell`](store::enrol_and_tell), and nobody merges these members until the transaction ends.
///
/// # Errors
/// Any error of the database.
pub async fn enrol_and_stay(
    tx: &mut Tx,
    shop: ShopId,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<(HashMap<CustomerId, MemberId>, Vec<MemberId>), db::Error> {
    let (mut members, new) = store::enrol_and_tell(tx, shop, customers, now).await?;
    loop {
        let mut ids: Vec<MemberId> = members.values().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        if stay(tx, shop, &ids).await? {
            return Ok((members, new));
        }
        // Somebody was merged meanwhile: their orders are the kept one's.
        members = store::members(tx, shop, customers).await?;
    }
}
