//! RFM: in which segment a member is by what they have bought.
//!
//! ```text
//! an order ─ its booking ─ rfm_members (added up) ─┐
//! every night ─ a scale from all of them ──────────┴─ a segment ─ history, event, metafield
//! ```
//!
//! How members are scored, a *scale*, is laid every night, and when the program says so in another way. Between two nights
//! whoever buys is scored by it at once, by their own numbers alone.
//!
//! Whoever lays a scale waits for those who score by the one before (`hold_scale`), and passes by all members after it. So
//! nobody is left behind with a score of an older one.

pub mod agreement;
mod changes;
mod churn;
mod counts;
mod export;
pub mod invariants;
mod jobs;
mod labels;
mod marks;
mod movers;
pub mod routes;
mod scales;
mod store;
mod wizard;

use std::collections::{BTreeMap, HashMap};

use loyalty::rfm::{Group, History, Scale, Segment};

use crate::db::{self, Read, Timestamp, Tx};
use crate::events::{self, Event, RfmUpdated};
use crate::history;
use crate::ids::{MemberId, ShopId};
use crate::points::history::Moved;

pub use export::{RfmCommand, run};
pub use jobs::{AT_ONCE, Refresh, Refreshing, refresh_soon};
pub use labels::{Label, is_label};
pub use marks::Mark;
pub use movers::End;

/// What can go wrong with segments.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program.
    #[error(transparent)]
    Program(#[from] crate::programs::Error),
    /// The orders.
    #[error(transparent)]
    Orders(#[from] crate::orders::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// What a member has bought, and the segment by it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct Member {
    member_id: MemberId,
    last_order_at: Option<Timestamp>,
    orders: i64,
    spent: i64,
    segment: Option<i64>,
    is_there: bool,
}

impl Member {
    fn history(&self) -> History {
        let last_order = self.last_order_at.map_or(0, Timestamp::as_microsecond);
        History { last_order, orders: self.orders, spent: self.spent }
    }

    /// The segment by this scale, as it is stored.
    fn scored(&self, scale: &Scale) -> Option<i64> {
        let segment = scale.segment(&self.history()).filter(|_| self.is_there);
        segment.map(|segment| segment.code().into())
    }
}

/// A member, and the segment to put them into.
type Moving<'a> = (&'a Member, Option<i64>);

/// What is added to a member's history.
#[derive(Debug, Clone, Copy, Default)]
struct Added {
    orders: i64,
    spent: i64,
    /// The last of the orders that are new to it.
    last_order_at: Option<Timestamp>,
    /// An order is gone, perhaps the last.
    is_less: bool,
}

/// Takes note of what members have bought more or less by orders that are saved; nobody merges these members meanwhile. Says
/// who is in another segment by that: their metafields are to be written.
///
/// # Errors
/// Any error of the database.
pub async fn follow(
    tx: &mut Tx,
    shop: ShopId,
    moved: impl IntoIterator<Item = Moved>,
    now: Timestamp,
) -> Result<Vec<MemberId>, db::Error> {
    let mut added: BTreeMap<MemberId, Added> = BTreeMap::new();
    for moved in moved {
        let added = added.entry(moved.member).or_default();
        added.orders += moved.orders;
        added.spent = added.spent.saturating_add(moved.spent);
        added.is_less |= moved.orders < 0;
        if moved.orders > 0 {
            added.last_order_at = added.last_order_at.max(Some(moved.placed_at));
        }
    }
    if added.is_empty() {
        return Ok(Vec::new());
    }
    let scale = store::hold_scale(tx, shop).await?;
    let mut members = store::add(tx, shop, &added.iter().collect::<Vec<_>>()).await?;
    let less: Vec<MemberId> =
        added.iter().filter(|(_, added)| added.is_less).map(|(member, _)| *member).collect();
    if !less.is_empty() {
        let bought = history::of(tx, shop, &less).await?;
        let last: Vec<(MemberId, Option<Timestamp>)> =
            less.iter().map(|member| (*member, bought.get(member).map(|left| left.last_order_at))).collect();
        store::set_last(tx, shop, &last).await?;
        for (member, last_order_at) in last {
            let known = members.iter_mut().find(|known| known.member_id == member);
            known.into_iter().for_each(|known| known.last_order_at = last_order_at);
        }
    }
    match scale.and_then(|scale| scale.scale()) {
        Some(scale) => score(tx, shop, &scale, &members, now).await,
        None => Ok(Vec::new()),
    }
}

/// Puts these members into their segments, and says who was in another before. Those who have bought something since they
/// were read are scored by whoever noted that.
async fn score(
    tx: &mut Tx,
    shop: ShopId,
    scale: &Scale,
    members: &[Member],
    now: Timestamp,
) -> Result<Vec<MemberId>, db::Error> {
    let scored = members.iter().map(|member| (member, member.scored(scale)));
    let mut moving: Vec<Moving<'_>> = scored.filter(|(member, segment)| member.segment != *segment).collect();
    if moving.is_empty() {
        return Ok(Vec::new());
    }
    moving.sort_unstable_by_key(|(member, _)| member.member_id);
    let moved = store::set_segments(tx, shop, &moving, now).await?;
    moving.retain(|(member, _)| moved.contains(&member.member_id));
    let updated = |(member, segment): &Moving<'_>| {
        let [segment, before] = [*segment, member.segment].map(read);
        let text = |segment: Option<Segment>| segment.map(|segment| segment.to_string());
        let group = Group::of(segment).as_str().to_owned();
        let (segment, before) = (text(segment), text(before));
        Event::RfmUpdated(RfmUpdated { member: member.member_id, segment, group, before })
    };
    events::publish_all(tx, shop, &moving.iter().map(updated).collect::<Vec<_>>(), now).await?;
    Ok(moving.into_iter().map(|(member, _)| member.member_id).collect())
}

/// A segment as it is stored.
fn read(code: Option<i64>) -> Option<Segment> {
    code.and_then(|code| Segment::of_code(code).ok())
}

/// The segments of those of these members who are in one.
///
/// # Errors
/// Any error of the database.
pub async fn segments(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, Segment>, db::Error> {
    let found = store::segments(read, shop, members).await?;
    Ok(found.into_iter().filter_map(|(member, code)| Some((member, Segment::of_code(code).ok()?))).collect())
}

/// What one member has bought is another's: both are locked, and their orders are the other's already.
///
/// # Errors
/// Any error of the database.
pub async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    (from, into): (MemberId, MemberId),
    now: Timestamp,
) -> Result<(), db::Error> {
    let scale = store::hold_scale(tx, shop).await?;
    for member in [from, into] {
        // Of both there may be tags: whoever is kept has all of them.
        labels::forget(tx, shop, member).await?;
    }
    let Some(gone) = store::take(tx, shop, from, into).await? else { return Ok(()) };
    let Member { orders, spent, last_order_at, .. } = gone;
    let added = Added { orders, spent, last_order_at, is_less: false };
    let members = store::add(tx, shop, &[(&into, &added)]).await?;
    if let Some(scale) = scale.and_then(|scale| scale.scale()) {
        score(tx, shop, &scale, &members, now).await?;
    }
    Ok(())
}

/// A member whose customer is deleted or erased is in no segment any more, and nothing is left of those they were in.
///
/// # Errors
/// Any error of the database.
pub async fn leave(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    labels::forget(tx, shop, member).await?;
    store::leave(tx, shop, member).await
}
