//! What must always hold of the ledger, counted: each invariant with the number of places where it does not.

use super::bonuses;
use crate::db;
use crate::db::Read;
use crate::ids::ShopId;

/// Counts the violations of the ledger's own invariants for a shop.
///
/// # Errors
/// Any error of the database.
pub async fn violations(tx: &mut Read, shop: ShopId) -> Result<Vec<(&'static str, i64)>, db::Error> {
    let (unbalanced,): (i64,) = db!(
        tx.one,
        "select count(*) from (
             select entry_id from points_postings where shop_id = $1 group by entry_id having sum(amount) <> 0
         ) as entries",
        shop
    )?;
    let (empty,): (i64,) = db!(
        tx.one,
        "select count(*) from points_entries e where e.shop_id = $1 and not exists (
             select 1 from points_postings p where p.shop_id = e.shop_id and p.entry_id = e.entry_id)",
        shop
    )?;
    let (differing,): (i64,) = db!(
        tx.one,
        "select count(*) from points_accounts a left join (
             select e.member_id,
                    sum(case when p.account = 'available' then p.amount else 0 end) as available,
                    sum(case when p.account = 'pending' then p.amount else 0 end) as pending,
                    sum(case when p.account = 'held' then p.amount else 0 end) as held
             from points_entries e join points_postings p on p.shop_id = e.shop_id and p.entry_id = e.entry_id
             where e.shop_id = $1 group by e.member_id
         ) as posted on posted.member_id = a.member_id
         where a.shop_id = $1 and (a.available <> coalesce(posted.available, 0)
             or a.pending <> coalesce(posted.pending, 0) or a.held <> coalesce(posted.held, 0))",
        shop
    )?;
    let (lots,): (i64,) = db!(
        tx.one,
        "select count(*) from points_accounts a left join (
             select member_id, sum(remaining) as open from points_lots where shop_id = $1 group by member_id
         ) as lots on lots.member_id = a.member_id
         where a.shop_id = $1
             and coalesce(lots.open, 0) <> case when a.available > 0 then a.available else 0 end",
        shop
    )?;
    let (overdrawn,): (i64,) = db!(
        tx.one,
        "select count(*) from points_lots
         where shop_id = $1 and (remaining < 0 or remaining > original)",
        shop
    )?;
    let (pinned,): (i64,) = db!(
        tx.one,
        "select count(*) from points_accounts a left join (
             select member_id, sum(points - returned) as pinned from points_pins
             where shop_id = $1 and held group by member_id
         ) as pins on pins.member_id = a.member_id
         where a.shop_id = $1 and a.held <> coalesce(pins.pinned, 0)",
        shop
    )?;
    let (negative,): (i64,) = db!(
        tx.one,
        "select count(*) from points_accounts where shop_id = $1 and (pending < 0 or held < 0)",
        shop
    )?;
    let (moved,): (i64,) = db!(
        tx.one,
        "select count(*) from points_lots l left join (
             select lot_id, sum(available) as available, sum(held) as held from points_moves
             where shop_id = $1 group by lot_id
         ) as moves on moves.lot_id = l.lot_id left join (
             select lot_id, sum(points - returned) as pinned from points_pins
             where shop_id = $1 and held group by lot_id
         ) as pins on pins.lot_id = l.lot_id
         where l.shop_id = $1 and (l.remaining <> coalesce(moves.available, 0)
             or coalesce(pins.pinned, 0) <> coalesce(moves.held, 0))",
        shop
    )?;
    let (late,): (i64,) = db!(
        tx.one,
        "select count(*) from points_moves m
             join points_entries e on e.shop_id = m.shop_id and e.entry_id = m.entry_id
             join points_lots l on l.shop_id = m.shop_id and l.lot_id = m.lot_id
         where m.shop_id = $1 and m.available < 0 and e.kind <> 'expire' and l.expires_at <= e.booked_at",
        shop
    )?;
    let (twice,): (i64,) = db!(
        tx.one,
        "select count(*) from (
             select b.occasion, coalesce(a.merged_into, a.member_id) from points_bonuses b
                 join points_accounts a on a.shop_id = b.shop_id and a.member_id = b.member_id
             where b.shop_id = $1 group by b.occasion, coalesce(a.merged_into, a.member_id) having count(*) > 1
         ) as twice",
        shop
    )?;
    let wrong_firsts = bonuses::count_wrong_firsts(tx, shop).await?;
    Ok(vec![
        ("postings_sum_to_zero", unbalanced),
        ("entries_move_something", empty),
        ("balances_are_their_postings", differing),
        ("available_is_open_lots_less_deficit", lots),
        ("lots_hold_no_more_than_was_earned", overdrawn),
        ("lots_are_what_entries_moved", moved),
        ("nothing_is_spent_from_an_expired_lot", late),
        ("held_is_what_holds_pin", pinned),
        ("pending_and_held_are_not_negative", negative),
        ("a_bonus_is_had_once", twice),
        ("the_first_order_that_stands_gives_its_bonus", wrong_firsts),
    ])
}
