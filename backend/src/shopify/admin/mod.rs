//! The Admin API: typed calls over the operations in `graphql/`.
//!
//! A call has a deadline. Within it, what may pass by itself (a network fault, a 5xx, throttling) is tried again;
//! what cannot is an [`AdminError`] at once. User errors are data: they come back with the answer. Before a call is
//! sent, its cost is taken out of the shop's bucket ([`Bucket`]): who waits for it comes first ([`Priority`]).

mod bucket;
mod budget;
mod bulk;
mod changes;
mod customizations;
mod definitions;
mod discounts;
mod emails;
mod error;
mod metafields;
mod operations;
mod order;
mod payouts;
mod products;
mod queries;
mod tokens;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::ShopDomain;
use crate::clock::Clock;
use crate::config::{self, Config, Secret};
use crate::outgoing::Outgoing;
use tokens::Held;

use budget::Budgets;

pub use bucket::{Bucket, Done, Priority, ThrottleStatus, Wanted};
pub use budget::{SharedBuckets, Unshared};
pub use bulk::{BulkListed, BulkLook, BulkStart};
pub use changes::{Adjustment, OrderChanged, OrdersChanged, RefundNow, RefundedLine};
pub use customizations::{Customization, Customizes};
pub use definitions::Definition;
pub use discounts::{AppDiscount, DiscountClass, DiscountWrite, Note, PublishedProgram, ShopifyFunction};
pub use emails::CustomerEmail;
pub use error::{AdminError, UserError};
pub use metafields::{
    AccountMetafield, CompareDigest, METAFIELDS_AT_ONCE, MetafieldWrite, MetafieldsSet, WrittenMetafield,
};
pub use operations::ShopDetails;
pub use order::{Allocated, Amount, Delivery, OrderLine, OrderNow};
pub use payouts::{GiftCard, StoreCredit};
pub use products::ListedProduct;
pub use tokens::Tokens;

/// The Admin API of every shop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AdminApi {
    outgoing: Outgoing,
    /// `https://{shop}`, or where a local shop listens.
    url: String,
    version: String,
    /// How long one attempt may take.
    timeout: Duration,
    budgets: Arc<Budgets>,
    once: bool,
}

/// How long a call and its retries may take unless told otherwise.
const DEADLINE: Duration = Duration::from_secs(30);
/// The longest wait of background work for its shop's bucket, unless told otherwise. It has a queue to come back from, and
/// may hold what a shopper waits for.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(2);

impl AdminApi {
    /// The Admin API at the configured address.
    ///
    /// # Errors
    /// When the machine has no TLS to speak.
    pub fn new(config: &Config) -> Result<Self, AdminError> {
        Ok(AdminApi::over(Outgoing::to_shops(config)?, config))
    }

    /// The same, over these clients.
    pub(crate) fn over(outgoing: Outgoing, config: &Config) -> Self {
        let timeout = config::duration(config.shopify.timeout);
        let version = config.shopify.api_version.clone();
        let url = config.shopify.url.trim_end_matches('/').to_owned();
        let budgets = Arc::new(Budgets::new(None, Clock::system()));
        AdminApi { outgoing, url, version, timeout, budgets, once: false }
    }

    /// The same, with buckets that other processes draw on, too, and that fill by this clock.
    #[must_use]
    pub fn sharing(mut self, buckets: Arc<dyn SharedBuckets>, clock: Clock) -> Self {
        self.budgets = Arc::new(Budgets::new(Some(buckets), clock));
        self
    }

    /// The same, where nobody waits: a call is sent once, and whoever made it comes back in their own time. For whom time
    /// only passes when they say so.
    #[must_use]
    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// One shop's Admin API, for work in the background.
    pub fn shop(&self, domain: &ShopDomain, token: &Secret) -> Admin {
        let base = self.url.replace("{shop}", domain.as_str());
        Admin {
            outgoing: self.outgoing.clone(),
            url: format!("{base}/admin/api/{}/graphql.json", self.version),
            shop: domain.clone(),
            token: Held::new(token.clone()),
            timeout: self.timeout,
            deadline: DEADLINE,
            priority: Priority::Background,
            patience: if self.once { Duration::ZERO } else { BACKGROUND_PATIENCE },
            budgets: self.budgets.clone(),
            once: self.once,
        }
    }
}

/// One shop's Admin API. Its calls are in `operations` and `metafields`.
#[derive(Debug, Clone)]
pub struct Admin {
    outgoing: Outgoing,
    url: String,
    shop: ShopDomain,
    token: Held,
    timeout: Duration,
    deadline: Duration,
    priority: Priority,
    patience: Duration,
    budgets: Arc<Budgets>,
    once: bool,
}

impl Admin {
    /// The same API, whose every call ends within this time, retries included.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same API, for somebody or nobody who waits; somebody waits for the bucket until the deadline.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self.patience = match priority {
            _ if self.once => Duration::ZERO,
            Priority::Redemption => Duration::MAX,
            Priority::Background => BACKGROUND_PATIENCE,
        };
        self
    }

    /// The same API, for work that has others to do meanwhile: where there is not enough in the bucket it is told so at
    /// once ([`AdminError::Throttled`]).
    #[must_use]
    pub fn without_waiting(mut self) -> Self {
        self.patience = Duration::ZERO;
        self
    }

    /// The same API, which knows whom to ask for another token when Shopify refuses this one.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Arc<dyn Tokens>) -> Self {
        self.token = self.token.with(tokens);
        self
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.deadline
    }
}
