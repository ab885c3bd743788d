//! Publishing in the background, and at once for whoever waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Error, publish, store};
use crate::app::App;
use crate::db::Timestamp;
use crate::ids::{MemberId, ShopId};
use crate::merchants::Shop;
use crate::shopify::admin::METAFIELDS_AT_ONCE;

/// How many members one look takes on.
const AT_ONCE: i64 = 500;
/// How long to wait before asking again for a member whom someone else publishes.
const BUSY: Duration = Duration::from_millis(50);
/// How long a shop that could not be reached is left alone.
const UNREACHABLE: SignedDuration = SignedDuration::from_secs(5);

/// Publishes everyone whose time has come and says how many that were.
///
/// # Errors
/// Any error of the database, or a shop whose token cannot be read. A shop that cannot be reached only delays its own
/// members.
pub async fn publish_due(app: &App) -> Result<usize, Error> {
    let due = store::due(&mut app.db.read().await?, app.clock.now(), AT_ONCE).await?;
    let count = due.len();
    let mut by_shop: BTreeMap<ShopId, Vec<MemberId>> = BTreeMap::new();
    for (shop, member) in due {
        by_shop.entry(shop).or_default().push(member);
    }
    for (shop, members) in by_shop {
        let Some(shop) = app.shops.find(shop).await? else {
            // Uninstalled: nobody to tell.
            put_off(app, shop, None).await?;
            continue;
        };
        for members in members.chunks(METAFIELDS_AT_ONCE) {
            match publish(&app.db, &app.admin_of(&shop), &app.clock, shop.id, members).await {
                Ok(outcome) => {
                    let (published, failed) = (outcome.published.len(), outcome.failed.len());
                    tracing::debug!(shop = %shop.id, published, failed, "accounts published");
                }
                Err(Error::Db(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(shop = %shop.id, %error, "accounts are not published; tried again");
                    put_off(app, shop.id, Some(app.clock.now() + UNREACHABLE)).await?;
                    break;
                }
            }
        }
    }
    Ok(count)
}

/// Nobody of a shop is due before `until`, or at all until marked again.
async fn put_off(app: &App, shop: ShopId, until: Option<Timestamp>) -> Result<(), Error> {
    let mut tx = app.db.begin().await?;
    store::put_off(&mut tx, shop, app.clock.now(), until).await?;
    tx.commit().await?;
    Ok(())
}

/// Publishes one member now, within a budget, and says whether its metafield shows the ledger. Whatever happens, the
/// member stays marked until it does.
pub async fn publish_within(app: &App, shop: &Shop, member: MemberId, budget: Duration) -> bool {
    let until = Instant::now() + budget;
    let admin = app.admin_of(shop).within(budget);
    let publishing = async {
        loop {
            match publish(&app.db, &admin, &app.clock, shop.id, &[member]).await {
                Ok(outcome) if outcome.busy.is_empty() => return outcome.published.contains(&member),
                // Someone else may have read the ledger before our change: ask again.
                Ok(_) => sleep(BUSY).await,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(shop = %shop.id, error, "an account is not published at once");
                    return false;
                }
            }
        }
    };
    timeout_at(until, publishing).await.unwrap_or(false)
}
