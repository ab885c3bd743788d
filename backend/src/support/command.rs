//! `loyalnest support …`: lets someone of the installation act as a shop's staff for a time.

use uuid::Uuid;

use super::{SupportError, Wish, close, open, store};
use crate::app::App;
use crate::audit::{Actor, By};
use crate::error::Error;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub enum SupportCommand {
    /// Let someone in, and print the token for `Authorization: Bearer …` below /api. It is shown once.
    Open {
        /// The shop: NAME.myshopify.com.
        shop: String,
        /// Who is let in; the merchant sees it.
        #[arg(long)]
        operator: String,
        /// Why; the merchant sees it.
        #[arg(long)]
        reason: String,
        /// For how long: 1 to 120 minutes.
        #[arg(long)]
        minutes: u32,
        /// Not only to look, but to edit the program and its members.
        #[arg(long)]
        write: bool,
    },
    /// End a session before its time.
    Close {
        /// The id that `support list` shows.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<Uuid>,
        /// All of them, of all shops.
        #[arg(long)]
        all: bool,
    },
    /// List the sessions that are open, oldest first: id, shop, operator, until when, whether it may edit, reason.
    List,
}

/// Does it.
///
/// # Errors
/// When there is no such shop or session, support is not allowed, or the database fails.
pub async fn run(app: &App, command: SupportCommand) -> Result<(), Error> {
    match command {
        SupportCommand::Open { shop, operator, reason, minutes, write } => {
            let shop = app.shop_named(&shop).await?;
            let wish = Wish { operator, reason, minutes, may_write: write };
            let (session, token) = open(app, &shop, wish).await.map_err(|error| match error {
                SupportError::Database(error) => error.into(),
                error => Error::Usage(error.to_string()),
            })?;
            eprintln!("session {} until {}", session.session_id, session.expires_at);
            println!("{}", token.show());
        }
        SupportCommand::Close { id, all: _ } => {
            let now = app.clock.now();
            let open = store::all_open(&mut app.db.read_across().await?, now).await?;
            let mut closed = 0;
            for session in open.iter().filter(|open| id.is_none_or(|id| open.session_id == id)) {
                let mut tx = app.db.begin(session.shop_id).await?;
                let by = By::from(Actor::Cli);
                closed += close(&mut tx, session.shop_id, Some(session.session_id), &by, now).await?;
                tx.commit().await?;
            }
            if let (Some(id), 0) = (id, closed) {
                return Err(Error::Usage(format!("{id} is no support session that is open")));
            }
            println!("{closed} ended");
        }
        SupportCommand::List => {
            for session in store::all_open(&mut app.db.read_across().await?, app.clock.now()).await? {
                let shop = app.shops.find(session.shop_id).await?;
                let shop = shop.map_or(session.shop_id.to_string(), |shop| shop.domain.to_string());
                let may = if session.may_write { "edits" } else { "looks" };
                println!(
                    "{}\t{shop}\t{}\t{}\t{may}\t{}",
                    session.session_id, session.operator, session.expires_at, session.reason
                );
            }
        }
    }
    Ok(())
}
