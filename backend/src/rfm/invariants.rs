//! What must always hold of segments, counted: what members have bought is what their orders say, and they are in the
//! segment that follows from it.

use uuid::Uuid;

use super::store;
use crate::db::{self, Read, Timestamp};
use crate::ids::{MemberId, ShopId};
use crate::{history, points};

/// How many members are read at a time.
const PAGE: i64 = 2_000;

/// Counts the members of a shop whose history differs from their orders, and those who are in another segment than they
/// belong to. While a refresh is under way, those whom it has not come to are in the segment they were in.
///
/// # Errors
/// Any error of the database.
pub async fn violations(read: &mut Read, shop: ShopId) -> Result<Vec<(&'static str, i64)>, db::Error> {
    let laid = store::laid(read, shop).await?;
    let scale = laid.filter(|laid| laid.is_done).and_then(|laid| laid.scale());
    let (mut differing, mut misplaced, mut buyers, mut before_us) = (0, 0, 0, 0);
    let mut after = MemberId(Uuid::nil());
    loop {
        let page = store::page(read, shop, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.member_id;
        let ids: Vec<MemberId> = page.iter().map(|member| member.member_id).collect();
        let bought = history::of(read, shop, &ids).await?;
        buyers += points::history::of(read, shop, &ids).await?.len() as i64;
        before_us += history::buyers_among(read, shop, &ids).await?;
        for member in &page {
            let bought = bought.get(&member.member_id);
            let expected: (Option<Timestamp>, i64, i64) = bought
                .map_or((None, 0, 0), |bought| (Some(bought.last_order_at), bought.orders, bought.spent));
            differing += i64::from((member.last_order_at, member.orders, member.spent) != expected);
            let segment = scale.as_ref().map_or(member.segment, |scale| member.scored(scale));
            let is_misplaced = member.segment != segment || (!member.is_there && member.segment.is_some());
            misplaced += i64::from(is_misplaced);
        }
    }
    // Nobody is forgotten who has bought something.
    differing += points::history::buyers(read, shop).await? - buyers;
    differing += history::buyers(read, shop).await? - before_us;
    Ok(vec![
        ("what_members_bought_is_in_their_orders", differing),
        ("members_are_in_their_segment", misplaced),
    ])
}
