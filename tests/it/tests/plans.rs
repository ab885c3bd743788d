//! Who comes next is found by stepping through an index on PostgreSQL, however much waits behind each step.

use jiff::SignedDuration;
use loyalnest::db::private::inventory;
use loyalnest::db::{Db, Engine, Statement, Timestamp};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use crate::support::on_engine;

/// 5,000 shops, each with a few of them waiting and more of them done, and one with 50,000.
const WAITING: [(&str, &str); 3] = [
    (
        "sync_accounts",
        "insert into sync_accounts (shop_id, member_id, wanted, published, due_at, attempts, gone, behind_since)
         select shop, gen_random_uuid(), 1, 0, case when waits then at end, 0, false, at from waiting",
    ),
    (
        "tasks",
        "insert into tasks (shop_id, task_id, kind, key, payload, priority, run_at, due_at, state, created_at)
         select shop, gen_random_uuid(), 'test.brief', n::text, '{}', 0, at, at, case when waits then 'ready' else 'done' end, at
         from waiting",
    ),
    (
        "inbox_messages",
        "insert into inbox_messages (shop_id, message_id, webhook_id, topic, triggered_at, received_at, lane, bucket, state)
         select shop, gen_random_uuid(), n::text, 'orders/create', at, at, n::text, n % 64,
             case when waits then 'ready' else 'done' end
         from waiting",
    ),
];

async fn fill(db: &Db, now: Timestamp) {
    let Db::Postgres(pool) = db else { panic!("PostgreSQL is asked") };
    let mut owner = pool.acquire().await.unwrap();
    // So many rows take a busy machine longer than statements of the application may.
    for setting in ["set role none", "set statement_timeout = 0"] {
        sqlx::query(setting).execute(&mut *owner).await.unwrap();
    }
    for (table, insert) in WAITING {
        let text = format!(
            "with waiting (shop, n, at, waits) as (
                 select md5(s::text)::uuid, n, $1::timestamptz, n <= 1 + s % 10
                 from generate_series(1, 5000) s, generate_series(1, 30) n
                 union all select md5('greedy')::uuid, n, $1::timestamptz, true from generate_series(1, 50000) n)
             {insert}"
        );
        sqlx::query(AssertSqlSafe(text)).bind(now).execute(&mut *owner).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("analyze {table}"))).execute(&mut *owner).await.unwrap();
    }
    for setting in ["reset role", "reset statement_timeout"] {
        sqlx::query(setting).execute(&mut *owner).await.unwrap();
    }
}

/// The statement of a file that goes round the shops, and says whom it passed.
fn pass(file: &str) -> &'static Statement {
    let all = inventory::iter::<Statement>.into_iter();
    let mut found = all.filter(|one| one.file.ends_with(file) && one.postgres.contains("as is_ready"));
    let statement = found.next().unwrap();
    assert!(found.next().is_none());
    statement
}

/// How many rows of a table a plan read, those included that it threw away.
fn rows_read(plan: &Value, table: &str) -> f64 {
    let number = |name: &str| plan[name].as_f64().unwrap_or_default();
    let own = if plan["Relation Name"] == table {
        (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops")
    } else {
        0.0
    };
    let below = plan["Plans"].as_array().into_iter().flatten();
    own + below.map(|plan| rows_read(plan, table)).sum::<f64>()
}

#[test]
fn who_comes_next_is_a_few_steps_into_an_index_however_much_waits() {
    on_engine(Engine::Postgres, async |test| {
        let now: Timestamp = "2026-11-24T04:00:00Z".parse().unwrap();
        fill(&test.db, now).await;
        let Db::Postgres(pool) = &test.db else { panic!("PostgreSQL is asked") };
        let (start, later, most) = (Uuid::nil(), now + SignedDuration::from_secs(1), 64_i64);
        let mut tx = pool.begin().await.unwrap();
        sqlx::query("update inbox_leases set token = $1 where bucket < 16")
            .bind(start)
            .execute(&mut *tx)
            .await
            .unwrap();
        for (file, table) in [
            ("sync/store.rs", "sync_accounts"),
            ("tasks/store.rs", "tasks"),
            ("inbox/store.rs", "inbox_messages"),
        ] {
            let text = AssertSqlSafe(format!("explain (analyze, format json) {}", pass(file).postgres));
            let query = sqlx::query(text);
            let query = match table {
                "tasks" => query.bind(0_i64).bind(start).bind(Json(["test.brief"])).bind(later).bind(most),
                "inbox_messages" => query.bind(start).bind(start).bind(later).bind(most),
                _ => query.bind(start).bind(later).bind(most),
            };
            let Json(plan) = query.fetch_one(&mut *tx).await.unwrap().get::<Json<Value>, _>(0);
            let read = rows_read(&plan[0]["Plan"], table);
            eprintln!(
                "{table}: {read} rows read to pass 64 of 5,001 shops, {} ms",
                plan[0]["Execution Time"]
            );
            assert!((64.0..2_000.0).contains(&read), "{read} of 200,000 rows: {plan:#}");
        }
    });
}

/// The same on SQLite, of rows that are looked for by their keys: a statement that goes through a whole table instead
/// takes as long as the shop is large. Where the planner would, `indexed by` tells it which index to take: it knows nothing of
/// how many rows there are.
#[test]
fn rows_are_found_by_their_keys_on_sqlite() {
    on_engine(Engine::Sqlite, async |test| {
        let Db::Sqlite { writer, .. } = &test.db else { panic!("SQLite is asked") };
        let (mut asked, mut scans) = (0, Vec::new());
        for statement in inventory::iter::<Statement>.into_iter().filter(|one| one.each) {
            let Some((head, rest)) = statement.sqlite.split_once("values (") else { continue };
            let Some((row, tail)) = rest.split_once(')').filter(|_| head.starts_with("with v ")) else {
                continue;
            };
            asked += 1;
            let rows = vec![format!("({row})"); 64].join(", ");
            let text = AssertSqlSafe(format!("explain query plan {head}values {rows}{tail}"));
            let plan = sqlx::query(text).fetch_all(writer).await.unwrap();
            let steps = plan.iter().map(|step| step.get::<String, _>("detail"));
            // All of a table, or all of a shop's rows in it.
            let is_through = |step: &String| {
                let scans =
                    step.starts_with("SCAN ") && !step.contains(" v") && !step.contains("CONSTANT ROW");
                scans || step.contains("(shop_id=?)")
            };
            let tables: Vec<String> = steps.filter(is_through).collect();
            if !tables.is_empty() {
                scans.push(format!("{}:{}: {tables:?}", statement.file, statement.line));
            }
        }
        assert!(asked > 30, "{asked}");
        assert!(scans.is_empty(), "{scans:#?}");
    });
}
