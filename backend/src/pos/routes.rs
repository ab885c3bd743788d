//! What tills send.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use loyalty::Points;
use loyalty::offline::{self, AT_ONCE};
use serde::{Deserialize, Serialize};

use super::{Error, Operation, take};
use crate::app::App;
use crate::merchants::lock_installed;
use crate::web::{Edit, Problem, Staff};

/// The routes below `/api`, for staff at a till.
pub fn api() -> Router<App> {
    Router::new().route("/api/pos/queue", post(queue))
}

/// What a device did, in the order in which it did it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Queue {
    /// What the device calls itself: letters, digits, hyphens and underscores. It makes up another one when it has
    /// forgotten which number comes next.
    device: String,
    /// At most 100.
    operations: Vec<Operation>,
}

/// What became of it.
#[derive(Debug, Serialize)]
struct Answers {
    /// The number of the operation that is waited for.
    next: i64,
    /// In the order in which they were sent.
    results: Vec<Answer>,
}

#[derive(Debug, Serialize)]
struct Answer {
    /// The operation's number.
    sequence: i64,
    /// `done`, `waiting` (send it again) or `refused`.
    state: &'static str,
    /// Why, for programs.
    code: &'static str,
    /// Why, for people.
    because: &'static str,
    /// The points that the order earned.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<Points>,
}

/// `POST /api/pos/queue`
async fn queue(
    State(app): State<App>,
    staff: Staff<Edit>,
    body: Result<Json<Queue>, JsonRejection>,
) -> Result<Json<Answers>, Problem> {
    let Json(Queue { device, operations }) = body?;
    check(&device, &operations)?;
    let shop = staff.shop.id;
    let mut answers = Answers { next: 1, results: Vec::with_capacity(operations.len()) };
    for operation in &operations {
        // Each by itself: what was done stays done, whatever becomes of the others.
        let mut tx = app.db.begin(shop).await?;
        if !lock_installed(&mut tx, shop).await? {
            return Err(Problem::unknown_shop());
        }
        let (told, next) = take(&mut tx, shop, &device, operation, app.clock.now()).await?;
        tx.commit().await?;
        answers.next = next;
        answers.results.push(Answer {
            sequence: operation.sequence,
            state: told.state.as_str(),
            code: told.code.as_str(),
            because: told.code.words(),
            points: told.points,
        });
    }
    Ok(Json(answers))
}

fn check(device: &str, operations: &[Operation]) -> Result<(), Problem> {
    let refused = |code, title: &'static str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title);
    if !offline::is_device(device) {
        let title = "A device's name has 1 to 64 letters, digits, hyphens and underscores.";
        return Err(refused("bad_device", title));
    }
    if !(1..=AT_ONCE).contains(&operations.len()) {
        return Err(refused("bad_queue", "A queue has 1 to 100 operations."));
    }
    if operations.iter().any(|operation| !offline::is_sequence(operation.sequence)) {
        return Err(refused("bad_queue", "Operations are numbered from 1 on."));
    }
    if !operations.iter().all(|operation| operation.act.names_a_customer()) {
        return Err(refused("bad_queue", "Customers have numbers above zero."));
    }
    Ok(())
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Points(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}
