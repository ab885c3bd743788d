//! Killed at any moment, the program comes to the same end: every webhook is stored once, booked once, told once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use loyalnest::app::App;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::db::{Db, Engine, Options};
use loyalnest::ids::ShopId;
use loyalnest::{programs, proof, serve};
use loyalty::{Currency, Program};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::app::{SHOP, config};
use crate::support::orders::{Order, refund};
use crate::support::simulation::register;
use crate::support::tripwire::{Stops, Tripwire};
use crate::support::{TestDb, on_both_engines, on_engine};

const KILLS: u32 = 8;
const CUSTOMERS: i64 = 12;
const ORDERS: i64 = 240;
/// Nobody listens there: publishing is not what this is about.
const NOWHERE: (&str, &str) = ("LOYALNEST_SHOPIFY_URL", "http://127.0.0.1:9");

/// One webhook: its id, topic and body.
type Webhook = (String, &'static str, String);

fn webhooks() -> Vec<Webhook> {
    let mut all = Vec::new();
    for id in 1..=ORDERS {
        let order = Order::new(id, 100 + id % CUSTOMERS);
        all.push((format!("order-{id}"), "orders/create", order.payload().to_string()));
        if id % 3 == 0 {
            let back = refund(9_000 + id, id, &[(id * 10 + 1, 1, "25.00")]);
            all.push((format!("refund-{id}"), "refunds/create", back.to_string()));
        }
    }
    all
}

async fn app(db: Db) -> App {
    let quick = [
        NOWHERE,
        ("LOYALNEST_INBOX__LEASE", "300ms"),
        ("LOYALNEST_INBOX__POLL_EVERY", "50ms"),
        ("LOYALNEST_INBOX__BATCH", "16"),
        ("LOYALNEST_INBOX__RETRY", "50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms,50ms"),
        ("LOYALNEST_EVENTS__LEASE", "300ms"),
        ("LOYALNEST_EVENTS__BATCH", "10"),
    ];
    App::builder(config(&quick)).db(db).build().await.unwrap()
}

async fn add_shop(app: &App) -> ShopId {
    let shop = register(app, "tea", &Secret::new("shpat_1")).await;
    let mut tx = app.db.begin(shop).await.unwrap();
    let program = Program::standard(Currency::parse("GBP").unwrap());
    programs::set(&mut tx, shop, program, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    shop
}

/// The program that is killed: this very test binary, started with the URL of a database and a port.
#[test]
#[ignore = "started by the test below, which kills it"]
fn the_program_that_is_killed() {
    let url = std::env::var("LOYALNEST_TEST_SERVE").unwrap();
    let port: u16 = std::env::var("LOYALNEST_TEST_PORT").unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = app(Db::connect(&url, &Options::default()).await.unwrap()).await;
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        serve::run(app, Some(listener), true, CancellationToken::new()).await.unwrap();
    });
}

fn start(url: &str, address: SocketAddr) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::the_program_that_is_killed", "--ignored"])
        .env("LOYALNEST_TEST_SERVE", url)
        .env("LOYALNEST_TEST_PORT", address.port().to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Sends a webhook again and again until it is answered 200, as Shopify does.
async fn deliver(app: &App, http: &reqwest::Client, address: SocketAddr, (id, topic, body): &Webhook) {
    loop {
        let request = http
            .post(format!("http://{address}/webhooks"))
            .header("X-Shopify-Topic", *topic)
            .header("X-Shopify-Hmac-Sha256", app.signer.sign_webhook(body.as_bytes()))
            .header("X-Shopify-Shop-Domain", SHOP)
            .header("X-Shopify-Webhook-Id", id)
            .header("X-Shopify-Triggered-At", app.clock.now().to_string())
            .timeout(Duration::from_secs(5))
            .body(body.clone());
        match request.send().await {
            Ok(answer) if answer.status() == 200 => return,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// What members have, by customer.
async fn balances(db: &Db) -> BTreeMap<i64, (i64, i64)> {
    let mut read = db.read_across().await.unwrap();
    let rows: Vec<(i64, i64, i64)> = db!(
        read.all,
        "select m.customer_id, a.available, a.pending from customers_members m
         join points_accounts a on a.shop_id = m.shop_id and a.member_id = m.member_id"
    )
    .unwrap();
    rows.into_iter().map(|(customer, available, pending)| (customer, (available, pending))).collect()
}

async fn number(db: &Db, what: What) -> i64 {
    let mut read = db.read_across().await.unwrap();
    let (count,): (i64,) = match what {
        What::Messages => db!(read.one, "select count(*) from inbox_messages where state = 'done'"),
        What::Unsettled => db!(read.one, "select count(*) from inbox_messages where state <> 'done'"),
        What::Earned => {
            db!(read.one, "select count(*) from points_entries where kind in ('earn', 'post')")
        }
        What::Told => db!(read.one, "select count(*) from events_outbox where kind = 'points.earned'"),
        What::Undelivered => db!(
            read.one,
            "select count(*) from events_outbox
             where position is null or position > (select min(position) from events_cursors)"
        ),
    }
    .unwrap();
    count
}

enum What {
    Messages,
    Unsettled,
    Earned,
    Told,
    Undelivered,
}

/// What a calm run in this process comes to.
async fn expected() -> BTreeMap<i64, (i64, i64)> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/calm.db", folder.path().display());
    let db = Db::connect(&url, &Options::default()).await.unwrap();
    db.migrate().await.unwrap();
    let app = app(db.clone()).await;
    let shop = add_shop(&app).await;
    for (id, topic, body) in webhooks() {
        let delivery = loyalnest::inbox::Delivery {
            shop,
            webhook_id: id,
            event_id: None,
            topic: topic.to_owned(),
            api_version: None,
            triggered_at: app.clock.now(),
            payload: body.into_bytes(),
        };
        app.inbox.accept(delivery).await.unwrap();
    }
    app.inbox.drain_until_idle().await.unwrap();
    let balances = balances(&db).await;
    assert_eq!(balances.len() as i64, CUSTOMERS);
    balances
}

async fn killed_again_and_again(test: &TestDb) {
    let app = app(test.db.clone()).await;
    let shop = add_shop(&app).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let http = reqwest::Client::new();
    let sent = Arc::new(AtomicBool::new(false));
    let sending = tokio::spawn({
        let (app, sent) = (app.clone(), sent.clone());
        async move {
            let mut under_way = tokio::task::JoinSet::new();
            for webhook in webhooks() {
                if under_way.len() >= 8 {
                    under_way.join_next().await.unwrap().unwrap();
                }
                let (app, http) = (app.clone(), http.clone());
                under_way.spawn(async move { deliver(&app, &http, address, &webhook).await });
                // So that there is something to do between all the kills.
                tokio::time::sleep(Duration::from_millis(8)).await;
            }
            while under_way.join_next().await.is_some() {}
            sent.store(true, Ordering::SeqCst);
        }
    });
    let mut unfinished = 0;
    for kill in 0..KILLS {
        let mut server = start(&test.url, address);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Other moments each time, and the same ones in every run.
        tokio::time::sleep(Duration::from_millis(60 + u64::from(kill * 37 % 211))).await;
        server.kill().unwrap(); // SIGKILL
        server.wait().unwrap();
        unfinished += u32::from(!sent.load(Ordering::SeqCst));
    }
    assert!(unfinished >= KILLS / 2, "most kills came while there was work: {unfinished}");

    let mut server = start(&test.url, address);
    sending.await.unwrap();
    let give_up = Instant::now() + Duration::from_secs(120);
    while number(&test.db, What::Unsettled).await > 0 || number(&test.db, What::Undelivered).await > 0 {
        assert!(Instant::now() < give_up, "it does not come to an end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.kill().unwrap();
    server.wait().unwrap();

    assert_eq!(number(&test.db, What::Messages).await, webhooks().len() as i64);
    assert_eq!(balances(&test.db).await, expected().await);
    assert_eq!(number(&test.db, What::Told).await, number(&test.db, What::Earned).await);
    assert!(number(&test.db, What::Told).await > 0);
    let mut read = test.db.read_across().await.unwrap();
    let mut broken = proof::violations(&mut read, shop).await.unwrap();
    broken.retain(|(_, count)| *count != 0);
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn killed_at_any_moment_it_comes_to_the_same_end() {
    on_both_engines(killed_again_and_again);
}

/// How many commits there are at least between an order's arrival and everybody's having heard of its points: one to
/// store it, one to claim it, one to book it, one to give the claim back, one to number its events, one to deliver them.
const STEPS: u64 = 6;
/// The commits at which the program is killed; there are some more than steps.
const COMMITS: u64 = 12;

/// The webhooks of one customer, who has 75 points in the end: 100 earned, 25 taken back.
fn webhooks_of(customer: i64) -> Vec<Webhook> {
    let order = Order::new(customer, customer);
    let back = refund(9_000 + customer, customer, &[(customer * 10 + 1, 1, "25.00")]);
    vec![
        (format!("order-{customer}"), "orders/create", order.payload().to_string()),
        (format!("refund-{customer}"), "refunds/create", back.to_string()),
    ]
}

/// Everything that is kept between two steps stands in the database, so a step is a commit. The program is killed just
/// before each of them, and just after each, before it hears that it was done.
#[test]
fn killed_between_any_two_steps_it_comes_to_the_same_end() {
    on_engine(Engine::Postgres, async |test| {
        let app = app(test.db.clone()).await;
        add_shop(&app).await;
        let http = reqwest::Client::new();
        let (mut customer, mut killed) = (1_000, Vec::new());
        for stops in [Stops::Before, Stops::After] {
            for commit in 1..=COMMITS {
                customer += 1;
                let line = Tripwire::at(&test.url, commit, stops).await;
                let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = free.local_addr().unwrap();
                drop(free);
                let mut server = start(&line.url, address);
                let sending = async {
                    for webhook in webhooks_of(customer) {
                        deliver(&app, &http, address, &webhook).await;
                    }
                    // Until everybody has heard of it, or the line has stopped.
                    while number(&test.db, What::Unsettled).await + number(&test.db, What::Undelivered).await
                        > 0
                    {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                };
                let stopped = tokio::select! {
                    () = line.tripped() => true,
                    () = sending => false,
                };
                server.kill().unwrap(); // SIGKILL
                server.wait().unwrap();
                if stopped {
                    killed.push((stops, commit));
                }

                // The next process finds what is there, and Shopify sends again what was not answered.
                for (id, topic, body) in webhooks_of(customer) {
                    let request = Request::post("/webhooks")
                        .header("x-shopify-topic", topic)
                        .header("x-shopify-hmac-sha256", app.signer.sign_webhook(body.as_bytes()))
                        .header("x-shopify-shop-domain", SHOP)
                        .header("x-shopify-webhook-id", id)
                        .header("x-shopify-triggered-at", app.clock.now().to_string());
                    let answer = app.router().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
                    assert_eq!(answer.status(), 200);
                }
                let give_up = Instant::now() + Duration::from_secs(120);
                while number(&test.db, What::Unsettled).await + number(&test.db, What::Undelivered).await > 0
                {
                    assert!(
                        Instant::now() < give_up,
                        "{stops:?} commit {commit}: it does not come to an end"
                    );
                    app.inbox.drain_until_idle().await.unwrap();
                    app.events.deliver_due().await.unwrap();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                let has = balances(&test.db).await[&customer];
                assert_eq!(has, (75, 0), "{stops:?} commit {commit}");
            }
        }
        for stops in [Stops::Before, Stops::After] {
            for step in 1..=STEPS {
                assert!(
                    killed.contains(&(stops, step)),
                    "it was not killed {stops:?} commit {step}: {killed:?}"
                );
            }
        }
        assert_eq!(number(&test.db, What::Messages).await, 2 * 2 * COMMITS as i64, "each stored once");
        assert_eq!(number(&test.db, What::Told).await, number(&test.db, What::Earned).await);
        assert_eq!(number(&test.db, What::Earned).await, 2 * COMMITS as i64, "each booked once");
    });
}
