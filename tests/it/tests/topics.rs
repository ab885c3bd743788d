//! What each topic changes, through the real door: told twice, late, out of order, or as nonsense.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use devshop::{NewProduct, PlaceOptions, RefundRequest};
use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::ids::CustomerId;
use loyalnest::{bulk, customers, merchants, privacy, products};
use loyalty::Points;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::house::House;
use crate::support::orders::Order;
use crate::support::{TestDb, on_both_engines};

/// Sends a webhook that Shopify triggered at this time, and has it worked off.
async fn tell_at(house: &House, id: &str, topic: &str, at: &str, body: &Value) {
    let body = body.to_string();
    let request = Request::post("/webhooks")
        .header("x-shopify-topic", topic)
        .header("x-shopify-hmac-sha256", house.app.signer.sign_webhook(body.as_bytes()))
        .header("x-shopify-shop-domain", house.shop.settings().domain.as_str())
        .header("x-shopify-webhook-id", id)
        .header("x-shopify-triggered-at", at)
        .body(Body::from(body))
        .unwrap();
    assert_eq!(house.app.router().oneshot(request).await.unwrap().status(), StatusCode::OK);
    house.app.inbox.drain_until_idle().await.unwrap();
}

pub async fn tell(house: &House, id: &str, topic: &str, body: &Value) {
    tell_at(house, id, topic, &house.app.clock.now().to_string(), body).await;
}

/// So many hours ago, as Shopify writes times.
fn ago(house: &House, hours: i64) -> String {
    (house.app.clock.now() - SignedDuration::from_hours(hours)).to_string()
}

pub async fn events(test: &TestDb, kind: &str) -> Vec<Value> {
    let mut read = test.db.read_across().await.unwrap();
    let rows: Vec<(sqlx::types::Json<Value>,)> =
        db!(read.all, "select payload from events_outbox where kind = $1 order by written", kind).unwrap();
    rows.into_iter().map(|(payload,)| payload.0).collect()
}

/// State and reason of a delivery.
pub async fn outcome(test: &TestDb, id: &str) -> (String, Option<String>) {
    let mut read = test.db.read_across().await.unwrap();
    db!(read.one, "select state, reason from inbox_messages where webhook_id = $1", id).unwrap()
}

/// Shopify stamps whole seconds: what is added in the second of a payment counts as paid.
async fn next_second() {
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
}

fn one_unit(order: &devshop::Order) -> RefundRequest {
    RefundRequest { lines: vec![(order.lines[0].id, 1)], ..RefundRequest::default() }
}

#[test]
fn an_edited_order_is_read_again_and_a_refund_that_tells_the_same_later_takes_nothing_twice() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let mark = house.mark(ada, "points", Some(500)).await;
        let order = house.place(&house.cart(ada, 4, Some(&mark)));
        house.settle().await;
        // 40.00 less 5.00 were paid.
        assert_eq!(house.points(ada).await, (335, 0, 0));

        house.shop.webhooks().pause();
        house.shop.refund(order.id, &one_unit(&order)).unwrap();
        let edit = json!({"order_edit": {"id": 1, "order_id": order.id}});
        tell(&house, "edit", "orders/edited", &edit).await;
        // A quarter of 35.00 is 8.75: 26 of 35 points stay, and a quarter of 500 comes back.
        assert_eq!(house.points(ada).await, (800 - 500 + 26 + 125, 0, 0));
        house.shop.webhooks().resume();
        house.settle().await;
        assert_eq!(house.points(ada).await, (800 - 500 + 26 + 125, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn an_order_is_worth_what_it_is_after_every_edit() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let mark = house.mark(ada, "points", Some(500)).await;
        let order = house.place(&house.cart(ada, 4, Some(&mark)));
        house.settle().await;
        let edit = |edit: devshop::OrderEdit| house.shop.edit_order(order.id, &edit).unwrap();
        let (line, mug) = (order.lines[0].id, house.mug);
        // Two of four are taken off: half of 35.00 stays, and half of what was redeemed comes back.
        edit(devshop::OrderEdit { quantities: vec![(line, 2)], ..Default::default() });
        house.settle().await;
        assert_eq!(house.points(ada).await, (800 - 500 + 17 + 250, 0, 0));
        next_second().await;
        // Three more at full price: they are earned once they are paid for.
        edit(devshop::OrderEdit { additions: vec![(mug, 3)], ..Default::default() });
        house.settle().await;
        assert_eq!(house.points(ada).await, (800 - 500 + 17 + 250, 0, 0));
        house.shop.pay(order.id).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (800 - 500 + 47 + 250, 0, 0));
        next_second().await;
        // The discount is taken off: what is left of it comes back at once, and more is earned once that is paid.
        edit(devshop::OrderEdit { discounts_off: vec![0], ..Default::default() });
        house.settle().await;
        assert_eq!(house.points(ada).await, (800 + 47, 0, 0));
        house.shop.pay(order.id).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (800 + 50, 0, 0));
        house.shop.cancel(order.id, "customer").unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (800, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn an_order_whose_points_are_out_of_range_is_dead_at_once_and_says_so() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        house.set_program(|program| program.earn.points = Points::new(1_000_000).unwrap()).await;
        let vast = Order { lines: vec![(1, 1, "90071992547409.91")], ..Order::new(7, ada as i64) };
        tell(&house, "vast", "orders/create", &vast.payload()).await;
        let (state, reason) = outcome(test, "vast").await;
        let reason = reason.unwrap();
        assert_eq!(state, "dead");
        assert!(reason.starts_with("points_out_of_range: "), "{reason}");
        // Nothing of it is booked, and the customer's next order is.
        assert_eq!(house.points(ada).await, (800, 0, 0));
        house.set_program(|program| program.earn.points = Points::new(1).unwrap()).await;
        tell(&house, "next", "orders/create", &Order::new(8, ada as i64).payload()).await;
        assert_eq!(outcome(test, "next").await, ("done".to_owned(), None));
        assert_eq!(house.points(ada).await, (900, 0, 0));
        // By rules that fit, it is acted upon when it is asked for again.
        assert_eq!(house.app.inbox.requeue(Some(house.shop_id), None).await.unwrap(), 1);
        house.settle().await;
        assert_eq!(outcome(test, "vast").await.0, "done");
        assert_eq!(house.points(ada).await, (900 + 90_071_992_547_409, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn an_order_that_shopify_cannot_be_asked_about_waits_and_one_that_is_gone_is_left() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let gone = json!({"order_edit": {"id": 1, "order_id": 9_007_199_254_740_993_i64}});
        tell(&house, "gone", "orders/edited", &gone).await;
        assert_eq!(outcome(test, "gone").await, ("done".to_owned(), None));
        for (id, nonsense) in [("no order", json!({"order_edit": {}})), ("a list", json!([1]))] {
            tell(&house, id, "orders/edited", &nonsense).await;
            assert_eq!(outcome(test, id).await.0, "dead", "{id}");
        }
        assert_eq!(house.points(ada).await, (800, 0, 0));
    });
}

#[test]
fn an_order_from_before_the_app_earns_nothing_because_somebody_changes_it_now() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let cart = house.cart(ada, 2, None);
        house.shop.webhooks().pause();
        let order = house.shop.place_order(&cart, PlaceOptions::default()).unwrap();
        let mut payload = house.shop.order_payload(&order);
        payload["id"] = json!(9_007_199_254_740_993_i64);
        for field in ["created_at", "processed_at"] {
            payload[field] = json!("2024-01-01T00:00:00Z");
        }
        for topic in
            ["orders/updated", "orders/fulfilled", "orders/paid", "orders/cancelled", "orders/delete"]
        {
            tell(&house, topic, topic, &payload).await;
        }
        // Shopify was told of it only now: it was placed elsewhere.
        payload["created_at"] = json!(house.app.clock.now().to_string());
        tell(&house, "imported", "orders/create", &payload).await;
        let refund = json!({"id": 1, "order_id": payload["id"], "refund_line_items": []});
        tell(&house, "a refund of it", "refunds/create", &refund).await;
        tell(&house, "and again", "orders/updated", &payload).await;
        assert_eq!(house.points(ada).await, (800, 0, 0));
        // One that was placed since is taken on, whichever of its webhooks comes first.
        tell(&house, "updated first", "orders/updated", &house.shop.order_payload(&order)).await;
        assert_eq!(house.points(ada).await, (820, 0, 0));
        house.shop.webhooks().resume();
        house.settle().await;
        assert_eq!(house.points(ada).await, (820, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn a_new_customer_is_a_member_and_finds_an_account_with_nothing_in_it() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        house.shop.webhooks().pause();
        let eve = house.shop.add_customer("Eve", "Evans", "eve@example.com").id;
        house.shop.webhooks().forget(); // it is told of below, with times of its own
        house.shop.webhooks().resume();
        let told =
            |state: &str, hours: i64| json!({"id": eve, "state": state, "updated_at": ago(&house, -hours)});
        tell(&house, "1", "customers/create", &told("disabled", 1)).await;
        house.settle().await;
        assert_eq!(house.account(eve), json!({"v": 1, "seq": 0, "points": 0, "pending": 0}));

        tell(&house, "3", "customers/update", &told("enabled", 3)).await;
        tell(&house, "2", "customers/update", &told("invited", 2)).await;
        let states = events(test, "customer.updated").await;
        let last = states.last().map(|told| &told["change"]["state"]["state"]);
        assert_eq!(last, Some(&json!("enabled")), "an older state is none: {states:?}");

        tell(&house, "4", "customers/update", &json!({"id": 77, "updated_at": "2026-11-03T10:00:00Z"})).await;
        let mut read = test.db.read_across().await.unwrap();
        let stranger = customers::member(&mut read, house.shop_id, CustomerId(77)).await.unwrap();
        assert!(stranger.is_none(), "nobody becomes a member by being changed");
    });
}

#[test]
fn a_deleted_customer_keeps_a_place_in_the_ledger_and_holds_nothing() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        house.mark(ada, "points", Some(500)).await;
        for id in ["1", "2"] {
            tell(&house, id, "customers/delete", &json!({"id": ada})).await;
        }
        house.settle().await;
        assert_eq!(house.points(ada).await, (800, 0, 0));
        assert_eq!(events(test, "customer.updated").await.len(), 1);
    });
}

/// Two members: `kept` with 80 mugs bought and `lost` with 50.
async fn two(house: &House) -> (u64, u64) {
    (house.customer(80).await, house.customer(50).await)
}

fn merge(kept: u64, lost: u64, status: &str) -> Value {
    json!({"admin_graphql_api_customer_kept_id": format!("gid://shopify/Customer/{kept}"),
           "admin_graphql_api_customer_deleted_id": format!("gid://shopify/Customer/{lost}"), "status": status})
}

#[test]
fn two_customers_become_one_with_all_that_either_had() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let (kept, lost) = two(&house).await;
        let mark = house.mark(lost, "points", Some(500)).await;
        tell(&house, "failed", "customers/merge", &merge(kept, lost, "failed")).await;
        assert_eq!(house.points(kept).await, (800, 0, 0), "a merge that failed is none");
        for id in ["1", "2"] {
            tell(&house, id, "customers/merge", &merge(kept, lost, "completed")).await;
        }
        // The other way round, and into oneself.
        tell(&house, "3", "customers/merge", &merge(lost, kept, "completed")).await;
        tell(&house, "4", "customers/merge", &merge(kept, kept, "completed")).await;
        house.settle().await;
        assert_eq!(house.points(kept).await, (800, 0, 500));
        assert_eq!(house.account(kept)["hold"]["points"], 500, "what was picked is picked still");
        let merged = events(test, "customer.updated").await;
        assert_eq!(merged.len(), 1, "{merged:?}");

        // An order of the customer who is no more, on its way with what they had picked.
        house.place(&house.cart(lost, 2, Some(&mark)));
        house.settle().await;
        let (points, pending, held) = house.points(kept).await;
        assert_eq!((pending, held), (0, 0));
        assert!(points == 815 || points == 820, "20.00, less 5.00 where their checkout saw it: {points}");
    });
}

#[test]
fn a_return_finds_its_points_whether_it_comes_before_or_after_a_merge() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let mut ends = Vec::new();
        for merge_first in [true, false] {
            let (kept, lost) = two(&house).await;
            let mark = house.mark(lost, "points", Some(200)).await;
            let order = house.place(&house.cart(lost, 2, Some(&mark)));
            house.settle().await;
            let id = format!("merge {merge_first}");
            if merge_first {
                tell(&house, &id, "customers/merge", &merge(kept, lost, "completed")).await;
            }
            house.shop.refund(order.id, &one_unit(&order)).unwrap();
            house.settle().await;
            if !merge_first {
                tell(&house, &id, "customers/merge", &merge(kept, lost, "completed")).await;
            }
            ends.push(house.points(kept).await);
        }
        // 500 less 200, 18 earned of which 9 stay, 100 back.
        assert_eq!(ends, [(800 + 300 + 9 + 100, 0, 0); 2]);
    });
}

#[test]
fn three_customers_become_one_in_whatever_order_it_is_told() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        for inner_first in [true, false] {
            let ids = [house.customer(30).await, house.customer(20).await, house.customer(10).await];
            let (inner, outer) = (merge(ids[1], ids[2], "completed"), merge(ids[0], ids[1], "completed"));
            let told = if inner_first { [inner, outer] } else { [outer, inner] };
            for (n, body) in told.iter().enumerate() {
                tell(&house, &format!("{inner_first} {n}"), "customers/merge", body).await;
            }
            assert_eq!(house.points(ids[0]).await, (600, 0, 0), "inner first: {inner_first}");
        }
    });
}

#[test]
fn a_stranger_who_is_merged_leads_to_the_member() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let stranger = house.shop.add_customer("Sam", "Stone", "sam@example.com").id;
        tell(&house, "1", "customers/merge", &merge(ada, stranger, "completed")).await;
        house.place(&house.cart(stranger, 1, None));
        house.settle().await;
        assert_eq!(house.points(ada).await, (810, 0, 0));
    });
}

#[test]
fn of_a_product_what_changed_last_counts() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let id = 9_007_199_254_740_993_i64;
        let told = |title: &str, at: &str| {
            json!({"id": id, "title": title, "handle": "mug", "status": "active", "product_type": "Mugs",
                   "vendor": "V\u{0}", "tags": "blue, new,", "variants": [{"id": 5}], "updated_at": at})
        };
        tell(&house, "2", "products/update", &told("Mug\u{0} 2", &ago(&house, 5))).await;
        tell(&house, "1", "products/update", &told("Mug 1", &ago(&house, 6))).await;
        tell(&house, "0", "products/create", &told("Mug 0", &ago(&house, 7))).await;
        let find = async || {
            let mut read = test.db.read_across().await.unwrap();
            products::find(&mut read, house.shop_id, id).await.unwrap().unwrap()
        };
        let product = find().await;
        assert_eq!((product.title.as_deref(), product.vendor.as_deref()), (Some("Mug 2"), Some("V")));
        assert_eq!(
            (&product.tags.0[..], &product.variants.0[..]),
            (&["blue".to_owned(), "new".into()][..], &[5][..])
        );

        tell_at(&house, "3", "products/delete", &ago(&house, 1), &json!({"id": id})).await;
        tell(&house, "4", "products/update", &told("Mug 3", &ago(&house, 2))).await;
        assert!(find().await.deleted_at.is_some(), "an older change does not bring it back");
        let told = events(test, "product.updated").await.into_iter();
        let told: Vec<Value> = told.filter(|told| told["product"] == id).collect();
        assert_eq!(told, [json!({"product": id, "deleted": false}), json!({"product": id, "deleted": true})]);
    });
}

#[test]
fn a_product_that_nobody_has_changed_yet_is_known_by_its_name() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let lamp = house.shop.add_product(NewProduct::simple("Desk lamp", 4_000));
        house.settle().await;
        let mut read = test.db.read_across().await.unwrap();
        let titles = products::titles(&mut read, house.shop_id, &[lamp.id as i64]).await.unwrap();
        assert_eq!(titles[&(lamp.id as i64)], "Desk lamp");
    });
}

#[test]
fn a_product_that_was_deleted_in_the_instant_of_its_last_change_is_deleted() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let at = ago(&house, 1);
        for (id, deleted_first) in [(1, false), (2, true)] {
            let change = json!({"id": id, "title": "Mug", "updated_at": at});
            let mut told = [("products/update", &change), ("products/delete", &json!({"id": id}))];
            if deleted_first {
                told.reverse();
            }
            // And both once more, by other webhooks.
            for (n, (topic, body)) in told.iter().chain(&told).enumerate() {
                tell_at(&house, &format!("{id} {n}"), topic, &at, body).await;
            }
            let mut read = test.db.read_across().await.unwrap();
            let product = products::find(&mut read, house.shop_id, id).await.unwrap().unwrap();
            assert!(product.deleted_at.is_some(), "told of its end first: {deleted_first}");
        }
        let told = events(test, "product.updated").await;
        let ends = told.iter().filter(|told| told["deleted"] == true).count();
        assert_eq!(ends, 2, "each end once: {told:?}");
    });
}

#[test]
fn what_a_shop_says_of_itself_and_its_plan_is_kept_unless_it_is_older_or_nonsense() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let told = |name: &str, zone: &str| json!({"name": name, "currency": "GBP", "iana_timezone": zone});
        tell(&house, "1", "shop/update", &told("New & Co", "Asia/Tokyo")).await;
        tell_at(&house, "0", "shop/update", &ago(&house, 1), &told("Old & Co", "Asia/Tokyo")).await;
        tell(&house, "2", "shop/update", &told("Mars & Co", "Mars/Olympus")).await;
        let shop = house.app.shops.find(house.shop_id).await.unwrap().unwrap();
        assert_eq!((shop.name.as_str(), shop.time_zone.as_str()), ("New & Co", "Asia/Tokyo"));
        assert_eq!(outcome(test, "2").await.1.as_deref(), Some("the shop's time zone is unknown"));

        let plan = |id: i64, handle: &str, status: &str, at: &str| {
            json!({"app_subscription": {"admin_graphql_api_id": format!("gid://shopify/AppSubscription/{id}"),
                   "name": "Plan", "status": status, "plan_handle": handle, "updated_at": at}})
        };
        let topic = "app_subscriptions/update";
        tell(&house, "3", topic, &plan(1, "free", "ACTIVE", "2026-11-01T10:00:00Z")).await;
        tell(&house, "4", topic, &plan(1, "free", "CANCELLED", "2026-11-03T10:00:00Z")).await;
        tell(&house, "5", topic, &plan(1, "free", "ACTIVE", "2026-11-02T10:00:00Z")).await;
        tell(&house, "6", topic, &plan(2, "plus", "ACTIVE", "2026-11-03T10:00:00Z")).await;
        let mut read = test.db.read_across().await.unwrap();
        let plan = merchants::plan(&mut read, house.shop_id).await.unwrap().unwrap();
        assert_eq!(plan.plan_handle.as_deref(), Some("plus"));
    });
}

#[test]
fn what_became_of_a_bulk_operation_is_noted_once() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let id = "gid://shopify/BulkOperation/147595010";
        let told = |status: &str| {
            json!({"admin_graphql_api_id": id, "completed_at": "2026-11-20T07:34:56-05:00", "error_code": null,
                   "status": status, "type": "query"})
        };
        tell(&house, "1", "bulk_operations/finish", &told("completed")).await;
        tell(&house, "2", "bulk_operations/finish", &told("failed")).await;
        let mut read = test.db.read_across().await.unwrap();
        let finished = bulk::finished(&mut read, house.shop_id, id).await.unwrap().unwrap();
        assert_eq!((finished.status.as_str(), finished.kind.as_str()), ("completed", "query"));
        assert_eq!(finished.finished_at.to_string(), "2026-11-20T12:34:56Z");
    });
}

#[test]
fn a_privacy_request_is_written_down_once_without_an_address() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ask = |orders: &str| {
            json!({"shop_id": 1, orders: [9_007_199_254_740_993_i64],
                   "customer": {"id": 191_167, "email": "ada@example.com", "phone": "555-625-1199"}})
        };
        for _ in 0..2 {
            tell(&house, "ask", "customers/data_request", &ask("orders_requested")).await;
        }
        tell(&house, "erase", "customers/redact", &ask("orders_to_redact")).await;
        let mut read = test.db.read_across().await.unwrap();
        let requests = privacy::requests(&mut read, house.shop_id, 10).await.unwrap();
        assert_eq!(requests.len(), 2);
        for request in &requests {
            // The numbers go when the request is settled, which the house may have done already.
            let named = request.orders.0.iter().all(|order| order.0 == 9_007_199_254_740_993);
            assert!(named && request.customer_id.is_none_or(|customer| customer.0 == 191_167), "{request:?}");
            assert!((request.due_at - request.received_at).as_hours() == 720);
        }
        assert_eq!(events(test, "gdpr_request.created").await.len(), 2);
        let nobody = json!({"shop_id": 1});
        tell(&house, "nobody", "customers/redact", &nobody).await;
        assert_eq!(outcome(test, "nobody").await.1.as_deref(), Some("the request names no customer"));
    });
}

#[test]
fn nothing_of_a_shop_that_has_come_back_is_erased_and_somebody_hears_of_it() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        tell(&house, "erase", "shop/redact", &json!({"shop_id": 1})).await;
        assert_eq!(house.points(ada).await, (800, 0, 0));
        let mut read = test.db.read_across().await.unwrap();
        let requests = privacy::requests(&mut read, house.shop_id, 10).await.unwrap();
        assert_eq!(requests[0].state, privacy::RequestState::Refused);
        let told = events(test, "gdpr_request.created").await;
        assert_eq!(told[0]["refused"], "the shop has the app installed again");
    });
}

#[test]
fn nonsense_is_a_dead_letter_whatever_its_topic() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let topics = [
            "orders/create",
            "orders/paid",
            "orders/updated",
            "orders/cancelled",
            "orders/edited",
            "orders/fulfilled",
            "orders/delete",
            "refunds/create",
            "customers/create",
            "customers/update",
            "customers/delete",
            "customers/merge",
            "customers/redact",
            "customers/data_request",
            "products/create",
            "products/update",
            "products/delete",
            "app/scopes_update",
            "app_subscriptions/update",
            "shop/update",
            "bulk_operations/finish",
        ];
        for topic in topics {
            for (n, body) in
                [json!({}), json!([]), json!("x"), json!({"id": "many"}), json!({"id": -1.5e300})]
                    .iter()
                    .enumerate()
            {
                let id = format!("{topic} {n}");
                tell(&house, &id, topic, body).await;
                let (state, reason) = outcome(test, &id).await;
                assert_eq!(state, "dead", "{id}: {reason:?}");
            }
        }
        tell(&house, "unknown", "themes/publish", &json!({"id": 1})).await;
        assert_eq!(outcome(test, "unknown").await.0, "done");
    });
}
