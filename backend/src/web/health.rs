//! Whether the process is up, and whether it can serve.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use tokio::time::timeout;

use super::Problem;
use crate::app::App;

/// A probe that waits longer than this has its answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /healthz`: the process is up.
pub(super) async fn healthz() -> &'static str {
    "ok"
}

/// `GET /readyz`: the database answers and its schema is this program's.
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    match timeout(PATIENCE, app.db.is_migrated()).await {
        Ok(Ok(true)) => Ok("ready"),
        Ok(Ok(false)) => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_migrated",
            "The database's schema is not this program's: run `loyalnest migrate`.",
        )),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Problem::unavailable()),
    }
}
