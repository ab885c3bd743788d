//! `loyalnest import …`: members from a file.

use std::path::PathBuf;

use uuid::Uuid;

use super::orders::{self, OrderField};
use super::{Field, Kind, Order, Progress, Report, Request, Template};
use crate::app::App;
use crate::audit::{Actor, By};
use crate::error::Error;

/// What can be done.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ImportArgs {
    #[command(subcommand)]
    command: Option<ImportCommand>,
    #[command(flatten)]
    file: Option<FileArgs>,
}

/// A file, and how it is read.
#[derive(Debug, clap::Args)]
struct FileArgs {
    /// CSV with a header: customer_id or email, points, earned_at, expires_at, lots, tier, tier_since, referral_code,
    /// birthday
    file: PathBuf,
    /// The shop: NAME.myshopify.com
    #[arg(long)]
    shop: String,
    /// Whose export the file is
    #[arg(long, value_enum, default_value_t)]
    template: Template,
    /// Which column is what, where its header does not say so: points="Current balance". May be given several times
    #[arg(long = "column", value_name = "NAME=HEADER", value_parser = column::<Field>)]
    columns: Vec<(Field, String)>,
    /// Whether days or months come first in dates such as 03/04/2026
    #[arg(long, value_enum)]
    dates: Option<Order>,
    /// Say what the import would do, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Where rows go that are refused; else beside the file
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
    /// Go on with an import of this file that broke
    #[arg(long, conflicts_with = "dry_run")]
    resume: bool,
}

/// A file of orders, and how it is read.
#[derive(Debug, clap::Args)]
struct OrdersArgs {
    /// CSV with a header, such as Shopify's export of orders: order_id or name, customer_id or email, placed_at, total, refunded,
    /// currency, cancelled_at
    file: PathBuf,
    /// The shop: NAME.myshopify.com
    #[arg(long)]
    shop: String,
    /// Which column is what, where its header does not say so: total="Grand total". May be given several times
    #[arg(long = "column", value_name = "NAME=HEADER", value_parser = column::<OrderField>)]
    columns: Vec<(OrderField, String)>,
    /// Whether days or months come first in dates such as 03/04/2026
    #[arg(long, value_enum)]
    dates: Option<Order>,
    /// Say what the import would do, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Where rows go that are refused; else beside the file
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
    /// Go on with an import of this file that broke
    #[arg(long, conflicts_with = "dry_run")]
    resume: bool,
}

#[derive(Debug, clap::Subcommand)]
enum ImportCommand {
    /// Bring orders from before the app: they count in what members have bought, and earn nothing.
    Orders(OrdersArgs),
    /// Take an import back: what is left of its points, and its tiers.
    Revert {
        /// The id that the import, or `import list`, shows.
        batch: Uuid,
        /// The shop: NAME.myshopify.com
        #[arg(long)]
        shop: String,
    },
    /// List a shop's imports, newest first: id, members or orders, state, when, rows imported and refused, points, points taken back.
    List {
        /// The shop: NAME.myshopify.com
        #[arg(long)]
        shop: String,
    },
}

fn column<F: clap::ValueEnum>(text: &str) -> Result<(F, String), String> {
    let (name, header) = text.split_once('=').ok_or("NAME=HEADER")?;
    let field = F::from_str(name, false)?;
    Ok((field, header.to_owned()))
}

/// Does it.
///
/// # Errors
/// When the file, the shop or the batch cannot be used, or the database fails.
pub async fn run(app: &App, ImportArgs { command, file }: ImportArgs) -> Result<(), Error> {
    let by = By::from(Actor::Cli);
    match (command, file) {
        (Some(ImportCommand::Orders(args)), _) => orders_from_file(app, args, &by).await?,
        (Some(ImportCommand::Revert { batch, shop }), _) => {
            let shop = app.shop_named(&shop).await?;
            let batch = super::revert(app, shop.id, batch, &by).await?;
            match batch.kind {
                Kind::Members => {
                    println!(
                        "{} points were taken back; members keep {}",
                        batch.taken_back, batch.left_alone
                    );
                }
                Kind::Orders => println!("{} orders were taken back", batch.reverted_row - 1),
            }
        }
        (Some(ImportCommand::List { shop }), _) => {
            let shop = app.shop_named(&shop).await?;
            for batch in super::batches(&mut app.db.read(shop.id).await?, shop.id).await? {
                println!(
                    "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
                    batch.batch_id,
                    batch.kind,
                    batch.state,
                    batch.created_at,
                    batch.imported,
                    batch.refused,
                    batch.points,
                    batch.taken_back
                );
            }
        }
        (None, Some(args)) => from_file(app, args, &by).await?,
        (None, None) => return Err(Error::Usage("name a file of members".into())),
    }
    Ok(())
}

async fn from_file(app: &App, args: FileArgs, by: &By) -> Result<(), Error> {
    let FileArgs { file, shop, template, columns, dates, dry_run, errors, resume } = args;
    let shop = app.shop_named(&shop).await?.id;
    let errors = errors.unwrap_or_else(|| file.with_extension("errors.csv"));
    let request = Request { file, template, columns, dates, errors };
    let report = if dry_run {
        super::check(app, shop, &request, Progress::shown()).await?
    } else {
        super::import(app, shop, &request, resume, by, Progress::shown()).await?
    };
    show(&report);
    if report.refused > 0 {
        println!("refused rows are in {}", request.errors.display());
    }
    Ok(())
}

async fn orders_from_file(app: &App, args: OrdersArgs, by: &By) -> Result<(), Error> {
    let OrdersArgs { file, shop, columns, dates, dry_run, errors, resume } = args;
    let shop = app.shop_named(&shop).await?.id;
    let errors = errors.unwrap_or_else(|| file.with_extension("errors.csv"));
    let request = orders::Request { file, columns, dates, errors };
    let report = orders::import(app, shop, &request, (resume, dry_run), by, Progress::shown()).await?;
    match report.batch {
        Some(batch) => println!("batch {batch}"),
        None => println!("nothing was imported"),
    }
    println!("written in {}", report.encoding);
    if !report.unread.is_empty() {
        println!("columns that are not read: {}", report.unread.join(", "));
    }
    let orders::Report { imported, refused, new_members, .. } = report;
    println!("{imported} orders, {new_members} new members; {refused} rows refused");
    for (fault, rows) in &report.faults {
        println!("  {rows} {}: {fault}", fault.code());
    }
    if refused > 0 {
        println!("refused rows are in {}", request.errors.display());
    }
    Ok(())
}

fn show(report: &Report) {
    let Report { imported, refused, new_members, points, before, .. } = report;
    match report.batch {
        Some(batch) => println!("batch {batch}"),
        None => println!("nothing was imported"),
    }
    println!("written in {}", report.encoding);
    if !report.unread.is_empty() {
        println!("columns that are not read: {}", report.unread.join(", "));
    }
    println!("{imported} rows, {new_members} of them new members; {refused} rows refused");
    for (fault, rows) in &report.faults {
        println!("  {rows} {}: {fault}", fault.code());
    }
    println!("points: {before} before, {points} imported, {} after", before + points);
    for sample in &report.samples {
        let (before, after) = sample.points;
        let is_new = if sample.is_new { ", new" } else { "" };
        print!("  row {}, customer {}{is_new}: {before} -> {after} points", sample.row, sample.customer);
        match &sample.tier {
            (before, Some(after)) if before.as_ref() != Some(after) => {
                println!(", tier {} -> {after}", before.as_deref().unwrap_or("none"));
            }
            _ => println!(),
        }
    }
}
