//! What staff and the merchant's programs do to a member's points: adjust them by hand, and say what a member did.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::SignedDuration;
use loyalty::Points;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::effects::{self, Asked, Effect, EffectError, Receipt};
use super::notes::{self, CAUSE, Reason};
use super::{Error, Source};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::customers::of_path;
use crate::db::Timestamp;
use crate::merchants::lock_installed;
use crate::programs;
use crate::web::{Edit, IdempotencyKey, Path, Problem, Staff, View};

/// How many adjustments are listed.
const LISTED: i64 = 100;
/// How many characters a note may have.
const LONGEST_NOTE: usize = 500;
/// Who may say that a member did something.
const TELLERS: [Source; 4] = [Source::Api, Source::Flow, Source::Klaviyo, Source::Zapier];

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/members/{customer}/adjustments", get(adjustments).post(adjust))
        .route("/api/members/{customer}/actions", post(act))
}

/// Points by hand.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adjustment {
    /// How many are given; taken, where they are less than zero.
    points: Points,
    /// The code of a [`Reason`].
    reason: String,
    /// In words, for the shop's staff.
    #[serde(default)]
    note: Option<String>,
}

/// `POST /api/members/{customer}/adjustments`
async fn adjust(
    State(app): State<App>,
    staff: Staff<Edit>,
    Path(customer): Path<String>,
    key: IdempotencyKey,
    body: Result<Json<Adjustment>, JsonRejection>,
) -> Result<Json<Receipt>, Problem> {
    let Json(wanted) = body?;
    let reason = Reason::parse(&wanted.reason).ok_or_else(unknown_reason)?;
    check_note(wanted.note.as_deref())?;
    let asked = Asked::adjustment(key.name(), &(&customer, &wanted))?;
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let member = of_path(&mut tx, shop, &customer).await?;
    // The bound may be another one by now.
    if let Some(receipt) = effects::known(&mut tx, shop, &asked).await? {
        return Ok(Json(receipt));
    }
    let program = programs::current(&mut tx, shop).await?;
    check_bound(wanted.points, program.program.most_adjusted)?;
    let effect = Effect {
        asked,
        member,
        cause: CAUSE.to_owned(),
        points: wanted.points,
        limit: None,
        cool_down: SignedDuration::ZERO,
    };
    let (receipt, is_new) = effects::apply(&mut tx, shop, effect, &program, now).await?;
    if is_new {
        let why = (reason, wanted.note.as_deref());
        notes::write(&mut tx, shop, (member, receipt.entry), why, staff.by()).await?;
        let before = receipt.available.minus(receipt.points).map_err(Error::from)?;
        let change = Change {
            action: Action::PointsAdjusted,
            target: Some(member.to_string()),
            before: json!({"points": before}),
            after: json!({"points": receipt.available, "change": receipt.points, "reason": reason.as_str(),
                          "entry": receipt.entry}),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok(Json(receipt))
}

/// An adjustment as staff see it.
#[derive(Debug, Serialize)]
struct AdjustmentView {
    /// The entry.
    entry: Uuid,
    /// When it was booked (UTC).
    booked_at: Timestamp,
    /// What was given, or taken, if it is less than zero.
    points: Points,
    /// The code.
    reason: &'static str,
    /// In words; none where there were none, or they were erased.
    note: Option<String>,
    /// Who it was: `user`, `support`, …
    by: String,
    /// Their number.
    by_id: Option<String>,
}

impl From<notes::Note> for AdjustmentView {
    fn from(note: notes::Note) -> AdjustmentView {
        let receipt = note.result.0;
        AdjustmentView {
            entry: receipt.entry,
            booked_at: receipt.booked_at,
            points: receipt.points,
            reason: note.reason.as_str(),
            note: note.note,
            by: note.actor_kind,
            by_id: note.actor_id,
        }
    }
}

/// `GET /api/members/{customer}/adjustments`: the newest first.
async fn adjustments(
    State(app): State<App>,
    staff: Staff<View>,
    Path(customer): Path<String>,
) -> Result<Json<Vec<AdjustmentView>>, Problem> {
    let mut read = app.db.read(staff.shop.id).await?;
    let member = of_path(&mut read, staff.shop.id, &customer).await?;
    let newest = notes::newest(&mut read, staff.shop.id, member, LISTED).await?;
    Ok(Json(newest.into_iter().map(AdjustmentView::from).collect()))
}

/// What a member did.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    /// The id of one of the program's actions.
    action: String,
    /// Who says so: `api`, `flow`, `klaviyo` or `zapier`.
    #[serde(default = "api_itself")]
    source: String,
}

fn api_itself() -> String {
    Source::Api.as_str().to_owned()
}

/// `POST /api/members/{customer}/actions`
async fn act(
    State(app): State<App>,
    staff: Staff<Edit>,
    Path(customer): Path<String>,
    key: IdempotencyKey,
    body: Result<Json<Done>, JsonRejection>,
) -> Result<Json<Receipt>, Problem> {
    let Json(done) = body?;
    let source = Source::parse(&done.source).filter(|source| TELLERS.contains(source));
    let source = source.ok_or_else(unknown_source)?;
    let asked = Asked::bonus(source, key.name(), &(&customer, &done))?;
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let member = of_path(&mut tx, shop, &customer).await?;
    // The action may be another one by now, or gone.
    if let Some(receipt) = effects::known(&mut tx, shop, &asked).await? {
        return Ok(Json(receipt));
    }
    let program = programs::current(&mut tx, shop).await?;
    let action = program.program.action(&done.action).ok_or_else(unknown_action)?;
    let effect = Effect {
        asked,
        member,
        cause: format!("action:{}", action.id),
        points: action.points,
        limit: action.limit,
        cool_down: SignedDuration::from_hours(action.cool_down_hours.into()),
    };
    let (receipt, is_new) = effects::apply(&mut tx, shop, effect, &program, now).await?;
    if is_new {
        let change = Change {
            action: Action::ActionRewarded,
            target: Some(member.to_string()),
            before: json!(null),
            after: json!({"action": done.action, "source": done.source, "points": receipt.points,
                          "entry": receipt.entry}),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok(Json(receipt))
}

fn check_note(note: Option<&str>) -> Result<(), Problem> {
    let Some(note) = note else { return Ok(()) };
    // PostgreSQL keeps no NUL.
    if note.chars().count() <= LONGEST_NOTE && !note.contains('\0') {
        return Ok(());
    }
    Err(unprocessable("note_malformed", "A note has at most 500 characters, and no NUL among them."))
}

fn check_bound(points: Points, most: Points) -> Result<(), Problem> {
    if points == Points::ZERO {
        return Err(unprocessable("no_points", "An adjustment gives or takes at least one point."));
    }
    if (-most..=most).contains(&points) {
        return Ok(());
    }
    let refused =
        unprocessable("beyond_bound", "This is more than the program lets staff give or take at once.");
    Err(refused.with("most", most.get()))
}

fn unknown_reason() -> Problem {
    let title = "The reason is goodwill, correction, compensation, abuse or other.";
    unprocessable("unknown_reason", title)
}

fn unknown_source() -> Problem {
    unprocessable("unknown_source", "The source is api, flow, klaviyo or zapier.")
}

fn unknown_action() -> Problem {
    unprocessable("unknown_action", "The program has no action of this id.")
}

fn unprocessable(code: &'static str, title: &'static str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title)
}

impl From<EffectError> for Problem {
    fn from(error: EffectError) -> Problem {
        let because = error.to_string();
        let refused = |status, code| Problem::new(status, code, because);
        match error {
            EffectError::KeyReused => refused(StatusCode::CONFLICT, "idempotency_key_reused"),
            EffectError::LimitReached { again_at } => {
                refused(StatusCode::UNPROCESSABLE_ENTITY, "limit_reached")
                    .with("again_at", again_at.map(|at| at.to_string()))
            }
            EffectError::TooSoon { again_at } => {
                refused(StatusCode::UNPROCESSABLE_ENTITY, "too_soon").with("again_at", again_at.to_string())
            }
            EffectError::BelowFloor { available } => {
                refused(StatusCode::UNPROCESSABLE_ENTITY, "below_floor").with("available", available.get())
            }
            EffectError::Points(error) => error.into(),
            EffectError::Db(error) => error.into(),
        }
    }
}
