//! One life of the backend: a runtime of its own with the application on it. Whoever drops it kills everything that it
//! was about to do, as the end of a process does; the database and the shop outlive it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use anyhow::{Context, Result, bail};
use axum::Router;
use loyalnest::app::App;
use loyalnest::bulk;
use loyalnest::clock::Clock;
use loyalnest::config::Config;
use loyalnest::customers::birthdays::Celebrate;
use loyalnest::db::{Db, Options};
use loyalnest::orders::catch_up::CatchUp;
use loyalnest::orders::jobs::PostRipe;
use loyalnest::outgoing::Outgoing;
use loyalnest::points::ExpireDaily;
use loyalnest::privacy::Settle;
use loyalnest::products::ReadCatalogue;
use loyalnest::products::jobs::{ReadShelf, ReadShelves};
use loyalnest::referrals::Lapse;
use loyalnest::tasks::Kind;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// Where in a piece of work the process dies: at one of its commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trip {
    /// Which commit, from 1.
    pub commit: u32,
    /// The commit is done, and nobody hears of it; else it is lost.
    pub after: bool,
}

/// The process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Died;

pub struct Process {
    pub app: App,
    pub router: Router,
    wire: Arc<Wire>,
    runtime: Runtime,
    means: Means,
}

/// What each life of it needs. What it asks Shopify goes through `shopify`.
#[derive(Clone)]
pub struct Means {
    /// The database.
    pub file: PathBuf,
    pub settings: Vec<(String, String)>,
    pub clock: Clock,
    pub shopify: Outgoing,
}

/// Stretched across the database's one writer: every commit passes it.
struct Wire {
    /// How many commits are left; none where it is not armed.
    left: AtomicU32,
    after: AtomicU32,
    tripped: Notify,
    /// The commit waits until nobody waits for it any more, so that it is the same whose thread is quicker.
    gone: Barrier,
}

impl Default for Wire {
    fn default() -> Wire {
        let (left, after) = (AtomicU32::new(0), AtomicU32::new(0));
        Wire { left, after, tripped: Notify::new(), gone: Barrier::new(2) }
    }
}

impl Wire {
    /// A commit comes by; says whether it may happen. Called in the writer's thread, before the commit.
    fn passed(&self) -> bool {
        let left = self.left.load(Ordering::SeqCst);
        if left > 0 {
            self.left.store(left - 1, Ordering::SeqCst);
        }
        if left != 1 {
            return true;
        }
        self.tripped.notify_one();
        self.gone.wait();
        self.after.load(Ordering::SeqCst) == 1
    }

    fn arm(&self, trip: Option<Trip>) {
        self.left.store(trip.map_or(0, |trip| trip.commit), Ordering::SeqCst);
        self.after.store(trip.is_some_and(|trip| trip.after).into(), Ordering::SeqCst);
    }
}

impl Process {
    /// Starts with these means.
    pub fn start(means: Means) -> Result<Process> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let wire = Arc::new(Wire::default());
        let app = runtime.block_on(means.begin(wire.clone()))?;
        Ok(Process { router: app.router(), app, wire, runtime, means })
    }

    /// Dies, and starts again on what is left.
    pub fn restart(&mut self) -> Result<()> {
        *self = Process::start(self.means.clone())?;
        Ok(())
    }

    /// Does a piece of work to its end; or dies in it, where the trip says so.
    pub fn run<T>(
        &self,
        trip: Option<Trip>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<Result<T, Died>> {
        self.wire.arm(trip);
        let done = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.wire.tripped.notified() => Err(Died),
                done = work => Ok(done),
            }
        });
        self.wire.arm(None);
        match done {
            Ok(done) => done.map(Ok),
            Err(died) => {
                self.wire.gone.wait();
                Ok(Err(died))
            }
        }
    }

    /// Work that it does not die in.
    pub fn finish<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self.run(None, work)? {
            Ok(done) => Ok(done),
            Err(Died) => bail!("the process died without a cause"),
        }
    }
}

impl Means {
    /// The application of a new life, and a wire across its database.
    async fn begin(&self, wire: Arc<Wire>) -> Result<App> {
        // One reader: of two, it would be the machine that says whose thread answers first.
        let options = Options { max_connections: 1, ..Options::default() };
        let db = Db::connect(&format!("sqlite://{}", self.file.display()), &options).await?;
        stretch(&db, wire).await?;
        let kinds = vec![
            Kind::of::<PostRipe>(),
            Kind::of::<CatchUp>(),
            Kind::of::<ExpireDaily>(),
            Kind::of::<Lapse>(),
            Kind::of::<Celebrate>(),
            Kind::of::<Settle>(),
            Kind::of::<ReadCatalogue>(),
            Kind::of::<ReadShelf>(),
            Kind::of::<ReadShelves>(),
            Kind::of::<bulk::Start>(),
            Kind::of::<bulk::Look>(),
            Kind::of::<bulk::ReadFile>(),
        ];
        let app = App::builder(Config::load(None, &self.settings).context("settings")?)
            .db(db)
            .clock(self.clock.clone())
            .bucket_clock(self.clock.clone())
            .simulated(self.shopify.clone())
            .tasks(kinds, Vec::new());
        Ok(app.build().await?)
    }
}

async fn stretch(db: &Db, wire: Arc<Wire>) -> Result<()> {
    let Db::Sqlite { writer, .. } = db else { bail!("the simulator runs on SQLite") };
    // The writer's pool has this one connection as long as it lives.
    let mut connection = writer.acquire().await?;
    connection.lock_handle().await?.set_commit_hook(move || wire.passed());
    Ok(())
}
