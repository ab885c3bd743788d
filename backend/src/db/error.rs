//! What can go wrong in the database, in the three kinds that callers tell apart.

use std::borrow::Cow;

/// An error of the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot serve now (gone, too busy, or this transaction lost a deadlock). Nothing is known
    /// to be written; the same call may succeed later. At the HTTP edge this is a 503.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// A constraint refused the row. The name is the same on both engines (see the rules of this room).
    #[error("the constraint {name} refused the row")]
    Constraint {
        /// The constraint, e.g. `merchants_shops_domain_key`, `merchants_shops_pkey`, or the name of a check.
        name: String,
        /// Whether the row exists already (a unique or primary key).
        unique: bool,
        /// What the engine said.
        #[source]
        source: sqlx::Error,
    },
    /// `one` found no row.
    #[error("no row where one was expected")]
    NoRow,
    /// Anything else: a mistake in a statement, a value that does not fit, a failed migration.
    #[error("the database refused the statement")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Whether the same work may succeed when tried again.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Error::Unavailable(_))
    }

    /// The unique constraint that refused the row, if that is what happened.
    pub fn unique_violation(&self) -> Option<&str> {
        match self {
            Error::Constraint { name, unique: true, .. } => Some(name),
            _ => None,
        }
    }

    /// The constraint (of any kind) that refused the row, if that is what happened.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Error::Constraint { name, .. } => Some(name),
            _ => None,
        }
    }

    pub(crate) fn other(message: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Other(message.into())
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &source else {
            return match source {
                sqlx::Error::RowNotFound => Error::NoRow,
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::BeginFailed => Error::Unavailable(source),
                _ => Error::Other(source.into()),
            };
        };
        let code = database.code().unwrap_or_default();
        let postgres = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some();
        let unavailable = if postgres { postgres_unavailable(&code) } else { sqlite_unavailable(&code) };
        if unavailable {
            return Error::Unavailable(source);
        }
        let unique = database.is_unique_violation();
        let name = match database.constraint() {
            Some(name) => Some(name.to_owned()),
            None => sqlite_constraint(&code, database.message()),
        };
        match name {
            Some(name) => Error::Constraint { name, unique, source },
            None => Error::Other(source.into()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(source: sqlx::migrate::MigrateError) -> Self {
        match source {
            sqlx::migrate::MigrateError::Execute(source) => source.into(),
            source => Error::Other(source.into()),
        }
    }
}

/// Connection lost or refused (class 08, 57P0x), out of resources (53), timed out (57014, 55P03), and
/// transactions that may be repeated (40001, 40P01).
fn postgres_unavailable(code: &str) -> bool {
    code.starts_with("08")
        || code.starts_with("53")
        || code.starts_with("57P0")
        || matches!(code, "40001" | "40P01" | "55P03" | "57014")
}

/// Busy, locked, I/O error, disk full, cannot open: the primary code is the low byte.
fn sqlite_unavailable(code: &str) -> bool {
    matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(5 | 6 | 10 | 13 | 14))
}

/// The name PostgreSQL would have given, from "UNIQUE constraint failed: holds.shop_id, holds.member_id".
fn sqlite_constraint(code: &str, message: &str) -> Option<String> {
    const CHECK: &str = "275";
    const FOREIGN_KEY: &str = "787";
    const PRIMARY_KEY: &str = "1555";
    const UNIQUE: &str = "2067";

    let (_, what) = message.split_once("constraint failed").unwrap_or(("", message));
    let what = what.trim_start_matches(':').trim();
    let table = || what.split('.').next().unwrap_or_default();
    match code {
        CHECK => Some(what.to_owned()),
        FOREIGN_KEY => Some("foreign_key".to_owned()),
        PRIMARY_KEY => Some(format!("{}_pkey", table())),
        UNIQUE => {
            let columns: Vec<_> = what
                .split(", ")
                .map(|column| column.split_once('.').map_or(Cow::Borrowed(column), |(_, c)| c.into()))
                .collect();
            Some(format!("{}_{}_key", table(), columns.join("_")))
        }
        _ => None,
    }
}

/// Translates the refusal of one constraint where it means something to the caller.
pub trait OnConstraint<T> {
    /// If the constraint `name` refused the row, the error becomes `meaning()`; any other error passes through.
    ///
    /// # Errors
    /// What `meaning` says, or the database's error as the caller's own.
    fn on_constraint<E: From<Error>>(self, name: &str, meaning: impl FnOnce() -> E) -> Result<T, E>;
}

impl<T> OnConstraint<T> for Result<T, Error> {
    fn on_constraint<E: From<Error>>(self, name: &str, meaning: impl FnOnce() -> E) -> Result<T, E> {
        self.map_err(|error| if error.constraint() == Some(name) { meaning() } else { error.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_columns_become_the_name_postgres_gives() {
        let named = |code, message| sqlite_constraint(code, message).unwrap();
        assert_eq!(
            named("2067", "UNIQUE constraint failed: holds.shop_id, holds.member_id"),
            "holds_shop_id_member_id_key"
        );
        assert_eq!(
            named("1555", "UNIQUE constraint failed: merchants_shops.shop_id"),
            "merchants_shops_pkey"
        );
        assert_eq!(named("275", "CHECK constraint failed: points_positive"), "points_positive");
        assert_eq!(named("787", "FOREIGN KEY constraint failed"), "foreign_key");
        assert_eq!(sqlite_constraint("1", "no such table: x"), None);
    }

    #[test]
    fn what_may_pass_is_unavailable() {
        for code in ["08006", "53300", "57P01", "40P01"] {
            assert!(postgres_unavailable(code), "{code}");
        }
        assert!(!postgres_unavailable("42P01"));
        assert!(sqlite_unavailable("5") && sqlite_unavailable("517") && !sqlite_unavailable("2067"));
        assert!(Error::from(sqlx::Error::PoolTimedOut).is_unavailable());
    }
}
