//! Transactions: one that may write, and one that can only read.

use std::ops::{Deref, DerefMut};

use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Postgres, Sqlite, Transaction};

use super::{Call, Engine, Error, Values, wall};
use crate::ids::ShopId;

/// What a statement can read into: a tuple, or a struct that derives `sqlx::FromRow`.
pub trait Record:
    for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Record for T where
    T: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}

/// A transaction that reads: everything in it sees one state of the database. A [`Tx`] can stand in for it, so a
/// function that only reads asks for `&mut Read`.
pub struct Read {
    connection: Connection,
    /// The shop it is in, as PostgreSQL knows.
    shop: Option<ShopId>,
}

/// A transaction that reads and writes. Dropping it without [`commit`](Tx::commit) undoes everything.
pub struct Tx(Read);

enum Connection {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs a call with the driver of its engine.
macro_rules! run {
    ($connection:expr, $call:expr, |$sql:ident, $values:ident, $tx:ident| $run:expr) => {{
        let Call { sql: $sql, values } = $call?;
        match (&mut $connection, values) {
            (Connection::Sqlite(tx), Values::Sqlite($values)) => {
                let $tx = &mut **tx;
                $run
            }
            (Connection::Postgres(tx), Values::Postgres($values)) => {
                let $tx = &mut **tx;
                $run
            }
            _ => Err(Error::other("values bound for the other engine")),
        }
    }};
}

/// The verbs that [`db!`](crate::db!) calls.
impl Read {
    pub(super) fn sqlite(tx: Transaction<'static, Sqlite>) -> Self {
        Read { connection: Connection::Sqlite(tx), shop: None }
    }

    pub(super) fn postgres(tx: Transaction<'static, Postgres>, shop: Option<ShopId>) -> Self {
        Read { connection: Connection::Postgres(tx), shop }
    }

    /// The engine it runs on.
    pub fn engine(&self) -> Engine {
        match self.connection {
            Connection::Sqlite(_) => Engine::Sqlite,
            Connection::Postgres(_) => Engine::Postgres,
        }
    }

    /// Moves into a shop: what belongs to any other is neither seen nor written from here on. Costs nothing where it
    /// is in that shop already.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn enter(&mut self, shop: ShopId) -> Result<(), Error> {
        if let (Connection::Postgres(tx), true) = (&mut self.connection, self.shop != Some(shop)) {
            wall::enter(tx, shop).await?;
            self.shop = Some(shop);
        }
        Ok(())
    }

    /// The one row.
    ///
    /// # Errors
    /// [`Error::NoRow`] if there is none, or any error of the database.
    pub async fn one<T: Record>(&mut self, call: Result<Call, Error>) -> Result<T, Error> {
        run!(self.connection, call, |sql, values, tx| Ok(sqlx::query_as_with(sql, values)
            .fetch_one(tx)
            .await?))
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn optional<T: Record>(&mut self, call: Result<Call, Error>) -> Result<Option<T>, Error> {
        run!(self.connection, call, |sql, values, tx| Ok(sqlx::query_as_with(sql, values)
            .fetch_optional(tx)
            .await?))
    }

    /// Every row.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn all<T: Record>(&mut self, call: Result<Call, Error>) -> Result<Vec<T>, Error> {
        run!(self.connection, call, |sql, values, tx| Ok(sqlx::query_as_with(sql, values)
            .fetch_all(tx)
            .await?))
    }

    /// Hands over every row as it comes, so that only few are in memory, however many there are.
    ///
    /// # Errors
    /// Any error of the database, or of who takes the rows.
    pub async fn each<T: Record, E: From<Error>>(
        &mut self,
        call: Result<Call, Error>,
        mut take: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let Call { sql, values } = call?;
        macro_rules! hand_over {
            ($tx:expr, $values:expr) => {{
                let mut rows = sqlx::query_as_with(sql, $values).fetch(&mut **$tx);
                while let Some(row) = rows.try_next().await.map_err(Error::from)? {
                    take(row)?;
                }
                Ok(())
            }};
        }
        match (&mut self.connection, values) {
            (Connection::Sqlite(tx), Values::Sqlite(values)) => hand_over!(tx, values),
            (Connection::Postgres(tx), Values::Postgres(values)) => hand_over!(tx, values),
            _ => Err(Error::other("values bound for the other engine").into()),
        }
    }

    /// Every row of every call.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn all_each<T: Record>(&mut self, calls: Result<Vec<Call>, Error>) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        for call in calls? {
            all.append(&mut self.all(Ok(call)).await?);
        }
        Ok(all)
    }
}

impl Tx {
    pub(super) fn new(read: Read) -> Self {
        Tx(read)
    }

    /// Runs the statement and says how many rows it wrote.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn execute(&mut self, call: Result<Call, Error>) -> Result<u64, Error> {
        run!(self.0.connection, call, |sql, values, tx| {
            Ok(sqlx::query_with(sql, values).execute(tx).await?.rows_affected())
        })
    }

    /// Runs every call and says how many rows they wrote together.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn execute_each(&mut self, calls: Result<Vec<Call>, Error>) -> Result<u64, Error> {
        let mut written = 0;
        for call in calls? {
            written += self.execute(Ok(call)).await?;
        }
        Ok(written)
    }

    /// Its commit does not wait until the disk has it. For work that is done again if it is lost, and whose end waits: then
    /// the disk has what came before, too. SQLite waits all the same.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn waits_for_no_disk(&mut self) -> Result<(), Error> {
        if let Connection::Postgres(tx) = &mut self.0.connection {
            sqlx::query("set local synchronous_commit = off").execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// Rows that are joined with a list are found, and locked, in the list's order if that is their primary key's: by hash, or
    /// from the table's beginning, they would come as they lie. SQLite lets one write at a time, in whatever order.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn joins_in_order(&mut self) -> Result<(), Error> {
        if let Connection::Postgres(tx) = &mut self.0.connection {
            for way in ["set local enable_hashjoin = off", "set local enable_seqscan = off"] {
                sqlx::query(way).execute(&mut **tx).await?;
            }
        }
        Ok(())
    }

    /// Makes everything in it permanent.
    ///
    /// # Errors
    /// Any error of the database. After [`Error::Unavailable`] it is not known whether the commit happened.
    pub async fn commit(self) -> Result<(), Error> {
        match self.0.connection {
            Connection::Sqlite(tx) => tx.commit().await?,
            Connection::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Undoes everything in it and gives the connection back at once.
    ///
    /// # Errors
    /// Any error of the database; the work is undone all the same.
    pub async fn rollback(self) -> Result<(), Error> {
        match self.0.connection {
            Connection::Sqlite(tx) => tx.rollback().await?,
            Connection::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

impl Deref for Tx {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Read {
        &mut self.0
    }
}
