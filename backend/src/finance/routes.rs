//! Reports for the shop's staff: JSON, or a table for whoever accepts `text/csv`.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::liability::terms;
use super::table::table;
use super::{Books, Error};
use crate::app::App;
use crate::web::{Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/finance/roll-forward", get(roll_forward))
        .route("/api/finance/cohorts", get(cohorts))
        .route("/api/finance/triangle", get(triangle))
        .route("/api/finance/expiry", get(expiry))
        .route("/api/finance/liability", get(liability))
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// At the end of which day in the shop; else now.
    as_of: Option<Date>,
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedLiability {
    /// At the end of which day in the shop; else now.
    as_of: Option<Date>,
    /// So many points are worth `minor`; else what the best reward gives.
    points: Option<i64>,
    /// Minor units of the program's currency.
    minor: Option<i64>,
    /// What was allocated to points, in minor units.
    allocated: Option<i64>,
    /// How many points are expected to be redeemed in all.
    expected: Option<i64>,
}

type Asking<T> = Result<Query<T>, QueryRejection>;

/// Who asks for which of the reports that need no more than a day, and in which form.
type Request = (State<App>, Staff<View>, HeaderMap, Asking<Asked>);

/// `GET /api/finance/roll-forward`
async fn roll_forward(request: Request) -> Result<Response, Problem> {
    report(request, "roll-forward", async |books| books.roll_forward().await).await
}

/// `GET /api/finance/cohorts`
async fn cohorts(request: Request) -> Result<Response, Problem> {
    report(request, "cohorts", async |books| books.cohorts().await).await
}

/// `GET /api/finance/triangle`
async fn triangle(request: Request) -> Result<Response, Problem> {
    report(request, "triangle", async |books| books.triangle().await).await
}

/// `GET /api/finance/expiry`
async fn expiry(request: Request) -> Result<Response, Problem> {
    report(request, "expiry", async |books| books.by_expiry().await).await
}

async fn report<T: Serialize>(
    (State(app), staff, headers, asked): Request,
    name: &str,
    lines: impl AsyncFnOnce(&mut Books<'_>) -> Result<Vec<T>, Error>,
) -> Result<Response, Problem> {
    let asked = read_query(asked)?;
    let mut read = app.db.read(staff.shop.id).await?;
    let mut books = Books::open(&mut read, staff.shop.id, asked.as_of, app.clock.now()).await?;
    answer(&headers, name, &lines(&mut books).await?)
}

/// `GET /api/finance/liability`
async fn liability(
    State(app): State<App>,
    staff: Staff<View>,
    headers: HeaderMap,
    asked: Asking<AskedLiability>,
) -> Result<Response, Problem> {
    let asked = read_query(asked)?;
    let (rate, allocation) =
        terms((asked.points, asked.minor), (asked.allocated, asked.expected)).map_err(Error::from)?;
    let mut read = app.db.read(staff.shop.id).await?;
    let mut books = Books::open(&mut read, staff.shop.id, asked.as_of, app.clock.now()).await?;
    answer(&headers, "liability", &[books.liability(rate, allocation).await?])
}

fn read_query<T>(asked: Asking<T>) -> Result<T, Problem> {
    match asked {
        Ok(Query(asked)) => Ok(asked),
        Err(error) => Err(Problem::bad_request("bad_parameter", error.body_text())),
    }
}

fn answer<T: Serialize>(headers: &HeaderMap, name: &str, lines: &[T]) -> Result<Response, Problem> {
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accepts.split(',').any(|kind| kind.trim().starts_with("text/csv")) {
        return Ok(Json(serde_json::json!({ "lines": lines })).into_response());
    }
    let table = table(lines).map_err(|error| {
        tracing::error!(%error, "a table cannot be written");
        Problem::internal()
    })?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
    ];
    Ok((headers, table).into_response())
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Liability(error) => Problem::bad_request("bad_parameter", format!("{error}.")),
            Error::NoValue => {
                let text = "No reward takes an amount off: say what a point is worth with points and minor.";
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no_value", text)
            }
            Error::Program(error) => error.into(),
            Error::Points(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}
