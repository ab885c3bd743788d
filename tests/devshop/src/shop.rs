//! The shop itself: everything it can do, as calls for tests beside the HTTP it serves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admin::{API_VERSION, AdminCall, AdminFault, Gate};
use crate::cart::{Cart, CartLine, NewCart, set_attribute};
use crate::catalog::{Customer, NewProduct, Product};
use crate::checkout::{ACTIVE_FUNCTIONS, Checkout, Quote};
use crate::clock::Clock;
use crate::discounts::{DiscountNode, NewDiscount};
use crate::facts::Facts;
use crate::functions::Function;
use crate::ids::Ids;
use crate::metafields::{Metafield, Version, resolve_namespace};
use crate::orders::{Order, PlaceOptions, Refund, RefundError, RefundRequest, payload};
use crate::settings::Settings;
use crate::state::{State, cart_owner};
use crate::switches::Switches;
use crate::webhooks::Webhooks;
use crate::router::router;
use crate::sign;

/// An open shop. Clones are the same shop; it closes when the last is dropped.
#[derive(Clone)]
pub struct DevShop(Arc<Inner>);

struct Inner {
    facts: Facts,
    url: String,
    clock: Clock,
    state: Mutex<State>,
    switches: Mutex<Switches>,
    app_url: Mutex<Option<String>>,
    gate: Gate,
    webhooks: Webhooks,
    http: reqwest::Client,
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
    /// What was asked does not fit the order's state.
    #[error("the order is already {0}")]
    Already(&'static str),
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
        let zone = TimeZone::get(&settings.time_zone)?;
        let listener = TcpListener::bind(("127.0.0.1", settings.port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let sender = crate::webhooks::Sender {
            shop_domain: settings.domain.clone(),
            api_version: API_VERSION,
            secret: settings.app.api_secret.clone(),
        };
        let app_url = settings.app.url.clone();
        // Webhooks draw from a sequence of their own, so that faults do not change the ids of orders.
        let webhook_ids = Ids::new(settings.seed ^ 0x5eed, false);
        let webhooks = Webhooks::new(settings.webhooks.clone(), webhook_ids, app_url.clone(), sender)?;
        let closing = CancellationToken::new();
        let shop = Self(Arc::new(Inner {
            url,
            clock: settings.clock.clone(),
            state: Mutex::new(State::new(Ids::new(settings.seed, settings.ids_beyond_floats))),
            switches: Mutex::new(settings.switches),
            app_url: Mutex::new(app_url),
            gate: Gate::new(settings.bucket),
            webhooks: webhooks.clone(),
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(std::time::Duration::from_secs(30))
                .no_proxy()
                .build()?,
            closing: closing.clone(),
            facts: Facts { settings, zone },
        }));
        tokio::spawn(webhooks.run(closing.clone()));
        let app = router(&shop);
        tokio::spawn(async move {
            let served = axum::serve(listener, app).with_graceful_shutdown(closing.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "the shop stopped serving");
            }
        });
        Ok(shop)
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

    /// Makes the next Admin requests fail, one after another.
    pub fn fail_admin(&self, faults: impl IntoIterator<Item = AdminFault>) {
        lock(&self.0.gate.faults).next.extend(faults);
    }

    /// Forgets the faults that have not happened yet.
    pub fn heal_admin(&self) {
        lock(&self.0.gate.faults).next.clear();
    }

    /// Hides a thing from the app, by global id: it comes back null beside an `ACCESS_DENIED`; or shows it again.
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

    // ── Catalogue and customers ─────────────────────────────────────────────────────────────────────────────

    /// Adds a product.
    pub fn add_product(&self, product: NewProduct) -> Product {
        self.state().add_product(product)
    }

    /// All products, in the order they were added.
    pub fn products(&self) -> Vec<Product> {
        self.state().products.clone()
    }

    /// Changes a variant's price, in minor units of the shop's currency. Orders keep the price they were placed at.
    ///
    /// # Errors
    /// When there is no such variant.
    pub fn set_price(&self, variant: u64, price: i64) -> Result<(), ShopError> {
        let mut state = self.state();
        let mut variants = state.products.iter_mut().flat_map(|product| &mut product.variants);
        variants.find(|known| known.id == variant).ok_or(ShopError::NotFound("variant"))?.price = price;
        Ok(())
    }

    /// Opens an account.
    pub fn add_customer(&self, first_name: &str, last_name: &str, email: &str) -> Customer {
        self.state().add_customer(first_name, last_name, email, self.0.clock.now())
    }

    /// All customers, oldest first.
    pub fn customers(&self) -> Vec<Customer> {
        self.state().customers.values().cloned().collect()
    }

    /// A customer.
    pub fn customer(&self, id: u64) -> Option<Customer> {
        self.state().customers.get(&id).cloned()
    }

    /// Deletes a customer; orders keep what they know.
    pub fn delete_customer(&self, id: u64) {
        self.state().customers.remove(&id);
    }

    // ── Metafields ──────────────────────────────────────────────────────────────────────────────────────────

    /// Declares the type of a metafield of a kind of owner (such as `Customer`), as the app's TOML does.
    pub fn define_metafield(&self, owner_kind: &str, namespace: &str, key: &str, kind: &str) {
        let namespace = self.namespace(namespace);
        self.state().definitions.insert((owner_kind.into(), namespace, key.into()), kind.into());
    }

    /// A metafield as it is now; `$app` is the app's namespace.
    pub fn metafield(&self, owner: &str, namespace: &str, key: &str) -> Option<Metafield> {
        self.state().metafields.get(owner, &self.namespace(namespace), key).cloned()
    }

    /// A metafield's versions, oldest first.
    pub fn metafield_history(&self, owner: &str, namespace: &str, key: &str) -> Vec<Version> {
        self.state().metafields.history(owner, &self.namespace(namespace), key).to_vec()
    }

    /// All metafields of an owner that are or were: namespace, key, versions.
    pub fn metafields_of(&self, owner: &str) -> Vec<(String, String, Vec<Version>)> {
        let state = self.state();
        let all = state.metafields.of_owner(owner);
        all.map(|(namespace, key, versions)| (namespace.into(), key.into(), versions.to_vec())).collect()
    }

    /// Writes a JSON metafield past the Admin API and all its checks, malformed if need be.
    pub fn put_metafield(&self, owner: &str, namespace: &str, key: &str, value: &str) {
        let namespace = self.namespace(namespace);
        let now = self.0.clock.now();
        let mut state = self.state();
        let id = state.ids.id();
        state.metafields.set((owner.into(), namespace, key.into()), "json", value, now, id);
    }

    /// Takes a metafield away.
    pub fn delete_metafield(&self, owner: &str, namespace: &str, key: &str) {
        let namespace = self.namespace(namespace);
        let now = self.0.clock.now();
        self.state().metafields.delete(owner, &namespace, key, now);
    }

    // ── Functions and discounts ─────────────────────────────────────────────────────────────────────────────

    /// Installs a Function, or replaces the one with the same handle.
    pub fn install(&self, function: Function) {
        let mut state = self.state();
        state.functions.retain(|installed| installed.handle != function.handle);
        state.functions.push(Arc::new(function));
    }

    /// Puts a Function to work from now on, without the Admin API.
    ///
    /// # Errors
    /// When the Function is not installed or there are too many discounts.
    pub fn add_discount(&self, new: NewDiscount) -> Result<DiscountNode, ShopError> {
        let now = self.0.clock.now();
        let mut state = self.state();
        if !state.functions.iter().any(|function| function.handle == new.function_handle) {
            return Err(ShopError::NotFound("Function of this handle"));
        }
        if state.discounts.iter().filter(|discount| discount.is_active(now)).count() >= ACTIVE_FUNCTIONS {
            return Err(ShopError::TooManyDiscounts);
        }
        let node = DiscountNode {
            id: state.ids.id(),
            title: new.title,
            function_handle: new.function_handle,
            classes: new.classes,
            combines_with: new.combines_with,
            created_at: now,
            starts_at: now,
            ends_at: None,
        };
        state.discounts.push(node.clone());
        Ok(node)
    }

    /// All discounts, oldest first.
    pub fn discounts(&self) -> Vec<DiscountNode> {
        self.state().discounts.clone()
    }

    /// Ends all discounts.
    pub fn clear_discounts(&self) {
        self.state().discounts.clear();
    }

    // ── Carts ───────────────────────────────────────────────────────────────────────────────────────────────

    /// Makes a cart.
    ///
    /// # Errors
    /// When there is no such customer or the shop does not take the currency.
    pub fn new_cart(&self, new: NewCart) -> Result<Cart, ShopError> {
        if let Some(currency) = new.currency.filter(|currency| !self.0.facts.takes(*currency)) {
            return Err(ShopError::Currency(currency.to_string()));
        }
        let mut state = self.state();
        if new.customer.is_some_and(|id| !state.customers.contains_key(&id)) {
            return Err(ShopError::NotFound("customer"));
        }
        Ok(state.add_cart(new, self.0.facts.settings.currency))
    }

    /// A cart.
    pub fn cart(&self, token: &str) -> Option<Cart> {
        self.state().carts.get(token).cloned()
    }

    /// Adds units of a variant and returns the line's id. Units without properties join a line of the same variant.
    ///
    /// # Errors
    /// When there is no such cart or variant.
    pub fn add_to_cart(&self, token: &str, variant: u64, quantity: u32) -> Result<String, ShopError> {
        let mut state = self.state();
        state.variant(variant).ok_or(ShopError::NotFound("variant"))?;
        let id = state.ids.uuid();
        let cart = state.carts.get_mut(token).ok_or(ShopError::NotFound("cart"))?;
        if let Some(line) = cart.lines.iter_mut().find(|line| line.variant == variant && line.properties.is_empty()) {
            line.quantity = line.quantity.saturating_add(quantity);
            return Ok(line.id.clone());
        }
        cart.lines.push(CartLine { id: id.clone(), variant, quantity: quantity.max(1), properties: Vec::new() });
        Ok(id)
    }

    /// Changes a cart by a closure, for whatever there is no call for.
    ///
    /// # Errors
    /// When there is no such cart.
    pub fn change_cart<T>(&self, token: &str, change: impl FnOnce(&mut Cart) -> T) -> Result<T, ShopError> {
        let mut state = self.state();
        let cart = state.carts.get_mut(token).ok_or(ShopError::NotFound("cart"))?;
        let result = change(cart);
        cart.lines.retain(|line| line.quantity > 0);
        Ok(result)
    }

    /// Sets a cart attribute, or takes it away with `None`.
    ///
    /// # Errors
    /// When there is no such cart.
    pub fn set_cart_attribute(&self, token: &str, name: &str, value: Option<&str>) -> Result<(), ShopError> {
        self.change_cart(token, |cart| set_attribute(&mut cart.attributes, name, value))
    }

    /// Sets a JSON cart metafield in the app's namespace, or takes it away with `None`.
    ///
    /// # Errors
    /// When there is no such cart.
    pub fn set_cart_metafield(&self, token: &str, key: &str, value: Option<&str>) -> Result<(), ShopError> {
        self.cart(token).ok_or(ShopError::NotFound("cart"))?;
        match value {
            Some(value) => self.put_metafield(&cart_owner(token), "$app", key, value),
            None => self.delete_metafield(&cart_owner(token), "$app", key),
        }
        Ok(())
    }

    // ── Checkout and orders ─────────────────────────────────────────────────────────────────────────────────

    /// What a cart comes to, with every Function run. Takes as long as the Functions take.
    ///
    /// # Errors
    /// When there is no such cart.
    pub fn quote(&self, token: &str) -> Result<Quote, ShopError> {
        let (now, switches) = (self.0.clock.now(), self.switches());
        let checkout = {
            let state = self.state();
            let cart = state.carts.get(token).ok_or(ShopError::NotFound("cart"))?;
            Checkout::prepare(&self.0.facts, &state, cart, switches, now)
        };
        Ok(checkout.settle(&self.0.facts, switches))
    }

    /// Places the order of a cart as it comes to now, and sends its webhooks.
    ///
    /// # Errors
    /// When there is no such cart or it is empty.
    pub fn place_order(&self, token: &str, options: PlaceOptions) -> Result<Order, ShopError> {
        self.place_quoted(self.quote(token)?, options)
    }

    /// Places the order of a quote as it was, whatever has happened since: what a checkout does that was shown its
    /// discount some time ago.
    ///
    /// # Errors
    /// When the cart has become an order already, or the quote is empty.
    pub fn place_quoted(&self, quote: Quote, options: PlaceOptions) -> Result<Order, ShopError> {
        if quote.lines.is_empty() {
            return Err(ShopError::EmptyCart);
        }
        let (now, switches) = (self.0.clock.now(), self.switches());
        let namespace = self.namespace("$app");
        let mut state = self.state();
        if !state.carts.contains_key(&quote.cart.token) {
            return Err(ShopError::NotFound("cart"));
        }
        let order = state.place(quote, options, &namespace, switches, now);
        let topics: &[&str] =
            if order.paid_at.is_some() { &["orders/create", "orders/paid"] } else { &["orders/create"] };
        self.announce_order(order, topics);
        Ok(order.clone())
    }

    /// All orders, oldest first.
    pub fn orders(&self) -> Vec<Order> {
        self.state().orders.values().cloned().collect()
    }

    /// An order.
    pub fn order(&self, id: u64) -> Option<Order> {
        self.state().orders.get(&id).cloned()
    }

    /// Takes the payment of an order that was not paid when it was placed.
    ///
    /// # Errors
    /// When there is no such order or it needs no payment.
    pub fn pay(&self, order: u64) -> Result<Order, ShopError> {
        let now = self.0.clock.now();
        self.change_order(order, &["orders/paid", "orders/updated"], |order, _| {
            match (order.paid_at, order.cancelled_at) {
                (Some(_), _) => Err(ShopError::Already("paid")),
                (_, Some(_)) => Err(ShopError::Already("cancelled")),
                (None, None) => {
                    order.paid_at = Some(now);
                    Ok(())
                }
            }
        })
        .map(|(order, ())| order)
    }

    /// Cancels an order and gives back all that was paid and is left. A refund sends its own webhook, before.
    ///
    /// # Errors
    /// When there is no such order or it is cancelled.
    pub fn cancel(&self, order: u64, reason: &str) -> Result<Order, ShopError> {
        let now = self.0.clock.now();
        let (order, _) = self.change_order(order, &["orders/cancelled", "orders/updated"], |order, ids| {
            if order.cancelled_at.is_some() {
                return Err(ShopError::Already("cancelled"));
            }
            order.cancelled_at = Some(now);
            order.cancel_reason = Some(reason.to_owned());
            let refund = match order.paid_at {
                Some(_) => order.refund(&order.everything_left(), ids, now).ok(),
                None => None,
            };
            if let Some(refund) = &refund {
                self.announce_refund(refund, order);
            }
            Ok(refund)
        })?;
        Ok(order)
    }

    /// Gives back units of lines and shipping.
    ///
    /// # Errors
    /// When there is no such order or not that much is left.
    pub fn refund(&self, order: u64, request: &RefundRequest) -> Result<Refund, ShopError> {
        let now = self.0.clock.now();
        let (_, refund) = self.change_order(order, &["orders/updated"], |order, ids| {
            let refund = order.refund(request, ids, now)?;
            self.announce_refund(&refund, order);
            Ok(refund)
        })?;
        Ok(refund)
    }

    /// The payload `orders/*` would carry now.
    pub fn order_payload(&self, order: &Order) -> serde_json::Value {
        payload::order(order, &self.0.facts)
    }

    /// The query an app proxy request of this customer carries, signed, as `key=value&…`.
    pub fn signed_proxy_query(&self, customer: Option<u64>, extra: &[(&str, &str)]) -> String {
        let pairs = extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.sign_proxy(pairs, customer)
    }

    fn change_order<T>(
        &self,
        id: u64,
        topics: &[&str],
        change: impl FnOnce(&mut Order, &mut Ids) -> Result<T, ShopError>,
    ) -> Result<(Order, T), ShopError> {
        let now = self.0.clock.now();
        let mut state = self.state();
        let State { orders, ids, .. } = &mut *state;
        let order = orders.get_mut(&id).ok_or(ShopError::NotFound("order"))?;
        let result = change(order, ids)?;
        order.updated_at = now;
        self.announce_order(order, topics);
        Ok((order.clone(), result))
    }

    /// Sends an order's webhooks of one action. Called with the state locked, so that they leave in the order things
    /// happened.
    pub(crate) fn announce_order(&self, order: &Order, topics: &[&str]) {
        let event = self.0.webhooks.new_event_id();
        for topic in topics {
            self.0.webhooks.send(topic, payload::order(order, &self.0.facts), &event, self.0.clock.now());
        }
    }

    fn announce_refund(&self, refund: &Refund, order: &Order) {
        let event = self.0.webhooks.new_event_id();
        let payload = payload::refund(refund, order, &self.0.facts);
        self.0.webhooks.send("refunds/create", payload, &event, self.0.clock.now());
    }

    /// Adds what the platform adds to a proxied query, and signs it all.
    pub(crate) fn sign_proxy(&self, mut pairs: Vec<(String, String)>, customer: Option<u64>) -> String {
        let app = &self.0.facts.settings.app;
        let reserved = ["shop", "logged_in_customer_id", "path_prefix", "timestamp", "signature"];
        pairs.retain(|(key, _)| !reserved.contains(&key.as_str()));
        let customer = customer.map(|id| id.to_string()).unwrap_or_default();
        for (key, value) in [
            ("shop", self.0.facts.settings.domain.clone()),
            ("logged_in_customer_id", customer),
            ("path_prefix", format!("/apps/{}", app.proxy_subpath)),
            ("timestamp", self.0.clock.now().as_second().to_string()),
        ] {
            pairs.push((key.into(), value));
        }
        let signature = sign::proxy_query(&app.api_secret, &pairs);
        pairs.push(("signature".into(), signature));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
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

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
