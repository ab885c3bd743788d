//! Connections: one writer and a few readers on SQLite, one pool on PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{Error, Read, Tx};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Which engine a database runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// The one with a server.
    Postgres,
}

/// How to connect.
#[derive(Debug, Clone)]
pub struct Options {
    /// At most this many connections (on SQLite: readers beside the one writer).
    pub max_connections: u32,
    /// How long to wait for a connection before the database counts as unavailable.
    pub acquire_timeout: Duration,
    /// How long one statement may take on PostgreSQL.
    pub statement_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Db {
    /// SQLite: its one writer, and readers that do not wait for it.
    Sqlite {
        /// A pool of one, so that writers queue here and never see `SQLITE_BUSY`.
        writer: SqlitePool,
        /// Readers.
        readers: SqlitePool,
    },
    /// PostgreSQL.
    Postgres(PgPool),
}

impl Db {
    /// Connects to `sqlite://file.db` (created if missing; `sqlite::memory:` lives in its one connection, which
    /// readers and the writer share) or `postgres://…`.
    ///
    /// # Errors
    /// When the URL is none of these or the database cannot be reached.
    pub async fn connect(url: &str, options: &Options) -> Result<Db, Error> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            connect_postgres(url, options).await
        } else if url.starts_with("sqlite:") {
            connect_sqlite(url, options).await
        } else {
            Err(Error::other("DATABASE_URL must start with sqlite: or postgres:"))
        }
    }

    /// The engine it runs on.
    pub fn engine(&self) -> Engine {
        match self {
            Db::Sqlite { .. } => Engine::Sqlite,
            Db::Postgres(_) => Engine::Postgres,
        }
    }

    /// Opens a transaction that may write (SQLite: `begin immediate`, after its turn; PostgreSQL: read committed).
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no connection in time.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Ok(Tx::new(match self {
            Db::Sqlite { writer, .. } => Read::sqlite(writer.begin_with("begin immediate").await?),
            Db::Postgres(pool) => Read::postgres(pool.begin().await?),
        }))
    }

    /// Opens a transaction that reads one state of the database.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no connection in time.
    pub async fn read(&self) -> Result<Read, Error> {
        Ok(match self {
            Db::Sqlite { readers, .. } => Read::sqlite(readers.begin().await?),
            Db::Postgres(pool) => {
                Read::postgres(pool.begin_with("begin isolation level repeatable read read only").await?)
            }
        })
    }

    /// Brings the schema up to date; safe to call from several processes at once.
    ///
    /// # Errors
    /// When a migration fails or one that was applied has been changed since.
    pub async fn migrate(&self) -> Result<(), Error> {
        match self {
            Db::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await?,
            Db::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await?,
        }
        Ok(())
    }

    /// Whether the database answers and every migration this program knows is applied.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn is_migrated(&self) -> Result<bool, Error> {
        let (applied, known) = match self {
            Db::Sqlite { readers, .. } => {
                let mut connection = readers.acquire().await?;
                (connection.list_applied_migrations("_sqlx_migrations").await, &SQLITE_MIGRATIONS)
            }
            Db::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                (connection.list_applied_migrations("_sqlx_migrations").await, &POSTGRES_MIGRATIONS)
            }
        };
        match applied.map_err(Error::from) {
            Ok(applied) => {
                Ok(known.iter().all(|known| applied.iter().any(|applied| applied.version == known.version)))
            }
            Err(Error::Other(_)) => Ok(false), // the table of migrations itself is missing
            Err(unavailable) => Err(unavailable),
        }
    }

    /// Closes every connection, after those in use are given back.
    pub async fn close(&self) {
        match self {
            Db::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

async fn connect_sqlite(url: &str, options: &Options) -> Result<Db, Error> {
    let connect = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.acquire_timeout)
        .statement_cache_capacity(1_000)
        .optimize_on_close(true, None);
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    let writer = pool(1).connect_with(connect.clone()).await?;
    let readers = if url.contains(":memory:") {
        writer.clone()
    } else {
        pool(options.max_connections.max(1)).connect_lazy_with(connect.pragma("query_only", "on"))
    };
    Ok(Db::Sqlite { writer, readers })
}

async fn connect_postgres(url: &str, options: &Options) -> Result<Db, Error> {
    let milliseconds = options.statement_timeout.as_millis().to_string();
    let connect = PgConnectOptions::from_str(url)?
        .application_name("loyalnest")
        .options([
            ("statement_timeout", milliseconds.as_str()),
            ("idle_in_transaction_session_timeout", milliseconds.as_str()),
            ("timezone", "UTC"),
        ])
        .statement_cache_capacity(500);
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect)
        .await?;
    Ok(Db::Postgres(pool))
}
