//! Why an order earned what it earned, for staff and for whom it is about.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::explain::{Explained, explain};
use super::{Error, words};
use crate::app::App;
use crate::ids::{CustomerId, OrderId, ShopId};
use crate::languages::{Language, Tongue};
use crate::web::{Path, Problem, ProxyCaller, Staff, View};
use crate::{customers, points, programs, redemptions};

/// The routes for the storefront.
pub fn routes() -> Router<App> {
    Router::new().route("/proxy/orders/{order}/explain", get(for_shopper))
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
    let explained = find(&app, staff.shop.id, &order).await?;
    let tongue = Tongue::first(asked.iter().chain(&staff.locale));
    Ok(Json(ExplainedView { customer: explained.customer, ..view(tongue, explained) }))
}

/// `GET /proxy/orders/{order}/explain`: their own orders only. Of any other, nothing is known.
async fn for_shopper(
    State(app): State<App>,
    caller: ProxyCaller,
    Path(order): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<ExplainedView>, Problem> {
    let customer = caller.signed_in()?;
    let asked = language(asked)?;
    let mut explained = find(&app, caller.shop.id, &order).await?;
    let owner = explained.customer.ok_or_else(unknown_order)?;
    let mut read = app.db.read(caller.shop.id).await?;
    // Two customers who became one own each other's orders.
    let members = customers::members(&mut read, caller.shop.id, &[customer, owner]).await?;
    match (members.get(&customer), members.get(&owner)) {
        (Some(asks), Some(owns)) if asks == owns => {
            explained.hide_plans();
            Ok(Json(view(Tongue::first(asked.iter()), explained)))
        }
        _ => Err(unknown_order()),
    }
}

async fn find(app: &App, shop: ShopId, order: &str) -> Result<Explained, Problem> {
    let order = order.parse().map(OrderId).map_err(|_| unknown_order())?;
    let mut read = app.db.read(shop).await?;
    explain(&mut read, shop, order).await?.ok_or_else(unknown_order)
}

fn view(tongue: Tongue, explained: Explained) -> ExplainedView {
    let text = words::sentences(tongue, &explained);
    ExplainedView { explained, customer: None, language: tongue.tag(), text }
}

fn language(asked: Result<Query<Asked>, QueryRejection>) -> Result<Option<Language>, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad_request("bad_parameter", error.body_text()))?;
    let language = asked.lang.as_deref().map(str::parse::<Language>).transpose();
    language.map_err(|error| Problem::bad_request("bad_language", format!("That is {error}.")))
}

fn unknown_order() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_order", "Nothing is known of this order.")
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Points(error) => points::Error::into(error),
            Error::Redemption(error) => redemptions::Error::into(error),
            Error::Program(error) => programs::Error::into(error),
            Error::Db(error) => error.into(),
        }
    }
}
