//! The operator's page: the tasks of all shops, and another chance for those that are dead.
//!
//! Shop by shop, merchants see their own tasks at `/api/tasks`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::store::{self, Backlog, Listed};
use super::{INSTALLATION, State as TaskState};
use crate::app::App;
use crate::db::Timestamp;
use crate::ids::ShopId;
use crate::web::{Operator, Path, Problem, operator_page};

/// How many tasks a page shows.
const PAGE: i64 = 50;

/// The routes of this page.
pub fn routes() -> Router<App> {
    Router::new().route("/staff/tasks", get(show)).route("/staff/tasks/{task}/requeue", post(requeue))
}

/// What is shown.
#[derive(Debug, Deserialize)]
struct Shown {
    /// `ready`, `done` or `dead`; all of them if it is missing.
    state: Option<String>,
    /// Tasks before this one.
    before: Option<Uuid>,
}

/// `GET /staff/tasks`
async fn show(
    State(app): State<App>,
    _: Operator,
    shown: Result<Query<Shown>, QueryRejection>,
) -> Result<Response, Problem> {
    let nothing = || Problem::bad_request("bad_parameter", "There is no such state or page of tasks.");
    let Query(shown) = shown.map_err(|_| nothing())?;
    let state = match shown.state.as_deref() {
        None => None,
        Some(state) => Some(TaskState::parse(state).ok_or_else(nothing)?),
    };
    let mut read = app.db.read_outside().await?;
    let backlog = app.tasks.backlog(&mut read).await?;
    let mut tasks = store::of_all(&mut read, state, shown.before.unwrap_or(Uuid::max()), PAGE + 1).await?;
    drop(read);
    let more = tasks.len() as i64 > PAGE;
    tasks.truncate(PAGE as usize);
    let next = tasks.last().filter(|_| more).map(|last| last.task_id);
    let mut names = HashMap::new();
    for task in tasks.iter().filter(|task| task.shop_id != INSTALLATION) {
        if let Entry::Vacant(name) = names.entry(task.shop_id) {
            let found = app.shops.find(task.shop_id).await?;
            name.insert(found.map_or_else(|| task.shop_id.to_string(), |shop| shop.domain.to_string()));
        }
    }
    let content = html! {
        header {
            h1 { "Tasks" }
            form method="post" action="/staff/sign-out" { button { "Sign out" } }
        }
        main {
            (kinds(&backlog, app.clock.now()))
            (filters(state))
            (list(&tasks, &names))
            @if let Some(next) = next {
                p { a href=(link(state, Some(next))) { "Older" } }
            }
        }
    };
    Ok(operator_page("Tasks", &content))
}

/// `POST /staff/tasks/{task}/requeue`
async fn requeue(
    State(app): State<App>,
    _: Operator,
    task: Result<Path<Uuid>, Problem>,
) -> Result<Response, Problem> {
    let no_task = || Problem::new(StatusCode::NOT_FOUND, "no_dead_task", "This is no dead task.");
    let Path(task) = task.map_err(|_| no_task())?;
    if app.tasks.requeue(None, Some(task)).await? == 0 {
        return Err(no_task());
    }
    tracing::info!(%task, "the operator requeued a task");
    Ok((StatusCode::SEE_OTHER, [(LOCATION, "/staff/tasks?state=dead")]).into_response())
}

/// What waits and what is dead, by kind.
fn kinds(backlog: &[Backlog], now: Timestamp) -> Markup {
    html! {
        div.sheet tabindex="0" role="region" aria-label="Kinds of tasks" {
            table {
                thead { tr {
                    th { "Kind" } th.number { "Waiting" } th { "First" } th.number { "Dead" }
                } }
                tbody {
                    @for kind in backlog {
                        tr {
                            td { code { (kind.kind) } }
                            td.number { (kind.waiting) }
                            td { @match kind.due_at {
                                Some(due) if due <= now => (format!("late by {}", seconds(now, due))),
                                Some(due) => (format!("in {}", seconds(due, now))),
                                None => "–",
                            } }
                            td.number.dead[kind.dead > 0] { (kind.dead) }
                        }
                    }
                }
            }
        }
    }
}

/// For a person: `1h 5m`.
fn seconds(later: Timestamp, earlier: Timestamp) -> String {
    format!("{:#}", jiff::SignedDuration::from_secs((later - earlier).as_secs()))
}

fn link(state: Option<TaskState>, before: Option<Uuid>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(state) = state {
        query.append_pair("state", state.as_str());
    }
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    format!("/staff/tasks?{}", query.finish())
}

fn filters(shown: Option<TaskState>) -> Markup {
    let all = [
        (None, "All"),
        (Some(TaskState::Ready), "To be done"),
        (Some(TaskState::Done), "Done"),
        (Some(TaskState::Dead), "Dead"),
    ];
    html! {
        nav aria-label="Which tasks" {
            @for (state, name) in all {
                a href=(link(state, None)) aria-current=[(state == shown).then_some("page")] { (name) }
            }
        }
    }
}

fn list(tasks: &[Listed], names: &HashMap<ShopId, String>) -> Markup {
    html! {
        div.sheet tabindex="0" role="region" aria-label="Tasks" {
            @if tasks.is_empty() {
                p.empty { "There are none." }
            } @else {
                table {
                    thead { tr {
                        th { "Task" } th { "Shop" } th { "State" } th.number { "Tries" } th { "To be done, ended" }
                        th { "Reason" }
                    } }
                    tbody {
                        @for task in tasks { (row(task, names)) }
                    }
                }
            }
        }
    }
}

fn row(task: &Listed, names: &HashMap<ShopId, String>) -> Markup {
    html! {
        tr {
            td { code { (task.kind) } span.hint { (task.key) } }
            td { (names.get(&task.shop_id).map_or("–", String::as_str)) }
            td {
                span class=(task.status()) { (task.status()) }
                @if task.state == TaskState::Dead {
                    form method="post" action=(format!("/staff/tasks/{}/requeue", task.task_id)) {
                        button { "Try again" }
                    }
                }
            }
            td.number { (task.attempts) }
            td { (moment(task.run_at)) @if let Some(at) = task.settled_at { span.hint { (moment(at)) } } }
            td.wide { (task.reason.as_deref().unwrap_or("–")) }
        }
    }
}

/// To the second, in UTC.
fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.to_jiff().strftime("%Y-%m-%d %H:%M:%SZ")) } }
}
