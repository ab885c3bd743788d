//! What must always hold of referrals, counted: both have what the friend's first order gives, and no more.

use uuid::Uuid;

use super::{Error, store};
use crate::db::{Read, Timestamp};
use crate::ids::{MemberId, ShopId};
use crate::points::bonuses;

/// How many are read at a time.
const PAGE: i64 = 1_000;

/// Counts the referrals of a shop for which more or less is booked than they give.
///
/// # Errors
/// Any error of the database, or a referral that cannot be read.
pub async fn violations(read: &mut Read, shop: ShopId) -> Result<Vec<(&'static str, i64)>, Error> {
    let (mut wrong, mut after) = (0, Uuid::nil());
    loop {
        let page = store::after(read, shop, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let friends: Vec<MemberId> = page.iter().map(|referral| referral.friend).collect();
        let firsts = bonuses::first_orders(read, shop, &friends).await?;
        let gives = page.iter().map(|referral| {
            let first = firsts.get(&referral.friend);
            // Whether it has lapsed gives nothing either way.
            referral.gives(referral.outcome(first, Timestamp::UNIX_EPOCH), first)
        });
        let gives: Vec<_> = gives.collect();
        let booked = bonuses::booked_for(read, shop, &gives).await?;
        // What a friend has is of one referral: of those that were refused, only what the advocate has is looked at.
        let is_wrong = |at: usize| {
            let (referral, gives) = (&page[at], &gives[at]);
            let booked = booked.get(&referral.id).copied().unwrap_or_default();
            let is_refused = referral.state == super::State::Refused;
            booked[1] != gives.gives[1] || (!is_refused && booked[0] != gives.gives[0])
        };
        wrong += (0..page.len()).filter(|at| is_wrong(*at)).count() as i64;
    }
    Ok(vec![("referrals_give_what_the_friends_order_gives", wrong)])
}
