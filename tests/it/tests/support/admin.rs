//! An Admin API that answers what it is told to, in order, and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// One answer.
pub enum Answer {
    /// With status 200.
    Json(Value),
    /// A status and a body.
    Status(u16, Value),
    /// None, until the caller gives up.
    Silence,
}

/// The access token and the body of a call.
pub type Asked = (Option<String>, Value);

#[derive(Clone)]
pub struct ScriptedAdmin {
    pub url: String,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl ScriptedAdmin {
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        let admin = ScriptedAdmin { url, answers, asked: Arc::default() };
        let router = Router::new()
            .route("/admin/api/2026-10/graphql.json", axum::routing::post(answer))
            .with_state(admin.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        admin
    }

    /// Every call so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// What a shop says of itself.
pub fn shop_details(domain: &str) -> Value {
    json!({ "data": { "shop": {
        "id": "gid://shopify/Shop/1", "name": "Tea & Co", "myshopifyDomain": domain,
        "currencyCode": "GBP", "ianaTimezone": "Europe/London",
    } } })
}

async fn answer(State(admin): State<ScriptedAdmin>, headers: HeaderMap, body: String) -> Response {
    let token = headers.get("x-shopify-access-token").map(|token| token.to_str().unwrap().to_owned());
    admin.asked.lock().unwrap().push((token, serde_json::from_str(&body).unwrap()));
    let next = admin.answers.lock().unwrap().pop_front();
    match next {
        Some(Answer::Json(body)) => axum::Json(body).into_response(),
        Some(Answer::Status(status, body)) => {
            (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
        }
        Some(Answer::Silence) => std::future::pending().await,
        None => StatusCode::IM_A_TEAPOT.into_response(),
    }
}
