//! Publishing at once, for whoever waits for it.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Error, publish, store};
use crate::app::App;
use crate::ids::MemberId;
use crate::merchants::Shop;
use crate::shopify::admin::Priority;

/// How long to wait at first for someone else who publishes a member.
const BUSY: Duration = Duration::from_millis(40);

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
