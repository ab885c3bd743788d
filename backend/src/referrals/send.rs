//! Sending: a friend says who sent them, or their order does.

use std::collections::{BTreeMap, HashSet};

use jiff::SignedDuration;
use loyalty::Referrals;
use loyalty::referral::Code;
use uuid::Uuid;

use super::{Error, Reason, Referral, State, store};
use crate::db::{Read, Timestamp, Tx};
use crate::events::{self, Event, ReferralCreated};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::{Calendar, bonuses};
use crate::programs::Versioned;
use crate::{customers, history, merchants};

/// A friend who says by whom they were sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// Who was sent.
    pub friend: MemberId,
    /// By whom.
    pub code: Code,
    /// When: what they order from then on counts (UTC).
    pub at: Timestamp,
}

/// Takes note of a friend who says themselves who sent them. Said again, it is as it was.
pub(super) async fn send(
    tx: &mut Tx,
    shop: ShopId,
    sent: Sent,
    program: &Versioned,
    now: Timestamp,
) -> Result<Referral, Error> {
    let referrals = program.program.referrals.as_ref().ok_or(Error::None)?;
    let advocate = *store::whose(tx, shop, &[sent.code]).await?.get(&sent.code).ok_or(Error::UnknownCode)?;
    customers::hold(tx, shop, &[advocate, sent.friend]).await?;
    if let Some(known) = known(tx, shop, sent.friend, advocate).await? {
        return Ok(known);
    }
    let referral = judged(tx, shop, (sent, advocate), referrals, program, now).await?;
    if let (State::Refused, Some(reason)) = (referral.state, referral.reason) {
        return Err(Error::Refused(reason));
    }
    if note(tx, shop, &referral, now).await? {
        return Ok(referral);
    }
    // Another window was here meanwhile.
    known(tx, shop, sent.friend, advocate).await?.ok_or(Error::AlreadyReferred)
}

/// The referral by which this advocate has sent the friend.
async fn known(
    tx: &mut Tx,
    shop: ShopId,
    friend: MemberId,
    advocate: MemberId,
) -> Result<Option<Referral>, Error> {
    match store::of_friends(tx, shop, &[friend]).await?.pop() {
        Some(known) if known.advocate != advocate => Err(Error::AlreadyReferred),
        known => Ok(known),
    }
}

/// Takes note of whom orders name that nobody has booked yet. What gives nothing is written down all the same, so that
/// staff see it.
///
/// # Errors
/// Any error of the database.
pub async fn by_orders(
    tx: &mut Tx,
    shop: ShopId,
    orders: impl IntoIterator<Item = (OrderId, Sent)>,
    program: &Versioned,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(referrals) = &program.program.referrals else { return Ok(()) };
    // Of several orders of one friend the first says it.
    let mut sent: BTreeMap<MemberId, (Timestamp, OrderId, Sent)> = BTreeMap::new();
    for (order, one) in orders {
        let new = (one.at, order, one);
        let known = sent.entry(one.friend).or_insert(new);
        if (new.0, new.1) < (known.0, known.1) {
            *known = new;
        }
    }
    if sent.is_empty() {
        return Ok(());
    }
    let codes: Vec<Code> = sent.values().map(|(.., sent)| sent.code).collect();
    let whose = store::whose(tx, shop, &codes).await?;
    let friends: Vec<MemberId> = sent.keys().copied().collect();
    let known = store::of_friends(tx, shop, &friends).await?;
    let known: HashSet<MemberId> = known.into_iter().map(|referral| referral.friend).collect();
    let new = sent.values().filter(|(.., sent)| !known.contains(&sent.friend));
    let new: Vec<(Sent, MemberId)> =
        new.filter_map(|(.., sent)| Some((*sent, *whose.get(&sent.code)?))).collect();
    let both: Vec<MemberId> = new.iter().flat_map(|(sent, advocate)| [sent.friend, *advocate]).collect();
    customers::hold(tx, shop, &both).await?;
    for (sent, advocate) in new {
        let referral = judged(tx, shop, (sent, advocate), referrals, program, now).await?;
        note(tx, shop, &referral, now).await?;
    }
    Ok(())
}

/// The referral that this is, and whether it gives anything.
async fn judged(
    tx: &mut Tx,
    shop: ShopId,
    (sent, advocate): (Sent, MemberId),
    referrals: &Referrals,
    program: &Versioned,
    now: Timestamp,
) -> Result<Referral, Error> {
    let reason = faulty(tx, shop, (sent, advocate)).await?;
    let (state, reason) = match reason {
        Some(reason) => (State::Refused, Some(reason)),
        None => {
            let zone = merchants::zone(tx, shop).await?;
            let calendar = Calendar::new(now, zone, program.program.expiry);
            too_many(tx, shop, advocate, referrals, &calendar).await?
        }
    };
    let promise = referrals.promise(sent.at.as_microsecond());
    let id = Uuid::now_v7();
    Ok(Referral { id, advocate, friend: sent.friend, state, reason, promise, order: None })
}

/// Why a referral between these two gives nothing, if so.
async fn faulty(
    read: &mut Read,
    shop: ShopId,
    (sent, advocate): (Sent, MemberId),
) -> Result<Option<Reason>, Error> {
    let friend = sent.friend;
    if advocate == friend {
        return Ok(Some(Reason::OwnCode));
    }
    let by_friend = store::of_friends(read, shop, &[advocate]).await?;
    if by_friend.iter().any(|referral| referral.advocate == friend) {
        return Ok(Some(Reason::Circular));
    }
    let first = bonuses::first_orders(read, shop, &[friend]).await?.remove(&friend);
    let has_ordered = first.is_some_and(|first| first.placed_at < sent.at);
    let is_known = has_ordered || history::has_bought(read, shop, friend).await?;
    Ok(is_known.then_some(Reason::NotNew))
}

/// Whether an advocate sends so many that nobody more counts, or that staff look at each.
async fn too_many(
    read: &mut Read,
    shop: ShopId,
    advocate: MemberId,
    referrals: &Referrals,
    calendar: &Calendar,
) -> Result<(State, Option<Reason>), Error> {
    let now = calendar.now();
    if let Some(limit) = referrals.limit {
        let first = limit.per.begins_on(calendar.day(now));
        let since = first.map_or(Timestamp::UNIX_EPOCH, |day| calendar.start(day));
        if store::sent_since(read, shop, advocate, since).await? >= i64::from(limit.most) {
            return Ok((State::Refused, Some(Reason::LimitReached)));
        }
    }
    if let Some(from) = referrals.review_from {
        let a_day_ago = now - SignedDuration::from_hours(24);
        if store::sent_since(read, shop, advocate, a_day_ago).await? + 1 >= i64::from(from) {
            return Ok((State::Review, Some(Reason::ManyFriends)));
        }
    }
    Ok((State::Waiting, None))
}

/// Writes a referral down, unless the friend was sent meanwhile.
async fn note(tx: &mut Tx, shop: ShopId, referral: &Referral, now: Timestamp) -> Result<bool, Error> {
    let inserted = store::insert(tx, shop, std::slice::from_ref(referral), now).await?;
    if inserted > 0 && referral.state != State::Refused {
        let Referral { id, advocate, friend, .. } = *referral;
        let created = ReferralCreated { referral: id, advocate, friend };
        events::publish(tx, shop, Event::ReferralCreated(created), now).await?;
    }
    Ok(inserted > 0)
}
