//! What comes round for redemptions: holds whose time has come, orders to be tagged for review.

use super::{Error, lifecycle, store};
use crate::app::App;
use crate::clock::Clock;
use crate::db::Db;

/// How many holds or orders one look takes on.
const AT_ONCE: i64 = 200;
/// What an order is tagged with whose discount no hold covered.
const TAG: &str = "loyalty: unbacked";

/// Closes and releases the holds whose time has come and says how many those were.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn advance_due(db: &Db, clock: &Clock) -> Result<usize, Error> {
    let due = lifecycle::due(&mut db.read_across().await?, clock.now(), AT_ONCE).await?;
    let mut advanced = 0;
    for (shop, member, hold) in due {
        let mut tx = db.begin(shop).await?;
        match lifecycle::advance(&mut tx, shop, member, hold, clock.now()).await {
            Ok(done) => advanced += usize::from(done),
            Err(Error::Db(error)) if error.is_unavailable() => return Err(error.into()),
            // One hold must not keep all others from closing.
            Err(error) => {
                tracing::error!(%shop, %hold, %error, "a hold cannot be closed or released");
                continue;
            }
        }
        tx.commit().await?;
    }
    Ok(advanced)
}

/// Tags the orders whose discount no hold covered, for the merchant's eye, and says how many those were.
///
/// # Errors
/// Any error of the database. A shop that cannot be reached is tried again next time.
pub async fn tag_flagged(app: &App) -> Result<usize, Error> {
    let flagged = store::untagged(&mut app.db.read_across().await?, AT_ONCE).await?;
    let mut tagged = 0;
    for (shop_id, order) in flagged {
        let Ok(Some(shop)) = app.shops.find(shop_id).await else { continue };
        let Ok(admin) = app.admin_of(&shop).await else { continue };
        match admin.tag(&order.gid(), &[TAG.to_owned()]).await {
            Ok(errors) => {
                for error in &errors {
                    tracing::warn!(shop = %shop_id, %order, message = error.message, "an order was not tagged");
                }
                let mut tx = app.db.begin(shop_id).await?;
                store::set_tagged(&mut tx, shop_id, order, app.clock.now()).await?;
                tx.commit().await?;
                tagged += 1;
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(shop = %shop_id, %order, error, "an order was not tagged; tried again");
            }
        }
    }
    Ok(tagged)
}
