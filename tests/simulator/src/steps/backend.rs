//! The backend's own work, turn by turn, and its deaths.

use std::fmt;
use std::rc::Rc;

use fastrand::Rng;
use loyalnest::customers::birthdays::Celebrate;
use loyalnest::merchants;
use loyalnest::orders::catch_up::CatchUp;
use loyalnest::orders::jobs::PostRipe;
use loyalnest::points::ExpireDaily;
use loyalnest::products::jobs::ReadShelves;
use loyalnest::redemptions::jobs;
use loyalnest::referrals::Lapse;
use loyalnest::sync;
use loyalnest::tasks::{self, Order, Task};

use super::{Act, CUSTOMERS, Kind, Touches, one, picks, post, referrals};
use crate::process::{Died, Trip};
use crate::world::{DOWN, Outcome, Trouble, World};

pub const KINDS: &[Kind] = &[
    (10, |_| one(Turn::Work)),
    (8, |_| one(Turn::Publish)),
    (4, |_| one(Turn::Advance)),
    (2, |_| one(Turn::Chores)),
    (1, |_| one(Turn::Tell)),
    (1, |_| one(Turn::LookAtShelves)),
    (1, |_| one(Turn::LookForMissed)),
    (1, |_| one(Crash)),
    (3, |rng| one(Dying { trip: Trip { commit: rng.u32(1..7), after: rng.bool() }, of: work(rng) })),
];

/// What the backend does by itself.
#[derive(Debug, Clone, Copy)]
pub enum Turn {
    /// Works off what was delivered; the model is told of what was.
    Work,
    /// Writes metafields.
    Publish,
    /// Looks at holds whose time has come.
    Advance,
    /// Does what comes round daily and hourly.
    Chores,
    /// Tells of what happened.
    Tell,
    /// Has all collections and tags read that rules name, as it does daily.
    LookAtShelves,
    /// Looks for orders that nobody told of, as it does every few hours.
    LookForMissed,
}

/// It dies, and is started again some time later.
struct Crash;

/// It dies in what it does.
struct Dying {
    trip: Trip,
    of: Rc<dyn Act>,
}

/// What the backend may die in.
fn work(rng: &mut Rng) -> Rc<dyn Act> {
    match rng.u32(0..8) {
        0 => Rc::new(Turn::Publish),
        1 => Rc::new(Turn::Advance),
        2 => Rc::new(Turn::Chores),
        3 => Rc::new(post::DeliverAll { seed: rng.u64(..) }),
        4 => {
            let who = rng.usize(0..CUSTOMERS);
            Rc::new(picks::Pick::draw(rng, who, 0))
        }
        5 => Rc::new(referrals::SayWho::draw(rng)),
        _ => Rc::new(Turn::Work),
    }
}

impl Act for Turn {
    fn take(&self, world: &mut World) -> Outcome {
        match self {
            Turn::Work => world.work(),
            Turn::Publish => world.publish(),
            Turn::Advance => world.advance(),
            Turn::Chores => world.chores(),
            Turn::Tell => world.tell(),
            Turn::LookAtShelves => world.look_at_shelves(),
            Turn::LookForMissed => world.look_for_missed(),
        }
    }

    fn touches(&self) -> Touches {
        match self {
            Turn::Work | Turn::Publish | Turn::Advance | Turn::Chores => Touches::EveryShop,
            Turn::Tell | Turn::LookAtShelves | Turn::LookForMissed => Touches::Nothing,
        }
    }
}

impl Act for Crash {
    fn take(&self, world: &mut World) -> Outcome {
        world.restart()?;
        world.pass(DOWN);
        Ok(String::new())
    }

    fn touches(&self) -> Touches {
        Touches::EveryShop
    }
}

impl Act for Dying {
    fn needs_app(&self) -> bool {
        self.of.needs_app()
    }

    fn take(&self, world: &mut World) -> Outcome {
        world.trip = Some(self.trip);
        let came_of_it = self.of.take(world);
        world.trip = None;
        came_of_it
    }

    fn touches(&self) -> Touches {
        self.of.touches()
    }
}

impl World {
    pub fn work(&mut self) -> Outcome {
        let (handled, died) = self.backend_again(async |app| Ok(app.inbox.drain_until_idle().await?))?;
        let told = self.tell_the_models()?;
        self.observe()?;
        Ok(format!("{handled} messages, {told} acted upon{died}"))
    }

    pub fn publish(&mut self) -> Outcome {
        let done = self.backend(async |app| Ok(sync::publish_due(&app).await?))?;
        self.observe()?;
        Ok(match done {
            Ok(turns) => format!("{turns} turns"),
            Err(Died) => {
                self.pass(DOWN);
                "died in it".into()
            }
        })
    }

    pub fn advance(&mut self) -> Outcome {
        let at = self.now();
        let done = self.backend(async |app| Ok(jobs::advance_due(&app.db, &app.clock).await?))?;
        if done.is_err() {
            self.pass(DOWN);
            // What it has done it did then; what it does now is what was left, and what has become due.
            let app = self.process.app.clone();
            self.process.finish(async move { Ok(jobs::advance_due(&app.db, &app.clock).await?) })?;
        }
        for shop in &mut self.shops {
            if done.is_err() {
                let now = std::mem::replace(&mut shop.model.now, at);
                shop.model.advance();
                shop.model.now = now;
            }
            shop.model.advance();
        }
        self.observe()?;
        Ok(match done {
            Ok(advanced) => format!("{advanced} advanced"),
            Err(Died) => "died in it, did it again".into(),
        })
    }

    pub fn chores(&mut self) -> Outcome {
        let had_tokens: Vec<bool> = self.shops.iter().map(|shop| shop.has_tokens).collect();
        let (mut runs, died) = self.round()?;
        if !died.is_empty() {
            // What it had done before it died it does not do again: it may have become due since.
            runs += self.round()?.0;
        }
        self.hear_of_erasures()?;
        self.hear_of_files()?;
        self.hear_of_shelves()?;
        self.hear_of_installs()?;
        for (at, had_tokens) in had_tokens.into_iter().enumerate() {
            // Nothing of this is done for a shop that has no app.
            if self.shops[at].model.installed_at.is_none() {
                continue;
            }
            self.shops[at].model.celebrate();
            // Nor is that where there are no tokens for it; where they were lost meanwhile, it may have been before.
            if self.shops[at].has_tokens || (had_tokens && self.has_posted(at)?) {
                self.shops[at].model.post_ripe();
            }
            self.shops[at].model.lapse();
        }
        Ok(format!("{runs} tasks{died}"))
    }

    /// Has everything done that comes round. Says how many tasks that were, and whether it died in it.
    fn round(&mut self) -> Result<(usize, &'static str), Trouble> {
        let installed = self.shops.iter().filter(|shop| shop.model.installed_at.is_some());
        let shops: Vec<_> = installed.map(|shop| shop.id).collect();
        let key = self.name("chores");
        Ok(self.backend_again(async |app| {
            let now = app.clock.now();
            merchants::set_up_due(&app).await?;
            for &shop in &shops {
                let mut tx = app.db.begin(shop).await?;
                tasks::push(&mut tx, shop, &ExpireDaily {}, Order::new(key.clone()), now).await?;
                tasks::push(&mut tx, shop, &Celebrate {}, Order::new(key.clone()), now).await?;
                tasks::push(&mut tx, shop, &Lapse {}, Order::new(key.clone()), now).await?;
                tasks::push(&mut tx, tasks::INSTALLATION, &PostRipe {}, Order::new(key.clone()), now).await?;
                tx.commit().await?;
            }
            Ok(app.tasks.run_due(&app).await?)
        })?)
    }

    pub fn look_at_shelves(&mut self) -> Outcome {
        self.push_in_every_shop("shelves", &ReadShelves {})
    }

    pub fn look_for_missed(&mut self) -> Outcome {
        self.push_in_every_shop("missed", &CatchUp {})
    }

    /// Has a task done with the next chores.
    fn push_in_every_shop(&mut self, name: &str, task: &impl Task) -> Outcome {
        let shops: Vec<_> = self.shops.iter().map(|shop| shop.id).collect();
        let key = self.name(name);
        let ((), died) = self.backend_again(async |app| {
            let now = app.clock.now();
            for &shop in &shops {
                let mut tx = app.db.begin(shop).await?;
                tasks::push(&mut tx, shop, task, Order::new(key.clone()), now).await?;
                tx.commit().await?;
            }
            Ok(())
        })?;
        Ok(died.into())
    }

    pub fn tell(&mut self) -> Outcome {
        let (told, died) = self.backend_again(async |app| Ok(app.events.deliver_due().await?))?;
        Ok(format!("{told} events{died}"))
    }

    /// Tells the models what the backend has acted upon since. Says how much that was.
    fn tell_the_models(&mut self) -> Result<usize, Trouble> {
        let mut told = 0;
        for at in 0..self.shops.len() {
            told += self.tell_the_model(at)?;
        }
        Ok(told)
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Turn::Work => "the inbox works",
            Turn::Publish => "metafields are written",
            Turn::Advance => "holds whose time has come are looked at",
            Turn::Chores => "points expire, and those that have waited are posted",
            Turn::Tell => "events are told",
            Turn::LookAtShelves => "collections and tags are to be read",
            Turn::LookForMissed => "orders that nobody told of are to be looked for",
        })
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the backend dies and is started again")
    }
}

impl fmt::Display for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trip { commit, after } = self.trip;
        let when = if after { "after" } else { "before" };
        write!(f, "{} (and the backend dies {when} commit {commit})", self.of)
    }
}
