//! What comes round for tasks themselves.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Run, Task, TaskError};

/// Forgets tasks that were settled long ago.
#[derive(Debug, Serialize, Deserialize)]
pub struct Forget {}

#[async_trait]
impl Task for Forget {
    const KIND: &'static str = "tasks.forget";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(10);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        run.app.tasks.clean_up().await?;
        Ok(())
    }
}
