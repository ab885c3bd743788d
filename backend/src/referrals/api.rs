//! Referrals as staff see them: all of them, with what became of each, and those that are to be looked at.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Extracted};
use axum::routing::{get, post};
use axum::{Json, Router};
use loyalty::Points;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::store::{self, Step};
use super::{Error, Reason, Referral, State, follow};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::customers::of_path;
use crate::db::Timestamp;
use crate::ids::{MemberId, OrderId};
use crate::merchants::lock_installed;
use crate::web::{Edit, Path, Problem, Staff, View};

/// How many a page has.
const PAGE: i64 = 50;
/// How many of one advocate are shown.
const LISTED: i64 = 200;

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/referrals", get(list))
        .route("/api/referrals/{id}", get(show))
        .route("/api/referrals/{id}/approve", post(approve))
        .route("/api/referrals/{id}/refuse", post(refuse))
        .route("/api/members/{customer}/referrals", get(of_member))
}

/// A referral.
#[derive(Debug, Serialize)]
struct ReferralView {
    /// Its id.
    id: Uuid,
    /// The member who sent.
    advocate: MemberId,
    /// The member who was sent.
    friend: MemberId,
    /// `waiting`, `pending`, `completed`, `lapsed`, `review` or `refused`.
    state: &'static str,
    /// Why it is to be looked at, or was refused: `own_code`, `not_new`, `circular`, `limit_reached`, `many_friends`,
    /// `merged`, `gone` or `staff`.
    reason: Option<&'static str>,
    /// What the advocate is promised.
    advocate_points: Points,
    /// What the friend is promised.
    friend_points: Points,
    /// What must be paid for what is left of the first order, in minor units of the shop's currency.
    min: i64,
    /// From when on that order counts (UTC).
    sent_at: Timestamp,
    /// And before when.
    until: Timestamp,
    /// The order that it is for now.
    order: Option<OrderId>,
}

impl From<&Referral> for ReferralView {
    fn from(referral: &Referral) -> ReferralView {
        ReferralView {
            id: referral.id,
            advocate: referral.advocate,
            friend: referral.friend,
            state: referral.state.as_str(),
            reason: referral.reason.map(Reason::as_str),
            advocate_points: referral.promise.advocate,
            friend_points: referral.promise.friend,
            min: referral.promise.min,
            sent_at: referral.sent_at(),
            until: referral.until(),
            order: referral.order,
        }
    }
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Only those that stand so.
    state: Option<String>,
    /// The `next` of the page before.
    after: Option<Uuid>,
}

/// A page of referrals, the newest first.
#[derive(Debug, Serialize)]
struct PageView {
    referrals: Vec<ReferralView>,
    /// Where the next page begins; none on the last.
    next: Option<Uuid>,
}

/// `GET /api/referrals`
async fn list(
    Extracted(app): Extracted<App>,
    staff: Staff<View>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<PageView>, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad_request("bad_parameter", error.body_text()))?;
    let state = asked.state.map(|state| {
        let title = "A referral is waiting, pending, completed, lapsed, review or refused.";
        State::parse(&state).ok_or_else(|| Problem::bad_request("bad_parameter", title))
    });
    let (state, before) = (state.transpose()?, asked.after.unwrap_or(Uuid::max()));
    let mut read = app.db.read(staff.shop.id).await?;
    let mut page = store::page(&mut read, staff.shop.id, (state, before), PAGE + 1).await?;
    let more = page.len() as i64 > PAGE;
    page.truncate(PAGE as usize);
    let next = page.last().filter(|_| more).map(|last| last.id);
    Ok(Json(PageView { referrals: page.iter().map(ReferralView::from).collect(), next }))
}

/// A referral, with what became of it.
#[derive(Debug, Serialize)]
struct WholeView {
    #[serde(flatten)]
    referral: ReferralView,
    /// Where it stood, since when; the last is where it stands.
    history: Vec<StepView>,
}

#[derive(Debug, Serialize)]
struct StepView {
    state: String,
    reason: Option<String>,
    /// Since when (UTC).
    at: Timestamp,
}

impl From<Step> for StepView {
    fn from(Step { state, reason, at }: Step) -> StepView {
        StepView { state, reason, at }
    }
}

/// `GET /api/referrals/{id}`
async fn show(
    Extracted(app): Extracted<App>,
    staff: Staff<View>,
    Path(id): Path<String>,
) -> Result<Json<WholeView>, Problem> {
    let shop = staff.shop.id;
    let id = read_id(&id)?;
    let mut read = app.db.read(shop).await?;
    let referral = store::get(&mut read, shop, id).await?.ok_or(Error::Unknown)?;
    let history = store::steps(&mut read, shop, id).await?;
    let history = history.into_iter().map(StepView::from).collect();
    Ok(Json(WholeView { referral: ReferralView::from(&referral), history }))
}

/// A member's referrals.
#[derive(Debug, Serialize)]
struct OfMemberView {
    /// By which they were sent, the newest first; all but one were refused.
    sent_by: Vec<ReferralView>,
    /// By which they have sent others, the newest first; 200 at most.
    sent: Vec<ReferralView>,
}

/// `GET /api/members/{customer}/referrals`
async fn of_member(
    Extracted(app): Extracted<App>,
    staff: Staff<View>,
    Path(customer): Path<String>,
) -> Result<Json<OfMemberView>, Problem> {
    let shop = staff.shop.id;
    let mut read = app.db.read(shop).await?;
    let member = of_path(&mut read, shop, &customer).await?;
    let sent_by = store::of_friend(&mut read, shop, member).await?;
    let sent_by = sent_by.iter().map(ReferralView::from).collect();
    let sent = store::of_advocate(&mut read, shop, member, LISTED).await?;
    let sent = sent.iter().map(ReferralView::from).collect();
    Ok(Json(OfMemberView { sent_by, sent }))
}

/// `POST /api/referrals/{id}/approve`: one that is to be looked at counts, from when the friend was sent. 409 `not_in_review`
/// for one that was refused.
async fn approve(
    Extracted(app): Extracted<App>,
    staff: Staff<Edit>,
    Path(id): Path<String>,
) -> Result<Json<ReferralView>, Problem> {
    decide(&app, &staff, read_id(&id)?, State::Waiting).await
}

/// `POST /api/referrals/{id}/refuse`: it gives nothing; what it gave is taken back, as the program takes back returns.
async fn refuse(
    Extracted(app): Extracted<App>,
    staff: Staff<Edit>,
    Path(id): Path<String>,
) -> Result<Json<ReferralView>, Problem> {
    decide(&app, &staff, read_id(&id)?, State::Refused).await
}

/// Has it stand so, with all that follows. What was decided so before is left as it is.
async fn decide(app: &App, staff: &Staff<Edit>, id: Uuid, to: State) -> Result<Json<ReferralView>, Problem> {
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let before = follow::decide(&mut tx, shop, id, to, now).await?;
    let referral = store::get(&mut tx, shop, id).await?.ok_or(Error::Unknown)?;
    if before != referral.state {
        let change = Change {
            action: Action::ReferralDecided,
            target: Some(id.to_string()),
            before: json!({"state": before.as_str()}),
            after: json!({"state": referral.state.as_str()}),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok(Json(ReferralView::from(&referral)))
}

fn read_id(id: &str) -> Result<Uuid, Error> {
    id.parse().map_err(|_| Error::Unknown)
}
