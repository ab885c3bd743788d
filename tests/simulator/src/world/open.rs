//! How a world opens: shops with their shelves and customers, a database that was migrated before, the backend, the rules.

use std::sync::Arc;

use anyhow::Result;
use devshop::{
    Authentication, CartToOrder, CombinesWith, DevShop, DiscountClass, Freshness, Function, LastUnits,
    NewDiscount, NewProduct, OrderTitle, PosCartProperties, Product, Rate, Settings, Switches,
    ThrottledStatus,
};
use fastrand::Rng;
use jiff::tz::TimeZone;
use loyalnest::clock::Clock;
use loyalnest::config::Secret;
use loyalnest::db::Timestamp;
use loyalnest::programs;
use loyalty::{Currency, Program};

use super::exchange::Line;
use super::program::set;
use super::{Shop, Template, World};
use crate::model::calendar::Calendar;
use crate::model::{Model, Rules};
use crate::process::{Means, Process};
use crate::steps::{self, PRODUCTS};

/// When worlds begin: where clocks are put back or forward soon after, at different hours, and where nothing happens.
const STARTS: [(&str, &str); 7] = [
    ("2026-11-23T12:00:00Z", "UTC"),
    ("2026-10-23T09:00:00Z", "Europe/London"),
    ("2027-03-26T15:00:00Z", "Europe/Berlin"),
    ("2026-10-30T20:00:00Z", "America/New_York"),
    // The day begins at one o'clock.
    ("2026-09-04T12:00:00Z", "America/Santiago"),
    // By half an hour.
    ("2027-04-02T03:00:00Z", "Australia/Lord_Howe"),
    ("2026-11-23T12:00:00Z", "Pacific/Kiritimati"),
];
/// The title under which points take something off.
const TITLE: &str = "Loyalty points";
/// What rewards cost: within reach of somebody who has bought something.
pub const POUND_OFF: i64 = 20;
pub const TENTH_OFF: i64 = 60;
pub const FREE_DELIVERY: i64 = 50;
pub const FREE_THING: i64 = 90;

impl World {
    /// Opens a world. What is not told from outside (the rules, how Shopify behaves where nobody knows) is drawn.
    ///
    /// # Errors
    /// When something cannot be opened.
    pub fn open(template: &Template, rng: &mut Rng, shops: usize) -> Result<World> {
        let (start, zone) = STARTS[rng.usize(0..STARTS.len())];
        let start: Timestamp = start.parse()?;
        let shops_clock = devshop::Clock::standing_at(start.into());
        let locals: Vec<DevShop> = (0..shops)
            .map(|number| local_shop(rng, number, (&shops_clock, zone), &template.function()))
            .collect::<Result<_>>()?;

        let (folder, file) = template.database()?;
        let settings = backend_settings(&locals[0]);
        let clock = Clock::fixed(start);
        let line = Line::new(clock.clone(), shops_clock);
        let shopify = template.shopify().answered_by(line.to(&locals));
        let process = Process::start(Means { file, settings, clock, shopify })?;
        let shops = locals.into_iter().map(|local| install(&process, local, rng)).collect::<Result<_>>()?;
        Ok(World {
            shops,
            here: 0,
            process,
            trip: None,
            line,
            function: template.function(),
            named: 0,
            _folder: folder,
        })
    }
}

/// A shop as Shopify has it.
fn local_shop(
    rng: &mut Rng,
    number: usize,
    (clock, zone): (&devshop::Clock, &str),
    function: &Arc<Function>,
) -> Result<DevShop> {
    let shop = DevShop::in_process(Settings {
        domain: format!("shop-{number}.myshopify.com"),
        clock: clock.clone(),
        time_zone: zone.into(),
        rates: [("EUR".parse()?, Rate::new(117, 100)?)].into(),
        bucket_by_clock: true,
        switches: switches(rng),
        seed: rng.u64(..),
        ids_beyond_floats: rng.bool(),
        ..Settings::default()
    })?;
    shop.install(function.clone());
    shop.add_discount(NewDiscount {
        title: TITLE.into(),
        function_handle: "points-redemption".into(),
        classes: vec![DiscountClass::Product, DiscountClass::Order, DiscountClass::Shipping],
        combines_with: CombinesWith::ALL,
    })?;
    Ok(shop)
}

/// A shop that has the app: with rules, things on its shelf, and people.
fn install(process: &Process, local: DevShop, rng: &mut Rng) -> Result<Shop> {
    let things: Vec<Product> = (0..PRODUCTS).map(|thing| put_on_shelf(&local, thing, rng)).collect();
    let products: Vec<u64> = things.iter().map(|thing| thing.id).collect();
    let zone = TimeZone::get(&local.settings().time_zone)?;
    let start = local.clock().now().as_microsecond();
    let rules = rules(rng, Calendar(zone), &products, start);
    let mut program = Program::standard(Currency::parse("GBP")?);
    set(&mut program, &rules, things[0].variants[0].id)?;
    let (app, token) = (process.app.clone(), Secret::new(local.settings().app.admin_token.clone()));
    let (domain, first) = (local.settings().domain.parse()?, program.clone());
    let id = process.finish(async move {
        let added = app.shops.add(&app.admin, &domain, &token).await?;
        let mut tx = app.db.begin(added.id).await?;
        programs::set(&mut tx, added.id, first, app.clock.now()).await?;
        tx.commit().await?;
        Ok(added.id)
    })?;
    let variants = things.iter().map(|thing| thing.variants[0].id).collect();
    let customers = (0..rng.usize(2..6)).map(|_| somebody(&local, rng.u32(0..3) == 0)).collect();
    Ok(Shop {
        id,
        model: Model::new(rules, start),
        local,
        program,
        customers,
        signed_in: Default::default(),
        products,
        variants,
        orders: Vec::new(),
        has_past: false,
        codes: Vec::new(),
        marks: Default::default(),
        checkouts: Default::default(),
        waiting: Vec::new(),
        told: Default::default(),
        erased: Default::default(),
        heard_at: 0,
        files: Default::default(),
        given_up: false,
        is_out: false,
        has_tokens: true,
        was_out: false,
        untold: Default::default(),
        till: Vec::new(),
    })
}

/// Somebody whom the shop did not know: with an account, or a guest.
pub fn somebody(shop: &DevShop, is_guest: bool) -> u64 {
    let who = ("Ada", "Byron", "ada@example.com");
    let customer =
        if is_guest { shop.add_guest(who.0, who.1, who.2) } else { shop.add_customer(who.0, who.1, who.2) };
    customer.id
}

impl Shop {
    /// Nobody knows anything of it any more, but for the shop itself.
    pub fn forget(&mut self) {
        self.model = Model::new(self.model.rules.clone(), self.model.now);
        self.has_past |= !self.orders.is_empty();
        self.orders.clear();
        self.codes.clear();
        self.marks.clear();
        self.checkouts.clear();
        self.told.clear();
        self.untold.clear();
        self.given_up = false;
        self.erased.clear();
        self.heard_at = 0;
        self.files.clear();
        self.till.clear();
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
        ("LOYALNEST_WEB__CUSTOMER_RATE", "1000000"),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// How Shopify behaves where nobody knows.
fn switches(rng: &mut Rng) -> Switches {
    let freshness = |rng: &mut Rng| match rng.bool() {
        true => Freshness::Immediate,
        false => Freshness::StaleFor(rng.u32(1..600)),
    };
    Switches {
        metafield_freshness: freshness(rng),
        cart_metafield_freshness: freshness(rng),
        order_search: freshness(rng),
        order_title: [OrderTitle::CandidateMessage, OrderTitle::NodeTitle][rng.usize(0..2)],
        authentication: [Authentication::AsSignedIn, Authentication::FalseUnderShopPay][rng.usize(0..2)],
        last_units: [LastUnits::LargestRemainder, LastUnits::FirstLines, LastUnits::LastLine]
            [rng.usize(0..3)],
        pos_cart_properties: [PosCartProperties::Visible, PosCartProperties::Hidden][rng.usize(0..2)],
        cart_to_order: [CartToOrder::Copied, CartToOrder::NotCopied][rng.usize(0..2)],
        throttled_status: [ThrottledStatus::Ok, ThrottledStatus::TooManyRequests][rng.usize(0..2)],
    }
}

/// Some of the things are gift cards, some have tags, or are in collections.
fn put_on_shelf(shop: &DevShop, thing: usize, rng: &mut Rng) -> Product {
    let simple = NewProduct::simple(&format!("Thing {thing}"), rng.i64(99..4_000));
    let (tags, collections) = (steps::tags(rng), steps::collections(rng));
    shop.add_product(NewProduct { gift_card: thing + 1 == PRODUCTS, tags, collections, ..simple })
}

fn rules(rng: &mut Rng, calendar: Calendar, products: &[u64], now: i64) -> Rules {
    let mut rules = Rules {
        calendar,
        earn: Default::default(),
        owing: rng.bool(),
        life_minutes: 60,
        grace_minutes: 30,
        lifetime: None,
        grace_days: rng.i64(1..8),
        sign_up: None,
        first_order: None,
        birthday: None,
        referring: None,
        title: TITLE.into(),
    };
    for _ in 0..rng.usize(0..8) {
        rules.change(steps::change(rng), products, now);
    }
    rules.earn.points = rules.earn.points.max(1);
    rules
}
