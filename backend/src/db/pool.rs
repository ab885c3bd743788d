//! Connections: one writer and a few readers on SQLite, one pool on PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, PgConnection};

use super::{Error, Read, Tx, wall};
use crate::ids::ShopId;

/// How PostgreSQL begins a transaction that reads one state of the database.
const BEGIN_READ: &str = "begin isolation level repeatable read read only";

/// What SQLite's writer keeps in memory, as the pragma wants it: minus KiB. A batch's pages fit, so none is written
/// before its commit.
const WRITER_CACHE: &str = "-65536";
/// How many pages SQLite's log holds before they are copied into the database's file. What many commits write anew is
/// copied once; 32 MB of log.
const PAGES_BETWEEN_CHECKPOINTS: &str = "8000";

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

    /// Opens a transaction that may write, in a shop: of tables that belong to shops it sees and writes this one's rows
    /// (SQLite: `begin immediate`, after its turn; PostgreSQL: read committed).
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no connection in time.
    pub async fn begin(&self, shop: ShopId) -> Result<Tx, Error> {
        match self {
            Db::Sqlite { .. } => self.begin_outside().await,
            Db::Postgres(pool) => {
                let tx = pool.begin_with(wall::begin_in("begin", shop)).await?;
                Ok(Tx::new(Read::postgres(tx, Some(shop))))
            }
        }
    }

    /// Opens a transaction that may write, outside of every shop: for tables that belong to none, and those that are
    /// [open](super::OPEN). It may [enter](Read::enter) one shop after the other.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no connection in time.
    pub async fn begin_outside(&self) -> Result<Tx, Error> {
        Ok(Tx::new(match self {
            Db::Sqlite { writer, .. } => Read::sqlite(writer.begin_with("begin immediate").await?),
            Db::Postgres(pool) => Read::postgres(pool.begin().await?, None),
        }))
    }

    /// Opens a transaction that reads one state of the database, in a shop.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no connection in time.
    pub async fn read(&self, shop: ShopId) -> Result<Read, Error> {
        match self {
            Db::Sqlite { .. } => self.read_outside().await,
            Db::Postgres(pool) => {
                Ok(Read::postgres(pool.begin_with(wall::begin_in(BEGIN_READ, shop)).await?, Some(shop)))
            }
        }
    }

    /// The same outside of every shop.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no connection in time.
    pub async fn read_outside(&self) -> Result<Read, Error> {
        Ok(match self {
            Db::Sqlite { readers, .. } => Read::sqlite(readers.begin().await?),
            Db::Postgres(pool) => Read::postgres(pool.begin_with(BEGIN_READ).await?, None),
        })
    }

    /// The same in all shops at once: for who looks where there is something to do. A test lists who may.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no connection in time.
    pub async fn read_across(&self) -> Result<Read, Error> {
        match self {
            Db::Sqlite { .. } => self.read_outside().await,
            Db::Postgres(pool) => Ok(Read::postgres(pool.begin_with(wall::BEGIN_ACROSS).await?, None)),
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
    let writer = pool(1).connect_with(
        connect
            .clone()
            .pragma("cache_size", WRITER_CACHE)
            .pragma("temp_store", "memory") // what a statement would need to undo itself
            .pragma("wal_autocheckpoint", PAGES_BETWEEN_CHECKPOINTS),
    );
    let writer = writer.await?;
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
            // Compiling a statement takes longer than any of ours.
            ("jit", "off"),
            ("idle_in_transaction_session_timeout", milliseconds.as_str()),
            ("timezone", "UTC"),
        ])
        .statement_cache_capacity(500);
    let connect = match role(&connect, options.acquire_timeout).await? {
        Some(role) => connect.options([("role", role)]),
        None => connect,
    };
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections.max(1))
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect)
        .await?;
    Ok(Db::Postgres(pool))
}

/// The role that connections must take, so that no one of them passes through the walls between shops.
async fn role(connect: &PgConnectOptions, within: Duration) -> Result<Option<&'static str>, Error> {
    let role = async {
        let mut connection = PgConnection::connect_with(connect).await?;
        let role = wall::role(&mut connection).await?;
        connection.close().await?;
        Ok(role)
    };
    tokio::time::timeout(within, role).await.unwrap_or(Err(Error::Unavailable(sqlx::Error::PoolTimedOut)))
}
