//! The life of a hold outside of orders: picked, renewed, shown, closed, released.

use std::collections::HashMap;

use jiff::SignedDuration;
use loyalty::program::HoldTimes;
use loyalty::reward::Pick;
use loyalty::{Currency, HoldId, Points, Scope};
use uuid::Uuid;

use super::catalogue::{Refusal, Visit};
use super::desk::spend_of;
use super::stock::{self, Taken};
use super::{Error, Hold, Reason, State, store};
use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::{Book, Source};
use crate::{customers, points, programs, sync};

/// What a member asks for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The reward's id.
    pub reward: String,
    /// For rewards in steps, the points to spend.
    pub points: Option<Points>,
    /// The cart's currency.
    pub currency: Currency,
    /// Which carts may use it.
    pub scope: Scope,
}

/// Opens a hold for what the member wishes; it replaces the member's hold that stands. The same wish again renews the
/// hold that stands instead.
///
/// # Errors
/// [`Error::Refused`], [`Error::UnknownReward`], [`Error::Pick`], or too few points; the transaction must be rolled back
/// then.
pub async fn open(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    wish: Wish,
    now: Timestamp,
) -> Result<Hold, Error> {
    let versioned = programs::current(tx, shop).await?;
    let program = &versioned.program;
    let reward = program.reward(&wish.reward).ok_or(Error::UnknownReward)?;
    let id = HoldId(Uuid::now_v7().as_u128());
    let terms = reward.terms(Pick {
        hold: id,
        points: wish.points,
        currency: wish.currency,
        scope: wish.scope,
        label: program.discount_title.clone(),
    })?;
    if customers::is_shadow(tx, shop, member).await? {
        return Err(Refusal::Unclaimed.into());
    }
    let mut book = Book::load(tx, shop, &[member], &versioned, now).await?;
    if store::is_under_review(tx, shop, member).await? {
        return Err(Refusal::UnderReview.into());
    }
    let expires_at = now + life(&program.holds);
    let mut holds = store::held(tx, shop, &[member]).await?;
    if let Some(standing) = holds.first_mut() {
        let mut wanted = terms.clone();
        wanted.id = standing.id;
        if standing.terms == wanted && standing.state != State::Closing {
            renew(tx, shop, standing, now).await?;
            return Ok(standing.clone());
        }
    }
    if !reward.gate.is_open() {
        let visit = Visit::of(tx, shop, member, now).await?;
        let replaced = holds.first().map(|hold| hold.id);
        if let Some(refusal) = visit.refuses(tx, reward, replaced).await? {
            return Err(refusal.into());
        }
    }
    if let Some(standing) = holds.first_mut() {
        book.load_spends(tx, &[spend_of(standing.id)]).await?;
        book.release(member, spend_of(standing.id), Source::Member)?;
        standing.release(Reason::Replaced, now);
    }
    book.hold(member, spend_of(id), terms.points)?;
    book.save(tx).await?;
    if let Some(standing) = holds.first() {
        stock::lock(tx, shop, [&standing.reward, &wish.reward]).await?;
    }
    store::save_holds(tx, shop, &holds).await?;
    let taken = stock::take(tx, shop, &wish.reward).await?;
    if taken == Taken::None {
        return Err(Refusal::SoldOut.into());
    }
    let hold = Hold {
        id,
        member,
        reward: wish.reward,
        state: State::Opening,
        terms,
        opened_at: now,
        expires_at,
        cleared_at: None,
        ended_at: None,
        reason: None,
        order: None,
        captured: None,
        stocked: taken == Taken::One,
        changed: true,
    };
    store::save_holds(tx, shop, [&hold]).await?;
    sync::mark(tx, shop, &[member], now).await?;
    Ok(hold)
}

/// A member takes a redemption back: the hold closes. Doing so again is nothing new.
///
/// # Errors
/// [`Error::UnknownHold`] for a hold that is not the member's, [`Error::Captured`] when an order has used it.
pub async fn cancel(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    hold: HoldId,
    now: Timestamp,
) -> Result<Hold, Error> {
    // The member's account is what everyone locks before touching its holds.
    let mut book = lock(tx, shop, member, now).await?;
    let mut hold = get(tx, shop, member, hold).await?.ok_or(Error::UnknownHold)?;
    match hold.state {
        State::Captured => return Err(Error::Captured),
        State::Closing | State::Released => return Ok(hold),
        State::Opening | State::Live => close(tx, &mut hold, Reason::Cancelled, (shop, now)).await?,
    }
    book.touch(member)?;
    book.save(tx).await?;
    store::save_holds(tx, shop, [&hold]).await?;
    sync::mark(tx, shop, &[member], now).await?;
    Ok(hold)
}

/// A widget was visited: the hold that stands lives on, unless an order of the member waits for the merchant's review, or
/// the time of points that it pins has run out.
///
/// # Errors
/// Any error of the database.
pub async fn renew(tx: &mut Tx, shop: ShopId, standing: &mut Hold, now: Timestamp) -> Result<(), Error> {
    let program = programs::current(tx, shop).await?.program;
    let until = now + life(&program.holds);
    if points::pins_what_is_over(tx, shop, spend_of(standing.id), now).await? {
        return Ok(());
    }
    // The life alone: a publication may be about to make it live.
    let renewed = db!(
        tx.execute,
        "update redemptions_holds set expires_at = $3
         where shop_id = $1 and hold_id = $2 and state in ('opening', 'live') and expires_at < $3
             and not exists (
                 select 1 from redemptions_uses u where u.shop_id = $1 and u.member_id = $4
                     and u.flagged and u.reviewed_at is null)",
        shop,
        Uuid::from_u128(standing.id.0),
        until,
        standing.member
    )?;
    if renewed > 0 {
        standing.expires_at = until;
    }
    Ok(())
}

/// When the grace is over of what was released before it was, if an order with it may still be on its way: its points are
/// free already, and what they are spent on must be something that an order can still take back.
///
/// # Errors
/// Any error of the database.
pub(super) async fn on_its_way_until(
    tx: &mut Read,
    shop: ShopId,
    member: MemberId,
    times: &HoldTimes,
    now: Timestamp,
) -> Result<Option<Timestamp>, db::Error> {
    let ended = store::ended_since(tx, shop, &[member], now - grace(times)).await?;
    let unused = ended.iter().filter(|hold| hold.order.is_none());
    // Since when no checkout knows it: one that waited for its grace has it behind it.
    let unknown = unused.filter_map(|hold| hold.cleared_at.or(hold.ended_at)).max();
    Ok(unknown.map(|since| since + grace(times)).filter(|over| *over > now))
}

/// The hold of a member that still holds points.
///
/// # Errors
/// Any error of the database.
pub async fn standing(tx: &mut Read, shop: ShopId, member: MemberId) -> Result<Option<Hold>, db::Error> {
    Ok(store::held(tx, shop, &[member]).await?.pop())
}

/// The holds that the metafields of these members are to show.
///
/// # Errors
/// Any error of the database.
pub async fn visible(tx: &mut Read, shop: ShopId, members: &[MemberId]) -> Result<Vec<Hold>, db::Error> {
    let mut holds = store::held(tx, shop, members).await?;
    holds.retain(|hold| matches!(hold.state, State::Opening | State::Live));
    Ok(holds)
}

/// A hold of this member.
///
/// # Errors
/// Any error of the database.
pub async fn get(
    tx: &mut Read,
    shop: ShopId,
    member: MemberId,
    hold: HoldId,
) -> Result<Option<Hold>, db::Error> {
    let found = store::holds(tx, shop, &[hold]).await?.pop();
    Ok(found.filter(|hold| hold.member == member))
}

/// Whether this hold is the member's, and its points are still held.
///
/// # Errors
/// Any error of the database.
pub async fn is_held(tx: &mut Read, shop: ShopId, member: MemberId, hold: HoldId) -> Result<bool, db::Error> {
    Ok(get(tx, shop, member, hold).await?.is_some_and(|hold| hold.state.is_held()))
}

/// Whether what an order used is settled already.
///
/// # Errors
/// Any error of the database.
pub async fn is_settled(tx: &mut Read, shop: ShopId, order: OrderId) -> Result<bool, db::Error> {
    let found: Option<(i64,)> = db!(
        tx.optional,
        "select cast(1 as bigint) from redemptions_uses where shop_id = $1 and order_id = $2",
        shop,
        order
    )?;
    Ok(found.is_some())
}

/// Takes note of what metafields show now: a hold that is shown is live, one that is not shown begins its grace.
///
/// # Errors
/// Any error of the database.
pub async fn shown(
    tx: &mut Tx,
    shop: ShopId,
    shown: &HashMap<MemberId, Option<HoldId>>,
    now: Timestamp,
) -> Result<(), Error> {
    let members: Vec<MemberId> = shown.keys().copied().collect();
    let mut holds = store::held(tx, shop, &members).await?;
    holds.sort_unstable_by_key(|hold| hold.id);
    for hold in holds {
        let is_shown = shown.get(&hold.member).copied().flatten() == Some(hold.id);
        match hold.state {
            State::Opening if is_shown => store::set_live(tx, shop, hold.id).await?,
            State::Closing if !is_shown && hold.cleared_at.is_none() => {
                let times = programs::current(tx, shop).await?.program.holds;
                store::set_cleared(tx, shop, hold.id, now, now + grace(&times)).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Holds whose time has come, of all shops: to be closed, or to be released after their grace.
///
/// # Errors
/// Any error of the database.
pub async fn due(
    tx: &mut Read,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(ShopId, MemberId, HoldId)>, db::Error> {
    let rows: Vec<(ShopId, MemberId, Uuid)> = db!(
        tx.all,
        "select shop_id, member_id, hold_id from redemptions_holds
         where state in ('opening', 'live', 'closing') and expires_at <= $1
             and (state <> 'closing' or cleared_at is not null)
         order by expires_at limit $2",
        now,
        limit
    )?;
    Ok(rows.into_iter().map(|(shop, member, hold)| (shop, member, HoldId(hold.as_u128()))).collect())
}

/// Does what is due for one hold: closes it when its time ran out, releases it when its grace is over. Says whether
/// anything was.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn advance(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    hold: HoldId,
    now: Timestamp,
) -> Result<bool, Error> {
    let mut book = lock(tx, shop, member, now).await?;
    let Some(mut hold) = get(tx, shop, member, hold).await? else { return Ok(false) };
    match (hold.state, hold.cleared_at) {
        (State::Opening | State::Live, _) if hold.expires_at <= now => {
            close(tx, &mut hold, Reason::Expired, (shop, now)).await?;
            book.touch(member)?;
        }
        (State::Closing, Some(_)) if hold.expires_at <= now => {
            book.load_spends(tx, &[spend_of(hold.id)]).await?;
            book.release(member, spend_of(hold.id), Source::Program)?;
            hold.release(Reason::Expired, now);
        }
        _ => return Ok(false),
    }
    book.save(tx).await?;
    store::save_holds(tx, shop, [&hold]).await?;
    sync::mark(tx, shop, &[member], now).await?;
    Ok(true)
}

/// Closes a hold. Where there is no metafield any more that could show it, its grace begins at once.
async fn close(
    tx: &mut Tx,
    hold: &mut Hold,
    reason: Reason,
    (shop, now): (ShopId, Timestamp),
) -> Result<(), Error> {
    hold.close(reason);
    if sync::is_gone(tx, shop, hold.member).await? {
        hold.cleared_at = Some(now);
        hold.expires_at = now + grace(&programs::current(tx, shop).await?.program.holds);
    }
    Ok(())
}

async fn lock(tx: &mut Tx, shop: ShopId, member: MemberId, now: Timestamp) -> Result<Book, Error> {
    let program = programs::current(tx, shop).await?;
    Ok(Book::load(tx, shop, &[member], &program, now).await?)
}

fn life(times: &HoldTimes) -> SignedDuration {
    SignedDuration::from_mins(i64::from(times.life_minutes))
}

fn grace(times: &HoldTimes) -> SignedDuration {
    SignedDuration::from_mins(i64::from(times.grace_minutes))
}
