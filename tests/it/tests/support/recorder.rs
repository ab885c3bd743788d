//! A handler that does what a message tells it to, and leaves an effect in the database for each one it handled.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use loyalnest::db;
use loyalnest::db::{Db, Tx};
use loyalnest::inbox::{Handler, HandlerError, Message, Outcome};
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::Semaphore;

/// Where effects are kept; every test database has it, so that every statement can be prepared everywhere. Made before
/// migrations run, which give the application its rights on it.
pub async fn create_table(db: &Db, url: &str) {
    let table =
        "create table test_effects (position bigint not null primary key, webhook_id text not null unique)";
    match db {
        Db::Sqlite { writer, .. } => writer.execute(table).await.map(|_| ()).unwrap(),
        Db::Postgres(_) => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            connection.execute(table).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

/// The webhook ids of what was handled, in the order it was.
pub async fn effects(db: &Db) -> Vec<String> {
    let mut read = db.read_across().await.unwrap();
    let rows: Vec<(String,)> =
        db!(read.all, "select webhook_id from test_effects order by position").unwrap();
    rows.into_iter().map(|(id,)| id).collect()
}

/// Knows orders and refunds. A payload without a numeric `id` is not the topic's; `"do"` may say `fail`, `never`,
/// `panic` or `wait` (for [`Recorder::gate`]), `"says"` why it failed, and `"tries": n` that it does so only for its
/// first n tries. `"beside"` says how the question is answered that it asks first: `quick`, `panic`, or anything else for
/// never.
pub struct Recorder {
    position: AtomicI64,
    /// Closed until a test adds permits.
    pub gate: Semaphore,
    /// How many messages wait at the gate.
    pub waiting: AtomicI64,
    /// How many messages were asked about.
    pub asked: AtomicI64,
    /// How many batches were handed over.
    pub batches: AtomicI64,
}

impl Recorder {
    pub fn new() -> Arc<Self> {
        Arc::new(Recorder {
            position: AtomicI64::new(0),
            gate: Semaphore::new(0),
            waiting: AtomicI64::new(0),
            asked: AtomicI64::new(0),
            batches: AtomicI64::new(0),
        })
    }

    async fn one(&self, tx: &mut Tx, message: &Message) -> Result<Outcome, HandlerError> {
        let payload = body(message);
        if !payload["id"].is_i64() {
            return Ok(Outcome::Dead("not the topic's".into()));
        }
        if payload["beside"].is_string() && message.beside.is_none() {
            return Ok(Outcome::Dead("nothing was read beside it".into()));
        }
        // First the effect, so that whatever follows must undo it.
        let position = self.position.fetch_add(1, Ordering::SeqCst);
        db!(
            tx.execute,
            "insert into test_effects (position, webhook_id) values ($1, $2)",
            position,
            message.webhook_id
        )?;
        if message.attempts < payload["tries"].as_i64().unwrap_or(i64::MAX) {
            match payload["do"].as_str() {
                Some("fail") => {
                    let reason = payload["says"].as_str().unwrap_or("told to");
                    return Err(HandlerError::Failed(reason.to_owned()));
                }
                Some("never") => {
                    return Err(HandlerError::Never { code: "told_to", reason: "for good".into() });
                }
                Some("panic") => panic!("told to"),
                Some("wait") => {
                    self.waiting.fetch_add(1, Ordering::SeqCst);
                    self.gate.acquire().await.unwrap().forget();
                }
                _ => {}
            }
        }
        Ok(Outcome::Done)
    }
}

fn body(message: &Message) -> Value {
    serde_json::from_slice(&message.payload).unwrap()
}

#[async_trait]
impl Handler for Recorder {
    fn knows(&self, topic: &str) -> bool {
        topic.starts_with("orders/") || topic.starts_with("refunds/")
    }

    fn wants_beside(&self, batch: &[Message]) -> Vec<usize> {
        let wants = |message: &Message| body(message)["beside"].is_string();
        (0..batch.len()).filter(|&at| wants(&batch[at])).collect()
    }

    async fn read_beside(&self, message: &Message) -> Result<Option<String>, HandlerError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match body(message)["beside"].as_str() {
            Some("quick") => Ok(Some("here".into())),
            Some("panic") => panic!("told to"),
            Some("never") => Err(HandlerError::Never { code: "told_to", reason: "for good".into() }),
            _ => std::future::pending().await,
        }
    }

    async fn handle(&self, tx: &mut Tx, batch: &[Message]) -> Result<Vec<Outcome>, HandlerError> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        let mut outcomes = Vec::new();
        for message in batch {
            outcomes.push(self.one(tx, message).await?);
        }
        Ok(outcomes)
    }
}
