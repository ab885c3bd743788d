//! What comes round: every night the entries of a shop are sealed, and its books are proven.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Asked, prove, store};
use crate::events::{self, BooksBroken, Event};
use crate::points::seals::Sealer;
use crate::tasks::{Run, Task, TaskError};

/// Seals what a shop has booked and proves its books. Killed half-way, it goes on after the last block.
#[derive(Debug, Serialize, Deserialize)]
pub struct Nightly {}

#[async_trait]
impl Task for Nightly {
    const KIND: &'static str = "proof.nightly";
    const PRIORITY: i64 = -1;
    const DEADLINE: SignedDuration = SignedDuration::from_hours(2);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        let mut sealer = Sealer::open(&mut run.app.db.read(shop).await?, shop, run.now()).await?;
        loop {
            let due = sealer.due(&mut run.app.db.read(shop).await?).await?;
            if due.is_empty() {
                break;
            }
            let mut tx = run.begin().await?;
            sealer.seal(&mut tx, due).await?;
            tx.commit().await?;
        }
        let asked = Asked { before: None, chain: true };
        let mut read = run.app.db.read(shop).await?;
        let proof = prove(&mut read, shop, asked).await.map_err(|error| match error {
            super::Error::Db(error) => error.into(),
            error => TaskError::Failed(error.to_string()),
        })?;
        drop(read);
        let mut tx = run.begin().await?;
        store::keep(&mut tx, shop, &proof, run.now()).await?;
        if proof.violations() > 0 {
            let invariants = proof.broken().into_iter().map(str::to_owned).collect();
            let told = BooksBroken { violations: proof.violations(), invariants };
            events::publish(&mut tx, shop, Event::BooksBroken(told), run.now()).await?;
        }
        run.finish(tx).await
    }
}
