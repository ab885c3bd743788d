//! Picking and taking back rewards.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use loyalty::reward::{Amounts, Benefit, PickError};
use loyalty::{Currency, HoldId, Kind, Points, Scope};
use serde::{Deserialize, Serialize};

use super::catalogue::{self, Offer, Refusal};
use super::lifecycle::{self, Wish};
use super::{Error, Hold, State as HoldState};
use crate::app::App;
use crate::customers;
use crate::db::Timestamp;
use crate::ids::MemberId;
use crate::points;
use crate::sync;
use crate::web::{Path, Problem, Shopper};

/// How long a pick waits for its metafield. Beyond, the worker publishes it.
const BUDGET: Duration = Duration::from_secs(3);

/// What shoppers may ask.
pub fn shopper() -> Router<App> {
    Router::new()
        .route("/rewards", get(rewards))
        .route("/redemptions", post(open))
        .route("/redemptions/{id}", get(show).delete(cancel))
}

/// A reward as widgets show it to a member.
#[derive(Debug, Serialize)]
struct OfferView {
    /// Its id.
    id: String,
    /// What shoppers read.
    name: String,
    /// What it costs; for rewards in steps what one step costs.
    points: Points,
    /// What it gives.
    benefit: Benefit,
    /// What a cart must come to, by currency, in minor units.
    min: Amounts,
    /// How many are left, where that has an end.
    left: Option<i64>,
    /// Why it cannot be had just now: `not_yet`, `over`, `other_tier`, `other_segment`, `limit_reached`,
    /// `sold_out`, `insufficient_points`, `account_unclaimed` or `under_review`; null where it can.
    refused: Option<&'static str>,
    /// The same in words.
    because: Option<String>,
    /// From when on it can be had, where that is known.
    again_at: Option<String>,
}

impl From<Offer> for OfferView {
    fn from(Offer { reward, left, refusal }: Offer) -> OfferView {
        OfferView {
            id: reward.id,
            name: reward.name,
            points: reward.points,
            benefit: reward.benefit,
            min: reward.min,
            left,
            refused: refusal.map(|refusal| refusal.code()),
            because: refusal.map(|refusal| refusal.to_string()),
            again_at: refusal.and_then(|refusal| refusal.again_at()),
        }
    }
}

/// `GET …/rewards`: what points buy, and what of it the customer can have now.
async fn rewards(State(app): State<App>, shopper: Shopper) -> Result<Json<Vec<OfferView>>, Problem> {
    let customer = shopper.signed_in()?;
    let (shop, now) = (shopper.shop.id, app.clock.now());
    let member = customers::member(&mut app.db.read(shop).await?, shop, customer).await?;
    if let Some(member) = member {
        customers::signed_in(&app.db, shop, member, now).await?;
    }
    let offers = catalogue::offers(&mut app.db.read(shop).await?, shop, member, now).await?;
    Ok(Json(offers.into_iter().map(OfferView::from).collect()))
}

/// What a widget sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenRequest {
    /// The reward's id.
    reward: String,
    /// For rewards in steps, the points to spend.
    #[serde(default)]
    points: Option<Points>,
    /// The cart's currency, ISO 4217.
    currency: Currency,
    /// `cart` or `next_order`.
    #[serde(default)]
    scope: Scope,
}

/// A redemption as widgets see it.
#[derive(Debug, Serialize)]
pub struct RedemptionView {
    /// Its id.
    pub id: HoldId,
    /// `opening`, `live`, `closing`, `captured` or `released`.
    pub state: &'static str,
    /// The reward that was picked.
    pub reward: String,
    /// The points that are held for it.
    pub points: Points,
    /// `amount`, `percent`, `product` or `shipping`.
    pub kind: Kind,
    /// Minor units; basis points for a percentage.
    pub value: i64,
    /// The currency of its amounts.
    pub currency: Currency,
    /// Which carts may use it.
    pub scope: Scope,
    /// The title that its discount has at checkout.
    pub label: String,
    /// What the cart is to carry in its attribute `_loyalty`; only once checkouts give the discount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// When it closes unless a widget is visited (UTC).
    pub expires_at: Timestamp,
}

impl From<Hold> for RedemptionView {
    fn from(hold: Hold) -> RedemptionView {
        RedemptionView {
            id: hold.id,
            state: hold.state.as_str(),
            mark: (hold.state == HoldState::Live).then(|| hold.mark().to_string()),
            points: hold.terms.points,
            kind: hold.terms.kind,
            value: hold.terms.value,
            currency: hold.terms.currency,
            scope: hold.terms.scope,
            label: hold.terms.label,
            reward: hold.reward,
            expires_at: hold.expires_at,
        }
    }
}

/// `POST …/redemptions`: holds points for a reward. 200 with the mark when checkouts give the discount already, 202 when
/// they soon will.
async fn open(
    State(app): State<App>,
    shopper: Shopper,
    body: Result<Json<OpenRequest>, axum::extract::rejection::JsonRejection>,
) -> Result<(StatusCode, Json<RedemptionView>), Problem> {
    let Json(request) = body?;
    let OpenRequest { reward, points, currency, scope } = request;
    let customer = shopper.signed_in()?;
    let (shop, now) = (shopper.shop.id, app.clock.now());
    let turn = app.turns.take(shop, customer).await;
    let member = customers::member(&mut app.db.read(shop).await?, shop, customer).await?;
    // Who has never earned has nothing to spend.
    let member =
        member.ok_or_else(|| Problem::from(points::Error::Insufficient { available: 0, wanted: 1 }))?;
    // Who is signed in has an account, whatever Shopify told of it so far.
    customers::signed_in(&app.db, shop, member, now).await?;
    let wish = Wish { reward, points, currency, scope };
    let mut tx = app.db.begin(shop).await?;
    let hold = lifecycle::open(&mut tx, shop, member, wish, now).await?;
    tx.commit().await?;
    drop(turn);
    let hold = publish(&app, &shopper, member, hold).await?;
    match hold.state {
        HoldState::Live => Ok((StatusCode::OK, Json(hold.into()))),
        HoldState::Opening => Ok((StatusCode::ACCEPTED, Json(hold.into()))),
        HoldState::Closing | HoldState::Captured | HoldState::Released => Err(Problem::new(
            StatusCode::CONFLICT,
            "redemption_ended",
            "Another window picked something else meanwhile.",
        )),
    }
}

/// `GET …/redemptions/{id}`: what became of it.
async fn show(
    State(app): State<App>,
    shopper: Shopper,
    Path(id): Path<String>,
) -> Result<Json<RedemptionView>, Problem> {
    let customer = shopper.signed_in()?;
    let id = HoldId::parse(&id).ok_or(Error::UnknownHold)?;
    let mut read = app.db.read(shopper.shop.id).await?;
    let member = customers::member(&mut read, shopper.shop.id, customer).await?.ok_or(Error::UnknownHold)?;
    let hold = lifecycle::get(&mut read, shopper.shop.id, member, id).await?.ok_or(Error::UnknownHold)?;
    Ok(Json(hold.into()))
}

/// `DELETE …/redemptions/{id}`: takes a redemption back. Its points are free after a grace, in which an order on its way
/// may still use it.
async fn cancel(
    State(app): State<App>,
    shopper: Shopper,
    Path(id): Path<String>,
) -> Result<Json<RedemptionView>, Problem> {
    let customer = shopper.signed_in()?;
    let id = HoldId::parse(&id).ok_or(Error::UnknownHold)?;
    let turn = app.turns.take(shopper.shop.id, customer).await;
    let mut tx = app.db.begin(shopper.shop.id).await?;
    let member = customers::member(&mut tx, shopper.shop.id, customer).await?.ok_or(Error::UnknownHold)?;
    let hold = lifecycle::cancel(&mut tx, shopper.shop.id, member, id, app.clock.now()).await?;
    tx.commit().await?;
    drop(turn);
    Ok(Json(publish(&app, &shopper, member, hold).await?.into()))
}

/// Publishes the member within the budget and reads the hold as it is then.
async fn publish(app: &App, shopper: &Shopper, member: MemberId, hold: Hold) -> Result<Hold, Problem> {
    sync::publish_within(app, &shopper.shop, member, BUDGET).await;
    let mut read = app.db.read(shopper.shop.id).await?;
    let now = lifecycle::get(&mut read, shopper.shop.id, member, hold.id).await?;
    Ok(now.unwrap_or(hold))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let (status, code) = match &error {
            Error::UnknownReward => (StatusCode::NOT_FOUND, "unknown_reward"),
            Error::Pick(PickError::Currency) => (unprocessable, "not_offered_in_currency"),
            Error::Pick(PickError::Kind) => (unprocessable, "had_in_another_way"),
            Error::UnknownPayout => (StatusCode::NOT_FOUND, "unknown_payout"),
            Error::PayoutUnderWay => (StatusCode::CONFLICT, "payout_under_way"),
            Error::OtherPayout => (StatusCode::CONFLICT, "payout_id_reused"),
            Error::Pick(PickError::Points) => (unprocessable, "wrong_points"),
            Error::UnknownHold => (StatusCode::NOT_FOUND, "unknown_redemption"),
            Error::Captured => (StatusCode::CONFLICT, "redemption_captured"),
            Error::Refused(refusal @ Refusal::UnderReview) => (StatusCode::CONFLICT, refusal.code()),
            Error::Refused(refusal @ Refusal::Unclaimed) => (StatusCode::FORBIDDEN, refusal.code()),
            Error::Refused(refusal) => {
                return Problem::new(unprocessable, refusal.code(), error.to_string())
                    .with("again_at", refusal.again_at());
            }
            Error::Points(_) | Error::Program(_) | Error::Db(_) => {
                return match error {
                    Error::Points(error) => error.into(),
                    Error::Program(error) => error.into(),
                    Error::Db(error) => error.into(),
                    _ => Problem::internal(),
                };
            }
        };
        Problem::new(status, code, error.to_string())
    }
}
