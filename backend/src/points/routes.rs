//! A member's own points, for themselves.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use loyalty::{Points, account};
use serde::{Deserialize, Serialize};

use super::{Balance, Error, HistoryLine, OUT_OF_RANGE, balance, history};
use crate::app::App;
use crate::campaigns::{self, TierView};
use crate::customers::birthdays;
use crate::redemptions::payouts::routes::PayoutView;
use crate::redemptions::routes::RedemptionView;
use crate::redemptions::{lifecycle, payouts};
use crate::web::{Problem, Shopper};
use crate::{customers, merchants, programs};

/// How many lines of history a widget gets at once, if it does not ask for fewer.
const LINES: i64 = 100;

/// What shoppers may ask.
pub fn shopper() -> Router<App> {
    Router::new().route("/account", get(account)).route("/history", get(lines))
}

/// What a member has.
#[derive(Debug, Serialize)]
struct AccountView {
    /// Points to spend.
    points: Points,
    /// Earned, but waiting for the payment of their order.
    pending: Points,
    /// Held for the redemption.
    held: Points,
    /// The number of changes.
    seq: i64,
    /// What expires next.
    next: Option<account::Next>,
    /// The redemption that stands.
    redemption: Option<RedemptionView>,
    /// The payout that is under way.
    payout: Option<PayoutView>,
    /// The tier that the member belongs to; none, too, where the program has lost it.
    tier: Option<TierView>,
    /// What there is to say of the birthday.
    birthday: BirthdayView,
}

#[derive(Debug, Serialize)]
struct BirthdayView {
    /// Whether it is known.
    told: bool,
    /// The points that the program gives for it, every year.
    bonus: Option<Points>,
}

/// `GET …/account`: what the member has, from the ledger. A visit keeps the redemption that stands alive; whoever is
/// signed in has an account.
async fn account(State(app): State<App>, shopper: Shopper) -> Result<Json<AccountView>, Problem> {
    let customer = shopper.signed_in()?;
    let (shop, now) = (shopper.shop.id, app.clock.now());
    let mut read = app.db.read(shop).await?;
    let program = match programs::current(&mut read, shop).await {
        Ok(current) => Some(current.program),
        Err(programs::Error::Missing) => None,
        Err(error) => return Err(error.into()),
    };
    let bonus = program.as_ref().and_then(|program| program.bonuses.birthday).map(|birthday| birthday.points);
    let Some(member) = customers::member(&mut read, shop, customer).await? else {
        return Ok(Json(AccountView::empty(bonus)));
    };
    drop(read);
    customers::signed_in(&app.db, shop, member, now).await?;
    let mut read = app.db.read(shop).await?;
    let Balance { available, pending, held, seq, next } = balance(&mut read, shop, member, now).await?;
    let zone = merchants::zone(&mut read, shop).await?;
    let mut standing = lifecycle::standing(&mut read, shop, member).await?;
    let payout = payouts::under_way(&mut read, shop, member).await?;
    let tier = campaigns::shown(&mut read, shop, member, program.as_ref()).await?;
    let told = birthdays::of(&mut read, shop, member).await?.is_some();
    drop(read);
    if let Some(standing) = &mut standing {
        let mut tx = app.db.begin(shop).await?;
        lifecycle::renew(&mut tx, shop, standing, now).await?;
        tx.commit().await?;
    }
    Ok(Json(AccountView {
        points: available,
        pending,
        held,
        seq,
        next: next.map(|next| next.shown(&zone)),
        redemption: standing.map(RedemptionView::from),
        payout: payout.map(PayoutView::from),
        tier: tier.filter(|tier| tier.name.is_some()),
        birthday: BirthdayView { told, bonus },
    }))
}

impl AccountView {
    /// Of a customer of whom nothing is known yet.
    fn empty(bonus: Option<Points>) -> AccountView {
        AccountView {
            points: Points::ZERO,
            pending: Points::ZERO,
            held: Points::ZERO,
            seq: 0,
            next: None,
            redemption: None,
            payout: None,
            tier: None,
            birthday: BirthdayView { told: false, bonus },
        }
    }
}

/// Which part of the history is asked for. The app proxy's own parameters come along.
#[derive(Debug, Deserialize)]
struct Page {
    /// Entries older than the one with this `seq`.
    before: Option<i64>,
    /// So many at most.
    limit: Option<i64>,
}

/// `GET …/history?before=SEQ&limit=N`: the member's entries, newest first. Older ones come with the `seq` of the last
/// line as `before`; fewer than asked for are the last.
async fn lines(
    State(app): State<App>,
    shopper: Shopper,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Vec<HistoryLine>>, Problem> {
    let customer = shopper.signed_in()?;
    let Query(Page { before, limit }) =
        page.map_err(|error| Problem::bad_request("bad_parameter", error.body_text()))?;
    let (before, limit) = (before.unwrap_or(i64::MAX), limit.unwrap_or(LINES));
    if !(1..=LINES).contains(&limit) {
        return Err(Problem::bad_request("bad_parameter", format!("A page has 1 to {LINES} lines.")));
    }
    let mut read = app.db.read(shopper.shop.id).await?;
    let member = customers::member(&mut read, shopper.shop.id, customer).await?;
    match member {
        Some(member) => Ok(Json(history(&mut read, shopper.shop.id, member, before, limit).await?)),
        None => Ok(Json(Vec::new())),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Insufficient { available, .. } => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Problem::new(status, "insufficient_points", "There are not enough points for this reward.")
                    .with("available", available)
            }
            Error::Db(error) => error.into(),
            // Two customers became one this moment.
            Error::Merged => Problem::unavailable(),
            Error::OutOfRange(_) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Problem::new(status, OUT_OF_RANGE, "The balance would be larger than points can count.")
            }
            Error::Corrupt(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the ledger refused");
                Problem::internal()
            }
        }
    }
}
