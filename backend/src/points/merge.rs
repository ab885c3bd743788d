//! What one member had becomes another's.

use loyalty::program::ReturnPolicy;

use super::{Book, Error, bonuses, effects, notes};
use crate::db;
use crate::db::Tx;
use crate::ids::MemberId;

/// Moves everything that `from` has to `into`, both of which the book has locked: balances by an entry on either side,
/// lots with their dates, what orders booked and what was spent from which lot, so that a return finds them there. A bonus
/// that both have is had once.
///
/// # Errors
/// When the balances together would leave the range of points, or any error of the database.
pub async fn merge(
    tx: &mut Tx,
    book: &mut Book,
    (from, into): (MemberId, MemberId),
    policy: ReturnPolicy,
) -> Result<(), Error> {
    let shop = book.shop();
    db!(
        tx.execute,
        "update points_lots set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    db!(
        tx.execute,
        "update points_pins set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    db!(
        tx.execute,
        "update points_orders set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    db!(
        tx.execute,
        "update points_accounts set merged_into = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    effects::merge(tx, shop, from, into).await?;
    notes::merge(tx, shop, from, into).await?;
    book.merge(from, into)?;
    bonuses::merge(tx, book, (from, into), policy).await
}
