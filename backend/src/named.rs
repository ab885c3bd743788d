//! How a command names shops, and what is to get another chance.

use uuid::Uuid;

use crate::app::App;
use crate::error::Error;
use crate::ids::ShopId;
use crate::shopify::ShopDomain;

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
    /// As [`known_shop`].
    pub async fn id(&self, app: &App) -> Result<Option<ShopId>, Error> {
        match &self.shop {
            Some(name) => Ok(Some(known_shop(app, name).await?)),
            None => Ok(None),
        }
    }
}

/// The shop of this name, which has, or had, the app installed.
///
/// # Errors
/// When the name is none (NAME.myshopify.com), or the shop never had.
pub async fn known_shop(app: &App, name: &str) -> Result<ShopId, Error> {
    let domain: ShopDomain = name.parse().map_err(|error| Error::Usage(format!("{name} is {error}")))?;
    let found = app.shops.find_known(&domain).await?;
    found.ok_or_else(|| Error::Usage(format!("{domain} never installed the app")))
}
