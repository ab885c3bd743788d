//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::app::{self, App};
use crate::config::{Config, DEFAULT_FILE, LogFormat, Secret};
use crate::customers::emails;
use crate::db::Resealed;
use crate::error::Error;
use crate::export::{self, command::ExportArgs};
use crate::finance::{self, command::FinanceCommand};
use crate::history::{self, HistoryArgs};
use crate::imports::{self, command::ImportArgs};
use crate::inbox::{self, command::InboxCommand};
use crate::merchants;
use crate::privacy::{self, command::PrivacyCommand};
use crate::programs;
use crate::proof::{self, command::AuditArgs};
use crate::redemptions::{self, command::RedemptionCommand};
use crate::replay;
use crate::rfm::{self, RfmCommand};
use crate::serve::{Role, serve};
use crate::shopify::ShopDomain;
use crate::support::{self, command::SupportCommand};
use crate::sync::reconcile::{self, command::ReconcileArgs};
use crate::tasks::{self, command::TasksCommand};

/// The exact ledger behind a Shopify loyalty programme.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    /// A file with settings that differ from the default (see `loyalnest config`).
    #[arg(long, global = true, env = "LOYALNEST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve HTTP and work off what comes in.
    Serve {
        /// Only a part of it, where parts run in processes of their own.
        #[arg(long, value_enum, default_value_t = Role::All)]
        role: Role,
    },
    /// Work off what came in; the same as `serve --role work`.
    Work,
    /// Bring the database's schema up to date.
    Migrate,
    /// Send real order lines through the intake, into a shop of their own, and check the ledger.
    Replay(replay::Args),
    /// Bring members along from another programme.
    Import(ImportArgs),
    /// Write everything that a shop has here into a folder.
    Export(ExportArgs),
    /// Webhooks that could not be acted upon.
    #[command(subcommand)]
    Inbox(InboxCommand),
    /// Tasks that were given up.
    #[command(subcommand)]
    Tasks(TasksCommand),
    /// Compare the accounts that are published at Shopify with the ledger, and put right those that differ.
    Reconcile(ReconcileArgs),
    /// Privacy requests.
    #[command(subcommand)]
    Privacy(PrivacyCommand),
    /// The keys of encrypted columns.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Discounts that no hold covered.
    #[command(subcommand)]
    Redemption(RedemptionCommand),
    /// Prove the books: add the ledger up anew and say of each invariant in how many places it does not hold.
    Audit(AuditArgs),
    /// What a shop's points come to at the end of any day, as tables.
    #[command(subcommand)]
    Finance(FinanceCommand),
    /// Read a shop's customers, and their orders from before the app, from Shopify.
    History(HistoryArgs),
    /// Members' scores by what they have bought.
    #[command(subcommand)]
    Rfm(RfmCommand),
    /// Let someone of the installation act as a shop's staff for a time.
    #[command(subcommand)]
    Support(SupportCommand),
    /// Print the default settings, every key explained.
    Config,
    /// The shops that installed the app.
    #[command(subcommand)]
    Shop(ShopCommand),
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Seal anew with the current key: the tokens of shops and their staff, e-mail addresses, exports for privacy requests. Webhook
    /// bodies are not: they go after inbox.payloads_kept, and the old key may go then.
    Rotate,
}

#[derive(Debug, Subcommand)]
enum ShopCommand {
    /// Add a shop, or bring it up to date. Its Admin API token is read from LOYALNEST_SHOP_TOKEN.
    Add {
        /// Its permanent domain: NAME.myshopify.com.
        domain: String,
    },
}

/// Runs the command that was given.
///
/// # Errors
/// [`Error`] says why it could not.
pub async fn run(cli: Cli) -> Result<(), Error> {
    let is_audit = matches!(cli.command, Command::Audit(_));
    match act(cli).await {
        // Those who ask are told apart what does not hold and what is not known.
        Err(error) if is_audit && !matches!(error, Error::Violations(_)) => {
            Err(Error::NotProven(Box::new(error)))
        }
        other => other,
    }
}

async fn act(cli: Cli) -> Result<(), Error> {
    if let Command::Config = cli.command {
        print!("{DEFAULT_FILE}");
        return Ok(());
    }
    let environment: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let config = Config::load(cli.config.as_deref(), &environment)?;
    log(&config)?;
    match cli.command {
        Command::Serve { role } => serve(App::builder(config).build().await?, role).await,
        Command::Work => serve(App::builder(config).build().await?, Role::Work).await,
        Command::Migrate => {
            let db = app::open_database(&config).await?;
            db.migrate().await?;
            db.close().await;
            Ok(())
        }
        Command::Replay(args) => run_replay(config, &args).await,
        Command::Export(args) => export::command::run(&App::builder(config).build().await?, args).await,
        Command::Import(args) => imports::command::run(&App::builder(config).build().await?, args).await,
        Command::Inbox(command) => inbox::command::run(&App::builder(config).build().await?, command).await,
        Command::Tasks(command) => tasks::command::run(&App::builder(config).build().await?, command).await,
        Command::Reconcile(args) => reconcile::command::run(&App::builder(config).build().await?, args).await,
        Command::Privacy(command) => {
            privacy::command::run(&App::builder(config).build().await?, command).await
        }
        Command::Keys(KeysCommand::Rotate) => {
            let app = App::builder(config).build().await?;
            let merchants::Resealed { shops, staff } = app.shops.reseal().await?;
            println!("the tokens of {shops} shops and {staff} members of staff were sealed anew");
            for (what, resealed) in [
                ("e-mail addresses", emails::reseal(&app.db, &app.cipher).await?),
                ("exports", privacy::reseal(&app.db, &app.cipher).await?),
            ] {
                let Resealed { done, lost } = resealed;
                println!("{done} {what} were sealed anew; {lost} open with no key that is known");
            }
            app.db.close().await;
            Ok(())
        }
        Command::Redemption(command) => {
            redemptions::command::run(&App::builder(config).build().await?, command).await
        }
        Command::Audit(args) => proof::command::run(&App::builder(config).build().await?, args).await,
        Command::Finance(command) => {
            finance::command::run(&App::builder(config).build().await?, command).await
        }
        Command::History(args) => history::run(&App::builder(config).build().await?, args).await,
        Command::Rfm(command) => rfm::run(&App::builder(config).build().await?, command).await,
        Command::Support(command) => {
            support::command::run(&App::builder(config).build().await?, command).await
        }
        Command::Config => Ok(()),
        Command::Shop(ShopCommand::Add { domain }) => {
            let token = std::env::var("LOYALNEST_SHOP_TOKEN").unwrap_or_default();
            add_shop(&App::builder(config).build().await?, &domain, Secret::new(token)).await
        }
    }
}

/// A replay signs its own webhooks, so it needs no secrets of an app; it makes up those that are missing.
async fn run_replay(mut config: Config, args: &replay::Args) -> Result<(), Error> {
    let made_up = || Secret::new(format!("{:064x}", uuid::Uuid::new_v4().as_u128()));
    for secret in [&mut config.shopify.api_secret, &mut config.security.encryption_key] {
        if secret.is_empty() {
            *secret = made_up();
        }
    }
    let app = App::builder(config).build().await?;
    let report = replay::run(&app, args).await?;
    app.db.close().await;
    if args.json {
        println!("{}", serde_json::to_string(&report).map_err(replay::Error::from)?);
    } else {
        println!("{report}");
    }
    if report.violations == 0 { Ok(()) } else { Err(Error::Violations(report.violations)) }
}

async fn add_shop(app: &App, domain: &str, token: Secret) -> Result<(), Error> {
    let domain: ShopDomain = domain.parse().map_err(|error| Error::Usage(format!("{domain} is {error}")))?;
    if token.is_empty() {
        return Err(Error::Usage("LOYALNEST_SHOP_TOKEN must hold the shop's Admin API token".into()));
    }
    let shop = app.shops.add(&app.admin, &domain, &token).await?;
    programs::publish(app, &shop).await?;
    println!("{} ({}, {}, {})", shop.domain, shop.name, shop.currency, shop.time_zone);
    Ok(())
}

/// Logs go to standard error; standard output is a command's answer.
fn log(config: &Config) -> Result<(), Error> {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&config.log.filter)
        .map_err(|error| Error::Usage(format!("log.filter (RUST_LOG) cannot be read: {error}")))?;
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second logger in one process changes nothing.
    let _ = match config.log.format {
        LogFormat::Text => logger.try_init(),
        LogFormat::Json => logger.json().try_init(),
    };
    Ok(())
}
