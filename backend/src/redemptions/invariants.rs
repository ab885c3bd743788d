//! What must always hold of redemptions, counted.

use crate::db;
use crate::db::Read;
use crate::ids::ShopId;

/// Counts the violations of the invariants of redemptions for a shop.
///
/// # Errors
/// Any error of the database.
pub async fn violations(tx: &mut Read, shop: ShopId) -> Result<Vec<(&'static str, i64)>, db::Error> {
    let (unpaid,): (i64,) = db!(
        tx.one,
        "select count(*) from redemptions_uses
         where shop_id = $1 and used_minor <> captured_minor + debited_minor + unbacked_minor",
        shop
    )?;
    let (overdrawn,): (i64,) = db!(
        tx.one,
        "select count(*) from redemptions_uses
         where shop_id = $1 and (let_off < 0 or paid_kept not between 0 and paid - let_off
             or unbacked_kept not between let_off and unbacked + let_off)",
        shop
    )?;
    let (captured,): (i64,) = db!(tx.one,
        "select count(*) from redemptions_holds h where h.shop_id = $1 and h.state = 'captured' and not exists (
             select 1 from redemptions_uses u where u.shop_id = h.shop_id and u.order_id = h.order_id
                 and u.hold_id = h.hold_id and u.paid = h.captured)", shop)?;
    let (several,): (i64,) = db!(tx.one,
        "select count(*) from (
             select member_id from redemptions_holds
             where shop_id = $1 and state in ('opening', 'live', 'closing') group by member_id having count(*) > 1
         ) as members", shop)?;
    let payouts = super::payouts::violations(tx, shop).await?;
    Ok(vec![
        ("discounts_are_captured_debited_or_unbacked", unpaid),
        ("returns_take_no_more_than_was_redeemed", overdrawn),
        ("captures_have_their_order", captured),
        ("one_live_hold_per_member", several),
        ("payouts_say_what_came_of_them", payouts),
    ])
}
