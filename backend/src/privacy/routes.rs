//! What a merchant sees of privacy requests.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::export::{self, ExportError};
use super::store::{self, Request};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::db::Timestamp;
use crate::web::{Manage, Path, Problem, Staff, View};

/// How many requests a list has, and may have.
const LISTED: i64 = 50;
const MOST_LISTED: i64 = 200;

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/privacy/requests", get(list))
        .route("/api/privacy/requests/{request}/export", get(download))
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// How many: 1 to 200.
    limit: Option<i64>,
}

/// A request. Whom it is about is not said: Shopify told the merchant.
#[derive(Debug, Serialize)]
struct RequestView {
    id: Uuid,
    /// `customers/data_request`, `customers/redact` or `shop/redact`.
    kind: &'static str,
    /// `received`, `done` or `refused`.
    state: &'static str,
    /// What was found, or why it was refused.
    outcome: Option<String>,
    received_at: Timestamp,
    /// When it must be settled.
    due_at: Timestamp,
    settled_at: Option<Timestamp>,
}

impl From<Request> for RequestView {
    fn from(request: Request) -> Self {
        RequestView {
            id: request.request_id,
            kind: request.kind.as_str(),
            state: request.state.as_str(),
            outcome: request.outcome,
            received_at: request.received_at,
            due_at: request.due_at,
            settled_at: request.settled_at,
        }
    }
}

/// `GET /api/privacy/requests`: the newest first.
async fn list(
    State(app): State<App>,
    staff: Staff<View>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Vec<RequestView>>, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad_request("bad_parameter", error.body_text()))?;
    let limit = asked.limit.unwrap_or(LISTED);
    if !(1..=MOST_LISTED).contains(&limit) {
        return Err(Problem::bad_request("bad_parameter", "The limit must be from 1 to 200."));
    }
    let requests = store::requests(&mut app.db.read(staff.shop.id).await?, staff.shop.id, limit).await?;
    Ok(Json(requests.into_iter().map(RequestView::from).collect()))
}

/// `GET /api/privacy/requests/{request}/export`: everything that is held of a customer, as JSON. Who takes it is written
/// down.
async fn download(
    State(app): State<App>,
    staff: Staff<Manage>,
    request: Result<Path<Uuid>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let missing =
        || Problem::new(StatusCode::NOT_FOUND, "unknown_export", "There is no such export any more.");
    let Path(request) = request.map_err(|_| missing())?;
    let shop = staff.shop.id;
    let document = export::document(&app, shop, request).await?.ok_or_else(missing)?;
    let mut tx = app.db.begin(shop).await?;
    let change = Change {
        action: Action::PrivacyExported,
        target: Some(request.to_string()),
        before: Value::Null,
        after: Value::Null,
    };
    audit::record(&mut tx, shop, staff.by(), change, app.clock.now()).await?;
    tx.commit().await?;
    let name = format!("attachment; filename=\"{request}.json\"");
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_DISPOSITION, name),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, document))
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Problem {
        match error {
            ExportError::Db(error) => error.into(),
            ExportError::Sealed(_) => {
                tracing::error!("an export was sealed with a key that is not known any more");
                Problem::internal()
            }
        }
    }
}
