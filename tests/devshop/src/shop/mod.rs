//! The shop itself: everything it can do, as calls for tests beside the HTTP it serves.

mod bulk;
mod carts;
mod catalog;
mod changes;
mod discounts;
mod metafields;
mod orders;
mod payouts;
mod proxy;

pub use changes::ShopChange;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admin::{AdminCall, AdminFault, Gate};
use crate::app_file::{AppFile, AppFileError};
use crate::bulk::Bulk;
use crate::checkout::ACTIVE_FUNCTIONS;
use crate::clock::Clock;
use crate::facts::Facts;
use crate::ids::Ids;
use crate::metafields::resolve_namespace;
use crate::oauth::{Grants, Staff};
use crate::orders::RefundError;
use crate::router::router;
use crate::settings::{BucketSettings, Settings};
use crate::state::{About, State};
use crate::switches::Switches;
use crate::webhooks::{Courier, Webhooks};

/// An open shop. Clones are the same shop; it stays open until [`DevShop::close`], or the runtime ends.
#[derive(Clone)]
pub struct DevShop(Arc<Inner>);

struct Inner {
    facts: Facts,
    url: String,
    clock: Clock,
    state: Mutex<State>,
    grants: Mutex<Grants>,
    staff: Mutex<Staff>,
    switches: Mutex<Switches>,
    app_url: Mutex<Option<String>>,
    gate: Gate,
    bulk: Mutex<Bulk>,
    webhooks: Webhooks,
    /// None in a shop that sends nothing by itself.
    http: Option<reqwest::Client>,
    closing: CancellationToken,
}

/// Why a shop cannot open.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] std::io::Error),
    /// No such time zone.
    #[error("unknown time zone: {0}")]
    TimeZone(#[from] jiff::Error),
    /// The app's file says what a shop cannot act on.
    #[error(transparent)]
    AppFile(#[from] AppFileError),
    /// The HTTP client cannot be made.
    #[error("cannot make an HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}

/// Why the shop refuses something.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShopError {
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(&'static str),
    /// The shop does not take this currency.
    #[error("the shop does not take {0}")]
    Currency(String),
    /// A cart without lines buys nothing.
    #[error("the cart is empty")]
    EmptyCart,
    /// Validations keep the checkout from going on.
    #[error("the checkout does not go on: {0}")]
    Blocked(String),
    /// What was asked does not fit the order's state.
    #[error("the order is already {0}")]
    Already(&'static str),
    /// Nothing was asked that would change anything.
    #[error("there is nothing to change")]
    NothingToChange,
    /// Not that much is left to give back.
    #[error(transparent)]
    Refund(#[from] RefundError),
    /// The shop has as many discounts as it may.
    #[error("the shop has {ACTIVE_FUNCTIONS} active app discounts already")]
    TooManyDiscounts,
}

impl DevShop {
    /// Opens a shop on 127.0.0.1.
    ///
    /// # Errors
    /// When the port is taken or a setting makes no sense.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Self::start_with_pages(settings, |_| axum::Router::new()).await
    }

    /// Opens a shop on 127.0.0.1 that serves pages beside its API.
    ///
    /// # Errors
    /// As [`DevShop::start`].
    pub async fn start_with_pages(
        settings: Settings,
        pages: impl FnOnce(&Self) -> axum::Router,
    ) -> Result<Self, StartError> {
        let listener = TcpListener::bind(("127.0.0.1", settings.port)).await?;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(std::time::Duration::from_secs(30))
            .no_proxy()
            .build()?;
        let courier = Courier::new(&settings.webhooks)?;
        let url = format!("http://{}", listener.local_addr()?);
        let shop = Self::furnish(settings, url, Some(http), Some(courier))?;
        let closing = shop.0.closing.clone();
        tokio::spawn(shop.webhooks().clone().run(closing.clone()));
        let app = router(&shop).merge(pages(&shop));
        tokio::spawn(async move {
            let served = axum::serve(listener, app).with_graceful_shutdown(closing.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "the shop stopped serving");
            }
        });
        Ok(shop)
    }

    /// Opens a shop that listens nowhere and does nothing by itself. Whoever opened it asks its [`router`] and delivers its
    /// webhooks ([`Webhooks::take`]), in the order that they want.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn in_process(settings: Settings) -> Result<Self, StartError> {
        let url = format!("https://{}", settings.domain);
        Self::furnish(settings, url, None, None)
    }

    fn furnish(
        settings: Settings,
        url: String,
        http: Option<reqwest::Client>,
        courier: Option<Courier>,
    ) -> Result<Self, StartError> {
        let app_file = AppFile::parse(&settings.app.config)?;
        let zone = TimeZone::get(&settings.time_zone)?;
        let sender = crate::webhooks::Sender {
            shop_domain: settings.domain.clone(),
            api_version: app_file.api_version().to_owned(),
            secret: settings.app.api_secret.clone(),
        };
        let app_url = settings.app.url.clone();
        // Webhooks draw from a sequence of their own, so that faults do not change the ids of orders.
        let webhook_ids = Ids::new(settings.seed ^ 0x5eed, false);
        let subscriptions =
            settings.webhooks.subscriptions.clone().unwrap_or_else(|| app_file.subscriptions());
        let webhooks = Webhooks::new(
            settings.webhooks.clone(),
            subscriptions,
            webhook_ids,
            app_url.clone(),
            sender,
            courier,
        );
        let ids = Ids::new(settings.seed, settings.ids_beyond_floats);
        let mut state = State::new(ids, About::of(&settings));
        state.define_order_metafields(app_file.order_metafields(), &settings.app);
        Ok(Self(Arc::new(Inner {
            url,
            clock: settings.clock.clone(),
            state: Mutex::new(state),
            // Tokens draw from a sequence of their own, as webhooks do.
            staff: Mutex::new(Staff::new(&settings.staff)),
            grants: Mutex::new(Grants::new(Ids::new(settings.seed ^ 0x70ce, false), app_file.scopes())),
            switches: Mutex::new(settings.switches),
            app_url: Mutex::new(app_url),
            gate: Gate::new(&settings),
            bulk: Mutex::default(),
            webhooks,
            http,
            closing: CancellationToken::new(),
            facts: Facts { settings, zone, storefront_reads: app_file.storefront_reads() },
        })))
    }

    /// Closes the shop: no more requests, no more webhooks.
    pub fn close(&self) {
        self.0.closing.cancel();
    }

    /// Where it serves, such as `http://127.0.0.1:9393`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// How it was opened.
    pub fn settings(&self) -> &Settings {
        &self.0.facts.settings
    }

    /// The shop's time.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Its webhooks.
    pub fn webhooks(&self) -> &Webhooks {
        &self.0.webhooks
    }

    /// Tells it where the app answers, or that there is none.
    pub fn set_app_url(&self, url: Option<&str>) {
        let url = url.map(|url| url.trim_end_matches('/').to_owned());
        *lock(&self.0.app_url) = url.clone();
        self.0.webhooks.set_app_url(url);
    }

    /// Where the app answers.
    pub fn app_url(&self) -> Option<String> {
        lock(&self.0.app_url).clone()
    }

    /// How the switches stand.
    pub fn switches(&self) -> Switches {
        *lock(&self.0.switches)
    }

    /// Sets the switches, from the next request or checkout on.
    pub fn set_switches(&self, switches: Switches) {
        *lock(&self.0.switches) = switches;
    }

    /// Gives one of the shops that are served at `/at/{shop}` another bucket of cost points, full.
    pub fn set_bucket(&self, shop: &str, bucket: BucketSettings) {
        self.0.gate.set_bucket(shop, bucket);
    }

    /// Makes the next Admin requests fail, one after another.
    pub fn fail_admin(&self, faults: impl IntoIterator<Item = AdminFault>) {
        lock(&self.0.gate.faults).next.extend(faults);
    }

    /// Makes the next Admin request with this operation fail.
    pub fn fail_operation(&self, operation: &str, fault: AdminFault) {
        lock(&self.0.gate.faults).of.push((operation.to_owned(), fault));
    }

    /// Forgets the faults that have not happened yet.
    pub fn heal_admin(&self) {
        let mut faults = lock(&self.0.gate.faults);
        faults.next.clear();
        faults.of.clear();
    }

    /// Hides a thing from the app, by global id, or `Customer.defaultEmailAddress` of everyone: it comes back null beside an `ACCESS_DENIED`; or shows it again.
    pub fn hide_from_admin(&self, gid: &str, hidden: bool) {
        let mut faults = lock(&self.0.gate.faults);
        if hidden {
            faults.hidden.insert(gid.to_owned());
        } else {
            faults.hidden.remove(gid);
        }
    }

    /// Every Admin request, oldest first.
    pub fn admin_calls(&self) -> Vec<AdminCall> {
        self.0.gate.calls()
    }

    pub(crate) fn namespace(&self, namespace: &str) -> String {
        resolve_namespace(Some(namespace), self.0.facts.settings.app.id)
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.0.facts
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    pub(crate) fn bulk(&self) -> MutexGuard<'_, Bulk> {
        lock(&self.0.bulk)
    }

    pub(crate) fn http(&self) -> Option<&reqwest::Client> {
        self.0.http.as_ref()
    }

    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        lock(&self.0.grants)
    }

    pub(crate) fn staff(&self) -> MutexGuard<'_, Staff> {
        lock(&self.0.staff)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
