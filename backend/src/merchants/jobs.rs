//! What is done for shops in the background: setting up those that installed the app, and keeping the tokens of those
//! that nobody asks for.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{ShopError, pairs, store};
use crate::activation::{self, Again};
use crate::app::App;
use crate::customers::tags;
use crate::tasks::{Run, Task, TaskError};
use crate::{history, products, programs, sync};

/// How many shops one look takes on.
const AT_ONCE: i64 = 20;
/// With less than this left, a refresh token is used, so that a quiet shop does not lose its tokens.
const DORMANT: SignedDuration = SignedDuration::from_hours(10 * 24);
/// When a shop that could not be set up is tried again; longer than one attempt may take.
const AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// Sets up the shops that installed the app, and says how many it took on: the program's metafields are written, and
/// those of all members, because nobody knows which of them Shopify kept after an uninstall. The discounts follow, as a
/// task, and the shop's customers and orders are read, also of the time when the app was not there.
///
/// # Errors
/// Any error of the database. A shop that cannot be reached is tried again.
pub async fn set_up_due(app: &App) -> Result<usize, ShopError> {
    let now = app.clock.now();
    let due = store::set_up_due(&mut app.db.read_outside().await?, now, AT_ONCE).await?;
    let mut taken = 0;
    for (id, due_at) in due {
        let again = now + AGAIN;
        let mut tx = app.db.begin(id).await?;
        let ours = store::set_up_again(&mut tx, id, due_at, Some(again)).await?;
        tx.commit().await?;
        if !ours {
            continue;
        }
        taken += 1;
        let Some(shop) = app.shops.find(id).await? else { continue };
        if let Err(error) = programs::publish(app, &shop).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(shop = %id, error, "a shop is not set up; tried again");
            continue;
        }
        let mut tx = app.db.begin(id).await?;
        // A shop that installed again meanwhile is set up again.
        store::set_up_again(&mut tx, id, again, None).await?;
        activation::stand_soon(&mut tx, id, Again::Made, format!("installed, due at {due_at}"), now).await?;
        sync::mark_all(&mut tx, id, now).await?;
        history::ask_since(&mut tx, id, shop.installed_at, now).await?;
        tags::read_again(&mut tx, id, shop.installed_at, now).await?;
        products::read_catalogue_soon(&mut tx, id, shop.installed_at, now).await?;
        tx.commit().await?;
        tracing::info!(shop = %id, "a shop is set up");
    }
    Ok(taken)
}

/// Refreshes the tokens of shops that were quiet for so long that they would lose them.
#[derive(Debug, Serialize, Deserialize)]
pub struct RefreshTokens {}

#[async_trait]
impl Task for RefreshTokens {
    const KIND: &'static str = "merchants.refresh_tokens";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(30);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        loop {
            match refresh_dormant(&run.app).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(ShopError::Database(error)) => return Err(error.into()),
                Err(error) => return Err(TaskError::Failed(error.to_string())),
            }
        }
    }
}

/// Refreshes the tokens of shops that were quiet for so long that the refresh tokens would be over soon, and says of how
/// many.
///
/// # Errors
/// Any error of the database. A shop that cannot be asked is tried again next time.
pub async fn refresh_dormant(app: &App) -> Result<usize, ShopError> {
    let now = app.clock.now();
    let dormant = pairs::dormant(&mut app.db.read_outside().await?, (now, now + DORMANT), AT_ONCE).await?;
    let mut refreshed = 0;
    for id in dormant {
        let Some(shop) = app.shops.find(id).await? else { continue };
        match app.shops.token(&shop).await {
            Ok(_) => refreshed += 1,
            Err(ShopError::Database(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(shop = %id, %error, "the token of a quiet shop is not refreshed"),
        }
    }
    Ok(refreshed)
}
