use devshop::{DevShop, NewCart, NewProduct};
use loyalty::{Account, Currency, HoldId, Mark, Points, Program};
use serde_json::{Value, json};

use super::{offer, pages, settings};

/// A customer with some points, and a mug in the cart.
struct Scene {
    shop: DevShop,
    customer: u64,
    cart: String,
}

impl Scene {
    async fn open(points: i64) -> Self {
        let shop = DevShop::start(settings().unwrap()).await.unwrap();
        let program = Program::standard(Currency::parse("GBP").unwrap());
        shop.put_metafield(
            &devshop::shop_gid(),
            "$app",
            Program::UI_METAFIELD,
            &program.to_ui_json(1, loyalty::LocalTime::default()).unwrap(),
        );
        let customer = shop.add_customer("Ada", "Okafor", "ada@example.com").id;
        let cart = shop.new_cart(NewCart::of(customer)).unwrap().token;
        let scene = Self { shop, customer, cart };
        scene.set_account(&Account { points: Points::new(points).unwrap(), ..Account::default() });
        scene
    }

    fn set_account(&self, account: &Account) {
        let owner = devshop::gid("Customer", self.customer);
        self.shop.put_metafield(&owner, "$app", Account::METAFIELD, &account.to_json().unwrap());
    }

    fn add(&self, product: NewProduct) {
        let variant = self.shop.add_product(product).variants[0].id;
        self.shop.add_to_cart(&self.cart, variant, 1).unwrap();
    }

    /// An account whose hold is the reward of this id, as the backend would write it.
    fn hold(&self, points: i64, reward: &str) -> HoldId {
        let program = Program::standard(Currency::parse("GBP").unwrap());
        let pick = loyalty::reward::Pick {
            hold: HoldId(7),
            points: None,
            currency: program.currency,
            scope: loyalty::Scope::Cart,
            label: program.discount_title.clone(),
        };
        let hold = program.reward(reward).unwrap().terms(pick).unwrap();
        let points = Points::new(points).unwrap();
        self.set_account(&Account { points, hold: Some(hold), ..Account::default() });
        HoldId(7)
    }

    fn mark(&self, hold: HoldId) {
        let mark = Mark { hold, attempt: 1 }.to_string();
        self.shop.set_cart_attribute(&self.cart, Mark::ATTRIBUTE, Some(&mark)).unwrap();
    }

    fn offer(&self) -> Value {
        offer::read(&self.shop, &self.cart).unwrap()
    }
}

fn reward<'v>(offer: &'v Value, id: &str) -> &'v Value {
    offer["rewards"].as_array().unwrap().iter().find(|reward| reward["id"] == id).unwrap()
}

#[tokio::test]
async fn an_offer_says_what_each_reward_is_worth_to_the_cart() {
    let scene = Scene::open(700).await;
    scene.add(NewProduct::simple("Mug", 450));
    let offer = scene.offer();
    assert_eq!(offer["earns"], 4);
    assert_eq!(offer["account"]["points"], 700);
    let steps = json!([
        {"points": 100, "worth": 100}, {"points": 200, "worth": 200}, {"points": 300, "worth": 300},
        {"points": 400, "worth": 400}, {"points": 500, "worth": 450},
    ]);
    assert_eq!(reward(&offer, "points")["choices"], steps, "a step beyond the cart's worth is the last");
    assert_eq!(reward(&offer, "five-off")["choices"], json!([{"points": 450, "worth": 450}]));
    let delivery = reward(&offer, "free-delivery");
    assert_eq!((&delivery["state"], &delivery["choices"][0]["worth"]), (&json!("ready"), &json!(495)));
    let tenth = reward(&offer, "tenth-off");
    assert_eq!((&tenth["state"], &tenth["missing"]), (&json!("short"), &json!(200)));
}

#[tokio::test]
async fn an_empty_cart_earns_nothing_and_has_nothing_to_take_off() {
    let scene = Scene::open(2_000).await;
    let offer = scene.offer();
    assert_eq!(offer["earns"], 0);
    for reward in offer["rewards"].as_array().unwrap() {
        assert_eq!(reward["state"], "nothing_to_take_off", "{reward}");
    }
}

#[tokio::test]
async fn gift_cards_neither_earn_nor_are_discounted() {
    let scene = Scene::open(2_000).await;
    scene.add(NewProduct { gift_card: true, ..NewProduct::simple("Gift card", 5_000) });
    let offer = scene.offer();
    assert_eq!(offer["earns"], 0);
    assert_eq!(reward(&offer, "five-off")["state"], "nothing_to_take_off");
}

#[tokio::test]
async fn a_reward_without_an_amount_in_the_carts_currency_is_not_offered() {
    let mut scene = Scene::open(2_000).await;
    let euros = NewCart { currency: Some("EUR".parse().unwrap()), ..NewCart::of(scene.customer) };
    scene.cart = scene.shop.new_cart(euros).unwrap().token;
    scene.add(NewProduct::simple("Mug", 10_000));
    let offer = scene.offer();
    assert_eq!(offer["earns"], 100, "points are earned in the shop's currency");
    assert_eq!(reward(&offer, "five-off")["state"], "not_in_currency");
    assert_eq!(reward(&offer, "tenth-off")["choices"][0]["worth"], 1_170, "a percentage needs no currency");
}

#[tokio::test]
async fn a_hold_applies_to_the_cart_that_carries_its_mark() {
    let scene = Scene::open(0).await;
    scene.add(NewProduct::simple("Mug", 1_250));
    let hold = scene.hold(50, "five-off");
    let offer = scene.offer();
    assert_eq!((&offer["mark"], &offer["hold"]["applies"]), (&json!("none"), &json!(false)));
    assert_eq!(offer["spendable"], 500, "a new pick may use what the hold pins");
    scene.mark(hold);
    let offer = scene.offer();
    assert_eq!((&offer["mark"], &offer["hold"]["applies"]), (&json!("stands"), &json!(true)));
    assert_eq!((&offer["hold"]["worth"], &offer["hold"]["costs"]), (&json!(500), &json!(450)));
    scene.set_account(&Account::default());
    assert_eq!(scene.offer()["mark"], "stale", "a mark of what does not stand any more");
}

#[tokio::test]
async fn metafields_that_are_not_understood_are_no_loyalty() {
    let scene = Scene::open(900).await;
    scene.add(NewProduct::simple("Mug", 1_250));
    let owner = devshop::gid("Customer", scene.customer);
    for text in ["{", "[]", r#"{"v":2,"seq":1,"points":5,"pending":0}"#] {
        scene.shop.put_metafield(&owner, "$app", Account::METAFIELD, text);
        let offer = scene.offer();
        assert_eq!((&offer["account"], &offer["spendable"]), (&Value::Null, &json!(0)), "{text}");
    }
    scene.shop.put_metafield(&devshop::shop_gid(), "$app", Program::UI_METAFIELD, r#"{"v":9}"#);
    let offer = scene.offer();
    assert_eq!((&offer["earns"], &offer["rewards"]), (&Value::Null, &json!([])));
}

#[test]
fn every_file_that_the_page_names_is_there_and_every_file_is_named() {
    let texts: String = pages::all().map(|(_, _, text)| *text).collect();
    for (name, _, _) in pages::FILES.iter().chain(pages::SURFACE_FILES) {
        let named = [format!("\"/demo/{name}\""), format!("'./{name}'")];
        assert!(named.iter().any(|way| texts.contains(way)), "nobody asks for {name}");
    }
    for import in texts.split("from './").skip(1) {
        let name = import.split('\'').next().unwrap();
        assert!(pages::all().any(|(known, _, _)| *known == name), "there is no {name}");
    }
}

#[test]
fn the_page_is_light() {
    let files = pages::FILES.iter().chain([&pages::INDEX]);
    let bytes: usize = files.map(|(_, _, text)| pages::compressed(text).unwrap().len()).sum();
    assert!(bytes < 30_000, "{bytes} bytes in all");
}
