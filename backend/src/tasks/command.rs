//! `loyalnest tasks …`: what an operator does about tasks that were given up.

use super::INSTALLATION;
use crate::app::App;
use crate::error::Error;
use crate::ids::ShopId;
use crate::named::{Again, OfShop};

/// The most dead tasks that one list shows.
const LISTED: i64 = 1_000;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub enum TasksCommand {
    /// List the tasks that were given up, oldest first: id, shop (- for the installation's own), when it was pushed,
    /// kind, key, tries, reason.
    Dead(OfShop),
    /// Give dead tasks another chance, now that what was wrong is put right.
    Requeue(Again),
}

/// Does it.
///
/// # Errors
/// When there is no such shop or task, or the database fails.
pub async fn run(app: &App, command: TasksCommand) -> Result<(), Error> {
    match command {
        TasksCommand::Dead(of) => {
            let shop = of.id(app).await?;
            let dead = app.tasks.dead(shop, LISTED).await?;
            for task in &dead {
                println!(
                    "{}\t{}\t{}\t{}\t{}\t{}\t{}",
                    task.task_id,
                    name_of(app, task.shop_id).await?,
                    task.created_at,
                    task.kind,
                    task.key,
                    task.attempts,
                    task.reason.as_deref().unwrap_or("-")
                );
            }
            if dead.len() as i64 == LISTED {
                eprintln!("These are the first {LISTED}.");
            }
        }
        TasksCommand::Requeue(Again { id, all: _, of }) => {
            let shop = of.id(app).await?;
            let count = app.tasks.requeue(shop, id).await?;
            if let (Some(id), 0) = (id, count) {
                return Err(Error::Usage(format!("{id} is no dead task")));
            }
            println!("{count} requeued");
        }
    }
    Ok(())
}

/// A shop for a person: its domain.
async fn name_of(app: &App, shop: ShopId) -> Result<String, Error> {
    if shop == INSTALLATION {
        return Ok("-".to_owned());
    }
    let found = app.shops.find(shop).await?;
    Ok(found.map_or_else(|| shop.to_string(), |shop| shop.domain.to_string()))
}
