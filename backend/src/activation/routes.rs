//! What a merchant sees of activation, and asks for.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::{Again, Error, Thing, look, stand, words};
use crate::app::App;
use crate::shopify::admin::AdminError;
use crate::web::{Edit, Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/activation", get(show).post(activate))
}

/// How everything stands.
#[derive(Debug, Serialize)]
struct ActivationView {
    /// Whether everything stands as it should.
    stands: bool,
    things: Vec<ThingView>,
}

/// How a thing stands.
#[derive(Debug, Serialize)]
struct ThingView {
    /// `program`, `points`, `perks`, `guard`, `delivery` or `mark`.
    kind: &'static str,
    /// `ok`, `missing`, `switched_off`, `differs` or `not_deployed`.
    state: &'static str,
    /// Why, for programs.
    code: &'static str,
    /// Why, and what to do about it.
    text: String,
    /// What about it is not as it should be.
    differs: Vec<&'static str>,
    title: Option<String>,
    /// Shopify's global id of it.
    discount: Option<String>,
}

impl From<Vec<Thing>> for ActivationView {
    fn from(things: Vec<Thing>) -> Self {
        let view = |thing: Thing| ThingView {
            kind: thing.kind.as_str(),
            state: thing.state.as_str(),
            code: thing.code.as_str(),
            text: words::sentence(&thing),
            differs: thing.differs,
            title: thing.title,
            discount: thing.discount_id,
        };
        let stands = things.iter().all(|thing| thing.state == super::State::Ok);
        ActivationView { stands, things: things.into_iter().map(view).collect() }
    }
}

/// `GET /api/activation`: as it is in Shopify just now.
async fn show(State(app): State<App>, staff: Staff<View>) -> Result<Json<ActivationView>, Problem> {
    Ok(Json(look(&app, &staff.shop).await?.into()))
}

/// `POST /api/activation`: makes everything stand that may, also what was deleted.
async fn activate(State(app): State<App>, staff: Staff<Edit>) -> Result<Json<ActivationView>, Problem> {
    // It goes on when nobody waits for the answer any more: half of it would only have to be found again.
    let work = async move { stand(&app, &staff.shop, Again::Made, staff.by()).await };
    let things = tokio::spawn(work).await.map_err(|error| {
        tracing::error!(%error, "activation panicked");
        Problem::internal()
    })?;
    Ok(Json(things?.into()))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Busy | Error::Lost => Problem::new(
                StatusCode::CONFLICT,
                "activation_running",
                "The program is just being activated. Please look again in a moment.",
            )
            .retry_after(5),
            Error::Admin(error) | Error::Program(crate::programs::Error::Admin(error)) => unanswered(error),
            Error::Shop(error) => error.into(),
            Error::Program(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}

fn unanswered(error: AdminError) -> Problem {
    tracing::warn!(error = &error as &dyn std::error::Error, "Shopify does not say how things stand");
    match error {
        error if error.is_retryable() => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "shopify_unavailable",
            "Shopify does not answer just now. Please try again.",
        )
        .retry_after(5),
        AdminError::Unauthorized { .. } => Problem::new(
            StatusCode::BAD_GATEWAY,
            "shopify_refuses_access",
            "Shopify does not let the app in any more. Open the app in your Shopify admin once, and try again.",
        ),
        _ => Problem::new(
            StatusCode::BAD_GATEWAY,
            "shopify_refused",
            "Shopify did not understand the app. Please tell whoever runs it for you.",
        ),
    }
}
