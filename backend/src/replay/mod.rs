//! Replay: real order lines sent through the very intake that Shopify's webhooks take, and what the ledger says then.

mod history;
mod invoices;

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use self::history::{History, Webhook};
use crate::app::App;
use crate::config::Secret;
use crate::merchants::{Shop, ShopError};
use crate::shopify::ShopDomain;
use crate::shopify::admin::ShopDetails;
use crate::{db, points, programs, proof};

/// How many webhooks are under way at once.
const AT_ONCE: usize = 512;
/// The file's prices are British.
const CURRENCY: &str = "GBP";
const TIME_ZONE: &str = "Europe/London";

/// What is replayed, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Order lines as CSV, gzipped (.gz) or not: invoice,time,customer,stock_code,quantity,price_pence
    file: PathBuf,
    /// The shop that gets the orders; it must be new
    #[arg(long, default_value = "replay.myshopify.com")]
    shop: String,
    /// Print one JSON object as the last line of standard output
    #[arg(long)]
    pub json: bool,
}

/// What a replay came to.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Orders that were sent.
    pub orders: i64,
    /// Refunds that were sent: one for each order that a return touches.
    pub refunds: i64,
    /// Units that came back although the file does not say when they were bought.
    pub units_unmatched: i64,
    /// Points that the orders earned.
    pub points_issued: i64,
    /// Points that the refunds took back.
    pub points_reversed: i64,
    /// Points that members have now.
    pub points_outstanding: i64,
    /// Invariants of the ledger that do not hold, all places counted. Anything but 0 is a fault.
    pub violations: i64,
    /// From the first webhook to the last booking.
    pub seconds: f64,
    /// Invoices, cancellations among them, in a second.
    pub orders_per_second: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "orders {:>20}", self.orders)?;
        writeln!(f, "refunds {:>19}", self.refunds)?;
        writeln!(f, "units unmatched {:>11}", self.units_unmatched)?;
        writeln!(f, "points issued {:>13}", self.points_issued)?;
        writeln!(f, "points reversed {:>11}", self.points_reversed)?;
        writeln!(f, "points outstanding {:>8}", self.points_outstanding)?;
        writeln!(f, "violations {:>16}", self.violations)?;
        write!(f, "{:.1} s, {:.0} invoices a second", self.seconds, self.orders_per_second)
    }
}

/// Why a replay failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("the file cannot be replayed")]
    File(#[from] invoices::Error),
    /// The shop is there already.
    #[error("{0} is there already; choose another one with --shop, or an empty database")]
    ShopExists(ShopDomain),
    /// The shop's name.
    #[error("{0} is no shop's domain")]
    Domain(String),
    /// The shop.
    #[error(transparent)]
    Shop(#[from] ShopError),
    /// A webhook was not accepted.
    #[error("the intake answered {0}")]
    Refused(StatusCode),
    /// A webhook was stored, but could not be acted upon.
    #[error("{0} webhooks could not be acted upon")]
    Dead(i64),
    /// The program.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// Whether the books hold is not known.
    #[error(transparent)]
    Proof(#[from] proof::Error),
    /// A payload could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A task panicked.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
    /// The database.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// Sends the file's invoices through the intake of `app` and waits until everything is booked.
///
/// # Errors
/// [`Error`] says why it could not.
pub async fn run(app: &App, args: &Args) -> Result<Report, Error> {
    let invoices = invoices::read(&args.file)?;
    let shop = new_shop(app, &args.shop).await?;
    let bar = progress(invoices.len());
    let stop = CancellationToken::new();
    let worker = tokio::spawn({
        let (inbox, stop) = (app.inbox.clone(), stop.clone());
        async move { inbox.work(stop).await }
    });

    let start = Instant::now();
    let zone = TimeZone::get(TIME_ZONE).unwrap_or(TimeZone::UTC);
    let mut history = History::new(zone, CURRENCY);
    let sent = send(app, &shop, &invoices, &mut history, &bar).await;
    bar.set_message("booking what is left");
    let booked = match sent {
        Ok(()) => idle(app).await,
        Err(error) => Err(error),
    };
    let seconds = start.elapsed().as_secs_f64();
    stop.cancel();
    worker.await?;
    booked?;

    bar.set_message("checking every invariant");
    let mut read = app.db.read(shop.id).await?;
    let totals = points::totals(&mut read, shop.id).await?;
    let violations = proof::violations(&mut read, shop.id).await?;
    bar.finish_and_clear();
    let dead = app.inbox.dead(shop.id).await?;
    if dead > 0 {
        return Err(Error::Dead(dead));
    }
    for (name, count) in violations.iter().filter(|(_, count)| *count != 0) {
        eprintln!("violated in {count} places: {name}");
    }
    Ok(Report {
        orders: history.orders(),
        refunds: history.refunds,
        units_unmatched: history.unmatched,
        points_issued: totals.issued,
        points_reversed: totals.reversed,
        points_outstanding: totals.outstanding,
        violations: violations.iter().map(|(_, count)| count).sum(),
        seconds,
        orders_per_second: invoices.len() as f64 / seconds,
    })
}

/// Sends every invoice's webhooks, many at once.
async fn send(
    app: &App,
    shop: &Shop,
    invoices: &[invoices::Invoice],
    history: &mut History,
    bar: &ProgressBar,
) -> Result<(), Error> {
    let router = app.router();
    let mut under_way: JoinSet<Result<(), Error>> = JoinSet::new();
    for invoice in invoices {
        for webhook in history.webhooks(invoice)? {
            if under_way.len() >= AT_ONCE
                && let Some(sent) = under_way.join_next().await
            {
                sent??;
            }
            let (app, router, domain) = (app.clone(), router.clone(), shop.domain.clone());
            under_way.spawn(async move {
                let request = signed(&app, &domain, webhook);
                let answer = router.oneshot(request).await.unwrap_or_else(|never| match never {});
                if answer.status() == StatusCode::OK { Ok(()) } else { Err(Error::Refused(answer.status())) }
            });
        }
        bar.inc(1);
    }
    while let Some(sent) = under_way.join_next().await {
        sent??;
    }
    Ok(())
}

/// Waits until everything that was sent is booked.
async fn idle(app: &App) -> Result<(), Error> {
    while !app.inbox.is_idle().await? {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// The request that Shopify would send.
fn signed(app: &App, domain: &ShopDomain, webhook: Webhook) -> Request<Body> {
    let headers = [
        ("x-shopify-hmac-sha256", app.signer.sign_webhook(&webhook.body)),
        ("x-shopify-shop-domain", domain.to_string()),
        ("x-shopify-topic", webhook.topic.to_owned()),
        ("x-shopify-webhook-id", webhook.id),
        ("x-shopify-triggered-at", app.clock.now().to_string()),
        ("x-shopify-api-version", app.config.shopify.api_version.clone()),
    ];
    let mut request = Request::new(Body::from(webhook.body));
    *request.method_mut() = axum::http::Method::POST;
    *request.uri_mut() = axum::http::Uri::from_static("/webhooks");
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

async fn new_shop(app: &App, name: &str) -> Result<Shop, Error> {
    let domain: ShopDomain = name.parse().map_err(|_| Error::Domain(name.into()))?;
    if app.shops.find_by_domain(&domain).await?.is_some() {
        return Err(Error::ShopExists(domain));
    }
    let details = ShopDetails {
        id: "gid://shopify/Shop/1".into(),
        name: "Replay".into(),
        domain: domain.to_string(),
        currency: CURRENCY.into(),
        time_zone: TIME_ZONE.into(),
    };
    // Nobody is asked anything, so there is no token to ask with.
    let shop = app.shops.register(details, &domain, &Secret::new("none")).await?;
    let program = loyalty::Program::standard(shop.currency);
    let mut tx = app.db.begin(shop.id).await?;
    programs::set(&mut tx, shop.id, program, app.clock.now()).await?;
    tx.commit().await?;
    Ok(shop)
}

fn progress(invoices: usize) -> ProgressBar {
    let bar = ProgressBar::new(invoices as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} invoices, {per_sec}, {eta} left {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
