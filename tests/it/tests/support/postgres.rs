//! A database per test in the private cluster that `cargo xtask test` starts.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

fn cluster() -> String {
    std::env::var("LOYALNEST_TEST_POSTGRES").expect(
        "PostgreSQL tests need LOYALNEST_TEST_POSTGRES, the superuser URL of a private cluster; \
         `cargo xtask test` starts one and sets it",
    )
}

/// Creates a database, empty or as a copy of another that nobody is connected to, and gives its URL.
pub async fn create_database(template: Option<&str>) -> String {
    let cluster = cluster();
    let name = format!("loyalnest_{}", Uuid::new_v4().simple());
    let copied = template.map(|url| format!(" template {}", name_of(url))).unwrap_or_default();
    let mut connection = PgConnection::connect(&cluster).await.unwrap();
    let create = AssertSqlSafe(format!("create database {name}{copied}"));
    sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
    let (server, _) = cluster.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{name}")
}

/// Drops it, with whoever is still connected.
pub async fn drop_database(url: &str) {
    let name = name_of(url);
    let mut connection = PgConnection::connect(&cluster()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("drop database {name} with (force)")))
        .execute(&mut connection)
        .await
        .unwrap();
}

fn name_of(url: &str) -> &str {
    url.rsplit_once('/').expect("the URL names a database").1
}
