//! Turns: requests that would wait for one another in the database wait here instead, where waiting is free.
//!
//! Without them, one customer who clicks a hundred times would occupy every connection of the pool.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::OwnedMutexGuard;

use crate::ids::{CustomerId, ShopId};

/// Whose turn it is. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<Queues>>);

type Queues = HashMap<(ShopId, CustomerId), Weak<tokio::sync::Mutex<()>>>;

/// How many customers may be known before those who have gone are forgotten.
const KNOWN: usize = 1_024;

impl Turns {
    /// Waits until it is this customer's turn; the next one's comes when the guard is dropped.
    pub async fn take(&self, shop: ShopId, customer: CustomerId) -> OwnedMutexGuard<()> {
        self.turn(shop, customer).lock_owned().await
    }

    fn turn(&self, shop: ShopId, customer: CustomerId) -> Arc<tokio::sync::Mutex<()>> {
        // A poisoned map is whole: nothing in here panics half-way.
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.len() >= KNOWN {
            known.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = known.entry((shop, customer)).or_default();
        turn.upgrade().unwrap_or_else(|| {
            let new = Arc::default();
            *turn = Arc::downgrade(&new);
            new
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_customer_has_one_turn_at_a_time_and_others_do_not_wait() {
        let (turns, shop) = (Turns::default(), ShopId(Uuid::nil()));
        let first = turns.take(shop, CustomerId(1)).await;
        drop(turns.take(shop, CustomerId(2)).await);
        let second = tokio::spawn({
            let turns = turns.clone();
            async move { drop(turns.take(shop, CustomerId(1)).await) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn customers_who_have_gone_are_forgotten() {
        let (turns, shop) = (Turns::default(), ShopId(Uuid::nil()));
        for customer in 0..3 * KNOWN as i64 {
            drop(turns.take(shop, CustomerId(customer)).await);
        }
        assert!(turns.0.lock().unwrap().len() <= KNOWN);
    }
}
