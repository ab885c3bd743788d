//! `crash`: see `crash --help`. `cargo xtask crash` runs it, with a PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use crash::crew::{Crew, Orders};
use crash::traffic::{Done, MUG, Traffic};
use crash::{front, history};
use devshop::{
    CombinesWith, DevShop, DiscountClass, Function, NewDiscount, NewProduct, Settings, WebhookSettings,
};
use fastrand::Rng;
use function_runner::{Runner, artefacts_folder};
use loyalnest::app::App;
use loyalnest::config::{Config, Secret};
use loyalnest::programs;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Customers come in groups, each of which does one thing at a time.
const GROUPS: u64 = 4;
/// How long a group waits after each.
const PACE: Duration = Duration::from_millis(50);
/// A process lives at least so long, in milliseconds, before another one is killed.
const LIFE: std::ops::Range<u64> = 100..500;

/// Kills backends and cuts them off their database, while customers go on, and says what was lost.
#[derive(Parser)]
struct Arguments {
    /// The backend.
    #[arg(long)]
    program: PathBuf,
    /// An empty PostgreSQL database.
    #[arg(long, env = "DATABASE_URL")]
    database: String,
    /// How often a process is killed.
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// How many processes there are.
    #[arg(long, default_value_t = 3)]
    processes: usize,
    /// How many customers there are in a group.
    #[arg(long, default_value_t = 4)]
    customers: u32,
    /// Chooses who does what, and when who is killed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (shop, variant) = open_shop(&url).await?;
    let settings = settings(&shop);
    let app = open_app(&settings, &arguments.database).await?;
    let token = Secret::new(shop.settings().app.admin_token.clone());
    let added = app.shops.add(&app.admin, &shop.settings().domain.parse()?, &token).await?;
    programs::publish(&app, &added).await?;

    let folder = tempfile::tempdir()?;
    let logs = folder.path().to_owned();
    let orders =
        Orders { program: arguments.program.clone(), settings, database: arguments.database.clone(), logs };
    let crew = Crew::start(orders, arguments.processes).await?;
    tokio::spawn(front::open(listener, crew.ports()));
    let groups: Result<Vec<Traffic>> = (0..GROUPS)
        .map(|group| {
            let seed = arguments.seed * 1_000 + group;
            Traffic::open(shop.clone(), url.clone(), variant, arguments.customers, seed)
        })
        .collect();
    let groups = groups?;
    history::rest(&app, &shop).await.context("before the first kill")?;

    let stop = CancellationToken::new();
    let mut shoppers = JoinSet::new();
    for traffic in groups {
        shoppers.spawn(traffic.go_on(PACE, stop.clone()));
    }
    let trouble = trouble(crew, arguments.kills, arguments.seed).await;
    stop.cancel();
    let mut done = Done::default();
    while let Some(shopper) = shoppers.join_next().await {
        done.add(shopper??);
    }
    let (_crew, cuts) = trouble?;
    history::rest(&app, &shop).await.context("after the last kill")?;
    let losses = history::losses(&app, added.id, &shop, &done).await?;
    for loss in &losses {
        eprintln!("{loss}");
    }
    let attempts = shop.webhooks().attempts().len();
    println!(
        "{}",
        json!({
            "kills": arguments.kills, "cuts": cuts, "processes": arguments.processes, "losses": losses.len(),
            "done": done, "picks": done.picks.len(), "webhooks": shop.webhooks().events().len(),
            "webhook_attempts": attempts, "seed": arguments.seed, "seconds": start.elapsed().as_secs(),
        })
    );
    shop.close();
    Ok(if losses.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Kills processes one after the other, and now and then cuts one off. Returns those that live, and how often it cut.
async fn trouble(mut crew: Crew, kills: u32, seed: u64) -> Result<(Crew, u32)> {
    let mut random = Rng::with_seed(seed ^ 0x5eed);
    let (count, mut cuts) = (crew.ports().len(), 0);
    for kill in 1..=kills {
        tokio::time::sleep(Duration::from_millis(random.u64(LIFE))).await;
        if random.u8(..3) == 0 {
            crew.cut_off(random.usize(..count), Duration::from_millis(random.u64(1..400))).await;
            cuts += 1;
        }
        crew.look_after()?;
        crew.kill(random.usize(..count)).await?;
        if kill % 50 == 0 {
            eprintln!("    {kill} of {kills} kills");
        }
    }
    tokio::time::sleep(Duration::from_millis(LIFE.end)).await;
    crew.look_after()?;
    Ok((crew, cuts))
}

async fn open_shop(url: &str) -> Result<(DevShop, u64)> {
    let app = devshop::App { url: Some(url.to_owned()), ..devshop::App::default() };
    let webhooks = WebhookSettings {
        parallel: 8,
        // As patient as Shopify, in less time.
        retries: vec![Duration::from_millis(200); 300],
        ..WebhookSettings::default()
    };
    let shop = DevShop::start(Settings { app, webhooks, ..Settings::default() }).await?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extensions/points-redemption");
    let wasm = artefacts_folder().join("points-redemption.wasm");
    shop.install(Function::load(&Runner::new()?, &folder, &wasm)?);
    shop.add_discount(NewDiscount {
        title: "Loyalty points".into(),
        function_handle: "points-redemption".into(),
        classes: vec![DiscountClass::Product, DiscountClass::Order, DiscountClass::Shipping],
        combines_with: CombinesWith::ALL,
    })?;
    let variant = shop.add_product(NewProduct::simple("Mug", MUG)).variants[0].id;
    Ok((shop, variant))
}

/// The settings of every process: leases and waits are short, because nobody waits half an hour for a test.
fn settings(shop: &DevShop) -> Vec<(&'static str, String)> {
    let retries = ["100ms"; 60].join(",");
    vec![
        ("SHOPIFY_API_SECRET", shop.settings().app.api_secret.clone()),
        ("LOYALNEST_ENCRYPTION_KEY", "5a".repeat(32)),
        ("LOYALNEST_SHOPIFY_URL", shop.url().to_owned()),
        ("LOYALNEST_INBOX__LEASE", "1s".into()),
        ("LOYALNEST_INBOX__POLL_EVERY", "50ms".into()),
        ("LOYALNEST_INBOX__BATCH", "16".into()),
        ("LOYALNEST_INBOX__RETRY", retries.clone()),
        ("LOYALNEST_EVENTS__LEASE", "1s".into()),
        ("LOYALNEST_EVENTS__RETRY", retries),
    ]
}

async fn open_app(settings: &[(&'static str, String)], database: &str) -> Result<App> {
    let own = [("DATABASE_URL", database.to_owned())];
    let all = settings.iter().chain(&own).map(|(name, value)| ((*name).to_owned(), value.clone()));
    let config = Config::load(None, &all.collect::<Vec<_>>())?;
    let app = App::builder(config).build().await?;
    app.db.migrate().await?;
    Ok(app)
}
