//! Birthdays over HTTP: a member's own for themselves, any member's for staff.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use loyalty::Birthday;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::store;
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::customers::{self, of_path};
use crate::db::{Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::merchants::lock_installed;
use crate::web::{Edit, Path, Problem, Shopper, Staff, View};

/// What shoppers may ask.
pub fn shopper() -> Router<App> {
    Router::new().route("/birthday", get(own).post(tell).delete(take_back))
}

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/members/{customer}/birthday", get(show).put(put_birthday).delete(remove))
}

/// A member's birthday.
#[derive(Debug, Serialize)]
struct BirthdayView {
    /// Month and day, such as `05-27`; none where it is not known.
    birthday: Option<String>,
}

impl From<Option<Birthday>> for BirthdayView {
    fn from(birthday: Option<Birthday>) -> BirthdayView {
        BirthdayView { birthday: birthday.map(|birthday| birthday.to_string()) }
    }
}

/// A birthday that is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    /// Month and day, such as `05-27`.
    birthday: String,
}

impl Told {
    fn read(&self) -> Result<Birthday, Problem> {
        self.birthday.parse().map_err(|error: loyalty::birthday::NoBirthday| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::new(status, "birthday_malformed", error.to_string())
        })
    }
}

/// `GET …/birthday`
async fn own(State(app): State<App>, shopper: Shopper) -> Result<Json<BirthdayView>, Problem> {
    let customer = shopper.signed_in()?;
    let mut read = app.db.read(shopper.shop.id).await?;
    match customers::member(&mut read, shopper.shop.id, customer).await? {
        Some(member) => Ok(Json(store::of(&mut read, shopper.shop.id, member).await?.into())),
        None => Ok(Json(None.into())),
    }
}

/// `POST …/birthday`: who tells it is a member from now on.
async fn tell(
    State(app): State<App>,
    shopper: Shopper,
    body: Result<Json<Told>, JsonRejection>,
) -> Result<Json<BirthdayView>, Problem> {
    let Json(told) = body?;
    let customer = shopper.signed_in()?;
    let (shop, now) = (shopper.shop.id, app.clock.now());
    let birthday = told.read()?;
    let mut tx = app.db.begin(shop).await?;
    let members = customers::enrol(&mut tx, shop, &[customer], now).await?;
    let member = members.get(&customer).copied().ok_or_else(Problem::unavailable)?;
    change(&mut tx, shop, member, Some(birthday), now).await?;
    tx.commit().await?;
    Ok(Json(Some(birthday).into()))
}

/// `DELETE …/birthday`
async fn take_back(State(app): State<App>, shopper: Shopper) -> Result<Json<BirthdayView>, Problem> {
    let customer = shopper.signed_in()?;
    let shop = shopper.shop.id;
    let mut tx = app.db.begin(shop).await?;
    if let Some(member) = customers::member(&mut tx, shop, customer).await? {
        change(&mut tx, shop, member, None, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(Json(None.into()))
}

/// `GET /api/members/{customer}/birthday`
async fn show(
    State(app): State<App>,
    staff: Staff<View>,
    Path(customer): Path<String>,
) -> Result<Json<BirthdayView>, Problem> {
    let mut read = app.db.read(staff.shop.id).await?;
    let member = of_path(&mut read, staff.shop.id, &customer).await?;
    Ok(Json(store::of(&mut read, staff.shop.id, member).await?.into()))
}

/// `PUT /api/members/{customer}/birthday`
async fn put_birthday(
    State(app): State<App>,
    staff: Staff<Edit>,
    Path(customer): Path<String>,
    body: Result<Json<Told>, JsonRejection>,
) -> Result<Json<BirthdayView>, Problem> {
    let Json(told) = body?;
    by_staff(&app, &staff, &customer, Some(told.read()?)).await
}

/// `DELETE /api/members/{customer}/birthday`
async fn remove(
    State(app): State<App>,
    staff: Staff<Edit>,
    Path(customer): Path<String>,
) -> Result<Json<BirthdayView>, Problem> {
    by_staff(&app, &staff, &customer, None).await
}

async fn by_staff(
    app: &App,
    staff: &Staff<Edit>,
    customer: &str,
    birthday: Option<Birthday>,
) -> Result<Json<BirthdayView>, Problem> {
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let member = of_path(&mut tx, shop, customer).await?;
    let before = change(&mut tx, shop, member, birthday, now).await?;
    if before != birthday {
        // That it was changed, not the day: it is the person's own.
        let change = Change {
            action: Action::BirthdayChanged,
            target: Some(member.to_string()),
            before: json!({"known": before.is_some()}),
            after: json!({"known": birthday.is_some()}),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok(Json(birthday.into()))
}

/// Keeps or forgets a birthday, and says which was known. 503 if the member was merged into another this moment.
async fn change(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    birthday: Option<Birthday>,
    now: Timestamp,
) -> Result<Option<Birthday>, Problem> {
    if !customers::lock(tx, shop, member).await? {
        return Err(Problem::unavailable());
    }
    let before = store::of(tx, shop, member).await?;
    match birthday {
        Some(birthday) => store::set(tx, shop, member, birthday, now).await?,
        None => store::forget(tx, shop, &[member]).await?,
    }
    Ok(before)
}
