//! `loyalnest export`: everything that a shop has here, in a folder.

use std::path::PathBuf;

use crate::app::App;
use crate::error::Error;

/// What is exported, and where to.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The shop: NAME.myshopify.com
    #[arg(long)]
    shop: String,
    /// A folder that is new or empty
    #[arg(long)]
    to: PathBuf,
}

/// Does it.
///
/// # Errors
/// When there is no such shop, the folder cannot be used, or the database fails.
pub async fn run(app: &App, ExportArgs { shop, to }: ExportArgs) -> Result<(), Error> {
    let shop = app.shop_named(&shop).await?;
    let manifest = super::export(app, &shop, &to).await?;
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    println!("{} members and {rows} rows of {} tables", manifest.members, manifest.tables.len());
    Ok(())
}
