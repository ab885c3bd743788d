//! What a merchant sees of support, and how they end it.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::{delete, get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::close;
use super::store::{self, Session};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::db::Timestamp;
use crate::merchants::{allow_support, lock_installed, support_allowed};
use crate::web::{Manage, Path, Problem, Staff, View};

/// How many sessions the list has.
const LISTED: i64 = 100;

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/support", get(list))
        .route("/api/support/allowed", put(put_allowed))
        .route("/api/support/{id}", delete(end))
}

/// Support in this shop.
#[derive(Debug, Serialize)]
struct SupportView {
    /// Whether support may be let in.
    allowed: bool,
    /// The last hundred sessions, the newest first.
    sessions: Vec<SessionView>,
}

/// A support session.
#[derive(Debug, Serialize)]
struct SessionView {
    id: Uuid,
    /// Who of the installation.
    operator: String,
    /// Why.
    reason: String,
    /// Whether they may edit.
    write: bool,
    /// Whether it still stands.
    open: bool,
    opened_at: Timestamp,
    expires_at: Timestamp,
    closed_at: Option<Timestamp>,
}

impl SessionView {
    fn new(session: Session, now: Timestamp) -> Self {
        SessionView {
            open: session.is_open(now),
            id: session.session_id,
            operator: session.operator,
            reason: session.reason,
            write: session.may_write,
            opened_at: session.opened_at,
            expires_at: session.expires_at,
            closed_at: session.closed_at,
        }
    }
}

/// `GET /api/support`
async fn list(State(app): State<App>, staff: Staff<View>) -> Result<Json<SupportView>, Problem> {
    let now = app.clock.now();
    let mut read = app.db.read(staff.shop.id).await?;
    let allowed = support_allowed(&mut read, staff.shop.id).await?;
    let sessions = store::of_shop(&mut read, staff.shop.id, LISTED).await?;
    let sessions = sessions.into_iter().map(|session| SessionView::new(session, now)).collect();
    Ok(Json(SupportView { allowed, sessions }))
}

/// `DELETE /api/support/{id}`
async fn end(
    State(app): State<App>,
    staff: Staff<Manage>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let unknown = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "unknown_support_session",
            "No support session of that id is open.",
        )
    };
    let id = id.parse::<Uuid>().map_err(|_| unknown())?;
    let mut tx = app.db.begin(staff.shop.id).await?;
    let closed = close(&mut tx, staff.shop.id, Some(id), staff.by(), app.clock.now()).await?;
    tx.commit().await?;
    if closed == 0 { Err(unknown()) } else { Ok(StatusCode::NO_CONTENT) }
}

/// Whether support may be let in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowedRequest {
    allowed: bool,
}

/// `PUT /api/support/allowed`: who switches support off also ends what is open.
async fn put_allowed(
    State(app): State<App>,
    staff: Staff<Manage>,
    body: Result<Json<AllowedRequest>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(request) = body?;
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    // Whoever lets support in waits here, or is waited for.
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let before = support_allowed(&mut tx, shop).await?;
    if before != request.allowed {
        allow_support(&mut tx, shop, request.allowed).await?;
        let change = Change {
            action: Action::SupportAllowedChanged,
            target: None,
            before: json!({"allowed": before}),
            after: json!({"allowed": request.allowed}),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    if !request.allowed {
        close(&mut tx, shop, None, staff.by(), now).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
