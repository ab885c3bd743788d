//! The merchant's own tags of customers, where the merchant wishes them kept.

use axum::http::{Method, StatusCode};
use jiff::SignedDuration;
use loyalnest::{db, privacy};
use serde_json::{Value, json};

use super::Scene;
use crate::support::on_both_engines;
use crate::support::till::{ADA, BOB};

impl Scene {
    async fn switch_tags(&self, keep: bool) {
        let body = json!({"keep": keep});
        let answered = self.door.staff(42, Method::PUT, "/api/customer-tags", &body).await;
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
        self.tasks().await;
    }

    /// Lets time go by until all files are read.
    async fn tasks(&self) {
        for _ in 0..3 {
            self.door.app.tasks.run_due(&self.door.app).await.unwrap();
            self.door.advance(SignedDuration::from_mins(1));
        }
    }

    /// As the shop tells, in seconds after noon.
    async fn tagged(&self, id: &str, added: bool, customer: i64, tags: &[&str], at: i64) {
        let topic = if added { "customer.tags_added" } else { "customer.tags_removed" };
        let at = "2026-11-24T12:00:00Z".parse::<jiff::Timestamp>().unwrap() + SignedDuration::from_secs(at);
        let told = json!({"customerId": format!("gid://shopify/Customer/{customer}"), "tags": tags,
                          "occurredAt": at.to_string()});
        self.tell(id, topic, &told).await;
    }

    async fn tags(&self, customer: i64) -> Value {
        self.profile(customer).await.get("tags").cloned().unwrap_or_default()
    }

    async fn rows(&self) -> i64 {
        let mut read = self.door.app.db.read(self.shop).await.unwrap();
        let (rows,): (i64,) =
            db!(read.one, "select count(*) from customers_tags where shop_id = $1", self.shop).unwrap();
        rows
    }

    async fn comes(&self, customer: i64) {
        let made = json!({"id": customer, "state": "enabled", "updated_at": self.door.now()});
        self.tell(&format!("made {customer}"), "customers/create", &made).await;
    }
}

#[test]
fn tags_are_kept_only_where_the_merchant_wishes() {
    on_both_engines(async |test| {
        let mut ada = 0;
        let scene = Scene::of(test, |shop, _, _| {
            ada = shop.add_customer("Ada", "B", "ada@example.com").id;
            shop.update_customer(ada, |one| one.tags = vec!["VIP".into(), "loyalty: loyal".into()]).unwrap();
        })
        .await;
        scene.comes(ada as i64).await;
        scene.tagged("before", true, ada as i64, &["early"], 0).await;
        assert_eq!((scene.tags(ada as i64).await, scene.rows().await), (Value::Null, 0));
        let (status, shown) = scene.staff(Method::GET, "/api/customer-tags").await;
        assert_eq!((status, shown), (StatusCode::OK, json!({"keep": false})));

        // Switched on, the file of all customers tells of them, but for the app's own.
        scene.switch_tags(true).await;
        assert_eq!(scene.tags(ada as i64).await, json!(["VIP"]));
        // What changes is told by the shop itself, with the fields that the app asked for.
        scene.door.advance(SignedDuration::from_hours(1));
        scene.door.shop.webhooks().take();
        scene.door.shop.update_customer(ada, |one| one.tags = vec!["new".into()]).unwrap();
        for sent in scene.door.shop.webhooks().take() {
            let body = serde_json::from_slice(&sent.body).unwrap();
            scene.tell(&sent.event.webhook_id, &sent.event.topic, &body).await;
        }
        assert_eq!(scene.tags(ada as i64).await, json!(["new"]));
        // A webhook that is lost is made up for by the next file.
        scene.door.advance(SignedDuration::from_hours(1));
        scene.door.shop.update_customer(ada, |one| one.tags = vec!["gold".into()]).unwrap();
        scene.switch_tags(false).await;
        assert_eq!((scene.tags(ada as i64).await, scene.rows().await), (Value::Null, 0), "all are erased");
        scene.tagged("after", true, ada as i64, &["late"], 9_000).await;
        assert_eq!(scene.rows().await, 0);
        scene.switch_tags(true).await;
        assert_eq!(scene.tags(ada as i64).await, json!(["gold"]));
        scene.is_sound().await;
    });
}

#[test]
fn of_each_tag_the_newest_stays_in_whichever_order_it_is_told() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        scene.switch_tags(true).await;
        scene.comes(ADA).await;
        scene.tagged("3", false, ADA, &["a", "b"], 30).await;
        scene.tagged("1", true, ADA, &["A", "c"], 10).await;
        scene.tagged("1 again", true, ADA, &["a", "c"], 10).await;
        scene.tagged("4", true, ADA, &["b"], 40).await;
        scene.tagged("2", true, ADA, &["b", "d"], 20).await;
        assert_eq!(scene.tags(ADA).await, json!(["b", "c", "d"]));
        // Who is no member does not become one by that.
        scene.tagged("bob", true, BOB, &["x"], 10).await;
        assert_eq!(scene.staff(Method::GET, &format!("/api/members/{BOB}")).await.0, StatusCode::NOT_FOUND);
        // What was taken away is forgotten once nothing older can come.
        assert_eq!(scene.rows().await, 4);
        scene.door.advance(SignedDuration::from_hours(9 * 24));
        scene.tagged("5", true, ADA, &["e"], 50).await;
        assert_eq!((scene.rows().await, scene.tags(ADA).await), (4, json!(["b", "c", "d", "e"])));
    });
}

#[test]
fn an_export_shows_tags_and_an_erasure_takes_them_along() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        scene.switch_tags(true).await;
        for (customer, tag) in [(ADA, "VIP"), (BOB, "staff")] {
            scene.comes(customer).await;
            scene.tagged(&format!("tag {customer}"), true, customer, &[tag], 10).await;
        }
        let about = json!({"customer": {"id": ADA}, "orders_requested": [], "orders_to_redact": []});
        scene.tell("ask", "customers/data_request", &about).await;
        scene.tasks().await;
        let mut read = scene.door.app.db.read(scene.shop).await.unwrap();
        let request = privacy::requests(&mut read, scene.shop, 1).await.unwrap().remove(0);
        drop(read);
        let document = privacy::document(&scene.door.app, scene.shop, request.request_id).await.unwrap();
        let document: Value = serde_json::from_slice(&document.unwrap()).unwrap();
        let tags = document["held_here"]["customers_tags"]["rows"].as_array().unwrap();
        let shown: Vec<_> = tags.iter().map(|row| &row["tag"]).collect();
        assert_eq!(shown, [&json!("VIP")], "and nobody else's");
        scene.tell("erase", "customers/redact", &about).await;
        scene.tasks().await;
        assert_eq!((scene.rows().await, scene.tags(BOB).await), (1, json!(["staff"])));
    });
}

#[test]
fn a_payload_that_is_none_is_a_dead_letter_and_tags_that_are_none_are_left_out() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        scene.switch_tags(true).await;
        scene.comes(ADA).await;
        let gid = format!("gid://shopify/Customer/{ADA}");
        let (at, good) = (json!("2026-11-24T12:00:00Z"), json!(["x"]));
        let bad = [
            json!({"tags": good, "occurredAt": at}),
            json!({"customerId": ADA, "tags": good, "occurredAt": at}),
            json!({"customerId": "gid://shopify/Order/7", "tags": good, "occurredAt": at}),
            json!({"customerId": gid, "tags": "x", "occurredAt": at}),
            json!({"customerId": gid, "tags": [7], "occurredAt": at}),
            json!({"customerId": gid, "tags": good}),
            json!({"customerId": gid, "tags": good, "occurredAt": "noon"}),
        ];
        for (n, body) in bad.iter().enumerate() {
            let now = scene.door.now();
            let status = scene.door.webhook(&format!("bad {n}"), "customer.tags_added", now, body).await;
            assert!(status.is_success());
            assert_eq!(scene.door.app.inbox.dead(scene.shop).await.unwrap(), n as i64 + 1, "{body}");
        }
        let body =
            json!({"customerId": gid, "tags": ["", " ", "a\u{0}b", "y".repeat(300), "ok"], "occurredAt": at});
        let now = scene.door.now();
        assert!(scene.door.webhook("odd", "customer.tags_added", now, &body).await.is_success());
        assert_eq!(scene.tags(ADA).await, json!(["ok"]));
        for body in [json!({}), json!({"keep": "yes"}), json!({"keep": true, "more": 1}), json!([])] {
            let answered = scene.door.staff(42, Method::PUT, "/api/customer-tags", &body).await;
            assert!(answered.status.is_client_error(), "{body} {answered:?}");
        }
    });
}

#[test]
fn tags_go_where_their_customer_goes() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        scene.switch_tags(true).await;
        for (customer, tags) in
            [(ADA, ["a", "both"]), (BOB, ["b", "BOTH"]), (103, ["c", "x"]), (104, ["d", "x"])]
        {
            scene.comes(customer).await;
            scene.tagged(&format!("{customer}"), true, customer, &tags, 10).await;
        }
        let gid = |customer: i64| format!("gid://shopify/Customer/{customer}");
        let merged = json!({"admin_graphql_api_customer_kept_id": gid(ADA), "status": "completed",
                            "admin_graphql_api_customer_deleted_id": gid(BOB)});
        scene.tell("merged", "customers/merge", &merged).await;
        assert_eq!(scene.tags(ADA).await, json!(["a", "b", "both"]));
        scene.tell("gone", "customers/delete", &json!({"id": 103})).await;
        assert_eq!(scene.tags(103).await, json!([]));
        scene.tagged("late", true, 103, &["late"], 20).await;
        assert_eq!(scene.tags(103).await, json!([]));
        assert_eq!(scene.rows().await, 5);
        let redacted = json!({"customer": {"id": 104}, "orders_to_redact": []});
        scene.tell("redacted", "customers/redact", &redacted).await;
        scene.tasks().await;
        assert_eq!(scene.rows().await, 3);
        scene.is_sound().await;
    });
}
