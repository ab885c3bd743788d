//! A shop's own tasks, for its staff.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store::{self, Listed};
use crate::app::App;
use crate::db::Timestamp;
use crate::web::{Problem, Staff, View};

/// How many tasks a page has, and may have.
const PAGE: i64 = 50;
const LARGEST_PAGE: i64 = 200;

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/tasks", get(list))
}

/// Which page is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    /// The `next` of the page before.
    before: Option<Uuid>,
    /// How many tasks, 1 to 200.
    limit: Option<i64>,
}

/// A page of tasks, newest first.
#[derive(Debug, Serialize)]
struct TasksView {
    tasks: Vec<TaskView>,
    /// Where the next page begins; none on the last.
    next: Option<Uuid>,
}

/// A task.
#[derive(Debug, Serialize)]
struct TaskView {
    /// Ours.
    id: Uuid,
    /// What is to be done.
    kind: String,
    /// `waiting`, `running`, `done` or `dead`.
    status: &'static str,
    /// How often it was tried.
    attempts: i64,
    /// Why it failed last.
    reason: Option<String>,
    /// When it was pushed.
    created_at: Timestamp,
    /// When it is to be done.
    run_at: Timestamp,
    /// When it was done or given up.
    settled_at: Option<Timestamp>,
}

impl From<Listed> for TaskView {
    fn from(task: Listed) -> Self {
        TaskView {
            id: task.task_id,
            status: task.status(),
            kind: task.kind,
            attempts: task.attempts,
            reason: task.reason,
            created_at: task.created_at,
            run_at: task.run_at,
            settled_at: task.settled_at,
        }
    }
}

/// `GET /api/tasks`
async fn list(
    State(app): State<App>,
    staff: Staff<View>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<TasksView>, Problem> {
    let Query(page) = page.map_err(|_| bad_page())?;
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(bad_page());
    }
    let before = page.before.unwrap_or(Uuid::max());
    // One more tells whether there is a next page.
    let mut read = app.db.read(staff.shop.id).await?;
    let mut tasks = store::of_shop(&mut read, staff.shop.id, before, limit + 1).await?;
    let more = tasks.len() as i64 > limit;
    tasks.truncate(usize::try_from(limit).unwrap_or_default());
    let next = tasks.last().filter(|_| more).map(|last| last.task_id);
    Ok(Json(TasksView { tasks: tasks.into_iter().map(TaskView::from).collect(), next }))
}

fn bad_page() -> Problem {
    Problem::bad_request(
        "bad_parameter",
        "`before` is the `next` of another page, and `limit` a number from 1 to 200.",
    )
}
