//! The steps of a run, each a task: have Shopify begin, look whether it is done, read the file.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::State;
use super::work::Work;
use crate::tasks::{self, Task, TaskError};

/// A step: a task whose payload names it.
pub(super) trait Step: Task {
    /// The same for the same step.
    fn key(&self) -> String;
}

/// Has Shopify begin.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    /// The run.
    pub run: Uuid,
    /// Which operation of it, from 1.
    pub attempt: i64,
    /// Which try, from 1: there may be no room.
    pub turn: i64,
}

/// Looks how far Shopify is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Look {
    /// The run.
    pub run: Uuid,
    /// Which operation of it.
    pub attempt: i64,
    /// Which look, from 1; 0 if a webhook told of the end.
    pub turn: i64,
}

/// Reads the file, on from where it was read.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadFile {
    /// The run.
    pub run: Uuid,
    /// Which operation of it.
    pub attempt: i64,
}

impl Step for Start {
    fn key(&self) -> String {
        format!("{}:{}:{}", self.run, self.attempt, self.turn)
    }
}

impl Step for Look {
    fn key(&self) -> String {
        format!("{}:{}:{}", self.run, self.attempt, self.turn)
    }
}

impl Step for ReadFile {
    fn key(&self) -> String {
        format!("{}:{}", self.run, self.attempt)
    }
}

#[async_trait]
impl Task for Start {
    const KIND: &'static str = "bulk.start";
    const PRIORITY: i64 = -1;

    async fn run(self, task: &tasks::Run) -> Result<(), TaskError> {
        match Work::of(task, self.run, self.attempt, State::Asked).await? {
            Some(work) => work.or_end(work.start(&self).await).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Task for Look {
    const KIND: &'static str = "bulk.look";
    const PRIORITY: i64 = -1;

    async fn run(self, task: &tasks::Run) -> Result<(), TaskError> {
        match Work::of(task, self.run, self.attempt, State::Running).await? {
            Some(work) => work.or_end(work.look(&self).await).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Task for ReadFile {
    const KIND: &'static str = "bulk.read";
    const DEADLINE: SignedDuration = SignedDuration::from_hours(6);
    const PRIORITY: i64 = -1;

    async fn run(self, task: &tasks::Run) -> Result<(), TaskError> {
        match Work::of(task, self.run, self.attempt, State::Completed).await? {
            Some(mut work) => {
                let read = work.read().await;
                work.or_end(read).await
            }
            None => Ok(()),
        }
    }
}
