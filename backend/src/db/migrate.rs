//! The schema: brought up to date, and whether it is.

use sqlx::migrate::{Migrate, Migrator};
use sqlx::{Connection, PgConnection};

use super::{Db, Error, wall};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

impl Db {
    /// Brings the schema up to date, and the walls between shops; safe to call from several processes at once.
    ///
    /// # Errors
    /// When a migration fails or one that was applied has been changed since.
    pub async fn migrate(&self) -> Result<(), Error> {
        match self {
            Db::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await?,
            Db::Postgres(pool) => {
                let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
                wall::step_out(&mut connection).await?;
                POSTGRES_MIGRATIONS.run(&mut connection).await?;
                wall::raise(&mut connection).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }

    /// Whether the database answers, every migration this program knows is applied, and the walls stand.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn is_migrated(&self) -> Result<bool, Error> {
        match self.lacks().await {
            Ok(lacks) => Ok(!lacks),
            Err(Error::Other(_)) => Ok(false), // the table of migrations itself is missing
            Err(unavailable) => Err(unavailable),
        }
    }

    /// Whether a migration or a wall is missing.
    async fn lacks(&self) -> Result<bool, Error> {
        let (applied, known) = match self {
            Db::Sqlite { readers, .. } => {
                let mut connection = readers.acquire().await?;
                (connection.list_applied_migrations("_sqlx_migrations").await?, &SQLITE_MIGRATIONS)
            }
            Db::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                if !wall::gaps(&mut connection).await?.is_empty() {
                    return Ok(true);
                }
                (connection.list_applied_migrations("_sqlx_migrations").await?, &POSTGRES_MIGRATIONS)
            }
        };
        Ok(known.iter().any(|known| applied.iter().all(|applied| applied.version != known.version)))
    }
}
