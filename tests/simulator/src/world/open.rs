//! How a world opens: a shop with its shelf and its customers, a database that was migrated before, the backend, the rules.

use std::path::Path;

use anyhow::{Context, Result};
use devshop::{CombinesWith, DevShop, DiscountClass, Freshness, NewDiscount, NewProduct, Settings, Switches};
use fastrand::Rng;
use loyalnest::clock::Clock;
use loyalnest::config::{Config, Secret};
use loyalnest::db::{Db, Options, Timestamp};
use loyalnest::outgoing::Outgoing;
use loyalnest::programs;
use loyalty::expiry::{Rule, Term};
use loyalty::program::{HoldTimes, ReturnPolicy};
use loyalty::{Currency, Points, Program};

use super::World;
use super::widgets::{POUND_OFF, TENTH_OFF};
use crate::model::{Model, Rules};
use crate::native;
use crate::plan::{self, PRODUCTS};
use crate::process::Process;

/// When every world begins.
const START: &str = "2026-11-23T12:00:00Z";
/// The title under which points take something off.
const TITLE: &str = "Loyalty points";

/// What worlds have in common: a migrated database, to be copied, and clients, which read the machine's certificates.
pub struct Template {
    folder: tempfile::TempDir,
    shopify: Outgoing,
}

impl Template {
    /// Prepares it.
    ///
    /// # Errors
    /// When the database cannot be made.
    pub fn new() -> Result<Template> {
        let folder = in_memory()?;
        let url = format!("sqlite://{}", folder.path().join("empty.db").display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let db = Db::connect(&url, &Options::default()).await?;
            db.migrate().await?;
            db.close().await;
            anyhow::Ok(())
        })?;
        let key = ("LOYALNEST_ENCRYPTION_KEY".to_owned(), "5a".repeat(32));
        let shopify = Outgoing::to_shops(&Config::load(None, &[key])?)?;
        Ok(Template { folder, shopify })
    }
}

/// A folder that is gone when it is dropped: in memory, where the machine has such a place.
fn in_memory() -> Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    Ok(folder?)
}

impl World {
    /// Opens a world. What is not told from outside (the rules, how Shopify behaves where nobody knows) is drawn.
    ///
    /// # Errors
    /// When something cannot be opened.
    pub fn open(template: &Template, rng: &mut Rng) -> Result<World> {
        let start: Timestamp = START.parse()?;
        let (switches, rules, ids) = (switches(rng), rules(rng), rng.u64(..));
        let settings = Settings {
            clock: devshop::Clock::standing_at(start.into()),
            time_zone: "UTC".into(),
            bucket_by_clock: true,
            switches,
            seed: ids,
            ids_beyond_floats: rng.bool(),
            ..Settings::default()
        };
        let shop = DevShop::in_process(settings)?;
        shop.install(native::points_redemption()?);
        shop.add_discount(NewDiscount {
            title: TITLE.into(),
            function_handle: "points-redemption".into(),
            classes: vec![DiscountClass::Product, DiscountClass::Order, DiscountClass::Shipping],
            combines_with: CombinesWith::ALL,
        })?;
        let variants = (0..PRODUCTS).map(|thing| {
            let price = rng.i64(99..4_000);
            shop.add_product(NewProduct::simple(&format!("Thing {thing}"), price)).variants[0].id
        });
        let variants = variants.collect();

        let folder = in_memory()?;
        let file = folder.path().join("world.db");
        std::fs::copy(template.folder.path().join("empty.db"), &file)?;
        let settings = backend_settings(&shop);
        let clock = Clock::fixed(start);
        let shopify = template.shopify.clone().answered_by(devshop::router(&shop));
        let process = Process::start(&file, &settings, clock.clone(), shopify.clone())?;
        let mut program = Program::standard(Currency::parse("GBP")?);
        set(&mut program, &rules)?;
        let (app, token) = (process.app.clone(), Secret::new(shop.settings().app.admin_token.clone()));
        let (domain, first) = (shop.settings().domain.parse()?, program.clone());
        let shop_id = process.finish(async move {
            let added = app.shops.add(&app.admin, &domain, &token).await?;
            let mut tx = app.db.begin(added.id).await?;
            programs::set(&mut tx, added.id, first, app.clock.now()).await?;
            tx.commit().await?;
            Ok(added.id)
        })?;
        let people = rng.usize(2..6);
        let customers =
            (0..people).map(|_| shop.add_customer("Ada", "Byron", "ada@example.com").id).collect();
        Ok(World {
            model: Model::new(rules, start.as_microsecond()),
            shop,
            shop_id,
            clock,
            process,
            file,
            settings,
            shopify,
            trip: None,
            customers,
            variants,
            orders: Vec::new(),
            marks: Default::default(),
            checkouts: Default::default(),
            waiting: Vec::new(),
            told: Default::default(),
            named: 0,
            till: Vec::new(),
            program,
            _folder: folder,
        })
    }
}

fn backend_settings(shop: &DevShop) -> Vec<(String, String)> {
    let app = &shop.settings().app;
    let settings = [
        ("SHOPIFY_API_KEY", app.api_key.as_str()),
        ("SHOPIFY_API_SECRET", &app.api_secret),
        ("LOYALNEST_ENCRYPTION_KEY", &"5a".repeat(32)),
        ("SCOPES", &shop.scopes()),
        ("HOST", "https://app.example"),
        // What happens within a second here takes its time elsewhere.
        ("LOYALNEST_WEB__RATE", "1000000"),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// How Shopify behaves where nobody knows.
fn switches(rng: &mut Rng) -> Switches {
    let freshness = |rng: &mut Rng| match rng.bool() {
        true => Freshness::Immediate,
        false => Freshness::StaleFor(rng.u32(1..600)),
    };
    let all = Switches::all_combinations_that_matter();
    let drawn = all[rng.usize(0..all.len())];
    Switches {
        metafield_freshness: freshness(rng),
        cart_metafield_freshness: freshness(rng),
        // The model knows the discount by one title.
        order_title: Default::default(),
        authentication: Default::default(),
        ..drawn
    }
}

fn rules(rng: &mut Rng) -> Rules {
    let mut rules = Rules {
        earn: Default::default(),
        owing: rng.bool(),
        life_minutes: 60,
        grace_minutes: 30,
        lifetime: None,
        grace_days: rng.i64(1..8),
        title: TITLE.into(),
    };
    for _ in 0..rng.usize(0..4) {
        rules.change(plan::change(rng));
    }
    rules.earn.points = rules.earn.points.max(1);
    rules
}

/// The program that says what these rules say.
pub(super) fn set(program: &mut Program, rules: &Rules) -> Result<()> {
    let earn = &rules.earn;
    program.discount_title = rules.title.clone();
    (program.earn.points, program.earn.per) = (Points::new(earn.points)?, earn.per);
    program.earn.order_cap = earn.cap.map(Points::new).transpose()?;
    program.earn.wait.days = earn.wait_days.try_into()?;
    program.earn.wait.until = match earn.until_fulfilled {
        true => loyalty::order::Until::Fulfilled,
        false => loyalty::order::Until::Paid,
    };
    program.returns = if rules.owing { ReturnPolicy::NegativeAllowed } else { ReturnPolicy::WithinBalance };
    let (life_minutes, grace_minutes) = (rules.life_minutes.try_into()?, rules.grace_minutes.try_into()?);
    program.holds = HoldTimes { life_minutes, grace_minutes };
    let days = rules.lifetime.map(u16::try_from).transpose()?;
    program.expiry.rule = days.map(|days| Rule::Term { after: Term::Days(days) });
    program.expiry.grace_days = rules.grace_days.try_into()?;
    for (id, points) in [("points", POUND_OFF), ("tenth-off", TENTH_OFF)] {
        let reward = program.rewards.iter_mut().find(|reward| reward.id == id);
        reward.context("a standard reward")?.points = Points::new(points)?;
    }
    Ok(())
}
