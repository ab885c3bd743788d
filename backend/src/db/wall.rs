//! The second wall between shops, on PostgreSQL: row-level security. The first is `shop_id` in every statement.
//!
//! A transaction says which shop it is in ([`Db::begin`](super::Db::begin), [`Read::enter`](super::Read::enter)). A
//! table that has a `shop_id` and is not in [`OPEN`] shows it that shop's rows only and takes no others; outside of every
//! shop it is empty. A new table is walled without anybody thinking of it, when migrations have run.
//!
//! The policy compares with what is read once for each statement, so that indexes on `shop_id` serve it.

use sqlx::{AssertSqlSafe, PgConnection, SqlSafeStr, SqlStr};

use super::Error;
use crate::ids::ShopId;

/// Tables with a `shop_id` around which no wall stands, and why. Statements on them cross shops by nature.
pub const OPEN: [(&str, &str); 11] = [
    ("merchants_shops", "the shops themselves: looked up before it is known whose a request is"),
    ("merchants_group_shops", "a group is several shops"),
    ("merchants_group_invitations", "found by a code, by a shop that is not the one that invited"),
    ("inbox_messages", "stored and taken in batches of many shops"),
    ("inbox_payloads", "stored and taken in batches of many shops"),
    ("inbox_held_lanes", "looked at for all shops whenever messages are taken"),
    ("inbox_behind", "which shops' webhooks wait too long"),
    ("events_outbox", "one sequence of all shops' events"),
    ("events_dead", "places in the one sequence of all shops' events"),
    ("tasks", "one queue of all shops' tasks"),
    ("sync_accounts", "one queue of all shops' members whose metafields are to be written"),
];

/// Whom connections act as where their own user would pass through walls.
const ROLE: &str = "loyalnest_app";
/// A policy that says something else gets another name.
const POLICY: &str = "of_its_shop";
/// Two processes do not build at once.
const LOCK: i64 = 0x6c6f_7961_6c77_616c;

/// The first statement of a transaction in a shop. Set for the transaction only, in the round trip that opens it.
pub(super) fn begin_in(begin: &str, shop: ShopId) -> SqlStr {
    // Safe: a text of this program and a uuid.
    AssertSqlSafe(format!("{begin}; set local loyalnest.shop = '{}'", shop.0.hyphenated())).into_sql_str()
}

/// The first statement of a transaction that reads through walls.
pub(super) const BEGIN_ACROSS: &str =
    "begin isolation level repeatable read read only; set local loyalnest.across = 'on'";

/// Moves a transaction into a shop.
pub(super) async fn enter(connection: &mut PgConnection, shop: ShopId) -> Result<(), Error> {
    let setting = sqlx::query("select set_config('loyalnest.shop', $1, true)").bind(shop.0.to_string());
    setting.execute(connection).await?;
    Ok(())
}

/// The role that connections must take; none if their own user respects walls. It is made if it is not there: roles are
/// the cluster's, so another database's process may make it at the same time.
pub(super) async fn role(connection: &mut PgConnection) -> Result<Option<&'static str>, Error> {
    let passes = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user";
    let (passes,): (bool,) = sqlx::query_as(passes).fetch_one(&mut *connection).await?;
    if !passes {
        return Ok(None);
    }
    let make = format!(
        "do $$ begin
             if not exists (select from pg_roles where rolname = '{ROLE}') then
                 create role {ROLE} nologin;
             end if;
             if not pg_has_role('{ROLE}', 'member') then
                 execute format('grant {ROLE} to %I', current_user);
             end if;
         exception when duplicate_object or unique_violation then null;
         end $$"
    );
    sqlx::raw_sql(AssertSqlSafe(make)).execute(connection).await?;
    Ok(Some(ROLE))
}

/// Lets a connection that migrates do as its own user, in all shops' rows.
pub(super) async fn step_out(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::raw_sql("set role none; set loyalnest.across = 'on'").execute(connection).await?;
    Ok(())
}

/// Walls every table that should be and is not, and gives the role its rights.
pub(super) async fn raise(connection: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut *connection).await?;
    for table in gaps(connection).await? {
        // One table at a time: whoever is at work holds others.
        let wall = format!(
            "alter table {table} enable row level security, force row level security;
             drop policy if exists {POLICY} on {table};
             create policy {POLICY} on {table}
                 using (shop_id = (select nullif(current_setting('loyalnest.shop', true), '')::uuid)
                        or (select current_setting('loyalnest.across', true) = 'on'))"
        );
        sqlx::raw_sql(AssertSqlSafe(wall)).execute(&mut *connection).await?;
    }
    if role(connection).await?.is_some() {
        let schema = "select quote_ident(current_schema())";
        let (schema,): (String,) = sqlx::query_as(schema).fetch_one(&mut *connection).await?;
        let rights = format!(
            "grant usage on schema {schema} to {ROLE};
             grant select, insert, update, delete on all tables in schema {schema} to {ROLE}"
        );
        sqlx::raw_sql(AssertSqlSafe(rights)).execute(&mut *connection).await?;
    }
    sqlx::query("select pg_advisory_unlock($1)").bind(LOCK).execute(connection).await?;
    Ok(())
}

/// The tables that should be walled and are not.
pub(super) async fn gaps(connection: &mut PgConnection) -> Result<Vec<String>, Error> {
    let open: Vec<&str> = OPEN.iter().map(|(table, _)| *table).collect();
    let gaps: Vec<(String,)> = sqlx::query_as(
        "select quote_ident(c.relname) from pg_class c
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'shop_id' and not a.attisdropped
         where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
           and c.relname <> all($1)
           and not (c.relrowsecurity and c.relforcerowsecurity and exists (
               select from pg_policy p where p.polrelid = c.oid and p.polname = $2))
         order by c.relname",
    )
    .bind(open)
    .bind(POLICY)
    .fetch_all(connection)
    .await?;
    Ok(gaps.into_iter().map(|(table,)| table).collect())
}
