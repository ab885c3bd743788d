//! Publishing in the background, and at once for whoever waits for it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep, timeout};

use super::{Error, publish, store};
use crate::app::App;
use crate::db::Timestamp;
use crate::ids::{MemberId, ShopId};
use crate::merchants::{Shop, ShopError};
use crate::shopify::admin::{AdminError, METAFIELDS_AT_ONCE, Priority};

/// How many members one look takes on.
const AT_ONCE: i64 = 500;
/// How long to wait at first for someone else who publishes a member.
const BUSY: Duration = Duration::from_millis(40);
/// How long a shop that could not be reached is left alone.
const UNREACHABLE: SignedDuration = SignedDuration::from_secs(5);

/// Publishes everyone whose time has come and says how many that were.
///
/// # Errors
/// Any error of the database, or a shop whose token cannot be read. A shop that cannot be reached only delays its own
/// members.
pub async fn publish_due(app: &App) -> Result<usize, Error> {
    let due = store::due(&mut app.db.read_outside().await?, app.clock.now(), AT_ONCE).await?;
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
            let published = match app.admin_of(&shop).await {
                Ok(admin) => publish(&app.db, &admin, &app.clock, shop.id, members).await,
                Err(error) => Err(error.into()),
            };
            match published {
                Ok(outcome) => {
                    let (published, failed) = (outcome.published.len(), outcome.failed.len());
                    tracing::debug!(shop = %shop.id, published, failed, "accounts published");
                }
                Err(Error::Db(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(shop = %shop.id, %error, "accounts are not published; tried again");
                    let now = app.clock.now();
                    let until = match &error {
                        Error::Admin(AdminError::Throttled { wait }) => {
                            now + SignedDuration::try_from(*wait).unwrap_or(UNREACHABLE)
                        }
                        Error::Shop(ShopError::TokenRefused { until }) => *until,
                        _ => now + UNREACHABLE,
                    };
                    put_off(app, shop.id, Some(until)).await?;
                    break;
                }
            }
        }
    }
    Ok(count)
}

/// Nobody of a shop is due before `until`, or at all until marked again.
async fn put_off(app: &App, shop: ShopId, until: Option<Timestamp>) -> Result<(), Error> {
    let mut tx = app.db.begin(shop).await?;
    store::put_off(&mut tx, shop, app.clock.now(), until).await?;
    tx.commit().await?;
    Ok(())
}

/// Publishes one member now, within a budget, and says whether its metafield shows the ledger as it was when this was
/// called. Whatever happens, the member stays marked until it does.
pub async fn publish_within(app: &App, shop: &Shop, member: MemberId, budget: Duration) -> bool {
    // A task of its own, because a publication that is dropped half-way would keep its lease until that runs out.
    let publishing = tokio::spawn({
        let (app, shop) = (app.clone(), shop.clone());
        async move {
            publish_until_done(&app, &shop, member, budget).await.unwrap_or_else(|error| {
                tracing::warn!(shop = %shop.id, %error, "an account is not published at once; tried again");
                false
            })
        }
    });
    matches!(timeout(budget, publishing).await, Ok(Ok(true)))
}

async fn publish_until_done(
    app: &App,
    shop: &Shop,
    member: MemberId,
    budget: Duration,
) -> Result<bool, Error> {
    let admin = app.admin_of(shop).await?.within(budget).priority(Priority::Redemption);
    let wanted = store::progress(&mut app.db.read(shop.id).await?, shop.id, member).await?.wanted;
    let (mut wait, until) = (BUSY, Instant::now() + budget);
    while Instant::now() < until {
        // Someone else's write may have covered our change.
        if store::progress(&mut app.db.read(shop.id).await?, shop.id, member).await?.published >= wanted {
            return Ok(true);
        }
        let outcome = publish(&app.db, &admin, &app.clock, shop.id, &[member]).await?;
        if outcome.busy.is_empty() {
            return Ok(outcome.published.contains(&member));
        }
        sleep(wait).await;
        wait = wait.saturating_mul(2);
    }
    Ok(false)
}
