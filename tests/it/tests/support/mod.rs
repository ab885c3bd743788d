//! What scenarios need: a database of their own on each engine, the application on it, a shop to talk to, a
//! line to cut.

pub mod admin;
pub mod app;
pub mod counter;
pub mod door;
pub mod house;
pub mod orders;
mod postgres;
pub mod raw;
pub mod recorder;
pub mod simulation;
mod template;
pub mod till;
pub mod tripwire;

use std::panic::AssertUnwindSafe;

use loyalnest::db;
use loyalnest::db::{Db, Engine, Options};

/// A migrated database that belongs to one test.
pub struct TestDb {
    pub db: Db,
    pub url: String,
    // Dropped, and with it the SQLite file, when the test ends.
    _folder: Option<tempfile::TempDir>,
}

impl TestDb {
    async fn new(engine: Engine) -> Self {
        let (url, folder) = match engine {
            Engine::Sqlite => {
                let (url, folder) = template::copy_of_sqlite().await;
                (url, Some(folder))
            }
            Engine::Postgres => (template::copy_of_postgres().await, None),
        };
        let db = Db::connect(&url, &Options::default()).await.unwrap();
        TestDb { db, url, _folder: folder }
    }

    pub async fn count(&self, state: &str) -> i64 {
        let mut read = self.db.read_across().await.unwrap();
        let (count,): (i64,) =
            db!(read.one, "select count(*) from inbox_messages where state = $1", state).unwrap();
        count
    }
}

/// Runs a scenario on SQLite and then on PostgreSQL, each time in a fresh database.
pub fn on_both_engines(scenario: impl AsyncFn(&TestDb)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        on_engine(engine, &scenario);
    }
}

/// Runs a scenario in a fresh database of one engine.
pub fn on_engine(engine: Engine, scenario: impl AsyncFn(&TestDb)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap();
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let test = TestDb::new(engine).await;
            scenario(&test).await;
            test.db.close().await;
            if engine == Engine::Postgres {
                postgres::drop_database(&test.url).await;
            }
        });
    }));
    if let Err(panic) = result {
        eprintln!("the scenario failed on {engine:?}");
        std::panic::resume_unwind(panic);
    }
}
