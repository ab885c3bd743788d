//! A statement's two texts, and the macro that writes, registers and runs them.

use std::ops::Range;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{Engine, Error, Value, Values};

/// Runs one statement on a [`Tx`](crate::db::Tx) or [`Read`](crate::db::Read); see [`db`](mod@crate::db) for
/// every form with an example. Expands to an awaited `Result<_, db::Error>`.
///
/// | form | gives |
/// |---|---|
/// | `db!(tx.execute, "…", a, b)` | rows written, `u64` |
/// | `db!(tx.one, "…", a)` | `T`, or [`Error::NoRow`] |
/// | `db!(tx.optional, "…", a)` | `Option<T>` |
/// | `db!(tx.all, "…", a)` | `Vec<T>` |
/// | `db!(tx.one, sqlite: "…", postgres: "…", a)` | the same, in two dialects |
/// | `db!(tx.each rows, sqlite: "…", postgres: "…", \|row\| row.a, row.b)` | rows written, `u64` |
/// | `db!(tx.all each rows, sqlite: "…", postgres: "…", \|row\| row.a)` | `Vec<T>`, in no promised order |
///
/// `T` is a tuple or any `#[derive(sqlx::FromRow)]`. `rows` is a slice or Vec; each expression after `|row|`
/// is a column and is copied or borrowed (`row.id`, `row.name.as_str()`).
#[macro_export]
macro_rules! db {
    ($on:ident.each $rows:expr, sqlite: $sqlite:expr, postgres: $postgres:expr,
     |$row:pat_param| $($column:expr),+ $(,)?) => {
        $crate::db!(@rows $on, execute_each, $rows, $sqlite, $postgres, $row, $($column),+)
    };
    ($on:ident.all each $rows:expr, sqlite: $sqlite:expr, postgres: $postgres:expr,
     |$row:pat_param| $($column:expr),+ $(,)?) => {
        $crate::db!(@rows $on, all_each, $rows, $sqlite, $postgres, $row, $($column),+)
    };
    ($on:ident.$verb:ident, sqlite: $sqlite:expr, postgres: $postgres:expr $(, $value:expr)* $(,)?) => {{
        $crate::db!(@register $sqlite, $postgres, false, $($value),*);
        let call = STATEMENT.call($on.engine(), &[$(&$value as &dyn $crate::db::Value<'_>),*]);
        $on.$verb(call).await
    }};
    ($on:ident.$verb:ident, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::db!($on.$verb, sqlite: $sql, postgres: $sql $(, $value)*)
    };

    (@rows $on:ident, $verb:ident, $rows:expr, $sqlite:expr, $postgres:expr, $row:pat_param,
     $($column:expr),+) => {{
        $crate::db!(@register $sqlite, $postgres, true, $($column),+);
        let calls = STATEMENT.calls(
            $on.engine(),
            &$rows[..],
            |$row, values| {
                $(values.add(&$column as &dyn $crate::db::Value<'_>)?;)+
                Ok(())
            },
            |rows, values| {
                $({
                    #[allow(unused_variables)] // a column may be the same in every row
                    let column = rows.iter().map(|$row| $column).collect::<Vec<_>>();
                    values.add_column(&column as &dyn $crate::db::Column<'_>)?;
                })+
                Ok(())
            },
        );
        $on.$verb(calls).await
    }};
    (@register $sqlite:expr, $postgres:expr, $each:expr, $($value:expr),*) => {
        const STATEMENT: $crate::db::Statement = $crate::db::Statement {
            sqlite: $sqlite,
            postgres: $postgres,
            values: <[&str]>::len(&[$(stringify!($value)),*]),
            each: $each,
            file: file!(),
            line: line!(),
        };
        $crate::db::private::inventory::submit! { STATEMENT }
    };
}

/// The two texts of one [`db!`](crate::db!) call. Every one in the program is registered, so that a test can
/// prepare them all (see [`prepare_all`](crate::db::prepare_all)).
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
    /// How many values it takes (per row, with `each`).
    pub values: usize,
    /// Whether it is the form for many rows.
    pub each: bool,
    /// Where it stands.
    pub file: &'static str,
    /// Where it stands.
    pub line: u32,
}

inventory::collect!(Statement);

/// A text with its values, ready to run.
pub struct Call {
    pub(super) sql: SqlStr,
    pub(super) values: Values,
}

/// Rows per statement on SQLite: few sizes, so that each text's prepared statements stay cached.
const SQLITE_CHUNKS: [usize; 4] = [64, 16, 4, 1];
/// Rows per statement on PostgreSQL, so that one message stays within a few megabytes.
const POSTGRES_CHUNK: usize = 5_000;

impl Statement {
    /// Every one in the program.
    pub fn all() -> impl Iterator<Item = &'static Statement> {
        inventory::iter::<Statement>.into_iter()
    }

    /// This statement with its values.
    ///
    /// # Errors
    /// When a value cannot be encoded.
    pub fn call(&self, engine: Engine, values: &[&dyn Value<'_>]) -> Result<Call, Error> {
        let mut bound = Values::new(engine);
        for value in values {
            value.add_to(&mut bound)?;
        }
        Ok(Call { sql: self.text(engine), values: bound })
    }

    /// This statement for many rows: a few calls that carry many rows each.
    ///
    /// # Errors
    /// When a value cannot be encoded.
    pub fn calls<R>(
        &self,
        engine: Engine,
        rows: &[R],
        mut add_row: impl FnMut(&R, &mut Values) -> Result<(), Error>,
        mut add_columns: impl FnMut(&[R], &mut Values) -> Result<(), Error>,
    ) -> Result<Vec<Call>, Error> {
        let mut calls = Vec::new();
        for chunk in chunks(engine, rows.len()) {
            let rows = &rows[chunk];
            let mut values = Values::new(engine);
            let sql = match engine {
                Engine::Sqlite => {
                    rows.iter().try_for_each(|row| add_row(row, &mut values))?;
                    self.repeated(rows.len())?
                }
                Engine::Postgres => {
                    add_columns(rows, &mut values)?;
                    self.text(engine)
                }
            };
            calls.push(Call { sql, values });
        }
        Ok(calls)
    }

    pub(super) fn text(&self, engine: Engine) -> SqlStr {
        match engine {
            Engine::Sqlite => self.sqlite.into_sql_str(),
            Engine::Postgres => self.postgres.into_sql_str(),
        }
    }

    /// The SQLite text for this many rows.
    pub(super) fn repeated(&self, rows: usize) -> Result<SqlStr, Error> {
        match rows {
            1 => Ok(self.sqlite.into_sql_str()),
            // Safe: made of a text in this program and of numbers.
            _ => repeat_values(self.sqlite, self.values, rows)
                .map(|sql| AssertSqlSafe(sql).into_sql_str())
                .ok_or_else(|| {
                    Error::other(format!("no `values (…)` to repeat, {}:{}", self.file, self.line))
                }),
        }
    }
}

/// Cuts `rows` into the sizes an engine likes.
fn chunks(engine: Engine, rows: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let left = rows - start;
        let size = match engine {
            Engine::Sqlite => SQLITE_CHUNKS.into_iter().find(|&size| size <= left)?,
            Engine::Postgres if left == 0 => return None,
            Engine::Postgres => left.min(POSTGRES_CHUNK),
        };
        start += size;
        Some(start - size..start)
    })
}

/// `… values ($1, $2) …` with the tuple repeated: `… values (?, ?), (?, ?) …`, or `… values ($2, $1), ($4, $3) …` where
/// the order is another. None if the text has no such tuple, or a placeholder outside of it.
fn repeat_values(sql: &str, columns: usize, rows: usize) -> Option<String> {
    let keyword = sql.to_ascii_lowercase().find("values")?;
    let open = keyword + sql[keyword..].find('(')?;
    let close = open + closing(&sql[open..])?;
    let (before, tuple, after) = (&sql[..open], &sql[open..=close], &sql[close + 1..]);
    if before.contains('$') || after.contains('$') {
        return None;
    }
    let mut parts = tuple.split('$');
    let first = parts.next()?;
    let placeholders: Vec<(usize, &str)> = parts.map(placeholder).collect::<Option<_>>()?;
    // SQLite looks for the name of every value from the first on, so names cost the square of their number.
    let nameless = placeholders.iter().map(|(number, _)| *number).eq(1..=columns);
    let mut repeated = String::with_capacity(sql.len() + rows * (tuple.len() + columns * 3));
    repeated.push_str(before);
    for row in 0..rows {
        if row > 0 {
            repeated.push_str(", ");
        }
        repeated.push_str(first);
        for (number, rest) in &placeholders {
            if nameless {
                repeated.push('?');
            } else {
                repeated.push('$');
                repeated.push_str(&(number + row * columns).to_string());
            }
            repeated.push_str(rest);
        }
    }
    repeated.push_str(after);
    Some(repeated)
}

/// The number that `text` begins with, and what follows it.
fn placeholder(text: &str) -> Option<(usize, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// Where the parenthesis that opens `text` closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tuple_of_values_is_repeated_and_renumbered() {
        assert_eq!(
            repeat_values("insert into t values (1, $1, abs($2)) on conflict do nothing", 2, 3).unwrap(),
            "insert into t values (1, ?, abs(?)), (1, ?, abs(?)), (1, ?, abs(?)) on conflict do nothing"
        );
        assert_eq!(
            repeat_values("insert into t values ($2, $1, $1)", 2, 2).unwrap(),
            "insert into t values ($2, $1, $1), ($4, $3, $3)",
            "not in their order"
        );
        assert_eq!(repeat_values("delete from t where a = $1", 1, 2), None, "no tuple");
        assert_eq!(repeat_values("insert into t values ($1) returning $2", 2, 2), None, "a value outside");
    }

    #[test]
    fn chunks_cover_every_row_once() {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            for rows in [0, 1, 3, 63, 64, 65, 4_999, 5_000, 10_001] {
                let chunks: Vec<_> = chunks(engine, rows).collect();
                let covered: Vec<_> = chunks.iter().cloned().flatten().collect();
                assert_eq!(covered, (0..rows).collect::<Vec<_>>(), "{engine:?} {rows}");
                assert!(chunks.iter().all(|chunk| chunk.len() <= POSTGRES_CHUNK));
            }
        }
    }
}
