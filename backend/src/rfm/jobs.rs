//! What comes round for segments: every night a scale is laid, and everyone is scored by it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::SignedDuration;
use loyalty::Expiry;
use loyalty::rfm::{Rfm, Scale};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Error, Member, churn, counts, labels, marks, score, store};
use crate::db::{self, Db, Read, Timestamp, Tx};
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
        let mut tx = run.begin().await?;
        let Some(mut refresh) = Refreshing::begin(&mut tx, shop, run.now()).await.map_err(failed)? else {
            return run.finish(tx).await;
        };
        tx.commit().await?;
        while refresh.next(&run.app.db, AT_ONCE).await? {
            // Whoever takes the task over lays another scale: what is still written by this one is right until then.
            run.begin().await?.commit().await?;
        }
        churn::count_old(&run.app.db, shop, run.now()).await?;
        run.finish(run.begin().await?).await
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
    Ok(tasks::push(tx, shop, &Refresh {}, Order::new(occasion), now).await?)
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
    /// Whom it has found since it wrote last who belong into another segment.
    moving: Vec<Member>,
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
        let (day_from, after) = (calendar.day_start(now), MemberId(Uuid::nil()));
        let (moving, counts) = (Vec::new(), BTreeMap::new());
        Ok(Some(Refreshing { shop, id, scale, now, day_from, after, moving, counts }))
    }

    /// Scores the members who come next: two pages of so many at most. False when there is nobody left, or another refresh
    /// has begun.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn next(&mut self, db: &Db, most: i64) -> Result<bool, db::Error> {
        let members = self.pages(db, most).await?;
        if let Some(last) = members.last() {
            self.after = last.member_id;
        }
        let is_over = members.is_empty();
        for member in members {
            let segment = member.scored(&self.scale);
            if let Some(segment) = segment {
                *self.counts.entry(segment).or_default() += 1;
            }
            if member.segment != segment {
                self.moving.push(member);
            }
        }
        // Where few move, it is the transactions that would cost most.
        if is_over || self.moving.len() as i64 >= most {
            let moving = std::mem::take(&mut self.moving);
            let (one, other) = moving.split_at(moving.len().div_ceil(2));
            let (one, other) = tokio::try_join!(self.write(db, one), self.write(db, other))?;
            if !(one && other) {
                return Ok(false);
            }
        }
        if is_over {
            self.end(db).await?;
        }
        Ok(!is_over)
    }

    /// Reads those who come next: two pages at the same time, since the database reads with one processor for each.
    async fn pages(&self, db: &Db, most: i64) -> Result<Vec<Member>, db::Error> {
        let page = async |after, skipped, most| {
            store::page_beyond(&mut db.read(self.shop).await?, self.shop, (after, skipped), most).await
        };
        // The second begins with the last of the first, or somebody has come or gone between the two.
        let (mut members, mut more) =
            tokio::try_join!(page(self.after, 0, most), page(self.after, most - 1, most + 1))?;
        let Some(last) = members.last().map(|last| last.member_id) else { return Ok(members) };
        if more.first().is_some_and(|first| first.member_id != last) {
            more = page(last, 0, most).await?;
        }
        more.retain(|member| member.member_id > last);
        members.append(&mut more);
        Ok(members)
    }

    /// Puts members into their segments. False where another refresh has begun.
    async fn write(&self, db: &Db, members: &[Member]) -> Result<bool, db::Error> {
        if members.is_empty() {
            return Ok(true);
        }
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

    /// Keeps what was counted, and has metafields and tags follow.
    async fn end(&mut self, db: &Db) -> Result<(), db::Error> {
        let mut tx = db.begin(self.shop).await?;
        let laid = store::hold_scale(&mut tx, self.shop).await?;
        let Some(laid) = laid.filter(|laid| laid.refresh_id == Some(self.id)) else { return Ok(()) };
        let prospects = customers::count(&mut tx, self.shop).await? - self.counts.values().sum::<i64>();
        self.counts.insert(counts::PROSPECTS, prospects.max(0));
        counts::keep(&mut tx, self.shop, self.day_from, &self.counts).await?;
        marks::mark_soon(&mut tx, self.shop, laid.unmarked_since.unwrap_or(self.now), self.now).await?;
        labels::label_soon(&mut tx, self.shop, self.id, self.now).await?;
        store::done(&mut tx, self.shop, self.id).await?;
        tx.commit().await
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
