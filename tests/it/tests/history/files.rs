//! Files of every kind, read to their end.

use axum::http::{Method, StatusCode};
use devshop::{BulkFaults, Order, Payment, PlaceOptions, RefundRequest, ShippingRefund};
use loyalnest::db;
use loyalnest::orders::{Incoming, payload};
use serde_json::{Value, json};

use super::{Bought, Scene, bought, place};
use crate::support::door::api;
use crate::support::on_both_engines;
use crate::support::till::{ADA, BOB, Shop};

#[test]
fn the_same_orders_by_webhooks_and_by_a_file_come_to_the_same() {
    on_both_engines(async |test| {
        let scene = Scene::of(test, |shop, mug, card| {
            let customer = |n: u32| shop.add_customer("Ada", "B", &format!("{n}@example.com")).id;
            let plain = PlaceOptions::default();
            let back = |order: &Order| match order.shipping {
                Some(_) => ShippingRefund::Full,
                None => ShippingRefund::None,
            };
            let several = customer(1);
            place(shop, several, &[(mug, 2)], plain);
            place(shop, several, &[(mug, 1), (card, 1)], PlaceOptions { tip: 150, ..plain });
            place(shop, customer(2), &[(card, 2)], plain);
            let refunded = customer(3);
            for units in [1, 3] {
                let order = place(shop, refunded, &[(mug, 3)], PlaceOptions { tip: 50, ..plain });
                let lines = vec![(order.lines[0].id, units)];
                let shipping = back(&order);
                shop.refund(order.id, &RefundRequest { lines, shipping, ..RefundRequest::default() })
                    .unwrap();
            }
            let gone = customer(4);
            let card_back = place(shop, gone, &[(card, 1)], plain);
            let lines = vec![(card_back.lines[0].id, 1)];
            let shipping = back(&card_back);
            shop.refund(card_back.id, &RefundRequest { lines, shipping, ..RefundRequest::default() })
                .unwrap();
            shop.cancel(place(shop, gone, &[(mug, 1)], plain).id, "customer").unwrap();
            let later = PlaceOptions { payment: Payment::Later, ..plain };
            place(shop, customer(5), &[(mug, 4)], later);
            shop.cancel(place(shop, customer(6), &[(mug, 4)], later).id, "customer").unwrap();
            place(shop, customer(7), &[(mug, 1)], PlaceOptions { test: true, ..plain });
            customer(8);
        })
        .await;
        let report = scene.read().await;
        assert_eq!((&report["orders"]["state"], &report["orders"]["refused"]), (&json!("done"), &json!(0)));
        assert_eq!(
            (&report["orders"]["taken"], &report["orders"]["passed_by"], &report["customers"]["taken"]),
            (&json!(9), &json!(1), &json!(8)),
            "{report}"
        );

        let till = Shop::open(&test.db).await;
        for order in scene.door.shop.orders() {
            let told = payload::order(scene.door.shop.order_payload(&order).to_string().as_bytes()).unwrap();
            if let Some(order) = told {
                till.take(vec![Incoming::Order { order: Box::new(order), metafield: None, opens: true }])
                    .await;
            }
        }
        let mut some = 0;
        for customer in scene.door.shop.customers() {
            let customer = customer.id as i64;
            let (by_file, by_webhooks): (Bought, Bought) =
                (scene.bought(customer).await, bought(&test.db, till.id, customer).await);
            assert_eq!(by_file, by_webhooks, "{customer}");
            some += i64::from(by_file.1 > 0);
        }
        assert_eq!(some, 4);
        assert_eq!(scene.entries().await, 0, "history earns nothing");
        scene.is_sound().await;
        till.is_sound().await;
    });
}

#[test]
fn what_cannot_be_taken_is_told_and_the_rest_is_taken() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        let money =
            |amount: &str, currency: &str| json!({"shopMoney": {"amount": amount, "currencyCode": currency}});
        scene.say(&[
            scene.line(1, ADA, &[]),
            // The same once more, and an older one.
            scene.line(1, ADA, &[]),
            scene.line(
                1,
                ADA,
                &[
                    ("updatedAt", json!("2025-05-01T11:00:00Z")),
                    ("cancelledAt", json!("2025-05-01T11:00:00Z")),
                ],
            ),
            scene.line(2, ADA, &[("customer", Value::Null)]),
            scene.line(3, ADA, &[("test", json!(true))]),
            scene.line(4, ADA, &[("processedAt", json!("2027-01-01T00:00:00Z"))]),
            scene.line(5, ADA, &[("currentSubtotalPriceSet", money("10.00", "EUR"))]),
            scene.line(6, ADA, &[("currentSubtotalPriceSet", money("ten", "GBP"))]),
            scene.line(7, ADA, &[("updatedAt", Value::Null)]),
            // Only refunded ones, and more given back than was paid.
            scene.line(
                8,
                BOB,
                &[
                    ("currentSubtotalLineItemsQuantity", json!(0)),
                    ("displayFinancialStatus", json!("REFUNDED")),
                ],
            ),
            scene.line(9, 103, &[("currentShippingPriceSet", money("-35.50", "GBP"))]),
            json!({"id": "gid://shopify/TeaPot/3", "spout": {"id": 1}}),
            json!({"id": "gid://shopify/Order/1", "__parentId": "gid://shopify/Customer/2"}),
            json!({"name": "nobody"}),
        ]);
        let report = scene.read().await;
        let orders = &report["orders"];
        let numbers = ["lines", "unreadable", "taken", "new_members", "passed_by", "refused"];
        assert_eq!(numbers.map(|name| orders[name].as_i64().unwrap()), [14, 1, 3, 3, 2, 4], "{orders}");
        let refusals: Vec<(i64, &str)> = orders["refusals"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["order"].as_i64().unwrap(), one["code"].as_str().unwrap()))
            .collect();
        assert_eq!(
            refusals,
            [(4, "in_the_future"), (5, "other_currency"), (6, "bad_amount"), (7, "unreadable")]
        );
        assert!(orders["refusals"][1]["message"].as_str().unwrap().contains("currency"));
        let at = Some("2025-05-01T10:00:00Z".to_owned());
        assert_eq!(scene.bought(ADA).await, (at.clone(), 1, 1_000));
        assert_eq!(scene.bought(BOB).await, (None, 0, 0));
        assert_eq!(scene.bought(103).await, (at, 1, -2_550));
        // The lines stood in the other file, too, and are no customers.
        assert_eq!(report["customers"]["taken"], json!(0));
        // Again: nothing counts twice.
        let again = scene.read().await;
        assert_eq!(numbers.map(|name| again["orders"][name].as_i64().unwrap()), [14, 1, 3, 0, 2, 4]);
        assert_eq!(scene.bought(ADA).await.1, 1);
        scene.is_sound().await;
    });
}

#[test]
fn of_thousands_of_refused_lines_some_are_told_and_all_are_counted() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        let lines: Vec<Value> =
            (1..=4_500).map(|id| scene.line(id, ADA, &[("updatedAt", Value::Null)])).collect();
        scene.say(&lines);
        let orders = &scene.read().await["orders"];
        assert_eq!((&orders["refused"], &orders["taken"]), (&json!(4_500), &json!(0)));
        assert_eq!(orders["refusals"].as_array().unwrap().len(), 200);
        assert_eq!(orders["refusals"][199]["order"], json!(200));
    });
}

#[test]
fn files_that_break_off_are_read_on_and_cut_ones_say_so() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        let lines: Vec<String> =
            (1..=2_600).map(|id| scene.line(id, 1_000 + id % 700, &[]).to_string()).collect();
        let faults = BulkFaults { lines_before: lines, ..BulkFaults::default() };
        let cut_at =
            Some(faults.lines_before.iter().map(|line| line.len() + 1).take(2_100).sum::<usize>() + 40);
        scene.door.shop.set_bulk_faults(BulkFaults { cut_at, ..faults.clone() });
        let cut = scene.read().await;
        assert_eq!((&cut["orders"]["state"], &cut["orders"]["taken"]), (&json!("incomplete"), &json!(2_100)));
        scene.door.shop.set_bulk_faults(BulkFaults { breaks: 4, ..faults });
        // Two processes at once.
        let other = scene.door.another_process(test).await;
        assert_eq!(scene.staff(Method::POST, "/api/history").await.0, StatusCode::ACCEPTED);
        let report = scene.until_over_beside(&other).await;
        let orders = &report["orders"];
        assert_eq!(
            (&orders["state"], &orders["taken"], &orders["lines"]),
            (&json!("done"), &json!(2_600), &json!(2_600))
        );
        let mut read = test.db.read(scene.shop).await.unwrap();
        let (orders, spent): (i64, i64) = db!(
            read.one,
            "select cast(sum(orders) as bigint), cast(sum(spent) as bigint) from rfm_members where shop_id = $1",
            scene.shop
        )
        .unwrap();
        assert_eq!((orders, spent), (2_600, 2_600_000));
        drop(read);
        scene.is_sound().await;
    });
}

#[test]
fn one_at_a_time_whoever_asks_and_how_far_back_it_goes_is_told() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        let (status, none) = scene.staff(Method::GET, "/api/history").await;
        assert_eq!((status, &none["code"]), (StatusCode::NOT_FOUND, &json!("never_read")));
        scene.door.shop.set_bulk_faults(BulkFaults { held: true, ..BulkFaults::default() });
        let (_, first) = scene.staff(Method::POST, "/api/history").await;
        let (_, second) = scene.staff(Method::POST, "/api/history").await;
        for of in 0..2 {
            let [first, second] = [&first["files"][of], &second["files"][of]];
            assert_eq!((&first["under_way"], &second["under_way"]), (&json!(false), &json!(true)));
            assert_eq!(first["run"], second["run"]);
        }
        let (_, asked) = scene.staff(Method::GET, "/api/history").await;
        assert_eq!((&asked["orders"]["state"], &asked["orders"]["reach"]), (&json!("asked"), &Value::Null));
        scene.door.app.tasks.run_due(&scene.door.app).await.unwrap();
        assert_eq!(scene.staff(Method::GET, "/api/history").await.1["orders"]["state"], json!("making"));
        scene.door.shop.release_bulk();
        let report = scene.until_over().await;
        assert_eq!(
            (&report["orders"]["reach"], report["customers"].get("reach")),
            (&json!("last_60_days"), None)
        );
        let (_, audit) = scene.staff(Method::GET, "/api/audit").await;
        assert!(audit.to_string().contains("history.asked"), "{audit}");

        let scopes = format!("{},read_all_orders", scene.door.shop.scopes());
        scene.door.shop.grant_scopes(&scopes);
        let told = json!({"current": scopes.split(',').collect::<Vec<_>>()});
        scene.door.webhook("scopes", "app/scopes_update", scene.door.now(), &told).await;
        assert_eq!(scene.read().await["orders"]["reach"], json!("all"));
    });
}

#[test]
fn without_a_session_nobody_asks() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        for method in [Method::GET, Method::POST] {
            let answered = api(&scene.door.app, "no token", method, "/api/history", &Value::Null).await;
            assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
        }
    });
}
