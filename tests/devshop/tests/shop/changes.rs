//! What changes after the sale, and about shop, customers and products; and how much of it the app is told.

use devshop::{
    NewProduct, OrderEdit, Payment, PlaceOptions, RefundRequest, Settings, ShopChange, ShopError, StartError,
    gid,
};
use serde_json::{Value, json};

use crate::support::{App, Fixture};

/// What the app got: topic and body, in the order it arrived.
async fn told(fixture: &Fixture, app: &App) -> Vec<(String, Value)> {
    fixture.shop.webhooks().flush().await.unwrap();
    let webhooks = app.received().into_iter().filter(|received| received.uri.path() == "/webhooks");
    webhooks.map(|received| (received.header("x-shopify-topic").to_owned(), received.json())).collect()
}

fn one<'t>(told: &'t [(String, Value)], topic: &str) -> &'t Value {
    let found: Vec<_> = told.iter().filter(|(known, _)| known == topic).collect();
    assert_eq!(found.len(), 1, "{topic} in {told:?}");
    &found[0].1
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_app_gets_what_its_file_subscribes_to_and_nothing_personal_of_an_order() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    let order = fixture.shop.place_order(&fixture.cart(2), PlaceOptions::default()).unwrap();
    let line = order.lines[0].id;
    fixture.shop.refund(order.id, &RefundRequest { lines: vec![(line, 1)], ..Default::default() }).unwrap();
    let told = told(&fixture, &app).await;
    for (topic, body) in &told {
        let text = body.to_string();
        for personal in ["ada@example.com", "Ada", "Byron", "email", "address", "phone"] {
            assert!(!text.contains(personal), "{topic} says {personal}: {text}");
        }
    }
    let paid = one(&told, "orders/paid");
    assert_eq!(paid["customer"], json!({"id": fixture.ada.id, "state": "enabled"}));
    assert_eq!(paid["line_items"][0]["price_set"]["shop_money"]["amount"], "12.50");
    assert_eq!(paid.get("total_price"), None);
    let refund = one(&told, "refunds/create");
    let of_refund = ["id", "order_adjustments", "order_id", "refund_line_items", "refund_shipping_lines"];
    assert_eq!(names(refund), of_refund);
    assert_eq!(names(&refund["refund_line_items"][0]), ["line_item_id", "quantity", "subtotal_set"]);
    // The shop itself knows it all.
    let whole =
        fixture.shop.webhooks().events().into_iter().find(|event| event.topic == "orders/paid").unwrap();
    assert_eq!(whole.payload["email"], "ada@example.com");
}

#[tokio::test]
async fn an_edit_tells_of_itself_and_changes_the_order() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    let order = fixture.shop.place_order(&fixture.cart(3), PlaceOptions::default()).unwrap();
    let line = order.lines[0].id;
    let pen = fixture.shop.add_product(NewProduct::simple("Pen", 300)).variants[0].id;

    let fewer = OrderEdit { quantities: vec![(line, 1)], ..OrderEdit::default() };
    fixture.shop.edit_order(order.id, &fewer).unwrap();
    let now = fixture.shop.order(order.id).unwrap();
    let payload = fixture.shop.order_payload(&now);
    let item = &payload["line_items"][0];
    assert_eq!((&item["quantity"], &item["current_quantity"]), (&json!(3), &json!(1)));
    assert_eq!(
        (&payload["total_price"], &payload["current_total_price"]),
        (&json!("42.45"), &json!("17.45"))
    );
    assert_eq!((now.financial_status(), now.refunds.len()), ("paid", 0));
    let whole =
        fixture.shop.webhooks().events().into_iter().find(|event| event.topic == "orders/edited").unwrap();
    let removed = json!([{"id": line, "delta": 2}]);
    assert_eq!(whole.payload["order_edit"]["line_items"], json!({"additions": [], "removals": removed}));
    let told = told(&fixture, &app).await;
    assert_eq!(one(&told, "orders/edited"), &json!({"order_edit": {"order_id": order.id}}));
    assert_eq!(one(&told, "orders/updated")["line_items"][0]["current_quantity"], 1);

    let more = OrderEdit { quantities: vec![(line, 2)], additions: vec![(pen, 2)], ..OrderEdit::default() };
    let edited = fixture.shop.edit_order(order.id, &more).unwrap();
    assert_eq!((edited.lines.len(), edited.lines[0].current_quantity()), (2, 2));
    assert_eq!(edited.total_now().shop, 2 * 1250 + 2 * 300 + 495);
    assert_eq!(edited.financial_status(), "paid", "42.45 was paid, and it comes to 35.95");
    let dear = OrderEdit { additions: vec![(pen, 5)], ..OrderEdit::default() };
    assert_eq!(fixture.shop.edit_order(order.id, &dear).unwrap().financial_status(), "partially_paid");
    assert_eq!(fixture.shop.pay(order.id).unwrap().financial_status(), "paid");
    assert_eq!(fixture.shop.pay(order.id).unwrap_err(), ShopError::Already("paid"));

    let all = fixture.shop.cancel(order.id, "customer").unwrap();
    assert_eq!((all.refunded(), all.financial_status()), (all.total_now(), "refunded"));
}

#[tokio::test]
async fn what_cannot_be_edited_stays_as_it_is() {
    let fixture = Fixture::new().await;
    let order = fixture.shop.place_order(&fixture.cart(2), PlaceOptions::default()).unwrap();
    let line = order.lines[0].id;
    let edit = |quantities: &[(u64, u32)], additions: &[(u64, u32)], off: &[usize]| {
        let edit = OrderEdit {
            quantities: quantities.to_vec(),
            additions: additions.to_vec(),
            discounts_off: off.to_vec(),
            staff_note: String::new(),
        };
        fixture.shop.edit_order(order.id, &edit).unwrap_err()
    };
    assert_eq!(edit(&[], &[], &[]), ShopError::NothingToChange);
    assert_eq!(edit(&[(line, 2)], &[], &[]), ShopError::NothingToChange);
    assert_eq!(edit(&[(line, 1), (7, 1)], &[], &[]), ShopError::NotFound("order line"));
    assert_eq!(edit(&[(line, 1)], &[(7, 1)], &[]), ShopError::NotFound("variant"));
    assert_eq!(edit(&[(line, 1)], &[], &[0]), ShopError::NotFound("discount"));
    assert_eq!(fixture.shop.order(order.id).unwrap().lines[0].current_quantity(), 2);
    assert!(fixture.shop.webhooks().events().iter().all(|event| event.topic != "orders/edited"));
    fixture.shop.cancel(order.id, "customer").unwrap();
    assert_eq!(edit(&[(line, 1)], &[], &[]), ShopError::Already("cancelled"));
}

#[tokio::test]
async fn an_order_is_fulfilled_once() {
    let fixture = Fixture::new().await;
    let later = PlaceOptions { payment: Payment::Later, ..PlaceOptions::default() };
    let order = fixture.shop.place_order(&fixture.cart(1), later).unwrap();
    fixture.shop.fulfil_order(order.id).unwrap();
    assert_eq!(fixture.shop.fulfil_order(order.id).unwrap_err(), ShopError::Already("fulfilled"));
    let events = fixture.shop.webhooks().events();
    let topics: Vec<_> = events.iter().map(|event| event.topic.as_str()).collect();
    assert_eq!(topics, ["orders/create", "orders/fulfilled", "orders/updated"]);
    assert_eq!(events[1].payload["fulfillment_status"], "fulfilled");
    assert_eq!(events[1].event_id, events[2].event_id);
}

#[tokio::test]
async fn customers_come_change_merge_and_go() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    let (shop, ada) = (&fixture.shop, fixture.ada.id);
    let order = shop.place_order(&fixture.cart(1), PlaceOptions::default()).unwrap();
    let ben = shop.add_customer("Ben", "L", "ben@example.com").id;
    shop.update_customer(ben, |ben| ben.state = "disabled".into()).unwrap();
    let cart = fixture.cart(1);
    shop.merge_customers(ben, ada).unwrap();
    assert_eq!(shop.customer(ada).map(|ada| ada.id), None);
    assert_eq!(shop.order(order.id).unwrap().customer.unwrap().id, ben);
    assert_eq!(shop.cart(&cart).unwrap().customer, Some(ben));
    assert_eq!(shop.merge_customers(ben, ben).unwrap_err(), ShopError::NotFound("customer"));
    assert_eq!(shop.merge_customers(ben, ada).unwrap_err(), ShopError::NotFound("customer"));
    shop.delete_customer(ben);
    shop.delete_customer(ben);

    let told = told(&fixture, &app).await;
    let created = one(&told, "customers/create");
    assert_eq!(names(created), ["id", "state", "updated_at"]);
    assert_eq!(one(&told, "customers/update")["state"], "disabled");
    let merged = json!({
        "admin_graphql_api_customer_kept_id": gid("Customer", ben),
        "admin_graphql_api_customer_deleted_id": gid("Customer", ada),
        "status": "completed",
    });
    assert_eq!(one(&told, "customers/merge"), &merged);
    assert_eq!(one(&told, "customers/delete"), &json!({"id": ben}));
}

#[tokio::test]
async fn products_change_and_go() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    let mug = &fixture.mug;
    fixture.shop.update_product(mug.id, |mug| mug.tags = vec!["new".into(), "blue".into()]).unwrap();
    fixture.shop.delete_product(mug.id).unwrap();
    assert_eq!(fixture.shop.delete_product(mug.id).unwrap_err(), ShopError::NotFound("product"));
    let told = told(&fixture, &app).await;
    let updated = one(&told, "products/update");
    let members =
        ["handle", "id", "product_type", "status", "tags", "title", "updated_at", "variants", "vendor"];
    assert_eq!(names(updated), members);
    assert_eq!(
        (&updated["tags"], &updated["variants"]),
        (&json!("new, blue"), &json!([{"id": fixture.variant()}]))
    );
    assert_eq!(one(&told, "products/delete"), &json!({"id": mug.id}));
}

#[tokio::test]
async fn the_shop_its_plan_and_its_duties_are_told_of() {
    let fixture = Fixture::new().await;
    let app = App::start(&fixture.shop).await;
    let (shop, ada) = (&fixture.shop, fixture.ada.id);
    let order = shop.place_order(&fixture.cart(1), PlaceOptions::default()).unwrap();
    shop.update_shop(ShopChange { name: Some("Tea & Co".into()), ..ShopChange::default() });
    let plan = shop.set_plan("Growth", "growth", "ACTIVE");
    let bulk = shop.finish_bulk_operation("query", "failed", Some("TIMEOUT"));
    shop.request_customer_data(ada).unwrap();
    shop.redact_customer(ada).unwrap();
    assert_eq!(shop.redact_customer(7).unwrap_err(), ShopError::NotFound("customer"));
    shop.uninstall_app();
    shop.redact_shop();

    let told = told(&fixture, &app).await;
    let updated = one(&told, "shop/update");
    assert_eq!((&updated["name"], &updated["iana_timezone"]), (&json!("Tea & Co"), &json!("Europe/London")));
    assert!(!updated.to_string().contains("owner"), "{updated}");
    let subscription = &one(&told, "app_subscriptions/update")["app_subscription"];
    assert_eq!(
        (&subscription["admin_graphql_api_id"], &subscription["status"]),
        (&json!(plan), &json!("ACTIVE"))
    );
    let finished = one(&told, "bulk_operations/finish");
    assert_eq!(
        (&finished["admin_graphql_api_id"], &finished["error_code"]),
        (&json!(bulk), &json!("TIMEOUT"))
    );
    assert_eq!(one(&told, "customers/data_request")["orders_requested"], json!([order.id]));
    let redact = one(&told, "customers/redact");
    assert_eq!((&redact["orders_to_redact"], &redact["customer"]["id"]), (&json!([order.id]), &json!(ada)));
    assert_eq!(names(one(&told, "app/uninstalled")), ["id"]);
    assert_eq!(one(&told, "shop/redact")["shop_domain"], "local-shop.myshopify.com");
    assert_eq!(plan, shop.set_plan("Growth", "growth", "CANCELLED"), "the same subscription");
}

#[tokio::test]
async fn a_file_that_a_shop_cannot_act_on_keeps_it_closed() {
    let app = devshop::App { config: "name = \"x\"".into(), ..devshop::App::default() };
    let refused = devshop::DevShop::start(Settings { app, ..Settings::default() }).await;
    assert!(matches!(refused.map(|_| ()).unwrap_err(), StartError::AppFile(_)));
}
