//! What a task is to the one who defines it.

use std::pin::Pin;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Run;
use crate::db;

/// Longer reasons are cut.
const REASON_LIMIT: usize = 500;

/// Work of one kind. Its fields are its payload: ids and numbers, never personal data.
///
/// ```
/// use loyalnest::tasks::{Run, Task, TaskError};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Recount { month: i64 }
///
/// #[async_trait::async_trait]
/// impl Task for Recount {
///     const KIND: &'static str = "example.recount";
///
///     async fn run(self, run: &Run) -> Result<(), TaskError> {
///         let tx = run.begin().await?; // proves that the lease stands
///         // … write what is to be written once …
///         run.finish(tx).await // commits it, and that the task is done
///     }
/// }
/// ```
#[async_trait]
pub trait Task: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name, `room.what`. Tasks lie in the database under it, so it must not change.
    const KIND: &'static str;
    /// How long one run may take; then it is given up and counts as failed.
    const DEADLINE: SignedDuration = SignedDuration::from_mins(1);
    /// Tasks with a greater one come first.
    const PRIORITY: i64 = 0;

    /// Does it. It may be called again after it has failed, or after the process died while it ran.
    async fn run(self, run: &Run) -> Result<(), TaskError>;
}

/// A run that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The database's error. The task is tried again.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// It did not work. The task is tried again; the text is kept as the reason: no personal data in it.
    #[error("{0}")]
    Failed(String),
    /// It can never work. A person should look; the text is kept as the reason: no personal data in it.
    #[error("{0}")]
    Dead(String),
    /// The lease ran out and another worker may have the task. Nothing of this run counts any more.
    #[error("the lease on the task is over")]
    Lost,
}

impl TaskError {
    /// What is kept: text that every engine can hold, and of the database's errors only the class.
    pub(super) fn reason(&self) -> String {
        let text = self.to_string();
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_LIMIT).collect()
    }
}

type Running = Pin<Box<dyn Future<Output = Result<(), TaskError>> + Send>>;

/// A kind of task that a process can run.
#[derive(Clone)]
pub struct Kind {
    pub(super) name: &'static str,
    pub(super) deadline: SignedDuration,
    run: fn(Value, Run) -> Running,
}

impl Kind {
    /// The kind of these tasks.
    pub fn of<T: Task>() -> Kind {
        Kind { name: T::KIND, deadline: T::DEADLINE, run: run::<T> }
    }

    /// Its name, e.g. `inbox.clean_up`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs a task of this kind.
    pub(super) fn run(&self, payload: Value, run: Run) -> Running {
        (self.run)(payload, run)
    }
}

fn run<T: Task>(payload: Value, run: Run) -> Running {
    Box::pin(async move {
        // A payload that an older or newer program wrote in another shape does not get better by waiting.
        let task: T = serde_json::from_value(payload)
            .map_err(|_| TaskError::Dead("the payload is not one of this kind".into()))?;
        task.run(&run).await
    })
}
