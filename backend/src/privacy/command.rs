//! `loyalnest privacy …`: what an operator can see of privacy requests.

use std::io::Write;

use uuid::Uuid;

use crate::app::App;
use crate::error::Error;
use crate::named::known_shop;

/// The most requests that one list shows.
const LISTED: i64 = 1_000;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub enum PrivacyCommand {
    /// List a shop's requests, newest first: id, what is asked for, when it came, how far it is, why.
    List {
        /// NAME.myshopify.com
        shop: String,
    },
    /// Write what was found for a data request to standard output, as JSON.
    Export {
        /// NAME.myshopify.com
        shop: String,
        /// The id that `privacy list` shows.
        request: Uuid,
    },
}

/// Does it.
///
/// # Errors
/// When there is no such shop or export, or the database fails.
pub async fn run(app: &App, command: PrivacyCommand) -> Result<(), Error> {
    match command {
        PrivacyCommand::List { shop } => {
            let shop = known_shop(app, &shop).await?;
            for request in super::requests(&mut app.db.read(shop).await?, shop, LISTED).await? {
                println!(
                    "{}\t{}\t{}\t{}\t{}",
                    request.request_id,
                    request.kind.as_str(),
                    request.received_at,
                    request.state.as_str(),
                    request.outcome.as_deref().unwrap_or("-")
                );
            }
        }
        PrivacyCommand::Export { shop, request } => {
            let shop = known_shop(app, &shop).await?;
            let document = super::document(app, shop, request).await;
            let document =
                document.map_err(|error| Error::Usage(format!("the export cannot be read: {error}")))?;
            let missing = || Error::Usage(format!("there is no export of {request}, or its time is over"));
            std::io::stdout().write_all(&document.ok_or_else(missing)?)?;
        }
    }
    Ok(())
}
