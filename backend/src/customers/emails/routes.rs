//! The merchant's switch, and finding a member by an address.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Settings, find, jobs, store};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::db::Timestamp;
use crate::ids::MemberId;
use crate::merchants::lock_installed;
use crate::web::{Edit, Manage, Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new()
        .route("/api/privacy/settings", get(show).put(put_settings))
        .route("/api/members", get(look_up))
}

const LEVEL_1: &str = "The app knows customers by Shopify's numbers only and keeps no e-mail address (level 1 of \
    Shopify's protected customer data).";
const LEVEL_2: &str = "The app keeps the e-mail addresses of members, encrypted, so that staff can find a member by \
    address (level 2 of Shopify's protected customer data). Every look-up is written down in the audit log. Level 2 \
    asks you to encrypt backups, to keep test data apart, to let only staff who need it see such data, and to have a \
    plan for incidents. Switched off again, all addresses are erased.";
const WITHHELD: &str = "Shopify does not show the app any e-mail address: its access to protected customer data, level \
    2, is not approved. Once it is, switch this off and on again.";

/// What is kept of members beside Shopify's numbers.
#[derive(Debug, Serialize)]
struct SettingsView {
    /// Whether e-mail addresses are kept.
    keep_emails: bool,
    /// When that was last switched.
    changed_at: Option<Timestamp>,
    /// The level of protected customer data that this is: 1 or 2.
    level: u8,
    /// What that means, for a person.
    meaning: &'static str,
    /// Why no addresses come although they are to be kept, for a person.
    problem: Option<&'static str>,
}

impl From<Settings> for SettingsView {
    fn from(settings: Settings) -> Self {
        let (level, meaning) = if settings.kept { (2, LEVEL_2) } else { (1, LEVEL_1) };
        let problem = settings.withheld_at.filter(|_| settings.kept).map(|_| WITHHELD);
        let (keep_emails, changed_at) = (settings.kept, settings.changed_at);
        SettingsView { keep_emails, changed_at, level, meaning, problem }
    }
}

/// `GET /api/privacy/settings`
async fn show(State(app): State<App>, staff: Staff<View>) -> Result<Json<SettingsView>, Problem> {
    let shop = staff.shop.id;
    Ok(Json(store::settings(&mut app.db.read(shop).await?, shop).await?.into()))
}

/// What is to be kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsRequest {
    /// Whether e-mail addresses are.
    keep_emails: bool,
}

/// `PUT /api/privacy/settings`: switched on, all addresses are fetched soon; switched off, all are erased.
async fn put_settings(
    State(app): State<App>,
    staff: Staff<Manage>,
    body: Result<Json<SettingsRequest>, JsonRejection>,
) -> Result<Json<SettingsView>, Problem> {
    let Json(request) = body?;
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let before = store::lock(&mut tx, shop).await?;
    if before.kept != request.keep_emails {
        store::switch(&mut tx, shop, request.keep_emails, now).await?;
        jobs::follow_switch(&mut tx, shop, request.keep_emails, now).await?;
        let shown = |kept: bool| json!({"keep_emails": kept});
        let change = Change {
            action: Action::PrivacySettingsChanged,
            target: None,
            before: shown(before.kept),
            after: shown(request.keep_emails),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    let after = store::settings(&mut tx, shop).await?;
    tx.commit().await?;
    Ok(Json(after.into()))
}

/// Whom to look for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookUp {
    /// Their e-mail address.
    email: String,
}

/// A member that was found.
#[derive(Debug, Serialize)]
struct MemberView {
    id: MemberId,
    /// Shopify's global id.
    customer: String,
}

/// `GET /api/members?email=…`: the members with this address; two customers may have one. Who looks is written down.
async fn look_up(
    State(app): State<App>,
    staff: Staff<Edit>,
    asked: Result<Query<LookUp>, QueryRejection>,
) -> Result<([(HeaderName, &'static str); 1], Json<Vec<MemberView>>), Problem> {
    // What was asked for is not said again: it may be an address.
    let Query(asked) = asked
        .map_err(|_| Problem::bad_request("bad_parameter", "Say whom to look for: ?email=NAME@DOMAIN."))?;
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !store::settings(&mut tx, shop).await?.kept {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "emails_not_kept",
            "This shop keeps no e-mail addresses. Someone who may manage it can switch that on.",
        ));
    }
    let found = find(&mut tx, &app.cipher, shop, &asked.email)
        .await?
        .ok_or_else(|| Problem::bad_request("bad_email", "This is no e-mail address."))?;
    let members: Vec<MemberId> = found.iter().map(|(member, _)| *member).collect();
    let change = Change {
        action: Action::MembersLookedUp,
        target: None,
        before: Value::Null,
        after: json!({"found": members}),
    };
    audit::record(&mut tx, shop, staff.by(), change, now).await?;
    tx.commit().await?;
    let view = found.into_iter().map(|(id, customer)| MemberView { id, customer: customer.gid() });
    Ok(([(CACHE_CONTROL, "no-store")], Json(view.collect())))
}
