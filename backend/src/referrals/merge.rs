//! What becomes of referrals when two members become one, or one is gone.

use super::{Error, Reason, Referral, State, codes, follow, store};
use crate::db::{Timestamp, Tx};
use crate::events;
use crate::ids::{MemberId, ShopId};
use crate::points::Book;
use crate::programs::Versioned;

/// The most referrals of one advocate that are moved: more than anybody sends.
const MOST: i64 = 1_000_000;

/// One member's codes and referrals are another's: both codes lead to the kept one, and what was refused of either stays so.
/// Of two by whom they were sent the earlier stays; whoever sent themselves so has sent nobody. The book has merged them,
/// and whoever sent them is in it.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn merge(
    tx: &mut Tx,
    book: &mut Book,
    (from, into): (MemberId, MemberId),
    program: &Versioned,
) -> Result<(), Error> {
    let (shop, now) = (book.shop(), book.now());
    codes::hand_over(tx, shop, (from, into)).await?;
    store::hand_over_refused(tx, shop, (from, into)).await?;
    let mut moved = store::of_friends(tx, shop, &[from, into]).await?;
    moved.sort_unstable_by_key(|referral| (referral.promise.sent_at, referral.id));
    let sent = store::of_advocate(tx, shop, from, MOST).await?;
    moved.extend(sent.into_iter().filter(|sent| sent.friend != from && sent.friend != into));
    let mut is_sent = false;
    let (mut stay, mut refused, mut reversed) = (Vec::new(), Vec::new(), Vec::new());
    for mut referral in moved {
        for member in [&mut referral.advocate, &mut referral.friend] {
            if *member == from {
                *member = into;
            }
        }
        let is_own = referral.friend == into;
        let reason = match referral.advocate == into {
            true if is_own => Some(Reason::OwnCode),
            _ if is_own && is_sent => Some(Reason::Merged),
            _ => None,
        };
        is_sent |= is_own && reason.is_none();
        let Some(reason) = reason else {
            stay.push(referral);
            continue;
        };
        let was = referral.state;
        referral.refuse(reason);
        reversed.extend(referral.reversed(was));
        refused.push(referral);
    }
    // What is refused first: a friend is sent once.
    for some in [&refused, &stay] {
        store::save(tx, shop, &some.iter().collect::<Vec<_>>()).await?;
    }
    store::step(tx, shop, &refused.iter().collect::<Vec<_>>(), now).await?;
    events::publish_all(tx, shop, &reversed, now).await?;
    let mut all = refused;
    all.extend(store::of_friends(tx, shop, &[into]).await?);
    follow::settle_these(tx, book, all, program).await
}

/// A member is gone, deleted or erased: nobody is sent by them any more, and whom they sent, or by whom they were sent,
/// need not wait. What both have already is theirs.
///
/// # Errors
/// Any error of the database.
pub async fn leave(tx: &mut Tx, shop: ShopId, member: MemberId, now: Timestamp) -> Result<(), Error> {
    codes::forget(tx, shop, member).await?;
    let mut all = store::of_friends(tx, shop, &[member]).await?;
    all.extend(store::of_advocate(tx, shop, member, MOST).await?);
    let gives_nothing =
        |referral: &Referral| matches!(referral.state, State::Waiting | State::Review | State::Lapsed);
    all.retain(gives_nothing);
    for referral in &mut all {
        referral.refuse(Reason::Gone);
    }
    let all: Vec<&Referral> = all.iter().collect();
    store::save(tx, shop, &all).await?;
    Ok(store::step(tx, shop, &all, now).await?)
}
