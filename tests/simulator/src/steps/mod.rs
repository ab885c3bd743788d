//! What happens: each kind of step in one place, with how it is drawn, what it is called and what it does.
//!
//! A step stands for itself and passes by where it makes no sense (who refunds an order needs one), so that a plan with any
//! of them left out is a plan, too.

mod backend;
mod checkout;
mod faults;
mod history;
mod merchant;
mod orders;
mod people;
mod picks;
mod post;
mod referrals;
mod rules;
mod settle;
mod shelves;
mod staff;
mod tills;

use std::fmt;
use std::rc::Rc;

use fastrand::Rng;

use crate::world::{Outcome, World};

pub use settle::{Settle, Spoil, Wait};

pub use rules::change;
pub use shelves::{TAGS, collections, tags};
pub use staff::OWNER;

/// How many things are on a shelf.
pub const PRODUCTS: usize = 4;
/// Numbers of customers are drawn up to this.
const CUSTOMERS: usize = 6;
/// Whatever there may be many of is drawn up to this.
const MANY: usize = 1_000;

/// Something that happens. Its numbers choose among what there is by then: the customer with number 5 of 3 is the third one.
pub trait Act: fmt::Display {
    /// Does it, and says what came of it.
    ///
    /// # Errors
    /// [`Trouble`](crate::Trouble).
    fn take(&self, world: &mut World) -> Outcome;

    /// Whether somebody asks the app for something: nobody does where it is not.
    fn needs_app(&self) -> bool {
        false
    }

    /// Whose ledger may differ after it.
    fn touches(&self) -> Touches {
        Touches::TheShop
    }
}

/// Whose ledger may differ after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touches {
    /// Nobody's: the backend has heard nothing of it yet, or does nothing about it. What time takes shows after the next step.
    Nothing,
    /// That of the shop in which it is taken. No other's, which is found out when that one is looked at.
    TheShop,
    /// Everyone's.
    EveryShop,
}

/// A kind of step: how often it is drawn among the others, and what is drawn, with what comes before it.
type Kind = (u32, fn(&mut Rng) -> Vec<Rc<dyn Act>>);

/// Every kind there is.
const KINDS: [&[Kind]; 14] = [
    backend::KINDS,
    checkout::KINDS,
    faults::KINDS,
    history::KINDS,
    merchant::KINDS,
    orders::KINDS,
    people::KINDS,
    picks::KINDS,
    post::KINDS,
    referrals::KINDS,
    rules::KINDS,
    shelves::KINDS,
    staff::KINDS,
    tills::KINDS,
];

/// Something that happens in one of the shops.
#[derive(Clone)]
pub struct Step {
    /// In which: the one with number 5 of 3 is the third one.
    pub shop: usize,
    /// What.
    pub act: Rc<dyn Act>,
}

impl Step {
    /// Something that happens in that shop.
    pub fn new(shop: usize, act: impl Act + 'static) -> Step {
        Step { shop, act: Rc::new(act) }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shop {}: {}", self.shop, self.act)
    }
}

/// Draws what happens next.
pub fn draw(rng: &mut Rng) -> Vec<Rc<dyn Act>> {
    let all = || KINDS.into_iter().flatten();
    let mut at = rng.u32(0..all().map(|(often, _)| often).sum());
    let kind = all().find(|(often, _)| {
        let here = at < *often;
        at = at.saturating_sub(*often);
        here
    });
    kind.map(|(_, draw)| draw(rng)).unwrap_or_default()
}

/// A draw of a single step.
fn one(act: impl Act + 'static) -> Vec<Rc<dyn Act>> {
    vec![Rc::new(act)]
}
