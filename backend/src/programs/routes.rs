//! A shop's settings over HTTP: read, replaced whole, tried on what happened, put back.
//!
//! Whoever changes them says which version they have seen (`If-Match`), so that nobody overwrites what they never saw.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};

use jiff::SignedDuration;
use loyalty::program::Fault;
use loyalty::publish::TooLarge;
use loyalty::rule::Guests;
use loyalty::{Points, Program};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error, Listed, Versioned, store};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::merchants::Shop;
use crate::orders::preview::{self, Preview};
use crate::web::{Edit, Path, Problem, Shopper, Staff, View};

/// How many days a preview looks back, unless it is asked for others.
const DAYS: i64 = 30;
/// How many it may look back.
const MOST_DAYS: i64 = 365;
/// How many versions a list has.
const LISTED: i64 = 100;

/// What shoppers may ask.
pub fn shopper() -> Router<App> {
    Router::new().route("/joining", get(joining))
}

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/program", get(show).put(replace))
        .route("/api/program/versions", get(list))
        .route("/api/program/versions/{version}", get(show_version))
        .route("/api/program/preview", post(try_out))
        .route("/api/program/revert", post(revert))
}

/// Settings and their version.
#[derive(Debug, Serialize)]
struct ProgramView {
    /// 0 where nothing was set yet: then these are the settings that a shop begins with.
    version: i64,
    program: Program,
}

type Answer = ([(HeaderName, String); 1], Json<ProgramView>);

fn view(Versioned { version, program }: Versioned) -> Answer {
    ([(ETAG, format!("\"{version}\""))], Json(ProgramView { version, program }))
}

/// What joining brings. Everybody may know that.
#[derive(Debug, Serialize)]
struct JoiningView {
    /// Whether there is anything to join: whoever is signed in has joined.
    offered: bool,
    /// What becomes of what orders of customers without an account earn: `earn` (it waits for their account) or
    /// `earn_nothing`.
    guests: Guests,
    /// Points for signing up.
    sign_up: Option<Points>,
    /// Points for the first order.
    first_order: Option<Points>,
    /// Points for the birthday, every year.
    birthday: Option<Points>,
}

/// `GET …/joining`: for guests, too. What their order would have earned, the rules say on the page.
async fn joining(State(app): State<App>, shopper: Shopper) -> Result<Json<JoiningView>, Problem> {
    let Program { earn, bonuses, .. } = current(&app, &shopper.shop).await?.program;
    Ok(Json(JoiningView {
        offered: shopper.customer.is_none(),
        guests: earn.guests,
        sign_up: bonuses.sign_up,
        first_order: bonuses.first_order,
        birthday: bonuses.birthday.map(|birthday| birthday.points),
    }))
}

/// `GET /api/program`
async fn show(State(app): State<App>, staff: Staff<View>) -> Result<Answer, Problem> {
    Ok(view(current(&app, &staff.shop).await?))
}

/// `GET /api/program/versions`: the newest first.
async fn list(State(app): State<App>, staff: Staff<View>) -> Result<Json<Vec<Listed>>, Problem> {
    let mut read = app.db.read(staff.shop.id).await?;
    Ok(Json(store::list(&mut read, staff.shop.id, LISTED).await?))
}

/// `GET /api/program/versions/{version}`
async fn show_version(
    State(app): State<App>,
    staff: Staff<View>,
    Path(version): Path<String>,
) -> Result<Answer, Problem> {
    let version = version.parse().map_err(|_| unknown_version())?;
    let program = old(&app, &staff.shop, version).await?;
    Ok(view(Versioned { version, program }))
}

/// `PUT /api/program`
async fn replace(
    State(app): State<App>,
    staff: Staff<Edit>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Answer, Problem> {
    let seen = seen(&headers)?.ok_or_else(not_said)?;
    let program = read(&staff.shop, &body?)?;
    Ok(view(change(&app, &staff, Some(seen), program, Action::ProgramChanged).await?))
}

/// What is to be put back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revert {
    /// The version whose settings become the newest.
    version: i64,
}

/// `POST /api/program/revert`: an old version's settings become the newest version.
async fn revert(
    State(app): State<App>,
    staff: Staff<Edit>,
    headers: HeaderMap,
    body: Result<Json<Revert>, JsonRejection>,
) -> Result<Answer, Problem> {
    let Json(Revert { version }) = body?;
    let seen = seen(&headers)?;
    let program = old(&app, &staff.shop, version).await?;
    check(&staff.shop, &program)?;
    Ok(view(change(&app, &staff, seen, program, Action::ProgramReverted).await?))
}

/// What is to be tried out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial {
    /// The settings.
    program: Value,
    /// On the orders of how many days up to now: 1 to 365.
    #[serde(default = "usual_days")]
    days: i64,
}

fn usual_days() -> i64 {
    DAYS
}

/// `POST /api/program/preview`: what the shop's orders would have earned. Nothing is written.
async fn try_out(
    State(app): State<App>,
    staff: Staff<View>,
    body: Result<Json<Trial>, JsonRejection>,
) -> Result<Json<Preview>, Problem> {
    let Json(trial) = body?;
    if !(1..=MOST_DAYS).contains(&trial.days) {
        return Err(Problem::bad_request("bad_parameter", format!("The days are 1 to {MOST_DAYS}.")));
    }
    let program = read(&staff.shop, trial.program.to_string().as_bytes())?;
    let since = app.clock.now() - SignedDuration::from_hours(24 * trial.days);
    let _look = app.limits.look(staff.shop.id)?;
    let mut read = app.db.read(staff.shop.id).await?;
    Ok(Json(preview::preview(&mut read, staff.shop.id, &program, since).await?))
}

/// Makes these settings the newest version, if the newest is still the one that was seen, and writes it down.
async fn change(
    app: &App,
    staff: &Staff<Edit>,
    seen: Option<i64>,
    program: Program,
    action: Action,
) -> Result<Versioned, Problem> {
    let shop = staff.shop.id;
    let before = current(app, &staff.shop).await?;
    if seen.is_some_and(|seen| seen != before.version) {
        return Err(changed(before.version));
    }
    let mut tx = app.db.begin(shop).await?;
    // Whoever was quicker has made the next version already.
    if store::newest_version(&mut tx, shop).await? != before.version {
        return Err(changed(before.version + 1));
    }
    let after = super::set(&mut tx, shop, program, app.clock.now()).await.map_err(|error| match error {
        Error::Db(error) if error.unique_violation().is_some() => raced(),
        error => error.into(),
    })?;
    if after.version != before.version {
        let (was, is) = differing(&before, &after)?;
        let change = Change { action, target: Some(after.version.to_string()), before: was, after: is };
        audit::record(&mut tx, shop, staff.by(), change, app.clock.now()).await?;
    }
    tx.commit()
        .await
        .map_err(|error| if error.unique_violation().is_some() { raced() } else { error.into() })?;
    Ok(after)
}

/// The newest settings, or those that a shop begins with.
async fn current(app: &App, shop: &Shop) -> Result<Versioned, Problem> {
    match super::current(&mut app.db.read(shop.id).await?, shop.id).await {
        Err(Error::Missing) => Ok(Versioned { version: 0, program: Program::standard(shop.currency) }),
        newest => Ok(newest?),
    }
}

async fn old(app: &App, shop: &Shop, version: i64) -> Result<Program, Problem> {
    match super::version(&mut app.db.read(shop.id).await?, shop.id, version).await {
        Err(Error::Missing) => Err(unknown_version()),
        program => Ok(program?),
    }
}

/// The version that was seen, as `If-Match` says; none where it is not said.
fn seen(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(said) = headers.get(IF_MATCH) else { return Ok(None) };
    let version = said.to_str().ok().and_then(|said| said.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    version.map(Some).ok_or_else(|| {
        Problem::bad_request("bad_parameter", "If-Match is a version in quotes, as the ETag has it.")
    })
}

/// Reads settings and checks them whole.
fn read(shop: &Shop, body: &[u8]) -> Result<Program, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let program: Program = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        // What stands in the body is not repeated: the place is enough.
        let message = "This is no setting, or not of its kind.";
        invalid(vec![json!({"field": field, "code": "unreadable", "message": message})])
    })?;
    check(shop, &program)?;
    Ok(program)
}

fn check(shop: &Shop, program: &Program) -> Result<(), Problem> {
    let fault = |Fault { field, error }: Fault| json!({"field": field, "code": error.code(), "message": error.to_string()});
    let mut faults: Vec<Value> = program.faults().into_iter().map(fault).collect();
    if program.currency != shop.currency {
        let message = format!("orders earn in the shop's currency, {}", shop.currency);
        faults.push(json!({"field": "currency", "code": "currency", "message": message}));
    }
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    Ok(program.check_size().map_err(Error::TooLarge)?)
}

/// The members of the settings that differ, as they were and as they are.
fn differing(before: &Versioned, after: &Versioned) -> Result<(Value, Value), Problem> {
    let json = |versioned: &Versioned| match serde_json::to_value(&versioned.program) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Problem::internal()),
    };
    let (mut was, mut is) = (json(before)?, json(after)?);
    let same: Vec<String> =
        was.iter().filter(|(name, old)| is.get(*name) == Some(old)).map(|(name, _)| name.clone()).collect();
    for name in same {
        was.remove(&name);
        is.remove(&name);
    }
    was.insert("version".into(), before.version.into());
    is.insert("version".into(), after.version.into());
    Ok((Value::Object(was), Value::Object(is)))
}

fn invalid(faults: Vec<Value>) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "invalid_program", "These settings cannot be used.").with("errors", faults)
}

fn not_said() -> Problem {
    let title = "Say in If-Match which version you have seen: the ETag of the settings.";
    Problem::new(StatusCode::PRECONDITION_REQUIRED, "version_required", title)
}

fn changed(version: i64) -> Problem {
    let title = "The settings were changed meanwhile. Look at them again.";
    Problem::new(StatusCode::PRECONDITION_FAILED, "version_changed", title).with("version", version)
}

fn raced() -> Problem {
    let title = "Somebody changes the settings at this moment. Look at them again.";
    Problem::new(StatusCode::CONFLICT, "version_conflict", title)
}

fn unknown_version() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_version", "There is no such version of the settings.")
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let error = match error {
            Error::Db(error) => return error.into(),
            Error::TooLarge(large) => return too_large(large),
            error => error,
        };
        tracing::error!(error = &error as &dyn std::error::Error, "a program cannot be used");
        Problem::internal()
    }
}

fn too_large(TooLarge { bytes, most, parts }: TooLarge) -> Problem {
    let largest = parts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let title = format!(
        "The settings need {bytes} bytes in a metafield, where there is room for {most}. The largest parts: {largest}.",
    );
    let parts: Vec<_> = parts.iter().map(|(name, bytes)| json!({"part": name, "bytes": bytes})).collect();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "program_too_large", title).with("parts", parts)
}
