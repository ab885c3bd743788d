//! Tasks that do what they are told, and leave an effect in the database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::clock::Clock;
use loyalnest::db;
use loyalnest::db::Db;
use loyalnest::tasks::{Kind, Run, Schedule, Task, TaskError};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::support::TestDb;
use crate::support::app::config;

/// For those who wait for the machine's clock.
pub const QUICK: [(&str, &str); 3] = [
    ("LOYALNEST_TASKS__LEASE", "2s"),
    ("LOYALNEST_TASKS__POLL_EVERY", "50ms"),
    ("LOYALNEST_TASKS__RETRY", "50ms,50ms,50ms"),
];

#[derive(Debug, Serialize, Deserialize)]
pub enum Do {
    Fine,
    Fail,
    /// With this reason, in which ␀ stands for a NUL.
    Dead(String),
    Panic,
    /// Waits for its gate before it opens its transaction, on the first try.
    Wait,
    /// Tells its gate, and never ends.
    Hang,
    /// The same on the first try, with its transaction open.
    HangFirst,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Script {
    name: String,
    act: Do,
}

impl Script {
    pub fn new(name: &str, act: Do) -> Self {
        Script { name: name.to_owned(), act }
    }
}

#[async_trait]
impl Task for Script {
    const KIND: &'static str = "test.script";

    async fn run(self, run: &Run) -> Result<(), TaskError> {
        static POSITION: AtomicI64 = AtomicI64::new(0);
        let gate = gate(&self.name);
        if matches!(self.act, Do::Wait) && run.attempt() == 1 {
            gate.reached.add_permits(1);
            gate.open.acquire().await.unwrap().forget();
        }
        let mut tx = run.begin().await?;
        let position = POSITION.fetch_add(1, Ordering::SeqCst);
        let effect = format!("{}:{}", self.name, run.attempt());
        db!(tx.execute, "insert into test_effects (position, webhook_id) values ($1, $2)", position, effect)?;
        match self.act {
            Do::Fine | Do::Wait => {}
            Do::HangFirst if run.attempt() > 1 => {}
            Do::Fail => return Err(TaskError::Failed("told to".into())),
            Do::Dead(says) => return Err(TaskError::Dead(says.replace('␀', "\0"))),
            Do::Panic => panic!("told to"),
            Do::Hang | Do::HangFirst => {
                gate.reached.add_permits(1);
                std::future::pending::<()>().await;
            }
        }
        run.finish(tx).await
    }
}

/// Does not come to its end in time.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hasty {}

#[async_trait]
impl Task for Hasty {
    const KIND: &'static str = "test.hasty";
    const DEADLINE: SignedDuration = SignedDuration::from_millis(50);

    async fn run(self, _: &Run) -> Result<(), TaskError> {
        std::future::pending().await
    }
}

/// Does nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct Brief {}

#[async_trait]
impl Task for Brief {
    const KIND: &'static str = "test.brief";

    async fn run(self, _: &Run) -> Result<(), TaskError> {
        Ok(())
    }
}

pub fn kinds() -> Vec<Kind> {
    vec![Kind::of::<Script>(), Kind::of::<Hasty>(), Kind::of::<Brief>()]
}

/// Where a task of some name waits.
#[derive(Debug)]
pub struct Gate {
    reached: Semaphore,
    open: Semaphore,
}

impl Gate {
    /// Waits until the task is there.
    pub async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    pub fn open(&self) {
        self.open.add_permits(1);
    }
}

pub fn gate(name: &str) -> Arc<Gate> {
    static GATES: LazyLock<Mutex<HashMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);
    let new = || Arc::new(Gate { reached: Semaphore::new(0), open: Semaphore::new(0) });
    GATES.lock().unwrap().entry(name.to_owned()).or_insert_with(new).clone()
}

/// A process that knows these tasks, with a clock that stands still.
pub async fn process(test: &TestDb, changed: &[(&str, &str)]) -> App {
    on(test.db.clone(), Clock::fixed("2026-11-26T09:00:00Z".parse().unwrap()), changed).await
}

/// One more, on the same database and with the same clock.
pub async fn another_process(test: &TestDb, app: &App, changed: &[(&str, &str)]) -> App {
    on(test.db.clone(), app.clock.clone(), changed).await
}

pub async fn on(db: Db, clock: Clock, changed: &[(&str, &str)]) -> App {
    scheduled(db, clock, changed, Vec::new()).await
}

pub async fn scheduled(db: Db, clock: Clock, changed: &[(&str, &str)], schedules: Vec<Schedule>) -> App {
    let changed = [&[("LOYALNEST_TASKS__RETRY", "10s,10s")], changed].concat();
    let builder = App::builder(config(&changed)).db(db).clock(clock);
    builder.tasks(kinds(), schedules).build().await.unwrap()
}

/// What tasks did, `name:try`, in the order they did it.
pub async fn effects(db: &Db) -> Vec<String> {
    crate::support::recorder::effects(db).await
}
