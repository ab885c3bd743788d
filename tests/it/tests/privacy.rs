//! What people and shops ask about their data, settled: everything is declared, shown, and erased when it is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::db;
use loyalnest::db::{Db, Engine, Holds, Resealed, Table};
use loyalnest::privacy::{self, RequestState};
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::support::door::{Door, SHOP};
use crate::support::house::House;
use crate::support::{TestDb, on_both_engines};
use crate::topics::{events, outcome, tell};

/// Every column of every table of the schema, but for what the migrations and the tests themselves keep.
async fn columns(db: &Db) -> BTreeMap<String, BTreeSet<String>> {
    let mut read = db.read_across().await.unwrap();
    let rows: Vec<(String, String)> = db!(read.all,
        sqlite: "select t.name, c.name from sqlite_schema t join pragma_table_info(t.name) c
                 where t.type = 'table' and t.name not like 'sqlite_%'",
        postgres: "select cast(table_name as text), cast(column_name as text) from information_schema.columns
                   where table_schema = current_schema()")
    .unwrap();
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, column) in rows {
        tables.entry(table).or_default().insert(column);
    }
    tables.retain(|table, _| !["_sqlx_migrations", "test_effects"].contains(&table.as_str()));
    tables
}

#[test]
fn whatever_is_held_is_declared_table_by_table_and_column_by_column() {
    on_both_engines(async |test| {
        let declared: BTreeMap<String, BTreeSet<String>> = Table::all()
            .into_iter()
            .map(|table| {
                let columns = table.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
                (table.name.to_owned(), columns)
            })
            .collect();
        assert_eq!(columns(&test.db).await, declared, "left: the schema; right: what `holds!` says");
        for table in Table::all() {
            let known = |column: &&str| table.columns.iter().any(|(name, _)| name == column);
            assert!(table.key.iter().all(known), "{}", table.name);
            assert!(!table.is_a_shops() || table.columns.contains(&("shop_id", Holds::Id)), "{}", table.name);
        }
    });
}

/// Every place in the database in which a text stands.
pub async fn places(test: &TestDb, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let columns = columns(&test.db).await;
    let places =
        columns.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (table, column)));
    let (mut sqlite, mut postgres) = (None, None);
    match test.db.engine() {
        Engine::Sqlite => sqlite = Some(sqlx::SqliteConnection::connect(&test.url).await.unwrap()),
        Engine::Postgres => postgres = Some(sqlx::PgConnection::connect(&test.url).await.unwrap()),
    }
    for (table, column) in places {
        let sql = format!("select count(*) from {table} where cast({column} as text) like '%{text}%'");
        let sql = sqlx::AssertSqlSafe(sql);
        let count: i64 = match (&mut sqlite, &mut postgres) {
            (Some(connection), _) => sqlx::query_scalar(sql).fetch_one(connection).await.unwrap(),
            (_, Some(connection)) => sqlx::query_scalar(sql).fetch_one(connection).await.unwrap(),
            (None, None) => unreachable!(),
        };
        if count > 0 {
            found.insert(format!("{table}.{column}"));
        }
    }
    found
}

/// Runs the tasks that are due until none is.
async fn run_tasks(app: &App) {
    while app.tasks.run_due(app).await.unwrap() > 0 {}
}

/// The newest request, once it is settled: the house's own workers may be at it.
async fn settled(test: &TestDb, house: &House) -> privacy::Request {
    let give_up = Instant::now() + Duration::from_secs(120);
    loop {
        run_tasks(&house.app).await;
        let mut read = test.db.read_across().await.unwrap();
        let request = privacy::requests(&mut read, house.shop_id, 1).await.unwrap().remove(0);
        if request.state != RequestState::Received {
            return request;
        }
        drop(read);
        assert!(Instant::now() < give_up, "{request:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn about(customer: u64) -> Value {
    json!({"shop_id": 1, "customer": {"id": customer, "email": "ada@example.com", "phone": "555-625-1199"},
           "orders_requested": [], "orders_to_redact": []})
}

#[test]
fn an_export_shows_what_is_held_of_a_customer_for_a_time() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let (ada, _eve) = (house.customer(80).await, house.customer(50).await);
        house.mark(ada, "points", Some(500)).await;
        tell(&house, "ask", "customers/data_request", &about(ada)).await;
        let request = settled(test, &house).await;
        assert_eq!((request.state, request.outcome.as_deref()), (RequestState::Done, Some("exported")));
        let document =
            privacy::document(&house.app, house.shop_id, request.request_id).await.unwrap().unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        let held = &document["held_here"];
        assert_eq!(document["customer"], format!("gid://shopify/Customer/{ada}"));
        assert_eq!(held["customers_members"]["rows"][0]["customer_id"], ada);
        assert_eq!(held["points_accounts"]["rows"][0]["available"], 300);
        assert_eq!(held["points_entries"]["rows"].as_array().unwrap().len(), 2, "earned, and held");
        assert_eq!(held["redemptions_holds"]["rows"][0]["terms"]["points"], 500, "JSON is JSON");
        let enrolled = held["customers_members"]["rows"][0]["enrolled_at"].as_str().unwrap();
        assert!(enrolled.parse::<db::Timestamp>().is_ok(), "{enrolled}");
        let member = held["points_lots"]["rows"][0]["member_id"].as_str().unwrap();
        assert!(member.parse::<uuid::Uuid>().is_ok_and(|id| id.to_string() == member), "{member}");
        assert_eq!(held["orders_orders"]["rows"].as_array().unwrap().len(), 1, "and nobody else's");
    });
}

#[test]
fn of_a_stranger_nothing_is_held_and_that_is_said() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        tell(&house, "ask", "customers/data_request", &about(777)).await;
        assert_eq!(settled(test, &house).await.outcome.as_deref(), Some("nothing is held"));
        tell(&house, "erase", "customers/redact", &about(778)).await;
        let request = settled(test, &house).await;
        assert_eq!(request.state, RequestState::Done);
        assert_eq!(request.customer_id, None);
    });
}

#[test]
fn nothing_leads_to_a_customer_who_was_erased_and_the_books_stay_whole() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        // A number that stands nowhere by chance.
        let ada = house.customer(80).await;
        house.mark(ada, "points", Some(500)).await;
        let order = house.place(&house.cart(ada, 2, None));
        house.settle().await;
        let number = ada.to_string();
        let before = places(test, &number).await;
        for held in ["customers_members.customer_id", "orders_orders.customer_id", "inbox_messages.lane"] {
            assert!(before.contains(held), "{before:?}");
        }
        for id in ["erase", "again"] {
            tell(&house, id, "customers/redact", &about(ada)).await;
            assert_eq!(settled(test, &house).await.state, RequestState::Done, "{id}");
        }
        // Domain events are gone after `events.kept`; until then their payloads hold no number.
        assert_eq!(places(test, &number).await, BTreeSet::new());
        assert_eq!(places(test, "ada@example.com").await, BTreeSet::new());

        // What they had picked was let go, and a return of their order still finds their points.
        let mut read = test.db.read_across().await.unwrap();
        let totals = loyalnest::points::totals(&mut read, house.shop_id).await.unwrap();
        assert_eq!((totals.issued, totals.outstanding), (820, 820));
        drop(read);
        let all = devshop::RefundRequest { lines: vec![(order.lines[0].id, 2)], ..Default::default() };
        house.shop.refund(order.id, &all).unwrap();
        house.settle().await;
        let mut read = test.db.read_across().await.unwrap();
        let totals = loyalnest::points::totals(&mut read, house.shop_id).await.unwrap();
        assert_eq!((totals.issued, totals.reversed, totals.outstanding), (820, 20, 800));
        // Whoever tells of the order later does not lead there again; that it was told is kept for a time.
        let places = places(test, &number).await;
        assert!(places.iter().all(|place| place.starts_with("inbox_")), "{places:?}");
        for (name, count) in loyalnest::proof::violations(&mut read, house.shop_id).await.unwrap() {
            assert_eq!(count, 0, "{name}");
        }
        assert_eq!(events(test, "customer.updated").await.len(), 1, "erased once");
    });
}

#[test]
fn a_merged_customer_who_is_erased_leaves_the_one_who_was_kept_alone_and_the_kept_one_takes_all_along() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let (kept, lost, third) =
            (house.customer(80).await, house.customer(50).await, house.customer(10).await);
        let merge = json!({"admin_graphql_api_customer_kept_id": format!("gid://shopify/Customer/{kept}"),
            "admin_graphql_api_customer_deleted_id": format!("gid://shopify/Customer/{lost}"), "status": "completed"});
        tell(&house, "merge", "customers/merge", &merge).await;
        tell(&house, "erase", "customers/redact", &about(lost)).await;
        assert_eq!(settled(test, &house).await.state, RequestState::Done);
        assert_eq!(places(test, &lost.to_string()).await, BTreeSet::new());
        assert_eq!(house.points(kept).await, (1_300, 0, 0));

        let mut merge = merge;
        merge["admin_graphql_api_customer_deleted_id"] = json!(format!("gid://shopify/Customer/{third}"));
        tell(&house, "merge the third", "customers/merge", &merge).await;
        tell(&house, "show all", "customers/data_request", &about(kept)).await;
        let request = settled(test, &house).await;
        let document =
            privacy::document(&house.app, house.shop_id, request.request_id).await.unwrap().unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document["held_here"]["orders_orders"]["rows"].as_array().unwrap().len(), 2, "{document}");
        tell(&house, "erase all", "customers/redact", &about(kept)).await;
        assert_eq!(settled(test, &house).await.state, RequestState::Done);
        for number in [kept, third] {
            assert_eq!(places(test, &number.to_string()).await, BTreeSet::new());
        }
        let gone = privacy::document(&house.app, house.shop_id, request.request_id).await.unwrap();
        assert!(gone.is_none(), "what was exported before is erased, too");
    });
}

#[test]
fn exports_and_requests_are_forgotten_in_time() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        assert_eq!(door.me(&door.shop.session_token(devshop::Surface::Admin(42))).await.status, 200);
        let now = door.now();
        let body = json!({"customer": {"id": 7}, "orders_requested": []});
        assert_eq!(door.webhook("ask", "customers/data_request", now, &body).await, 200);
        run_tasks(&door.app).await;
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        let requests = async || {
            let mut read = test.db.read_across().await.unwrap();
            privacy::requests(&mut read, shop.id, 10).await.unwrap()
        };
        let id = requests().await[0].request_id;
        let exported = async || privacy::document(&door.app, shop.id, id).await.unwrap().is_some();
        assert!(exported().await);

        let get = async |path: String, user: u64| {
            let token = door.shop.session_token(devshop::Surface::Admin(user));
            let request = Request::get(path).header("authorization", format!("Bearer {token}"));
            door.send(request.body(Body::empty()).unwrap()).await
        };
        let listed = get("/api/privacy/requests?limit=1".into(), 42).await;
        let listed: Value = serde_json::from_str(&listed.body).unwrap();
        assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&json!(id), &json!("done")));
        let download = get(format!("/api/privacy/requests/{id}/export"), 42).await;
        assert_eq!(download.status, 200);
        assert_eq!(download.headers["cache-control"], "no-store");
        let document: Value = serde_json::from_str(&download.body).unwrap();
        assert_eq!(document["customer"], "gid://shopify/Customer/7");
        let audit = get("/api/audit".into(), 42).await;
        assert!(
            audit.body.contains("privacy.exported") && audit.body.contains(&id.to_string()),
            "{}",
            audit.body
        );
        for (path, code) in [
            ("/api/privacy/requests?limit=0".to_owned(), (400, "bad_parameter")),
            ("/api/privacy/requests?colour=1".to_owned(), (400, "bad_parameter")),
            (format!("/api/privacy/requests/{}/export", uuid::Uuid::nil()), (404, "unknown_export")),
            ("/api/privacy/requests/x/export".to_owned(), (404, "unknown_export")),
        ] {
            assert_eq!(get(path.clone(), 42).await.problem(), (code.0, code.1.to_owned()), "{path}");
        }
        door.advance(SignedDuration::from_hours(31 * 24));
        assert!(!exported().await, "its time is over");
        assert_eq!(requests().await.len(), 1);
        door.advance(SignedDuration::from_hours(60 * 24));
        let mut tx = test.db.begin_outside().await.unwrap();
        loyalnest::tasks::push(
            &mut tx,
            loyalnest::tasks::INSTALLATION,
            &privacy::Forget {},
            loyalnest::tasks::Order::new("now"),
            door.now(),
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        run_tasks(&door.app).await;
        assert!(requests().await.is_empty());
    });
}

#[test]
fn exports_are_sealed_anew_when_the_key_changes_and_one_that_is_lost_is_said() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        assert_eq!(door.me(&door.shop.session_token(devshop::Surface::Admin(42))).await.status, 200);
        let body = json!({"customer": {"id": 7}, "orders_requested": []});
        assert_eq!(door.webhook("ask", "customers/data_request", door.now(), &body).await, 200);
        run_tasks(&door.app).await;
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        let mut read = test.db.read_across().await.unwrap();
        let id = privacy::requests(&mut read, shop.id, 1).await.unwrap()[0].request_id;
        drop(read);
        let (old, new) = ("5a".repeat(32), "6b".repeat(32));
        let both =
            [("LOYALNEST_ENCRYPTION_KEY", new.as_str()), ("LOYALNEST_ENCRYPTION_KEYS_OLD", old.as_str())];
        let both = door.process_with(test, &both).await;
        let only_new = door.process_with(test, &[("LOYALNEST_ENCRYPTION_KEY", &new)]).await;
        let reseal = async |app: &App| privacy::reseal(&app.db, &app.cipher).await.unwrap();
        assert_eq!(reseal(&only_new).await, Resealed { done: 0, lost: 1 });
        assert!(privacy::document(&only_new, shop.id, id).await.is_err());
        assert_eq!(reseal(&both).await, Resealed { done: 1, lost: 0 });
        assert_eq!(reseal(&both).await, Resealed::default());
        let document = privacy::document(&only_new, shop.id, id).await.unwrap().unwrap();
        assert!(String::from_utf8(document).unwrap().contains("gid://shopify/Customer/7"));
    });
}

#[test]
fn of_a_shop_that_comes_back_before_it_is_erased_nothing_is_erased() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let opened = async || door.me(&door.shop.session_token(devshop::Surface::Admin(42))).await.status;
        assert_eq!(opened().await, 200);
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        door.advance(SignedDuration::from_mins(1));
        door.shop.uninstall_app();
        assert_eq!(door.webhook("u", "app/uninstalled", door.now(), &json!({"id": 1})).await, 200);
        // The request is taken; but before its task runs, a merchant opens the app again.
        let body = json!({"shop_id": 1, "shop_domain": SHOP});
        assert_eq!(door.webhook("erase", "shop/redact", door.now(), &body).await, 200);
        let request = async || {
            let mut read = test.db.read_across().await.unwrap();
            privacy::requests(&mut read, shop.id, 10).await.unwrap().remove(0)
        };
        assert_eq!(request().await.state, RequestState::Received);
        door.advance(SignedDuration::from_mins(1));
        door.shop.install_app();
        assert_eq!(opened().await, 200);
        run_tasks(&door.app).await;
        let request = request().await;
        assert_eq!(request.state, RequestState::Refused);
        assert_eq!(request.outcome.as_deref(), Some("the shop has the app installed again"));
        assert_eq!(opened().await, 200);
        let again = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(again.id, shop.id, "the same shop, with its members");
    });
}

#[test]
fn a_shop_that_was_erased_may_be_told_so_again() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        assert_eq!(door.me(&door.shop.session_token(devshop::Surface::Admin(42))).await.status, 200);
        door.advance(SignedDuration::from_mins(1));
        door.shop.uninstall_app();
        assert_eq!(door.webhook("u", "app/uninstalled", door.now(), &json!({"id": 1})).await, 200);
        let body = json!({"shop_id": 1, "shop_domain": SHOP});
        for id in ["erase", "erase", "again"] {
            assert_eq!(door.webhook(id, "shop/redact", door.now(), &body).await, 200, "{id}");
            run_tasks(&door.app).await;
        }
        let left = door.app.shops.find_known(&SHOP.parse().unwrap()).await.unwrap();
        assert_eq!(left, None);
    });
}

#[test]
fn everything_of_a_shop_that_is_gone_is_erased() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        house.customer(80).await;
        let shop = house.shop_id;
        tell(&house, "products", "products/update", &json!({"id": 1, "updated_at": "2026-11-01T00:00:00Z"}))
            .await;
        house.shop.webhooks().pause();
        house.shop.uninstall_app();
        tell(&house, "uninstalled", "app/uninstalled", &json!({"id": 1})).await;
        let domain = house.shop.settings().domain.as_str();
        tell(&house, "erase", "shop/redact", &json!({"shop_id": 1, "shop_domain": domain})).await;
        assert_eq!(settled(test, &house).await.state, RequestState::Done);
        let left: Vec<&str> = {
            let mut left = Vec::new();
            for table in Table::all().into_iter().filter(|table| table.is_a_shops()) {
                let mut tx = test.db.begin(shop).await.unwrap();
                if table.erase(&mut tx, shop, 1).await.unwrap() > 0 {
                    left.push(table.name);
                }
                tx.rollback().await.unwrap();
            }
            left
        };
        // The request, the task that settled it, and that it did.
        assert_eq!(left, ["events_outbox", "privacy_requests", "tasks"]);
    });
}

#[test]
fn a_request_that_names_another_shop_than_its_header_is_not_acted_upon() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        for (id, topic) in [("ask", "data_request"), ("erase", "redact")] {
            let mut body = about(ada);
            body["shop_domain"] = json!("coffee.myshopify.com");
            tell(&house, id, &format!("customers/{topic}"), &body).await;
            let (state, reason) = outcome(test, id).await;
            let reason = reason.unwrap();
            assert_eq!(
                (state.as_str(), reason.as_str()),
                ("dead", "the request names another shop than its header")
            );
        }
        let mut read = test.db.read_across().await.unwrap();
        assert!(privacy::requests(&mut read, house.shop_id, 1).await.unwrap().is_empty());
        drop(read);
        assert_eq!(house.points(ada).await, (800, 0, 0));

        // In whichever case Shopify writes it.
        let mut body = about(ada);
        body["shop_domain"] = json!(house.shop.settings().domain.to_uppercase());
        tell(&house, "right", "customers/redact", &body).await;
        assert_eq!(settled(test, &house).await.outcome.as_deref(), Some("erased"));
    });
}

#[test]
fn nobody_waits_for_a_metafield_that_nobody_can_write_any_more() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        tell(&house, "erase", "customers/redact", &about(ada)).await;
        settled(test, &house).await;
        // A publication that was under way put the member off to a time that has come.
        let mut tx = test.db.begin_outside().await.unwrap();
        let due = db!(tx.execute, "update sync_accounts set due_at = $1 where gone", house.app.clock.now());
        assert_eq!(due.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(loyalnest::sync::publish_due(&house.app).await.unwrap(), 0);
    });
}
