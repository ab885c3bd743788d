//! What keeps shops apart in the database: `shop_id` in every statement and key, and on PostgreSQL row-level security.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use loyalnest::db;
use loyalnest::db::{Db, Engine, OPEN, Options, Statement, Timestamp, Tx};
use loyalnest::ids::ShopId;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection, Executor};
use uuid::Uuid;

use crate::support::{TestDb, on_both_engines, on_engine};

const A: ShopId = ShopId(Uuid::from_u128(0xa));
const B: ShopId = ShopId(Uuid::from_u128(0xb));

/// Who reads the rows of all shops at once, and what for. They write nothing: what is found is worked on shop by shop.
const READ_ACROSS: [(&str, &str); 7] = [
    ("customers/emails/mod.rs", "which shops keep addresses that are to be sealed anew"),
    ("metrics.rs", "what came of the last proof of each shop"),
    ("merchants/tokens.rs", "which shops' staff have tokens to be sealed anew"),
    ("privacy/export.rs", "which exports are to be sealed anew"),
    ("privacy/settle.rs", "which shops have requests that are due soon or to be forgotten"),
    ("redemptions/jobs.rs", "which holds are over, and which orders are to be tagged"),
    ("support/command.rs", "the operator's list of open sessions"),
];

/// Statements on walled tables that name no shop, by their files: what those above read.
const NAME_NO_SHOP: [(&str, &str); 6] = [
    ("customers/emails/store.rs", "shops that keep addresses"),
    ("merchants/staff/store.rs", "shops whose staff have tokens"),
    ("privacy/store.rs", "requests that are due soon, and shops with settled ones"),
    ("proof/store.rs", "what came of the last proof of each shop"),
    ("redemptions/lifecycle.rs", "holds whose time has come"),
    ("support/store.rs", "sessions that are open"),
];

/// Indexes that do not begin with the shop, and why.
const OTHER_KEYS: [(&str, &str); 16] = [
    ("events_dead (subscriber, position)", "a place in the one sequence of all shops' events"),
    ("events_outbox (position)", "the one sequence of all shops' events"),
    ("events_outbox (written)", "the one sequence of all shops' events"),
    ("inbox_messages (bucket)", "buckets in which something is ready, of all shops"),
    ("inbox_messages (received_at)", "what is old enough to be forgotten"),
    ("inbox_payloads (received_at)", "what is old enough to be forgotten"),
    ("merchants_group_invitations (code_hash)", "found by its code"),
    ("merchants_group_shops (group_id)", "the shops of a group"),
    ("merchants_shops (domain)", "found by its domain"),
    ("merchants_shops (set_up_due_at)", "shops to be set up, the most urgent first"),
    ("privacy_requests (settled_at)", "requests that are old enough to be forgotten"),
    ("redemptions_holds (expires_at)", "holds that are over, of all shops, the oldest first"),
    ("tasks (priority, due_at, task_id)", "what is due, of all shops, the most urgent first"),
    ("tasks (priority, shop_id, due_at, task_id)", "whose turn it is at a priority: shops by their ids"),
    ("tasks (settled_at)", "tasks that are old enough to be forgotten"),
    ("tasks (task_id)", "the operator's page"),
];

fn on_postgres(scenario: impl AsyncFn(&TestDb, &PgPool)) {
    on_engine(Engine::Postgres, async |test| {
        let Db::Postgres(pool) = &test.db else { unreachable!() };
        scenario(test, pool).await;
    });
}

#[test]
fn no_connection_of_the_application_passes_through_walls() {
    on_postgres(async |_, pool| {
        let mut held = Vec::new();
        for _ in 0..pool.options().get_max_connections() {
            held.push(pool.acquire().await.unwrap());
        }
        for connection in &mut held {
            let role = "select current_user::text, rolsuper, rolbypassrls, current_setting('row_security')
                        from pg_roles where rolname = current_user";
            let role: (String, bool, bool, String) =
                sqlx::query_as(role).fetch_one(&mut **connection).await.unwrap();
            assert_eq!(role, ("loyalnest_app".to_owned(), false, false, "on".to_owned()));
        }
    });
}

/// Whether row-level security is on and forced, and the policies, of each table with a `shop_id`.
async fn walls(pool: &PgPool) -> BTreeMap<String, (bool, bool, Vec<String>)> {
    let tables: Vec<(String, bool, bool, Vec<String>)> = sqlx::query_as(
        "select c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
                array(select concat_ws(' ', policyname, permissive, roles, cmd, with_check) from pg_policies
                      where tablename = c.relname)
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'shop_id'
         where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    tables.into_iter().map(|(name, on, forced, policies)| (name, (on, forced, policies))).collect()
}

#[test]
fn every_table_of_shops_is_walled_or_on_the_list() {
    on_postgres(async |_, pool| {
        let open: BTreeSet<_> = OPEN.iter().map(|(table, _)| table.to_string()).collect();
        let walls = walls(pool).await;
        assert!(open.iter().all(|table| walls.contains_key(table)), "the list names tables that there are");
        let wall = (true, true, vec!["of_its_shop PERMISSIVE {public} ALL".to_owned()]);
        for (table, found) in &walls {
            let expected = if open.contains(table) { (false, false, Vec::new()) } else { wall.clone() };
            assert_eq!(*found, expected, "{table}");
        }
        assert!(walls.len() >= open.len() + 20, "{walls:?}");
    });
}

#[test]
fn a_table_that_is_added_is_walled_when_migrations_have_run() {
    on_postgres(async |test, pool| {
        let mut owner = PgConnection::connect(&test.url).await.unwrap();
        owner
            .execute("create table test_walled (shop_id uuid not null primary key, other int)")
            .await
            .unwrap();
        assert!(!test.db.is_migrated().await.unwrap());
        let (one, other) = tokio::join!(test.db.migrate(), test.db.migrate());
        one.unwrap();
        other.unwrap();
        assert!(test.db.is_migrated().await.unwrap());
        let (on, forced, policies) = walls(pool).await.remove("test_walled").unwrap();
        assert_eq!((on, forced, policies.len()), (true, true, 1));

        owner.execute("alter table test_walled no force row level security").await.unwrap();
        assert!(!test.db.is_migrated().await.unwrap(), "a wall with a gap is none");
        test.db.migrate().await.unwrap();
        assert!(test.db.is_migrated().await.unwrap());
    });
}

/// A product of a shop, written in this transaction.
async fn product(tx: &mut Tx, shop: ShopId, id: i64) -> Result<u64, db::Error> {
    let at: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
    db!(
        tx.execute,
        "insert into products_products (shop_id, product_id, title, tags, variants, updated_at)
         values ($1, $2, 'Tea', '[]', '[]', $3)",
        shop,
        id,
        at
    )
}

async fn products(tx: &mut Tx) -> Vec<(ShopId, i64)> {
    db!(tx.all, "select shop_id, product_id from products_products order by shop_id, product_id").unwrap()
}

/// Whether the wall, and nothing else, refused it.
fn is_walled<T: std::fmt::Debug>(refused: Result<T, db::Error>) -> bool {
    let db::Error::Other(error) = refused.unwrap_err() else { return false };
    error.to_string().contains("row-level security policy for table \"products_products\"")
}

#[test]
fn raw_queries_see_and_write_the_rows_of_their_shop_only() {
    on_postgres(async |test, _| scenario_of_two_shops(&test.db).await);
}

async fn scenario_of_two_shops(db: &Db) {
    for (shop, id) in [(A, 1), (B, 2)] {
        let mut tx = db.begin(shop).await.unwrap();
        product(&mut tx, shop, id).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = db.begin(A).await.unwrap();
    assert_eq!(products(&mut tx).await, [(A, 1)]);
    assert_eq!(db!(tx.execute, "update products_products set title = 'Coffee'").unwrap(), 1);
    assert_eq!(db!(tx.execute, "update products_products set title = 'x' where shop_id = $1", B).unwrap(), 0);
    assert_eq!(db!(tx.execute, "delete from products_products where product_id = 2").unwrap(), 0);
    tx.commit().await.unwrap();

    let mut tx = db.begin(A).await.unwrap();
    assert!(is_walled(product(&mut tx, B, 3).await), "nothing is put into another shop");
    let mut tx = db.begin(A).await.unwrap();
    let moved = db!(tx.execute, "update products_products set shop_id = $1", B);
    assert!(is_walled(moved), "nothing is moved into another shop");

    let mut tx = db.begin_outside().await.unwrap();
    assert_eq!(products(&mut tx).await, []);
    assert_eq!(db!(tx.execute, "delete from products_products").unwrap(), 0);
    tx.enter(B).await.unwrap();
    assert_eq!(products(&mut tx).await, [(B, 2)]);
    tx.enter(A).await.unwrap();
    assert_eq!(products(&mut tx).await, [(A, 1)]);
    drop(tx);
    let mut tx = db.begin_outside().await.unwrap();
    assert!(is_walled(product(&mut tx, A, 3).await), "outside of every shop nothing is written");
    let mut tx = db.begin_outside().await.unwrap();
    assert_eq!(products(&mut tx).await, [], "the shop was the last transaction's");

    let mut read = db.read_across().await.unwrap();
    let all: Vec<(ShopId, String)> =
        db!(read.all, "select shop_id, title from products_products order by shop_id").unwrap();
    assert_eq!(all, [(A, "Coffee".to_owned()), (B, "Tea".to_owned())]);
    let mut read = db.read(B).await.unwrap();
    let own: Vec<(ShopId,)> = db!(read.all, "select shop_id from products_products").unwrap();
    assert_eq!(own, [(B,)]);
}

#[test]
fn an_ordinary_owner_is_walled_in_too() {
    on_postgres(async |test, _| {
        let name = format!("owner_{}", Uuid::new_v4().simple());
        let mut superuser = PgConnection::connect(&test.url).await.unwrap();
        let mut run = async |sql: String| superuser.execute(AssertSqlSafe(sql)).await.map(|_| ()).unwrap();
        run(format!("create role {name} login nosuperuser")).await;
        run(format!("create database {name} owner {name}")).await;
        let mut url = reqwest::Url::parse(&test.url).unwrap();
        url.set_username(&name).unwrap();
        url.set_path(&name);
        let db = Db::connect(url.as_str(), &Options::default()).await.unwrap();
        db.migrate().await.unwrap();
        assert!(db.is_migrated().await.unwrap());
        let Db::Postgres(pool) = &db else { unreachable!() };
        let (user,): (String,) = sqlx::query_as("select current_user::text").fetch_one(pool).await.unwrap();
        assert_eq!(user, name, "nobody else is needed");
        scenario_of_two_shops(&db).await;
        db.close().await;
        run(format!("drop database {name}")).await;
        run(format!("drop role {name}")).await;
    });
}

#[test]
fn the_wall_leaves_statements_their_indexes() {
    on_postgres(async |_, pool| {
        let mut tx = pool.begin().await.unwrap();
        let set = format!("set local loyalnest.shop = '{}'; set local enable_seqscan = off", A.0);
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut *tx).await.unwrap();
        let shop = "shop_id = '0000000a-0000-0000-0000-000000000000'";
        let member =
            format!("{shop} and member_id = any(array['0000000b-0000-0000-0000-000000000000']::uuid[])");
        for (sql, index) in [
            (format!("select * from points_accounts where {member} for update"), "points_accounts_pkey"),
            (format!("select * from points_lots where {member} and remaining > 0"), "points_lots_pkey"),
            (format!("update redemptions_holds set state = state where {member}"), "redemptions_holds_by_member"),
            (format!("select * from orders_orders where {shop} and order_id = 7"), "orders_orders_pkey"),
            (
                "select * from orders_orders join (values ('0000000a-0000-0000-0000-000000000000'::uuid, 7::bigint))
                 v (shop_id, order_id) using (shop_id, order_id)"
                    .to_owned(),
                "orders_orders_pkey",
            ),
        ] {
            let plan: Vec<(String,)> =
                sqlx::query_as(AssertSqlSafe(format!("explain {sql}"))).fetch_all(&mut *tx).await.unwrap();
            let plan: String = plan.into_iter().map(|(line,)| line + "\n").collect();
            assert!(plan.contains(index) && plan.contains("Index Cond: ((shop_id = "), "{sql}\n{plan}");
            assert!(plan.contains("InitPlan"), "the shop is read once for each statement: {plan}");
        }
    });
}

/// The indexes, unique or not, and foreign keys of tables that have a `shop_id`: "table (columns)".
async fn keys(db: &Db) -> BTreeSet<String> {
    let sqlite = "select m.name || ' (' || (
                      select group_concat(name, ', ') from (select name from pragma_index_info(i.name) order by seqno)) || ')'
                  from sqlite_master m join pragma_index_list(m.name) i
                  where m.type = 'table' and exists (select 1 from pragma_table_info(m.name) where name = 'shop_id')
                  union
                  select m.name || ' (' || c.name || ')' from sqlite_master m join pragma_table_info(m.name) c
                  where m.type = 'table' and c.pk = 1 and c.type = 'INTEGER'
                    and exists (select 1 from pragma_table_info(m.name) where name = 'shop_id')
                  union
                  select m.name || ' -> ' || f.\"table\" || ' (' || f.\"from\" || ')'
                  from sqlite_master m join pragma_foreign_key_list(m.name) f
                  where m.type = 'table' and f.seq = 0";
    let postgres = "select concat(i.indrelid::regclass, ' (', (
                        select string_agg(a.attname, ', ' order by k.place)
                        from unnest(i.indkey) with ordinality k (attnum, place)
                        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum), ')')
                    from pg_index i join pg_class c on c.oid = i.indrelid
                    where c.relnamespace = current_schema()::regnamespace
                      and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'shop_id')
                    union
                    select concat(f.conrelid::regclass, ' -> ', f.confrelid::regclass, ' (', a.attname, ')')
                    from pg_constraint f join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
                    where f.contype = 'f'";
    let rows: Vec<(String,)> = match db {
        Db::Sqlite { writer, .. } => sqlx::query_as(sqlite).fetch_all(writer).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_as(postgres).fetch_all(pool).await.unwrap(),
    };
    rows.into_iter().map(|(key,)| key).collect()
}

#[test]
fn every_key_and_index_begins_with_the_shop_or_is_on_the_list() {
    on_both_engines(async |test| {
        let keys = keys(&test.db).await;
        assert!(keys.len() > 40, "{keys:?}");
        let others: Vec<&String> = keys.iter().filter(|key| !key.contains("(shop_id")).collect();
        assert_eq!(others, OTHER_KEYS.map(|(key, _)| key));
    });
}

#[test]
fn who_reads_across_shops_is_on_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../backend/src");
    let mut found = BTreeSet::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if std::fs::read_to_string(&path).unwrap().contains("read_across()") && !name.starts_with("db/") {
                found.insert(name);
            }
        }
    }
    assert_eq!(found, READ_ACROSS.iter().map(|(file, _)| file.to_string()).collect());
}

/// A cheap look at the first wall: whether a text names its shop.
fn names_a_shop(sql: &str) -> bool {
    ["shop_id = ", "(shop_id", "insert into"].iter().any(|form| sql.contains(form))
}

#[test]
fn every_statement_on_a_walled_table_names_its_shop_or_is_on_the_list() {
    on_postgres(async |_, pool| {
        let walled: Vec<String> = walls(pool)
            .await
            .into_keys()
            .filter(|table| !OPEN.iter().any(|(open, _)| open == table))
            .collect();
        let statements: Vec<&Statement> = Statement::all().collect();
        assert!(statements.len() > 150);
        let mut found = BTreeSet::new();
        for statement in statements.iter().filter(|one| one.file.starts_with("backend/src/")) {
            for sql in [statement.sqlite, statement.postgres] {
                let of_shops = walled.iter().any(|table| {
                    sql.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == table)
                });
                if of_shops && !names_a_shop(sql) {
                    found.insert(statement.file.trim_start_matches("backend/src/"));
                }
            }
        }
        assert_eq!(found, NAME_NO_SHOP.iter().map(|(file, _)| *file).collect());
    });
}
