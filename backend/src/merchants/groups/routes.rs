//! Groups of shops: founding, inviting, joining, leaving.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{GroupError, create, invite, join, leave, store};
use crate::app::App;
use crate::db::Timestamp;
use crate::web::{Manage, Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/group", get(show).post(found).delete(go))
        .route("/api/group/invitations", post(make_invitation))
        .route("/api/group/join", post(accept))
}

/// A group, as each of its shops sees it.
#[derive(Debug, Serialize)]
struct GroupView {
    id: Uuid,
    /// In the order in which they joined.
    shops: Vec<NeighbourView>,
}

/// Another shop: nothing else of it is shown.
#[derive(Debug, Serialize)]
struct NeighbourView {
    name: String,
    domain: String,
    joined_at: Timestamp,
}

async fn view(app: &App, group: Uuid) -> Result<Json<GroupView>, Problem> {
    let shops = store::shops(&mut app.db.read_outside().await?, group).await?;
    let shops = shops.into_iter().map(|shop| NeighbourView {
        name: shop.name,
        domain: shop.domain,
        joined_at: shop.joined_at,
    });
    Ok(Json(GroupView { id: group, shops: shops.collect() }))
}

/// `GET /api/group`
async fn show(State(app): State<App>, staff: Staff<View>) -> Result<Json<GroupView>, Problem> {
    let group = store::of_shop(&mut app.db.read(staff.shop.id).await?, staff.shop.id).await?;
    view(&app, group.ok_or(GroupError::NoGroup)?).await
}

/// `POST /api/group`
async fn found(
    State(app): State<App>,
    staff: Staff<Manage>,
) -> Result<(StatusCode, Json<GroupView>), Problem> {
    let group = create(&app, &staff).await?;
    Ok((StatusCode::CREATED, view(&app, group).await?))
}

/// `DELETE /api/group`: this shop leaves.
async fn go(State(app): State<App>, staff: Staff<Manage>) -> Result<StatusCode, Problem> {
    let mut tx = app.db.begin(staff.shop.id).await?;
    let left = leave(&mut tx, staff.shop.id, staff.by(), app.clock.now()).await?;
    tx.commit().await?;
    if left { Ok(StatusCode::NO_CONTENT) } else { Err(GroupError::NoGroup.into()) }
}

/// An invitation.
#[derive(Debug, Serialize)]
struct InvitationView {
    /// What the other shop joins with, once. It is shown here only.
    code: String,
    expires_at: Timestamp,
}

/// `POST /api/group/invitations`
async fn make_invitation(
    State(app): State<App>,
    staff: Staff<Manage>,
) -> Result<(StatusCode, Json<InvitationView>), Problem> {
    let (code, expires_at) = invite(&app, &staff).await?;
    Ok((StatusCode::CREATED, Json(InvitationView { code, expires_at })))
}

/// What an invitation is accepted with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinRequest {
    code: String,
}

/// `POST /api/group/join`
async fn accept(
    State(app): State<App>,
    staff: Staff<Manage>,
    body: Result<Json<JoinRequest>, JsonRejection>,
) -> Result<Json<GroupView>, Problem> {
    let Json(request) = body?;
    let group = join(&app, &staff, request.code.trim()).await?;
    view(&app, group).await
}

impl From<GroupError> for Problem {
    fn from(error: GroupError) -> Self {
        let (status, code) = match error {
            GroupError::Database(error) => return error.into(),
            GroupError::AlreadyInGroup => (StatusCode::CONFLICT, "already_in_group"),
            GroupError::NoGroup => (StatusCode::NOT_FOUND, "no_group"),
            GroupError::UnknownInvitation => (StatusCode::NOT_FOUND, "unknown_invitation"),
            GroupError::UsedInvitation => (StatusCode::CONFLICT, "invitation_used"),
            GroupError::ExpiredInvitation => (StatusCode::GONE, "invitation_expired"),
            GroupError::TooManyInvitations => (StatusCode::CONFLICT, "too_many_invitations"),
            GroupError::Uninstalled => return Problem::unknown_shop(),
            GroupError::Random => return Problem::internal(),
        };
        Problem::new(status, code, error.to_string())
    }
}
