//! What the ledger says: of a member, and of a shop as a whole.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use loyalty::{Points, account};
use serde::Serialize;

use super::Error;
use super::account::LotId;
use super::book::SpendId;
use super::entry::{Kind, Ledger};
use super::store::{AccountRow, points};
use crate::db;
use crate::db::{Read, Timestamp};
use crate::ids::{MemberId, ShopId};

/// What a member has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Points to spend; negative where more was taken back than there was.
    pub available: Points,
    /// Earned, but waiting.
    pub pending: Points,
    /// Pinned by a hold.
    pub held: Points,
    /// The number of changes.
    pub seq: i64,
    /// What expires next.
    pub next: Option<Next>,
}

/// Points that expire together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// How many.
    pub points: Points,
    /// From when on they are gone.
    pub at: Timestamp,
}

impl Next {
    /// As widgets show it: by the day, in the shop's zone.
    pub fn shown(&self, zone: &TimeZone) -> account::Next {
        account::Next { points: self.points, at: zone.to_datetime(self.at.to_jiff()).date().to_string() }
    }
}

/// Whether a hold pins points whose time has run out: they live as long as it does.
///
/// # Errors
/// Any error of the database.
pub async fn pins_what_is_over(
    tx: &mut Read,
    shop: ShopId,
    hold: SpendId,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let found: Option<(i64,)> = db!(
        tx.optional,
        "select cast(1 as bigint) from points_pins p
         join points_lots l on l.shop_id = p.shop_id and l.member_id = p.member_id and l.lot_id = p.lot_id
         where p.shop_id = $1 and p.spend_id = $2 and p.held and l.expires_at <= $3 limit 1",
        shop,
        hold,
        now
    )?;
    Ok(found.is_some())
}

/// What this member has; nothing where it never had an account.
///
/// # Errors
/// Any error of the database.
pub async fn balance(
    tx: &mut Read,
    shop: ShopId,
    member: MemberId,
    now: Timestamp,
) -> Result<Balance, Error> {
    let zero = Points::ZERO;
    let nothing = Balance { available: zero, pending: zero, held: zero, seq: 0, next: None };
    Ok(balances(tx, shop, &[member], now).await?.remove(&member).unwrap_or(nothing))
}

/// What these members have. Points whose time has run out are not counted, although their expiry may not be booked yet.
///
/// # Errors
/// Any error of the database.
pub async fn balances(
    tx: &mut Read,
    shop: ShopId,
    members: &[MemberId],
    now: Timestamp,
) -> Result<HashMap<MemberId, Balance>, Error> {
    let rows: Vec<AccountRow> = db!(tx.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select a.* from v join points_accounts a
                     on a.shop_id = v.shop_id and a.member_id = v.member_id",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select a.* from v join points_accounts a
                       on a.shop_id = v.shop_id and a.member_id = v.member_id",
        |member| shop, *member)?;
    let mut balances = HashMap::new();
    for row in rows {
        let balance = Balance {
            available: points(row.available)?,
            pending: points(row.pending)?,
            held: points(row.held)?,
            seq: row.seq,
            next: None,
        };
        balances.insert(row.member_id, balance);
    }
    for (member, at, sum) in expiring(tx, shop, members).await? {
        let Some(balance) = balances.get_mut(&member) else { continue };
        let sum = points(sum)?;
        if at <= now {
            balance.available = balance.available.minus(sum)?;
        } else if balance.next.is_none_or(|next| at < next.at) {
            balance.next = Some(Next { points: sum, at });
        }
    }
    Ok(balances)
}

/// What lies in the open lots of these members that expire, by when.
async fn expiring(
    tx: &mut Read,
    shop: ShopId,
    members: &[MemberId],
) -> Result<Vec<(MemberId, Timestamp, i64)>, db::Error> {
    db!(tx.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select l.member_id, l.expires_at, cast(sum(l.remaining) as bigint) from v join points_lots l
                     on l.shop_id = v.shop_id and l.member_id = v.member_id
                     and l.remaining > 0 and l.expires_at is not null
                 group by l.member_id, l.expires_at",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select l.member_id, l.expires_at, cast(sum(l.remaining) as bigint) from v join points_lots l
                       on l.shop_id = v.shop_id and l.member_id = v.member_id
                       and l.remaining > 0 and l.expires_at is not null
                   group by l.member_id, l.expires_at",
        |member| shop, *member)
}

/// Points that were earned together, as far as they can be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLot {
    /// How many are left.
    pub points: i64,
    /// When they were earned.
    pub earned_at: Timestamp,
    /// From when on they are gone.
    pub expires_at: Option<Timestamp>,
}

/// What these members can spend, oldest first. What has expired is not among it, although that may not be booked yet.
///
/// # Errors
/// Any error of the database.
pub async fn open_lots(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
    now: Timestamp,
) -> Result<HashMap<MemberId, Vec<OpenLot>>, db::Error> {
    let rows: Vec<(MemberId, LotId, i64, Timestamp, Option<Timestamp>)> = db!(read.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select l.member_id, l.lot_id, l.remaining, l.earned_at, l.expires_at from v
                     join points_lots l on l.shop_id = v.shop_id and l.member_id = v.member_id
                 where l.remaining > 0",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select l.member_id, l.lot_id, l.remaining, l.earned_at, l.expires_at from v
                       join points_lots l on l.shop_id = v.shop_id and l.member_id = v.member_id
                   where l.remaining > 0",
        |member| shop, *member)?;
    let mut rows: Vec<_> = rows.into_iter().filter(|(.., at)| at.is_none_or(|at| at > now)).collect();
    rows.sort_unstable_by_key(|(_, lot, _, earned_at, _)| (*earned_at, *lot));
    let mut open: HashMap<MemberId, Vec<OpenLot>> = HashMap::new();
    for (member, _, points, earned_at, expires_at) in rows {
        open.entry(member).or_default().push(OpenLot { points, earned_at, expires_at });
    }
    Ok(open)
}

/// One line of a member's history.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct HistoryLine {
    /// When it was booked (UTC).
    pub at: Timestamp,
    /// The number of the account's change.
    pub seq: i64,
    /// What happened.
    #[serde(serialize_with = "as_text")]
    pub kind: Kind,
    /// What it was for, such as `order:1001#1`.
    pub source_id: String,
    /// What else it was for, such as `action:review`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How the points to spend changed.
    pub available: i64,
    /// How the waiting points changed.
    pub pending: i64,
    /// How the pinned points changed.
    pub held: i64,
}

fn as_text<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

/// A member's entries before the one with number `before`, newest first.
///
/// # Errors
/// Any error of the database.
pub async fn history(
    tx: &mut Read,
    shop: ShopId,
    member: MemberId,
    before: i64,
    limit: i64,
) -> Result<Vec<HistoryLine>, db::Error> {
    db!(
        tx.all,
        "select e.booked_at as at, e.seq, e.kind, e.source_id, f.cause,
                cast(sum(case when p.account = 'available' then p.amount else 0 end) as bigint) as available,
                cast(sum(case when p.account = 'pending' then p.amount else 0 end) as bigint) as pending,
                cast(sum(case when p.account = 'held' then p.amount else 0 end) as bigint) as held
         from points_entries e
             join points_postings p on p.shop_id = e.shop_id and p.entry_id = e.entry_id
             left join points_effects f on f.shop_id = e.shop_id and f.kind = e.kind and f.source = e.source
                 and f.source_id = e.source_id
         where e.shop_id = $1 and e.member_id = $2 and e.seq < $3
         group by e.booked_at, e.seq, e.kind, e.source_id, f.cause
         order by e.seq desc limit $4",
        shop,
        member,
        before,
        limit
    )
}

/// A shop's points as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Points that were ever earned, waiting ones among them.
    pub issued: i64,
    /// Points that were taken back or called off.
    pub reversed: i64,
    /// Points that bought something.
    pub redeemed: i64,
    /// Points that nobody spent in time.
    pub expired: i64,
    /// Points that staff gave, less what they took.
    pub adjusted: i64,
    /// Points that members have: to spend, waiting, and held.
    pub outstanding: i64,
}

/// A shop's points as a whole, from the postings.
///
/// # Errors
/// Any error of the database.
pub async fn totals(tx: &mut Read, shop: ShopId) -> Result<Totals, db::Error> {
    let sums: Vec<(Ledger, i64)> = db!(
        tx.all,
        "select account, cast(sum(amount) as bigint) from points_postings where shop_id = $1 group by account",
        shop
    )?;
    let sum = |ledger| sums.iter().filter(|(account, _)| *account == ledger).map(|(_, sum)| sum).sum::<i64>();
    Ok(Totals {
        issued: -sum(Ledger::Issued),
        reversed: sum(Ledger::Reversed),
        redeemed: sum(Ledger::Redeemed),
        expired: sum(Ledger::Expired),
        adjusted: -sum(Ledger::Adjusted),
        outstanding: sum(Ledger::Available) + sum(Ledger::Pending) + sum(Ledger::Held),
    })
}
