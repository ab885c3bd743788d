//! `loyalnest inbox …`: what an operator does about dead letters.

use crate::app::App;
use crate::error::Error;
use crate::named::{Again, OfShop};

/// The most dead letters that one list shows.
const LISTED: i64 = 1_000;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub enum InboxCommand {
    /// List the webhooks that could not be acted upon, oldest first: id, shop, when it came, topic, tries, reason.
    Dead(OfShop),
    /// Give dead webhooks another chance, now that what was wrong is put right.
    Requeue(Again),
}

/// Does it.
///
/// # Errors
/// When there is no such shop or letter, or the database fails.
pub async fn run(app: &App, command: InboxCommand) -> Result<(), Error> {
    match command {
        InboxCommand::Dead(of) => {
            let shop = of.id(app).await?;
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
        InboxCommand::Requeue(Again { id, all: _, of }) => {
            let shop = of.id(app).await?;
            let count = app.inbox.requeue(shop, id).await?;
            if let (Some(id), 0) = (id, count) {
                return Err(Error::Usage(format!("{id} is no dead webhook that still has its body")));
            }
            println!("{count} requeued");
        }
    }
    Ok(())
}
