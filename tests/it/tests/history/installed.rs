//! History is read by itself: when the app is installed, and when it comes back.

use devshop::BulkFaults;
use jiff::SignedDuration;
use loyalnest::merchants::set_up_due;
use loyalty::Points;
use serde_json::{Value, json};

use super::Scene;
use crate::support::on_both_engines;

/// Shoppers of before: somebody with an account, and two without.
async fn scene(test: &crate::support::TestDb) -> (Scene, [i64; 3]) {
    let mut customers = [0; 3];
    let scene = Scene::of(test, |shop, mug, _| {
        for (n, customer) in customers.iter_mut().enumerate() {
            let made = shop.add_customer("Ada", "B", &format!("{n}@example.com")).id;
            super::place(shop, made, &[(mug, 1)], Default::default());
            *customer = made as i64;
        }
        for customer in &customers[1..] {
            shop.update_customer(*customer as u64, |one| one.state = "disabled".into()).unwrap();
        }
    })
    .await;
    (scene, customers)
}

impl Scene {
    /// The shop is set up, as soon after an install.
    async fn set_up(&self) {
        assert_eq!(set_up_due(&self.door.app).await.unwrap(), 1);
        self.until_over().await;
    }

    async fn sets_a_sign_up_bonus(&self) {
        let mut tx = self.door.app.db.begin(self.shop).await.unwrap();
        let mut program = loyalnest::programs::current(&mut tx, self.shop).await.unwrap().program;
        program.bonuses.sign_up = Some(Points::new(50).unwrap());
        loyalnest::programs::set(&mut tx, self.shop, program, self.door.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn points_of(&self, customers: [i64; 3]) -> [i64; 3] {
        let mut points = [0; 3];
        for (at, customer) in customers.into_iter().enumerate() {
            points[at] = self.points(customer as u64).await;
        }
        points
    }

    async fn updated(&self, id: &str, customer: i64, state: &str) {
        let told = json!({"id": customer, "state": state, "updated_at": self.door.now()});
        self.tell(id, "customers/update", &told).await;
    }

    /// The app is taken out, and comes back after so long.
    pub async fn gone_for(&self, time: SignedDuration) {
        self.tell("gone", "app/uninstalled", &json!({})).await;
        self.door.shop.uninstall_app();
        self.door.advance(time);
    }

    pub async fn comes_back(&self) {
        self.door.shop.install_app();
        assert_eq!(self.staff(axum::http::Method::GET, "/api/me").await.0, 200);
    }
}

#[test]
fn a_shop_that_installs_the_app_has_its_customers_and_orders_read() {
    on_both_engines(async |test| {
        let (scene, customers) = scene(test).await;
        scene.sets_a_sign_up_bonus().await;
        scene.set_up().await;
        for customer in customers {
            assert_eq!(scene.bought(customer).await.1, 1);
        }
        assert_eq!(scene.points_of(customers).await, [0; 3], "nobody has signed up by what was before");
        // Who had no account opens one: they have signed up. Who had one already has not, whatever is told of them.
        scene.door.advance(SignedDuration::from_hours(1));
        for (n, customer) in customers[..2].iter().enumerate() {
            for again in 0..2 {
                scene.updated(&format!("{n}.{again}"), *customer, "enabled").await;
                scene.door.advance(SignedDuration::from_secs(1));
            }
        }
        assert_eq!(scene.points_of(customers).await, [0, 50, 0]);
        scene.is_sound().await;
    });
}

#[test]
fn a_shop_that_comes_back_has_them_read_anew_whatever_was_under_way() {
    on_both_engines(async |test| {
        let (scene, customers) = scene(test).await;
        scene.sets_a_sign_up_bonus().await;
        scene.set_up().await;
        let before = scene.door.shop.bulk_operations();
        // Files are being made when the app is taken out; nobody hears of their end.
        scene.door.shop.set_bulk_faults(BulkFaults { held: true, silent: true, ..BulkFaults::default() });
        scene.staff(axum::http::Method::POST, "/api/history").await;
        scene.door.app.tasks.run_due(&scene.door.app).await.unwrap();
        assert_eq!(scene.door.shop.bulk_operations(), before + 2);
        scene.gone_for(SignedDuration::from_hours(30)).await;
        // Meanwhile one opens an account, somebody new comes, and there is an order.
        let changed = |one: &mut devshop::Customer| one.state = "enabled".into();
        scene.door.shop.update_customer(customers[2] as u64, changed).unwrap();
        let new = scene.door.shop.add_customer("Bob", "B", "bob@example.com").id;
        super::place(&scene.door.shop, new, &[(scene.mug, 1)], Default::default());
        scene.door.shop.set_bulk_faults(BulkFaults::default());
        scene.comes_back().await;
        scene.set_up().await;
        assert_eq!(scene.door.shop.bulk_operations(), before + 4);
        assert_eq!(scene.bought(new as i64).await.1, 1);
        let newcomer = scene.profile(new as i64).await;
        assert_eq!((&newcomer["account"], &newcomer["signed_up_at"]), (&json!("enabled"), &Value::Null));
        // The app knew that they had no account, and they have one.
        assert_eq!(scene.points_of(customers).await, [0, 0, 50]);
        assert_eq!(scene.points(new).await, 0);
        scene.is_sound().await;
    });
}

#[test]
fn a_guest_whose_account_is_there_again_by_the_file_has_what_they_earned() {
    on_both_engines(async |test| {
        let (scene, customers) = scene(test).await;
        scene.set_up().await;
        let ada = customers[0] as u64;
        // An order tells that the account is off, and the file tells that it is on, as the app knew it.
        let order = super::place(&scene.door.shop, ada, &[(scene.mug, 1)], Default::default());
        let mut payload = scene.door.shop.order_payload(&order);
        payload["customer"]["state"] = json!("disabled");
        scene.tell("order", "orders/create", &payload).await;
        assert_eq!(scene.profile(customers[0]).await["guest"], json!(true));
        scene.read().await;
        assert_eq!(scene.profile(customers[0]).await["guest"], json!(false));
        scene.is_sound().await;
    });
}
