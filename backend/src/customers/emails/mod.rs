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

use crate::db::{self, Cipher, CipherError, Db, Read, Timestamp, Tx};
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

/// What became of addresses when the key changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Sealed and indexed anew.
    pub done: u64,
    /// Opened by no key that is known.
    pub lost: u64,
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
