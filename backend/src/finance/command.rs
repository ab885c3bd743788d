//! `loyalnest finance …`: a shop's reports as tables.

use jiff::civil::Date;

use super::liability::terms;
use super::table::table;
use super::{Books, Error as Finance};
use crate::app::App;
use crate::error::Error;

/// What can be asked.
#[derive(Debug, clap::Subcommand)]
pub enum FinanceCommand {
    /// What was earned, redeemed, expired and taken back, month by month.
    RollForward(Of),
    /// The same by the month in which points were earned.
    Cohorts(Of),
    /// Which shares of each month's points were redeemed and expired, month by month since.
    Triangle(Of),
    /// What is outstanding, by the month in which it expires.
    Expiry(Of),
    /// What the shop owes its members, in money.
    Liability {
        /// Of which shop, and when.
        #[command(flatten)]
        of: Of,
        /// So many points are worth `--minor`; else what the best reward gives.
        #[arg(long, requires = "minor")]
        points: Option<i64>,
        /// Minor units of the program's currency.
        #[arg(long, requires = "points")]
        minor: Option<i64>,
        /// What was allocated to points by their stand-alone selling price, in minor units.
        #[arg(long, requires = "expected")]
        allocated: Option<i64>,
        /// How many points are expected to be redeemed in all.
        #[arg(long, requires = "allocated")]
        expected: Option<i64>,
    },
}

/// Of which shop, and when.
#[derive(Debug, clap::Args)]
pub struct Of {
    /// The shop: NAME.myshopify.com.
    pub shop: String,
    /// At the end of which day in the shop, as 2026-11-30; else now.
    #[arg(long)]
    pub as_of: Option<Date>,
}

/// Prints it as CSV.
///
/// # Errors
/// When there is no such shop, a number makes no sense, or the database fails.
pub async fn run(app: &App, command: FinanceCommand) -> Result<(), Error> {
    let of = match &command {
        FinanceCommand::RollForward(of)
        | FinanceCommand::Cohorts(of)
        | FinanceCommand::Triangle(of)
        | FinanceCommand::Expiry(of)
        | FinanceCommand::Liability { of, .. } => of,
    };
    let shop = app.shop_named(&of.shop).await?;
    let mut read = app.db.read(shop.id).await?;
    let mut books = Books::open(&mut read, shop.id, of.as_of, app.clock.now()).await.map_err(told)?;
    let table = match &command {
        FinanceCommand::RollForward(_) => table(&books.roll_forward().await.map_err(told)?),
        FinanceCommand::Cohorts(_) => table(&books.cohorts().await.map_err(told)?),
        FinanceCommand::Triangle(_) => table(&books.triangle().await.map_err(told)?),
        FinanceCommand::Expiry(_) => table(&books.by_expiry().await.map_err(told)?),
        FinanceCommand::Liability { points, minor, allocated, expected, .. } => {
            let terms = terms((*points, *minor), (*allocated, *expected));
            let (rate, allocation) = terms.map_err(|nonsense| told(nonsense.into()))?;
            table(&[books.liability(rate, allocation).await.map_err(told)?])
        }
    };
    let table = table.map_err(|error| Error::Usage(error.to_string()))?;
    // The database closes when nobody reads any more.
    drop(read);
    print!("{}", String::from_utf8_lossy(&table));
    app.db.close().await;
    Ok(())
}

fn told(error: Finance) -> Error {
    match error {
        Finance::Db(error) => error.into(),
        error => Error::Usage(error.to_string()),
    }
}
