//! Why an order earned what it earned, for staff and for whom it is about.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use loyalty::Points;
use loyalty::order::Wait;
use serde::{Deserialize, Serialize};

use super::explain::{BookedExplained, Explained, explain};
use super::{Error, words};
use crate::app::App;
use crate::db::{Read, Timestamp};
use crate::ids::{CustomerId, OrderId, ShopId};
use crate::languages::{Language, Tongue};
use crate::web::{Path, Problem, Shopper, Staff, View};
use crate::{customers, points, products, programs, redemptions, referrals};

/// What shoppers may ask.
pub fn shopper() -> Router<App> {
    Router::new()
        .route("/orders/{order}/explain", get(for_shopper))
        .route("/orders/{order}/points", get(points_of))
}

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/orders/{order}/explain", get(for_staff))
}

/// What is asked for. The app proxy's own parameters come along.
#[derive(Debug, Deserialize)]
struct Asked {
    /// The language of the sentences; else that of whoever asks.
    lang: Option<String>,
}

/// An order, explained for programs and for people.
#[derive(Debug, Serialize)]
struct ExplainedView {
    #[serde(flatten)]
    explained: Explained,
    /// Whose it is, for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerId>,
    /// The language of the sentences.
    language: &'static str,
    /// The same in sentences.
    text: Vec<String>,
}

/// `GET /api/orders/{order}/explain`
async fn for_staff(
    State(app): State<App>,
    staff: Staff<View>,
    Path(order): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<ExplainedView>, Problem> {
    let asked = language(asked)?;
    let mut read = app.db.read(staff.shop.id).await?;
    let explained = explain(&mut read, staff.shop.id, number(&order)?).await?.ok_or_else(unknown_order)?;
    let tongue = Tongue::first(asked.iter().chain(&staff.locale));
    let customer = explained.customer;
    Ok(Json(ExplainedView { customer, ..view(&mut read, staff.shop.id, tongue, explained).await? }))
}

/// `GET …/orders/{order}/explain`: their own orders only. Of any other, nothing is known.
async fn for_shopper(
    State(app): State<App>,
    shopper: Shopper,
    Path(order): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<ExplainedView>, Problem> {
    let customer = shopper.signed_in()?;
    let asked = language(asked)?;
    let own = find_own(&app, shopper.shop.id, customer, number(&order)?).await?;
    let mut explained = own.ok_or_else(unknown_order)?;
    explained.hide_plans();
    let mut read = app.db.read(shopper.shop.id).await?;
    Ok(Json(view(&mut read, shopper.shop.id, Tongue::first(asked.iter()), explained).await?))
}

/// The points of an order, for the page that thanks for it.
#[derive(Debug, Serialize)]
struct OrderPointsView {
    /// Shopify's number of the order. A string, because such numbers may exceed 2^53.
    order: String,
    /// Points of it that can be spent, or were.
    posted: i64,
    /// Points of it that wait.
    pending: i64,
    /// What they wait for.
    wait: Wait,
    /// When that comes to pass, where that is known and not over yet (UTC).
    ripe_at: Option<Timestamp>,
    /// Cancelled, voided or expired: nothing of it stands.
    void: bool,
    /// The bonus that it gives beside them, as the member's first order.
    first_order: Option<Points>,
}

/// `GET …/orders/{order}/points`: their own orders only. A page that thanks for an order may be there before Shopify has
/// told us of it: then it asks again.
async fn points_of(
    State(app): State<App>,
    shopper: Shopper,
    Path(order): Path<String>,
) -> Result<Json<OrderPointsView>, Problem> {
    let customer = shopper.signed_in()?;
    let own = find_own(&app, shopper.shop.id, customer, number(&order)?).await?.ok_or_else(not_yet_known)?;
    let order = own.order.to_string();
    let booked = own.booked.ok_or_else(not_yet_known)?;
    let BookedExplained { posted, pending, wait, ripe_at, void, first_order, .. } = booked;
    let first_order = first_order.filter(|bonus| bonus.gave).map(|bonus| bonus.points);
    Ok(Json(OrderPointsView { order, posted, pending, wait, ripe_at, void, first_order }))
}

/// An order of this customer, explained; none where nothing is known of it, or it is somebody else's.
async fn find_own(
    app: &App,
    shop: ShopId,
    customer: CustomerId,
    order: OrderId,
) -> Result<Option<Explained>, Problem> {
    let mut read = app.db.read(shop).await?;
    let Some(explained) = explain(&mut read, shop, order).await? else { return Ok(None) };
    let Some(owner) = explained.customer else { return Ok(None) };
    // Two customers who became one own each other's orders.
    let members = customers::members(&mut read, shop, &[customer, owner]).await?;
    let (asks, owns) = (members.get(&customer), members.get(&owner));
    Ok(Some(explained).filter(|_| asks.is_some() && asks == owns))
}

fn number(order: &str) -> Result<OrderId, Problem> {
    order.parse().map(OrderId).map_err(|_| unknown_order())
}

async fn view(
    read: &mut Read,
    shop: ShopId,
    tongue: Tongue,
    explained: Explained,
) -> Result<ExplainedView, Problem> {
    let lines = explained.booked.iter().flat_map(|booked| &booked.explanation.lines);
    let products: Vec<i64> = lines.filter_map(|line| line.product).collect();
    let titles = products::titles(read, shop, &products).await?;
    let text = words::sentences(tongue, &explained, &titles);
    Ok(ExplainedView { explained, customer: None, language: tongue.tag(), text })
}

fn language(asked: Result<Query<Asked>, QueryRejection>) -> Result<Option<Language>, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad_request("bad_parameter", error.body_text()))?;
    let language = asked.lang.as_deref().map(str::parse::<Language>).transpose();
    language.map_err(|error| Problem::bad_request("bad_language", format!("That is {error}.")))
}

fn unknown_order() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_order", "Nothing is known of this order.")
}

/// The same for an order that is not there yet and for somebody else's: of those, nothing is told.
fn not_yet_known() -> Problem {
    let title = "Nothing is known of this order yet. Please try again in a moment.";
    Problem::new(StatusCode::NOT_FOUND, "order_not_yet_known", title).retry_after(2)
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Points(error) => points::Error::into(error),
            Error::Redemption(error) => redemptions::Error::into(error),
            Error::Program(error) => programs::Error::into(error),
            Error::Referral(error) => referrals::Error::into(error),
            Error::Db(error) => error.into(),
        }
    }
}
