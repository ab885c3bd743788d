//! What a merchant sees of the last reconcile, and how they ask for one.

use axum::extract::State as Application;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Counts, Report, ask, last};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::db::Timestamp;
use crate::web::{Edit, Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/reconcile", get(show).post(begin))
}

/// The last reconcile.
#[derive(Debug, Serialize)]
struct ReportView {
    run: Uuid,
    /// `reading`, `asking`, `done` or `incomplete`.
    state: &'static str,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    #[serde(flatten)]
    counts: Counts,
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        let Report { run_id: run, state, started_at, ended_at, counts } = report;
        ReportView { run, state: state.as_str(), started_at, ended_at, counts }
    }
}

/// A reconcile that was asked for.
#[derive(Debug, Serialize)]
struct AskedView {
    run: Uuid,
    /// Whether one was under way already.
    under_way: bool,
}

/// `GET /api/reconcile`: what came of the last one; 404 before the first.
async fn show(Application(app): Application<App>, staff: Staff<View>) -> Result<Json<ReportView>, Problem> {
    let last = last(&mut app.db.read(staff.shop.id).await?, staff.shop.id).await?;
    let none = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "never_reconciled",
            "No metafields have been compared with the ledger yet.",
        )
    };
    Ok(Json(last.ok_or_else(none)?.into()))
}

/// `POST /api/reconcile`: one is begun soon.
async fn begin(
    Application(app): Application<App>,
    staff: Staff<Edit>,
) -> Result<(StatusCode, Json<AskedView>), Problem> {
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    let asked = ask(&mut tx, shop, now).await?;
    if asked.new {
        let (action, target) = (Action::ReconcileAsked, Some(asked.run.to_string()));
        let change = Change { action, target, before: json!(null), after: json!(null) };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(AskedView { run: asked.run, under_way: !asked.new })))
}
