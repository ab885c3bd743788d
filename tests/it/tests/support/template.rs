//! A migrated database of each engine: made once, and copied for every test.

use std::path::Path;

use loyalnest::db::{Db, Options};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{postgres, recorder};

/// What stands in a migrated file.
static SQLITE: OnceCell<Vec<u8>> = OnceCell::const_new();
/// The URL of a migrated database.
static POSTGRES: OnceCell<String> = OnceCell::const_new();

/// A copy in a folder of its own, and its URL. In memory, where the system has a place for that: a test waits for no disk.
pub async fn copy_of_sqlite() -> (String, TempDir) {
    let template = SQLITE
        .get_or_init(async || {
            let (url, folder) = empty();
            migrate(&url).await;
            std::fs::read(folder.path().join(FILE)).unwrap()
        })
        .await;
    let (url, folder) = empty();
    std::fs::write(folder.path().join(FILE), template).unwrap();
    (url, folder)
}

/// The URL of a copy.
pub async fn copy_of_postgres() -> String {
    let template = POSTGRES
        .get_or_init(async || {
            let url = postgres::create_database(None).await;
            migrate(&url).await;
            url
        })
        .await;
    postgres::create_database(Some(template)).await
}

const FILE: &str = "test.db";

fn empty() -> (String, TempDir) {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    (format!("sqlite://{}", folder.path().join(FILE).display()), folder)
}

/// Migrates an empty database. Nobody is connected to it any more then.
async fn migrate(url: &str) {
    let db = Db::connect(url, &Options::default()).await.unwrap();
    recorder::create_table(&db, url).await;
    db.migrate().await.unwrap();
    db.close().await;
}
