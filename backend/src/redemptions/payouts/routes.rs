//! Asking for store credit and gift cards, from the storefront.

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
use crate::web::{Path, Problem, ProxyCaller};
use crate::{customers, points};

/// The routes of this room.
pub fn routes() -> Router<App> {
    Router::new().route("/proxy/payouts", post(open)).route("/proxy/payouts/{id}", get(show))
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
struct PayoutView {
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

/// `POST /proxy/payouts`: holds the points, and has Shopify pay out. 202 until it is known what came of it.
async fn open(
    State(app): State<App>,
    caller: ProxyCaller,
    body: Result<Json<OpenRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<PayoutView>), Problem> {
    let Json(OpenRequest { id, reward, currency }) = body?;
    let customer = caller.signed_in()?;
    let shop = caller.shop.id;
    let _turn = app.turns.take(shop, customer).await;
    let mut tx = app.db.begin(shop).await?;
    let member = customers::member(&mut tx, shop, customer).await?;
    // Who has never earned has nothing to spend.
    let member =
        member.ok_or_else(|| Problem::from(points::Error::Insufficient { available: 0, wanted: 1 }))?;
    let payout = ask(&mut tx, shop, member, Wish { id, reward, currency }, app.clock.now()).await?;
    tx.commit().await?;
    let status = if payout.state.is_settled() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(payout.into())))
}

/// `GET /proxy/payouts/{id}`
async fn show(
    State(app): State<App>,
    caller: ProxyCaller,
    Path(id): Path<String>,
) -> Result<Json<PayoutView>, Problem> {
    let customer = caller.signed_in()?;
    let id: Uuid = id.parse().map_err(|_| Error::UnknownPayout)?;
    let mut read = app.db.read(caller.shop.id).await?;
    let member = customers::member(&mut read, caller.shop.id, customer).await?;
    let found = store::find(&mut read, caller.shop.id, id).await?;
    let payout = found.filter(|payout| Some(payout.member) == member).ok_or(Error::UnknownPayout)?;
    Ok(Json(payout.into()))
}
