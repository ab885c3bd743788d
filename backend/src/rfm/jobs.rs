//! What comes round for segments: every night a scale is laid, and everyone is scored by it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use loyalty::Expiry;
use loyalty::rfm::{Rfm, Scale};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::movers::{self, End};
use super::{Error, Member, churn, counts, labels, marks, scales, score, store};
use crate::db::{self, Db, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::points::Calendar;
use crate::tasks::{self, Order, Pushed, Run, Task, TaskError};
use crate::{customers, merchants, orders, programs};

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
        let refresh = Refreshing::prepare(&run.app.db, shop, run.now()).await.map_err(failed)?;
        let Some(refresh) = refresh else { return run.finish(run.begin().await?).await };
        let mut tx = run.begin().await?;
        refresh.begin(&mut tx).await?;
        tx.commit().await?;
        tokio::try_join!(refresh_from(End::First, &refresh, run), refresh_from(End::Last, &refresh, run))?;
        refresh.end(&run.app.db).await?;
        churn::count_old(&run.app.db, shop, run.now()).await?;
        run.finish(run.begin().await?).await
    }
}

async fn refresh_from(end: End, refresh: &Refreshing, run: &Run) -> Result<(), TaskError> {
    while refresh.next(&run.app.db, end, AT_ONCE).await? {
        // Whoever takes the task over lays another scale: what is still written by this one is right until then.
        run.begin().await?.commit().await?;
    }
    Ok(())
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
    Ok(tasks::push(tx, shop, &Refresh {}, Order::new(occasion), now).await?)
}

/// A refresh that is under way. It goes through a shop's members from both ends of their ids at the same time, since the
/// database reads and writes with one processor for each.
pub struct Refreshing {
    shop: ShopId,
    id: Uuid,
    scale: Scale,
    now: Timestamp,
    day_from: Timestamp,
    /// Between whom nobody has looked yet.
    between: Mutex<(MemberId, MemberId)>,
}

impl Refreshing {
    /// Finds the scale for a shop's members as they are now. None where there is no program yet.
    ///
    /// # Errors
    /// Any error of the program or the database.
    pub async fn prepare(db: &Db, shop: ShopId, now: Timestamp) -> Result<Option<Refreshing>, Error> {
        let mut read = db.read(shop).await?;
        let rule = match programs::current(&mut read, shop).await {
            Ok(program) => program.program.rfm,
            Err(programs::Error::Missing) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let calendar = Calendar::new(now, merchants::zone(&mut read, shop).await?, Expiry::default());
        drop(read);
        let scale = match rule {
            Rfm::Relative => scales::relative_at_once(db, shop).await?,
            Rfm::Thresholds(thresholds) => scales::of_steps(&thresholds, &calendar),
        };
        let between = Mutex::new((MemberId(Uuid::nil()), MemberId(Uuid::max())));
        Ok(Some(Refreshing {
            shop,
            id: Uuid::now_v7(),
            scale,
            now,
            day_from: calendar.day_start(now),
            between,
        }))
    }

    /// Lays the scale: from now on members are scored by it.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn begin(&self, tx: &mut Tx) -> Result<(), db::Error> {
        store::lay(tx, self.shop, &self.scale, self.id, self.now).await
    }

    /// Puts the next members from one end, so many at most, into the segments where they belong. False when there is
    /// nobody left, or another refresh has begun.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn next(&self, db: &Db, end: End, most: i64) -> Result<bool, db::Error> {
        let between = *self.between();
        let mut read = db.read(self.shop).await?;
        let mut moving = movers::find(&mut read, self.shop, &self.scale, (between, end), most).await?;
        drop(read);
        let Some(reached) = moving.last().map(|member| member.member_id) else { return Ok(false) };
        match end {
            End::First => self.between().0 = reached,
            End::Last => self.between().1 = reached,
        }
        // Where the two meet they may find the same; whoever writes later leaves those alone, who are not as they were.
        moving.sort_unstable_by_key(|member| member.member_id);
        self.write(db, &moving).await
    }

    fn between(&self) -> MutexGuard<'_, (MemberId, MemberId)> {
        self.between.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts members into their segments. False where another refresh has begun.
    async fn write(&self, db: &Db, members: &[Member]) -> Result<bool, db::Error> {
        let mut tx = db.begin(self.shop).await?;
        if !self.is_newest(&mut tx).await? {
            return Ok(false);
        }
        tx.waits_for_no_disk().await?;
        tx.joins_in_order().await?;
        score(&mut tx, self.shop, &self.scale, members, self.now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Whether no other has begun, nor does until the transaction ends.
    async fn is_newest(&self, tx: &mut Tx) -> Result<bool, db::Error> {
        let laid = store::hold_scale(tx, self.shop).await?;
        Ok(laid.and_then(|laid| laid.refresh_id) == Some(self.id))
    }

    /// When both ends have come to nobody any more: keeps how many are in each segment, and has metafields and tags follow.
    /// Nothing where another refresh has begun: it is the one that ends.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn end(&self, db: &Db) -> Result<(), db::Error> {
        let mut tx = db.begin(self.shop).await?;
        let laid = store::hold_scale(&mut tx, self.shop).await?;
        let Some(laid) = laid.filter(|laid| laid.refresh_id == Some(self.id)) else { return Ok(()) };
        let mut counts = counts::now(&mut tx, self.shop).await?;
        let prospects = customers::count(&mut tx, self.shop).await? - counts.values().sum::<i64>();
        counts.insert(counts::PROSPECTS, prospects.max(0));
        counts::keep(&mut tx, self.shop, self.day_from, &counts).await?;
        marks::mark_soon(&mut tx, self.shop, laid.unmarked_since.unwrap_or(self.now), self.now).await?;
        labels::label_soon(&mut tx, self.shop, self.id, self.now).await?;
        store::done(&mut tx, self.shop, self.id).await?;
        tx.commit().await
    }
}

fn failed(error: Error) -> TaskError {
    match error {
        Error::Db(error) => TaskError::Database(error),
        error => TaskError::Failed(error.to_string()),
    }
}
