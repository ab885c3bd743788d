//! What webhooks, merges and requests to be forgotten do with history.

use axum::http::Method;
use devshop::{BulkFaults, PlaceOptions, RefundRequest};
use jiff::SignedDuration;
use loyalnest::customers;
use loyalnest::db;
use loyalnest::ids::CustomerId;
use loyalnest::points;
use serde_json::{Value, json};

use super::{Scene, place};
use crate::support::on_both_engines;
use crate::support::till::{ADA, BOB};

impl Scene {
    pub async fn tell(&self, id: &str, topic: &str, body: &Value) {
        assert!(self.door.webhook(id, topic, self.door.now(), body).await.is_success());
        assert_eq!(self.door.app.inbox.dead(self.shop).await.unwrap(), 0);
    }

    pub async fn points(&self, customer: u64) -> i64 {
        let mut read = self.door.app.db.read(self.shop).await.unwrap();
        let member =
            customers::member(&mut read, self.shop, CustomerId(customer as i64)).await.unwrap().unwrap();
        points::balance(&mut read, self.shop, member, self.door.now()).await.unwrap().available.get()
    }
}

#[test]
fn what_a_webhook_told_while_the_file_was_made_is_newer() {
    on_both_engines(async |test| {
        let mut placed = None;
        let scene = Scene::of(test, |shop, mug, _| {
            let ada = shop.add_customer("Ada", "B", "ada@example.com").id;
            placed = Some((ada, place(shop, ada, &[(mug, 3)], PlaceOptions::default())));
        })
        .await;
        let (ada, order) = placed.unwrap();
        scene.door.shop.set_bulk_faults(BulkFaults { held: true, ..BulkFaults::default() });
        scene.staff(Method::POST, "/api/history").await;
        scene.door.app.tasks.run_due(&scene.door.app).await.unwrap();
        // Two of three come back.
        let lines = vec![(order.lines[0].id, 2)];
        let shop = &scene.door.shop;
        shop.refund(order.id, &RefundRequest { lines, ..RefundRequest::default() }).unwrap();
        let refunded = shop.order_payload(&shop.order(order.id).unwrap());
        scene.tell("refunded", "orders/updated", &refunded).await;
        let after = (Some(order.created_at.to_string()), 1, 1_000 + order.shipping_net().shop);
        assert_eq!(scene.bought(ada as i64).await, after);
        shop.release_bulk();
        scene.until_over().await;
        assert_eq!(scene.bought(ada as i64).await, after, "the file is older");
        // And what comes later than the file is newer than it.
        scene.door.advance(SignedDuration::from_hours(1));
        shop.cancel(order.id, "customer").unwrap();
        let cancelled = shop.order_payload(&shop.order(order.id).unwrap());
        scene.tell("cancelled", "orders/updated", &cancelled).await;
        scene.tell("an older one again", "orders/updated", &refunded).await;
        assert_eq!(scene.bought(ada as i64).await, (None, 0, 0));
        assert_eq!(scene.entries().await, 0, "nobody earns by an order that is only changed now");
        scene.is_sound().await;
    });
}

#[test]
fn old_orders_that_change_are_nothing_to_a_shop_whose_history_is_not_read() {
    on_both_engines(async |test| {
        let mut placed = None;
        let scene = Scene::of(test, |shop, mug, _| {
            let ada = shop.add_customer("Ada", "B", "ada@example.com").id;
            placed = Some((ada, place(shop, ada, &[(mug, 3)], PlaceOptions::default())));
        })
        .await;
        let (ada, order) = placed.unwrap();
        scene.tell("changed", "orders/updated", &scene.door.shop.order_payload(&order)).await;
        let mut read = scene.door.app.db.read(scene.shop).await.unwrap();
        assert_eq!(customers::member(&mut read, scene.shop, CustomerId(ada as i64)).await.unwrap(), None);
    });
}

#[test]
fn an_order_that_is_booked_counts_once_whichever_came_first() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        let shop = &scene.door.shop;
        let [ada, bob] =
            ["ada", "bob"].map(|name| shop.add_customer(name, "B", &format!("{name}@example.com")).id);
        let [first, second] =
            [ada, bob].map(|one| place(shop, one, &[(scene.mug, 2)], PlaceOptions::default()));
        scene.tell("first", "orders/create", &shop.order_payload(&first)).await;
        let report = scene.read().await;
        assert_eq!((&report["orders"]["taken"], &report["orders"]["passed_by"]), (&json!(1), &json!(1)));
        assert_eq!((scene.points(ada).await, scene.points(bob).await), (20, 0));
        // The webhook of the other one was slow.
        scene.tell("second", "orders/create", &shop.order_payload(&second)).await;
        assert_eq!((scene.points(ada).await, scene.points(bob).await), (20, 20));
        scene.read().await;
        for (one, order) in [(ada, &first), (bob, &second)] {
            let paid = 2_000 + order.shipping_net().shop;
            assert_eq!(scene.bought(one as i64).await, (Some(order.created_at.to_string()), 1, paid));
        }
        let mut read = test.db.read(scene.shop).await.unwrap();
        let (left,): (i64,) =
            db!(read.one, "select count(*) from history_orders where shop_id = $1", scene.shop).unwrap();
        assert_eq!(left, 0);
        drop(read);
        scene.is_sound().await;
    });
}

#[test]
fn whoever_becomes_another_brings_their_history_along() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        scene.say(&[
            scene.line(1, ADA, &[]),
            scene.line(2, BOB, &[("processedAt", json!("2025-06-01T10:00:00Z"))]),
        ]);
        scene.read().await;
        let gid = |customer: i64| format!("gid://shopify/Customer/{customer}");
        let merged = json!({"admin_graphql_api_customer_kept_id": gid(ADA), "status": "completed",
                            "admin_graphql_api_customer_deleted_id": gid(BOB)});
        scene.tell("merged", "customers/merge", &merged).await;
        let both = (Some("2025-06-01T10:00:00Z".to_owned()), 2, 2_000);
        assert_eq!(scene.bought(ADA).await, both);
        scene.is_sound().await;
        // What is told of the other's orders later is the kept one's.
        scene.say(&[
            scene.line(
                2,
                BOB,
                &[
                    ("updatedAt", json!("2025-07-01T10:00:00Z")),
                    ("cancelledAt", json!("2025-07-01T10:00:00Z")),
                ],
            ),
            scene.line(3, BOB, &[]),
        ]);
        scene.read().await;
        assert_eq!(scene.bought(ADA).await, (Some("2025-05-01T10:00:00Z".to_owned()), 2, 2_000));
        scene.is_sound().await;
    });
}

#[test]
fn who_is_erased_does_not_come_back_by_a_file() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        let lines = [
            scene.line(1, ADA, &[]),
            json!({"id": format!("gid://shopify/Customer/{ADA}"), "state": 7, "updatedAt": "2025-05-01T10:00:00Z"}),
        ];
        scene.say(&lines);
        let report = scene.read().await;
        assert_eq!(report["customers"]["refusals"][0]["customer"], json!(ADA));
        scene
            .tell("redact", "customers/redact", &json!({"customer": {"id": ADA}, "orders_to_redact": []}))
            .await;
        scene.door.app.tasks.run_due(&scene.door.app).await.unwrap();
        scene.say(&lines[..1]);
        let report = scene.read().await;
        assert_eq!((&report["orders"]["taken"], &report["orders"]["passed_by"]), (&json!(0), &json!(1)));
        let mut read = test.db.read(scene.shop).await.unwrap();
        assert_eq!(customers::member(&mut read, scene.shop, CustomerId(ADA)).await.unwrap(), None);
        let (numbers,): (i64,) = db!(
            read.one,
            "select count(*) from history_refusals where shop_id = $1 and customer_id is not null",
            scene.shop
        )
        .unwrap();
        assert_eq!(numbers, 0);
        drop(read);
        scene.is_sound().await;
    });
}

#[test]
fn customers_are_members_as_the_file_tells_unless_a_webhook_told_something_newer() {
    on_both_engines(async |test| {
        let mut customers = Vec::new();
        let scene = Scene::of(test, |shop, _, _| {
            customers =
                (0..3).map(|n| shop.add_customer("Ada", "B", &format!("{n}@example.com")).id).collect();
            for customer in &customers[1..] {
                shop.update_customer(*customer, |one| one.state = "disabled".into()).unwrap();
            }
        })
        .await;
        // While the file is made, the last one signs up.
        scene.door.shop.set_bulk_faults(BulkFaults { held: true, ..BulkFaults::default() });
        scene.staff(Method::POST, "/api/history").await;
        scene.door.app.tasks.run_due(&scene.door.app).await.unwrap();
        let told = |state: &str| json!({"id": customers[2], "state": state, "updated_at": scene.door.now()});
        scene.tell("invited", "customers/create", &told("invited")).await;
        scene.door.shop.release_bulk();
        let report = scene.until_over().await;
        assert_eq!(
            (&report["customers"]["taken"], &report["customers"]["new_members"]),
            (&json!(3), &json!(2))
        );
        let states = async || {
            let mut read = test.db.read(scene.shop).await.unwrap();
            let states: Vec<(i64, Option<String>, bool)> = db!(
                read.all,
                "select customer_id, state, signed_up_at is not null from customers_members
                 where shop_id = $1 order by customer_id",
                scene.shop
            )
            .unwrap();
            states
                .into_iter()
                .map(|(_, state, signed_up)| (state.unwrap_or_default(), signed_up))
                .collect::<Vec<_>>()
        };
        let as_told =
            |texts: [(&str, bool); 3]| texts.map(|(text, signed_up)| (text.to_owned(), signed_up)).to_vec();
        assert_eq!(states().await, as_told([("enabled", false), ("disabled", false), ("invited", false)]));
        // A later file finds that somebody has signed up of whom no webhook told.
        scene.door.advance(SignedDuration::from_hours(1));
        for customer in &customers[1..] {
            scene.door.shop.update_customer(*customer, |one| one.state = "enabled".into()).unwrap();
        }
        scene.read().await;
        assert_eq!(states().await, as_told([("enabled", false), ("enabled", true), ("enabled", true)]));
        scene.is_sound().await;
    });
}
