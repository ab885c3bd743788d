//! Some shops, the backend behind them, and a model beside each. One step after the other is taken, and after each in which
//! the backend may have changed a ledger, it is held against the model.

mod adopt;
mod backend;
mod compare;
mod exchange;
mod files;
mod hear;
mod installs;
mod ledger;
mod open;
mod program;
mod rest;
mod shelves;
mod template;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use devshop::{Delivery, DevShop, Function, Quote};
use jiff::SignedDuration;
use loyalnest::db::Timestamp;
use loyalnest::ids::ShopId;
use tempfile::TempDir;

use crate::model::Model;
use crate::model::tills::Operation;
use crate::process::{Process, Trip};
use crate::steps::{Step, Touches};

pub use exchange::Line;
pub use open::{FREE_DELIVERY, FREE_THING, POUND_OFF, TENTH_OFF, somebody};
pub use template::Template;

/// How long the backend is down after it died: longer than any of its leases.
pub const DOWN: SignedDuration = SignedDuration::from_mins(5);

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
pub type Outcome = Result<String, Trouble>;

/// Some shops and the backend behind them.
pub struct World {
    pub shops: Vec<Shop>,
    /// The shop in which the step is taken.
    pub here: usize,
    /// The backend's present life.
    pub process: Process,
    /// How it dies in what it does next.
    pub trip: Option<Trip>,
    pub line: Line,
    /// What gives points' discount at checkout, where the app is.
    pub function: Arc<Function>,
    /// How many adjustments and chores there were: each has a name.
    named: u64,
    // Dropped, and with it the database, when the world ends.
    _folder: TempDir,
}

/// A shop and all that is in it.
pub struct Shop {
    pub id: ShopId,
    pub model: Model,
    pub local: DevShop,
    pub program: loyalty::Program,
    /// Who there is. Who was merged into another is that one.
    pub customers: Vec<u64>,
    /// Who of them has been signed in at the storefront, whatever the shop says of their account.
    pub signed_in: HashSet<u64>,
    pub products: Vec<u64>,
    pub variants: Vec<u64>,
    pub orders: Vec<u64>,
    /// It had orders before all of it was erased: the app finds them as history.
    pub has_past: bool,
    /// What advocates have handed on.
    pub codes: Vec<String>,
    /// What the devices of a customer have in their cart: the mark of a pick.
    pub marks: BTreeMap<(usize, usize), String>,
    /// Checkouts that were left open.
    pub checkouts: BTreeMap<(usize, usize), Quote>,
    /// Webhooks on their way.
    pub waiting: Vec<Delivery>,
    /// Webhooks of which the model knows that the backend has acted upon them.
    told: HashSet<String>,
    /// And that it has erased whom they were about.
    erased: HashSet<String>,
    /// When it acted upon the last of them.
    heard_at: i64,
    /// Up to where the model has heard of the files of bulk operations, in bytes.
    files: HashMap<String, usize>,
    /// Webhooks about orders were given up since everything has come to rest.
    pub given_up: bool,
    /// The merchant has taken the app out: the shop tells it nothing, and nobody asks it for anything.
    pub is_out: bool,
    /// The backend has tokens for the shop: without, it is as if the app were not there.
    pub has_tokens: bool,
    /// The app was out since everything has come to rest.
    pub was_out: bool,
    /// Orders of which the backend may never hear.
    pub untold: HashSet<u64>,
    /// What the till did, and when.
    pub till: Vec<(i64, Operation)>,
}

impl World {
    /// Takes a step and says what came of it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn take(&mut self, step: &Step) -> Outcome {
        self.here = step.shop % self.shops.len();
        if step.act.needs_app() && !self.here().has_app() {
            return Ok("the app is not there".into());
        }
        let came_of_it = step.act.take(self)?;
        // Shopify tells times in whole seconds: what happens later is later.
        self.pass(SignedDuration::from_secs(1));
        self.collect();
        self.hear_of_installs()?;
        match step.act.touches() {
            Touches::Nothing => {}
            Touches::TheShop => self.compare(self.here)?,
            Touches::EveryShop => (0..self.shops.len()).try_for_each(|at| self.compare(at))?,
        }
        Ok(came_of_it)
    }

    /// The shop in which the step is taken.
    pub fn here(&mut self) -> &mut Shop {
        &mut self.shops[self.here]
    }

    /// The time, as a trace tells it.
    pub fn time(&self) -> String {
        self.at().to_jiff().strftime("%a %H:%M:%S").to_string()
    }

    /// Now (UTC).
    pub fn at(&self) -> Timestamp {
        self.line.clock.now()
    }

    /// Now, as models count.
    pub fn now(&self) -> i64 {
        self.at().as_microsecond()
    }

    /// Time passes, for everyone.
    pub fn pass(&mut self, time: SignedDuration) {
        self.line.pass(time);
        self.tell_the_time();
    }

    /// Models do not see clocks.
    fn tell_the_time(&mut self) {
        let now = self.now();
        self.shops.iter_mut().for_each(|shop| shop.model.now = now);
    }

    /// What the shop has sent since is on its way. Where the app is not, only that is sent, and what every app must hear.
    pub fn collect(&mut self) {
        let shop = self.here();
        let is_sent = |topic: &str| matches!(topic, "app/uninstalled" | "customers/redact" | "shop/redact");
        let sent = shop.local.webhooks().take();
        shop.waiting.extend(sent.into_iter().filter(|one| !shop.is_out || is_sent(&one.event.topic)));
    }

    pub fn name(&mut self, of: &str) -> String {
        self.named += 1;
        format!("{of}-{}", self.named)
    }
}
