//! What comes round for redemptions: holds whose time has come, orders to be tagged for review.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Error, lifecycle, store};
use crate::app::App;
use crate::clock::Clock;
use crate::db::Db;
use crate::ids::{OrderId, ShopId};
use crate::rota;

/// How many holds one look takes on.
const AT_ONCE: i64 = 200;
/// How many orders of a shop are tagged in one turn.
const TAGS_A_TURN: i64 = 10;
/// How long a shop may take to tag an order, before it is left alone.
const TAG_WITHIN: Duration = Duration::from_secs(5);
/// How long a shop is left alone that could not be asked, or whose answer was no help; the order it was about gives way to
/// the others meanwhile.
const SHOP_AGAIN: SignedDuration = SignedDuration::from_mins(1);
const ORDER_AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// How long a shop is passed by that has gone, or has no token.
const GONE_AGAIN: SignedDuration = SignedDuration::from_hours(1);
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

/// Tags orders whose discount no hold covered, for the merchant's eye, and says how many those were. Every shop has one
/// turn.
///
/// # Errors
/// Any error of the database. A shop that cannot be reached has its next turn later.
pub async fn tag_flagged(app: &App) -> Result<usize, Error> {
    let (mut from, mut tagged) = (rota::START, 0);
    loop {
        let now = app.clock.now();
        let passed = store::pass_to_tag(&mut app.db.read_across().await?, from, now, rota::AT_ONCE).await?;
        for shop in passed.iter().filter(|passed| passed.is_ready) {
            tagged += tag_some(app, shop.shop_id).await?;
        }
        from = rota::next_from(&passed, rota::AT_ONCE);
        if from == rota::START {
            return Ok(tagged);
        }
    }
}

/// A shop's turn.
async fn tag_some(app: &App, shop_id: ShopId) -> Result<usize, Error> {
    let admin = match app.shops.find(shop_id).await {
        Ok(Some(shop)) => app.admin_of(&shop).await,
        Ok(None) => {
            put_off(app, shop_id, GONE_AGAIN, None).await?;
            return Ok(0);
        }
        Err(error) => Err(error),
    };
    let admin = match admin {
        Ok(admin) => admin.within(TAG_WITHIN),
        Err(error) => {
            tracing::warn!(shop = %shop_id, %error, "nobody can be asked to tag orders; tried again");
            put_off(app, shop_id, SHOP_AGAIN, None).await?;
            return Ok(0);
        }
    };
    let due = store::to_tag(&mut app.db.read(shop_id).await?, shop_id, app.clock.now(), TAGS_A_TURN).await?;
    let mut tagged = 0;
    for order in due {
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
                let reason = error.to_string();
                tracing::warn!(shop = %shop_id, %order, reason, "an order was not tagged; tried again");
                put_off(app, shop_id, SHOP_AGAIN, Some(order)).await?;
                break;
            }
        }
    }
    Ok(tagged)
}

/// Leaves a shop alone for a while.
async fn put_off(
    app: &App,
    shop: ShopId,
    wait: SignedDuration,
    failed: Option<OrderId>,
) -> Result<(), Error> {
    let now = app.clock.now();
    let mut tx = app.db.begin(shop).await?;
    store::put_tags_off(&mut tx, shop, now + wait, failed, now + ORDER_AGAIN).await?;
    Ok(tx.commit().await?)
}
