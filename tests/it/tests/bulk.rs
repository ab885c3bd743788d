//! Bulk operations: begun once, ended by webhook or by looking, and files of every kind read to their end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::http::StatusCode;
use devshop::{AdminFault, AdminFaultKind, BulkFaults, Surface};
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::bulk::{self, Line, Reader, Run, State};
use loyalnest::db::Tx;
use loyalnest::ids::ShopId;
use loyalnest::tasks::TaskError;
use serde_json::json;
use uuid::Uuid;

use crate::support::door::{Door, SHOP};
use crate::support::{TestDb, on_both_engines};

/// What a reader was given: every line with the id of its parent, and how often it was told of a beginning and an end.
#[derive(Default)]
struct Seen {
    begun: usize,
    lines: Vec<(String, i64, Option<i64>)>,
    ended: Vec<State>,
    /// How many more batches it fails on.
    fails: usize,
}

/// A reader that writes down what it is given.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Seen>>);

#[async_trait]
impl Reader for Listener {
    fn purpose(&self) -> &'static str {
        "test"
    }

    fn query(&self) -> &'static str {
        "# a query \nquery Customers { customers { edges { node { id } } } }"
    }

    async fn begins(&self, _: &mut Tx, _: ShopId, run: &Run) -> Result<(), TaskError> {
        assert!(run.sent_at.is_some());
        let mut seen = self.0.lock().unwrap();
        seen.begun += 1;
        seen.lines.clear();
        Ok(())
    }

    async fn lines(&self, _: &mut Tx, _: ShopId, _: &Run, lines: &[Line]) -> Result<(), TaskError> {
        let mut seen = self.0.lock().unwrap();
        if seen.fails > 0 {
            seen.fails -= 1;
            return Err(TaskError::Failed("told to".into()));
        }
        let parent = |line: &Line| line.parent.as_ref().map(|parent| parent.number);
        seen.lines.extend(lines.iter().map(|line| (line.id.kind.clone(), line.id.number, parent(line))));
        Ok(())
    }

    async fn ends(&self, _: &mut Tx, _: ShopId, run: &Run) -> Result<(), TaskError> {
        self.0.lock().unwrap().ended.push(run.state);
        Ok(())
    }
}

/// A shop with customers, and the backend with a reader.
struct Scene {
    door: Door,
    app: App,
    shop: ShopId,
    customers: Vec<i64>,
    listener: Listener,
}

impl Scene {
    async fn with(test: &TestDb, customers: usize, faults: BulkFaults) -> Scene {
        let door = Door::new(test).await;
        let token = door.shop.session_token(Surface::Admin(devshop::StaffUser::some()[0].id));
        assert!(door.me(&token).await.status.is_success());
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap().id;
        let listener = Listener::default();
        let app = door.process_reading(test, vec![Arc::new(listener.clone())]).await;
        let new = |n| door.shop.add_customer("Ada", "Byron", &format!("{n}@example.com")).id as i64;
        let customers = (0..customers).map(new).collect();
        app.tasks.run_due(&app).await.unwrap();
        door.shop.set_bulk_faults(faults);
        Scene { door, app, shop, customers, listener }
    }

    async fn ask(&self) -> Uuid {
        let mut tx = self.app.db.begin(self.shop).await.unwrap();
        let asked = bulk::ask(&mut tx, self.shop, "test", self.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        asked.run
    }

    async fn run(&self, run: Uuid) -> Run {
        bulk::run(&mut self.app.db.read(self.shop).await.unwrap(), self.shop, run).await.unwrap().unwrap()
    }

    /// Does what is due now.
    async fn work(&self) {
        self.app.tasks.run_due(&self.app).await.unwrap();
    }

    /// Lets time go by, at most this long, until the run is over.
    async fn until_over(&self, run: Uuid, most: SignedDuration) -> Run {
        let end = self.app.clock.now() + most;
        loop {
            self.work().await;
            let now = self.run(run).await;
            if now.ended_at.is_some() || self.app.clock.now() > end {
                return now;
            }
            self.door.advance(SignedDuration::from_secs(5));
        }
    }

    async fn read(&self) -> Run {
        let run = self.ask().await;
        self.until_over(run, SignedDuration::from_mins(1)).await
    }

    /// The webhooks that the shop sent.
    async fn tell(&self, operation: &str, status: &str) {
        let told = json!({"admin_graphql_api_id": operation, "completed_at": self.app.clock.now().to_string(),
                          "error_code": null, "status": status, "type": "query"});
        let answered = self.door.webhook("told", "bulk_operations/finish", self.app.clock.now(), &told).await;
        assert_eq!(answered, StatusCode::OK);
    }

    /// Every customer came once, and nobody else.
    fn saw_everyone(&self) {
        let seen = self.listener.0.lock().unwrap();
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for (_, number, _) in
            seen.lines.iter().filter(|(kind, _, parent)| kind == "Customer" && parent.is_none())
        {
            *counts.entry(*number).or_default() += 1;
        }
        let wanted: BTreeMap<i64, usize> = self.customers.iter().map(|customer| (*customer, 1)).collect();
        assert_eq!(counts, wanted);
    }

    fn ended(&self) -> Vec<State> {
        self.listener.0.lock().unwrap().ended.clone()
    }

    fn starts(&self) -> usize {
        self.door.shop.bulk_operations()
    }
}

/// A line that would be too long to be kept.
fn long_line() -> String {
    json!({"id": "gid://shopify/Customer/1", "note": "x".repeat(2 << 20)}).to_string()
}

#[test]
fn a_file_is_read_once_it_is_there_whether_a_webhook_or_the_clock_says_so() {
    on_both_engines(async |test| {
        let scene =
            Scene::with(test, 5, BulkFaults { held: true, silent: true, ..BulkFaults::default() }).await;
        let run = scene.ask().await;
        scene.work().await;
        let running = scene.run(run).await;
        assert_eq!((running.state, running.attempt), (State::Running, 1));
        assert_eq!(scene.ask().await, run, "one at a time");
        scene.until_over(run, SignedDuration::from_mins(20)).await;
        assert_eq!(scene.run(run).await.state, State::Running);
        let looks = |scene: &Scene| {
            scene.door.shop.admin_calls().iter().filter(|call| call.operation == "BulkOperation").count()
        };
        assert!((4..=8).contains(&looks(&scene)), "{} looks", looks(&scene));

        // A webhook is faster than the next look.
        scene.door.shop.release_bulk();
        for _ in 0..2 {
            scene.tell(running.operation_id.as_deref().unwrap(), "completed").await;
        }
        scene.work().await;
        let read = scene.run(run).await;
        assert_eq!((read.state, read.lines, read.odd, read.problem), (State::Read, 5, 0, None));
        scene.saw_everyone();

        // No webhook comes.
        scene.door.shop.set_bulk_faults(BulkFaults { silent: true, ..BulkFaults::default() });
        assert_eq!(scene.read().await.state, State::Read);
        assert_eq!((scene.ended(), scene.starts()), (vec![State::Read; 2], 2));
    });
}

#[test]
fn a_start_whose_answer_is_lost_is_found_again_and_one_that_never_was_is_sent_again() {
    on_both_engines(async |test| {
        let scene = Scene::with(test, 3, BulkFaults::default()).await;
        let bad = AdminFaultKind::Status(502);
        for (fault, starts) in [(AdminFault::after(bad), 1), (AdminFault::before(bad), 2)] {
            scene.door.shop.fail_operation("BulkOperationRunQuery", fault);
            assert_eq!(scene.read().await.state, State::Read);
            assert_eq!(scene.starts(), starts);
            scene.saw_everyone();
        }
    });
}

#[test]
fn where_five_are_under_way_the_sixth_waits() {
    on_both_engines(async |test| {
        let scene = Scene::with(test, 1, BulkFaults { held: true, ..BulkFaults::default() }).await;
        let shop = scene.app.shops.find(scene.shop).await.unwrap().unwrap();
        let admin = scene.app.admin_of(&shop).await.unwrap();
        for _ in 0..5 {
            admin.bulk_run_query("query { customers { edges { node { id } } } }").await.unwrap();
        }
        let run = scene.ask().await;
        scene.until_over(run, SignedDuration::from_mins(2)).await;
        let waiting = scene.run(run).await;
        assert_eq!((waiting.state, waiting.attempt, scene.starts()), (State::Asked, 1, 5));
        scene.door.shop.release_bulk();
        assert_eq!(scene.until_over(run, SignedDuration::from_mins(10)).await.state, State::Read);
        scene.saw_everyone();
    });
}

#[test]
fn lines_in_any_order_of_any_type_or_no_lines_at_all_are_read() {
    on_both_engines(async |test| {
        let child = json!({"id": "gid://shopify/Metafield/1", "__parentId": "gid://shopify/Customer/2"});
        let lines_before = vec![
            child.to_string(),
            json!({"id": "gid://shopify/TeaPot/3", "spout": {"id": 1}}).to_string(),
            String::new(),
            "no json".to_owned(),
            r#"{"id":"gid://shopify/Customer/not-a-number"}"#.to_owned(),
            r#"{"name":"nobody"}"#.to_owned(),
            long_line(),
        ];
        let faults = BulkFaults { lines_before, reversed: true, ..BulkFaults::default() };
        let scene = Scene::with(test, 4, faults).await;
        let read = scene.read().await;
        assert_eq!((read.state, read.lines, read.odd), (State::Read, 4 + 6, 4));
        scene.saw_everyone();
        let seen = scene.listener.0.lock().unwrap().lines.clone();
        assert_eq!(seen[0], ("Metafield".to_owned(), 1, Some(2)), "a child before its parent");
        assert_eq!(seen[1], ("TeaPot".to_owned(), 3, None));
    });
}

#[test]
fn nothing_found_is_a_file_that_is_not_there() {
    on_both_engines(async |test| {
        let scene = Scene::with(test, 0, BulkFaults::default()).await;
        let read = scene.read().await;
        assert_eq!((read.state, read.lines, read.problem), (State::Read, 0, None));
        assert!(scene.door.shop.bulk_fetches().is_empty());
        assert_eq!(scene.ended(), [State::Read]);
    });
}

#[test]
fn a_connection_that_breaks_is_taken_up_where_it_broke() {
    on_both_engines(async |test| {
        let scene = Scene::with(test, 200, BulkFaults::default()).await;
        for (no_ranges, gzip) in [(false, false), (true, false), (false, true), (true, true)] {
            scene.door.shop.set_bulk_faults(BulkFaults {
                breaks: 2,
                no_ranges,
                gzip,
                ..BulkFaults::default()
            });
            let before = scene.door.shop.bulk_fetches().len();
            let read = scene.read().await;
            assert_eq!((read.state, read.attempt, read.lines), (State::Read, 1, 200), "{no_ranges} {gzip}");
            scene.saw_everyone();
            let fetches = scene.door.shop.bulk_fetches().split_off(before);
            assert_eq!((fetches.len(), fetches[0]), (3, 0), "{fetches:?}");
            assert!(fetches[1] > 0 || gzip, "from the middle on: {fetches:?}");
        }
    });
}

#[test]
fn a_reader_that_fails_gets_the_same_lines_again_and_no_others() {
    on_both_engines(async |test| {
        let scene = Scene::with(test, 50, BulkFaults::default()).await;
        scene.listener.0.lock().unwrap().fails = 1;
        let read = scene.read().await;
        assert_eq!((read.state, read.lines), (State::Read, 50));
        scene.saw_everyone();
    });
}

#[test]
fn a_file_that_is_cut_in_a_line_is_asked_for_again_and_in_the_end_reported() {
    on_both_engines(async |test| {
        let scene = Scene::with(test, 10, BulkFaults { cut_at: Some(100), ..BulkFaults::default() }).await;
        let run = scene.ask().await;
        scene.until_over(run, SignedDuration::from_secs(30)).await;
        let again = scene.run(run).await;
        assert_eq!((again.state, again.attempt, again.lines), (State::Asked, 2, 0));
        let over = scene.until_over(run, SignedDuration::from_mins(40)).await;
        assert_eq!((over.state, over.attempt, over.problem.as_deref()), (State::Cut, 3, Some("cut")));
        assert!(over.lines > 0 && over.lines < 10, "what was there was read: {over:?}");
        assert_eq!((scene.ended(), scene.starts()), (vec![State::Cut], 3));

        // One that comes right the second time is whole.
        let run = scene.ask().await;
        scene.until_over(run, SignedDuration::from_secs(30)).await;
        scene.door.shop.set_bulk_faults(BulkFaults::default());
        let over = scene.until_over(run, SignedDuration::from_mins(5)).await;
        assert_eq!((over.state, over.attempt, over.lines), (State::Read, 2, 10));
        scene.saw_everyone();
    });
}

#[test]
fn a_failed_operation_is_asked_for_again_and_then_what_there_is_of_it_is_read() {
    on_both_engines(async |test| {
        let ends = |code: &str| Some(("FAILED".to_owned(), Some(code.to_owned())));
        let scene =
            Scene::with(test, 10, BulkFaults { ends: ends("TIMEOUT"), ..BulkFaults::default() }).await;
        let run = scene.ask().await;
        let over = scene.until_over(run, SignedDuration::from_mins(40)).await;
        assert_eq!((over.state, over.attempt, over.problem.as_deref()), (State::Failed, 3, Some("TIMEOUT")));
        assert!((1..10).contains(&over.lines), "partial data: {over:?}");

        // What was refused is refused again: it is not asked for three times.
        scene.door.shop.set_bulk_faults(BulkFaults { ends: ends("ACCESS_DENIED"), ..BulkFaults::default() });
        let over = scene.read().await;
        assert_eq!((over.state, over.attempt), (State::Failed, 1));
        let canceled = Some(("CANCELED".to_owned(), None));
        scene.door.shop.set_bulk_faults(BulkFaults { ends: canceled, ..BulkFaults::default() });
        let over = scene.read().await;
        assert_eq!((over.state, over.attempt), (State::Canceled, 1));
        assert_eq!(scene.ended(), [State::Failed, State::Failed, State::Canceled]);
    });
}

#[test]
fn an_expired_operation_and_an_address_that_leads_nowhere_are_asked_for_again() {
    on_both_engines(async |test| {
        let expired = Some(("EXPIRED".to_owned(), None));
        let scene = Scene::with(test, 5, BulkFaults { ends: expired, ..BulkFaults::default() }).await;
        let run = scene.ask().await;
        scene.until_over(run, SignedDuration::from_secs(30)).await;
        assert_eq!(scene.run(run).await.problem.as_deref(), Some("expired"));
        scene.door.shop.set_bulk_faults(BulkFaults { status: Some(403), ..BulkFaults::default() });
        scene.until_over(run, SignedDuration::from_mins(2)).await;
        assert_eq!(
            (scene.run(run).await.attempt, scene.run(run).await.problem.as_deref()),
            (3, Some("gone"))
        );
        // An answer that is none, or leads elsewhere, is only tried again later.
        scene.door.shop.set_bulk_faults(BulkFaults { status: Some(302), ..BulkFaults::default() });
        scene.until_over(run, SignedDuration::from_mins(16)).await;
        assert_eq!((scene.run(run).await.state, scene.run(run).await.attempt), (State::Completed, 3));
        scene.door.shop.set_bulk_faults(BulkFaults::default());
        let over = scene.until_over(run, SignedDuration::from_hours(2)).await;
        assert_eq!((over.state, over.attempt, over.lines), (State::Read, 3, 5));
        scene.saw_everyone();
    });
}

#[test]
fn an_operation_that_never_ends_is_given_up_after_a_day_and_asked_for_again() {
    on_both_engines(async |test| {
        let scene =
            Scene::with(test, 2, BulkFaults { held: true, silent: true, ..BulkFaults::default() }).await;
        let run = scene.ask().await;
        scene.work().await;
        for _ in 0..20 {
            scene.door.advance(SignedDuration::from_mins(90));
            scene.work().await;
        }
        let again = scene.run(run).await;
        assert_eq!((again.attempt, again.problem.as_deref()), (2, Some("never_ended")));
        scene.door.shop.release_bulk();
        let over = scene.until_over(run, SignedDuration::from_mins(30)).await;
        assert_eq!((over.state, scene.starts()), (State::Read, 2));
        scene.saw_everyone();
    });
}

#[test]
fn a_shop_that_cannot_be_asked_ends_a_run_and_does_not_block_the_next() {
    on_both_engines(async |test| {
        let scene = Scene::with(test, 2, BulkFaults::default()).await;
        let run = scene.ask().await;
        let down = || vec![AdminFault::before(AdminFaultKind::Status(400)); 100];
        scene.door.shop.fail_admin(down());
        for _ in 0..8 {
            scene.work().await;
            scene.door.advance(SignedDuration::from_hours(8));
        }
        let over = scene.run(run).await;
        assert_eq!((over.state, over.problem.as_deref()), (State::Failed, Some("unreachable")));
        scene.door.shop.heal_admin();
        assert_ne!(scene.ask().await, run);
        assert_eq!(scene.ended(), [State::Failed]);
    });
}
