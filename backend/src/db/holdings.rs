//! What each table holds, declared beside its SQL: which of it leads to a person, how long it is kept, and so how it is
//! shown to whom it is about, and how it is erased.
//!
//! A test compares these declarations with the migrated schema: a table or column that nobody declared fails it.

use serde_json::{Map, Value as Json};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use uuid::Uuid;

use super::{Call, Engine, Error, Read, Timestamp, Tx, Value, Values};
use crate::ids::ShopId;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Numbers, words and flags that lead to nobody.
    Plain,
    /// An id of ours. A member's leads to a person only as long as a customer's number stands beside it.
    Id,
    /// An instant (UTC).
    Time,
    /// JSON of ids, numbers and words that lead to nobody.
    Json,
    /// Shopify's number of a customer, text with one in it, or what else is a person's own: erased when it is asked for.
    Link,
    /// Shopify's number of a member of staff: erased with the shop.
    Staff,
    /// Sealed: a body, a token, a document. Not shown.
    Sealed,
}

/// Whose the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A member's, by each of these columns.
    Member(&'static [&'static str]),
    /// A customer's, by each of these columns.
    Customer(&'static [&'static str]),
    /// An order's, by each of these columns.
    Order(&'static [&'static str]),
    /// No single person's.
    Nobody,
}

/// A table and what it holds.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns of its primary key.
    pub key: &'static [&'static str],
    /// Whose its rows are.
    pub of: Of,
    /// How long its rows are kept, in words.
    pub kept: &'static str,
    /// Every column, and what it holds.
    pub columns: &'static [(&'static str, Holds)],
}

inventory::collect!(Table);

/// Declares what a table holds.
///
/// ```
/// loyalnest::holds! {
///     example_visits [shop_id, member_id] of Member("member_id"), kept "for a week" {
///         shop_id: Id, member_id: Id, visited_at: Time, visits: Plain,
///     }
/// }
/// ```
#[macro_export]
macro_rules! holds {
    ($name:ident [$($key:ident),+] of $of:ident $(($($by:literal),+))?, kept $kept:literal {
        $($column:ident: $holds:ident),+ $(,)?
    }) => {
        $crate::db::private::inventory::submit! {
            $crate::db::Table {
                name: stringify!($name),
                key: &[$(stringify!($key)),+],
                of: $crate::db::Of::$of $((&[$($by),+]))?,
                kept: $kept,
                columns: &[$((stringify!($column), $crate::db::Holds::$holds)),+],
            }
        }
    };
}

impl Table {
    /// Every table that is declared, by name.
    pub fn all() -> Vec<&'static Table> {
        let mut tables: Vec<_> = inventory::iter::<Table>.into_iter().collect();
        tables.sort_unstable_by_key(|table| table.name);
        tables
    }

    /// Whether its rows belong to shops.
    pub fn is_a_shops(&self) -> bool {
        self.columns.iter().any(|(name, _)| *name == "shop_id")
    }

    /// Erases up to `most` rows of a shop and says how many those were.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn erase(&self, tx: &mut Tx, shop: ShopId, most: i64) -> Result<u64, Error> {
        let (name, key) = (self.name, self.key.join(", "));
        let sql = format!(
            "delete from {name} where ({key}) in (select {key} from {name} where shop_id = $1 limit $2)"
        );
        let call = call(tx.engine(), sql, &[&shop, &most]);
        tx.execute(call).await
    }

    /// Up to `most` rows of a shop in which a column has this value, as objects: what is sealed is left out, times are
    /// written as RFC 3339.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn dump(
        &self,
        read: &mut Read,
        shop: ShopId,
        (column, value): (&str, &(dyn Value<'_> + Sync)),
        most: i64,
    ) -> Result<Vec<Json>, Error> {
        let engine = read.engine();
        let (name, key, object) = (self.name, self.key.join(", "), self.object(engine));
        let sql = format!(
            "select {object} from {name} where shop_id = $1 and {column} = $2 order by {key} limit $3"
        );
        let call = call(engine, sql, &[&shop, value, &most]);
        let rows: Vec<(sqlx::types::Json<Map<String, Json>>,)> = read.all(call).await?;
        Ok(rows.into_iter().map(|(row,)| self.readable(row.0)).collect())
    }

    /// Hands over every row of a shop as it comes, by its key, as [`dump`](Table::dump) writes it.
    ///
    /// # Errors
    /// Any error of the database, or of who takes the rows.
    pub async fn each<E: From<Error>>(
        &self,
        read: &mut Read,
        shop: ShopId,
        mut take: impl FnMut(Json) -> Result<(), E>,
    ) -> Result<(), E> {
        let engine = read.engine();
        let (name, key, object) = (self.name, self.key.join(", "), self.object(engine));
        let sql = format!("select {object} from {name} where shop_id = $1 order by {key}");
        let call = call(engine, sql, &[&shop]);
        let readable = |(row,): (sqlx::types::Json<Map<String, Json>>,)| take(self.readable(row.0));
        read.each(call, readable).await
    }

    /// The expression that makes an object of a row.
    fn object(&self, engine: Engine) -> String {
        let shown = self.columns.iter().filter(|(name, holds)| *name != "shop_id" && *holds != Holds::Sealed);
        let members: Vec<String> =
            shown.map(|(name, holds)| format!("'{name}', {}", expression(engine, name, *holds))).collect();
        let object = match engine {
            Engine::Sqlite => "json_object",
            Engine::Postgres => "jsonb_build_object",
        };
        format!("{object}({})", members.join(", "))
    }

    /// The row as both engines show it.
    fn readable(&self, mut row: Map<String, Json>) -> Json {
        for (name, holds) in self.columns {
            let Some(value) = row.get_mut(*name) else { continue };
            match holds {
                Holds::Id => {
                    if let Some(id) = value.as_str().and_then(|text| text.parse::<Uuid>().ok()) {
                        *value = id.to_string().into();
                    }
                }
                Holds::Time => {
                    if let Some(Ok(at)) = value.as_i64().map(Timestamp::from_microsecond) {
                        *value = at.to_string().into();
                    }
                }
                _ => {}
            }
        }
        Json::Object(row)
    }
}

/// How a column is read into JSON.
fn expression(engine: Engine, column: &str, holds: Holds) -> String {
    match (engine, holds) {
        (Engine::Sqlite, Holds::Id) => format!("lower(hex({column}))"),
        (Engine::Sqlite, Holds::Json) => format!("json({column})"),
        (Engine::Postgres, Holds::Time) => format!("cast(extract(epoch from {column}) * 1000000 as bigint)"),
        _ => column.to_owned(),
    }
}

/// A text made of names that are declared in this program.
fn call(engine: Engine, sql: String, values: &[&dyn Value<'_>]) -> Result<Call, Error> {
    let mut bound = Values::new(engine);
    for value in values {
        value.add_to(&mut bound)?;
    }
    // Safe: names are literals of this program, whatever comes from outside is bound.
    Ok(Call { sql: AssertSqlSafe(sql).into_sql_str(), values: bound })
}
