//! How a merchant finds steps of their own: what the shop's members suggest, and what any steps would come to. Nothing is
//! written here.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use loyalty::Expiry;
use loyalty::rfm::{Rfm, RfmError, Scale, Thresholds};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::routes::{CountsView, with_prospects};
use super::{churn, scales, store};
use crate::app::App;
use crate::db::{self, Read, Timestamp};
use crate::ids::{MemberId, ShopId};
use crate::merchants;
use crate::points::Calendar;
use crate::web::{Problem, Staff, View};

/// How many members are read at a time.
const PAGE: i64 = 5_000;

/// What is to be tried out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    /// How members would be scored, as the program has it.
    rfm: Rfm,
}

/// `POST /api/rfm/preview`: how many members would be in which segment just now.
pub(super) async fn preview(
    State(app): State<App>,
    staff: Staff<View>,
    body: Result<Json<Trial>, JsonRejection>,
) -> Result<Json<CountsView>, Problem> {
    let Json(Trial { rfm }) = body?;
    let faults = rfm.faults();
    if !faults.is_empty() {
        let fault = |(field, error): (&str, RfmError)| json!({"field": format!("rfm.{field}"), "code": error.code(), "message": error.to_string()});
        let title = "Members cannot be scored like this.";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_rfm", title);
        return Err(problem.with("errors", faults.into_iter().map(fault).collect::<Vec<_>>()));
    }
    let shop = staff.shop.id;
    let _look = app.limits.look(shop)?;
    let mut read = app.db.read(shop).await?;
    let calendar = calendar(&app, &mut read, shop).await?;
    let scale = scales::of(&mut read, shop, rfm, &calendar).await?;
    Ok(Json(counted(&mut read, shop, &scale).await?))
}

/// Steps that fit the shop's members, and what they come to.
#[derive(Debug, Serialize)]
pub(super) struct Proposal {
    /// As `PUT /api/program` takes it.
    rfm: Rfm,
    /// How many members would be in which segment.
    counts: CountsView,
}

/// `GET /api/rfm/proposal`: steps of the merchant's own to begin with. They are near to where members stand beside each
/// other now, in round numbers; days count from when the next order is due where most come at regular intervals.
pub(super) async fn proposal(State(app): State<App>, staff: Staff<View>) -> Result<Json<Proposal>, Problem> {
    let shop = staff.shop.id;
    let _look = app.limits.look(shop)?;
    let mut read = app.db.read(shop).await?;
    let calendar = calendar(&app, &mut read, shop).await?;
    let every_days = churn::known(&mut read, shop).await?.and_then(|known| known.every_days);
    let thresholds = Thresholds::proposed(
        &scales::relative(&mut read, shop).await?,
        calendar.day(calendar.now()),
        |time| Some(calendar.day(Timestamp::from_microsecond(time).ok()?)),
        every_days.and_then(|days| u32::try_from(days).ok()),
    );
    let rfm = Rfm::Thresholds(thresholds);
    let scale = scales::of(&mut read, shop, rfm, &calendar).await?;
    Ok(Json(Proposal { rfm, counts: counted(&mut read, shop, &scale).await? }))
}

/// How many members would be in which segment by this scale.
async fn counted(read: &mut Read, shop: ShopId, scale: &Scale) -> Result<CountsView, Problem> {
    let (mut counts, mut after) = (BTreeMap::new(), MemberId(Uuid::nil()));
    loop {
        let page = store::page(read, shop, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.member_id;
        for segment in page.iter().filter_map(|member| member.scored(scale)) {
            *counts.entry(segment).or_default() += 1;
        }
    }
    Ok(CountsView::of(&with_prospects(read, shop, counts).await?, None))
}

/// The shop's calendar; scores ask for no expiry.
pub(super) async fn calendar(app: &App, read: &mut Read, shop: ShopId) -> Result<Calendar, db::Error> {
    Ok(Calendar::new(app.clock.now(), merchants::zone(read, shop).await?, Expiry::default()))
}
