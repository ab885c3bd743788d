//! What members' metafields should say: the ledger's projection.

use std::collections::HashMap;

use loyalty::Account;

use super::Error;
use crate::db::{Read, Timestamp};
use crate::ids::{MemberId, ShopId};
use crate::{campaigns, merchants, points, redemptions, rfm};

/// The account of each of these members, as the ledger has it now; an empty one where there is nothing.
///
/// # Errors
/// Any error of the database.
pub(super) async fn accounts(
    read: &mut Read,
    shop: ShopId,
    members: &[MemberId],
    now: Timestamp,
) -> Result<HashMap<MemberId, Account>, Error> {
    let balances = points::balances(read, shop, members, now).await?;
    let holds = redemptions::lifecycle::visible(read, shop, members).await?;
    let zone = merchants::zone(read, shop).await?;
    let mut tiers = campaigns::tiers(read, shop, members).await?;
    let segments = rfm::segments(read, shop, members).await?;
    let mut holds: HashMap<MemberId, _> = holds.into_iter().map(|hold| (hold.member, hold.terms)).collect();
    let account = |member: &MemberId| {
        let mut account = Account {
            hold: holds.remove(member),
            tier: tiers.remove(member),
            segment: segments.get(member).copied(),
            ..Account::default()
        };
        if let Some(balance) = balances.get(member) {
            (account.seq, account.points, account.pending) =
                (balance.seq, balance.available, balance.pending);
            account.next = balance.next.map(|next| next.shown(&zone));
        }
        (*member, account)
    };
    Ok(members.iter().map(account).collect())
}
