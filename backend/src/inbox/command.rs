//! `loyalnest inbox …`: what an operator does about dead letters.

use uuid::Uuid;

use crate::app::App;
use crate::error::Error;
use crate::ids::ShopId;

/// The most dead letters that one list shows.
const LISTED: i64 = 1_000;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub enum InboxCommand {
    /// List the webhooks that could not be acted upon, oldest first: id, shop, when it came, topic, tries, reason.
    Dead {
        /// Only of this shop: NAME.myshopify.com.
        #[arg(long)]
        shop: Option<String>,
    },
    /// Give dead webhooks another chance, now that what was wrong is put right.
    Requeue {
        /// The id that `inbox dead` shows.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<Uuid>,
        /// All of them.
        #[arg(long)]
        all: bool,
        /// Only of this shop: NAME.myshopify.com.
        #[arg(long)]
        shop: Option<String>,
    },
}

/// Does it.
///
/// # Errors
/// When there is no such shop or letter, or the database fails.
pub async fn run(app: &App, command: InboxCommand) -> Result<(), Error> {
    match command {
        InboxCommand::Dead { shop } => {
            let shop = shop_named(app, shop.as_deref()).await?;
            let letters = app.inbox.dead_letters(shop, LISTED).await?;
            for letter in &letters {
                let shop = app.shops.find(letter.shop_id).await?;
                let shop = shop.map_or(letter.shop_id.to_string(), |shop| shop.domain.to_string());
                let reason = letter.reason.as_deref().unwrap_or("-");
                let body = if letter.has_body { "" } else { " (its body is gone)" };
                println!(
                    "{}\t{shop}\t{}\t{}\t{}\t{reason}{body}",
                    letter.message_id, letter.received_at, letter.topic, letter.attempts
                );
            }
            if letters.len() as i64 == LISTED {
                eprintln!("These are the first {LISTED}.");
            }
        }
        InboxCommand::Requeue { id, all: _, shop } => {
            let shop = shop_named(app, shop.as_deref()).await?;
            let count = app.inbox.requeue(shop, id).await?;
            if let (Some(id), 0) = (id, count) {
                return Err(Error::Usage(format!("{id} is no dead webhook that still has its body")));
            }
            println!("{count} requeued");
        }
    }
    Ok(())
}

/// The shop that was named, if one was.
async fn shop_named(app: &App, name: Option<&str>) -> Result<Option<ShopId>, Error> {
    match name {
        Some(name) => Ok(Some(app.shop_named(name).await?.id)),
        None => Ok(None),
    }
}
