//! Publishing in the background: shops take turns, and a turn is one batch of one shop.
//!
//! Nobody waits in a turn: a shop whose bucket at Shopify is empty, or that cannot be reached, steps aside and is left
//! alone for a while, and the worker goes on with the next.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::publish::Lease;
use super::{Error, store};
use crate::app::App;
use crate::ids::ShopId;
use crate::merchants::{Shop, ShopError};
use crate::rota::{self, Place};
use crate::shopify::admin::AdminError;

/// How often is looked for members to publish when there are none: a shopper may be waiting for one.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The wait after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long a shop that could not be reached is left alone.
const UNREACHABLE: SignedDuration = SignedDuration::from_secs(5);
/// How long a shop without a token is left alone: there may be one at any time, and only we are asked for it.
const NO_TOKEN: SignedDuration = SignedDuration::from_mins(1);
/// How long a shop with an empty bucket is left alone at least: until there is enough for several batches, because each
/// look at it costs as much as a batch.
const STEPS_ASIDE: SignedDuration = SignedDuration::from_secs(1);
/// Sync has no work that comes before other work.
const ONE_CIRCLE: i64 = 0;

/// A shop's turn: members who are leased for it, and a worker's place.
#[derive(Debug)]
pub struct Turn {
    shop: Shop,
    lease: Lease,
    /// Held until the turn is over.
    _place: Place,
}

/// The next turn; none if nobody is due.
///
/// # Errors
/// Any error of the database.
pub async fn next_turn(app: &App) -> Result<Option<Turn>, Error> {
    loop {
        let now = app.clock.now();
        let look = |from| {
            let db = app.db.clone();
            async move { store::pass(&mut db.read_outside().await?, from, now, rota::AT_ONCE).await }
        };
        let Some(place) = app.sync_turns.next(ONE_CIRCLE, now, look).await? else { return Ok(None) };
        let Some(shop) = app.shops.find(place.shop).await? else {
            // Uninstalled: nobody to tell.
            let mut tx = app.db.begin(place.shop).await?;
            store::put_off(&mut tx, place.shop, now).await?;
            tx.commit().await?;
            continue;
        };
        // Others may have been quicker.
        let Some(lease) = Lease::on_due(&app.db, &app.clock, shop.id).await? else { continue };
        return Ok(Some(Turn { shop, lease, _place: place }));
    }
}

impl Turn {
    /// Whose it is.
    pub fn shop(&self) -> ShopId {
        self.shop.id
    }

    /// Publishes the batch. A shop that cannot be published to is left alone for a while.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn serve(self, app: &App) -> Result<(), Error> {
        let Turn { shop, lease, _place } = self;
        let published = match app.admin_of(&shop).await {
            Ok(admin) => lease.publish(&app.db, &admin.without_waiting(), &app.clock).await,
            Err(error) => {
                lease.give_back(&app.db, &app.clock).await?;
                Err(error.into())
            }
        };
        let rest = match published {
            Ok(outcome) => {
                let (published, failed) = (outcome.published.len(), outcome.failed.len());
                tracing::debug!(shop = %shop.id, published, failed, "accounts published");
                return Ok(());
            }
            Err(Error::Db(error)) => return Err(error.into()),
            Err(Error::Admin(AdminError::Throttled { wait })) => {
                tracing::debug!(shop = %shop.id, wait_ms = wait.as_millis(), "a shop steps aside");
                SignedDuration::try_from(wait).unwrap_or(UNREACHABLE).max(STEPS_ASIDE)
            }
            Err(error) => {
                tracing::warn!(shop = %shop.id, %error, "accounts are not published; tried again");
                match error {
                    Error::Shop(ShopError::NoToken | ShopError::TokenRefused { .. }) => NO_TOKEN,
                    _ => UNREACHABLE,
                }
            }
        };
        let now = app.clock.now();
        app.sync_turns.rest(shop.id, now, now + rest);
        Ok(())
    }
}

/// Serves turns, one after the other, until nobody is due, and says how many those were.
///
/// # Errors
/// Any error of the database. A shop that cannot be reached only delays its own members.
pub async fn publish_due(app: &App) -> Result<usize, Error> {
    let mut turns = 0;
    while let Some(turn) = next_turn(app).await? {
        turn.serve(app).await?;
        turns += 1;
    }
    Ok(turns)
}

/// Serves turns until asked to stop; then those in hand finish.
pub async fn work(app: App, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(app.config.sync.workers));
    let mut turns = JoinSet::new();
    while !stop.is_cancelled() {
        while turns.try_join_next().is_some() {}
        let place = tokio::select! {
            () = stop.cancelled() => break,
            place = places.clone().acquire_owned() => place,
        };
        let pause = match next_turn(&app).await {
            Ok(Some(turn)) => {
                let app = app.clone();
                turns.spawn(async move {
                    if let Err(error) = turn.serve(&app).await {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(
                            error,
                            "a turn is not settled; it is taken again when its lease is over"
                        );
                    }
                    drop(place);
                });
                continue;
            }
            Ok(None) => LOOK_EVERY,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no account can be published");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = app.sync_turns.given_back() => {}
            () = sleep(pause) => {}
        }
    }
    while turns.join_next().await.is_some() {}
}
