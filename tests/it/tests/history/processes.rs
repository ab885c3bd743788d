//! A file of orders that is far larger than memory should be, and processes that are killed while they read one.
//!
//! The process is this very test binary, started with a database and a stand-in for Shopify whose file is made as it is sent.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use loyalnest::app::App;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::db::{Db, Engine, Options};
use loyalnest::history::{self, Progress, Subject};
use loyalnest::ids::ShopId;
use loyalnest::{programs, proof};
use loyalty::{Currency, Program};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use crate::support::app::config;
use crate::support::simulation::register;
use crate::support::{TestDb, on_both_engines, on_engine};

/// How long a line is: all are alike, so that the file can be had from the middle on.
const LINE: u64 = 640;
/// Lines are sent this many at a time.
const BLOCK: u64 = 100;
const CUSTOMERS: u64 = 300;

/// What stands in for Shopify: its only file has so many lines.
#[derive(Clone, Copy)]
struct File {
    lines: u64,
    /// One of so many is an order; the others are of a type that nobody knows.
    order_every: u64,
    /// How long the file pauses after each block.
    pause: Duration,
}

impl File {
    async fn serve(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/admin/api/2026-10/graphql.json", post(admin))
            .route("/file", get(file))
            .with_state((self, Arc::from(format!("{url}/file"))));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn orders(self) -> i64 {
        self.lines.div_ceil(self.order_every) as i64
    }

    fn line(self, number: u64) -> String {
        let line = if number.is_multiple_of(self.order_every) {
            let money = |amount: &str| json!({"shopMoney": {"amount": amount, "currencyCode": "GBP"}});
            json!({
                "id": format!("gid://shopify/Order/{}", number + 1), "test": false, "cancelledAt": null,
                "processedAt": "2025-05-01T10:00:00Z", "updatedAt": "2025-05-02T10:00:00Z",
                "displayFinancialStatus": "PAID",
                "customer": {"id": format!("gid://shopify/Customer/{}", 1_000 + number % CUSTOMERS)},
                "subtotalLineItemsQuantity": 1, "currentSubtotalLineItemsQuantity": 1,
                "currentSubtotalPriceSet": money("10.00"), "currentShippingPriceSet": money("0.0"),
                "totalTipReceivedSet": money("0.0"),
            })
        } else {
            json!({"id": format!("gid://shopify/TeaPot/{}", number + 1), "spout": {"id": 1}})
        };
        let width = LINE as usize - 1;
        let line = format!("{:width$}\n", line.to_string());
        assert_eq!(line.len() as u64, LINE);
        line
    }
}

type Served = (File, Arc<str>);

/// The two operations that are asked for: that of customers has nothing in its file.
async fn admin(State((file, url)): State<Served>, Json(asked): Json<Value>) -> Json<Value> {
    let query = asked["query"].as_str().unwrap();
    let operation = |of: u32| format!("gid://shopify/BulkOperation/{of}");
    if query.contains("bulkOperationRunQuery") {
        let of_orders = asked["variables"]["query"].as_str().unwrap().contains("orders {");
        let begun = json!({"id": operation(u32::from(of_orders))});
        return Json(json!({"data": {"bulkOperationRunQuery": {"bulkOperation": begun, "userErrors": []}}}));
    }
    if query.contains("bulkOperations") {
        return Json(json!({"data": {"bulkOperations": {"nodes": []}}}));
    }
    let of_orders = asked["variables"]["id"] == operation(1);
    let (url, size) = (of_orders.then_some(url), of_orders.then(|| (file.lines * LINE).to_string()));
    Json(json!({"data": {"bulkOperation": {"status": "COMPLETED", "errorCode": null, "url": url,
                                           "partialDataUrl": null, "fileSize": size}}}))
}

async fn file(State((file, _)): State<Served>, headers: HeaderMap) -> Response {
    let range = headers.get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
    let from: u64 = range
        .as_deref()
        .map_or(0, |range| range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap());
    let (mut near, far) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        let mut at = from / LINE;
        let mut passed = usize::try_from(from % LINE).unwrap();
        while at < file.lines {
            let block: String = (at..file.lines.min(at + BLOCK)).map(|line| file.line(line)).collect();
            if near.write_all(&block.as_bytes()[passed..]).await.is_err() {
                return;
            }
            (at, passed) = (at + BLOCK, 0);
            if !file.pause.is_zero() {
                tokio::time::sleep(file.pause).await;
            }
        }
    });
    let end = file.lines * LINE;
    let mut answer = Body::from_stream(ReaderStream::new(far)).into_response();
    let told = answer.headers_mut();
    told.insert(header::CONTENT_LENGTH, (end - from).into());
    if range.is_some() {
        told.insert(header::CONTENT_RANGE, format!("bytes {from}-{}/{end}", end - 1).parse().unwrap());
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    answer
}

async fn app(db: Db, shopify: &str) -> App {
    let quick = [
        ("LOYALNEST_SHOPIFY_URL", shopify),
        ("LOYALNEST_TASKS__LEASE", "1s"),
        (
            "LOYALNEST_TASKS__RETRY",
            "50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms",
        ),
    ];
    App::builder(config(&quick)).db(db).build().await.unwrap()
}

#[test]
#[ignore = "started by the tests below, which kill it"]
fn the_process_that_reads() {
    let env = |name: &str| std::env::var(name).ok();
    let (Some(url), Some(shopify)) = (env("LOYALNEST_TEST_DATABASE"), env("LOYALNEST_TEST_SHOPIFY")) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = app(Db::connect(&url, &Options::default()).await.unwrap(), &shopify).await;
        loop {
            app.tasks.run_due(&app).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

fn start(test: &TestDb, shopify: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "history::processes::the_process_that_reads", "--ignored"])
        .env("LOYALNEST_TEST_DATABASE", &test.url)
        .env("LOYALNEST_TEST_SHOPIFY", shopify)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A shop whose customers and orders are to be read.
async fn asked(test: &TestDb, shopify: &str) -> ShopId {
    let app = app(test.db.clone(), shopify).await;
    let shop = register(&app, "tea", &Secret::new("shpat_1")).await;
    let now = app.clock.now();
    let mut tx = app.db.begin(shop).await.unwrap();
    programs::set(&mut tx, shop, Program::standard(Currency::parse("GBP").unwrap()), now).await.unwrap();
    history::ask(&mut tx, shop, now).await.unwrap();
    tx.commit().await.unwrap();
    shop
}

async fn progress(db: &Db, shop: ShopId) -> Progress {
    let mut read = db.read(shop).await.unwrap();
    history::progress(&mut read, shop, Subject::Orders).await.unwrap().unwrap()
}

async fn until_over(test: &TestDb, shop: ShopId, patience: Duration) -> Progress {
    let give_up = Instant::now() + patience;
    loop {
        let now = progress(&test.db, shop).await;
        if now.run.ended_at.is_some() {
            return now;
        }
        assert!(Instant::now() < give_up, "it does not come to an end: {now:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Everything was taken, once.
async fn is_whole(test: &TestDb, shop: ShopId, file: File, told: &Progress) {
    assert_eq!((told.run.state, told.run.problem.as_deref()), (loyalnest::bulk::State::Read, None));
    assert_eq!((told.run.lines, told.run.odd), (file.lines as i64, 0));
    let report = &told.report;
    assert_eq!((report.taken, report.passed_by, report.refused), (file.orders(), 0, 0));
    let mut read = test.db.read(shop).await.unwrap();
    let sums: (i64, i64, i64) = db!(
        read.one,
        "select count(*), cast(sum(orders) as bigint), cast(sum(spent) as bigint) from rfm_members where shop_id = $1",
        shop
    )
    .unwrap();
    assert_eq!(sums, (report.new_members, file.orders(), file.orders() * 1_000));
    let mut broken = proof::violations(&mut read, shop).await.unwrap();
    broken.retain(|(_, count)| *count != 0);
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn killed_in_the_middle_of_a_file_what_was_taken_stays_and_the_rest_follows() {
    on_both_engines(async |test| {
        // Fast enough that batches are taken between kills, slow enough that none reads it all.
        let file = File { lines: 24_000, order_every: 1, pause: Duration::from_millis(10) };
        let shopify = file.serve().await;
        let shop = asked(test, &shopify).await;
        let (mut taken, mut in_the_middle) = (0, 0);
        for kill in 0..5_u64 {
            let mut process = start(test, &shopify);
            let given_up = Instant::now() + Duration::from_secs(60);
            // Each of them takes some on, and dies at another moment.
            while progress(&test.db, shop).await.report.taken <= taken && Instant::now() < given_up {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(Duration::from_millis(kill * 37 % 113)).await;
            process.kill().unwrap(); // SIGKILL
            process.wait().unwrap();
            let now = progress(&test.db, shop).await;
            assert!(now.report.taken > taken, "what was taken stays, and more is taken: {now:?}");
            assert_eq!(now.report.taken, now.run.lines, "both in one transaction");
            taken = now.report.taken;
            in_the_middle += u32::from(now.run.ended_at.is_none());
        }
        assert!(in_the_middle >= 3, "most kills came in the middle: {in_the_middle}");
        let mut last = start(test, &shopify);
        let told = until_over(test, shop, Duration::from_secs(120)).await;
        last.kill().unwrap();
        last.wait().unwrap();
        is_whole(test, shop, file, &told).await;
    });
}

/// The most memory that a process had in use, in bytes.
#[cfg(target_os = "linux")]
fn peak(process: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap() * 1024
}

/// How much memory a process of its own has in use at most that reads this file.
#[cfg(target_os = "linux")]
async fn memory(test: &TestDb, file: File, patience: Duration) -> u64 {
    let shopify = file.serve().await;
    let shop = asked(test, &shopify).await;
    let mut process = start(test, &shopify);
    let told = until_over(test, shop, patience).await;
    let peak = peak(&process);
    process.kill().unwrap();
    process.wait().unwrap();
    is_whole(test, shop, file, &told).await;
    println!("{} lines, {} bytes each: {} MB at most", file.lines, LINE, peak >> 20);
    peak
}

#[cfg(target_os = "linux")]
const MOST: u64 = 160 << 20;

#[test]
#[cfg(target_os = "linux")]
fn a_file_is_read_in_little_memory() {
    on_engine(Engine::Sqlite, async |test| {
        let file = File { lines: 60_000, order_every: 10, pause: Duration::ZERO };
        assert!(memory(test, file, Duration::from_secs(120)).await < MOST);
    });
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "takes minutes"]
fn five_million_lines_are_read_in_no_more_memory() {
    on_engine(Engine::Sqlite, async |test| {
        let file = File { lines: 5_000_000, order_every: 50, pause: Duration::ZERO };
        assert!(memory(test, file, Duration::from_secs(1_800)).await < MOST);
    });
}
