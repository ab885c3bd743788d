//! How a command names shops, and what is to get another chance.

use uuid::Uuid;

use crate::app::App;
use crate::error::Error;
use crate::ids::ShopId;

/// One shop, or all.
#[derive(Debug, clap::Args)]
pub struct OfShop {
    /// Only of this shop: NAME.myshopify.com.
    #[arg(long)]
    pub shop: Option<String>,
}

/// One, or all; of one shop or of all.
#[derive(Debug, clap::Args)]
pub struct Again {
    /// The id that `dead` shows.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub id: Option<Uuid>,
    /// All of them.
    #[arg(long)]
    pub all: bool,
    /// Of whom.
    #[command(flatten)]
    pub of: OfShop,
}

impl OfShop {
    /// The shop that was named, if one was.
    ///
    /// # Errors
    /// When the name is none, or the shop has not installed the app.
    pub async fn id(&self, app: &App) -> Result<Option<ShopId>, Error> {
        match &self.shop {
            Some(name) => Ok(Some(app.shop_named(name).await?.id)),
            None => Ok(None),
        }
    }
}
