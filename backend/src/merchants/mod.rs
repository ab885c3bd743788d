//! The shops that installed the app.

pub mod routes;
mod store;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use loyalty::Currency;
use loyalty::money::MoneyError;

use crate::clock::Clock;
use crate::config::Secret;
use crate::db::{self, Cipher, CipherError, Db, Timestamp};
use crate::ids::ShopId;
use crate::shopify::ShopDomain;
use crate::shopify::admin::{AdminApi, AdminError, ShopDetails};

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
    /// Its Admin API token.
    pub token: Secret,
    /// When it installed the app, last.
    pub installed_at: Timestamp,
}

/// Why a shop cannot be added or read.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The Admin API did not say what the shop is.
    #[error("the shop could not be asked for its details")]
    Admin(#[from] AdminError),
    /// The token is another shop's.
    #[error("the token belongs to {0}")]
    AnotherShop(String),
    /// Not a currency.
    #[error("the shop's currency is unknown")]
    Currency(#[from] MoneyError),
    /// Not a time zone.
    #[error("the shop's time zone is unknown")]
    TimeZone(#[from] jiff::Error),
    /// The stored token does not open.
    #[error("the shop's token was sealed with another key")]
    Sealed(#[from] CipherError),
    /// The database's error.
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// How long a shop is remembered before it is read again: it changes rarely, and every request asks for it.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Shops, and since when each is known.
type Remembered = HashMap<ShopDomain, (Instant, Arc<Shop>)>;

/// The shops. Cheap to clone.
#[derive(Clone)]
pub struct Shops {
    db: Db,
    cipher: Cipher,
    clock: Clock,
    remembered: Arc<RwLock<Remembered>>,
}

impl Shops {
    /// The shops of a database.
    pub fn new(db: Db, cipher: Cipher, clock: Clock) -> Self {
        Shops { db, cipher, clock, remembered: Arc::default() }
    }

    /// The shop with this domain, if it has the app installed.
    ///
    /// # Errors
    /// [`ShopError::Database`] or [`ShopError::Sealed`].
    pub async fn find_by_domain(&self, domain: &ShopDomain) -> Result<Option<Arc<Shop>>, ShopError> {
        if let Some(shop) = self.recall(domain) {
            return Ok(Some(shop));
        }
        let row = store::find_by_domain(&mut self.db.read().await?, domain.as_str()).await?;
        let Some(shop) = row.map(|row| row.open(&self.cipher)).transpose()? else { return Ok(None) };
        let shop = Arc::new(shop);
        if let Ok(mut remembered) = self.remembered.write() {
            remembered.insert(domain.clone(), (Instant::now(), shop.clone()));
        }
        Ok(Some(shop))
    }

    /// The shop with this id, if it has the app installed.
    ///
    /// # Errors
    /// [`ShopError::Database`] or [`ShopError::Sealed`].
    pub async fn find(&self, id: ShopId) -> Result<Option<Shop>, ShopError> {
        let row = store::find(&mut self.db.read().await?, id).await?;
        row.map(|row| row.open(&self.cipher)).transpose()
    }

    /// Adds a shop, or brings one that is known up to date, with what it says of itself.
    ///
    /// # Errors
    /// [`ShopError`]: the shop does not answer or is another one, or the database refuses.
    pub async fn add(&self, api: &AdminApi, domain: &ShopDomain, token: &Secret) -> Result<Shop, ShopError> {
        let details = api.shop(domain, token).shop_details().await?;
        if details.domain != domain.as_str() {
            return Err(ShopError::AnotherShop(details.domain));
        }
        self.register(details, domain, token).await
    }

    /// Keeps a shop with what it says of itself.
    ///
    /// # Errors
    /// [`ShopError`]: what it says makes no sense, or the database refuses.
    pub async fn register(
        &self,
        details: ShopDetails,
        domain: &ShopDomain,
        token: &Secret,
    ) -> Result<Shop, ShopError> {
        let currency = Currency::parse(&details.currency)?;
        jiff::tz::TimeZone::get(&details.time_zone)?;

        let mut tx = self.db.begin().await?;
        let known = store::find_id(&mut tx, domain.as_str()).await?;
        let shop = Shop {
            id: known.unwrap_or_else(|| ShopId(uuid::Uuid::now_v7())),
            domain: domain.clone(),
            name: details.name,
            currency,
            time_zone: details.time_zone,
            token: token.clone(),
            installed_at: self.clock.now(),
        };
        store::upsert(&mut tx, &shop, &self.cipher).await?;
        tx.commit().await?;
        if let Ok(mut remembered) = self.remembered.write() {
            remembered.remove(domain);
        }
        Ok(shop)
    }

    fn recall(&self, domain: &ShopDomain) -> Option<Arc<Shop>> {
        let remembered = self.remembered.read().ok()?;
        let (since, shop) = remembered.get(domain)?;
        (since.elapsed() < REMEMBERED).then(|| shop.clone())
    }
}
