//! Who works here, and as what.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::{delete, get, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::store::{self, StaffRow};
use super::{Role, RoleError, roles};
use crate::app::App;
use crate::db::Timestamp;
use crate::shopify::UserId;
use crate::web::{Manage, Own, Path, Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/staff", get(list))
        .route("/api/staff/default-role", put(put_default))
        .route("/api/staff/{user}/role", put(put_role))
        .route("/api/staff/{user}/session", delete(end_session))
}

/// A shop's staff.
#[derive(Debug, Serialize)]
struct StaffListView {
    /// All who ever opened the app, by when they first did.
    staff: Vec<StaffView>,
    /// The role of those who were given none.
    default_role: &'static str,
}

/// A member of staff.
#[derive(Debug, Serialize)]
struct StaffView {
    /// Shopify's number. A string, because such numbers may exceed 2^53.
    user: String,
    /// `owner`, `admin`, `editor` or `viewer`.
    role: &'static str,
    /// The role they were given; none: they go by the default.
    given: Option<&'static str>,
    /// Whether they work for a partner of the shop.
    collaborator: bool,
    /// Whether their session is open.
    session: bool,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
}

impl StaffView {
    fn new(row: &StaffRow, now: Timestamp) -> Self {
        StaffView {
            user: row.user_id.to_string(),
            role: row.role().as_str(),
            given: row.assigned.map(Role::as_str),
            collaborator: row.collaborator,
            session: row.is_open(now),
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
        }
    }
}

/// `GET /api/staff`
async fn list(State(app): State<App>, staff: Staff<View>) -> Result<Json<StaffListView>, Problem> {
    let now = app.clock.now();
    let mut read = app.db.read(staff.shop.id).await?;
    let default_role = store::default_role(&mut read, staff.shop.id).await?.as_str();
    let all = store::all(&mut read, staff.shop.id).await?;
    Ok(Json(StaffListView { staff: all.iter().map(|row| StaffView::new(row, now)).collect(), default_role }))
}

/// A role to be given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleRequest {
    /// `admin`, `editor` or `viewer`; null: the shop's default.
    #[serde(deserialize_with = "Option::deserialize")]
    role: Option<String>,
}

impl RoleRequest {
    fn read(body: Result<Json<Self>, JsonRejection>) -> Result<Option<Role>, Problem> {
        let Json(request) = body?;
        let role = request.role.map(|role| Role::parse(&role).ok_or(RoleError::NotAssignable)).transpose();
        Ok(role?)
    }
}

/// `PUT /api/staff/{user}/role`
async fn put_role(
    State(app): State<App>,
    staff: Staff<Manage>,
    Path(user): Path<String>,
    body: Result<Json<RoleRequest>, JsonRejection>,
) -> Result<Json<StaffView>, Problem> {
    let role = RoleRequest::read(body)?;
    let changed = roles::give(&app, &staff, numbered(&user)?, role).await?;
    Ok(Json(StaffView::new(&changed, app.clock.now())))
}

/// `PUT /api/staff/default-role`
async fn put_default(
    State(app): State<App>,
    staff: Staff<Own>,
    body: Result<Json<RoleRequest>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let role = RoleRequest::read(body)?.ok_or(RoleError::NotAssignable)?;
    roles::set_default(&app, &staff, role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/staff/{user}/session`
async fn end_session(
    State(app): State<App>,
    staff: Staff<Manage>,
    Path(user): Path<String>,
) -> Result<StatusCode, Problem> {
    roles::end_session(&app, &staff, numbered(&user)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn numbered(user: &str) -> Result<UserId, RoleError> {
    user.parse().map(UserId).map_err(|_| RoleError::Unknown)
}

impl From<RoleError> for Problem {
    fn from(error: RoleError) -> Self {
        let (status, code) = match error {
            RoleError::Database(error) => return error.into(),
            RoleError::Unknown => (StatusCode::NOT_FOUND, "unknown_staff"),
            RoleError::NotAssignable => (StatusCode::UNPROCESSABLE_ENTITY, "role_not_assignable"),
            RoleError::Owner => (StatusCode::CONFLICT, "owner_role_fixed"),
            RoleError::Forbidden => (StatusCode::FORBIDDEN, "forbidden_role"),
            RoleError::LastAdmin => (StatusCode::CONFLICT, "last_admin"),
        };
        Problem::new(status, code, sentence(&error))
    }
}

/// The error as a sentence: it begins with a capital and ends with a full stop.
fn sentence(error: &RoleError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or(text.clone(), |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}
