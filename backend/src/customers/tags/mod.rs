//! The merchant's own tags of customers: kept only where the merchant has switched it on, as Shopify tells of them.
//!
//! ```text
//! PUT /api/customer-tags ─ on ──── a file of all customers ─┐
//! customer.tags_added, tags_removed ───────────────────────────┴─ of each tag, what is newest
//!                       ─ off ─────── all are erased
//! ```
//!
//! Payloads of customers carry no tags. What was taken away is remembered for as long as what is older may come late. The tags
//! that the app itself writes are none of the merchant's.

mod reader;
mod routes;
mod store;
mod told;

use crate::bulk;
use crate::db::{self, Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

pub use reader::TagsReader;
pub use routes::api;
pub(super) use store::{forget, merge};
pub(super) use told::told;

/// What the files are for.
const PURPOSE: &str = "customers.tags";
/// The longest tag, in characters, and the most of a customer: Shopify has no more.
const LONGEST: usize = 255;
const MOST: usize = 250;

/// Whether a tag can be kept: PostgreSQL has no NUL.
fn is_tag(tag: &str) -> bool {
    !tag.trim().is_empty() && tag.chars().count() <= LONGEST && !tag.contains('\0')
}

/// Switches the keeping on or off, and says how it was before. Switched on, all tags are read soon; switched off, they are
/// erased.
///
/// # Errors
/// Any error of the database.
pub(super) async fn switch(tx: &mut Tx, shop: ShopId, kept: bool, now: Timestamp) -> Result<bool, db::Error> {
    let before = store::lock(tx, shop).await?;
    if before == kept {
        return Ok(before);
    }
    store::switch(tx, shop, kept, now).await?;
    match kept {
        true => {
            // What was asked for before it was switched off would leave out what nobody kept meanwhile.
            bulk::ask_since(tx, shop, PURPOSE, now, now).await?;
        }
        false => store::erase(tx, shop).await?,
    }
    Ok(before)
}

/// Has the tags of all customers read soon, if the shop keeps them: nobody told of the time before `since`.
///
/// # Errors
/// Any error of the database.
pub async fn read_again(
    tx: &mut Tx,
    shop: ShopId,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), db::Error> {
    if store::are_kept(tx, shop).await? {
        bulk::ask_since(tx, shop, PURPOSE, since, now).await?;
    }
    Ok(())
}

/// What is known of a tag of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    member: MemberId,
    tag: String,
    kept: bool,
    as_of: Timestamp,
}

impl Known {
    fn key(&self) -> String {
        key(&self.tag)
    }
}

/// Tags that differ in case only are one.
fn key(tag: &str) -> String {
    tag.trim().to_lowercase()
}

/// The tags of a member, for people; none where the shop does not keep them.
///
/// # Errors
/// Any error of the database.
pub(super) async fn shown(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
) -> Result<Option<Vec<String>>, db::Error> {
    if !store::are_kept(read, shop).await? {
        return Ok(None);
    }
    store::of_member(read, shop, member).await.map(Some)
}
