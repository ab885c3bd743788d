//! The application: its parts, put together the same way for a server, a command and a test.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;

use crate::budgets::Budgets;
use crate::bulk::{self, Bulk, BulkHandler};
use crate::chores;
use crate::clock::Clock;
use crate::config::{Config, duration};
use crate::customers::CustomerHandler;
use crate::customers::tags::TagsReader;
use crate::db::{self, Cipher, Db, Options};
use crate::error::Error;
use crate::events::{Alerts, Events, Subscriber};
use crate::history::{HistoryReader, Subject};
use crate::inbox::{Handler, Inbox};
use crate::merchants::{MerchantHandler, Shop, ShopError, Shops};
use crate::orders::OrderHandler;
use crate::outgoing::Outgoing;
use crate::privacy::PrivacyHandler;
use crate::products::ProductHandler;
use crate::rfm::agreement::Comparer;
use crate::rota::Rota;
use crate::shopify::admin::{Admin, AdminApi, AdminError};
use crate::shopify::{OAuth, SessionTokens, ShopDomain, Signer};
use crate::sync::reconcile::Reconciler;
use crate::tasks::{Kind, Schedule, Tasks};
use crate::topics::Topics;
use crate::web::{Guesses, Limits, Turns};

/// Everything a request or a job needs. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Encrypted columns.
    pub cipher: Cipher,
    /// Shopify's signatures.
    pub signer: Signer,
    /// Session tokens.
    pub session_tokens: SessionTokens,
    /// Shopify's Admin API.
    pub admin: AdminApi,
    /// The shops that installed the app.
    pub shops: Shops,
    /// Webhooks.
    pub inbox: Inbox,
    /// Who reads the files of bulk operations.
    pub bulk: Bulk,
    /// Domain events.
    pub events: Events,
    /// Which shop's metafields are written next.
    pub(crate) sync_turns: Rota,
    /// Work to be done later.
    pub tasks: Tasks,
    /// How much may be asked at once.
    pub limits: Limits,
    /// Wrong tokens of the operator.
    pub guesses: Guesses,
    /// Whose turn it is to change a redemption.
    pub turns: Turns,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Starts to put an application together.
    pub fn builder(config: Config) -> Builder {
        Builder {
            config,
            clock: Clock::system(),
            bucket_clock: Clock::system(),
            db: None,
            handler: None,
            subscribers: None,
            tasks: None,
            readers: None,
            simulated: None,
        }
    }

    /// Its HTTP service.
    pub fn router(&self) -> Router {
        crate::web::router(self)
    }

    /// The shop that a command names, which has the app installed.
    ///
    /// # Errors
    /// When the name is none (NAME.myshopify.com), or the shop has not.
    pub async fn shop_named(&self, name: &str) -> Result<Arc<Shop>, Error> {
        let domain: ShopDomain = name.parse().map_err(|error| Error::Usage(format!("{name} is {error}")))?;
        let found = self.shops.find_by_domain(&domain).await?;
        found.ok_or_else(|| Error::Usage(format!("{domain} has not installed the app")))
    }

    /// A shop's Admin API, with a token that is good for a while.
    ///
    /// # Errors
    /// When there is no such token, and none can be had now.
    pub async fn admin_of(&self, shop: &Shop) -> Result<Admin, ShopError> {
        self.shops.admin(&self.admin, shop).await
    }
}

/// Puts an [`App`] together. What is not given is made as the settings say.
pub struct Builder {
    config: Config,
    clock: Clock,
    bucket_clock: Clock,
    db: Option<Db>,
    handler: Option<Arc<dyn Handler>>,
    subscribers: Option<Vec<Arc<dyn Subscriber>>>,
    tasks: Option<(Vec<Kind>, Vec<Schedule>)>,
    readers: Option<Vec<Arc<dyn bulk::Reader>>>,
    simulated: Option<Outgoing>,
}

impl Builder {
    /// Another clock than the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Another clock than the machine's for the shops' buckets of cost points. They fill by the machine's even where the time
    /// stands still: who is throttled really waits.
    #[must_use]
    pub fn bucket_clock(mut self, clock: Clock) -> Self {
        self.bucket_clock = clock;
        self
    }

    /// A database that is connected and migrated already.
    #[must_use]
    pub fn db(mut self, db: Db) -> Self {
        self.db = Some(db);
        self
    }

    /// Who acts on webhooks, instead of the rooms whose topics they are.
    #[must_use]
    pub fn handler(mut self, handler: Arc<dyn Handler>) -> Self {
        self.handler = Some(handler);
        self
    }

    /// Who gets domain events, instead of those who always do.
    #[must_use]
    pub fn subscribers(mut self, subscribers: Vec<Arc<dyn Subscriber>>) -> Self {
        self.subscribers = Some(subscribers);
        self
    }

    /// Which tasks there are and when the clock starts them, instead of the rooms' own.
    #[must_use]
    pub fn tasks(mut self, kinds: Vec<Kind>, schedules: Vec<Schedule>) -> Self {
        self.tasks = Some((kinds, schedules));
        self
    }

    /// Who reads the files of bulk operations, instead of those who always do.
    #[must_use]
    pub fn bulk_readers(mut self, readers: Vec<Arc<dyn bulk::Reader>>) -> Self {
        self.readers = Some(readers);
        self
    }

    /// Shopify is asked through these clients, [answered](Outgoing::answered_by) in this process perhaps, where time passes
    /// only when it is told to. So nobody waits for Shopify: a call that fails is not sent again before its caller's next turn.
    #[must_use]
    pub fn simulated(mut self, shopify: Outgoing) -> Self {
        self.simulated = Some(shopify);
        self
    }

    /// Connects what is not connected, and brings the schema up to date if the settings say so.
    ///
    /// # Errors
    /// A setting is missing, or the database cannot be reached.
    pub async fn build(self) -> Result<App, Error> {
        let Builder { config, clock, bucket_clock, db, handler, subscribers, tasks, readers, simulated } =
            self;
        let cipher = Cipher::ring(&config.encryption_key()?, &config.old_encryption_keys()?);
        let secrets = config.api_secrets()?;
        let session_tokens = SessionTokens::new(&config.shopify.api_key, &secrets);
        let signer = Signer::new(secrets);
        let db = match db {
            Some(db) => db,
            None => connect(&config).await?,
        };
        let secret = config.shopify.api_secret.clone();
        let (oauth, admin, files) = match simulated {
            Some(shopify) => (
                OAuth::over(shopify.clone(), &config, secret),
                AdminApi::over(shopify.clone(), &config).once(),
                shopify,
            ),
            None => (
                OAuth::new(&config, secret)?,
                AdminApi::new(&config)?,
                Outgoing::to_files(&config).map_err(AdminError::from)?,
            ),
        };
        let shops = Shops::new(db.clone(), cipher.clone(), clock.clone(), oauth);
        let budgets = Budgets::new(db.clone(), shops.clone(), clock.clone(), bucket_clock.clone());
        let admin = admin.sharing(Arc::new(budgets), bucket_clock);
        let orders = OrderHandler::new(db.clone(), clock.clone(), shops.clone(), admin.clone());
        let topics = || {
            Topics::new(vec![
                Arc::new(orders),
                Arc::new(CustomerHandler::new(clock.clone())),
                Arc::new(MerchantHandler::new(shops.clone())),
                Arc::new(ProductHandler::new(clock.clone())),
                Arc::new(PrivacyHandler::new(clock.clone())),
                Arc::new(BulkHandler::new(clock.clone())),
            ])
        };
        let handler = handler.unwrap_or_else(|| Arc::new(topics()));
        let inbox = Inbox::open(db.clone(), clock.clone(), cipher.clone(), config.inbox.clone(), handler);
        let limits = Limits::new(&config.web);
        crate::metrics::install();
        let subscribers = subscribers.unwrap_or_else(|| vec![Arc::new(Alerts)]);
        let events = Events::new(db.clone(), clock.clone(), config.events.clone(), subscribers);
        let (kinds, schedules) = match tasks {
            Some(tasks) => tasks,
            None => (chores::kinds(), chores::schedules().map_err(db::Error::other)?),
        };
        let readers = readers.unwrap_or_else(|| {
            let history = |of| Arc::new(HistoryReader::new(of, clock.clone()));
            vec![
                Arc::new(Reconciler::new(clock.clone())),
                Arc::new(Comparer),
                Arc::new(TagsReader::new(clock.clone())),
                history(Subject::Customers),
                history(Subject::Orders),
            ]
        });
        let tasks = Tasks::new(db.clone(), clock.clone(), config.tasks.clone(), kinds, schedules);
        let sync_turns = Rota::new(config.sync.workers);
        Ok(App(Arc::new(Parts {
            config,
            db,
            clock,
            cipher,
            signer,
            session_tokens,
            admin,
            shops,
            inbox,
            bulk: Bulk::new(readers, files),
            events,
            sync_turns,
            tasks,
            limits,
            guesses: Guesses::default(),
            turns: Turns::default(),
        })))
    }
}

async fn connect(config: &Config) -> Result<Db, Error> {
    let db = open_database(config).await?;
    if config.database.migrate_at_start {
        db.migrate().await?;
    }
    Ok(db)
}

/// Connects to the configured database and leaves its schema alone.
///
/// # Errors
/// When it cannot be reached.
pub async fn open_database(config: &Config) -> Result<Db, Error> {
    let options = Options {
        max_connections: config.database.max_connections,
        acquire_timeout: duration(config.database.acquire_timeout),
        statement_timeout: duration(config.database.statement_timeout),
    };
    Ok(Db::connect(config.database.url.expose(), &options).await?)
}
