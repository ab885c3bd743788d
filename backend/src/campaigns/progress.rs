//! How far a member is from tier to tier, for themselves. Nobody is moved by it: who belongs to a tier, staff say.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use jiff::civil::Date;
use loyalty::progress::{self, Done, Progress};
use loyalty::tier::{Measure, Threshold};
use loyalty::{Currency, Expiry, Program, Tier};
use serde::Serialize;

use super::tier_of;
use crate::app::App;
use crate::db::Read;
use crate::ids::{MemberId, ShopId};
use crate::points::Calendar;
use crate::web::{Problem, Shopper};
use crate::{customers, history, merchants, programs};

/// What shoppers may ask.
pub fn shopper() -> Router<App> {
    Router::new().route("/tier", get(show))
}

/// How far a member is.
#[derive(Debug, Default, Serialize)]
struct ProgressView {
    /// The currency of money spent: the shop's.
    currency: Option<Currency>,
    /// The tier that the member belongs to; none, too, where the program has lost it.
    tier: Option<StepView>,
    /// The next one that members reach by themselves.
    next: Option<StepView>,
    /// Whether there is none above the member's own.
    is_highest: bool,
}

#[derive(Debug, Serialize)]
struct StepView {
    /// Its id.
    id: String,
    /// What shoppers read.
    name: String,
    /// What it takes, and what the member has of that; none where staff say who belongs to it.
    takes: Option<TakesView>,
}

#[derive(Debug, Serialize)]
struct TakesView {
    /// What is counted: `points` earned or money (`spend`).
    measure: Measure,
    /// How much of it: points or minor units.
    at_least: i64,
    /// The first day in the shop that counts today.
    from: Date,
    /// What the member has.
    has: i64,
    /// What is missing.
    missing: i64,
    /// The first day in the shop on which it is not enough any more without more; none where it is not enough today.
    until: Option<Date>,
}

/// `GET …/tier`: what the next tier takes, and until when there is enough for the member's own.
async fn show(State(app): State<App>, shopper: Shopper) -> Result<Json<ProgressView>, Problem> {
    let customer = shopper.signed_in()?;
    let shop = shopper.shop.id;
    let mut read = app.db.read(shop).await?;
    let program = match programs::current(&mut read, shop).await {
        Ok(current) => current.program,
        Err(programs::Error::Missing) => return Ok(Json(ProgressView::default())),
        Err(error) => return Err(error.into()),
    };
    let zone = merchants::zone(&mut read, shop).await?;
    let calendar = Calendar::new(app.clock.now(), zone, Expiry::default());
    let member = customers::member(&mut read, shop, customer).await?;
    Ok(Json(progress(&mut read, shop, member, &program, &calendar).await?))
}

/// How far a member is just now; a customer of whom nothing is known has nothing yet.
async fn progress(
    read: &mut Read,
    shop: ShopId,
    member: Option<MemberId>,
    program: &Program,
    calendar: &Calendar,
) -> Result<ProgressView, Problem> {
    let own = match member {
        Some(member) => tier_of(read, shop, member).await?,
        None => None,
    };
    let own = own.as_deref();
    let (tier, next) = (own.and_then(|id| program.tier(id)), progress::next_level(&program.tiers, own));
    let today = calendar.day(calendar.now());
    let thresholds = [tier, next].into_iter().flatten().filter_map(|tier| tier.threshold);
    let from = thresholds.map(|threshold| threshold.counts_from(today)).min();
    let mut done = Vec::new();
    if let (Some(member), Some(from)) = (member, from) {
        for did in history::since(read, shop, member, calendar.start(from)).await? {
            done.push(Done { day: calendar.day(did.at), points: did.points, spent: did.spent });
        }
    }
    let view = |tier: &Tier| StepView {
        id: tier.id.clone(),
        name: tier.name.clone(),
        takes: tier.threshold.map(|takes| TakesView::of(takes, &done, today)),
    };
    Ok(ProgressView {
        currency: Some(program.currency),
        tier: tier.map(view),
        next: next.map(view),
        is_highest: progress::is_highest(&program.tiers, own),
    })
}

impl TakesView {
    fn of(threshold: Threshold, done: &[Done], today: Date) -> TakesView {
        let (Threshold { measure, at_least, .. }, from) = (threshold, threshold.counts_from(today));
        let Progress { has, missing, until } = threshold.progress(done, today);
        TakesView { measure, at_least, from, has, missing, until }
    }
}
