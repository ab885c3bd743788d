//! What staff see of one member, put together: who they are to the app, what they have, what they bought.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::{of_path, store, tags};
use crate::app::App;
use crate::campaigns::{self, TierView};
use crate::db::Timestamp;
use crate::ids::{CustomerId, MemberId};
use crate::web::{Path, Problem, Staff, View};
use crate::{points, programs, rfm};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/members/{customer}", get(show))
}

/// A member.
#[derive(Debug, Serialize)]
struct ProfileView {
    member: MemberId,
    /// Shopify's number; of a customer who was merged, the kept one's.
    customer: Option<CustomerId>,
    enrolled_at: Timestamp,
    /// The state of their account at the shop, in Shopify's word for it; none where nothing was told of it.
    account: Option<String>,
    /// What they earn waits until they have an account.
    guest: bool,
    /// When they had an account for the first time, if the app was there.
    signed_up_at: Option<Timestamp>,
    /// When the shop deleted the customer.
    deleted_at: Option<Timestamp>,
    /// The merchant's own tags of the customer, where the shop keeps them.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    points: PointsView,
    tier: Option<TierView>,
    /// Scores, stage, and how likely they stay away; none before members were scored for the first time.
    rfm: Option<rfm::routes::MemberView>,
}

#[derive(Debug, Serialize)]
struct PointsView {
    available: i64,
    pending: i64,
    held: i64,
}

/// `GET /api/members/{customer}`
async fn show(
    State(app): State<App>,
    staff: Staff<View>,
    Path(customer): Path<String>,
) -> Result<Json<ProfileView>, Problem> {
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut read = app.db.read(shop).await?;
    let member = of_path(&mut read, shop, &customer).await?;
    let known = store::profile(&mut read, shop, member).await?;
    let balance = points::balance(&mut read, shop, member, now).await?;
    let program = programs::current(&mut read, shop).await?.program;
    let tier = campaigns::shown(&mut read, shop, member, Some(&program)).await?;
    Ok(Json(ProfileView {
        member,
        customer: known.customer_id,
        enrolled_at: known.enrolled_at,
        account: known.state,
        guest: known.shadow == Some(true),
        signed_up_at: known.signed_up_at,
        deleted_at: known.deleted_at,
        tags: tags::shown(&mut read, shop, member).await?,
        points: PointsView {
            available: balance.available.get(),
            pending: balance.pending.get(),
            held: balance.held.get(),
        },
        tier,
        rfm: rfm::routes::view(&mut read, shop, member, now).await?,
    }))
}
