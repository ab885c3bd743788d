//! What stands in a payload and trips those who read it carelessly: numbers beyond 2^53, floats, NUL; and webhooks of a shop
//! that is gone.

use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::merchants::set_up_due;
use serde_json::{Value, json};

use crate::support::door::Door;
use crate::support::house::House;
use crate::support::orders::{Order, refund};
use crate::support::{TestDb, on_both_engines};
use crate::topics::tell;

/// 2^53 + 1: as a float it would be the number before it.
const ODD: i64 = 9_007_199_254_740_993;

#[test]
fn numbers_beyond_two_to_the_53_are_kept_to_the_last_digit() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        for id in [ODD, ODD - 1] {
            tell(&house, &format!("order {id}"), "orders/create", &Order::new(id, id).payload()).await;
        }
        let back = refund(ODD, ODD, &[(ODD * 10 + 1, 1, "25.00")]);
        tell(&house, "refund", "refunds/create", &back).await;
        // Another refund, of the neighbour.
        let back = refund(ODD - 1, ODD - 1, &[((ODD - 1) * 10 + 2, 1, "50.00")]);
        tell(&house, "the neighbour's refund", "refunds/create", &back).await;
        assert_eq!(house.points(ODD as u64).await, (75, 0, 0));
        assert_eq!(house.points(ODD as u64 - 1).await, (50, 0, 0));
    });
}

#[test]
fn floats_in_a_refund_say_nothing() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        for (id, float) in [(1, 24.999_999_999_999_996), (2, 0.1 + 0.2), (3, -1e300), (4, 0.0)] {
            tell(&house, &format!("order {id}"), "orders/create", &Order::new(id, 100 + id).payload()).await;
            let mut back = refund(id, id, &[(id * 10 + 1, 1, "25.00")]);
            let line = &mut back["refund_line_items"][0];
            line["subtotal"] = json!(float);
            line["total_tax"] = json!(1e-7);
            tell(&house, &format!("refund {id}"), "refunds/create", &back).await;
            assert_eq!(house.points(100 + id as u64).await, (75, 0, 0), "{float}");
        }
        // Where the text is missing, the float beside it does not stand in for it.
        let mut back = refund(5, 1, &[(12, 1, "50.00")]);
        back["refund_line_items"][0].as_object_mut().unwrap().remove("subtotal_set");
        tell(&house, "float alone", "refunds/create", &back).await;
        assert_eq!(state(test, "float alone").await.0, "dead");
        assert_eq!(house.points(101).await, (75, 0, 0));
    });
}

async fn state(test: &TestDb, id: &str) -> (String, i64) {
    let mut read = test.db.read_across().await.unwrap();
    db!(read.one, "select state, attempts from inbox_messages where webhook_id = $1", id).unwrap()
}

/// Puts a NUL before and after every text in a payload.
fn with_nul(value: &mut Value) {
    match value {
        Value::String(text) => *text = format!("\0{text}\0"),
        Value::Array(values) => values.iter_mut().for_each(with_nul),
        Value::Object(fields) => fields.values_mut().for_each(with_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn a_nul_in_any_text_of_any_topic_is_settled_at_once_on_both_engines() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let mut order = Order::new(5, ada as i64);
        order.discount = Some("5.00");
        order.mark = Some("0000000000000000000000000000000a.1".into());
        let order = order.payload();
        let back = refund(5, 5, &[(51, 1, "25.00")]);
        let merge = json!({"admin_graphql_api_customer_kept_id": "gid://shopify/Customer/1",
            "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/2", "status": "completed"});
        let customer = json!({"id": ada, "state": "enabled", "updated_at": "2030-01-01T00:00:00Z"});
        let product = json!({"id": 1, "title": "Mug", "handle": "mug", "status": "active", "product_type": "Mugs",
            "vendor": "V", "tags": "a,b", "variants": [{"id": 5}], "updated_at": "2030-01-01T00:00:00Z"});
        let plan = json!({"app_subscription": {"admin_graphql_api_id": "gid://shopify/AppSubscription/1",
            "name": "Plan", "status": "ACTIVE", "plan_handle": "plus", "updated_at": "2030-01-01T00:00:00Z"}});
        let shop = json!({"name": "Tea", "currency": "GBP", "iana_timezone": "Europe/London", "primary_locale": "en"});
        let bulk = json!({"admin_graphql_api_id": "gid://shopify/BulkOperation/1", "status": "completed",
            "type": "query", "error_code": "TIMEOUT", "completed_at": "2026-11-20T07:34:56-05:00"});
        let about = json!({"shop_id": 1, "customer": {"id": ada, "email": "a@b.c"}});
        let scopes = json!({"previous": ["read_orders"], "current": ["read_orders", "write_customers"]});
        let topics = [
            ("orders/create", &order),
            ("orders/paid", &order),
            ("orders/updated", &order),
            ("orders/fulfilled", &order),
            ("orders/cancelled", &order),
            ("refunds/create", &back),
            ("customers/create", &customer),
            ("customers/update", &customer),
            ("customers/merge", &merge),
            ("customers/data_request", &about),
            ("products/create", &product),
            ("products/update", &product),
            ("app/scopes_update", &scopes),
            ("app_subscriptions/update", &plan),
            ("shop/update", &shop),
            ("bulk_operations/finish", &bulk),
        ];
        for (topic, payload) in topics {
            // In every text at once, and in one after the other: what is read first must not hide what is read next.
            let mut all = (*payload).clone();
            with_nul(&mut all);
            let mut bodies = vec![all];
            for pointer in texts(payload, "") {
                let mut one = (*payload).clone();
                with_nul(one.pointer_mut(&pointer).unwrap());
                bodies.push(one);
            }
            for (n, body) in bodies.iter().enumerate() {
                let id = format!("{topic} {n}");
                tell(&house, &id, topic, body).await;
                let (state, attempts) = state(test, &id).await;
                assert!(
                    ["done", "dead"].contains(&state.as_str()),
                    "{id}: {state}, {attempts} tries: {body}"
                );
            }
        }
        // Nobody's points came to harm, and what comes next is booked.
        tell(&house, "next", "orders/create", &Order::new(6, ada as i64).payload()).await;
        assert_eq!(state(test, "next").await.0, "done");
    });
}

/// Where texts stand in a payload.
fn texts(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::String(_) => vec![at.to_owned()],
        Value::Array(values) => {
            values.iter().enumerate().flat_map(|(n, value)| texts(value, &format!("{at}/{n}"))).collect()
        }
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| texts(value, &format!("{at}/{name}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[test]
fn what_happened_before_an_uninstall_and_is_told_after_it_is_booked() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let opened = door.me(&door.shop.session_token(devshop::Surface::Admin(42))).await;
        assert_eq!(opened.status, 200);
        set_up_due(&door.app).await.unwrap();
        let bought_at = door.now();
        door.advance(SignedDuration::from_mins(1));
        door.shop.uninstall_app();
        assert_eq!(door.webhook("u", "app/uninstalled", door.now(), &json!({"id": 1})).await, 200);
        door.advance(SignedDuration::from_mins(1));
        let order = Order::new(5, 7).payload();
        for _ in 0..2 {
            assert_eq!(door.webhook("late", "orders/create", bought_at, &order).await, 200);
        }
        assert_eq!(state(test, "late").await.0, "done");
        let mut read = test.db.read_across().await.unwrap();
        let booked: Vec<(i64,)> = db!(read.all, "select available from points_accounts").unwrap();
        assert_eq!(booked, [(100,)], "the shop may come back, with its members");
    });
}
