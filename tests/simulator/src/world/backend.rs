//! The backend's own work, turn by turn, and its deaths.

use anyhow::{Context, Result};
use devshop::{AdminFault, AdminFaultKind};
use loyalnest::app::App;
use loyalnest::orders::jobs::PostRipe;
use loyalnest::points::ExpireDaily;
use loyalnest::redemptions::jobs;
use loyalnest::tasks::{self, Order};
use loyalnest::{programs, sync};

use super::{DOWN, Outcome, Trouble, World};
use crate::plan::{Change, Failure};
use crate::process::{Died, Process};

impl World {
    /// The backend does something. Where it dies in it, it is started again; time does not pass.
    pub(super) fn backend<T>(&mut self, work: impl AsyncFnOnce(App) -> Result<T>) -> Result<Result<T, Died>> {
        let trip = self.trip.take();
        let app = self.process.app.clone();
        let done = self.process.run(trip, work(app))?;
        if done.is_err() {
            self.restart()?;
        }
        Ok(done)
    }

    /// The same; where it dies in it, it does it again when it was down for a while, as whatever it has not finished.
    pub(super) fn backend_again<T>(
        &mut self,
        work: impl AsyncFn(App) -> Result<T>,
    ) -> Result<(T, &'static str)> {
        if let Ok(done) = self.backend(&work)? {
            return Ok((done, ""));
        }
        self.pass(DOWN);
        let app = self.process.app.clone();
        Ok((self.process.finish(work(app))?, ", died in it, did it again"))
    }

    /// Kills the backend and starts it again.
    pub(super) fn restart(&mut self) -> Result<()> {
        let process = Process::start(&self.file, &self.settings, self.clock.clone(), self.shopify.clone())?;
        drop(std::mem::replace(&mut self.process, process));
        Ok(())
    }

    pub(super) fn fail(&mut self, failure: Failure) -> String {
        self.shop.fail_admin([match failure {
            Failure::Before => AdminFault::before(AdminFaultKind::Status(503)),
            Failure::After => AdminFault::after(AdminFaultKind::Status(502)),
            Failure::Throttled => AdminFault::before(AdminFaultKind::Throttled),
        }]);
        String::new()
    }

    /// What was delivered is worked off; the model is told of what was.
    pub(super) fn work(&mut self) -> Outcome {
        let (handled, died) = self
            .backend_again(async |app| Ok(app.inbox.drain_until_idle().await?))
            .map_err(Trouble::Broken)?;
        let told = self.tell_the_model()?;
        self.observe()?;
        Ok(format!("{handled} messages, {told} acted upon{died}"))
    }

    pub(super) fn publish(&mut self) -> Outcome {
        let done = self.backend(async |app| Ok(sync::publish_due(&app).await?))?;
        self.observe()?;
        Ok(match done {
            Ok(turns) => format!("{turns} turns"),
            Err(Died) => self.pass(DOWN) + "died in it",
        })
    }

    pub(super) fn advance(&mut self) -> Outcome {
        let at = self.model.now;
        let done = self.backend(async |app| Ok(jobs::advance_due(&app.db, &app.clock).await?))?;
        if done.is_err() {
            self.pass(DOWN);
            // What it has done it did then; what it does now is what was left, and what has become due.
            let app = self.process.app.clone();
            self.process.finish(async move { Ok(jobs::advance_due(&app.db, &app.clock).await?) })?;
            self.advanced_at(at)?;
        }
        self.model.advance();
        self.observe()?;
        Ok(match done {
            Ok(advanced) => format!("{advanced} advanced"),
            Err(Died) => "died in it, did it again".into(),
        })
    }

    pub(super) fn chores(&mut self) -> Outcome {
        let (shop, key) = (self.shop_id, self.name("chores"));
        let (runs, died) = self.backend_again(async |app| {
            let mut tx = app.db.begin(shop).await?;
            let now = app.clock.now();
            tasks::push(&mut tx, shop, &ExpireDaily {}, Order::new(key.clone()), now).await?;
            tasks::push_own(&mut tx, &PostRipe {}, Order::new(key.clone()), now).await?;
            tx.commit().await?;
            Ok(app.tasks.run_due(&app).await?)
        })?;
        self.model.post_ripe();
        Ok(format!("{runs} tasks{died}"))
    }

    pub(super) fn tell(&mut self) -> Outcome {
        let (told, died) = self.backend_again(async |app| Ok(app.events.deliver_due().await?))?;
        Ok(format!("{told} events{died}"))
    }

    /// The merchant sets other rules.
    pub(super) fn set(&mut self, change: Change) -> Outcome {
        self.model.rules.change(change);
        super::open::set(&mut self.program, &self.model.rules).context("rules")?;
        let (shop, program) = (self.shop_id, self.program.clone());
        let ((), died) = self.backend_again(async |app| {
            let mut tx = app.db.begin(shop).await?;
            programs::set(&mut tx, shop, program.clone(), app.clock.now()).await?;
            Ok(tx.commit().await?)
        })?;
        Ok(died.into())
    }
}
