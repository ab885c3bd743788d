//! The table of codes.

use std::collections::HashMap;

use loyalty::referral::Code;

use crate::db;
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};

crate::holds! {
    referrals_codes [shop_id, code] of Member("member_id"), kept "until the member is deleted or erased" {
        shop_id: Id, code: Link, member_id: Id, made_at: Time,
    }
}
/// The code that a member hands on, the first that they had.
pub(super) async fn of(read: &mut Read, shop: ShopId, member: MemberId) -> Result<Option<Code>, db::Error> {
    let found: Option<(String,)> = db!(
        read.optional,
        "select code from referrals_codes where shop_id = $1 and member_id = $2 order by made_at, code limit 1",
        shop,
        member
    )?;
    found.map(|(code,)| code.parse().map_err(db::Error::other)).transpose()
}

/// A member hands on this code from now on; false if somebody has it.
pub(super) async fn add(
    tx: &mut Tx,
    shop: ShopId,
    code: Code,
    member: MemberId,
    now: Timestamp,
) -> Result<bool, db::Error> {
    let added = db!(
        tx.execute,
        "insert into referrals_codes (shop_id, code, member_id, made_at) values ($1, $2, $3, $4)
         on conflict (shop_id, code) do nothing",
        shop,
        code.to_string(),
        member,
        now
    )?;
    Ok(added > 0)
}

/// Whose these codes are.
pub async fn whose(
    read: &mut Read,
    shop: ShopId,
    codes: &[Code],
) -> Result<HashMap<Code, MemberId>, db::Error> {
    let rows: Vec<(String, MemberId)> = db!(read.all each codes,
        sqlite: "with v (shop_id, code) as (values ($1, $2))
                 select c.code, c.member_id from v join referrals_codes c
                     on c.shop_id = v.shop_id and c.code = v.code",
        postgres: "with v (shop_id, code) as (select * from unnest($1::uuid[], $2::text[]))
                   select c.code, c.member_id from v join referrals_codes c
                       on c.shop_id = v.shop_id and c.code = v.code",
        |code| shop, code.to_string())?;
    rows.into_iter().map(|(code, member)| Ok((code.parse().map_err(db::Error::other)?, member))).collect()
}

/// A member's codes are another's.
pub async fn hand_over(
    tx: &mut Tx,
    shop: ShopId,
    (from, into): (MemberId, MemberId),
) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update referrals_codes set member_id = $3 where shop_id = $1 and member_id = $2",
        shop,
        from,
        into
    )?;
    Ok(())
}

/// Forgets a member's codes: nobody can be sent by them any more.
pub async fn forget(tx: &mut Tx, shop: ShopId, member: MemberId) -> Result<(), db::Error> {
    db!(tx.execute, "delete from referrals_codes where shop_id = $1 and member_id = $2", shop, member)?;
    Ok(())
}
