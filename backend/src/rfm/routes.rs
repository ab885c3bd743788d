//! What staff see of segments, and how they have members scored anew.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::civil::Date;
use loyalty::rfm::{Action as Suggested, Group, Segment, Stage, WEEKS_AHEAD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::counts::{self, PROSPECTS};
use super::{Member, agreement, changes, churn, read, refresh_soon, store, wizard};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::customers::{self, of_path};
use crate::db::{Read, Timestamp};
use crate::history;
use crate::ids::{MemberId, ShopId};
use crate::merchants::lock_installed;
use crate::web::{Edit, Path, Problem, Staff, View};

/// How many changes of a member are shown.
const CHANGES: i64 = 50;

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/members/{customer}/rfm", get(show))
        .route("/api/rfm/segments", get(segments))
        .route("/api/rfm/refresh", post(refresh))
        .route("/api/rfm/preview", post(wizard::preview))
        .route("/api/rfm/agreement", get(agreement::show))
        .route("/api/rfm/proposal", get(wizard::proposal))
}

/// Scores, and what they say. Prospects are 1/1/1.
#[derive(Debug, Serialize)]
struct Rating {
    segment: Segment,
    group: Group,
    stage: Stage,
    recency: u8,
    frequency: u8,
    monetary: u8,
    /// 4 R + 3 F + 3 M: 10 to 50.
    score_tenths: u8,
}

impl From<Option<Segment>> for Rating {
    fn from(scored: Option<Segment>) -> Rating {
        let (segment, group) = (scored.unwrap_or(Segment::of(1, 1, 1)), Group::of(scored));
        Rating {
            segment,
            group,
            stage: group.stage(),
            recency: segment.recency(),
            frequency: segment.frequency(),
            monetary: segment.monetary(),
            score_tenths: segment.score(),
        }
    }
}

/// A member's segment, and why.
#[derive(Debug, Serialize)]
pub(crate) struct MemberView {
    #[serde(flatten)]
    rating: Rating,
    /// When the last of the orders was placed of which something is left (UTC).
    last_order_at: Option<Timestamp>,
    orders: i64,
    /// What was paid for what is left, in minor units of the shop's currency.
    spent_minor: i64,
    /// How likely they are to stay away; none before that was counted, where too few came again, and for prospects.
    churn: Option<ChurnView>,
    /// What fits them.
    suggested: Suggested,
    /// When everyone was scored last (UTC); orders since then count.
    scored_at: Option<Timestamp>,
    /// The newest first.
    changes: Vec<ChangeView>,
}

/// How likely a member is to place no order.
#[derive(Debug, Serialize)]
struct ChurnView {
    /// In thousandths.
    permille: u32,
    /// In so many weeks from now.
    weeks: usize,
}

/// A change of a member's segment; none for prospects.
#[derive(Debug, Serialize)]
struct ChangeView {
    at: Timestamp,
    before: Option<Segment>,
    segment: Option<Segment>,
    group: Group,
}

/// `GET /api/members/{customer}/rfm`
async fn show(
    State(app): State<App>,
    staff: Staff<View>,
    Path(customer): Path<String>,
) -> Result<Json<MemberView>, Problem> {
    let shop = staff.shop.id;
    let mut db = app.db.read(shop).await?;
    let member = of_path(&mut db, shop, &customer).await?;
    let view = view(&mut db, shop, member, app.clock.now()).await?;
    Ok(Json(view.ok_or_else(never_scored)?))
}

/// A member's segment, and why; none before members were scored for the first time.
pub(crate) async fn view(
    db: &mut Read,
    shop: ShopId,
    member: MemberId,
    now: Timestamp,
) -> Result<Option<MemberView>, Problem> {
    let Some(scored_at) = laid_at(db, shop).await? else { return Ok(None) };
    let found = store::member(db, shop, member).await?;
    let (last_order_at, orders, spent_minor, segment) = match found {
        Some(Member { last_order_at, orders, spent, segment, .. }) => (last_order_at, orders, spent, segment),
        None => (None, 0, 0, None),
    };
    let changes = changes::newest(db, shop, member, CHANGES).await?.into_iter().map(|changed| {
        let segment = read(changed.segment);
        ChangeView {
            at: changed.changed_at,
            before: read(changed.before),
            segment,
            group: Group::of(segment),
        }
    });
    let changes = changes.collect();
    let bought = history::of(db, shop, &[member]).await?;
    let chance = match bought.get(&member).filter(|_| segment.is_some()) {
        Some(bought) => {
            let known = churn::known(db, shop).await?;
            known.and_then(|known| known.permille(bought, now))
        }
        None => None,
    };
    let rating = Rating::from(read(segment));
    let suggested = Suggested::suggested(rating.group, chance);
    let churn = chance.map(|permille| ChurnView { permille, weeks: WEEKS_AHEAD });
    let scored_at = Some(scored_at);
    Ok(Some(MemberView { rating, last_order_at, orders, spent_minor, churn, suggested, scored_at, changes }))
}

/// When everyone was scored last; 404 before the first time.
async fn scored_at(read: &mut Read, shop: ShopId) -> Result<Option<Timestamp>, Problem> {
    Ok(Some(laid_at(read, shop).await?.ok_or_else(never_scored)?))
}

/// The same; none before the first time.
async fn laid_at(read: &mut Read, shop: ShopId) -> Result<Option<Timestamp>, Problem> {
    let laid = store::laid(read, shop).await?.filter(|laid| laid.scale().is_some());
    Ok(laid.and_then(|laid| laid.laid_at))
}

fn never_scored() -> Problem {
    let title = "Members have not been scored yet. They are every night, and when it is asked for.";
    Problem::new(StatusCode::NOT_FOUND, "never_scored", title)
}

/// How many members are in which segment.
#[derive(Debug, Serialize)]
pub(super) struct CountsView {
    /// When everyone was scored last (UTC).
    scored_at: Option<Timestamp>,
    /// Members with an order of which something is left.
    base: i64,
    /// Every group.
    groups: Vec<GroupCount>,
    /// Segments that have members; prospects are in none.
    segments: Vec<SegmentCount>,
}

#[derive(Debug, Serialize)]
struct GroupCount {
    group: Group,
    members: i64,
}

#[derive(Debug, Serialize)]
struct SegmentCount {
    segment: Segment,
    members: i64,
}

impl CountsView {
    /// Of how many members are in each segment, and how many are prospects.
    pub fn of(counts: &BTreeMap<i64, i64>, scored_at: Option<Timestamp>) -> CountsView {
        let segments: Vec<SegmentCount> = counts
            .iter()
            .filter_map(|(code, members)| {
                Some(SegmentCount { segment: read(Some(*code))?, members: *members })
            })
            .collect();
        let prospects = counts.get(&PROSPECTS).copied().unwrap_or(0);
        let members = |group| match group {
            Group::Prospects => prospects,
            group => segments.iter().filter(|one| one.segment.group() == group).map(|one| one.members).sum(),
        };
        let groups = Group::ALL.map(|group| GroupCount { group, members: members(group) }).into();
        let base = segments.iter().map(|one| one.members).sum();
        CountsView { scored_at, base, groups, segments }
    }
}

/// Of when counts are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// As they were when the day's refresh was done; else as they are now.
    day: Option<Date>,
}

/// `GET /api/rfm/segments`
async fn segments(
    State(app): State<App>,
    staff: Staff<View>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<CountsView>, Problem> {
    let unreadable = |_| Problem::bad_request("bad_parameter", "The day is one of the shop's: 2026-11-27.");
    let Query(Asked { day }) = asked.map_err(unreadable)?;
    let shop = staff.shop.id;
    let mut read = app.db.read(shop).await?;
    let scored_at = scored_at(&mut read, shop).await?;
    let counts = match day {
        None => {
            let counts = counts::now(&mut read, shop).await?;
            with_prospects(&mut read, shop, counts).await?
        }
        Some(day) => {
            let calendar = wizard::calendar(&app, &mut read, shop).await?;
            counts::on_day(&mut read, shop, calendar.start(day)).await?
        }
    };
    if counts.is_empty() {
        let title = "Members were not counted on this day.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown_day", title));
    }
    Ok(Json(CountsView::of(&counts, scored_at)))
}

/// With how many members are in no segment.
pub(super) async fn with_prospects(
    read: &mut Read,
    shop: ShopId,
    mut counts: BTreeMap<i64, i64>,
) -> Result<BTreeMap<i64, i64>, Problem> {
    let base: i64 = counts.values().sum();
    counts.insert(PROSPECTS, (customers::count(read, shop).await? - base).max(0));
    Ok(counts)
}

/// A refresh that was asked for.
#[derive(Debug, Serialize)]
struct RefreshView {
    task: Uuid,
    /// Whether it was asked for in this minute already.
    under_way: bool,
}

/// `POST /api/rfm/refresh`: everyone is scored anew soon.
async fn refresh(
    State(app): State<App>,
    staff: Staff<Edit>,
) -> Result<(StatusCode, Json<RefreshView>), Problem> {
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let occasion = format!("asked for in minute {}", now.as_second().div_euclid(60));
    let pushed = refresh_soon(&mut tx, shop, occasion, now).await?;
    if pushed.new {
        let (action, target) = (Action::ScoresAsked, Some(pushed.id.to_string()));
        let change = Change { action, target, before: json!(null), after: json!(null) };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(RefreshView { task: pushed.id, under_way: !pushed.new })))
}
