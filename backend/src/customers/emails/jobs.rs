//! Fetching addresses, and erasing them. What a task was pushed for may be over when it runs: whether the shop keeps
//! addresses, and whether a member is still the same customer, is looked at again in the transaction that writes.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store::{self, Whose};
use super::{Settings, address, seal};
use crate::customers;
use crate::db::{self, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::merchants::ShopError;
use crate::shopify::admin::{Admin, AdminError, CustomerEmail};
use crate::tasks::{self, Order, Run, Task, TaskError};

/// How many addresses one call asks for.
const AT_ONCE: usize = 100;
/// How many calls one task makes before another goes on.
const CALLS: usize = 20;
/// When a task that was sent away half-way is gone on with.
const LATER: SignedDuration = SignedDuration::from_mins(1);
/// Addresses that are erased in one transaction.
const ERASED_TOGETHER: i64 = 2_000;

/// Fetches the addresses of these members soon.
pub(super) async fn keep_soon(
    tx: &mut Tx,
    shop: ShopId,
    members: Vec<MemberId>,
    now: Timestamp,
) -> Result<(), db::Error> {
    for members in members.chunks(AT_ONCE) {
        let task = Keep { members: members.to_vec() };
        push(tx, shop, &task, Order::new(Uuid::now_v7().to_string()), now).await?;
    }
    Ok(())
}

/// Does what the switch says, soon: fetches all addresses, or erases them.
pub(super) async fn follow_switch(
    tx: &mut Tx,
    shop: ShopId,
    kept: bool,
    now: Timestamp,
) -> Result<(), db::Error> {
    let order = Order::new(now.to_string());
    match kept {
        true => push(tx, shop, &KeepAll { switched_at: now, after: store::FIRST }, order, now).await,
        false => push(tx, shop, &EraseAll { switched_at: now }, order, now).await,
    }
}

async fn push<T: Task>(
    tx: &mut Tx,
    shop: ShopId,
    task: &T,
    order: Order,
    now: Timestamp,
) -> Result<(), db::Error> {
    tasks::push(tx, shop, task, order, now).await?;
    Ok(())
}

/// Fetches the addresses of some members.
#[derive(Debug, Serialize, Deserialize)]
pub struct Keep {
    /// Whose.
    pub members: Vec<MemberId>,
}

#[async_trait]
impl Task for Keep {
    const KIND: &'static str = "customers.keep_emails";
    const PRIORITY: i64 = -1;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(keeper) = Keeper::of(run, None).await? else { return Ok(()) };
        let mut read = run.app.db.read(keeper.shop).await?;
        let customers = customers::customers(&mut read, keeper.shop, &self.members).await?;
        drop(read);
        keeper.keep(&customers.into_iter().collect::<Vec<_>>()).await?;
        Ok(())
    }
}

/// Fetches the addresses of all members, some at a time: one task goes on where another ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeepAll {
    /// Which switch it follows. There is nothing to do for one that is not the last.
    pub switched_at: Timestamp,
    /// Who was the last to be asked for.
    pub after: MemberId,
}

#[async_trait]
impl Task for KeepAll {
    const KIND: &'static str = "customers.keep_all_emails";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(10);
    const PRIORITY: i64 = -2;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(keeper) = Keeper::of(run, Some(self.switched_at)).await? else { return Ok(()) };
        let (mut after, mut go_on_at) = (self.after, run.now());
        for _ in 0..CALLS {
            let mut read = run.app.db.read(keeper.shop).await?;
            let members = customers::after(&mut read, keeper.shop, after, AT_ONCE as i64).await?;
            drop(read);
            let Some((last, _)) = members.last() else { return Ok(()) };
            match keeper.keep(&members).await {
                Ok(Kept::Shown) => after = *last,
                // For none of the others either; or switched off.
                Ok(Kept::Withheld | Kept::Unwanted) => return Ok(()),
                // Who got somewhere goes on from there. Who got nowhere has failed.
                Err(Failure::Later(_)) if after != self.after => {
                    go_on_at = run.now() + LATER;
                    break;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        let rest = KeepAll { after, ..self };
        let order = Order::new(format!("{} after {after}", rest.switched_at)).at(go_on_at);
        let mut tx = run.begin().await?;
        push(&mut tx, keeper.shop, &rest, order, run.now()).await?;
        run.finish(tx).await
    }
}

/// Erases all addresses of a shop whose merchant switched their keeping off.
#[derive(Debug, Serialize, Deserialize)]
pub struct EraseAll {
    /// Which switch it follows.
    pub switched_at: Timestamp,
}

#[async_trait]
impl Task for EraseAll {
    const KIND: &'static str = "customers.erase_emails";
    const DEADLINE: SignedDuration = SignedDuration::from_mins(30);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        loop {
            let mut tx = run.begin().await?;
            // Switched on again: what is there is kept, or fetched anew.
            if store::lock(&mut tx, shop).await?.kept {
                return Ok(());
            }
            let erased = store::erase(&mut tx, shop, ERASED_TOGETHER).await?;
            tx.commit().await?;
            if erased < ERASED_TOGETHER.unsigned_abs() {
                tracing::info!(%shop, "the addresses of a shop's members were erased");
                return Ok(());
            }
        }
    }
}

/// What became of a call for addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Those that there are, are kept.
    Shown,
    /// Shopify does not show them to the app.
    Withheld,
    /// The shop does not keep addresses any more.
    Unwanted,
}

/// Why addresses were not fetched.
enum Failure {
    /// Shopify cannot be asked just now.
    Later(String),
    Final(TaskError),
}

impl From<Failure> for TaskError {
    fn from(failure: Failure) -> TaskError {
        match failure {
            Failure::Later(reason) => TaskError::Failed(reason),
            Failure::Final(error) => error,
        }
    }
}

impl From<db::Error> for Failure {
    fn from(error: db::Error) -> Failure {
        Failure::Final(error.into())
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Failure {
        Failure::Final(error)
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Failure {
        match error.is_retryable() {
            true => Failure::Later(error.to_string()),
            false => Failure::Final(TaskError::Failed(error.to_string())),
        }
    }
}

/// Fetches addresses of one shop and keeps them.
struct Keeper<'r> {
    run: &'r Run,
    shop: ShopId,
    admin: Admin,
}

impl<'r> Keeper<'r> {
    /// None if the shop has gone, keeps no addresses, or has been switched again since.
    async fn of(run: &'r Run, switched_at: Option<Timestamp>) -> Result<Option<Self>, TaskError> {
        let failed = |error: ShopError| TaskError::Failed(error.to_string());
        let Some(id) = run.shop() else { return Ok(None) };
        let Settings { kept, changed_at, .. } = store::settings(&mut run.app.db.read(id).await?, id).await?;
        if !kept || switched_at.is_some_and(|at| changed_at != Some(at)) {
            return Ok(None);
        }
        let Some(shop) = run.app.shops.find(id).await.map_err(failed)? else { return Ok(None) };
        let admin = run.app.admin_of(&shop).await.map_err(failed)?;
        Ok(Some(Keeper { run, shop: id, admin }))
    }

    async fn keep(&self, members: &[Whose]) -> Result<Kept, Failure> {
        if members.is_empty() {
            return Ok(Kept::Shown);
        }
        let (app, shop, now) = (&self.run.app, self.shop, self.run.now());
        let customers: Vec<_> = members.iter().map(|(_, customer)| *customer).collect();
        let told = self.admin.customer_emails(&customers).await?;
        let told: HashMap<Whose, CustomerEmail> = members.iter().copied().zip(told).collect();
        let withheld = told.values().any(|email| *email == CustomerEmail::Withheld);

        let mut tx = self.run.begin().await?;
        // Members before what is kept of them, as whoever erases one locks them.
        let ids: Vec<_> = members.iter().map(|(member, _)| *member).collect();
        let mut still = store::lock_members(&mut tx, shop, &ids).await?;
        still.sort_unstable();
        let settings = store::lock(&mut tx, shop).await?;
        if !settings.kept {
            return Ok(Kept::Unwanted);
        }
        let (mut known, mut none) = (Vec::new(), Vec::new());
        for whose in still {
            let email = match told.get(&whose) {
                Some(CustomerEmail::Known(email)) => address::normalised(email.expose()),
                Some(CustomerEmail::None) => None,
                // Nobody knows; what was known stays.
                Some(CustomerEmail::Withheld) | None => continue,
            };
            match email {
                Some(email) => {
                    let sealed = seal(&app.cipher, shop, whose.0, email.as_bytes());
                    known.push(sealed.map_err(|error| TaskError::Failed(error.to_string()))?);
                }
                None => none.push(whose.0),
            }
        }
        store::keep(&mut tx, shop, &known, now).await?;
        store::forget(&mut tx, shop, &none).await?;
        if withheld != settings.withheld_at.is_some() {
            store::set_withheld(&mut tx, shop, withheld.then_some(now)).await?;
            tracing::info!(%shop, withheld, "whether Shopify shows addresses has changed");
        }
        tx.commit().await?;
        Ok(if withheld { Kept::Withheld } else { Kept::Shown })
    }
}
