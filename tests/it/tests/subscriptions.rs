//! What `shopify.app.toml` subscribes to is enough for what the backend reads: everything here comes from the local
//! shop, which sends the topics of that file with the fields of that file.

use devshop::{OrderEdit, RefundRequest, ShopChange, gid};
use loyalnest::ids::CustomerId;
use loyalnest::{bulk, customers, merchants, products};

use crate::support::house::House;
use crate::support::on_both_engines;

#[test]
fn an_order_is_edited_fulfilled_and_returned() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let mark = house.mark(ada, "points", Some(500)).await;
        let order = house.place(&house.cart(ada, 4, Some(&mark)));
        house.settle().await;
        assert_eq!(house.points(ada).await, (800 - 500 + 35, 0, 0), "40.00 less 5.00 were paid");
        house.shop.fulfil_order(order.id).unwrap();

        let line = order.lines[0].id;
        let fewer = OrderEdit { quantities: vec![(line, 3)], ..OrderEdit::default() };
        house.shop.edit_order(order.id, &fewer).unwrap();
        house.settle().await;
        // A quarter of 35.00 is 8.75: 26 of 35 points stay, and a quarter of 500 comes back.
        assert_eq!(house.points(ada).await, (800 - 375 + 26, 0, 0));

        let more = OrderEdit { additions: vec![(house.mug, 2)], ..OrderEdit::default() };
        house.shop.edit_order(order.id, &more).unwrap();
        house.shop.pay(order.id).unwrap();
        house.settle().await;
        let (points, pending, held) = house.points(ada).await;
        assert_eq!((pending, held), (0, 0));
        assert!(points > 800 - 375 + 26, "two mugs more earn: {points}");

        let back = RefundRequest { lines: vec![(line, 3)], ..RefundRequest::default() };
        house.shop.refund(order.id, &back).unwrap();
        house.shop.cancel(order.id, "customer").unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (800, 0, 0), "as before the order");
        house.is_sound().await;
    });
}

#[test]
fn customers_products_shop_and_plan_change() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let (kept, lost) = (house.customer(20).await, house.customer(30).await);
        house.shop.update_customer(kept, |ada| ada.state = "disabled".into()).unwrap();
        house.shop.merge_customers(kept, lost).unwrap();
        let pen = house.shop.add_product(devshop::NewProduct::simple("Pen", 300));
        house.shop.update_product(pen.id, |pen| pen.tags = vec!["blue".into(), "new".into()]).unwrap();
        house.shop.update_shop(ShopChange { name: Some("New & Co".into()), ..ShopChange::default() });
        house.shop.set_plan("Growth", "growth", "ACTIVE");
        let operation = house.shop.finish_bulk_operation("query", "failed", Some("TIMEOUT"));
        house.shop.request_customer_data(kept).unwrap();
        house.settle().await;

        assert_eq!(house.points(kept).await, (500, 0, 0));
        let mut read = test.db.read_across().await.unwrap();
        let member = customers::member(&mut read, house.shop_id, CustomerId(kept as i64)).await.unwrap();
        assert!(member.is_some());
        let product = products::find(&mut read, house.shop_id, pen.id as i64).await.unwrap().unwrap();
        assert_eq!((product.title.as_deref(), product.status.as_deref()), (Some("Pen"), Some("active")));
        assert_eq!(product.tags.0, ["blue", "new"]);
        assert_eq!(product.variants.0, [pen.variants[0].id as i64]);
        let plan = merchants::plan(&mut read, house.shop_id).await.unwrap().unwrap();
        assert_eq!(plan.plan_handle.as_deref(), Some("growth"));
        let finished = bulk::finished(&mut read, house.shop_id, &operation).await.unwrap().unwrap();
        assert_eq!(finished.status, "failed");
        let shop = house.app.shops.find(house.shop_id).await.unwrap().unwrap();
        assert_eq!(shop.name, "New & Co");
        drop(read);

        house.shop.delete_product(pen.id).unwrap();
        house.settle().await;
        let mut read = test.db.read_across().await.unwrap();
        let product = products::find(&mut read, house.shop_id, pen.id as i64).await.unwrap().unwrap();
        assert!(product.deleted_at.is_some());
        drop(read);
        let told: std::collections::BTreeSet<_> =
            house.shop.webhooks().attempts().into_iter().map(|attempt| attempt.topic).collect();
        assert!(told.contains("customers/merge") && told.contains("customers/data_request"), "{told:?}");
        assert_eq!(house.app.inbox.dead(house.shop_id).await.unwrap(), 0);
        assert!(house.shop.metafield(&gid("Customer", kept), "$app", "account").is_some());
    });
}
