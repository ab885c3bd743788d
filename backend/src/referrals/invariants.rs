//! What must always hold of referrals, counted: both have what the friend's first order gives, and no more.

use uuid::Uuid;

use super::{Error, State, store};
use crate::db::{Read, Timestamp};
use crate::ids::{MemberId, ShopId};
use crate::points::bonuses::{self, Referred};

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
            let gives = referral.gives(referral.outcome(first, Timestamp::UNIX_EPOCH), first);
            // Whose referral was refused may have been sent by somebody else.
            Referred { friend: gives.friend.filter(|_| referral.state != State::Refused), ..gives }
        });
        wrong += bonuses::wrongly_booked(read, shop, &gives.collect::<Vec<_>>()).await? as i64;
    }
    Ok(vec![("referrals_give_what_the_friends_order_gives", wrong)])
}
