//! Following: what referrals come to by the orders of their friends, booked for both.

use std::collections::{BTreeSet, HashSet};

use uuid::Uuid;

use super::{Error, Reason, Referral, State, store};
use crate::db::{Read, Timestamp, Tx};
use crate::events::{self, Event, ReferralCompleted};
use crate::ids::{MemberId, ShopId};
use crate::points::Book;
use crate::points::bonuses::{self, Referred, settle_referrals};
use crate::points::orders::Booking;
use crate::programs::{self, Versioned};
use crate::{points, sync};

/// Whoever sent these members: their accounts may change with what becomes of these members' orders.
///
/// # Errors
/// Any error of the database.
pub async fn advocates(read: &mut Read, shop: ShopId, friends: &[MemberId]) -> Result<Vec<MemberId>, Error> {
    let referrals = store::of_friends(read, shop, friends).await?;
    Ok(referrals.into_iter().map(|referral| referral.advocate).collect())
}

/// Books what follows for referrals from what became of these orders, which are saved. Their members are in the book, with
/// whoever sent them.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn follow(
    tx: &mut Tx,
    book: &mut Book,
    bookings: impl IntoIterator<Item = &Booking>,
    program: &Versioned,
) -> Result<(), Error> {
    let has_moved = |booking: &&Booking| booking.has_moved() || booking.moved_history().is_some();
    let friends: BTreeSet<MemberId> =
        bookings.into_iter().filter(has_moved).map(|booking| booking.member).collect();
    settle(tx, book, &friends.into_iter().collect::<Vec<_>>(), program).await
}

/// Books what the referrals of these friends come to now.
pub(super) async fn settle(
    tx: &mut Tx,
    book: &mut Book,
    friends: &[MemberId],
    program: &Versioned,
) -> Result<(), Error> {
    let referrals = store::of_friends(tx, book.shop(), friends).await?;
    settle_these(tx, book, referrals, program).await
}

/// Books what these referrals come to now, also those that give nothing any more. Where somebody of them is not in the book,
/// two customers became one this moment, or one was sent: whoever looks again has them.
pub(super) async fn settle_these(
    tx: &mut Tx,
    book: &mut Book,
    referrals: Vec<Referral>,
    program: &Versioned,
) -> Result<(), Error> {
    let (shop, now) = (book.shop(), book.now());
    let is_there = |member| book.account(member).is_ok();
    if referrals.iter().any(|referral| !is_there(referral.advocate) || !is_there(referral.friend)) {
        return Err(points::Error::Merged.into());
    }
    if referrals.is_empty() {
        return Ok(());
    }
    let friends: Vec<MemberId> = referrals.iter().map(|referral| referral.friend).collect();
    let firsts = bonuses::first_orders(tx, shop, &friends).await?;
    // What a friend has is by the one that was not refused, if there is one.
    let sent = referrals.iter().filter(|referral| referral.state != State::Refused);
    let sent: HashSet<MemberId> = sent.map(|referral| referral.friend).collect();
    let (mut due, mut moved, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for mut referral in referrals {
        let first = firsts.get(&referral.friend);
        let outcome = referral.outcome(first, now.as_microsecond());
        let gives = referral.gives(outcome, first);
        let state = outcome.map_or(referral.state, State::from);
        let was = (referral.state, referral.order, referral.due_at);
        let is_by_other = state == State::Refused && sent.contains(&referral.friend);
        (referral.state, referral.order) = (state, gives.order);
        referral.due_at = referral.due_at(first, outcome);
        told.extend(referral.reversed(was.0));
        if state != was.0 && state == State::Completed {
            let (advocate, friend) = (referral.promise.advocate.get(), referral.promise.friend.get());
            told.push(Event::ReferralCompleted(ReferralCompleted {
                referral: referral.id,
                advocate: referral.advocate,
                friend: referral.friend,
                order: gives.order,
                advocate_points: advocate,
                friend_points: friend,
            }));
        }
        if was != (referral.state, referral.order, referral.due_at) {
            moved.push((referral, was.0));
        }
        due.push(Referred { friend: gives.friend.filter(|_| !is_by_other), ..gives });
    }
    settle_referrals(tx, book, &due, program.program.returns).await?;
    store::save(tx, shop, &moved.iter().map(|(referral, _)| referral).collect::<Vec<_>>()).await?;
    let stepped = moved.iter().filter(|(referral, was)| referral.state != *was).map(|(referral, _)| referral);
    store::step(tx, shop, &stepped.collect::<Vec<_>>(), now).await?;
    Ok(events::publish_all(tx, shop, &told, now).await?)
}

/// Staff have a referral count that they are to look at, or refuse one. Says where it stood; where that was decided already
/// it stays so.
pub(super) async fn decide(
    tx: &mut Tx,
    shop: ShopId,
    id: Uuid,
    to: State,
    now: Timestamp,
) -> Result<State, Error> {
    let program = programs::current(tx, shop).await?;
    let referral = store::get(tx, shop, id).await?.ok_or(Error::Unknown)?;
    let both = [referral.advocate, referral.friend];
    let mut book = Book::open(tx, shop, &both, &program, now).await?;
    // Whoever changed it meanwhile has committed by now: the accounts are locked.
    let mut referral = store::get(tx, shop, id).await?.ok_or(Error::Unknown)?;
    let was = referral.state;
    let is_decided = match to {
        State::Refused => was == State::Refused,
        _ => !matches!(was, State::Review | State::Refused),
    };
    if is_decided {
        return Ok(was);
    }
    if to != State::Refused && was == State::Refused {
        return Err(Error::NotInReview);
    }
    match to {
        State::Refused => referral.refuse(Reason::Staff),
        _ => (referral.state, referral.reason) = (to, None),
    }
    store::save(tx, shop, &[&referral]).await?;
    store::step(tx, shop, &[&referral], now).await?;
    events::publish_all(tx, shop, referral.reversed(was).as_slice(), now).await?;
    settle_these(tx, &mut book, vec![referral], &program).await?;
    let changed: Vec<MemberId> = book.changed().collect();
    book.save(tx).await?;
    sync::mark(tx, shop, &changed, now).await?;
    Ok(was)
}

/// As [`settle`], with a book of its own.
pub(super) async fn settle_alone(
    tx: &mut Tx,
    shop: ShopId,
    friends: &[MemberId],
    now: Timestamp,
) -> Result<(), Error> {
    let program = programs::current(tx, shop).await?;
    let mut everyone = advocates(tx, shop, friends).await?;
    everyone.extend(friends);
    let mut book = Book::open(tx, shop, &everyone, &program, now).await?;
    settle(tx, &mut book, friends, &program).await?;
    let changed: Vec<MemberId> = book.changed().collect();
    book.save(tx).await?;
    Ok(sync::mark(tx, shop, &changed, now).await?)
}
