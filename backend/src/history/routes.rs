//! How far the files of customers and orders are, and how staff ask for them.

use axum::extract::State as Application;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Asked, Progress, Subject, ask, progress, store};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::db::{Read, Timestamp};
use crate::ids::{CustomerId, OrderId, ShopId};
use crate::merchants::lock_installed;
use crate::web::{Edit, Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/history", get(show).post(begin))
}

/// Both files.
#[derive(Debug, Serialize)]
struct HistoryView {
    customers: Option<FileView>,
    orders: Option<FileView>,
}

/// How far a file is, and what came of its lines.
#[derive(Debug, Serialize)]
struct FileView {
    run: Uuid,
    /// `asked`, `making`, `reading`, `done` or `incomplete`.
    state: &'static str,
    /// Why there is no whole file, in Shopify's word or ours.
    problem: Option<String>,
    asked_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// Of orders: `all`, or `last_60_days` where the shop has not granted `read_all_orders`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<&'static str>,
    lines: i64,
    /// Lines that are no JSON objects with an id.
    unreadable: i64,
    taken: i64,
    new_members: i64,
    /// Test orders, those without a customer, and those that points are booked for.
    passed_by: i64,
    refused: i64,
    /// The first of those that were refused.
    refusals: Vec<RefusalView>,
}

#[derive(Debug, Serialize)]
struct RefusalView {
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerId>,
    code: &'static str,
    message: &'static str,
}

async fn view(read: &mut Read, shop: ShopId, subject: Subject) -> Result<Option<FileView>, Problem> {
    let Some(progress) = progress(read, shop, subject).await? else { return Ok(None) };
    let (state, reach) = (progress.state(), progress.reach());
    let Progress { report, run, .. } = progress;
    let refusals = store::refusals(read, shop, run.run_id).await?.into_iter().map(|refused| RefusalView {
        order: refused.order_id,
        customer: refused.customer_id,
        code: refused.code.as_str(),
        message: refused.code.sentence(),
    });
    Ok(Some(FileView {
        run: run.run_id,
        state,
        problem: run.problem,
        asked_at: run.asked_at,
        ended_at: run.ended_at,
        reach,
        lines: run.lines,
        unreadable: run.odd,
        taken: report.taken,
        new_members: report.new_members,
        passed_by: report.passed_by,
        refused: report.refused,
        refusals: refusals.collect(),
    }))
}

/// `GET /api/history`: how far the last files are; 404 before the first.
async fn show(Application(app): Application<App>, staff: Staff<View>) -> Result<Json<HistoryView>, Problem> {
    let shop = staff.shop.id;
    let mut read = app.db.read(shop).await?;
    let customers = view(&mut read, shop, Subject::Customers).await?;
    let orders = view(&mut read, shop, Subject::Orders).await?;
    if customers.is_none() && orders.is_none() {
        let title = "The shop's customers and orders have not been read yet.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "never_read", title));
    }
    Ok(Json(HistoryView { customers, orders }))
}

/// Files that were asked for.
#[derive(Debug, Serialize)]
struct AskedView {
    files: Vec<AskedFile>,
}

#[derive(Debug, Serialize)]
struct AskedFile {
    of: &'static str,
    run: Uuid,
    /// Whether one was under way already.
    under_way: bool,
}

impl From<&Asked> for AskedFile {
    fn from(asked: &Asked) -> Self {
        AskedFile { of: asked.subject.as_str(), run: asked.run, under_way: !asked.new }
    }
}

/// `POST /api/history`: customers and orders are read soon.
async fn begin(
    Application(app): Application<App>,
    staff: Staff<Edit>,
) -> Result<(StatusCode, Json<AskedView>), Problem> {
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let asked = ask(&mut tx, shop, now).await?;
    if asked.iter().any(|asked| asked.new) {
        let (action, target) = (Action::HistoryAsked, None);
        let change = Change { action, target, before: json!(null), after: json!(null) };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    let files = asked.iter().map(AskedFile::from).collect();
    Ok((StatusCode::ACCEPTED, Json(AskedView { files })))
}
