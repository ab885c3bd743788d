//! The proof that every statement in the program is one both engines understand.

use sqlx::{Either, Executor, SqlStr, Statement as _};

use super::{Db, Engine, Error, Statement};

/// A statement that an engine refused.
#[derive(Debug)]
pub struct Failure {
    /// The statement.
    pub statement: &'static Statement,
    /// Why it was refused.
    pub reason: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.statement.file, self.statement.line, self.reason)
    }
}

/// Prepares every statement registered in this program on a migrated database and gives those it refused,
/// or whose placeholders do not match their values. Empty is what a test wants to see.
///
/// # Errors
/// When the database cannot be reached.
pub async fn prepare_all(db: &Db) -> Result<Vec<Failure>, Error> {
    let mut failures = Vec::new();
    for statement in Statement::all() {
        if let Err(reason) = check(db, statement).await? {
            failures.push(Failure { statement, reason });
        }
    }
    Ok(failures)
}

async fn check(db: &Db, statement: &Statement) -> Result<Result<(), String>, Error> {
    let engine = db.engine();
    let found = match placeholders(db, statement.text(engine)).await? {
        Ok(found) => found,
        Err(reason) => return Ok(Err(reason)),
    };
    // A dialect may do with fewer values than its twin; a shared text may not.
    let shared = statement.sqlite == statement.postgres;
    if found > statement.values || (shared && found < statement.values) {
        return Ok(Err(format!("{found} placeholders for {} values", statement.values)));
    }
    if !(statement.each && engine == Engine::Sqlite) {
        return Ok(Ok(()));
    }
    let two_rows = match statement.repeated(2) {
        Ok(sql) => sql,
        Err(Error::Other(reason)) => return Ok(Err(reason.to_string())),
        Err(error) => return Err(error),
    };
    Ok(match placeholders(db, two_rows).await? {
        Ok(twice) if twice == 2 * found => Ok(()),
        Ok(twice) => Err(format!("{twice} placeholders in two rows of {found}")),
        Err(reason) => Err(reason),
    })
}

/// How many placeholders the prepared text has, or why the engine refused it.
async fn placeholders(db: &Db, sql: SqlStr) -> Result<Result<usize, String>, Error> {
    let prepared = match db {
        Db::Sqlite { readers, .. } => {
            readers.acquire().await?.prepare(sql).await.map(|s| count(s.parameters()))
        }
        Db::Postgres(pool) => pool.acquire().await?.prepare(sql).await.map(|s| count(s.parameters())),
    };
    Ok(prepared.map_err(|error| error.to_string()))
}

fn count<T>(parameters: Option<Either<&[T], usize>>) -> usize {
    match parameters {
        Some(Either::Left(types)) => types.len(),
        Some(Either::Right(count)) => count,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Options;

    async fn refused(sqlite: &'static str, values: usize, each: bool) -> Option<String> {
        let db = Db::connect("sqlite::memory:", &Options::default()).await.unwrap();
        db.migrate().await.unwrap();
        let statement = Statement { sqlite, postgres: sqlite, values, each, file: "", line: 0 };
        check(&db, &statement).await.unwrap().err()
    }

    const EACH: &str =
        "with v (d, n) as (values ($1, $2)) update merchants_shops set name = n from v where domain = d";

    #[tokio::test]
    async fn a_statement_the_engine_or_its_values_do_not_fit_is_refused() {
        assert_eq!(refused("select name from merchants_shops where domain = $1", 1, false).await, None);
        assert_eq!(refused(EACH, 2, true).await, None);

        let column = refused("select colour from merchants_shops", 0, false).await.unwrap();
        assert!(column.contains("no such column: colour"), "{column}");
        let missing =
            refused("select name from merchants_shops where domain = $1 or name = $2", 1, false).await;
        assert_eq!(missing.unwrap(), "2 placeholders for 1 values");
        let unused = refused("select name from merchants_shops where domain = $1", 2, false).await;
        assert_eq!(unused.unwrap(), "1 placeholders for 2 values");
        let outside = refused("update merchants_shops set name = $1", 1, true).await.unwrap();
        assert!(outside.contains("no `values (…)` to repeat"), "{outside}");
    }
}
