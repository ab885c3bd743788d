//! The table of payouts.

use std::collections::HashSet;

use loyalty::{Currency, Money, Points};
use uuid::Uuid;

use super::{Kind, Outcome, Payout, State};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::points::{self, SpendId};
use crate::redemptions::Error;

crate::holds! {
    redemptions_payouts [shop_id, payout_id] of Member("member_id"), kept "with the ledger's entries" {
        shop_id: Id, payout_id: Id, member_id: Id, reward_id: Plain, kind: Plain, currency: Plain, minor: Plain,
        points: Plain, spend_id: Id, stocked: Plain, state: Plain, asked_at: Time, sent_at: Time, settled_at: Time,
        made_id: Plain, reason: Plain,
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    payout_id: Uuid,
    member_id: MemberId,
    reward_id: String,
    kind: Kind,
    currency: String,
    minor: i64,
    points: i64,
    spend_id: SpendId,
    stocked: bool,
    state: State,
    sent_at: Option<Timestamp>,
    reason: Option<String>,
}

impl TryFrom<Row> for Payout {
    type Error = Error;

    fn try_from(row: Row) -> Result<Payout, Error> {
        let corrupt = |_| points::Error::Corrupt("a stored payout is none");
        let currency = Currency::parse(&row.currency).map_err(|_| corrupt(()))?;
        Ok(Payout {
            id: row.payout_id,
            member: row.member_id,
            reward: row.reward_id,
            kind: row.kind,
            amount: Money::new(row.minor, currency).map_err(|_| corrupt(()))?,
            points: Points::new(row.points).map_err(|_| corrupt(()))?,
            state: row.state,
            sent_at: row.sent_at,
            reason: row.reason,
            spend: row.spend_id,
            stocked: row.stocked,
        })
    }
}

/// Writes down a payout; false where its id is taken.
pub(super) async fn insert(
    tx: &mut Tx,
    shop: ShopId,
    payout: &Payout,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let inserted = db!(
        tx.execute,
        "insert into redemptions_payouts (shop_id, payout_id, member_id, reward_id, kind, currency, minor, points,
             spend_id, stocked, state, asked_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (shop_id, payout_id) do nothing",
        shop,
        payout.id,
        payout.member,
        payout.reward.as_str(),
        payout.kind,
        payout.amount.currency().code(),
        payout.amount.minor(),
        payout.points.get(),
        payout.spend,
        payout.stocked,
        payout.state,
        now
    )?;
    Ok(inserted > 0)
}

/// A payout.
pub(super) async fn find(read: &mut Read, shop: ShopId, id: Uuid) -> Result<Option<Payout>, Error> {
    let found: Option<Row> = db!(
        read.optional,
        "select payout_id, member_id, reward_id, kind, currency, minor, points, spend_id, stocked, state, sent_at,
             reason
         from redemptions_payouts where shop_id = $1 and payout_id = $2",
        shop,
        id
    )?;
    found.map(Payout::try_from).transpose()
}

/// The member's payout of this id, and whichever is not settled.
pub(super) async fn of_member(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
    id: Uuid,
) -> Result<Vec<Payout>, Error> {
    let found: Vec<Row> = db!(
        read.all,
        "select payout_id, member_id, reward_id, kind, currency, minor, points, spend_id, stocked, state, sent_at,
             reason
         from redemptions_payouts
         where shop_id = $1 and member_id = $2 and (payout_id = $3 or state in ('asked', 'sent', 'unknown'))",
        shop,
        member,
        id
    )?;
    found.into_iter().map(Payout::try_from).collect()
}

/// Payouts that were asked for before a time and are not settled, the oldest first.
pub(super) async fn unsettled(
    read: &mut Read,
    shop: ShopId,
    before: Timestamp,
    most: i64,
) -> Result<Vec<Uuid>, db::Error> {
    let found: Vec<(Uuid,)> = db!(
        read.all,
        "select payout_id from redemptions_payouts
         where shop_id = $1 and state in ('asked', 'sent', 'unknown') and asked_at < $2
         order by asked_at, payout_id limit $3",
        shop,
        before,
        most
    )?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Notes how far asking Shopify has come; false where it has gone on otherwise meanwhile.
pub(super) async fn advance(
    tx: &mut Tx,
    shop: ShopId,
    id: Uuid,
    (from, to): (State, State),
    sent_at: Option<Timestamp>,
) -> Result<bool, db::Error> {
    let advanced = db!(
        tx.execute,
        "update redemptions_payouts set state = $4, sent_at = $5
         where shop_id = $1 and payout_id = $2 and state = $3",
        shop,
        id,
        from,
        to,
        sent_at
    )?;
    Ok(advanced > 0)
}

/// Notes what came of it; false where that is known already.
pub(super) async fn settle(
    tx: &mut Tx,
    shop: ShopId,
    id: Uuid,
    outcome: Outcome<'_>,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let (state, made, reason) = match outcome {
        Outcome::Made(made) => (State::Done, Some(made), None),
        Outcome::Nothing(reason) => (State::Refused, None, Some(reason)),
    };
    let settled = db!(
        tx.execute,
        "update redemptions_payouts set state = $3, made_id = $4, reason = $5, settled_at = $6
         where shop_id = $1 and payout_id = $2 and state in ('asked', 'sent', 'unknown')",
        shop,
        id,
        state,
        made,
        reason,
        now
    )?;
    Ok(settled > 0)
}

/// What Shopify made for payouts of this member that are settled.
pub(super) async fn made(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
) -> Result<HashSet<String>, db::Error> {
    let made: Vec<(String,)> = db!(
        read.all,
        "select made_id from redemptions_payouts
         where shop_id = $1 and member_id = $2 and made_id is not null",
        shop,
        member
    )?;
    Ok(made.into_iter().map(|(made,)| made).collect())
}

/// How often the member has had the reward since then.
pub(in crate::redemptions) async fn had(
    read: &mut Read,
    shop: ShopId,
    member: MemberId,
    reward: &str,
    since: Timestamp,
) -> Result<i64, db::Error> {
    let (had,): (i64,) = db!(
        read.one,
        "select count(*) from redemptions_payouts
         where shop_id = $1 and member_id = $2 and reward_id = $3 and asked_at >= $4 and state <> 'refused'",
        shop,
        member,
        reward,
        since
    )?;
    Ok(had)
}

/// What was paid out to one member, or is to be, is another's.
pub(in crate::redemptions) async fn merge(
    tx: &mut Tx,
    shop: ShopId,
    from: MemberId,
    into: MemberId,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update redemptions_payouts set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    Ok(())
}

/// Payouts that are settled and do not say how, or are not and do.
pub(in crate::redemptions) async fn violations(read: &mut Read, shop: ShopId) -> Result<i64, db::Error> {
    let (count,): (i64,) = db!(
        read.one,
        "select count(*) from redemptions_payouts
         where shop_id = $1 and ((state = 'done') <> (made_id is not null)
             or (state = 'refused') <> (reason is not null)
             or (state in ('done', 'refused')) <> (settled_at is not null))",
        shop
    )?;
    Ok(count)
}
