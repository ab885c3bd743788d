//! What becomes of customers.

use std::fmt;

use super::{Act, CUSTOMERS, Kind, Touches, one};
use crate::world::{Outcome, World};

pub const KINDS: &[Kind] = &[(1, |rng| match rng.u32(0..3) {
    0 => one(Delete { who: rng.usize(0..CUSTOMERS) }),
    _ => one(Merge { kept: rng.usize(0..CUSTOMERS), gone: rng.usize(0..CUSTOMERS) }),
})];

/// Two customers become one.
struct Merge {
    kept: usize,
    gone: usize,
}

/// A customer goes, unless it is the last.
struct Delete {
    who: usize,
}

impl Act for Merge {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let count = shop.customers.len();
        let (kept, gone) = (shop.customers[self.kept % count], shop.customers[self.gone % count]);
        if kept == gone || shop.local.merge_customers(kept, gone).is_err() {
            return Ok("they are one".into());
        }
        for customer in shop.customers.iter_mut().filter(|customer| **customer == gone) {
            *customer = kept;
        }
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for Delete {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let gone = shop.customers[self.who % shop.customers.len()];
        if shop.customers.iter().all(|customer| *customer == gone) {
            return Ok("it is the last".into());
        }
        shop.customers.retain(|customer| *customer != gone);
        shop.local.delete_customer(gone);
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl fmt::Display for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} is merged into customer {}", self.gone, self.kept)
    }
}

impl fmt::Display for Delete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} is deleted", self.who)
    }
}
