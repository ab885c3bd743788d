//! Activation in the background: when the app was installed, when the discount's title changes, and once a day.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Again, Error, Thing, stand};
use crate::audit::{Actor, By};
use crate::db::{self, Timestamp, Tx};
use crate::ids::ShopId;
use crate::merchants::Shop;
use crate::programs::{self, Versioned};
use crate::tasks::{self, Order, Run, Task, TaskError};

/// Has everything stand soon, in the transaction that asks for it. The occasion names what asked: the same one again is the
/// same task.
///
/// # Errors
/// Any error of the database.
pub async fn stand_soon(
    tx: &mut Tx,
    shop: ShopId,
    again: Again,
    occasion: String,
    now: Timestamp,
) -> Result<(), db::Error> {
    push(tx, shop, &Stand { again: again == Again::Made }, Order::new(occasion), now).await
}

async fn push(
    tx: &mut Tx,
    shop: ShopId,
    task: &Stand,
    order: Order,
    now: Timestamp,
) -> Result<(), db::Error> {
    tasks::push(tx, shop, task, order, now).await?;
    Ok(())
}

/// Makes everything stand in a shop.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stand {
    /// Whether a discount that the merchant deleted is made again.
    pub again: bool,
}

#[async_trait]
impl Task for Stand {
    const KIND: &'static str = "activation.stand";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(5);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        run_in(run, if self.again { Again::Made } else { Again::LeftOut }).await
    }
}

/// Looks once a day whether everything still stands, and puts right what does not.
#[derive(Debug, Serialize, Deserialize)]
pub struct LookDaily {}

#[async_trait]
impl Task for LookDaily {
    const KIND: &'static str = "activation.look";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(5);
    const PRIORITY: i64 = -1;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        run_in(run, Again::LeftOut).await
    }
}

/// What only the merchant can change is no failure: it is told to them, and looked at again tomorrow.
async fn run_in(run: &Run, again: Again) -> Result<(), TaskError> {
    let Some(id) = run.shop() else { return Ok(()) };
    let shop = run.app.shops.find(id).await.map_err(|error| failed(error.into()))?;
    let Some(shop) = shop else { return Ok(()) };
    let things = stand(&run.app, &shop, again, &By::from(Actor::System)).await.map_err(failed)?;
    for Thing { kind, code, .. } in things {
        tracing::debug!(shop = %id, kind = kind.as_str(), code = code.as_str(), "looked at");
    }
    follow_campaigns(run, &shop).await.map_err(failed)
}

/// Comes back when a campaign begins or ends: what is published holds what is given just then.
async fn follow_campaigns(run: &Run, shop: &Shop) -> Result<(), Error> {
    let now = run.app.clock.now();
    let Versioned { version, program } =
        programs::current(&mut run.app.db.read(shop.id).await?, shop.id).await?;
    let Some(at) = programs::next_change(shop, &program, now)? else { return Ok(()) };
    let order = Order::new(format!("program, version {version}, at {at}")).at(at);
    let mut tx = run.app.db.begin(shop.id).await?;
    push(&mut tx, shop.id, &Stand { again: false }, order, now).await?;
    Ok(tx.commit().await?)
}

fn failed(error: Error) -> TaskError {
    match error {
        Error::Db(error) => TaskError::Database(error),
        error => TaskError::Failed(error.to_string()),
    }
}
