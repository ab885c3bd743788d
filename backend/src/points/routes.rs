//! A member's own points, for the storefront.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use loyalty::{Points, account};
use serde::Serialize;

use super::{Error, HistoryLine, balance, history};
use crate::app::App;
use crate::redemptions::lifecycle;
use crate::redemptions::routes::RedemptionView;
use crate::web::{Problem, ProxyCaller};
use crate::{customers, merchants};

/// How many lines of history a widget gets.
const LINES: i64 = 100;

/// The routes of this room.
pub fn routes() -> Router<App> {
    Router::new().route("/proxy/account", get(account)).route("/proxy/history", get(lines))
}

/// What a member has.
#[derive(Debug, Serialize)]
struct AccountView {
    /// Points to spend.
    points: Points,
    /// Earned, but waiting for the payment of their order.
    pending: Points,
    /// Held for the redemption.
    held: Points,
    /// The number of changes.
    seq: i64,
    /// What expires next.
    next: Option<account::Next>,
    /// The redemption that stands.
    redemption: Option<RedemptionView>,
}

/// What the member has, from the ledger. A visit keeps the redemption that stands alive; whoever is signed in has an account.
async fn account(State(app): State<App>, caller: ProxyCaller) -> Result<Json<AccountView>, Problem> {
    let customer = caller.signed_in()?;
    let shop = caller.shop.id;
    let mut read = app.db.read(shop).await?;
    let Some(member) = customers::member(&mut read, shop, customer).await? else {
        let nothing = Points::ZERO;
        let view = AccountView {
            points: nothing,
            pending: nothing,
            held: nothing,
            seq: 0,
            next: None,
            redemption: None,
        };
        return Ok(Json(view));
    };
    let now = app.clock.now();
    drop(read);
    customers::signed_in(&app.db, shop, member, now).await?;
    let mut read = app.db.read(shop).await?;
    let balance = balance(&mut read, shop, member, now).await?;
    let zone = merchants::zone(&mut read, shop).await?;
    let standing = lifecycle::standing(&mut read, shop, member).await?;
    drop(read);
    if standing.is_some() {
        let mut tx = app.db.begin(shop).await?;
        lifecycle::renew(&mut tx, shop, member, now).await?;
        tx.commit().await?;
    }
    Ok(Json(AccountView {
        points: balance.available,
        pending: balance.pending,
        held: balance.held,
        seq: balance.seq,
        next: balance.next.map(|next| next.shown(&zone)),
        redemption: standing.map(RedemptionView::from),
    }))
}

/// The member's newest entries, newest first.
async fn lines(State(app): State<App>, caller: ProxyCaller) -> Result<Json<Vec<HistoryLine>>, Problem> {
    let customer = caller.signed_in()?;
    let mut read = app.db.read(caller.shop.id).await?;
    let member = customers::member(&mut read, caller.shop.id, customer).await?;
    match member {
        Some(member) => Ok(Json(history(&mut read, caller.shop.id, member, LINES).await?)),
        None => Ok(Json(Vec::new())),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Insufficient { available, .. } => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Problem::new(status, "insufficient_points", "There are not enough points for this reward.")
                    .with("available", available)
            }
            Error::Db(error) => error.into(),
            // Two customers became one this moment.
            Error::Merged => Problem::unavailable(),
            Error::OutOfRange(_) | Error::Corrupt(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the ledger refused");
                Problem::internal()
            }
        }
    }
}
