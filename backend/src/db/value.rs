//! Values on their way into a statement, for either engine.

use sqlx::postgres::{PgArguments, PgHasArrayType};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Encode, Postgres, Sqlite, Type};

use super::{Engine, Error};

/// The bound values of one statement.
pub enum Values {
    /// For SQLite.
    Sqlite(SqliteArguments),
    /// For PostgreSQL.
    Postgres(PgArguments),
}

impl Values {
    /// No values yet.
    pub fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Values::Sqlite(SqliteArguments::default()),
            Engine::Postgres => Values::Postgres(PgArguments::default()),
        }
    }

    /// Adds one more value.
    ///
    /// # Errors
    /// When the value cannot be encoded.
    pub fn add<'q>(&mut self, value: &dyn Value<'q>) -> Result<(), Error> {
        value.add_to(self)
    }

    /// Adds a column of values as one array; for PostgreSQL only.
    ///
    /// # Errors
    /// When a value cannot be encoded, or on SQLite.
    pub fn add_column<'q>(&mut self, column: &dyn Column<'q>) -> Result<(), Error> {
        match self {
            Values::Postgres(arguments) => column.add_to(arguments),
            Values::Sqlite(_) => Err(Error::other("SQLite has no arrays")),
        }
    }
}

/// A value both engines can keep.
pub trait Value<'q> {
    /// Adds the value to those of a statement.
    ///
    /// # Errors
    /// When it cannot be encoded.
    fn add_to(&self, values: &mut Values) -> Result<(), Error>;
}

impl<'q, T> Value<'q> for T
where
    T: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres>,
{
    fn add_to(&self, values: &mut Values) -> Result<(), Error> {
        match values {
            Values::Sqlite(arguments) => arguments.add(self),
            Values::Postgres(arguments) => arguments.add(self),
        }
        .map_err(Error::Other)
    }
}

/// Values of one type that PostgreSQL takes as one array.
pub trait Column<'q> {
    /// Adds the array to the values of a statement.
    ///
    /// # Errors
    /// When an element cannot be encoded.
    fn add_to(&self, arguments: &mut PgArguments) -> Result<(), Error>;
}

impl<'q, T> Column<'q> for Vec<T>
where
    T: Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType,
{
    fn add_to(&self, arguments: &mut PgArguments) -> Result<(), Error> {
        arguments.add(self.as_slice()).map_err(Error::Other)
    }
}
