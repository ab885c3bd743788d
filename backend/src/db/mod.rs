//! The database: two engines, one text.
//!
//! SQLite is the embedded default, PostgreSQL is production. This room is the only one that knows there are
//! two of them. Everyone else opens a transaction in a shop ([`Db::begin`], [`Db::read`]; outside of every shop, as here, only
//! open tables can be used, see `wall`) and writes plain lower-case SQL in [`db!`](crate::db!):
//!
//! ```
//! use loyalnest::db; // the module and the macro
//! use loyalnest::db::{Db, Timestamp};
//! use uuid::Uuid;
//!
//! #[derive(sqlx::FromRow)]
//! struct Shop { shop_id: Uuid, domain: String, installed_at: Timestamp }
//!
//! async fn shops(db: &Db, now: Timestamp) -> Result<Vec<Shop>, db::Error> {
//!     let mut tx = db.begin_outside().await?;
//!
//!     // `execute` says how many rows were written.
//!     let written: u64 = db!(tx.execute,
//!         "insert into merchants_shops (shop_id, domain, name, currency, time_zone, installed_at, updated_at)
//!          values ($1, $2, $3, $4, $5, $6, $6) on conflict (domain) do nothing",
//!         Uuid::now_v7(), "tea.myshopify.com", "Tea", "GBP", "Europe/London", now)?;
//!     assert_eq!(written, 1);
//!
//!     // `one`, `optional` and `all` read into a tuple or a `FromRow` struct, told by the type asked for.
//!     let (count,): (i64,) = db!(tx.one, "select count(*) from merchants_shops")?;
//!     let found: Option<Shop> = db!(tx.optional,
//!         "select shop_id, domain, installed_at from merchants_shops where domain = $1", "tea.myshopify.com")?;
//!     assert_eq!((count, found.is_some()), (1, true));
//!
//!     // Where the dialects must differ, the two texts stand side by side and share their values.
//!     let (length,): (i64,) = db!(tx.one,
//!         sqlite: "select length(cast(name as blob)) from merchants_shops where domain = $1",
//!         postgres: "select octet_length(name)::bigint from merchants_shops where domain = $1",
//!         "tea.myshopify.com")?;
//!     assert_eq!(length, 3);
//!
//!     // Many rows in one statement: SQLite repeats the `values (…)` tuple, PostgreSQL unnests arrays.
//!     let renamed = [(Uuid::now_v7(), "Nobody".to_owned())];
//!     let touched: u64 = db!(tx.each renamed,
//!         sqlite: "with v (shop_id, name) as (values ($1, $2))
//!                  update merchants_shops set name = v.name from v where merchants_shops.shop_id = v.shop_id",
//!         postgres: "with v (shop_id, name) as (select * from unnest($1::uuid[], $2::text[]))
//!                    update merchants_shops set name = v.name from v where merchants_shops.shop_id = v.shop_id",
//!         |row| row.0, row.1.as_str())?;
//!     assert_eq!(touched, 0);
//!
//!     // The same for reading: every row of the answer, in no promised order.
//!     let wanted = ["tea.myshopify.com", "gone.myshopify.com"];
//!     let shops = db!(tx.all each wanted,
//!         sqlite: "with v (domain) as (values ($1))
//!                  select shop_id, domain, installed_at from merchants_shops join v using (domain)",
//!         postgres: "with v (domain) as (select * from unnest($1::text[]))
//!                    select shop_id, domain, installed_at from merchants_shops join v using (domain)",
//!         |domain| *domain)?;
//!
//!     tx.commit().await?;
//!     Ok(shops)
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let folder = tempfile::tempdir().unwrap();
//! # let url = format!("sqlite://{}/doc.db", folder.path().display());
//! # let db = Db::connect(&url, &db::Options::default()).await.unwrap();
//! # db.migrate().await.unwrap();
//! # let shops = shops(&db, loyalnest::clock::Clock::system().now()).await.unwrap();
//! # assert_eq!(shops[0].domain, "tea.myshopify.com");
//! # });
//! ```
//!
//! # Rules that keep one text true on both engines
//! - Types: `uuid`/`blob` ([`uuid::Uuid`]), `timestamptz`/`integer` ([`Timestamp`]), `jsonb`/`text`
//!   ([`sqlx::types::Json`]), `bigint`/`integer` (`i64`), `boolean`/`integer` (`bool`), `bytea`/`blob`
//!   (`Vec<u8>`), `text` (`String`, [`text_enum!`](crate::text_enum!)). A newtype derives
//!   `sqlx::Type` with `#[sqlx(transparent)]`.
//! - PostgreSQL's `sum` of bigints is numeric: write `cast(sum(x) as bigint)`, which both understand.
//! - Values are borrowed, so a variable can be used again afterwards. Every value must appear in the text.
//! - Unique constraints keep PostgreSQL's default names, `{table}_pkey` and `{table}_{columns}_key` (name a
//!   partial unique index the same way): SQLite reports columns, and [`Error::constraint`] gives the same name.
//! - In an upsert with `each`, no two rows may have the same key (PostgreSQL refuses to update a row twice).
//! - SQLite has one writer: never open a second [`Tx`] while one is held.

mod cipher;
mod error;
mod holdings;
mod migrate;
mod pool;
mod prepare;
mod statement;
mod text_enum;
mod timestamp;
mod tx;
mod value;
mod wall;

pub use cipher::{Cipher, CipherError, Resealed};
pub use error::{Error, OnConstraint};
pub use holdings::{Holds, Of, Table};
pub use pool::{Db, Engine, Options};
pub use prepare::{Failure, prepare_all};
pub use statement::{Call, Statement};
pub use timestamp::Timestamp;
pub use tx::{Read, Record, Tx};
pub use value::{Column, Value, Values};
pub use wall::OPEN;

/// What the macros of this room expand to.
#[doc(hidden)]
pub mod private {
    pub use inventory;
    pub use sqlx;
}
