//! What staff see of the last proof of their shop's books.

use std::collections::BTreeMap;

use axum::extract::State as Application;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::{Last, last};
use crate::app::App;
use crate::db::Timestamp;
use crate::web::{Problem, Staff, View};

/// The routes below `/api`, for staff.
pub fn api() -> Router<App> {
    Router::new().route("/api/proof", get(show))
}

/// The last proof.
#[derive(Debug, Serialize)]
struct ProofView {
    proven_at: Timestamp,
    /// How many places there are where something did not hold.
    violations: i64,
    /// The same by invariant.
    invariants: BTreeMap<String, i64>,
    entries: i64,
    postings: i64,
    /// The blocks of the chain.
    blocks: i64,
    /// The digest of the last of them, in hexadecimal. Whoever keeps it elsewhere can tell later that nothing before it
    /// was changed.
    head: String,
}

impl From<Last> for ProofView {
    fn from(last: Last) -> Self {
        let Last { proven_at, entries, postings, blocks, head, violations } = last;
        ProofView {
            proven_at,
            violations: violations.iter().map(|(_, count)| count).sum(),
            invariants: violations.into_iter().collect(),
            entries,
            postings,
            blocks,
            head: hex::encode(head),
        }
    }
}

/// `GET /api/proof`: what came of the last one; 404 before the first.
async fn show(Application(app): Application<App>, staff: Staff<View>) -> Result<Json<ProofView>, Problem> {
    let last = last(&mut app.db.read(staff.shop.id).await?, staff.shop.id).await?;
    let none = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "never_proven",
            "The books of this shop have not been proven yet.",
        )
    };
    Ok(Json(last.ok_or_else(none)?.into()))
}
