//! A shop, the backend behind it, and the model beside both. One step after the other is taken, and after each that
//! touched the backend, or let time pass, the ledger is held against the model.

mod backend;
mod look;
mod open;
mod post;
mod shoppers;
mod tills;
mod widgets;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use devshop::{Delivery, DevShop, Quote};
use jiff::SignedDuration;
use loyalnest::clock::Clock;
use loyalnest::ids::ShopId;
use loyalnest::outgoing::Outgoing;

use crate::model::Model;
use crate::model::tills::Act;
use crate::plan::Step;
use crate::process::{Process, Trip};

pub use open::Template;

/// How long the backend is down after it died: longer than any of its leases.
const DOWN: SignedDuration = SignedDuration::from_mins(5);

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The ledger is not what the model says.
    #[error("{0}")]
    Disagreement(String),
    /// What must always hold does not.
    #[error("{0}")]
    Violation(String),
    /// The simulator itself.
    #[error(transparent)]
    Broken(#[from] anyhow::Error),
}

/// What a step came to, in words.
type Outcome = Result<String, Trouble>;

/// A shop and all that is in it.
pub struct World {
    pub model: Model,
    shop: DevShop,
    shop_id: ShopId,
    clock: Clock,
    /// The backend's present life.
    process: Process,
    /// What it needs to be started again.
    file: PathBuf,
    settings: Vec<(String, String)>,
    shopify: Outgoing,
    /// How it dies in what it does next.
    trip: Option<Trip>,
    /// Who there is. Who was merged into another is that one.
    customers: Vec<u64>,
    variants: Vec<u64>,
    orders: Vec<u64>,
    /// What the devices of a customer have in their cart: the mark of a pick.
    marks: BTreeMap<(usize, usize), String>,
    /// Checkouts that were left open.
    checkouts: BTreeMap<(usize, usize), Quote>,
    /// Webhooks on their way.
    waiting: Vec<Delivery>,
    /// Webhooks of which the model knows that the backend has acted upon them.
    told: HashSet<String>,
    /// How many adjustments and chores there were: each has a name.
    named: u64,
    /// What the till did, and when.
    till: Vec<(String, Act)>,
    program: loyalty::Program,
    // Dropped, and with it the database, when the world ends.
    _folder: tempfile::TempDir,
}

impl World {
    /// Takes a step and says what came of it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn take(&mut self, step: &Step) -> Outcome {
        let came_of_it = match step {
            Step::Wait { minutes } => self.pass(SignedDuration::from_mins(*minutes)),
            Step::Buy { who, device, things, paid } => self.buy(*who, *device, things, *paid),
            Step::Open { who, device, things } => self.open_checkout(*who, *device, things),
            Step::GoThrough { who, device } => self.go_through(*who, *device),
            Step::Pay { order } => self.change_order(*order, |shop, order| shop.pay(order).is_ok()),
            Step::SendOff { order } => {
                self.change_order(*order, |shop, order| shop.fulfil_order(order).is_ok())
            }
            Step::Refund { order, line, units, delivery } => self.refund(*order, *line, *units, *delivery),
            Step::Cancel { order } => {
                self.change_order(*order, |shop, order| shop.cancel(order, "customer").is_ok())
            }
            Step::Edit { order, line, units } => self.edit(*order, *line, *units),
            Step::Add { order, thing, units } => self.add(*order, *thing, *units),
            Step::Pick { who, device, steps, percent } => self.pick((*who, *device), *steps, *percent)?,
            Step::TakeBack { who } => self.take_back(*who)?,
            Step::Visit { who } => self.visit(*who)?,
            Step::Adjust { who, points, twice } => self.adjust(*who, *points, *twice)?,
            Step::Set(change) => self.set(*change)?,
            Step::Merge { kept, gone } => self.merge(*kept, *gone),
            Step::Delete { who } => self.delete(*who),
            Step::AtTill { who, order, what } => self.at_till(*who, *order, *what),
            Step::Flush { from, many } => self.flush(*from, *many)?,
            Step::Deliver { which, fate } => self.deliver(*which, *fate)?,
            Step::DeliverAll { seed } => self.deliver_all(*seed)?,
            Step::Work => self.work()?,
            Step::Publish => self.publish()?,
            Step::Advance => self.advance()?,
            Step::Chores => self.chores()?,
            Step::Tell => self.tell()?,
            Step::Crash => {
                self.restart()?;
                self.pass(DOWN)
            }
            Step::Trip(trip) => {
                self.trip = Some(*trip);
                String::new()
            }
            Step::Fail(failure) => self.fail(*failure),
            Step::Settle => self.settle()?,
            Step::Spoil => self.spoil()?,
        };
        if !matches!(step, Step::Trip(_) | Step::Fail(_)) {
            // Shopify tells times in whole seconds: what happens later is later.
            self.pass(SignedDuration::from_secs(1));
        }
        self.collect();
        if step.touches_the_backend() {
            self.compare()?;
        }
        Ok(came_of_it)
    }

    /// The time, as a trace tells it.
    pub fn time(&self) -> String {
        self.clock.now().to_jiff().strftime("%a %H:%M:%S").to_string()
    }

    /// Time passes, for everyone.
    fn pass(&mut self, time: SignedDuration) -> String {
        self.clock.advance(time);
        self.shop.clock().advance(time.unsigned_abs());
        self.model.now = self.clock.now().as_microsecond();
        String::new()
    }

    /// What the shop has sent since is on its way.
    fn collect(&mut self) {
        self.waiting.extend(self.shop.webhooks().take());
    }

    fn name(&mut self, of: &str) -> String {
        self.named += 1;
        format!("{of}-{}", self.named)
    }
}
