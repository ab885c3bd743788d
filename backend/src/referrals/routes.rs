//! Referrals as shoppers see them: an advocate's own code, what a code promises, and saying by whom one was sent.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use loyalty::program::Invitation;
use loyalty::referral::{Code, NoCode};
use loyalty::reward::Amounts;
use loyalty::{Points, Program};
use serde::{Deserialize, Serialize};

use super::send::{Sent, has_sent_all, send};
use super::{Error, Reason, Referral, codes, store};
use crate::app::App;
use crate::db::Timestamp;
use crate::ids::MemberId;
use crate::points::Calendar;
use crate::web::{Path, Problem, Shopper};
use crate::{customers, merchants, programs};

/// What shoppers may ask.
pub fn shopper() -> Router<App> {
    Router::new()
        .route("/referral", get(own))
        .route("/referrals", post(tell))
        .route("/referrals/{code}", get(promised))
}

/// What an advocate hands on, and what came of it.
#[derive(Debug, Serialize)]
struct OwnView {
    /// The code.
    code: String,
    /// The link that carries it.
    link: String,
    /// What a friend's first order gives to both.
    gives: Invitation,
    /// How many friends may still order, or have ordered what still waits.
    waiting: i64,
    /// For how many both have their points.
    completed: i64,
    /// Points that the advocate has got for those.
    points: i64,
}

/// `GET …/referral`: the customer's own. Who asks has a code from then on, and is a member.
async fn own(State(app): State<App>, shopper: Shopper) -> Result<Json<OwnView>, Problem> {
    let (shop, now) = (shopper.shop.id, app.clock.now());
    let program = programs::current(&mut app.db.read(shop).await?, shop).await?.program;
    let (Some(referrals), Some(gives)) = (&program.referrals, program.invitation()) else {
        shopper.signed_in()?;
        return Err(Error::None.into());
    };
    let member = joined(&app, &shopper).await?;
    let mut tx = app.db.begin(shop).await?;
    customers::hold(&mut tx, shop, &[member]).await?;
    let code = codes::of(&mut tx, shop, member, now).await?.ok_or_else(Problem::unavailable)?;
    let tally = store::tally(&mut tx, shop, member).await?;
    tx.commit().await?;
    let link = codes::link(&shopper.shop.domain, referrals, code);
    let store::Tally { waiting, completed, points } = tally;
    Ok(Json(OwnView { code: code.to_string(), link, gives, waiting, completed, points }))
}

/// The member that whoever is signed in is from now on.
async fn joined(app: &App, shopper: &Shopper) -> Result<MemberId, Problem> {
    let customer = shopper.signed_in()?;
    let (shop, now) = (shopper.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    let members = customers::enrol(&mut tx, shop, &[customer], now).await?;
    tx.commit().await?;
    let member = members.get(&customer).copied().ok_or_else(Problem::unavailable)?;
    customers::signed_in(&app.db, shop, member, now).await?;
    Ok(member)
}

/// What a friend is promised.
#[derive(Debug, Serialize)]
struct GivesView {
    /// Points for the first order.
    friend: Points,
    /// What that must come to, by currency, in minor units.
    min: Amounts,
    /// Within how many days.
    days: u16,
    /// How many days the points wait after it.
    wait_days: u16,
}

impl From<Invitation> for GivesView {
    fn from(Invitation { friend, min, days, wait_days, .. }: Invitation) -> GivesView {
        GivesView { friend, min, days, wait_days }
    }
}

#[derive(Debug, Serialize)]
struct PromisedView {
    gives: GivesView,
}

/// `GET …/referrals/{code}`: for guests, too. Nothing is told of whoever sent them, but whether they may.
async fn promised(
    State(app): State<App>,
    shopper: Shopper,
    Path(code): Path<String>,
) -> Result<Json<PromisedView>, Problem> {
    let (shop, now) = (shopper.shop.id, app.clock.now());
    let mut read = app.db.read(shop).await?;
    let program = programs::current(&mut read, shop).await?.program;
    let (Some(referrals), Some(gives)) = (&program.referrals, program.invitation()) else {
        return Err(Error::None.into());
    };
    let code: Code = code.parse().map_err(|NoCode| Error::UnknownCode)?;
    let whose = codes::whose(&mut read, shop, &[code]).await?;
    let advocate = *whose.get(&code).ok_or(Error::UnknownCode)?;
    let zone = merchants::zone(&mut read, shop).await?;
    let calendar = Calendar::new(now, zone, program.expiry);
    if has_sent_all(&mut read, shop, (advocate, now), referrals, &calendar).await? {
        return Err(Error::Refused(Reason::LimitReached).into());
    }
    Ok(Json(PromisedView { gives: gives.into() }))
}

/// By whom a friend was sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    /// The advocate's code.
    code: String,
}

/// How a friend's referral stands.
#[derive(Debug, Serialize)]
struct ToldView {
    /// `waiting`, `pending`, `completed`, `lapsed` or `review`.
    state: &'static str,
    /// What was promised.
    gives: GivesView,
    /// Before when the friend is to order (UTC).
    until: Timestamp,
}

impl ToldView {
    fn new(referral: &Referral, program: &Program) -> ToldView {
        let days = (referral.until() - referral.sent_at()).as_hours() / 24;
        let min = Some((program.currency, referral.promise.min)).filter(|(_, min)| *min > 0);
        let gives = GivesView {
            friend: referral.promise.friend,
            min: min.into_iter().collect(),
            days: u16::try_from(days).unwrap_or(u16::MAX),
            wait_days: referral.promise.wait_days,
        };
        ToldView { state: referral.state.as_str(), gives, until: referral.until() }
    }
}

/// `POST …/referrals`: who says it is a member from now on. Said again, the answer is the same.
async fn tell(
    State(app): State<App>,
    shopper: Shopper,
    body: Result<Json<Told>, JsonRejection>,
) -> Result<Json<ToldView>, Problem> {
    let Json(told) = body?;
    shopper.signed_in()?;
    let (shop, now) = (shopper.shop.id, app.clock.now());
    let code: Code = told.code.parse().map_err(|NoCode| Error::UnknownCode)?;
    let friend = joined(&app, &shopper).await?;
    let mut tx = app.db.begin(shop).await?;
    let program = programs::current(&mut tx, shop).await?;
    let sent = Sent { friend, code, at: now };
    let referral = send(&mut tx, shop, sent, &program, now).await?;
    tx.commit().await?;
    Ok(Json(ToldView::new(&referral, &program.program)))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let (status, code) = match &error {
            Error::None => (StatusCode::NOT_FOUND, "no_referrals"),
            Error::UnknownCode => (StatusCode::NOT_FOUND, "unknown_code"),
            Error::Unknown => (StatusCode::NOT_FOUND, "unknown_referral"),
            Error::AlreadyReferred => (StatusCode::CONFLICT, "already_referred"),
            Error::NotInReview => (StatusCode::CONFLICT, "not_in_review"),
            Error::Refused(reason) => (StatusCode::UNPROCESSABLE_ENTITY, reason.as_str()),
            Error::Program(_) | Error::Points(_) | Error::Db(_) => {
                return match error {
                    Error::Program(error) => error.into(),
                    Error::Points(error) => error.into(),
                    Error::Db(error) => error.into(),
                    _ => Problem::internal(),
                };
            }
        };
        Problem::new(status, code, error.to_string())
    }
}
