//! The whole house: a local shop with the real Function, and the backend behind it, each on a port of its own.

use std::sync::LazyLock;
use std::time::Duration;

use devshop::{
    CombinesWith, DevShop, DiscountClass, Function, NewCart, NewDiscount, NewProduct, PlaceOptions,
};
use devshop::{Order, Quote, Rate, Settings, Switches};
use loyalnest::app::App;
use loyalnest::config::{Config, Secret};
use loyalnest::db;
use loyalnest::ids::ShopId;
use loyalnest::programs;
use loyalnest::serve;
use loyalnest::{proof, sync};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::TestDb;

/// What a test waits for at most.
const PATIENCE: Duration = Duration::from_secs(120);
/// The title under which points take something off.
const TITLE: &str = "Loyalty points";

static RUNNER: LazyLock<function_runner::Runner> = LazyLock::new(|| function_runner::Runner::new().unwrap());

pub struct House {
    pub shop: DevShop,
    pub app: App,
    pub shop_id: ShopId,
    pub url: String,
    pub http: reqwest::Client,
    /// A variant of 10 pounds.
    pub mug: u64,
    /// A gift card of 25 pounds.
    pub card: u64,
    stop: CancellationToken,
}

impl House {
    pub async fn open(test: &TestDb) -> House {
        House::with(test, Switches::default(), &[]).await
    }

    pub async fn with(test: &TestDb, switches: Switches, changed: &[(&str, &str)]) -> House {
        House::in_shop(test, Settings { switches, ..Settings::default() }, changed).await
    }

    /// In a shop whose staff may come in.
    pub async fn with_staff(test: &TestDb, settings: Settings) -> House {
        let key = settings.app.api_key.clone();
        House::in_shop(test, settings, &[("SHOPIFY_API_KEY", &key), ("HOST", "https://app.example")]).await
    }

    /// In a shop that is set up like this.
    pub async fn in_shop(test: &TestDb, settings: Settings, changed: &[(&str, &str)]) -> House {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = devshop::App { url: Some(url.clone()), ..devshop::App::default() };
        let rates = [("EUR", Rate::new(6, 5)), ("JPY", Rate::new(190, 1)), ("KWD", Rate::new(2, 5))];
        let rates = rates.into_iter().map(|(code, rate)| (code.parse().unwrap(), rate.unwrap())).collect();
        let mut settings = Settings { app, rates, ..settings };
        settings.webhooks.parallel = 8;
        let (secret, token, domain) =
            (settings.app.api_secret.clone(), settings.app.admin_token.clone(), settings.domain.clone());
        let shop = DevShop::start(settings).await.unwrap();
        shop.install(built("points-redemption"));
        shop.add_discount(NewDiscount {
            title: TITLE.into(),
            function_handle: "points-redemption".into(),
            classes: vec![DiscountClass::Product, DiscountClass::Order, DiscountClass::Shipping],
            combines_with: CombinesWith::ALL,
        })
        .unwrap();
        let mug = shop.add_product(NewProduct::simple("Mug", 1000)).variants[0].id;
        let card = NewProduct { gift_card: true, ..NewProduct::simple("Gift card", 2500) };
        let card = shop.add_product(card).variants[0].id;

        let key = "5a".repeat(32);
        let settings = [
            ("SHOPIFY_API_SECRET", secret.as_str()),
            ("LOYALNEST_ENCRYPTION_KEY", key.as_str()),
            ("LOYALNEST_SHOPIFY_URL", shop.url()),
        ];
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let config =
            Config::load(None, &settings.iter().chain(changed).map(owned).collect::<Vec<_>>()).unwrap();
        let app = App::builder(config).db(test.db.clone()).build().await.unwrap();
        let added = app.shops.add(&app.admin, &domain.parse().unwrap(), &Secret::new(token)).await.unwrap();
        programs::publish(&app, &added).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(serve::run(app.clone(), Some(listener), true, stop.clone()));
        let http = reqwest::Client::new();
        House { shop, app, shop_id: added.id, url, http, mug, card, stop }
    }

    /// Deploys one more of the app's Functions.
    pub fn deploy(&self, function: &str) {
        self.shop.install(built(function));
    }

    /// A customer who has spent this many times ten pounds, and so has ten points for each.
    pub async fn customer(&self, mugs: u32) -> u64 {
        let customer = self.shop.add_customer("Ada", "Byron", "ada@example.com").id;
        if mugs > 0 {
            let cart = self.cart(customer, mugs, None);
            self.shop.place_order(&cart, PlaceOptions::default()).unwrap();
            self.settle().await;
        }
        customer
    }

    /// Changes the program, from the next order and pick on.
    pub async fn set_program(&self, change: impl FnOnce(&mut loyalty::Program)) {
        let mut tx = self.app.db.begin(self.shop_id).await.unwrap();
        let mut program = programs::current(&mut tx, self.shop_id).await.unwrap().program;
        change(&mut program);
        programs::set(&mut tx, self.shop_id, program, self.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A cart with this many mugs and, if there is one, the mark of a redemption.
    pub fn cart(&self, customer: u64, mugs: u32, mark: Option<&str>) -> String {
        let token = self.shop.new_cart(NewCart::of(customer)).unwrap().token;
        self.shop.add_to_cart(&token, self.mug, mugs).unwrap();
        self.shop.set_cart_attribute(&token, "_loyalty", mark).unwrap();
        token
    }

    /// What the cart comes to. The Function runs for it.
    pub fn quote(&self, cart: &str) -> Quote {
        self.shop.quote(cart).unwrap()
    }

    pub fn place(&self, cart: &str) -> Order {
        self.shop.place_order(cart, PlaceOptions::default()).unwrap()
    }

    /// A request of a customer's widget, through the signature of the app proxy.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        customer: Option<u64>,
        body: Option<Value>,
    ) -> (u16, Value) {
        let query = self.shop.signed_proxy_query(customer, &[]);
        let url = format!("{}/proxy{path}?{query}", self.url);
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    pub async fn pick(&self, customer: u64, reward: &str, points: Option<i64>) -> (u16, Value) {
        let body = json!({"reward": reward, "points": points, "currency": "GBP"});
        self.ask("POST", "/redemptions", Some(customer), Some(body)).await
    }

    /// A pick that is live, and its mark.
    pub async fn mark(&self, customer: u64, reward: &str, points: Option<i64>) -> String {
        let (status, redemption) = self.pick(customer, reward, points).await;
        assert_eq!((status, &redemption["state"]), (200, &json!("live")), "{redemption}");
        redemption["mark"].as_str().unwrap().to_owned()
    }

    /// The account that the checkout sees.
    pub fn account(&self, customer: u64) -> Value {
        let owner = format!("gid://shopify/Customer/{customer}");
        let metafield = self.shop.metafield(&owner, "$app", "account");
        metafield.map_or(Value::Null, |metafield| serde_json::from_str(&metafield.value).unwrap())
    }

    /// The ledger's points: to spend, waiting, held.
    pub async fn points(&self, customer: u64) -> (i64, i64, i64) {
        let (status, account) = self.ask("GET", "/account", Some(customer), None).await;
        assert_eq!(status, 200, "{account}");
        let number = |name: &str| account[name].as_i64().unwrap();
        (number("points"), number("pending"), number("held"))
    }

    /// Waits until every webhook is delivered and booked and every metafield written.
    pub async fn settle(&self) {
        self.shop.webhooks().flush().await.unwrap();
        self.app.inbox.drain_until_idle().await.unwrap();
        let published = async {
            while sync::backlog(&mut self.app.db.read_across().await.unwrap()).await.unwrap().members > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, published).await.expect("metafields are written in time");
    }

    /// Every invariant holds, and every metafield shows the ledger.
    pub async fn is_sound(&self) {
        let mut read = self.app.db.read_across().await.unwrap();
        let all = proof::violations(&mut read, self.shop_id).await.unwrap();
        let broken: Vec<_> = all.into_iter().filter(|(_, count)| *count != 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
        let ledger: Vec<(i64, i64, i64, i64)> = db!(
            read.all,
            "select m.customer_id, a.available, a.pending, a.seq from customers_members m
             join points_accounts a on a.shop_id = m.shop_id and a.member_id = m.member_id where m.shop_id = $1",
            self.shop_id
        )
        .unwrap();
        assert!(!ledger.is_empty());
        for (customer, available, pending, seq) in ledger {
            let account = self.account(customer as u64);
            let shown = ["points", "pending", "seq"].map(|name| account[name].as_i64());
            assert_eq!(
                shown,
                [Some(available), Some(pending), Some(seq)],
                "the metafield of {customer}: {account}"
            );
        }
        assert_eq!(self.app.inbox.dead(self.shop_id).await.unwrap(), 0);
    }
}

/// A Function of the app with its built WebAssembly.
pub fn built(name: &str) -> Function {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extensions").join(name);
    let wasm = function_runner::artefacts_folder().join(name).with_extension("wasm");
    Function::load(&RUNNER, &folder, &wasm).unwrap()
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
        self.shop.close();
    }
}
