//! Members of whom a whole file said nothing: Shopify is asked for them.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::check::check;
use super::{Counts, MARGIN, State, failed, store, tell};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::shopify::admin::{AccountMetafield, Admin};
use crate::tasks::{Run, Task, TaskError};
use crate::{bulk, customers, programs, redemptions, sync};

/// How many members are looked through in one query.
const PAGE: i64 = 5_000;
/// How many Shopify is asked for at once.
const ASKED_AT_ONCE: usize = 250;

/// Asks for those whom a run's file does not have.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rest {
    /// The run.
    pub run: Uuid,
}

#[async_trait]
impl Task for Rest {
    const KIND: &'static str = "sync.reconcile_rest";
    const DEADLINE: SignedDuration = SignedDuration::from_hours(6);
    const PRIORITY: i64 = -1;

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let (app, Some(shop)) = (&run.app, run.shop()) else { return Ok(()) };
        let Some(file) = bulk::run(&mut app.db.read(shop).await?, shop, self.run).await? else {
            return Ok(());
        };
        let said = |error: &dyn std::fmt::Display| TaskError::Failed(error.to_string());
        let Some(of) = app.shops.find(shop).await.map_err(|error| said(&error))? else { return Ok(()) };
        let admin = app.admin_of(&of).await.map_err(|error| said(&error))?;
        let since = file.sent_at.unwrap_or(file.asked_at) - MARGIN;
        let mut after = MemberId(Uuid::nil());
        while let Some(last) = store::page(&mut app.db.read(shop).await?, shop, after, PAGE).await? {
            let mut read = app.db.read(shop).await?;
            let unseen = store::unseen(&mut read, shop, self.run, (after, last), since).await?;
            let numbers = customers::customers(&mut read, shop, &unseen).await?;
            drop(read);
            let unseen: Vec<(MemberId, CustomerId)> = numbers.into_iter().collect();
            for some in unseen.chunks(ASKED_AT_ONCE) {
                self.ask(run, shop, &admin, some).await?;
            }
            after = last;
        }
        let now = run.now();
        let mut tx = run.begin().await?;
        store::set_state(&mut tx, shop, self.run, State::Done, Some(now)).await?;
        tell(&mut tx, shop, self.run, now).await?;
        run.finish(tx).await
    }
}

impl Rest {
    async fn ask(
        &self,
        run: &Run,
        shop: ShopId,
        admin: &Admin,
        members: &[(MemberId, CustomerId)],
    ) -> Result<(), TaskError> {
        let asked_at = run.now();
        let customers: Vec<CustomerId> = members.iter().map(|(_, customer)| *customer).collect();
        let there = admin.account_metafields(&customers).await;
        let there = there.map_err(|error| TaskError::Failed(error.to_string()))?;
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        for ((member, _), there) in members.iter().zip(&there) {
            match there {
                AccountMetafield::NoCustomer => gone.push(*member),
                AccountMetafield::Unknown => {}
                AccountMetafield::Empty => found.push((*member, None)),
                AccountMetafield::Published { value, .. } => found.push((*member, Some(value.as_str()))),
            }
        }
        for member in gone {
            self.let_go(run, shop, member).await?;
        }
        let mut tx = run.begin().await?;
        let counts = check(&mut tx, shop, (asked_at, run.now()), &found).await.map_err(failed)?;
        store::see(&mut tx, shop, self.run, &found.iter().map(|(member, _)| *member).collect::<Vec<_>>())
            .await?;
        store::add(&mut tx, shop, self.run, &counts).await?;
        Ok(tx.commit().await?)
    }

    /// Shopify has no such customer any more. What they had picked is let go, as if Shopify had told of it.
    async fn let_go(&self, run: &Run, shop: ShopId, member: MemberId) -> Result<(), TaskError> {
        let failed = |error: &dyn std::fmt::Display| TaskError::Failed(error.to_string());
        let mut tx = run.begin().await?;
        let program = programs::current(&mut tx, shop).await.map_err(|error| failed(&error))?;
        let let_go = redemptions::let_go(&mut tx, shop, member, &program, run.now()).await;
        let_go.map_err(|error| failed(&error))?;
        sync::forget(&mut tx, shop, member).await?;
        store::add(&mut tx, shop, self.run, &Counts { gone: 1, ..Counts::default() }).await?;
        Ok(tx.commit().await?)
    }
}
