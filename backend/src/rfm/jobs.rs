//! What comes round for segments: every night a scale is laid, and everyone is scored by it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::SignedDuration;
use loyalty::Expiry;
use loyalty::rfm::{Rfm, Scale};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Error, churn, counts, labels, score, store};
use crate::db::{self, Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::points::Calendar;
use crate::tasks::{self, Order, PushError, Pushed, Run, Task, TaskError};
use crate::{customers, merchants, orders, programs, sync};

/// How many members are scored in one transaction.
pub const AT_ONCE: i64 = 5_000;

/// Scores a shop's members anew. Killed half-way, it begins again and finds those scored whom it had scored; of two at once
/// the one that laid its scale first leaves the rest to the other.
#[derive(Debug, Serialize, Deserialize)]
pub struct Refresh {}

#[async_trait]
impl Task for Refresh {
    const KIND: &'static str = "rfm.refresh";
    const PRIORITY: i64 = -1;
    const DEADLINE: SignedDuration = SignedDuration::from_hours(1);

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        let Some(shop) = run.shop() else { return Ok(()) };
        orders::jobs::count_old(&run.app.db, shop, run.now()).await.map_err(|error| failed(error.into()))?;
        let mut tx = run.begin().await?;
        let Some(mut refresh) = Refreshing::begin(&mut tx, shop, run.now()).await.map_err(failed)? else {
            return run.finish(tx).await;
        };
        tx.commit().await?;
        loop {
            let mut tx = run.begin().await?;
            if !refresh.next(&mut tx, AT_ONCE).await? {
                tx.commit().await?;
                churn::count_old(&run.app.db, shop, run.now()).await?;
                return run.finish(run.begin().await?).await;
            }
            tx.commit().await?;
        }
    }
}

/// Has the members of a shop scored anew soon, in the transaction that asks for it. The occasion names what asked: the same
/// one again is the same task.
///
/// # Errors
/// Any error of the database.
pub async fn refresh_soon(
    tx: &mut Tx,
    shop: ShopId,
    occasion: String,
    now: Timestamp,
) -> Result<Pushed, db::Error> {
    match tasks::push(tx, shop, &Refresh {}, Order::new(occasion), now).await {
        Ok(pushed) => Ok(pushed),
        Err(PushError::Database(error)) => Err(error),
        Err(error) => Err(db::Error::other(error)),
    }
}

/// A refresh that is under way.
pub struct Refreshing {
    shop: ShopId,
    id: Uuid,
    scale: Scale,
    now: Timestamp,
    day_from: Timestamp,
    /// Whom it has come to.
    after: MemberId,
    /// How many members it has found in each segment.
    counts: BTreeMap<i64, i64>,
}

impl Refreshing {
    /// Lays a scale. None where there is no program yet.
    ///
    /// # Errors
    /// Any error of the program or the database.
    pub async fn begin(tx: &mut Tx, shop: ShopId, now: Timestamp) -> Result<Option<Refreshing>, Error> {
        let rule = match programs::current(tx, shop).await {
            Ok(program) => program.program.rfm,
            Err(programs::Error::Missing) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let calendar = Calendar::new(now, merchants::zone(tx, shop).await?, Expiry::default());
        let scale = scale(tx, shop, rule, &calendar).await?;
        let id = Uuid::now_v7();
        store::lay(tx, shop, &scale, id, now).await?;
        let (day_from, after, counts) = (calendar.day_start(now), MemberId(Uuid::nil()), BTreeMap::new());
        Ok(Some(Refreshing { shop, id, scale, now, day_from, after, counts }))
    }

    /// Scores the members who come next, so many at most. False when there is nobody left, or another refresh has begun.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn next(&mut self, tx: &mut Tx, most: i64) -> Result<bool, db::Error> {
        let laid = store::hold_scale(tx, self.shop).await?;
        if laid.and_then(|laid| laid.refresh_id) != Some(self.id) {
            return Ok(false);
        }
        let members = store::page(tx, self.shop, self.after, most).await?;
        let Some(last) = members.last() else {
            self.end(tx).await?;
            return Ok(false);
        };
        self.after = last.member_id;
        for segment in members.iter().filter_map(|member| member.scored(&self.scale)) {
            *self.counts.entry(segment).or_default() += 1;
        }
        let changed = score(tx, self.shop, &self.scale, &members, self.now).await?;
        sync::mark(tx, self.shop, &changed, self.now).await?;
        Ok(true)
    }

    async fn end(&mut self, tx: &mut Tx) -> Result<(), db::Error> {
        let prospects = customers::count(tx, self.shop).await? - self.counts.values().sum::<i64>();
        self.counts.insert(counts::PROSPECTS, prospects.max(0));
        counts::keep(tx, self.shop, self.day_from, &self.counts).await?;
        labels::label_soon(tx, self.shop, self.id, self.now).await?;
        store::done(tx, self.shop, self.id).await
    }
}

/// The scale that a rule gives for a shop's members as they are now.
pub(super) async fn scale(
    read: &mut Read,
    shop: ShopId,
    rule: Rfm,
    calendar: &Calendar,
) -> Result<Scale, db::Error> {
    match rule {
        Rfm::Relative => store::relative_scale(read, shop).await,
        Rfm::Thresholds(thresholds) => {
            let today = calendar.day(calendar.now());
            Ok(thresholds.scale(today, |day| calendar.start(day).as_microsecond()))
        }
    }
}

fn failed(error: Error) -> TaskError {
    match error {
        Error::Db(error) => TaskError::Database(error),
        error => TaskError::Failed(error.to_string()),
    }
}
