//! Whose turn it is: shops that wait for something go round in a circle, so that none waits for all that another has.
//!
//! Shops stand in the circle in the order of their ids. Whoever looks for work asks the database who comes next, step by
//! step into an index, however much waits behind each step. A shop holds at most a share of a process's workers, and
//! one that is to be left alone for a while (its bucket at Shopify is empty) is passed over.
//!
//! So a shop's turn comes after at most `(shops + AT_ONCE) / workers + 1` turns of others (its own not counted), each as long as one turn may
//! take: everyone else has one turn until the circle is back, and those that the last look found may have two.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::db::Timestamp;
use crate::ids::ShopId;

/// How many shops one look passes at most.
pub const AT_ONCE: i64 = 64;

/// A shop that a look passed.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Passed {
    /// The shop.
    pub shop_id: ShopId,
    /// Whether there is something to do for it now.
    pub is_ready: bool,
}

/// The turns of one process's workers.
#[derive(Debug)]
pub struct Rota {
    /// How many workers one shop may hold at once.
    share: usize,
    /// Circles by what comes first: each goes on where it was, whatever came before it.
    circles: tokio::sync::Mutex<HashMap<i64, Circle>>,
    places: Arc<Places>,
}

/// How far a circle has come.
#[derive(Debug)]
struct Circle {
    /// The next look passes this shop and those after it.
    from: ShopId,
    /// Whom the last look found.
    found: VecDeque<ShopId>,
}

/// Where a circle begins.
pub const START: ShopId = ShopId(Uuid::nil());

/// What is held, and whoever waits for it to be given back.
#[derive(Debug, Default)]
struct Places {
    shops: Mutex<Shops>,
    given_back: Notify,
}

#[derive(Debug, Default)]
struct Shops {
    /// How many workers each holds.
    held: HashMap<ShopId, usize>,
    /// Until when they are left alone.
    resting: HashMap<ShopId, Timestamp>,
}

/// A worker's place, held for a shop until it is dropped.
#[derive(Debug)]
pub struct Place {
    /// Whose turn it is.
    pub shop: ShopId,
    places: Arc<Places>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut shops = self.places.lock();
        if let Some(held) = shops.held.get_mut(&self.shop) {
            *held -= 1;
            if *held == 0 {
                shops.held.remove(&self.shop);
            }
        }
        self.places.given_back.notify_one();
    }
}

impl Rota {
    /// Turns among this many workers, of which one shop may hold half.
    pub fn new(workers: usize) -> Self {
        Rota { share: workers.div_ceil(2), circles: tokio::sync::Mutex::default(), places: Arc::default() }
    }

    /// The shop whose turn it is in a circle; none if nobody there is ready. `look` gives up to [`AT_ONCE`] shops that
    /// have something waiting, from the given one on, in the order of their ids; fewer are the last ones.
    ///
    /// # Errors
    /// Those of `look`.
    pub async fn next<E, Look>(
        &self,
        circle: i64,
        now: Timestamp,
        look: impl Fn(ShopId) -> Look,
    ) -> Result<Option<Place>, E>
    where
        Look: Future<Output = Result<Vec<Passed>, E>>,
    {
        let mut circles = self.circles.lock().await;
        let circle = circles.entry(circle).or_insert(Circle { from: START, found: VecDeque::new() });
        // To its end, and then once as a whole.
        let mut rounds = if circle.from == START { 1 } else { 2 };
        loop {
            while let Some(shop) = circle.found.pop_front() {
                if let Some(place) = self.place(shop, now) {
                    return Ok(Some(place));
                }
            }
            if rounds == 0 {
                return Ok(None);
            }
            let passed = look(circle.from).await?;
            circle.found.extend(passed.iter().filter(|passed| passed.is_ready).map(|passed| passed.shop_id));
            circle.from = next_from(&passed, AT_ONCE);
            if circle.from == START {
                rounds -= 1;
            }
        }
    }

    /// A place for this shop, unless it is to be left alone or holds its share.
    fn place(&self, shop: ShopId, now: Timestamp) -> Option<Place> {
        let mut shops = self.places.lock();
        if shops.resting.get(&shop).is_some_and(|until| *until > now) {
            return None;
        }
        let held = shops.held.entry(shop).or_default();
        if *held >= self.share {
            return None;
        }
        *held += 1;
        Some(Place { shop, places: self.places.clone() })
    }

    /// Waits until a place is given back: a shop that held its share may go on.
    pub async fn given_back(&self) {
        self.places.given_back.notified().await;
    }

    /// Leaves a shop alone until this time (UTC).
    pub fn rest(&self, shop: ShopId, now: Timestamp, until: Timestamp) {
        let mut shops = self.places.lock();
        shops.resting.retain(|_, until| *until > now);
        let known = shops.resting.entry(shop).or_insert(until);
        *known = until.max(*known);
    }
}

/// Where the next look begins after one that could pass `most` shops: behind the last one, or at the start again.
pub fn next_from(passed: &[Passed], most: i64) -> ShopId {
    let last = passed.last().filter(|_| passed.len() as i64 >= most);
    last.map_or(START, |last| ShopId(Uuid::from_u128(last.shop_id.0.as_u128().wrapping_add(1))))
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, Shops> {
        self.shops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use jiff::SignedDuration;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn shop(n: u128) -> ShopId {
        ShopId(Uuid::from_u128(n))
    }

    /// As the database answers when these shops have something waiting; odd ones are ready.
    async fn look(waiting: &[u128], from: ShopId) -> Result<Vec<Passed>, Infallible> {
        let mut waiting = waiting.to_vec();
        waiting.sort_unstable();
        let passed = waiting.into_iter().filter(|n| shop(*n) >= from).take(AT_ONCE as usize);
        Ok(passed.map(|n| Passed { shop_id: shop(n), is_ready: n % 2 == 1 }).collect())
    }

    async fn next(rota: &Rota, waiting: &[u128]) -> Option<Place> {
        rota.next(0, NOW, |from| look(waiting, from)).await.unwrap()
    }

    async fn turns(rota: &Rota, waiting: &[u128], count: usize) -> Vec<u128> {
        let mut turns = Vec::new();
        for _ in 0..count {
            turns.push(next(rota, waiting).await.unwrap().shop.0.as_u128());
        }
        turns
    }

    #[tokio::test]
    async fn each_has_a_turn_until_the_first_has_another() {
        let rota = Rota::new(4);
        assert_eq!(turns(&rota, &[5, 1, 3], 7).await, [1, 3, 5, 1, 3, 5, 1]);
        let (rota, many) = (Rota::new(4), (0..400).collect::<Vec<u128>>());
        let mut all = turns(&rota, &many, 200).await;
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 200, "the circle is larger than a look");
    }

    #[tokio::test]
    async fn who_is_not_ready_is_passed_over_and_nobody_is_looked_for_without_end() {
        let looks = Cell::new(0);
        let rota = Rota::new(4);
        let many: Vec<u128> = (0..400).map(|n| n * 2).collect();
        let none = rota.next(0, NOW, |from| {
            looks.set(looks.get() + 1);
            look(&many, from)
        });
        assert!(none.await.unwrap().is_none());
        assert_eq!(looks.get(), 400 / AT_ONCE + 1);
        assert!(next(&rota, &[]).await.is_none());
    }

    #[tokio::test]
    async fn a_shop_holds_its_share_of_the_workers_and_gives_it_back() {
        let rota = Rota::new(4);
        let held = (next(&rota, &[1]).await.unwrap(), next(&rota, &[1]).await.unwrap());
        assert!(next(&rota, &[1]).await.is_none());
        assert_eq!(next(&rota, &[1, 3]).await.unwrap().shop, shop(3));
        drop(held.0);
        assert!(next(&rota, &[1]).await.is_some());
    }

    #[tokio::test]
    async fn whoever_waits_for_a_place_hears_when_one_is_given_back() {
        let rota = Rota::new(1);
        let held = next(&rota, &[1]).await.unwrap();
        assert!(next(&rota, &[1]).await.is_none());
        drop(held);
        rota.given_back().await;
        assert!(next(&rota, &[1]).await.is_some());
    }

    #[tokio::test]
    async fn a_shop_that_rests_is_left_alone_until_its_time() {
        let rota = Rota::new(4);
        rota.rest(shop(1), NOW, NOW + SignedDuration::from_secs(2));
        rota.rest(shop(1), NOW, NOW + SignedDuration::from_secs(1));
        assert_eq!(turns(&rota, &[1, 3], 2).await, [3, 3]);
        let later = NOW + SignedDuration::from_secs(2);
        let place = rota.next(0, later, |from| look(&[1], from)).await.unwrap();
        assert_eq!(place.unwrap().shop, shop(1));
    }

    #[tokio::test]
    async fn circles_do_not_disturb_each_other() {
        let rota = Rota::new(4);
        for expected in [1, 3, 5] {
            assert_eq!(turns(&rota, &[1, 3, 5], 1).await, [expected]);
            let other = rota.next(1, NOW, |from| look(&[7], from)).await.unwrap();
            assert_eq!(other.unwrap().shop, shop(7));
        }
    }
}
