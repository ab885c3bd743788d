//! The job queue: what is pushed is run once, whoever fails, panics, hangs or dies meanwhile.

mod board;
mod night;
mod schedule;
mod script;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::clock::Clock;
use loyalnest::db;
use loyalnest::db::{Db, Engine, Options};
use loyalnest::events::Kind as EventKind;
use loyalnest::ids::ShopId;
use loyalnest::named::{Again, OfShop};
use loyalnest::tasks::command::{self, TasksCommand};
use loyalnest::tasks::{self, Order, PushError, State};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::script::{Brief, Do, Hasty, Script, another_process, effects, gate, process};
use crate::support::{TestDb, on_both_engines, on_engine};
use crash::line::Line;

const SHOP: ShopId = ShopId(Uuid::from_u128(7));

async fn push(test: &TestDb, app: &App, task: Script, order: Order) -> tasks::Pushed {
    let mut tx = test.db.begin_outside().await.unwrap();
    let pushed = tasks::push(&mut tx, SHOP, &task, order, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    pushed
}

/// State, tries and reason of a task.
async fn task(db: &Db, id: Uuid) -> (String, i64, Option<String>) {
    let mut read = db.read_across().await.unwrap();
    db!(read.one, "select state, attempts, reason from tasks where task_id = $1", id).unwrap()
}

/// The events that tell of tasks: name and payload.
async fn told(db: &Db) -> Vec<(String, Value)> {
    let mut read = db.read_across().await.unwrap();
    let rows: Vec<(String, sqlx::types::Json<Value>)> =
        db!(read.all, "select kind, payload from events_outbox where kind like 'task.%' order by written")
            .unwrap();
    rows.into_iter().map(|(kind, payload)| (kind, payload.0)).collect()
}

#[test]
fn a_task_is_there_if_the_transaction_that_pushed_it_commits() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        let mut undone = test.db.begin_outside().await.unwrap();
        let fine = Script::new("undone", Do::Fine);
        tasks::push(&mut undone, SHOP, &fine, Order::new("undone"), app.clock.now()).await.unwrap();
        undone.rollback().await.unwrap();
        let pushed = push(test, &app, Script::new("kept", Do::Fine), Order::new("kept")).await;
        assert!(pushed.new);
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 1);
        assert_eq!(effects(&test.db).await, ["kept:1"]);
        assert_eq!(task(&test.db, pushed.id).await, ("done".to_owned(), 1, None));
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 0, "done is done");
        assert_eq!(
            told(&test.db).await,
            [
                (EventKind::TaskCreated.to_string(), json!({"task": pushed.id, "kind": "test.script"})),
                (
                    EventKind::TaskCompleted.to_string(),
                    json!({"task": pushed.id, "kind": "test.script", "outcome": "done", "attempts": 1})
                ),
            ]
        );
    });
}

#[test]
fn one_key_is_one_task_and_stands_for_no_other() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        let script = || Script::new("a", Do::Fine);
        let first = push(test, &app, script(), Order::new("a")).await;
        let again = push(test, &app, script(), Order::new("a").priority(9)).await;
        assert_eq!((again.id, again.new), (first.id, false));

        let mut tx = test.db.begin_outside().await.unwrap();
        let now = app.clock.now();
        let other = tasks::push(&mut tx, SHOP, &Script::new("b", Do::Fine), Order::new("a"), now).await;
        assert!(matches!(other, Err(PushError::KeyUsed { .. })), "{other:?}");
        for (name, key) in [("a\0b", "nul"), ("nul", "a\0b")] {
            let nul = tasks::push(&mut tx, SHOP, &Script::new(name, Do::Fine), Order::new(key), now).await;
            assert!(matches!(nul, Err(PushError::Nul)), "{nul:?}");
        }
        // The transaction goes on; another shop, another kind and the installation have keys of their own.
        let elsewhere = ShopId(Uuid::from_u128(8));
        assert!(tasks::push(&mut tx, elsewhere, &script(), Order::new("a"), now).await.unwrap().new);
        assert!(tasks::push(&mut tx, SHOP, &Hasty {}, Order::new("a"), now).await.unwrap().new);
        assert!(
            tasks::push(&mut tx, tasks::INSTALLATION, &script(), Order::new("a"), now).await.unwrap().new
        );
        tx.commit().await.unwrap();

        app.tasks.run_due(&app).await.unwrap();
        let known = push(test, &app, script(), Order::new("a")).await;
        assert_eq!((known.id, known.new), (first.id, false), "also when it is done");
        let of_shops = told(&test.db).await.into_iter().filter(|(kind, _)| kind == "task.created").count();
        assert_eq!(of_shops, 3, "the installation's own is not told of");
    });
}

#[test]
fn tasks_come_at_their_time_the_more_urgent_first() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        let now = app.clock.now();
        let minute = SignedDuration::from_mins(1);
        for (name, order) in [
            ("later", Order::new("1").at(now + minute).priority(100)),
            ("second", Order::new("2")),
            ("first", Order::new("3").priority(1)),
            ("third", Order::new("4")),
            ("last", Order::new("5").priority(-1)),
        ] {
            push(test, &app, Script::new(name, Do::Fine), order).await;
        }
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 4);
        assert_eq!(effects(&test.db).await, ["first:1", "second:1", "third:1", "last:1"]);
        app.clock.advance(minute);
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 1);
    });
}

#[test]
fn tasks_of_later_do_not_slow_down_those_of_now() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        push(test, &app, Script::new("now", Do::Fine), Order::new("now")).await;
        let later = app.clock.now() + SignedDuration::from_hours(1);
        let urgent: Vec<Uuid> = (0..60_000).map(|_| Uuid::now_v7()).collect();
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(tx.each urgent,
            sqlite: "insert into tasks (shop_id, task_id, kind, key, payload, priority, run_at, due_at, state, created_at)
                     values ($1, $2, 'test.brief', lower(hex($2)), '{}', 5, $3, $3, 'ready', $3)",
            postgres: "insert into tasks (shop_id, task_id, kind, key, payload, priority, run_at, due_at, state, created_at)
                       select shop, id, 'test.brief', id::text, '{}', 5, at, at, 'ready', at
                       from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as v (shop, id, at)",
            |id| SHOP, *id, later)
        .unwrap();
        tx.commit().await.unwrap();
        let start = Instant::now();
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 1);
        for _ in 0..20 {
            assert_eq!(app.tasks.run_due(&app).await.unwrap(), 0);
        }
        // A look that reads through all of them takes 100 ms and more, on a machine with nothing else to do.
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    });
}

#[test]
fn two_processes_run_each_task_once() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        let other = another_process(test, &app, &[]).await;
        for number in 0..40 {
            let name = number.to_string();
            push(test, &app, Script::new(&name, Do::Fine), Order::new(&name)).await;
        }
        let running = tokio::spawn(async move { other.tasks.run_due(&other).await.unwrap() });
        let ours = app.tasks.run_due(&app).await.unwrap();
        let theirs = running.await.unwrap();
        assert_eq!(ours + theirs, 40);
        assert_eq!(effects(&test.db).await.len(), 40);
    });
}

#[test]
fn what_fails_is_tried_again_later_and_is_dead_in_the_end_until_it_is_requeued() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        let pushed = push(test, &app, Script::new("x", Do::Fail), Order::new("x")).await;
        for attempt in 1..=3 {
            assert_eq!(app.tasks.run_due(&app).await.unwrap(), 1, "try {attempt}");
            assert_eq!(app.tasks.run_due(&app).await.unwrap(), 0, "not at once");
            let state = if attempt < 3 { "ready" } else { "dead" };
            let reason = Some("told to".to_owned());
            assert_eq!(task(&test.db, pushed.id).await, (state.to_owned(), attempt, reason));
            app.clock.advance(SignedDuration::from_secs(13));
        }
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 0);
        let (name, last) = told(&test.db).await.pop().unwrap();
        assert_eq!(
            (name.as_str(), &last["outcome"], &last["attempts"]),
            ("task.completed", &json!("dead"), &json!(3))
        );
        assert_eq!(told(&test.db).await.len(), 2, "failures on the way are not told of");
        assert!(effects(&test.db).await.is_empty(), "what a failed run wrote is undone");

        let dead = app.tasks.dead(Some(SHOP), 10).await.unwrap();
        assert_eq!((dead[0].task_id, dead[0].state, dead[0].attempts), (pushed.id, State::Dead, 3));
        let other = Some(ShopId(Uuid::from_u128(1)));
        assert!(app.tasks.dead(other, 10).await.unwrap().is_empty());
        assert_eq!(app.tasks.requeue(other, None).await.unwrap(), 0, "another shop's");
        command::run(&app, TasksCommand::Dead(OfShop { shop: None })).await.unwrap();
        let requeue =
            |id| TasksCommand::Requeue(Again { id: Some(id), all: false, of: OfShop { shop: None } });
        command::run(&app, requeue(pushed.id)).await.unwrap();
        let refused = command::run(&app, requeue(pushed.id)).await.unwrap_err().to_string();
        assert!(refused.contains("is no dead task"), "{refused}");
        let unknown = TasksCommand::Dead(OfShop { shop: Some("none.myshopify.com".into()) });
        let unknown = command::run(&app, unknown).await.unwrap_err().to_string();
        assert!(unknown.contains("never installed"), "{unknown}");
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 1);
        assert_eq!(task(&test.db, pushed.id).await.1, 1, "all its tries are ahead of it");
    });
}

#[test]
fn panics_deadlines_and_what_cannot_work_are_failures_with_reasons() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        let says = format!("a␀b{}", "c".repeat(2_000));
        let panics = push(test, &app, Script::new("1", Do::Panic), Order::new("1")).await;
        let hopeless = push(test, &app, Script::new("2", Do::Dead(says)), Order::new("2")).await;
        let mut tx = test.db.begin_outside().await.unwrap();
        let hasty = tasks::push(&mut tx, SHOP, &Hasty {}, Order::new("3"), app.clock.now()).await.unwrap();
        let brief = tasks::push(&mut tx, SHOP, &Brief {}, Order::new("4"), app.clock.now()).await.unwrap();
        db!(tx.execute, sqlite: "update tasks set payload = '[7]' where task_id = $1",
            postgres: "update tasks set payload = '[7]'::jsonb where task_id = $1", brief.id)
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 4);
        let reason = |reason: &str| Some(reason.to_owned());
        assert_eq!(task(&test.db, panics.id).await, ("ready".to_owned(), 1, reason("it panicked")));
        let (state, tries, why) = task(&test.db, hopeless.id).await;
        let why = why.unwrap();
        assert_eq!((state.as_str(), tries, &why[..5], why.len()), ("dead", 1, "a bcc", 500));
        assert_eq!(
            task(&test.db, hasty.id).await,
            ("ready".to_owned(), 1, reason("it took longer than 50ms"))
        );
        let unreadable = reason("the payload is not one of this kind");
        assert_eq!(task(&test.db, brief.id).await, ("dead".to_owned(), 1, unreadable));
    });
}

#[test]
fn kinds_that_a_process_does_not_know_are_left_to_those_that_do() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        let pushed = push(test, &app, Script::new("x", Do::Fine), Order::new("x")).await;
        let older = another_process(test, &app, &[]).await;
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(tx.execute, "update tasks set kind = 'test.newer' where task_id = $1", pushed.id).unwrap();
        tx.commit().await.unwrap();
        assert_eq!(older.tasks.run_due(&older).await.unwrap(), 0);
        assert_eq!(task(&test.db, pushed.id).await, ("ready".to_owned(), 0, None));
    });
}

#[test]
fn a_worker_that_was_thought_dead_commits_nothing() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        let name = format!("slow-{}", Uuid::new_v4());
        let pushed = push(test, &app, Script::new(&name, Do::Wait), Order::new("x")).await;
        let slow = tokio::spawn({
            let app = app.clone();
            async move { app.tasks.run_due(&app).await }
        });
        let gate = gate(&name);
        gate.reached().await;
        // Its lease is over before it comes to its transaction; another process runs the task.
        app.clock.advance(SignedDuration::from_secs(31));
        let other = another_process(test, &app, &[]).await;
        assert_eq!(other.tasks.run_due(&other).await.unwrap(), 1);
        gate.open();
        slow.await.unwrap().unwrap();
        assert_eq!(effects(&test.db).await, [format!("{name}:2")]);
        assert_eq!(task(&test.db, pushed.id).await, ("done".to_owned(), 2, None));
        assert_eq!(told(&test.db).await.len(), 2, "created and completed, once");
    });
}

#[test]
fn a_task_that_ends_its_process_each_time_is_dead_in_the_end() {
    on_both_engines(async |test| {
        let app = process(test, &[]).await;
        let name = format!("killer-{}", Uuid::new_v4());
        let pushed = push(test, &app, Script::new(&name, Do::Hang), Order::new("x")).await;
        for attempt in 1..=3 {
            let worker = tokio::spawn({
                let app = app.clone();
                async move { app.tasks.run_due(&app).await }
            });
            gate(&name).reached().await;
            worker.abort();
            assert!(worker.await.unwrap_err().is_cancelled());
            assert_eq!(task(&test.db, pushed.id).await.1, attempt);
            app.clock.advance(SignedDuration::from_secs(31));
        }
        assert_eq!(app.tasks.run_due(&app).await.unwrap(), 1);
        let (state, _, reason) = task(&test.db, pushed.id).await;
        assert_eq!(
            (state.as_str(), reason.as_deref()),
            ("dead", Some("its process ended each time while it ran"))
        );
        assert!(effects(&test.db).await.is_empty());
    });
}

#[test]
fn asked_to_stop_a_worker_finishes_what_it_has_in_hand() {
    on_both_engines(async |test| {
        let app = process(test, &[("LOYALNEST_TASKS__WORKERS", "1")]).await;
        let name = format!("in-hand-{}", Uuid::new_v4());
        push(test, &app, Script::new(&name, Do::Wait), Order::new("1")).await;
        let stop = CancellationToken::new();
        let worker = tokio::spawn({
            let (app, stop) = (app.clone(), stop.clone());
            async move { app.tasks.work(app.clone(), stop).await }
        });
        let gate = gate(&name);
        gate.reached().await;
        stop.cancel();
        push(test, &app, Script::new("too late", Do::Fine), Order::new("2")).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!worker.is_finished());
        gate.open();
        tokio::time::timeout(Duration::from_secs(60), worker).await.unwrap().unwrap();
        assert_eq!(effects(&test.db).await, [format!("{name}:1")]);
    });
}

#[test]
fn the_database_may_go_at_any_moment_and_every_task_is_done_once() {
    on_engine(Engine::Postgres, async |test| {
        let line = Line::to(&test.url).await.unwrap();
        let options = Options { acquire_timeout: Duration::from_secs(2), ..Options::default() };
        let db = Db::connect(&line.url, &options).await.unwrap();
        let app = script::on(db, Clock::system(), &script::QUICK).await;
        let stop = CancellationToken::new();
        let worker = tokio::spawn({
            let (app, stop) = (app.clone(), stop.clone());
            async move { app.tasks.work(app.clone(), stop).await }
        });
        for number in 0..30 {
            let name = format!("{number:02}");
            push(test, &app, Script::new(&name, Do::Fine), Order::new(&name)).await;
            if number % 10 == 5 {
                line.cut();
                tokio::time::sleep(Duration::from_millis(100)).await;
                line.mend();
            }
        }
        let give_up = Instant::now() + Duration::from_secs(120);
        while effects(&test.db).await.len() < 30 {
            assert!(Instant::now() < give_up, "{:?}", effects(&test.db).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(60), worker).await.unwrap().unwrap();
        let mut names: Vec<_> = effects(&test.db).await.iter().map(|effect| effect[..2].to_owned()).collect();
        names.sort();
        assert_eq!(names, (0..30).map(|number| format!("{number:02}")).collect::<Vec<_>>());
        let completed = told(&test.db).await.into_iter().filter(|(kind, _)| kind == "task.completed");
        assert_eq!(completed.count(), 30);
    });
}

/// The program that is killed: this very test binary, started with the URL of a database.
#[test]
#[ignore = "started by the test below, which kills it"]
fn the_worker_that_is_killed() {
    let url = std::env::var("LOYALNEST_TEST_WORK").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let db = Db::connect(&url, &Options::default()).await.unwrap();
        let app = script::on(db, Clock::system(), &script::QUICK).await;
        app.tasks.work(app.clone(), CancellationToken::new()).await;
    });
}

#[test]
fn killed_in_the_middle_of_a_task_it_is_run_again_and_its_effect_is_there_once() {
    on_both_engines(async |test| {
        let app = script::on(test.db.clone(), Clock::system(), &script::QUICK).await;
        // The first try writes its effect, does not commit, and hangs.
        let pushed = push(test, &app, Script::new("x", Do::HangFirst), Order::new("x")).await;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tasks::the_worker_that_is_killed", "--ignored"])
            .env("LOYALNEST_TEST_WORK", &test.url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let give_up = Instant::now() + Duration::from_secs(120);
        while task(&test.db, pushed.id).await.1 == 0 {
            assert!(Instant::now() < give_up, "nobody takes the task");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        assert_eq!(task(&test.db, pushed.id).await.0, "ready");
        while task(&test.db, pushed.id).await.0 != "done" {
            assert!(Instant::now() < give_up, "it is not run again");
            app.tasks.run_due(&app).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(effects(&test.db).await, ["x:2"]);
        let completed = told(&test.db).await.into_iter().filter(|(kind, _)| kind == "task.completed");
        assert_eq!(completed.count(), 1);
    });
}

#[test]
fn workers_leave_the_connections_as_they_are() {
    on_engine(Engine::Sqlite, async |test| {
        let app = process(test, &[]).await;
        push(test, &app, Script::new("x", Do::Fine), Order::new("x")).await;
        let stop = CancellationToken::new();
        let worker = tokio::spawn({
            let (app, stop) = (app.clone(), stop.clone());
            async move { app.tasks.work(app.clone(), stop).await }
        });
        while effects(&test.db).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        worker.await.unwrap();
        let Db::Sqlite { writer, readers } = &test.db else { panic!("not SQLite") };
        // What statements would need to undo themselves the writer keeps in memory.
        for (pool, temp_store) in [(writer, 2), (readers, 0)] {
            // All of them, held at once.
            let mut held = Vec::new();
            for _ in 0..pool.options().get_max_connections() {
                let mut connection = pool.acquire().await.unwrap();
                let pragma = async |connection: &mut sqlx::pool::PoolConnection<sqlx::Sqlite>,
                                    name: &'static str| {
                    sqlx::query_scalar::<_, i64>(name).fetch_one(&mut **connection).await.unwrap()
                };
                assert_eq!(pragma(&mut connection, "pragma synchronous").await, 2, "full");
                assert_eq!(pragma(&mut connection, "pragma foreign_keys").await, 1);
                assert_eq!(pragma(&mut connection, "pragma temp_store").await, temp_store);
                let mode: String =
                    sqlx::query_scalar("pragma journal_mode").fetch_one(&mut *connection).await.unwrap();
                assert_eq!(mode, "wal");
                held.push(connection);
            }
        }
    });
}
