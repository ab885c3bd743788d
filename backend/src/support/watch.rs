//! Every request with support's token is written down: which route, and how it was answered. Nothing is answered that
//! could not be written down.

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tracing::Instrument;

use super::{Session, find, token};
use crate::app::App;
use crate::audit::{self, Action, By, Change};
use crate::db;
use crate::web::{Problem, Whose, request_id};

/// Lets support in where its token is good, and writes down what it asks for.
pub async fn watch(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(token) = support_token(&request) else { return next.run(request).await };
    let session = match find(&app, token).await {
        Ok(Some(session)) => session,
        Ok(None) => return refused("invalid_support_token", "This is no token of support.").into_response(),
        Err(error) => return Problem::from(error).into_response(),
    };
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    // Before anything is written: whoever has a token of a shop could fill its log.
    if let Err(problem) = app.limits.take(session.shop_id, Whose::Staff, &route, app.clock.now()) {
        return problem.into_response();
    }
    // A task of its own: a caller who hangs up half-way is written down, too.
    let watched = tokio::spawn(watched(app, session, route, request, next).in_current_span());
    watched.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request of support ended badly");
        Problem::internal().into_response()
    })
}

async fn watched(app: App, session: Session, route: String, mut request: Request, next: Next) -> Response {
    let by = By { actor: session.actor(), request: request_id(request.extensions()) };
    let shop = session.shop_id;
    let target = format!("{} {route}", request.method());
    let response = if session.is_open(app.clock.now()) {
        request.extensions_mut().insert(session);
        // Apart, so that a request that panics is written down as well.
        match tokio::spawn(next.run(request).in_current_span()).await {
            Ok(response) => response,
            Err(_) => Problem::internal().into_response(),
        }
    } else {
        refused("support_ended", "This support session is over.").into_response()
    };
    let after = json!({"status": response.status().as_u16()});
    let change = Change { action: Action::SupportRequest, target: Some(target), before: Value::Null, after };
    let recorded: Result<(), db::Error> = async {
        let mut tx = app.db.begin(shop).await?;
        audit::record(&mut tx, shop, &by, change, app.clock.now()).await?;
        tx.commit().await
    }
    .await;
    match recorded {
        Ok(()) => response,
        Err(error) => Problem::from(error).into_response(),
    }
}

fn support_token(request: &Request) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(token::PREFIX)).then_some(token)
}

fn refused(code: &'static str, title: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, title)
}
