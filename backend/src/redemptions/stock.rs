//! Stock: how many of a reward are left. It is an inventory and no setting, so that going back to older settings brings
//! nothing back that members have.

use std::collections::{BTreeMap, HashMap};

use super::{Hold, State};
use crate::db;
use crate::db::{Read, Tx};
use crate::ids::ShopId;

crate::holds! {
    redemptions_stock [shop_id, reward_id] of Nobody, kept "as long as the programme" {
        shop_id: Id, reward_id: Plain, remaining: Plain,
    }
}

/// What taking one came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// There is one less.
    One,
    /// There is no end of them.
    Endless,
    /// None was left.
    None,
}

/// Has whoever changes the stock of these rewards, too, wait: before any of them is changed, and in one order everywhere.
pub(super) async fn lock(tx: &mut Tx, shop: ShopId, rewards: [&str; 2]) -> Result<(), db::Error> {
    let [one, other] = rewards;
    let _: Vec<(String,)> = db!(tx.all,
        sqlite: "select reward_id from redemptions_stock where shop_id = $1 and reward_id in ($2, $3)",
        postgres: "select reward_id from redemptions_stock where shop_id = $1 and reward_id in ($2, $3)
                   order by reward_id for update",
        shop, one, other)?;
    Ok(())
}

/// Takes one. Of those who come at once, as many get one as there are.
pub(super) async fn take(tx: &mut Tx, shop: ShopId, reward: &str) -> Result<Taken, db::Error> {
    let taken = db!(
        tx.execute,
        "update redemptions_stock set remaining = remaining - 1
         where shop_id = $1 and reward_id = $2 and remaining > 0",
        shop,
        reward
    )?;
    if taken > 0 {
        return Ok(Taken::One);
    }
    let is_counted = levels(tx, shop).await?.contains_key(reward);
    Ok(if is_counted { Taken::None } else { Taken::Endless })
}

/// Gives back what the holds among these took that were released; what an order used all the same is taken again, as far as
/// there is any left.
pub(super) async fn settle(tx: &mut Tx, shop: ShopId, holds: &[&Hold]) -> Result<(), db::Error> {
    let mut rewards: BTreeMap<&str, i64> = BTreeMap::new();
    for hold in holds.iter().filter(|hold| hold.state == State::Released) {
        // Once it is released it has none of the stock.
        let change = match (hold.stocked, hold.order) {
            (true, None) => 1,
            (false, Some(_)) => -1,
            // What it took was had, if late; or it took nothing.
            (true, Some(_)) | (false, None) => continue,
        };
        *rewards.entry(&hold.reward).or_default() += change;
    }
    for (reward, count) in rewards {
        add(tx, shop, reward, count).await?;
    }
    Ok(())
}

/// There are so many more of a reward, or less, if there is an end of it.
pub(super) async fn add(tx: &mut Tx, shop: ShopId, reward: &str, count: i64) -> Result<(), db::Error> {
    db!(
        tx.execute,
        "update redemptions_stock set remaining = case when remaining + $3 < 0 then 0 else remaining + $3 end
         where shop_id = $1 and reward_id = $2",
        shop,
        reward,
        count
    )?;
    Ok(())
}

/// How many are left of each reward that has an end.
///
/// # Errors
/// Any error of the database.
pub async fn levels(read: &mut Read, shop: ShopId) -> Result<HashMap<String, i64>, db::Error> {
    let levels: Vec<(String, i64)> =
        db!(read.all, "select reward_id, remaining from redemptions_stock where shop_id = $1", shop)?;
    Ok(levels.into_iter().collect())
}

/// Says how many are left, or that there is no end of them, and gives what was said before.
///
/// # Errors
/// Any error of the database.
pub async fn set(
    tx: &mut Tx,
    shop: ShopId,
    reward: &str,
    remaining: Option<i64>,
) -> Result<Option<i64>, db::Error> {
    let before: Option<(i64,)> = db!(tx.optional,
        sqlite: "select remaining from redemptions_stock where shop_id = $1 and reward_id = $2",
        postgres: "select remaining from redemptions_stock where shop_id = $1 and reward_id = $2 for update",
        shop, reward)?;
    match remaining {
        Some(remaining) => db!(
            tx.execute,
            "insert into redemptions_stock (shop_id, reward_id, remaining) values ($1, $2, $3)
             on conflict (shop_id, reward_id) do update set remaining = excluded.remaining",
            shop,
            reward,
            remaining
        )?,
        None => db!(
            tx.execute,
            "delete from redemptions_stock where shop_id = $1 and reward_id = $2",
            shop,
            reward
        )?,
    };
    Ok(before.map(|(remaining,)| remaining))
}
