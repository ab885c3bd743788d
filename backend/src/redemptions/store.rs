//! The tables of holds and of their uses by orders.

use loyalty::order::{Redeemed, Used};
use loyalty::{Currency, HoldId, Points, Terms};
use sqlx::types::Json;
use uuid::Uuid;

use super::desk::Use;
use super::{Hold, Reason, State, stock};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::SpendId;
use crate::rota::Passed;

crate::holds! {
    redemptions_holds [shop_id, hold_id] of Member("member_id"), kept "with the ledger's entries" {
        shop_id: Id, hold_id: Id, member_id: Id, reward_id: Plain, state: Plain, terms: Json, opened_at: Time,
        expires_at: Time, cleared_at: Time, ended_at: Time, reason: Plain, order_id: Plain, captured: Plain,
        stocked: Plain,
    }
}
crate::holds! {
    redemptions_uses [shop_id, order_id] of Member("member_id"), kept "with the ledger's entries" {
        shop_id: Id, order_id: Plain, member_id: Id, hold_id: Id, spend_id: Id, currency: Plain, used: Json,
        used_minor: Plain, captured_minor: Plain, debited_minor: Plain, unbacked_minor: Plain, paid: Plain,
        unbacked: Plain, paid_kept: Plain, unbacked_kept: Plain, let_off: Plain, revision: Plain, used_at: Time,
        flagged: Plain, tag_at: Time, tagged_at: Time, reviewed_at: Time,
    }
}

#[derive(sqlx::FromRow)]
struct HoldRow {
    hold_id: Uuid,
    member_id: MemberId,
    reward_id: String,
    state: State,
    terms: Json<Terms>,
    opened_at: Timestamp,
    expires_at: Timestamp,
    cleared_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    reason: Option<Reason>,
    order_id: Option<OrderId>,
    captured: Option<i64>,
    stocked: bool,
}

impl From<HoldRow> for Hold {
    fn from(row: HoldRow) -> Hold {
        Hold {
            id: HoldId(row.hold_id.as_u128()),
            member: row.member_id,
            reward: row.reward_id,
            state: row.state,
            terms: row.terms.0,
            opened_at: row.opened_at,
            expires_at: row.expires_at,
            cleared_at: row.cleared_at,
            ended_at: row.ended_at,
            reason: row.reason,
            order: row.order_id,
            captured: row.captured,
            stocked: row.stocked,
            changed: false,
        }
    }
}

/// These holds, whosever they are.
pub(super) async fn holds(tx: &mut Read, shop: ShopId, holds: &[HoldId]) -> Result<Vec<Hold>, db::Error> {
    let rows: Vec<HoldRow> = db!(tx.all each holds,
        sqlite: "with v (shop_id, hold_id) as (values ($1, $2))
                 select h.* from v join redemptions_holds h on h.shop_id = v.shop_id and h.hold_id = v.hold_id",
        postgres: "with v (shop_id, hold_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select h.* from v join redemptions_holds h on h.shop_id = v.shop_id and h.hold_id = v.hold_id",
        |hold| shop, Uuid::from_u128(hold.0))?;
    Ok(rows.into_iter().map(Hold::from).collect())
}

/// The holds of these members that still hold points: at most one each.
pub(super) async fn held(tx: &mut Read, shop: ShopId, members: &[MemberId]) -> Result<Vec<Hold>, db::Error> {
    let rows: Vec<HoldRow> = db!(tx.all each members,
        sqlite: "with v (shop_id, member_id) as (values ($1, $2))
                 select h.* from v join redemptions_holds h on h.shop_id = v.shop_id and h.member_id = v.member_id
                     and h.state in ('opening', 'live', 'closing')",
        postgres: "with v (shop_id, member_id) as (select * from unnest($1::uuid[], $2::uuid[]))
                   select h.* from v join redemptions_holds h on h.shop_id = v.shop_id and h.member_id = v.member_id
                       and h.state in ('opening', 'live', 'closing')",
        |member| shop, *member)?;
    Ok(rows.into_iter().map(Hold::from).collect())
}

/// The holds of these members that ended at `since` or later.
pub(super) async fn ended_since(
    tx: &mut Read,
    shop: ShopId,
    members: &[MemberId],
    since: Timestamp,
) -> Result<Vec<Hold>, db::Error> {
    let rows: Vec<HoldRow> = db!(tx.all each members,
        sqlite: "with v (shop_id, member_id, since) as (values ($1, $2, $3))
                 select h.* from v join redemptions_holds h
                     on h.shop_id = v.shop_id and h.member_id = v.member_id and h.ended_at >= v.since",
        postgres: "with v (shop_id, member_id, since) as (
                       select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]))
                   select h.* from v join redemptions_holds h
                       on h.shop_id = v.shop_id and h.member_id = v.member_id and h.ended_at >= v.since",
        |member| shop, *member, since)?;
    Ok(rows.into_iter().map(Hold::from).collect())
}

/// Writes the holds that changed, and gives back to the stock what was released. Those that end come first: a member has
/// one that is held at a time.
pub(super) async fn save_holds<'a>(
    tx: &mut Tx,
    shop: ShopId,
    holds: impl IntoIterator<Item = &'a Hold>,
) -> Result<(), db::Error> {
    let changed = holds.into_iter().filter(|hold| hold.changed);
    let (held, ended): (Vec<&Hold>, Vec<&Hold>) = changed.partition(|hold| hold.state.is_held());
    stock::settle(tx, shop, &ended).await?;
    for mut holds in [ended, held] {
        // In one order everywhere, so that two workers never wait for each other.
        holds.sort_unstable_by_key(|hold| hold.id);
        db!(tx.each holds,
            sqlite: "insert into redemptions_holds (shop_id, hold_id, member_id, reward_id, state, terms, opened_at,
                         expires_at, cleared_at, ended_at, reason, order_id, captured, stocked)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                     on conflict (shop_id, hold_id) do update set state = excluded.state,
                         expires_at = excluded.expires_at, cleared_at = excluded.cleared_at,
                         ended_at = excluded.ended_at, reason = excluded.reason, order_id = excluded.order_id,
                         captured = excluded.captured, stocked = excluded.stocked",
            postgres: "insert into redemptions_holds (shop_id, hold_id, member_id, reward_id, state, terms, opened_at,
                           expires_at, cleared_at, ended_at, reason, order_id, captured, stocked)
                       select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[],
                           $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::text[],
                           $12::bigint[], $13::bigint[], $14::boolean[])
                       on conflict (shop_id, hold_id) do update set state = excluded.state,
                           expires_at = excluded.expires_at, cleared_at = excluded.cleared_at,
                           ended_at = excluded.ended_at, reason = excluded.reason, order_id = excluded.order_id,
                           captured = excluded.captured, stocked = excluded.stocked",
            |h| shop, Uuid::from_u128(h.id.0), h.member, h.reward.as_str(), h.state, Json(&h.terms), h.opened_at,
                h.expires_at, h.cleared_at, h.ended_at, h.reason, h.order, h.captured,
                h.stocked && h.state != State::Released)?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct UseRow {
    order_id: OrderId,
    member_id: Option<MemberId>,
    hold_id: Option<Uuid>,
    spend_id: Option<SpendId>,
    currency: String,
    used: Json<Used>,
    captured_minor: i64,
    debited_minor: i64,
    unbacked_minor: i64,
    paid: i64,
    unbacked: i64,
    paid_kept: i64,
    unbacked_kept: i64,
    let_off: i64,
    revision: i64,
    used_at: Timestamp,
    flagged: bool,
}

impl TryFrom<UseRow> for Use {
    type Error = super::Error;

    fn try_from(row: UseRow) -> Result<Use, super::Error> {
        let points = |value| Points::new(value).map_err(crate::points::Error::from);
        Ok(Use {
            order: row.order_id,
            member: row.member_id,
            hold: row.hold_id.map(|id| HoldId(id.as_u128())),
            spend: row.spend_id,
            currency: Currency::parse(&row.currency)
                .map_err(|_| crate::points::Error::Corrupt("a stored currency is none"))?,
            used: row.used.0,
            captured_minor: row.captured_minor,
            debited_minor: row.debited_minor,
            unbacked_minor: row.unbacked_minor,
            redeemed: Redeemed { paid: points(row.paid)?, unbacked: points(row.unbacked)? },
            kept: Redeemed { paid: points(row.paid_kept)?, unbacked: points(row.unbacked_kept)? },
            let_off: points(row.let_off)?,
            revision: row.revision,
            used_at: row.used_at,
            flagged: row.flagged,
            changed: false,
        })
    }
}

/// What these orders used, where they used anything.
pub(super) async fn uses(tx: &mut Read, shop: ShopId, orders: &[OrderId]) -> Result<Vec<Use>, super::Error> {
    let rows: Vec<UseRow> = db!(tx.all each orders,
        sqlite: "with v (shop_id, order_id) as (values ($1, $2))
                 select u.* from v join redemptions_uses u on u.shop_id = v.shop_id and u.order_id = v.order_id",
        postgres: "with v (shop_id, order_id) as (select * from unnest($1::uuid[], $2::bigint[]))
                   select u.* from v join redemptions_uses u on u.shop_id = v.shop_id and u.order_id = v.order_id",
        |order| shop, *order)?;
    rows.into_iter().map(Use::try_from).collect()
}

/// Writes the uses that changed.
pub(super) async fn save_uses<'a>(
    tx: &mut Tx,
    shop: ShopId,
    uses: impl IntoIterator<Item = &'a Use>,
) -> Result<(), db::Error> {
    let changed: Vec<&Use> = uses.into_iter().filter(|used| used.changed).collect();
    db!(tx.each changed,
        sqlite: "insert into redemptions_uses (shop_id, order_id, member_id, hold_id, spend_id, currency, used,
                     used_minor, captured_minor, debited_minor, unbacked_minor, paid, unbacked, paid_kept,
                     unbacked_kept, let_off, revision, used_at, flagged)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
                 on conflict (shop_id, order_id) do update set paid_kept = excluded.paid_kept,
                     unbacked_kept = excluded.unbacked_kept, let_off = excluded.let_off,
                     revision = excluded.revision, flagged = excluded.flagged",
        postgres: "insert into redemptions_uses (shop_id, order_id, member_id, hold_id, spend_id, currency, used,
                       used_minor, captured_minor, debited_minor, unbacked_minor, paid, unbacked, paid_kept,
                       unbacked_kept, let_off, revision, used_at, flagged)
                   select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
                       $7::jsonb[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
                       $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[],
                       $18::timestamptz[], $19::boolean[])
                   on conflict (shop_id, order_id) do update set paid_kept = excluded.paid_kept,
                       unbacked_kept = excluded.unbacked_kept, let_off = excluded.let_off,
                     revision = excluded.revision, flagged = excluded.flagged",
        |u| shop, u.order, u.member, u.hold.map(|hold| Uuid::from_u128(hold.0)), u.spend, u.currency.code(),
            Json(&u.used), u.used.total(), u.captured_minor, u.debited_minor, u.unbacked_minor,
            u.redeemed.paid.get(), u.redeemed.unbacked.get(), u.kept.paid.get(), u.kept.unbacked.get(),
            u.let_off.get(), u.revision, u.used_at, u.flagged)?;
    Ok(())
}

/// Whether a discount on an order of this member waits for the merchant's review.
pub(super) async fn is_under_review(
    tx: &mut Read,
    shop: ShopId,
    member: MemberId,
) -> Result<bool, db::Error> {
    let found: Option<(i64,)> = db!(
        tx.optional,
        "select cast(1 as bigint) from redemptions_uses
         where shop_id = $1 and member_id = $2 and flagged and reviewed_at is null limit 1",
        shop,
        member
    )?;
    Ok(found.is_some())
}

/// The metafield shows the hold: it is live, unless it has gone on meanwhile.
pub(super) async fn set_live(tx: &mut Tx, shop: ShopId, hold: HoldId) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update redemptions_holds set state = 'live' where shop_id = $1 and hold_id = $2 and state = 'opening'",
        shop,
        Uuid::from_u128(hold.0)
    )?;
    Ok(())
}

/// The metafield does not show the closing hold any more: its points are free at `release_at`.
pub(super) async fn set_cleared(
    tx: &mut Tx,
    shop: ShopId,
    hold: HoldId,
    now: Timestamp,
    release_at: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update redemptions_holds set cleared_at = $3, expires_at = $4
         where shop_id = $1 and hold_id = $2 and state = 'closing' and cleared_at is null",
        shop,
        Uuid::from_u128(hold.0),
        now,
        release_at
    )?;
    Ok(())
}

/// The shops that have orders to be tagged, from this one on, and whether one of them is due.
pub(super) async fn pass_to_tag(
    read: &mut Read,
    from: ShopId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Passed>, db::Error> {
    db!(
        read.all,
        "with recursive circle (shop_id, step) as (
             select (select shop_id from redemptions_uses where flagged and tagged_at is null and shop_id >= $1
                     order by shop_id limit 1), 1
             union all
             select (select u.shop_id from redemptions_uses u
                     where u.flagged and u.tagged_at is null and u.shop_id > circle.shop_id
                     order by u.shop_id limit 1), circle.step + 1
             from circle where circle.shop_id is not null and circle.step < $3)
         select circle.shop_id, exists (
             select 1 from redemptions_uses u
             where u.shop_id = circle.shop_id and u.flagged and u.tagged_at is null and u.tag_at <= $2) as is_ready
         from circle where circle.shop_id is not null order by circle.step",
        from,
        now,
        most
    )
}

/// Orders of a shop that are to be tagged now.
pub(super) async fn to_tag(
    read: &mut Read,
    shop: ShopId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<OrderId>, db::Error> {
    let orders: Vec<(OrderId,)> = db!(
        read.all,
        "select order_id from redemptions_uses
         where shop_id = $1 and flagged and tagged_at is null and tag_at <= $2
         order by tag_at, order_id limit $3",
        shop,
        now,
        most
    )?;
    Ok(orders.into_iter().map(|(order,)| order).collect())
}

/// No order of the shop is tagged before `until`; the one that failed, if it was one, not before `failed_until`.
pub(super) async fn put_tags_off(
    tx: &mut Tx,
    shop: ShopId,
    until: Timestamp,
    failed: Option<OrderId>,
    failed_until: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update redemptions_uses set tag_at = case when order_id = $3 then $4 else $2 end
         where shop_id = $1 and flagged and tagged_at is null and tag_at < $2",
        shop,
        until,
        failed,
        failed_until
    )?;
    Ok(())
}

/// The order bears its tag.
pub(super) async fn set_tagged(
    tx: &mut Tx,
    shop: ShopId,
    order: OrderId,
    now: Timestamp,
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update redemptions_uses set tagged_at = $3 where shop_id = $1 and order_id = $2",
        shop,
        order,
        now
    )?;
    Ok(())
}

/// An order whose discount no hold covered. Money in minor units of its currency.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Flagged {
    pub order_id: OrderId,
    pub used_at: Timestamp,
    pub currency: String,
    pub used_minor: i64,
    pub unbacked_minor: i64,
}

/// The orders of a shop that wait for the merchant's review, oldest first.
pub(super) async fn flagged(tx: &mut Read, shop: ShopId) -> Result<Vec<Flagged>, db::Error> {
    db!(
        tx.all,
        "select order_id, used_at, currency, used_minor, unbacked_minor from redemptions_uses
         where shop_id = $1 and flagged and reviewed_at is null order by used_at",
        shop
    )
}

/// Closes the review of an order; says whether one was open.
pub(super) async fn set_reviewed(
    tx: &mut Tx,
    shop: ShopId,
    order: OrderId,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let closed = db!(
        tx.execute,
        "update redemptions_uses set reviewed_at = $3
         where shop_id = $1 and order_id = $2 and flagged and reviewed_at is null",
        shop,
        order,
        now
    )?;
    Ok(closed > 0)
}
