//! The merchant's switch.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{store, switch};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::merchants::lock_installed;
use crate::web::{Manage, Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/customer-tags", get(show).put(put))
}

/// Whether the merchant's own tags of customers are kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    keep: bool,
}

/// `GET /api/customer-tags`
async fn show(State(app): State<App>, staff: Staff<View>) -> Result<Json<Setting>, Problem> {
    let shop = staff.shop.id;
    Ok(Json(Setting { keep: store::are_kept(&mut app.db.read(shop).await?, shop).await? }))
}

/// `PUT /api/customer-tags`: switched on, all tags are read soon; switched off, they are erased.
async fn put(
    State(app): State<App>,
    staff: Staff<Manage>,
    body: Result<Json<Setting>, JsonRejection>,
) -> Result<Json<Setting>, Problem> {
    let Json(Setting { keep }) = body?;
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let before = switch(&mut tx, shop, keep, now).await?;
    if before != keep {
        let shown = |keep: bool| json!({"keep": keep});
        let change = Change {
            action: Action::CustomerTagsSwitched,
            target: None,
            before: shown(before),
            after: shown(keep),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok(Json(Setting { keep }))
}
