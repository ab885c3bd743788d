//! Who operates this installation: whoever has the token of the settings. It is exchanged at a page for a signed
//! cookie that opens the pages below `/staff`, which show what belongs to no single shop.
//!
//! No cookie, no page; no token in the settings, nothing there at all. What changes something is only taken from our
//! own pages (the browser's `Origin`), and the cookie is sent along from nowhere else.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, FromRequestParts, State};
use axum::http::header::{self, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Problem;
use crate::app::App;
use crate::config::Secret;
use crate::db::Timestamp;

const COOKIE_NAME: &str = "loyalnest_operator";
const SIGN_IN: &str = "/staff/sign-in";
/// Where the operator comes to.
const HOME: &str = "/staff/tasks";
/// How many wrong tokens in a row are looked at, and in how many seconds one more may be tried.
const TRIES: i64 = 10;
const TRY_AGAIN: i64 = 6;
/// What our pages may do: show text in our own style, and send forms back to us.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The operator, signed in.
#[derive(Debug)]
pub struct Operator(());

impl FromRequestParts<App> for Operator {
    /// The page to sign in at, or a problem.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let token = token(app).map_err(IntoResponse::into_response)?;
        let changes = !matches!(parts.method, Method::GET | Method::HEAD);
        if changes && !is_ours(&parts.headers, app) {
            return Err(foreign().into_response());
        }
        let session = cookie(&parts.headers);
        if session.is_some_and(|sealed| is_session(app, token, sealed, app.clock.now())) {
            return Ok(Operator(()));
        }
        Err((StatusCode::SEE_OTHER, [(LOCATION, SIGN_IN)]).into_response())
    }
}

/// Wrong tokens of late, so that nobody tries them all. One count for everybody, because who asks cannot be told
/// apart: whoever keeps guessing keeps the operator out, too, while it lasts. Sessions that are open stay open.
#[derive(Debug, Clone, Default)]
pub struct Guesses(Arc<Mutex<(i64, i64)>>);

impl Guesses {
    /// Counts a wrong token.
    fn note(&self, now: Timestamp) {
        let mut guesses = self.now(now);
        guesses.0 += 1;
    }

    /// Seconds until one more may be tried; 0 if it may be now.
    fn wait(&self, now: Timestamp) -> u32 {
        let guesses = self.now(now);
        let left = guesses.1 + TRY_AGAIN - now.as_second();
        if guesses.0 < TRIES { 0 } else { u32::try_from(left.max(1)).unwrap_or(1) }
    }

    /// The count as of now, and since when it is that.
    fn now(&self, now: Timestamp) -> std::sync::MutexGuard<'_, (i64, i64)> {
        let mut guesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = ((now.as_second() - guesses.1) / TRY_AGAIN).clamp(0, guesses.0);
        guesses.0 -= gone;
        guesses.1 = if guesses.0 == 0 { now.as_second() } else { guesses.1 + gone * TRY_AGAIN };
        guesses
    }
}

/// The routes to come in and go out, and the style of all pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route(SIGN_IN, get(show).post(sign_in))
        .route("/staff/sign-out", post(sign_out))
        .route("/staff/style.css", get(style))
}

async fn show(State(app): State<App>) -> Result<Response, Problem> {
    token(&app)?;
    Ok(page("Sign in", &form(None)))
}

#[derive(Deserialize)]
struct Given {
    token: Secret,
}

/// `POST /staff/sign-in`: exchanges the token for a session.
async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    given: Result<Form<Given>, FormRejection>,
) -> Result<Response, Problem> {
    let token = token(&app)?;
    if !is_ours(&headers, &app) {
        return Err(foreign());
    }
    let now = app.clock.now();
    let wait = app.guesses.wait(now);
    if wait > 0 {
        let title = "Too many wrong tokens. Please wait a few seconds.";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_guesses", title).retry_after(wait));
    }
    let right = given.is_ok_and(|Form(given)| {
        // Digests, so that the time it takes does not even tell the length.
        bool::from(Sha256::digest(given.token.expose()).ct_eq(&Sha256::digest(token.expose())))
    });
    if !right {
        app.guesses.note(now);
        tracing::warn!("a wrong operator token was given");
        let mut response = page("Sign in", &form(Some("This is not the token.")));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(response);
    }
    tracing::info!("the operator signed in");
    let session = app.config.operator.session;
    let sealed = app.signer.seal(&purpose(token), &(now + session).as_second().to_string());
    Ok((
        StatusCode::SEE_OTHER,
        [(LOCATION, HOME.to_owned()), (SET_COOKIE, set_cookie(&sealed, session.as_secs()))],
    )
        .into_response())
}

/// `POST /staff/sign-out`: this browser forgets the session.
async fn sign_out(_: Operator) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, SIGN_IN.to_owned()), (SET_COOKIE, set_cookie("", 0))]).into_response()
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")], STYLE)
}

/// A page of the operator's.
pub fn page(title: &str, content: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · LoyalNest" }
                link rel="stylesheet" href="/staff/style.css";
            }
            body { (content) }
        }
    };
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Forms that we send to ourselves must carry where they come from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    (HEADERS, markup).into_response()
}

fn form(refusal: Option<&str>) -> Markup {
    html! {
        main.narrow {
            h1 { "LoyalNest" }
            form method="post" action=(SIGN_IN) {
                label for="token" { "Operator token" }
                input #token type="password" name="token" required autofocus autocomplete="current-password";
                @if let Some(refusal) = refusal { p.refusal role="alert" { (refusal) } }
                button { "Sign in" }
            }
            p.hint { "It is " code { "operator.token" } " in the settings of this installation." }
        }
    }
}

/// The token of the settings; without one, nothing of this is there.
fn token(app: &App) -> Result<&Secret, Problem> {
    let token = &app.config.operator.token;
    if token.is_empty() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here."));
    }
    Ok(token)
}

/// What a session's signature is for: a session that this very token opened.
fn purpose(token: &Secret) -> String {
    format!("operator session {}", hex::encode(Sha256::digest(token.expose())))
}

fn is_session(app: &App, token: &Secret, sealed: &str, now: Timestamp) -> bool {
    let until = app.signer.open(&purpose(token), sealed).and_then(|text| text.parse::<i64>().ok());
    until.is_some_and(|until| now.as_second() < until)
}

/// Whether a request comes from one of our own pages. Browsers say so with every form they send.
fn is_ours(headers: &HeaderMap, app: &App) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(ORIGIN) else { return false };
    let host = origin.split_once("://").map(|(_, host)| host);
    let public = app.config.web.public_url.trim_end_matches('/');
    (!public.is_empty() && origin == public) || (host.is_some() && host == text(HOST))
}

fn foreign() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "foreign_origin", "This is only taken from our own pages.")
}

fn set_cookie(value: &str, seconds: i64) -> String {
    format!("{COOKIE_NAME}={value}; Path=/staff; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict")
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}

const STYLE: &str = include_str!("operator.css");

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn ten_wrong_tokens_close_the_door_for_six_seconds_each() {
        let (guesses, mut now) =
            (Guesses::default(), Timestamp::from_microsecond(1_800_000_000_000_000).unwrap());
        for _ in 0..TRIES {
            assert_eq!(guesses.wait(now), 0);
            guesses.note(now);
        }
        assert_eq!(guesses.wait(now), 6);
        now = now + SignedDuration::from_secs(4);
        assert_eq!(guesses.wait(now), 2);
        now = now + SignedDuration::from_secs(2);
        assert_eq!(guesses.wait(now), 0);
        guesses.note(now);
        assert_eq!(guesses.wait(now), 6);
        now = now + SignedDuration::from_secs(60);
        for _ in 0..TRIES {
            assert_eq!(guesses.wait(now), 0);
            guesses.note(now);
        }
        assert_eq!(guesses.wait(now), 6);
    }
}
