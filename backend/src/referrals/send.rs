//! Sending: a friend says who sent them, or their order does.

use std::collections::{BTreeMap, HashMap};

use jiff::SignedDuration;
use loyalty::Referrals;
use loyalty::referral::{Code, Outcome};
use uuid::Uuid;

use super::{Error, Reason, Referral, State, codes, store};
use crate::db::{self, Read, Timestamp, Tx};
use crate::events::{self, Event, ReferralCreated};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::Calendar;
use crate::programs::Versioned;
use crate::{customers, history, merchants};

const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// Longer than any clock is ahead.
const AN_AGE: SignedDuration = SignedDuration::from_hours(24 * 366);

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
    let advocate = *codes::whose(tx, shop, &[sent.code]).await?.get(&sent.code).ok_or(Error::UnknownCode)?;
    customers::hold(tx, shop, &[advocate, sent.friend]).await?;
    if let Some(known) = known(tx, shop, sent.friend, advocate).await? {
        return Ok(known);
    }
    let referrals = program.program.referrals.as_ref().ok_or(Error::None)?;
    let referral = judged(tx, shop, (sent, advocate), referrals, program, now).await?;
    if let (State::Refused, Some(reason)) = (referral.state, referral.reason) {
        return Err(Error::Refused(reason));
    }
    let bought = history::of(tx, shop, &[sent.friend]).await?.remove(&sent.friend);
    if bought.is_some_and(|bought| bought.first_order_at < sent.at) {
        return Err(Error::Refused(Reason::NotNew));
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
    let whose = codes::whose(tx, shop, &codes).await?;
    let friends: Vec<MemberId> = sent.keys().copied().collect();
    let mut known: HashMap<MemberId, Referral> = HashMap::new();
    for referral in store::of_friends(tx, shop, &friends).await? {
        known.insert(referral.friend, referral);
    }
    let named = sent.values().filter_map(|(.., sent)| Some((*sent, *whose.get(&sent.code)?)));
    let (again, new): (Vec<_>, Vec<_>) = named.partition(|(sent, _)| known.contains_key(&sent.friend));
    let both: Vec<MemberId> = new.iter().flat_map(|(sent, advocate)| [sent.friend, *advocate]).collect();
    customers::hold(tx, shop, &both).await?;
    for (sent, advocate) in new {
        let referral = judged(tx, shop, (sent, advocate), referrals, program, now).await?;
        note(tx, shop, &referral, now).await?;
    }
    // Who bought as a guest and signed in then has said it later than their order did.
    let mut earlier = Vec::new();
    for (sent, advocate) in again {
        let Some(mut referral) = known.remove(&sent.friend) else { continue };
        if referral.advocate == advocate && sent.at.as_microsecond() < referral.promise.sent_at {
            referral.promise = referral.promise.made_at(sent.at.as_microsecond());
            referral.due_at = referral.due_at.map(|_| referral.until());
            earlier.push(referral);
        }
    }
    Ok(store::save(tx, shop, &earlier.iter().collect::<Vec<_>>()).await?)
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
            too_many(tx, shop, (advocate, sent.at), referrals, &calendar).await?
        }
    };
    let promise = referrals.promise(sent.at.as_microsecond());
    let id = Uuid::now_v7();
    let mut referral =
        Referral { id, advocate, friend: sent.friend, state, reason, promise, order: None, due_at: None };
    referral.due_at = referral.due_at(None, (state == State::Waiting).then_some(Outcome::Waiting));
    Ok(referral)
}

/// Why a referral between these two gives nothing, if so. Whether the friend had ordered before, the fold of their orders
/// says; but for those from before the app, which are none of it.
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
    // What staff have said of these two stays said.
    let before = store::of_friend(read, shop, friend).await?;
    if before.iter().any(|before| before.advocate == advocate && before.reason == Some(Reason::Staff)) {
        return Ok(Some(Reason::Staff));
    }
    Ok(history::has_bought(read, shop, friend).await?.then_some(Reason::NotNew))
}

/// Whether an advocate sends so many about that time that nobody more counts, or that staff look at each.
async fn too_many(
    read: &mut Read,
    shop: ShopId,
    (advocate, at): (MemberId, Timestamp),
    referrals: &Referrals,
    calendar: &Calendar,
) -> Result<(State, Option<Reason>), Error> {
    if has_sent_all(read, shop, (advocate, at), referrals, calendar).await? {
        return Ok((State::Refused, Some(Reason::LimitReached)));
    }
    if let Some(from) = referrals.review_from {
        // Its own moment belongs to the day.
        let day = (at - A_DAY, at + SignedDuration::from_micros(1));
        if store::sent_within(read, shop, advocate, day).await? + 1 >= i64::from(from) {
            return Ok((State::Review, Some(Reason::ManyFriends)));
        }
    }
    Ok((State::Waiting, None))
}

/// Whether an advocate has sent as many about that time as the program lets them.
pub(super) async fn has_sent_all(
    read: &mut Read,
    shop: ShopId,
    (advocate, at): (MemberId, Timestamp),
    referrals: &Referrals,
    calendar: &Calendar,
) -> Result<bool, db::Error> {
    let Some(limit) = referrals.limit else { return Ok(false) };
    let day = calendar.day(at);
    let (first, over) = (limit.per.begins_on(day), limit.per.over_on(day));
    let from = first.map_or(Timestamp::UNIX_EPOCH, |day| calendar.start(day));
    let until = over.map_or(calendar.now() + AN_AGE, |day| calendar.start(day));
    Ok(store::sent_within(read, shop, advocate, (from, until)).await? >= i64::from(limit.most))
}

/// Writes a referral down, unless the friend was sent meanwhile.
async fn note(tx: &mut Tx, shop: ShopId, referral: &Referral, now: Timestamp) -> Result<bool, Error> {
    let inserted = store::insert(tx, shop, std::slice::from_ref(referral), now).await?;
    if inserted > 0 && referral.state != State::Refused {
        let Referral { id, advocate, friend, .. } = *referral;
        let review = referral.state == State::Review;
        let created = ReferralCreated { referral: id, advocate, friend, review };
        events::publish(tx, shop, Event::ReferralCreated(created), now).await?;
    }
    Ok(inserted > 0)
}
