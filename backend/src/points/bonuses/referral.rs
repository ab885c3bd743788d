//! What referrals give: to the friend, who has it once, and to whoever sent them. It belongs to the friend's order.

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
    /// Who was sent; none where what they have is by another referral.
    pub friend: Option<MemberId>,
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
    /// What it is to give, and as which bonuses that is known: the friend's and the advocate's.
    fn bonuses(&self) -> impl Iterator<Item = ((Occasion, MemberId), Earned)> {
        let [to_friend, to_advocate] = self.gives;
        let friend = self.friend.map(|friend| ((Occasion::Referred, friend), to_friend));
        friend.into_iter().chain([((Occasion::Referral(self.id), self.advocate), to_advocate)])
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
    let each: Vec<_> = referred.iter().flat_map(Referred::bonuses).map(|(known_as, _)| known_as).collect();
    let mut had = store::load_each(tx, shop, &each).await?;
    let mut due = Vec::new();
    for one in referred {
        for ((occasion, member), gives) in one.bonuses() {
            let bonus = match had.remove(&(occasion, member)) {
                Some(bonus) => bonus,
                None if gives == Earned::default() => continue,
                None => Bonus::new(occasion, member, one.occurred_at),
            };
            if (bonus.order, bonus.tally.booked) != (one.order, gives) {
                due.push((bonus, one, gives));
            }
        }
    }
    store::load_lots(tx, book, due.iter().map(|(bonus, ..)| bonus)).await?;
    let mut changed = Vec::new();
    for (mut bonus, one, gives) in due {
        (bonus.order, bonus.occurred_at) = (one.order, one.occurred_at);
        bonus.settle(book, gives, policy)?;
        changed.push(bonus);
    }
    Ok(store::save(tx, shop, &changed).await?)
}

/// The referrals among these for which more or less is booked than they are to give.
///
/// # Errors
/// Any error of the database.
pub async fn wrongly_booked(read: &mut Read, shop: ShopId, referred: &[Referred]) -> Result<usize, Error> {
    let each: Vec<_> = referred.iter().flat_map(Referred::bonuses).map(|(known_as, _)| known_as).collect();
    let had = store::load_each(read, shop, &each).await?;
    let is_wrong = |one: &&Referred| {
        one.bonuses().any(|(known_as, gives)| {
            let booked = had.get(&known_as).map(|bonus| bonus.tally.booked);
            booked.unwrap_or_default() != gives
        })
    };
    Ok(referred.iter().filter(is_wrong).count())
}
