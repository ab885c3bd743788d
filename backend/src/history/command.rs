//! `loyalnest history`: have a shop's customers and orders read, or see how far that is.

use super::{Subject, ask, progress};
use crate::app::App;
use crate::error::Error;

/// What is to be done.
#[derive(Debug, clap::Args)]
pub struct HistoryArgs {
    /// The shop: NAME.myshopify.com.
    #[arg(long)]
    shop: String,
    /// Show how far the last files are instead: what of, state, lines, taken, new members, passed by, refused, how far back.
    #[arg(long)]
    report: bool,
}

/// Does it.
///
/// # Errors
/// When there is no such shop, or the database fails.
pub async fn run(app: &App, args: HistoryArgs) -> Result<(), Error> {
    let shop = app.shop_named(&args.shop).await?.id;
    if !args.report {
        let mut tx = app.db.begin(shop).await?;
        let asked = ask(&mut tx, shop, app.clock.now()).await?;
        tx.commit().await?;
        for file in asked {
            println!("{}\t{}\t{}", file.subject, if file.new { "begins" } else { "is under way" }, file.run);
        }
        return Ok(());
    }
    let mut read = app.db.read(shop).await?;
    for subject in Subject::ALL {
        let Some(progress) = progress(&mut read, shop, subject).await? else {
            println!("{subject}\tnever");
            continue;
        };
        let (report, run) = (&progress.report, &progress.run);
        println!(
            "{subject}\t{}\t{} lines\t{} taken\t{} new members\t{} passed by\t{} refused\t{}",
            progress.state(),
            run.lines,
            report.taken,
            report.new_members,
            report.passed_by,
            report.refused,
            progress.reach().unwrap_or("-")
        );
    }
    Ok(())
}
