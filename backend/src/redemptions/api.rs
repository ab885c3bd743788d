//! The catalogue as staff see it: how many of each reward are left.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use loyalty::Points;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Error, stock};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::merchants::lock_installed;
use crate::programs;
use crate::web::{Edit, Path, Problem, Staff, View};

/// As many as anybody can count.
const MOST: i64 = 1_000_000_000;

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/rewards", get(rewards)).route("/api/rewards/{reward}/stock", put(put_stock))
}

/// A reward, and how many are left.
#[derive(Debug, Serialize)]
struct RewardView {
    /// Its id.
    id: String,
    /// What shoppers read.
    name: String,
    /// What it costs; for rewards in steps what one step costs.
    points: Points,
    /// How many are left; null where there is no end of them.
    stock: Option<i64>,
}

/// `GET /api/rewards`
async fn rewards(State(app): State<App>, staff: Staff<View>) -> Result<Json<Vec<RewardView>>, Problem> {
    let mut read = app.db.read(staff.shop.id).await?;
    let program = programs::current(&mut read, staff.shop.id).await?.program;
    let levels = stock::levels(&mut read, staff.shop.id).await?;
    let rewards = program.rewards.into_iter().map(|reward| {
        let stock = levels.get(&reward.id).copied();
        RewardView { id: reward.id, name: reward.name, points: reward.points, stock }
    });
    Ok(Json(rewards.collect()))
}

/// How many are left.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stock {
    /// Null where there is no end of them.
    #[serde(deserialize_with = "Option::deserialize")]
    stock: Option<i64>,
}

/// `PUT /api/rewards/{reward}/stock`
async fn put_stock(
    State(app): State<App>,
    staff: Staff<Edit>,
    Path(reward): Path<String>,
    body: Result<Json<Stock>, JsonRejection>,
) -> Result<Json<Stock>, Problem> {
    let Json(Stock { stock }) = body?;
    if stock.is_some_and(|stock| !(0..=MOST).contains(&stock)) {
        let title = "A stock is a whole number from 0 to 1,000,000,000, or null.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_stock", title));
    }
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let program = programs::current(&mut tx, shop).await?.program;
    program.reward(&reward).ok_or(Error::UnknownReward)?;
    let before = stock::set(&mut tx, shop, &reward, stock).await?;
    if before != stock {
        let change = Change {
            action: Action::StockChanged,
            target: Some(reward),
            before: json!({"stock": before}),
            after: json!({"stock": stock}),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok(Json(Stock { stock }))
}
