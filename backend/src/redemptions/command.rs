//! `loyalnest redemption …`: what a merchant decides about discounts that no hold covered.

use loyalty::{Currency, Money};

use super::store;
use crate::app::App;
use crate::error::Error;
use crate::ids::OrderId;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub enum RedemptionCommand {
    /// List the orders whose discount no hold covered and that wait for a review, oldest first: order, when, discount,
    /// what of it nobody paid for.
    Flagged {
        /// The shop: NAME.myshopify.com.
        #[arg(long)]
        shop: String,
    },
    /// Close the review of an order: its member may pick rewards again.
    Reviewed {
        /// Shopify's number of the order.
        order: i64,
        /// The shop: NAME.myshopify.com.
        #[arg(long)]
        shop: String,
    },
}

/// Does it.
///
/// # Errors
/// When there is no such shop, or no such order that waits, or the database fails.
pub async fn run(app: &App, command: RedemptionCommand) -> Result<(), Error> {
    match command {
        RedemptionCommand::Flagged { shop } => {
            let shop = app.shop_named(&shop).await?;
            for order in store::flagged(&mut app.db.read(shop.id).await?, shop.id).await? {
                let (discount, unbacked) =
                    (order.amount(order.used_minor), order.amount(order.unbacked_minor));
                println!("{}\t{}\t{discount} off\t{unbacked} unbacked", order.order_id, order.used_at);
            }
        }
        RedemptionCommand::Reviewed { order, shop } => {
            let shop = app.shop_named(&shop).await?;
            let mut tx = app.db.begin(shop.id).await?;
            let closed = store::set_reviewed(&mut tx, shop.id, OrderId(order), app.clock.now()).await?;
            tx.commit().await?;
            if !closed {
                return Err(Error::Usage(format!("order {order} does not wait for a review")));
            }
            println!("order {order} is reviewed");
        }
    }
    Ok(())
}

impl store::Flagged {
    /// For a person: `5.00 GBP`.
    fn amount(&self, minor: i64) -> String {
        let money = Currency::parse(&self.currency).and_then(|currency| Ok(Money::new(minor, currency)?));
        money.map_or_else(|_| "?".into(), |money| format!("{money} {}", self.currency))
    }
}
