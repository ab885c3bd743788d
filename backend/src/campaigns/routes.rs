//! What staff say about a member's tier.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{assign, tier_of};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::customers::of_path;
use crate::merchants::lock_installed;
use crate::programs;
use crate::web::{Edit, Path, Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/members/{customer}/tier", get(show).put(put_tier))
}

/// A member's tier.
#[derive(Debug, Serialize)]
struct MembershipView {
    /// Its id; none where the member belongs to none.
    tier: Option<String>,
    /// What shoppers read; none, too, where the program has lost the tier.
    name: Option<String>,
}

/// `GET /api/members/{customer}/tier`
async fn show(
    State(app): State<App>,
    staff: Staff<View>,
    Path(customer): Path<String>,
) -> Result<Json<MembershipView>, Problem> {
    let mut read = app.db.read(staff.shop.id).await?;
    let member = of_path(&mut read, staff.shop.id, &customer).await?;
    let tier = tier_of(&mut read, staff.shop.id, member).await?;
    let program = programs::current(&mut read, staff.shop.id).await?.program;
    let name = tier.as_deref().and_then(|id| program.tier(id)).map(|tier| tier.name.clone());
    Ok(Json(MembershipView { tier, name }))
}

/// To which tier a member is to belong.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TierRequest {
    /// Its id; null for none.
    #[serde(deserialize_with = "Option::deserialize")]
    tier: Option<String>,
}

/// `PUT /api/members/{customer}/tier`
async fn put_tier(
    State(app): State<App>,
    staff: Staff<Edit>,
    Path(customer): Path<String>,
    body: Result<Json<TierRequest>, JsonRejection>,
) -> Result<Json<MembershipView>, Problem> {
    let Json(TierRequest { tier }) = body?;
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let member = of_path(&mut tx, shop, &customer).await?;
    let program = programs::current(&mut tx, shop).await?.program;
    let name = match tier.as_deref().map(|id| program.tier(id)) {
        None => None,
        Some(Some(tier)) => Some(tier.name.clone()),
        Some(None) => return Err(unknown_tier()),
    };
    let before = assign(&mut tx, shop, member, tier.as_deref(), now).await?;
    if before != tier {
        let change = Change {
            action: Action::TierAssigned,
            target: Some(member.to_string()),
            before: json!({"tier": before}),
            after: json!({"tier": tier}),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok(Json(MembershipView { tier, name }))
}

fn unknown_tier() -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_tier", "The program has no tier of this id.")
}
