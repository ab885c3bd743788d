//! What comes round for events.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::tasks::{Run, Task, TaskError};

/// Drops old domain events that everyone has.
#[derive(Debug, Serialize, Deserialize)]
pub struct Forget {}

#[async_trait]
impl Task for Forget {
    const KIND: &'static str = "events.forget";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(10);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        while run.app.events.clean_up().await? > 0 {}
        Ok(())
    }
}
