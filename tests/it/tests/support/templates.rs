//! A migrated database of each engine, made once: tests work in copies of it, because migrating takes longer than most
//! of them.

use loyalnest::db::{Db, Options};
use tokio::sync::OnceCell;

use super::{postgres, recorder};

/// The file of a migrated database.
pub async fn sqlite() -> &'static [u8] {
    static FILE: OnceCell<Vec<u8>> = OnceCell::const_new();
    FILE.get_or_init(async || {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("template.db");
        migrate(&format!("sqlite://{}", file.display())).await;
        std::fs::read(file).unwrap()
    })
    .await
}

/// The URL of a migrated database to which nobody is connected.
pub async fn postgres() -> &'static str {
    static URL: OnceCell<String> = OnceCell::const_new();
    URL.get_or_init(async || {
        let url = postgres::create_database(None).await;
        migrate(&url).await;
        url
    })
    .await
}

async fn migrate(url: &str) {
    let db = Db::connect(url, &Options::default()).await.unwrap();
    recorder::create_table(&db, url).await;
    db.migrate().await.unwrap();
    db.close().await;
}
