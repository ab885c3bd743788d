//! Two customers of a shop become one: what the one had is the other's.

use super::{Error, birthdays, emails, hold, store, tags};
use crate::db::{Timestamp, Tx};
use crate::events::{self, CustomerChange, CustomerUpdated, Event};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::points::Book;
use crate::{campaigns, history, points, pos, programs, redemptions, referrals, rfm, sync};

/// Merges a customer whom Shopify deleted into the one whom it kept, and says whether there was anything to do. Lots keep
/// their dates, orders and redemptions their numbers; a hold that stands moves if the kept one has none, and is released
/// else. Orders of the deleted customer that come later are the kept one's. Doing so again, or the other way round,
/// changes nothing.
///
/// # Errors
/// Any error of the ledger or the database; the transaction must be rolled back then.
pub async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    kept: CustomerId,
    deleted: CustomerId,
    now: Timestamp,
) -> Result<bool, Error> {
    if kept == deleted {
        return Ok(false);
    }
    let Some(into) = store::enrol(tx, shop, &[kept], now).await?.remove(&kept) else { return Ok(false) };
    let Some(from) = store::member(tx, shop, deleted).await? else {
        hold(tx, shop, &[into]).await?;
        // Else somebody enrolled them this moment: whoever looks again finds them.
        let added = store::add_alias(tx, shop, deleted, into, now).await?;
        return if added { Ok(false) } else { Err(points::Error::Merged.into()) };
    };
    if from == into {
        return Ok(false);
    }
    // Before the accounts, as whoever deletes or erases a customer locks them.
    hold(tx, shop, &[from, into]).await?;
    let program = programs::current(tx, shop).await?;
    store::merge(tx, shop, from, into).await?;
    emails::forget(tx, shop, &[from]).await?;
    birthdays::merge(tx, shop, from, into).await?;
    tags::merge(tx, shop, from, into).await?;
    let mut members = referrals::advocates(tx, shop, &[from, into]).await?;
    members.extend([from, into]);
    let mut book = Book::load(tx, shop, &members, &program, now).await?;
    redemptions::merge(tx, &mut book, from, into).await?;
    points::merge(tx, &mut book, (from, into), program.program.returns).await?;
    referrals::merge(tx, &mut book, (from, into), &program).await?;
    let changed: Vec<MemberId> = book.changed().filter(|member| ![from, into].contains(member)).collect();
    book.save(tx).await?;
    sync::mark(tx, shop, &changed, now).await?;
    history::merge(tx, shop, from, into).await?;
    rfm::merge(tx, shop, (from, into), now).await?;
    campaigns::merge(tx, shop, (from, into), &program.program.tiers, now).await?;
    pos::merge(tx, shop, from, into).await?;
    sync::merge(tx, shop, (from, into), now).await?;
    let change = CustomerChange::Merged { from };
    events::publish(tx, shop, Event::CustomerUpdated(CustomerUpdated { member: into, change }), now).await?;
    Ok(true)
}
