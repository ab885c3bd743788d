//! What becomes of a member's redemptions when the customer is merged into another, or deleted.

use super::desk::spend_of;
use super::{Error, Reason, State, payouts, store};
use crate::db;
use crate::db::{Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::points::{Book, Source};
use crate::programs::Versioned;

/// What `from` picked and used becomes `into`'s, both of which the book has locked. A hold that stands is shown by the
/// other's metafield from now on; if that one holds something already, it is released.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn merge(tx: &mut Tx, book: &mut Book, from: MemberId, into: MemberId) -> Result<(), Error> {
    let shop = book.shop();
    let mut standing = store::held(tx, shop, &[from]).await?;
    let kept_holds = !store::held(tx, shop, &[into]).await?.is_empty();
    for hold in &mut standing {
        if kept_holds {
            book.load_spends(tx, &[spend_of(hold.id)]).await?;
            book.release(from, spend_of(hold.id), Source::Shopify)?;
            hold.release(Reason::Gone, book.now());
        } else if hold.state == State::Live {
            // Live again once the other's metafield shows it.
            (hold.state, hold.changed) = (State::Opening, true);
        } else if hold.state == State::Closing {
            (hold.cleared_at, hold.changed) = (None, true);
        }
    }
    store::save_holds(tx, shop, &standing).await?;
    db!(
        tx.execute,
        "update redemptions_holds set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    payouts::merge(tx, shop, from, into).await?;
    db!(
        tx.execute,
        "update redemptions_uses set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    Ok(())
}

/// Releases the hold of a member whose customer is gone: no checkout of theirs can use it any more.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn let_go(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    program: &Versioned,
    now: Timestamp,
) -> Result<(), Error> {
    let mut book = Book::load(tx, shop, &[member], program, now).await?;
    let mut standing = store::held(tx, shop, &[member]).await?;
    for hold in &mut standing {
        book.load_spends(tx, &[spend_of(hold.id)]).await?;
        book.release(member, spend_of(hold.id), Source::Shopify)?;
        hold.release(Reason::Gone, now);
    }
    book.save(tx).await?;
    Ok(store::save_holds(tx, shop, &standing).await?)
}
