//! What must always hold of referrals, counted: they stand where their friends' orders say, and both have what that gives.

use std::collections::HashSet;

use uuid::Uuid;

use super::{Error, Referral, State, store};
use crate::db::Read;
use crate::ids::{MemberId, ShopId};
use crate::points::bonuses::{self, Referred};

/// How many are read at a time.
const PAGE: i64 = 1_000;

/// Counts the referrals of a shop that stand elsewhere than their friends' orders say, and those for which more or less is
/// booked than they give.
///
/// # Errors
/// Any error of the database, or a referral that cannot be read.
pub async fn violations(read: &mut Read, shop: ShopId) -> Result<Vec<(&'static str, i64)>, Error> {
    let (mut misplaced, mut wrong, mut after) = (0, 0, Uuid::nil());
    loop {
        let page = store::after(read, shop, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let friends: Vec<MemberId> = page.iter().map(|referral| referral.friend).collect();
        let firsts = bonuses::first_orders(read, shop, &friends).await?;
        let live = store::of_friends(read, shop, &friends).await?;
        let live: HashSet<MemberId> = live.into_iter().map(|referral| referral.friend).collect();
        let mut gives = Vec::new();
        for referral in &page {
            let is_refused = referral.state == State::Refused;
            let first = firsts.get(&referral.friend);
            let outcome = referral.outcome(first, last_look(referral));
            let one = referral.gives(outcome, first);
            let is_elsewhere = outcome.is_some_and(|outcome| State::from(outcome) != referral.state);
            misplaced += i64::from(is_elsewhere || (!is_refused && one.order != referral.order));
            // What a friend has is by the one that was not refused, if there is one.
            let is_by_other = is_refused && live.contains(&referral.friend);
            gives.push(Referred { friend: one.friend.filter(|_| !is_by_other), ..one });
        }
        wrong += bonuses::wrongly_booked(read, shop, &gives).await? as i64;
    }
    Ok(vec![
        ("referrals_stand_where_the_friends_orders_say", misplaced),
        ("referrals_give_what_the_friends_order_gives", wrong),
    ])
}

/// A moment at which it stands where it was left, in microseconds since 1970: just before time changes that, which nobody may
/// have seen yet.
fn last_look(referral: &Referral) -> i64 {
    referral.due_at.map_or(i64::MAX, |due| due.as_microsecond() - 1)
}
