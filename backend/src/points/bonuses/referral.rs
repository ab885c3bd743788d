//! What referrals give: to the friend, who has it once, and to whoever sent them. It belongs to the friend's order.

use std::collections::HashMap;

use loyalty::order::Earned;
use loyalty::program::ReturnPolicy;
use uuid::Uuid;

use super::{Bonus, Occasion, store};
use crate::db::{Read, Timestamp, Tx};
use crate::ids::{MemberId, OrderId, ShopId};
use crate::points::{Book, Error};

/// What a referral is to give.
#[derive(Debug, Clone, Copy)]
pub struct Referred {
    /// The referral.
    pub id: Uuid,
    /// Who was sent.
    pub friend: MemberId,
    /// Who sent them.
    pub advocate: MemberId,
    /// The order that it is for.
    pub order: Option<OrderId>,
    /// When that was placed, or the friend was sent (UTC).
    pub occurred_at: Timestamp,
    /// What both are to have, the friend and the advocate.
    pub gives: [Earned; 2],
}

impl Referred {
    /// What it gives is known as these, the friend's and the advocate's.
    fn bonuses(&self) -> [(Occasion, MemberId); 2] {
        [(Occasion::Referred, self.friend), (Occasion::Referral(self.id), self.advocate)]
    }
}

/// Books the difference between what these referrals are to give and what is booked. Their members are in the book.
///
/// # Errors
/// Any error of the ledger or the database.
pub async fn settle_referrals(
    tx: &mut Tx,
    book: &mut Book,
    referred: &[Referred],
    policy: ReturnPolicy,
) -> Result<(), Error> {
    let shop = book.shop();
    let each: Vec<_> = referred.iter().flat_map(Referred::bonuses).collect();
    let mut had = store::load_each(tx, shop, &each).await?;
    store::load_lots(tx, book, had.values()).await?;
    let mut changed = Vec::new();
    for one in referred {
        for ((occasion, member), gives) in one.bonuses().into_iter().zip(one.gives) {
            let known = had.remove(&(occasion, member));
            let mut bonus = match known {
                None if gives == Earned::default() => continue,
                known => known.unwrap_or_else(|| Bonus::new(occasion, member, one.occurred_at)),
            };
            if (bonus.order, bonus.tally.booked) != (one.order, gives) {
                (bonus.order, bonus.occurred_at) = (one.order, one.occurred_at);
                bonus.settle(book, gives, policy)?;
                changed.push(bonus);
            }
        }
    }
    Ok(store::save(tx, shop, &changed).await?)
}

/// What is booked for these referrals, for the friend and the advocate.
///
/// # Errors
/// Any error of the database.
pub async fn booked_for(
    read: &mut Read,
    shop: ShopId,
    referred: &[Referred],
) -> Result<HashMap<Uuid, [Earned; 2]>, Error> {
    let each: Vec<_> = referred.iter().flat_map(Referred::bonuses).collect();
    let had = store::load_each(read, shop, &each).await?;
    let booked = |one: &Referred| {
        one.bonuses().map(|bonus| had.get(&bonus).map(|bonus| bonus.tally.booked).unwrap_or_default())
    };
    Ok(referred.iter().map(|one| (one.id, booked(one))).collect())
}
