//! Who does not stand in the segment where a scale puts them.
//!
//! The database finds them: of a million members few move in a night, and those who stay need not be read. It says whom to
//! look at, and no more; the rule in `loyalty::rfm` says where they belong.

use loyalty::rfm::Scale;

use super::Member;
use crate::db;
use crate::db::{Read, Timestamp};
use crate::ids::{MemberId, ShopId};

/// From which end of the members' ids to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Whoever came first.
    First,
    /// Whoever came last.
    Last,
}

/// The next of those members between two ids, in the order of their ids from one end.
pub(super) async fn find(
    read: &mut Read,
    shop: ShopId,
    scale: &Scale,
    ((after, before), end): ((MemberId, MemberId), End),
    most: i64,
) -> Result<Vec<Member>, db::Error> {
    let never = at(0);
    let [r1, r2, r3, r4] = scale.recency.numbers().map(at);
    let [f1, f2, f3, f4] = scale.frequency.numbers();
    let [m1, m2, m3, m4] = scale.monetary.numbers();
    // A text for each end.
    macro_rules! from {
        ($end:literal) => {
            db!(
                read.all,
                concat!(
                    "select member_id, last_order_at, orders, spent, segment, is_there from rfm_members
                     where shop_id = $1 and member_id > $2 and member_id < $3
                       and segment is distinct from case when is_there and orders > 0 then
                           100 * case when coalesce(last_order_at, $5) > $9 then 5
                               when coalesce(last_order_at, $5) > $8 then 4 when coalesce(last_order_at, $5) > $7 then 3
                               when coalesce(last_order_at, $5) > $6 then 2 else 1 end
                           + 10 * case when orders > $13 then 5 when orders > $12 then 4 when orders > $11 then 3
                               when orders > $10 then 2 else 1 end
                           + case when spent > $17 then 5 when spent > $16 then 4 when spent > $15 then 3
                               when spent > $14 then 2 else 1 end end
                     order by member_id ", $end, " limit $4"
                ),
                shop, after, before, most, never, r1, r2, r3, r4, f1, f2, f3, f4, m1, m2, m3, m4
            )
        };
    }
    // By their places: of a million members it takes longer to look up the columns' names.
    type Row = (MemberId, Option<Timestamp>, i64, i64, Option<i64>, bool);
    let rows: Vec<Row> = match end {
        End::First => from!("asc"),
        End::Last => from!("desc"),
    }?;
    let member = |(member_id, last_order_at, orders, spent, segment, is_there)| Member {
        member_id,
        last_order_at,
        orders,
        spent,
        segment,
        is_there,
    };
    Ok(rows.into_iter().map(member).collect())
}

/// A step of the time of the last order. What lies outside of the calendar is its end.
fn at(microsecond: i64) -> Timestamp {
    let end = if microsecond < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    Timestamp::from_microsecond(microsecond).unwrap_or(Timestamp::from(end))
}
