//! Asking for store credit and gift cards.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use loyalty::{Currency, Points};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Payout, Wish, ask, store};
use crate::app::App;
use crate::redemptions::Error;
use crate::web::{Path, Problem, Shopper};
use crate::{customers, points};

/// What shoppers may ask.
pub fn shopper() -> Router<App> {
    Router::new().route("/payouts", post(open)).route("/payouts/{id}", get(show))
}

/// What a widget sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenRequest {
    /// A new UUID for each payout: the same again is the same one.
    id: Uuid,
    /// The reward's id.
    reward: String,
    /// ISO 4217.
    currency: Currency,
}

/// A payout as widgets see it.
#[derive(Debug, Serialize)]
pub struct PayoutView {
    /// Its id.
    id: Uuid,
    /// `asked`, `sent`, `unknown`, `done` or `refused`.
    state: &'static str,
    /// The reward.
    reward: String,
    /// `store_credit` or `gift_card`.
    kind: &'static str,
    /// What it costs.
    points: Points,
    /// Minor units.
    value: i64,
    /// Its currency.
    currency: Currency,
    /// Why nothing was paid out: a code, Shopify's if it is in capitals.
    reason: Option<String>,
}

impl From<Payout> for PayoutView {
    fn from(payout: Payout) -> PayoutView {
        PayoutView {
            id: payout.id,
            state: payout.state.as_str(),
            reward: payout.reward,
            kind: payout.kind.as_str(),
            points: payout.points,
            value: payout.amount.minor(),
            currency: payout.amount.currency(),
            reason: payout.reason,
        }
    }
}

/// `POST …/payouts`: holds the points, and has Shopify pay out. 202 until it is known what came of it.
async fn open(
    State(app): State<App>,
    shopper: Shopper,
    body: Result<Json<OpenRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<PayoutView>), Problem> {
    let Json(OpenRequest { id, reward, currency }) = body?;
    let customer = shopper.signed_in()?;
    let shop = shopper.shop.id;
    let now = app.clock.now();
    let _turn = app.turns.take(shop, customer).await;
    let member = customers::member(&mut app.db.read(shop).await?, shop, customer).await?;
    // Who has never earned has nothing to spend.
    let member =
        member.ok_or_else(|| Problem::from(points::Error::Insufficient { available: 0, wanted: 1 }))?;
    // Who is signed in has an account, whatever Shopify told of it so far.
    customers::signed_in(&app.db, shop, member, now).await?;
    let mut tx = app.db.begin(shop).await?;
    let payout = ask(&mut tx, shop, member, Wish { id, reward, currency }, now).await?;
    tx.commit().await?;
    let status = if payout.state.is_settled() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(payout.into())))
}

/// `GET …/payouts/{id}`
async fn show(
    State(app): State<App>,
    shopper: Shopper,
    Path(id): Path<String>,
) -> Result<Json<PayoutView>, Problem> {
    let customer = shopper.signed_in()?;
    let id: Uuid = id.parse().map_err(|_| Error::UnknownPayout)?;
    let mut read = app.db.read(shopper.shop.id).await?;
    let member = customers::member(&mut read, shopper.shop.id, customer).await?;
    let found = store::find(&mut read, shopper.shop.id, id).await?;
    let payout = found.filter(|payout| Some(payout.member) == member).ok_or(Error::UnknownPayout)?;
    Ok(Json(payout.into()))
}
