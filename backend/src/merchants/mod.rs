//! The shops that installed the app: how they come, how their tokens stay fresh, how they go.
//!
//! ```text
//! a session token ──┐                        ┌─ merchants_shops: the pair of tokens, sealed, in one row
//! an approval's code ┴─ OAuth ─ admit ───────┤─ event merchant.created
//!                                            └─ set_up_due_at ─ set_up_due: the program's metafields, activation, history
//! standing(shop, user) ─ an online token for each member of staff, and what they may do: `staff`
//! token(shop) ─ under 5 minutes left, or refused? ─ lease ─ OAuth ─ the next pair
//! ```

mod authorize;
mod groups;
mod handler;
mod install;
mod jobs;
mod languages;
mod pairs;
mod plans;
mod refused;
pub mod routes;
mod staff;
mod store;
mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use loyalty::Currency;
use loyalty::money::MoneyError;

use crate::clock::Clock;
use crate::config::Secret;
use crate::db::{self, Cipher, CipherError, Db, Timestamp};
use crate::ids::ShopId;
use crate::shopify::admin::{AdminApi, AdminError, ShopDetails};
use crate::shopify::{Grant, OAuth, OAuthError, ShopDomain};

pub use handler::MerchantHandler;
pub use jobs::{RefreshTokens, refresh_dormant, set_up_due};
pub use languages::{Languages, languages, set_primary_locale};
pub use plans::{Plan, plan};
pub use staff::{Permission, Role, RoleError, StaffError, Standing};
pub use store::{
    Zone, allow_support, domain, erase, has_scope, installed_since, lock_installed, shops, support_allowed,
    zone, zones,
};
pub use tokens::Resealed;

/// A shop that installed the app.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Ours.
    pub id: ShopId,
    /// Its permanent domain.
    pub domain: ShopDomain,
    /// Its name, for people.
    pub name: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// Its time zone, IANA.
    pub time_zone: String,
    /// When it last granted the app a token.
    pub installed_at: Timestamp,
    /// Whether Shopify refused its token: a merchant who opens the app brings another.
    pub needs_token: bool,
}

/// Why a shop cannot be added or read, or its token had.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The Admin API did not say what the shop is.
    #[error("the shop could not be asked for its details")]
    Admin(#[from] AdminError),
    /// The shop granted no token.
    #[error("the shop grants no token")]
    OAuth(#[from] OAuthError),
    /// The token is another shop's.
    #[error("the token belongs to {0}")]
    AnotherShop(String),
    /// There is no token, because the app was uninstalled or Shopify does not accept it any more.
    #[error("the shop's token is gone; it comes back when a merchant opens the app")]
    NoToken,
    /// Shopify refused the token a moment ago.
    #[error(
        "Shopify refuses the shop's token; it is tried again at {until}, or when a merchant opens the app"
    )]
    TokenRefused {
        /// Nobody asks before.
        until: Timestamp,
    },
    /// The app was uninstalled while it was being installed.
    #[error("the app was uninstalled meanwhile")]
    UninstalledMeanwhile,
    /// The token is over, and another process takes long to refresh it.
    #[error("the shop's token is being refreshed")]
    Refreshing,
    /// Not a currency.
    #[error("the shop's currency is unknown")]
    Currency(#[from] MoneyError),
    /// Not a time zone.
    #[error("the shop's time zone is unknown")]
    TimeZone(#[from] jiff::Error),
    /// A stored token does not open.
    #[error("the shop's token was sealed with another key")]
    Sealed(#[from] CipherError),
    /// The database's error.
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// How long a shop is remembered before it is read again: it changes rarely, and every request asks for it.
const REMEMBERED: Duration = Duration::from_secs(30);
/// Installs of shops that share a stripe wait for each other.
const STRIPES: usize = 64;

/// Shops, and since when each is known.
type Remembered = HashMap<ShopDomain, (Instant, Arc<Shop>)>;

/// The shops. Cheap to clone.
#[derive(Clone)]
pub struct Shops {
    db: Db,
    cipher: Cipher,
    clock: Clock,
    oauth: OAuth,
    remembered: Arc<RwLock<Remembered>>,
    /// A page of the admin asks for several things at once; one of them installs.
    installing: Arc<[tokio::sync::Mutex<()>; STRIPES]>,
    sessions: staff::Sessions,
}

impl Shops {
    /// The shops of a database.
    pub fn new(db: Db, cipher: Cipher, clock: Clock, oauth: OAuth) -> Self {
        let installing = Arc::new(std::array::from_fn(|_| tokio::sync::Mutex::default()));
        Shops {
            db,
            cipher,
            clock,
            oauth,
            remembered: Arc::default(),
            installing,
            sessions: staff::Sessions::new(),
        }
    }

    /// The shop with this domain, if it has the app installed.
    ///
    /// # Errors
    /// [`ShopError::Database`].
    pub async fn find_by_domain(&self, domain: &ShopDomain) -> Result<Option<Arc<Shop>>, ShopError> {
        if let Some(shop) = self.recall(domain) {
            return Ok(Some(shop));
        }
        let row = store::find_by_domain(&mut self.db.read_outside().await?, domain.as_str()).await?;
        let Some(shop) = row.map(Shop::try_from).transpose()? else { return Ok(None) };
        let shop = Arc::new(shop);
        if let Ok(mut remembered) = self.remembered.write() {
            remembered.insert(domain.clone(), (Instant::now(), shop.clone()));
        }
        Ok(Some(shop))
    }

    /// The shop with this id, if it has the app installed.
    ///
    /// # Errors
    /// [`ShopError::Database`].
    pub async fn find(&self, id: ShopId) -> Result<Option<Shop>, ShopError> {
        let row = store::find(&mut self.db.read(id).await?, id).await?;
        row.map(Shop::try_from).transpose()
    }

    /// The id of the shop with this domain, if it ever had the app installed: what Shopify says of it may come after
    /// the app was uninstalled.
    ///
    /// # Errors
    /// [`ShopError::Database`].
    pub async fn find_known(&self, domain: &ShopDomain) -> Result<Option<ShopId>, ShopError> {
        // Every webhook asks, and nearly all are of shops that have it installed, which are remembered. The others are
        // not: they may be erased.
        if let Some(shop) = self.find_by_domain(domain).await? {
            return Ok(Some(shop.id));
        }
        Ok(store::find_id(&mut self.db.read_outside().await?, domain.as_str()).await?)
    }

    /// Adds a shop, or brings one that is known up to date, with what it says of itself and a token that lasts.
    ///
    /// # Errors
    /// [`ShopError`]: the shop does not answer or is another one, or the database refuses.
    pub async fn add(&self, api: &AdminApi, domain: &ShopDomain, token: &Secret) -> Result<Shop, ShopError> {
        let details = install::details(api, domain, token).await?;
        self.register(details, domain, token).await
    }

    /// Keeps a shop with what it says of itself and a token that lasts.
    ///
    /// # Errors
    /// [`ShopError`]: what it says makes no sense, or the database refuses.
    pub async fn register(
        &self,
        details: ShopDetails,
        domain: &ShopDomain,
        token: &Secret,
    ) -> Result<Shop, ShopError> {
        self.keep(details, domain, &Grant::lasting(token.clone()), self.clock.now(), None).await
    }

    /// Seals the tokens of all shops and their staff anew that an old key has sealed, and says of how many.
    ///
    /// # Errors
    /// [`ShopError::Sealed`] where no key opens them, or [`ShopError::Database`]. What is done stays done.
    pub async fn reseal(&self) -> Result<Resealed, ShopError> {
        tokens::reseal(&self.db, &self.cipher).await
    }

    /// Where shops are asked for tokens.
    pub(crate) fn oauth(&self) -> &OAuth {
        &self.oauth
    }

    /// Forgets what is remembered of a shop, because it has changed.
    fn forget(&self, id: ShopId) {
        if let Ok(mut remembered) = self.remembered.write() {
            remembered.retain(|_, (_, shop)| shop.id != id);
        }
    }

    fn recall(&self, domain: &ShopDomain) -> Option<Arc<Shop>> {
        let remembered = self.remembered.read().ok()?;
        let (since, shop) = remembered.get(domain)?;
        (since.elapsed() < REMEMBERED).then(|| shop.clone())
    }
}
