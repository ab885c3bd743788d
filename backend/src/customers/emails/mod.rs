//! E-mail addresses of members: kept only where the merchant has switched it on, sealed, and found by a blind index.
//!
//! ```text
//! PUT /api/privacy/settings ─ on ──┬─ KeepAll: all members, some at a time ─┐
//! customers/create, update ────────┴─ Keep: these members ──────────────────┴─ the Admin API ─ sealed, indexed
//!                           ─ off ─── EraseAll
//! GET /api/members?email= ─ the same index ─ members; who asked is written down
//! ```
//!
//! Off is the default: then the app works with Shopify's numbers alone, which is level 1 of what Shopify calls protected
//! customer data. Addresses are level 2. Webhooks bring none; an address is in no log, trace, event, task or audit entry.

mod address;
mod jobs;
mod routes;
mod store;

use std::collections::HashMap;

use crate::db::{self, Cipher, CipherError, Db, Read, Resealed, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, ShopId};

pub use jobs::{EraseAll, Keep, KeepAll};
pub use routes::api;

/// What sealed addresses are bound to.
const SEALED: &str = "customers_emails.sealed_email";
/// What blind indexes are made for.
const INDEX: &str = "customers_emails.email_index";

/// Whether a shop's addresses are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Settings {
    /// Whether they are.
    pub kept: bool,
    /// When that was last switched.
    pub changed_at: Option<Timestamp>,
    /// Since when Shopify leaves them out of its answers.
    pub withheld_at: Option<Timestamp>,
}

/// A member that an address led to.
pub type Found = (MemberId, CustomerId);

/// The members with this address, whichever key its index was made with. None if it is no address.
///
/// # Errors
/// Any error of the database.
pub async fn find(
    read: &mut Read,
    cipher: &Cipher,
    shop: ShopId,
    email: &str,
) -> Result<Option<Vec<Found>>, db::Error> {
    let Some(email) = address::normalised(email) else { return Ok(None) };
    let mut found = Vec::new();
    for index in cipher.indexes(INDEX, shop.0, email.as_bytes()).map_err(db::Error::other)? {
        found.extend(store::find(read, shop, &index).await?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(Some(found))
}

/// Whether a shop keeps addresses.
///
/// # Errors
/// Any error of the database.
pub async fn are_kept(read: &mut Read, shop: ShopId) -> Result<bool, db::Error> {
    Ok(store::settings(read, shop).await?.kept)
}

/// As [`find`], for many addresses: the members with each of them. Those that are no addresses are left out.
///
/// # Errors
/// Any error of the database.
pub async fn find_all<'a>(
    read: &mut Read,
    cipher: &Cipher,
    shop: ShopId,
    emails: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<&'a str, Vec<Found>>, db::Error> {
    let (mut found, mut written) = (HashMap::new(), HashMap::<Vec<u8>, Vec<&str>>::new());
    for email in emails {
        let Some(normalised) = address::normalised(email) else { continue };
        found.insert(email, Vec::new());
        for index in cipher.indexes(INDEX, shop.0, normalised.as_bytes()).map_err(db::Error::other)? {
            written.entry(index).or_default().push(email);
        }
    }
    let indexes: Vec<&[u8]> = written.keys().map(Vec::as_slice).collect();
    for (index, member, customer) in store::find_all(read, shop, &indexes).await? {
        for email in written.get(&index).into_iter().flatten() {
            found.entry(email).or_insert_with(Vec::new).push((member, customer));
        }
    }
    for members in found.values_mut() {
        members.sort_unstable();
        members.dedup();
    }
    Ok(found)
}

/// The address that is kept of a member.
///
/// # Errors
/// [`CipherError`] inside, where no key opens it; any error of the database.
pub async fn of_member(
    read: &mut Read,
    cipher: &Cipher,
    shop: ShopId,
    member: MemberId,
) -> Result<Option<Result<String, CipherError>>, db::Error> {
    let sealed = store::sealed(read, shop, member).await?;
    Ok(sealed.map(|sealed| String::from_utf8(cipher.open(SEALED, shop.0, &sealed)?).map_err(|_| CipherError)))
}

/// Forgets the addresses of members who are none any more.
///
/// # Errors
/// Any error of the database.
pub(super) async fn forget(tx: &mut Tx, shop: ShopId, members: &[MemberId]) -> Result<(), db::Error> {
    store::forget(tx, shop, members).await
}

/// Fetches the addresses of customers who have changed, soon, if the shop keeps them.
///
/// # Errors
/// Any error of the database.
pub(super) async fn follow(
    tx: &mut Tx,
    shop: ShopId,
    customers: &[CustomerId],
    now: Timestamp,
) -> Result<(), db::Error> {
    if !store::settings(tx, shop).await?.kept {
        return Ok(());
    }
    let members = super::members(tx, shop, customers).await?;
    jobs::keep_soon(tx, shop, members.into_values().collect(), now).await
}

/// An address as it is kept.
fn seal(
    cipher: &Cipher,
    shop: ShopId,
    member: MemberId,
    email: &[u8],
) -> Result<store::SealedEmail, CipherError> {
    let sealed = cipher.seal(SEALED, shop.0, email)?;
    Ok(store::SealedEmail { member, sealed, index: cipher.index(INDEX, shop.0, email)? })
}

/// Seals and indexes with the current key what an older one has sealed.
///
/// # Errors
/// Any error of the database. What is done stays done.
pub async fn reseal(db: &Db, cipher: &Cipher) -> Result<Resealed, db::Error> {
    /// Addresses that share a transaction.
    const TOGETHER: i64 = 100;
    let mut resealed = Resealed::default();
    for (shop,) in store::shops(&mut db.read_across().await?).await? {
        let mut after = store::FIRST;
        loop {
            let mut tx = db.begin(shop).await?;
            let some = store::sealed_after(&mut tx, shop, after, TOGETHER).await?;
            let Some((last, _)) = some.last() else { break };
            after = *last;
            for (member, sealed) in some {
                match cipher.reseal(SEALED, shop.0, &sealed) {
                    Ok(None) => {}
                    Ok(Some(anew)) => {
                        // Both or neither: an address whose index another key made is looked for under that key.
                        let plain = cipher.open(SEALED, shop.0, &anew).map_err(db::Error::other)?;
                        let email = seal(cipher, shop, member, &plain).map_err(db::Error::other)?;
                        store::reseal(&mut tx, shop, &email).await?;
                        resealed.done += 1;
                    }
                    Err(CipherError) => resealed.lost += 1,
                }
            }
            tx.commit().await?;
        }
    }
    Ok(resealed)
}
