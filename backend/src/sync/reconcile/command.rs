//! `loyalnest reconcile`: compare published accounts with the ledger, or see what came of it.

use uuid::Uuid;

use super::{ask, last};
use crate::app::App;
use crate::error::Error;
use crate::ids::ShopId;
use crate::merchants;
use crate::named::OfShop;

/// How many shops are looked at in one transaction.
const AT_ONCE: i64 = 500;

/// What is to be done.
#[derive(Debug, clap::Args)]
pub struct ReconcileArgs {
    #[command(flatten)]
    of: OfShop,
    /// Show the last reports instead: domain, state, when it ended, members, and what was not as the ledger says.
    #[arg(long)]
    report: bool,
}

/// Does it.
///
/// # Errors
/// When there is no such shop, or the database fails.
pub async fn run(app: &App, args: ReconcileArgs) -> Result<(), Error> {
    if let Some(shop) = args.of.id(app).await? {
        return one(app, shop, args.report).await;
    }
    let mut after = ShopId(Uuid::nil());
    loop {
        let shops = merchants::zones(&mut app.db.read_outside().await?, after, AT_ONCE).await?;
        let Some(end) = shops.last() else { return Ok(()) };
        after = end.shop_id;
        for shop in &shops {
            one(app, shop.shop_id, args.report).await?;
        }
    }
}

async fn one(app: &App, shop: ShopId, report: bool) -> Result<(), Error> {
    let Some(known) = app.shops.find(shop).await? else { return Ok(()) };
    if report {
        let last = last(&mut app.db.read(shop).await?, shop).await?;
        let Some(last) = last else {
            println!("{}\tnever", known.domain);
            return Ok(());
        };
        let drifts = last.counts.drifts().map(|(kind, count)| format!("{kind} {count}")).join(", ");
        let ended = last.ended_at.map_or("-".to_owned(), |at| at.to_string());
        println!("{}\t{}\t{ended}\t{} members\t{drifts}", known.domain, last.state, last.counts.members);
        return Ok(());
    }
    let mut tx = app.db.begin(shop).await?;
    let asked = ask(&mut tx, shop, app.clock.now()).await?;
    tx.commit().await?;
    println!("{}\t{}\t{}", known.domain, if asked.new { "begins" } else { "is under way" }, asked.run);
    Ok(())
}
