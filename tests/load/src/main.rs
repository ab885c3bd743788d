//! `load`: see `load --help`. `cargo xtask bench intake` runs it; settings are the backend's, from the environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use load::audit::Audit;
use load::follow::Follow;
use load::history::Reading;
use load::import::{Import, Rows};
use load::intake::Intake;
use load::ledger::Ledger;
use load::night::Night;
use load::reconcile::{Reconcile, play_shop};
use load::rfm::{self, Scoring};
use load::{Watched, churn, store};
use loyalnest::app::App;
use loyalnest::config::Config;
use loyalnest::ids::ShopId;
use loyalnest::shopify::Signer;
use serde_json::Value;
use tokio::net::TcpListener;

/// Sends webhooks and says what came of them, as JSON.
#[derive(Parser)]
struct Arguments {
    /// Where the server listens on.
    #[arg(long, global = true, default_value = "127.0.0.1:3000")]
    server: SocketAddr,
    /// Where it takes webhooks.
    #[arg(long, global = true, default_value = "/webhooks")]
    path: String,
    /// Requests under way at once.
    #[arg(long, global = true, default_value_t = 64)]
    connections: usize,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// How many webhooks a second are taken.
    Intake {
        /// Whose database the webhooks must be in afterwards.
        #[arg(long, value_enum, default_value_t = Store::Loyalnest)]
        store: Store,
        /// Shops that send them.
        #[arg(long, default_value_t = 8)]
        shops: usize,
        /// How long a round is, unless it runs out of requests.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Requests made for a round.
        #[arg(long, default_value_t = 100_000)]
        requests: usize,
        /// Rounds, after a shorter one to warm up.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// A program whose processor time is taken, with all that it started: NAME=PROCESS.
        #[arg(long)]
        watch: Vec<Watched>,
    },
    /// How fast published accounts are compared with the ledger, and how much memory that takes.
    Reconcile {
        /// How many members there are.
        #[arg(long, default_value_t = 1_000_000)]
        members: i64,
        /// Where the backend looks for the shop.
        #[arg(long)]
        shop: SocketAddr,
        /// The backend: NAME=PROCESS.
        #[arg(long)]
        watch: Watched,
    },
    /// How long orders take from the answer to the metafield.
    Follow {
        /// The local shop's address.
        #[arg(long)]
        shop_url: String,
        /// Its domain.
        #[arg(long)]
        domain: String,
        /// Orders a second.
        #[arg(long, default_value_t = 200)]
        rate: u32,
        /// For how long.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// How many orders a second are booked. In this process: no server is asked.
    Ledger {
        /// Members who place them.
        #[arg(long, default_value_t = 50_000)]
        members: i64,
        /// Orders of a round.
        #[arg(long, default_value_t = 30_000)]
        orders: usize,
        /// Rounds, after one in which everyone becomes a member.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// How many members a second are imported from a file. In this process: no server is asked.
    Import {
        /// Members of a file.
        #[arg(long, default_value_t = 200_000)]
        members: i64,
        /// Files.
        #[arg(long, default_value_t = 3)]
        rounds: i64,
        /// Bytes of a column that nobody reads: how large files are.
        #[arg(long, default_value_t = 10)]
        note: usize,
        /// What rows say.
        #[arg(long, value_enum, default_value = "full")]
        rows: Rows,
        /// Where they are made.
        #[arg(long)]
        folder: PathBuf,
    },
    /// How long the backend's audit of a large ledger takes, and how much memory.
    Audit {
        /// Postings of the ledger.
        #[arg(long, default_value_t = 10_000_000)]
        postings: i64,
        /// The backend's program.
        #[arg(long)]
        program: PathBuf,
    },
    /// How many orders from before the app are read from a shop's file in a second, in memory.
    History {
        /// How many there are.
        #[arg(long, default_value_t = 5_000_000)]
        orders: usize,
    },
    /// How many members a second are scored, in memory.
    Rfm {
        /// How many there are.
        #[arg(long, default_value_t = 1_000_000)]
        members: usize,
        /// How often; the median counts.
        #[arg(long, default_value_t = 25)]
        rounds: usize,
    },
    /// Writes members to a file for whoever else scores them, and scores them from that file.
    RfmFile {
        /// How many there are.
        #[arg(long, default_value_t = 1_000_000)]
        members: usize,
        /// How often; the median counts.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Where the file is made.
        file: PathBuf,
        /// Where the scores are written.
        scores: PathBuf,
    },
    /// How long a night's refresh takes. In this process: no server is asked.
    Night {
        /// Members of the shop.
        #[arg(long, default_value_t = 1_000_000)]
        members: usize,
    },
    /// How good the chances are that members stay away.
    Churn {
        /// Order lines as CSV, gzipped (.gz) or not, with columns invoice, time and customer.
        file: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Store {
    Loyalnest,
    Node,
}

// One thread: what the loader leaves is the server's.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the shop beside the loader, until the program ends.
fn play(shop: SocketAddr, members: i64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { play_shop(TcpListener::bind(shop).await?, members).await })
}

async fn run(arguments: Arguments) -> Result<()> {
    let environment: Vec<_> = std::env::vars().collect();
    let config = Config::load(None, &environment)?;
    let signer = Signer::new(config.api_secrets()?);
    let Arguments { server, path, connections, command } = arguments;
    let report = match command {
        Command::Intake { store, shops, seconds, requests, rounds, watch } => {
            let app = match store {
                Store::Loyalnest => Some(App::builder(config.clone()).build().await?),
                Store::Node => None,
            };
            let shops = match &app {
                Some(app) => store::add_shops(app, shops).await?,
                None => (1..=shops).map(|number| format!("load-{number}.myshopify.com")).collect(),
            };
            let intake = Intake {
                server,
                path: &path,
                signer: &signer,
                shops: &shops,
                connections,
                seconds,
                requests,
                rounds,
                watched: &watch,
            };
            let measured = intake.measure().await?;
            let stored = match &app {
                Some(app) => store::in_the_inbox(&app.db).await?,
                None => store::in_the_node_stack(config.database.url.expose()).await?,
            };
            store::each_once(&measured.answered, &stored).context("the database is not what was answered")?;
            measured.report()
        }
        Command::Reconcile { members, shop, watch } => {
            let app = App::builder(config.clone()).build().await?;
            let shop = std::thread::spawn(move || play(shop, members));
            let report = Reconcile { app: &app, members, backend: &watch }.measure().await?;
            ensure!(!shop.is_finished(), "the shop did not open");
            report
        }
        Command::Follow { shop_url, domain, rate, seconds } => {
            let follow = Follow {
                server,
                path: &path,
                shop_url: shop_url.trim_end_matches('/'),
                domain: &domain,
                signer: &signer,
                rate,
                seconds,
                connections,
            };
            follow.measure().await?
        }
        Command::Ledger { members, orders, rounds } => {
            as_in_a_server(config, async move |app, shop| {
                Ledger { app, shop, members, orders, rounds }.measure().await
            })
            .await?
        }
        Command::Import { members, rounds, note, rows, folder } => {
            as_in_a_server(config, async move |app, shop| {
                Import { app, shop, members, rounds, note, rows, folder: &folder }.measure().await
            })
            .await?
        }
        Command::Audit { postings, program } => {
            as_in_a_server(config, async move |app, shop| {
                Audit { app, shop, postings, program: &program }.measure().await
            })
            .await?
        }
        Command::History { orders } => Reading { orders }.measure()?,
        Command::Rfm { members, rounds } => Scoring { members, rounds }.measure(),
        Command::RfmFile { members, rounds, file, scores } => {
            rfm::write(members, &file)?;
            rfm::from_file(&file, &scores, rounds)?
        }
        Command::Night { members } => {
            as_in_a_server(config, async move |app, shop| Night { app, shop, members }.measure().await)
                .await?
        }
        Command::Churn { file } => churn::measure(&file)?,
    };
    println!("{report}");
    Ok(())
}

/// Measures a new shop in this process, with the backend's own threads.
async fn as_in_a_server(
    config: Config,
    measure: impl AsyncFnOnce(&App, ShopId) -> Result<Value> + Send + 'static,
) -> Result<Value> {
    let measure = move || -> Result<_> {
        let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        threads.block_on(async {
            let app = App::builder(config).build().await?;
            let domain = store::add_shops(&app, 1).await?.remove(0).parse()?;
            let shop = app.shops.find_by_domain(&domain).await?.context("the shop is not there")?.id;
            measure(&app, shop).await
        })
    };
    tokio::task::spawn_blocking(measure).await?
}
