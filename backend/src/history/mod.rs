//! History: the customers that a shop had before the app came, and what they bought, read from the files of bulk
//! operations.
//!
//! ```text
//! set up, POST, command ─ ask ─┬─ a file of customers ─ members
//!                              └─ a file of orders ─ take ─┬─ history_orders ─ added up by rfm
//!                a webhook of such an order ─┬─ it is booked ─ no history any more
//!                                            └─ it is not ─ note, if it is newer
//! ```
//!
//! An order is either booked or history, and the order's row, which both lock, decides. History earns no points, whatever
//! becomes of it: it only counts in what members have bought.

mod command;
pub mod invariants;
mod past;
mod reader;
pub mod routes;
mod store;
mod take;

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::bulk::{self, State};
use crate::db::{self, Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::points;

pub use crate::points::history::{Bought, Did};
pub use command::{HistoryArgs, run};
pub use past::{Fault, Past, read as read_order};
pub use reader::HistoryReader;
pub use store::{Report, merge, redact};
pub use take::{Taken, booked, note, take, take_back};

crate::text_enum! {
    /// What a file is of.
    pub enum Subject {
        /// Every customer.
        Customers = "customers",
        /// Every order that Shopify shows.
        Orders = "orders",
    }
}

impl Subject {
    /// Both.
    pub const ALL: [Subject; 2] = [Subject::Customers, Subject::Orders];

    /// What its bulk operations are for.
    fn purpose(self) -> &'static str {
        match self {
            Subject::Customers => "history.customers",
            Subject::Orders => "history.orders",
        }
    }
}

/// A file that was asked for, now or before.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// What it is of.
    pub subject: Subject,
    /// The bulk run.
    pub run: Uuid,
    /// Whether none was under way.
    pub new: bool,
}

/// Whether a member has bought anything by history.
///
/// # Errors
/// Any error of the database.
pub async fn has_bought(read: &mut Read, shop: ShopId, member: MemberId) -> Result<bool, db::Error> {
    Ok(!store::of(read, shop, &[member]).await?.is_empty())
}

/// Asks for both files, if the transaction commits; what is under way is not asked for again.
///
/// # Errors
/// Any error of the database.
pub async fn ask(tx: &mut Tx, shop: ShopId, now: Timestamp) -> Result<Vec<Asked>, db::Error> {
    ask_since(tx, shop, Timestamp::UNIX_EPOCH, now).await
}

/// As [`ask`]; what was asked for before that time, as before the app was there again, is given up and asked for anew.
///
/// # Errors
/// Any error of the database.
pub async fn ask_since(
    tx: &mut Tx,
    shop: ShopId,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Asked>, db::Error> {
    let mut all = Vec::new();
    for subject in Subject::ALL {
        let bulk::Asked { run, new } = bulk::ask_since(tx, shop, subject.purpose(), since, now).await?;
        if new {
            store::report_on(tx, shop, run, subject, now).await?;
        }
        all.push(Asked { subject, run, new });
    }
    Ok(all)
}

/// Whether the shop's orders were, or are about to be, read.
///
/// # Errors
/// Any error of the database.
pub async fn is_read(read: &mut Read, shop: ShopId) -> Result<bool, db::Error> {
    Ok(store::last(read, shop, Subject::Orders).await?.is_some())
}

/// How far a file is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// What it is of.
    pub subject: Subject,
    /// What came of its lines.
    pub report: Report,
    /// How much of it was read.
    pub run: bulk::Run,
}

impl Progress {
    /// How far it is, in a word.
    fn state(&self) -> &'static str {
        match self.run.state {
            State::Asked => "asked",
            State::Running => "making",
            State::Completed => "reading",
            State::Read => "done",
            State::Cut | State::Failed | State::Canceled | State::Expired => "incomplete",
        }
    }

    /// How far orders go back, if it is of them; of customers there are all.
    fn reach(&self) -> Option<&'static str> {
        let all = self.report.all_orders.filter(|_| self.subject == Subject::Orders);
        all.map(|all| if all { "all" } else { "last_60_days" })
    }
}

/// How far the last file of this kind is; none before the first.
///
/// # Errors
/// Any error of the database.
pub async fn progress(
    read: &mut Read,
    shop: ShopId,
    subject: Subject,
) -> Result<Option<Progress>, db::Error> {
    let Some(report) = store::last(read, shop, subject).await? else { return Ok(None) };
    let run = bulk::run(read, shop, report.run_id).await?;
    Ok(run.map(|run| Progress { subject, report, run }))
}

/// What these members have bought: by orders that are booked, and by history.
///
/// # Errors
/// Any error of the database.
pub async fn of(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<HashMap<MemberId, Bought>, db::Error> {
    let mut all = points::history::of(read, shop, members).await?;
    for one in store::of(read, shop, members).await? {
        all.entry(one.member_id).and_modify(|bought| bought.add(&one)).or_insert(one);
    }
    Ok(all)
}

/// What a member did from then on that tiers count: by orders, booked or not, and by occasions for a bonus. History has
/// earned nothing.
///
/// # Errors
/// Any error of the database.
pub async fn since(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
    from: Timestamp,
) -> Result<Vec<Did>, db::Error> {
    let mut all = points::history::since(read, shop, member, from).await?;
    all.extend(store::since(read, shop, member, from).await?);
    Ok(all)
}

/// What the members who come next after one of them have bought, booked or not, by orders that were placed before then.
///
/// # Errors
/// Any error of the database.
pub async fn until(
    read: &mut Read,
    shop: ShopId,
    before: Timestamp,
    after: MemberId,
    most: i64,
) -> Result<Vec<Bought>, db::Error> {
    let booked = points::history::until(read, shop, before, after, most).await?;
    let past = store::until(read, shop, before, after, most).await?;
    let end = |page: &[Bought]| page.last().map(|last| last.member_id).filter(|_| page.len() as i64 >= most);
    let end = [end(&booked), end(&past)].into_iter().flatten().min();
    let mut all: BTreeMap<MemberId, Bought> = BTreeMap::new();
    for one in booked.into_iter().chain(past) {
        // Whoever comes after the end of a page that is full is left to the next: the other may know of their orders, too.
        if end.is_none_or(|end| one.member_id <= end) {
            all.entry(one.member_id).and_modify(|bought| bought.add(&one)).or_insert(one);
        }
    }
    Ok(all.into_values().collect())
}

/// When the members who come next after one of them, so many at most, placed their orders of which something is left, booked or
/// not: member by member, in the order of the times.
///
/// # Errors
/// Any error of the database.
pub async fn placed(
    read: &mut Read,
    shop: ShopId,
    after: MemberId,
    most: i64,
) -> Result<Vec<(MemberId, Timestamp)>, db::Error> {
    let booked = points::history::placed(read, shop, after, most).await?;
    let past = store::placed(read, shop, after, most).await?;
    let end = |page: &[(MemberId, Timestamp)]| {
        let members = page.chunk_by(|(one, _), (next, _)| one == next).count() as i64;
        page.last().map(|(last, _)| *last).filter(|_| members >= most)
    };
    let end = [end(&booked), end(&past)].into_iter().flatten().min();
    let mut all: Vec<(MemberId, Timestamp)> = booked.into_iter().chain(past).collect();
    all.retain(|(member, _)| end.is_none_or(|end| *member <= end));
    all.sort_unstable();
    Ok(all)
}

/// How many members bought something by history.
///
/// # Errors
/// Any error of the database.
pub async fn buyers(read: &mut Read, shop: ShopId) -> Result<i64, db::Error> {
    store::buyers(read, shop).await
}

/// How many of these members did.
///
/// # Errors
/// Any error of the database.
pub async fn buyers_among(read: &mut Read, shop: ShopId, members: &[MemberId]) -> Result<i64, db::Error> {
    Ok(store::of(read, shop, members).await?.len() as i64)
}
