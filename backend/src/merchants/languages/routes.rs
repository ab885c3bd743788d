//! The languages that the program is offered in.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Languages, MOST, store};
use crate::app::App;
use crate::audit::{self, Action, Change};
use crate::languages::Language;
use crate::merchants::lock_installed;
use crate::web::{Edit, Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/languages", get(show).put(put_languages))
}

/// The languages of a shop.
#[derive(Debug, Serialize)]
struct LanguagesView {
    /// The shop's own, as Shopify says.
    primary: Option<Language>,
    /// All that the program is offered in, the primary one first.
    languages: Vec<Language>,
}

impl From<Languages> for LanguagesView {
    fn from(languages: Languages) -> Self {
        LanguagesView { primary: languages.primary, languages: languages.offered }
    }
}

/// `GET /api/languages`
async fn show(State(app): State<App>, staff: Staff<View>) -> Result<Json<LanguagesView>, Problem> {
    Ok(Json(store::of_shop(&mut app.db.read(staff.shop.id).await?, staff.shop.id).await?.into()))
}

/// What the program is to be offered in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LanguagesRequest {
    /// Tags (BCP 47), in order; the primary one need not be among them.
    languages: Vec<String>,
}

/// `PUT /api/languages`
async fn put_languages(
    State(app): State<App>,
    staff: Staff<Edit>,
    body: Result<Json<LanguagesRequest>, JsonRejection>,
) -> Result<Json<LanguagesView>, Problem> {
    let Json(request) = body?;
    if request.languages.len() > MOST {
        return Err(too_many());
    }
    let wanted = request.languages.iter().enumerate().map(|(place, tag)| {
        tag.parse::<Language>().map_err(|error| {
            let title = format!("Language {} is {error}.", place + 1);
            Problem::bad_request("bad_language", title).with("place", place)
        })
    });
    let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
    let (shop, now) = (staff.shop.id, app.clock.now());
    let mut tx = app.db.begin(shop).await?;
    if !lock_installed(&mut tx, shop).await? {
        return Err(Problem::unknown_shop());
    }
    let before = store::of_shop(&mut tx, shop).await?;
    let after = Languages::new(before.primary.clone(), wanted);
    if after.offered.len() > MOST {
        return Err(too_many());
    }
    if after != before {
        store::set(&mut tx, shop, &after.offered, now).await?;
        let shown = |languages: &Languages| -> Value { json!({"languages": languages.offered}) };
        let change = Change {
            action: Action::LanguagesChanged,
            target: None,
            before: shown(&before),
            after: shown(&after),
        };
        audit::record(&mut tx, shop, staff.by(), change, now).await?;
    }
    tx.commit().await?;
    Ok(Json(after.into()))
}

fn too_many() -> Problem {
    Problem::bad_request(
        "too_many_languages",
        "A program is offered in twenty languages at most, the shop's own among them.",
    )
}
