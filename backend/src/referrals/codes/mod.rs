//! Codes: what a member hands on, and the link that carries it.

mod store;

use loyalty::Referrals;
use loyalty::referral::Code;

use crate::db::{self, Timestamp, Tx};
use crate::ids::{MemberId, ShopId};
use crate::shopify::ShopDomain;

pub(super) use store::{forget, hand_over, whose};

/// How many codes are tried that others have: of 650 thousand million, two in a row are none of chance.
const TRIES: u32 = 4;

/// The code of a member, made when it is asked for first. None only if every one that was made is another's.
pub(super) async fn of(
    tx: &mut Tx,
    shop: ShopId,
    member: MemberId,
    now: Timestamp,
) -> Result<Option<Code>, db::Error> {
    if let Some(code) = store::of(tx, shop, member).await? {
        return Ok(Some(code));
    }
    for _ in 0..TRIES {
        let code = Code::of(getrandom::u64().map_err(db::Error::other)?);
        if store::add(tx, shop, code, member, now).await? {
            return Ok(Some(code));
        }
    }
    Ok(None)
}

/// The link by which a friend comes. Shopify leads from this address to the one that the shop shows, with the query.
pub(super) fn link(shop: &ShopDomain, referrals: &Referrals, code: Code) -> String {
    format!("https://{shop}{}?{}={code}", referrals.landing, Code::PARAMETER)
}
