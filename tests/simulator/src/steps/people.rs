//! What becomes of customers.

use std::fmt;
use std::rc::Rc;

use axum::http::Method;
use fastrand::Rng;
use jiff::ToSpan;
use serde_json::json;

use super::{Act, CUSTOMERS, Kind, Touches, one};
use crate::process::Died;
use crate::world::{DOWN, Outcome, Shop, Trouble, World, somebody};

pub const KINDS: &[Kind] = &[
    (2, |rng| one(TellBirthday { who: rng.usize(0..CUSTOMERS), days: rng.i64(0..6) })),
    (1, |rng| one(Arrive { is_guest: rng.bool() })),
    (2, |rng| vec![account(rng)]),
    (1, |rng| match rng.u32(0..6) {
        0 => one(Erase { who: rng.usize(0..CUSTOMERS) }),
        1 => one(Delete { who: rng.usize(0..CUSTOMERS) }),
        _ => one(Merge { kept: rng.usize(0..CUSTOMERS), gone: rng.usize(0..CUSTOMERS) }),
    }),
];

/// What may become of the account of somebody who has none, or whose account is switched off.
const STATES: [&str; 4] = ["enabled", "enabled", "enabled", "invited"];

/// Somebody opens an account.
pub fn account(rng: &mut Rng) -> Rc<dyn Act> {
    Rc::new(Account { who: rng.usize(0..CUSTOMERS), state: STATES[rng.usize(0..STATES.len())] })
}

/// Somebody comes to the shop for the first time, where there are not many yet.
pub struct Arrive {
    pub is_guest: bool,
}

/// A guest opens an account, or is invited to.
struct Account {
    who: usize,
    state: &'static str,
}

/// Two customers become one.
struct Merge {
    kept: usize,
    gone: usize,
}

/// A customer goes, unless it is the last.
struct Delete {
    who: usize,
}

/// A customer wants everything that leads to them to be erased, and is not seen again; unless it is the last.
struct Erase {
    who: usize,
}

/// A customer tells their birthday: so many days from now.
struct TellBirthday {
    who: usize,
    days: i64,
}

impl Act for TellBirthday {
    fn needs_app(&self) -> bool {
        true
    }

    fn take(&self, world: &mut World) -> Outcome {
        let now = world.now();
        let shop = world.here();
        let customer = shop.customers[self.who % shop.customers.len()];
        let day = shop.model.rules.calendar.day(now).saturating_add(self.days.days());
        let body = json!({"birthday": day.strftime("%m-%d").to_string()});
        let mut told = world.storefront(Method::POST, "/proxy/birthday", customer, Some(&body))?;
        if told.is_err() {
            world.pass(DOWN);
            told = world.storefront(Method::POST, "/proxy/birthday", customer, Some(&body))?;
        }
        match told.map_err(|Died| Trouble::Violation("it died without a cause".into()))? {
            (200, _) => world.here().model.told_birthday(customer, day.month(), day.day()),
            (status, answer) => {
                return Err(Trouble::Disagreement(format!("telling a birthday is {status} {answer}")));
            }
        }
        Ok(body["birthday"].to_string())
    }
}

impl Act for Arrive {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        if shop.customers.len() >= CUSTOMERS {
            return Ok("there are enough".into());
        }
        shop.customers.push(somebody(&shop.local, self.is_guest));
        Ok(format!("customer {}", shop.customers.len() - 1))
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for Account {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let customer = shop.customers[self.who % shop.customers.len()];
        if shop.local.customer(customer).is_none_or(|known| known.state == "enabled") {
            return Ok("there is one".into());
        }
        let change = |known: &mut devshop::Customer| self.state.clone_into(&mut known.state);
        shop.local.update_customer(customer, change).map_err(anyhow::Error::from)?;
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
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
        let Some(gone) = shop.take_out(self.who) else { return Ok("it is the last".into()) };
        shop.local.delete_customer(gone);
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Act for Erase {
    fn take(&self, world: &mut World) -> Outcome {
        let shop = world.here();
        let Some(gone) = shop.take_out(self.who) else { return Ok("it is the last".into()) };
        shop.local.redact_customer(gone).map_err(anyhow::Error::from)?;
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::Nothing
    }
}

impl Shop {
    /// A customer does nothing any more.
    fn take_out(&mut self, who: usize) -> Option<u64> {
        let gone = self.customers[who % self.customers.len()];
        if self.customers.iter().all(|customer| *customer == gone) {
            return None;
        }
        self.customers.retain(|customer| *customer != gone);
        Some(gone)
    }
}

impl fmt::Display for TellBirthday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} tells that their birthday is in {} days", self.who, self.days)
    }
}

impl fmt::Display for Arrive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_guest { "a guest comes to the shop" } else { "somebody opens an account" })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {}, who had no account, is {}", self.who, self.state)
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

impl fmt::Display for Erase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "customer {} wants to be erased", self.who)
    }
}
