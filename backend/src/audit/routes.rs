//! Reading the log, page by page or as a table.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::csv;
use super::store::{self, Entry};
use super::words::sentence;
use crate::app::App;
use crate::db::Timestamp;
use crate::languages::{Language, Tongue};
use crate::web::{Manage, Problem, Staff};

/// How many entries a page has, and may have.
const PAGE: i64 = 50;
const LARGEST_PAGE: i64 = 200;
/// How many entries a table has, and may have.
const TABLE: i64 = 10_000;

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/audit", get(list))
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The `next` of the page before.
    after: Option<Uuid>,
    /// How many entries: 1 to 200, of a table to 10,000.
    limit: Option<i64>,
    /// The language of the sentences; else that of whoever asks.
    lang: Option<String>,
}

/// A page of entries, newest first.
#[derive(Debug, Serialize)]
struct AuditView {
    entries: Vec<EntryView>,
    /// The language of the sentences.
    language: &'static str,
    /// Where the next page begins; none on the last.
    next: Option<Uuid>,
}

/// An entry.
#[derive(Debug, Serialize)]
struct EntryView {
    id: Uuid,
    at: Timestamp,
    /// `user`, `support`, `api`, `system` or `cli`.
    actor_kind: &'static str,
    /// The user's number, or the id of the support session or the API token.
    actor_id: Option<String>,
    /// Who of the installation, for support.
    operator: Option<String>,
    /// What was done, as a code.
    action: String,
    /// What was done, as a sentence.
    text: String,
    /// To whom or what.
    target: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    request: Option<String>,
}

fn view(tongue: Tongue, entry: Entry) -> EntryView {
    EntryView {
        text: sentence(tongue, &entry),
        id: entry.entry_id,
        at: entry.at,
        actor_kind: entry.actor_kind.as_str(),
        actor_id: entry.actor_id,
        operator: entry.operator,
        action: entry.action,
        target: entry.target,
        before: entry.before.map(|before| before.0),
        after: entry.after.map(|after| after.0),
        request: entry.request_id,
    }
}

/// `GET /api/audit`
async fn list(
    State(app): State<App>,
    staff: Staff<Manage>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad_request("bad_parameter", error.body_text()))?;
    let as_table = headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.split(',').any(|kind| kind.trim().starts_with("text/csv")));
    let (most, usual) = if as_table { (TABLE, TABLE) } else { (LARGEST_PAGE, PAGE) };
    let limit = asked.limit.unwrap_or(usual);
    if !(1..=most).contains(&limit) {
        return Err(Problem::bad_request("bad_parameter", format!("The limit is 1 to {most}.")));
    }
    let lang = asked.lang.as_deref().map(str::parse::<Language>).transpose();
    let lang = lang.map_err(|error| Problem::bad_request("bad_language", format!("That is {error}.")))?;
    let tongue = Tongue::first(lang.iter().chain(&staff.locale));

    let mut read = app.db.read(staff.shop.id).await?;
    let mut entries = store::page(&mut read, staff.shop.id, asked.after, limit + 1).await?;
    let more = entries.len() as i64 > limit;
    entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    if as_table {
        let table = csv::table(tongue, &entries).map_err(|error| {
            tracing::error!(%error, "a table cannot be written");
            Problem::internal()
        })?;
        let headers = [
            (CONTENT_TYPE, "text/csv; charset=utf-8"),
            (CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
        ];
        return Ok((headers, table).into_response());
    }
    let next = entries.last().filter(|_| more).map(|last| last.entry_id);
    let entries = entries.into_iter().map(|entry| view(tongue, entry)).collect();
    Ok(Json(AuditView { entries, language: tongue.tag(), next }).into_response())
}
