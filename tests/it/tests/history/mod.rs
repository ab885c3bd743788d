//! History: what customers bought before the app came is read from files, counts as if webhooks had told of it, and earns
//! nothing.

mod by_file;
mod catalogue;
mod files;
mod installed;
mod later;
mod members;
mod processes;
mod tags;

use axum::http::{Method, StatusCode};
use devshop::{BulkFaults, NewCart, NewProduct, PlaceOptions, Surface};
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::customers;
use loyalnest::db;
use loyalnest::db::Timestamp;
use loyalnest::ids::{CustomerId, ShopId};
use loyalnest::{programs, proof};
use serde_json::{Value, json};

use crate::support::TestDb;
use crate::support::door::{Door, SHOP};

/// The last order, how many, and what was paid.
pub type Bought = (Option<String>, i64, i64);

/// A shop that had customers and orders before it installed the app.
pub struct Scene {
    pub door: Door,
    pub shop: ShopId,
    /// A variant of ten pounds.
    pub mug: u64,
}

impl Scene {
    /// `before` is what happened before the app came, from noon on, with a variant of ten pounds and a gift card of 25.
    pub async fn of(test: &TestDb, before: impl FnOnce(&devshop::DevShop, u64, u64)) -> Scene {
        let door = Door::new(test).await;
        let mug = door.shop.add_product(NewProduct::simple("Mug", 1000)).variants[0].id;
        let card = NewProduct { gift_card: true, ..NewProduct::simple("Gift card", 2500) };
        let card = door.shop.add_product(card).variants[0].id;
        before(&door.shop, mug, card);
        door.advance(SignedDuration::from_hours(24));
        let token = door.shop.session_token(Surface::Admin(devshop::StaffUser::some()[0].id));
        assert!(door.me(&token).await.status.is_success());
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        programs::publish(&door.app, &shop).await.unwrap();
        door.app.tasks.run_due(&door.app).await.unwrap();
        Scene { shop: shop.id, door, mug }
    }

    pub async fn empty(test: &TestDb) -> Scene {
        Scene::of(test, |_, _, _| {}).await
    }

    pub async fn staff(&self, method: Method, path: &str) -> (StatusCode, Value) {
        let answered = self.door.staff(42, method, path, &Value::Null).await;
        (answered.status, serde_json::from_str(&answered.body).unwrap_or_default())
    }

    /// Asks for both files and lets time go by until they are read; gives the report.
    pub async fn read(&self) -> Value {
        assert_eq!(self.staff(Method::POST, "/api/history").await.0, StatusCode::ACCEPTED);
        self.until_over().await
    }

    pub async fn until_over(&self) -> Value {
        self.until_over_beside(&self.door.app).await
    }

    /// With another process that does the same.
    pub async fn until_over_beside(&self, other: &App) -> Value {
        let (app, end) = (&self.door.app, self.door.now() + SignedDuration::from_hours(2));
        loop {
            let (ours, theirs) = tokio::join!(app.tasks.run_due(app), other.tasks.run_due(other));
            ours.unwrap();
            theirs.unwrap();
            let (status, report) = self.staff(Method::GET, "/api/history").await;
            assert_eq!(status, StatusCode::OK, "{report}");
            if ["customers", "orders"].iter().all(|of| !report[of]["ended_at"].is_null()) {
                return report;
            }
            assert!(self.door.now() < end, "it does not end: {report}");
            self.door.advance(SignedDuration::from_mins(1));
        }
    }

    pub async fn bought(&self, customer: i64) -> Bought {
        bought(&self.door.app.db, self.shop, customer).await
    }

    /// The same order as a file's line tells it.
    pub fn line(&self, id: i64, customer: i64, changed: &[(&str, Value)]) -> Value {
        let money = |amount: &str| json!({"shopMoney": {"amount": amount, "currencyCode": "GBP"}});
        let mut line = json!({
            "id": format!("gid://shopify/Order/{id}"), "test": false, "processedAt": "2025-05-01T10:00:00Z",
            "updatedAt": "2025-05-02T10:00:00Z", "cancelledAt": null, "displayFinancialStatus": "PAID",
            "customer": {"id": format!("gid://shopify/Customer/{customer}")},
            "subtotalLineItemsQuantity": 1, "currentSubtotalLineItemsQuantity": 1,
            "currentSubtotalPriceSet": money("10.00"), "currentShippingPriceSet": money("0.0"),
            "totalTipReceivedSet": money("0.0"),
        });
        for (name, value) in changed {
            line[name] = value.clone();
        }
        line
    }

    pub fn say(&self, lines: &[Value]) {
        let lines_before = lines.iter().map(Value::to_string).collect();
        self.door.shop.set_bulk_faults(BulkFaults { lines_before, ..BulkFaults::default() });
    }

    /// Every invariant holds, and nothing was earned by history.
    pub async fn is_sound(&self) {
        let mut read = self.door.app.db.read(self.shop).await.unwrap();
        let all = proof::violations(&mut read, self.shop).await.unwrap();
        let broken: Vec<_> = all.into_iter().filter(|(_, count)| *count != 0).collect();
        assert!(broken.is_empty(), "{broken:?}");
    }

    pub async fn entries(&self) -> i64 {
        let mut read = self.door.app.db.read(self.shop).await.unwrap();
        let (entries,): (i64,) =
            db!(read.one, "select count(*) from points_entries where shop_id = $1", self.shop).unwrap();
        entries
    }
}

/// What a customer has bought, as it is added up; nothing of whom nothing is.
pub async fn bought(db: &db::Db, shop: ShopId, customer: i64) -> Bought {
    let mut read = db.read(shop).await.unwrap();
    let Some(member) = customers::member(&mut read, shop, CustomerId(customer)).await.unwrap() else {
        return (None, 0, 0);
    };
    let found: Option<(Option<Timestamp>, i64, i64)> = db!(
        read.optional,
        "select last_order_at, orders, spent from rfm_members where shop_id = $1 and member_id = $2",
        shop,
        member
    )
    .unwrap();
    let (last, orders, spent) = found.unwrap_or_default();
    (last.map(|at| at.to_string()), orders, spent)
}

/// Places an order of so many of something.
pub fn place(
    shop: &devshop::DevShop,
    customer: u64,
    what: &[(u64, u32)],
    options: PlaceOptions,
) -> devshop::Order {
    let cart = shop.new_cart(NewCart::of(customer)).unwrap().token;
    for (variant, quantity) in what {
        shop.add_to_cart(&cart, *variant, *quantity).unwrap();
    }
    shop.place_order(&cart, options).unwrap()
}
