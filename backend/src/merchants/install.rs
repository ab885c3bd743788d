//! Installing the app: a grant is had from the shop and kept, with what the shop says of itself.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use loyalty::Currency;

use super::tokens::seal;
use super::{STRIPES, Shop, ShopError, Shops, store};
use crate::config::Secret;
use crate::db::Timestamp;
use crate::events::{self, Event, MerchantCreated};
use crate::ids::ShopId;
use crate::shopify::admin::{AdminApi, ShopDetails};
use crate::shopify::{Grant, ShopDomain};

/// How long a shop may take to say what it is: a merchant waits.
const DETAILS_WITHIN: Duration = Duration::from_secs(5);

impl Shops {
    /// Installs the app in a shop, or installs it again, with a session token of the shop's staff.
    ///
    /// # Errors
    /// [`ShopError`]. Nothing is kept then, and the next session token tries again.
    pub async fn install(
        &self,
        api: &AdminApi,
        domain: &ShopDomain,
        session_token: &str,
    ) -> Result<Arc<Shop>, ShopError> {
        let _turn = self.installing[stripe(domain)].lock().await;
        // Whoever had the turn before may have done it.
        if let Some(shop) = self.find_by_domain(domain).await?.filter(|shop| !shop.needs_token) {
            return Ok(shop);
        }
        let asked_at = self.clock.now();
        let grant = self.oauth.exchange(domain, session_token).await?;
        self.admit(api, domain, &grant, asked_at).await.map(Arc::new)
    }

    /// Installs the app in a shop, or installs it again, with the code that a merchant's approval gave.
    ///
    /// # Errors
    /// [`ShopError`]. Nothing is kept then.
    pub async fn approve(&self, api: &AdminApi, domain: &ShopDomain, code: &str) -> Result<Shop, ShopError> {
        let asked_at = self.clock.now();
        let grant = self.oauth.redeem(domain, code).await?;
        self.admit(api, domain, &grant, asked_at).await
    }

    /// Keeps what a shop granted when it was asked at this time. It is set up soon after.
    ///
    /// # Errors
    /// [`ShopError`]. Nothing is kept then.
    async fn admit(
        &self,
        api: &AdminApi,
        domain: &ShopDomain,
        grant: &Grant,
        asked_at: Timestamp,
    ) -> Result<Shop, ShopError> {
        let details = details(api, domain, &grant.access_token).await?;
        let shop = self.keep(details, domain, grant, asked_at, Some(asked_at)).await?;
        tracing::info!(shop = %shop.id, domain = %shop.domain, "a shop installed the app");
        Ok(shop)
    }

    /// Keeps a shop, what it granted when it was asked, and when it is to be set up.
    pub(super) async fn keep(
        &self,
        details: ShopDetails,
        domain: &ShopDomain,
        grant: &Grant,
        asked_at: Timestamp,
        set_up_due_at: Option<Timestamp>,
    ) -> Result<Shop, ShopError> {
        let currency = Currency::parse(&details.currency)?;
        jiff::tz::TimeZone::get(&details.time_zone)?;
        let mut shop = Shop {
            id: ShopId(uuid::Uuid::now_v7()),
            domain: domain.clone(),
            name: details.name,
            currency,
            time_zone: details.time_zone,
            installed_at: asked_at,
            needs_token: false,
        };
        let now = self.clock.now();
        let mut tx = self.db.begin_outside().await?;
        // Two installs at once: one makes the row, the other waits for it here, and both seal for its id.
        let created = store::insert_unless_known(&mut tx, &shop).await?;
        let (id, uninstalled_at) = store::lock(&mut tx, domain.as_str()).await?;
        if uninstalled_at.is_some_and(|at| at >= asked_at) {
            return Err(ShopError::UninstalledMeanwhile);
        }
        shop.id = id;
        let pair = seal(&self.cipher, id, grant, asked_at)?;
        store::admit(&mut tx, &shop, &pair, &grant.scopes, set_up_due_at, now).await?;
        if created {
            let event = MerchantCreated { domain: domain.to_string() };
            events::publish(&mut tx, id, Event::MerchantCreated(event), now).await?;
        }
        tx.commit().await?;
        self.forget(id);
        Ok(shop)
    }
}

/// What a shop says of itself to this token.
pub(super) async fn details(
    api: &AdminApi,
    domain: &ShopDomain,
    token: &Secret,
) -> Result<ShopDetails, ShopError> {
    let details = api.shop(domain, token).within(DETAILS_WITHIN).shop_details().await?;
    if details.domain != domain.as_str() {
        return Err(ShopError::AnotherShop(details.domain));
    }
    Ok(details)
}

fn stripe(domain: &ShopDomain) -> usize {
    let mut hasher = DefaultHasher::new();
    domain.hash(&mut hasher);
    (hasher.finish() % STRIPES as u64) as usize
}
