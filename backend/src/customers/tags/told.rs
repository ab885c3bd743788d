//! What is told of tags, folded: of each the newest stays, in whichever order it comes.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::SignedDuration;
use serde::Deserialize;

use super::{Known, MOST, is_tag, key, store};
use crate::db::{self, Timestamp, Tx};
use crate::ids::{CustomerId, MemberId, ShopId};
use crate::rfm;

/// Shopify tells for hours, a day at most: older than that, nothing comes.
const LATE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// `customer.tags_added` and `tags_removed`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::customers) struct TagsJson {
    customer_id: String,
    tags: Vec<String>,
    occurred_at: Timestamp,
}

/// A customer got tags, or lost some. Who is no member does not become one by it. None if the payload names nobody.
pub(in crate::customers) async fn told(
    tx: &mut Tx,
    shop: ShopId,
    told: &TagsJson,
    added: bool,
    now: Timestamp,
) -> Result<Option<()>, db::Error> {
    let number = told.customer_id.strip_prefix("gid://shopify/Customer/").and_then(|id| id.parse().ok());
    let Some(customer) = number.map(CustomerId) else { return Ok(None) };
    let Some((mut folds, members)) = begin(tx, shop, &[customer]).await? else { return Ok(Some(())) };
    let Some(member) = members.get(&customer) else { return Ok(Some(())) };
    let fold = folds.entry(*member).or_default();
    for tag in &told.tags {
        fold.tell(*member, tag, added, told.occurred_at);
    }
    end(tx, shop, folds, now).await.map(Some)
}

/// All tags that a customer has.
#[derive(Debug)]
pub(super) struct All {
    pub customer: CustomerId,
    pub tags: Vec<String>,
    pub as_of: Timestamp,
}

/// A file tells of all tags of these customers.
pub(super) async fn all_told(
    tx: &mut Tx,
    shop: ShopId,
    told: &[All],
    now: Timestamp,
) -> Result<(), db::Error> {
    let customers: HashSet<CustomerId> = told.iter().map(|one| one.customer).collect();
    let customers: Vec<CustomerId> = customers.into_iter().collect();
    let Some((mut folds, members)) = begin(tx, shop, &customers).await? else { return Ok(()) };
    for all in told {
        let Some(member) = members.get(&all.customer) else { continue };
        let fold = folds.entry(*member).or_default();
        let has: HashSet<String> = all.tags.iter().map(|tag| key(tag)).collect();
        let lost: Vec<String> = fold
            .known
            .values()
            .filter(|known| !has.contains(&known.key()))
            .map(|known| known.tag.clone())
            .collect();
        for tag in &lost {
            fold.tell(*member, tag, false, all.as_of);
        }
        for tag in &all.tags {
            fold.tell(*member, tag, true, all.as_of);
        }
    }
    end(tx, shop, folds, now).await
}

/// What is known of a member's tags, and what of it is new.
#[derive(Debug, Default)]
struct Fold {
    known: BTreeMap<String, Known>,
    changed: HashSet<String>,
}

type Folds = HashMap<MemberId, Fold>;

/// What is known of these customers who are members, if the shop keeps tags.
async fn begin(
    tx: &mut Tx,
    shop: ShopId,
    customers: &[CustomerId],
) -> Result<Option<(Folds, HashMap<CustomerId, MemberId>)>, db::Error> {
    if !store::stay(tx, shop).await? {
        return Ok(None);
    }
    let members: HashMap<CustomerId, MemberId> =
        store::lock_members(tx, shop, customers).await?.into_iter().collect();
    let mut folds = Folds::new();
    for known in store::load(tx, shop, &members.values().copied().collect::<Vec<_>>()).await? {
        folds.entry(known.member).or_default().known.insert(known.key(), known);
    }
    Ok(Some((folds, members)))
}

async fn end(tx: &mut Tx, shop: ShopId, folds: Folds, now: Timestamp) -> Result<(), db::Error> {
    let mut members: Vec<MemberId> = folds.keys().copied().collect();
    members.sort_unstable();
    let changed = folds.into_values().flat_map(|fold| {
        let Fold { known, changed } = fold;
        known.into_iter().filter(move |(key, _)| changed.contains(key)).map(|(_, known)| known)
    });
    let mut changed: Vec<Known> = changed.collect();
    changed.sort_unstable_by_key(|known| (known.member, known.key()));
    store::save(tx, shop, &changed).await?;
    store::forget_lost(tx, shop, &members, now - LATE).await
}

impl Fold {
    /// A tag is there since then, or is not.
    fn tell(&mut self, member: MemberId, tag: &str, kept: bool, as_of: Timestamp) {
        let tag = tag.trim();
        if !is_tag(tag) || rfm::is_label(tag) {
            return;
        }
        let key = key(tag);
        let known = self.known.get(&key);
        let is_news = known.is_none_or(|known| known.as_of < as_of);
        let is_too_many = kept && !known.is_some_and(|known| known.kept) && self.kept() >= MOST;
        if is_news && !is_too_many {
            self.known.insert(key.clone(), Known { member, tag: tag.to_owned(), kept, as_of });
            self.changed.insert(key);
        }
    }

    fn kept(&self) -> usize {
        self.known.values().filter(|known| known.kept).count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_microsecond(second * 1_000_000).unwrap()
    }

    fn folded(told: &[(usize, bool, i64)]) -> Vec<(String, bool)> {
        let mut fold = Fold::default();
        for (tag, kept, second) in told {
            fold.tell(MemberId(Uuid::nil()), ["VIP", "vip ", "new"][*tag], *kept, at(*second));
        }
        fold.known.into_iter().map(|(key, known)| (key, known.kept)).collect()
    }

    proptest! {
        /// Of what happened at different times, the order does not matter.
        #[test]
        fn in_whichever_order_it_comes_the_newest_stays(
            told in prop::collection::vec((0..3_usize, any::<bool>()), 0..8),
            shuffle in any::<u64>(),
        ) {
            let told: Vec<(usize, bool, i64)> = (0..).zip(told).map(|(at, (tag, kept))| (tag, kept, at)).collect();
            let mut other = told.clone();
            other.sort_by_key(|(_, _, at)| (*at as u64 + 1).wrapping_mul(shuffle | 1));
            prop_assert_eq!(folded(&told), folded(&other));
        }
    }

    #[test]
    fn what_is_no_tag_or_our_own_is_not_kept_and_no_more_than_shopify_has() {
        let mut fold = Fold::default();
        let long = "x".repeat(256);
        for tag in ["", "  ", "a\0b", &long, "loyalty: champions", "Loyalty: Champions"] {
            fold.tell(MemberId(Uuid::nil()), tag, true, at(1));
        }
        assert!(fold.known.is_empty(), "{:?}", fold.known);
        for number in 0..MOST + 5 {
            fold.tell(MemberId(Uuid::nil()), &format!("tag {number}"), true, at(2));
        }
        assert_eq!(fold.kept(), MOST);
        fold.tell(MemberId(Uuid::nil()), "tag 7", false, at(3));
        fold.tell(MemberId(Uuid::nil()), "one more", true, at(3));
        assert_eq!(fold.kept(), MOST);
        assert!(fold.known["one more"].kept);
    }
}
