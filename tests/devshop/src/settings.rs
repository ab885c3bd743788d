//! What a local shop is told before it opens.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Clock;
use crate::money::{Currency, Rate};
use crate::oauth::StaffUser;
use crate::switches::Switches;
use crate::webhooks::Subscription;

/// How to open a shop. [`Settings::default`] is a shop in pounds on a free port without an app.
#[derive(Clone)]
pub struct Settings {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The `myshopify.com` domain it claims to have.
    pub domain: String,
    /// The shop's name.
    pub name: String,
    /// The shop's own currency; prices are kept in it.
    pub currency: Currency,
    /// IANA name of the shop's time zone.
    pub time_zone: String,
    /// Currencies a customer may pay in, with their rates; the shop's own needs no entry.
    pub rates: BTreeMap<Currency, Rate>,
    /// What can be chosen for shipping, the first being chosen unless the cart says otherwise. Empty: nothing is shipped.
    pub shipping: Vec<ShippingRate>,
    /// Tax contained in every price, in basis points (2000 = 20 %); none when 0.
    pub tax_included_bp: u32,
    /// Who works here.
    pub staff: Vec<StaffUser>,
    /// The installed app.
    pub app: App,
    /// How webhooks are delivered.
    pub webhooks: WebhookSettings,
    /// The Admin API's leaky bucket.
    pub bucket: BucketSettings,
    /// Whether the bucket fills by the shop's clock. By the machine's, which is the default, who is throttled really waits
    /// even when the shop's clock stands.
    pub bucket_by_clock: bool,
    /// How many bytes a JSON metafield may have.
    pub json_bytes: usize,
    /// Behaviours not known from outside.
    pub switches: Switches,
    /// The shop's time.
    pub clock: Clock,
    /// Makes ids, tokens and every random choice.
    pub seed: u64,
    /// Whether ids lie above 2^53.
    pub ids_beyond_floats: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            domain: "local-shop.myshopify.com".into(),
            name: "Local Shop".into(),
            currency: Currency::GBP,
            time_zone: "Europe/London".into(),
            rates: BTreeMap::new(),
            shipping: vec![ShippingRate {
                handle: "standard".into(),
                title: "Standard".into(),
                price: 495,
                free_from: None,
            }],
            tax_included_bp: 0,
            staff: StaffUser::some(),
            app: App::default(),
            webhooks: WebhookSettings::default(),
            bucket: BucketSettings::default(),
            bucket_by_clock: false,
            json_bytes: 128 * 1024,
            switches: Switches::default(),
            clock: Clock::real(),
            seed: 1,
            ids_beyond_floats: false,
        }
    }
}

/// The app that is installed in the shop.
#[derive(Clone)]
pub struct App {
    /// Where it answers, without a slash at the end; `None` until it is known: then nothing is delivered to it.
    pub url: Option<String>,
    /// Its client id.
    pub api_key: String,
    /// Its client secret: signs webhooks and proxy requests.
    pub api_secret: String,
    /// What it may send as `X-Shopify-Access-Token` beside the tokens it is granted.
    pub admin_token: String,
    /// The number in its reserved namespace, `app--{id}`.
    pub id: u64,
    /// Storefront paths `/apps/{subpath}/…` go to it.
    pub proxy_subpath: String,
    /// Where below its URL they arrive.
    pub proxy_path: String,
    /// The text of its `shopify.app.toml`: scopes and webhook subscriptions.
    pub config: Cow<'static, str>,
}

impl Default for App {
    fn default() -> Self {
        Self {
            url: None,
            api_key: "devshop-key".into(),
            api_secret: "devshop-secret".into(),
            admin_token: "devshop-token".into(),
            id: 424_242,
            proxy_subpath: "loyalty".into(),
            proxy_path: "/proxy".into(),
            config: include_str!("../../../shopify.app.toml").into(),
        }
    }
}

/// A way to ship the whole cart at one price.
#[derive(Debug, Clone)]
pub struct ShippingRate {
    /// Names it within the checkout.
    pub handle: String,
    /// What the customer reads.
    pub title: String,
    /// Minor units of the shop's currency.
    pub price: i64,
    /// Free when the undiscounted lines come to this much, in minor units of the shop's currency.
    pub free_from: Option<i64>,
}

/// How webhooks are delivered.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// What is sent instead of what the app's file subscribes to.
    pub subscriptions: Option<Vec<Subscription>>,
    /// All a delivery may take; Shopify gives 5 s.
    pub timeout: Duration,
    /// How long to wait before each retry. Shopify tries 8 times more within 4 hours; a local shop has less patience.
    pub retries: Vec<Duration>,
    /// How many deliveries may be under way at once; 1 keeps them in order until a retry.
    pub parallel: usize,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            subscriptions: None,
            timeout: Duration::from_secs(5),
            retries: [50, 100, 200, 400, 800, 1600, 3200, 6400].map(Duration::from_millis).to_vec(),
            parallel: 1,
        }
    }
}

/// The Admin API's leaky bucket, in cost points.
#[derive(Debug, Clone, Copy)]
pub struct BucketSettings {
    /// How much fits.
    pub capacity: u32,
    /// How much comes back each second.
    pub restore_rate: u32,
}

impl Default for BucketSettings {
    /// A shop on the standard plan.
    fn default() -> Self {
        Self { capacity: 2000, restore_rate: 100 }
    }
}
