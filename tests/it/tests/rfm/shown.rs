//! What Shopify's own lists show of segments, and where its groups and ours agree.

use axum::http::Method;
use devshop::{AdminFault, AdminFaultKind};
use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::Timestamp;
use loyalnest::ids::CustomerId;
use serde_json::{Value, json};

use super::staff::{opened, refresh};
use crate::support::counter::Counter;
use crate::support::on_both_engines;

/// The label that the shop filters by.
fn metafield(counter: &Counter, customer: i64) -> Option<String> {
    let owner = format!("gid://shopify/Customer/{customer}");
    counter.door.shop.metafield(&owner, "$app", "segment").map(|metafield| metafield.value)
}

fn tags(counter: &Counter, customer: i64) -> Vec<String> {
    counter.door.shop.customer(customer.cast_unsigned()).unwrap().tags
}

/// How many mutations of this name Shopify was sent.
fn calls(counter: &Counter, name: &str) -> usize {
    counter.door.shop.admin_calls().iter().filter(|call| call.operation == name).count()
}

async fn refreshed_later(counter: &Counter) {
    counter.door.advance(SignedDuration::from_mins(1));
    refresh(counter).await;
}

#[test]
fn groups_stand_where_merchants_filter_and_only_what_changed_is_written() {
    on_both_engines(async |test| {
        let (counter, customers) = opened(test, 5).await;
        assert_eq!(metafield(&counter, customers[4]), None);
        refresh(&counter).await;
        assert_eq!(metafield(&counter, customers[4]).as_deref(), Some("active"));
        assert_eq!(metafield(&counter, customers[0]).as_deref(), Some("dormant"));
        assert_eq!(tags(&counter, customers[4]), [""; 0], "nobody asked for tags");
        let written = calls(&counter, "MetafieldsSet");
        refreshed_later(&counter).await;
        assert_eq!(calls(&counter, "MetafieldsSet"), written);
        // All of it comes back: they are in no segment any more.
        let back = super::refund(1, 5, &[(51, 1, "50.00")]);
        counter.door.webhook("back", "refunds/create", counter.door.now(), &back).await;
        counter.door.app.inbox.drain_until_idle().await.unwrap();
        refreshed_later(&counter).await;
        assert_eq!(metafield(&counter, customers[4]).as_deref(), Some("prospects"));
    });
}

#[test]
fn tags_come_and_go_as_the_merchant_wishes_and_others_stay() {
    on_both_engines(async |test| {
        let (counter, customers) = opened(test, 5).await;
        let customer = customers[4];
        let own = ["vip".to_owned(), "Loyalty: Dormant".to_owned()];
        counter
            .door
            .shop
            .update_customer(customer.cast_unsigned(), |customer| customer.tags.extend(own))
            .unwrap();
        counter.set_program(|program| program.segment_tags = true).await;
        counter.door.app.tasks.run_due(&counter.door.app).await.unwrap();
        assert_eq!(tags(&counter, customer), ["vip", "loyalty: active"], "of ours there is one");
        let added = calls(&counter, "TagsAdd");
        refreshed_later(&counter).await;
        assert_eq!(calls(&counter, "TagsAdd"), added, "nothing has changed");
        counter.set_program(|program| program.segment_tags = false).await;
        counter.door.advance(SignedDuration::from_mins(1));
        counter.door.app.tasks.run_due(&counter.door.app).await.unwrap();
        assert_eq!(tags(&counter, customer), ["vip"]);
        assert_eq!(metafield(&counter, customer).as_deref(), Some("active"));
    });
}

#[test]
fn labels_that_were_not_written_are_written_later_and_who_is_gone_keeps_nobody() {
    on_both_engines(async |test| {
        let (counter, customers) = opened(test, 5).await;
        let shop = &counter.door.shop;
        shop.delete_customer(customers[0].cast_unsigned());
        shop.fail_operation("MetafieldsSet", AdminFault::before(AdminFaultKind::Status(403)));
        refresh(&counter).await;
        assert_eq!(metafield(&counter, customers[4]), None);
        counter.door.advance(SignedDuration::from_mins(10));
        counter.door.app.tasks.run_due(&counter.door.app).await.unwrap();
        assert_eq!(metafield(&counter, customers[4]).as_deref(), Some("active"));
        assert_eq!(metafield(&counter, customers[1]).as_deref(), Some("dormant"));
        assert_eq!(metafield(&counter, customers[0]), None, "Shopify has them no more");
    });
}

#[test]
fn what_is_noted_of_labels_goes_with_the_customer() {
    on_both_engines(async |test| {
        let (counter, customers) = opened(test, 5).await;
        refresh(&counter).await;
        let labels = async || {
            let mut read = test.db.read(counter.id).await.unwrap();
            let (labels,): (i64,) = db!(read.one, "select count(*) from rfm_labels").unwrap();
            labels
        };
        assert_eq!(labels().await, 5);
        let gone = json!({"id": customers[0]});
        counter.door.webhook("gone", "customers/delete", counter.door.now(), &gone).await;
        let merged = json!({"admin_graphql_api_customer_kept_id": CustomerId(customers[2]).gid(),
            "admin_graphql_api_customer_deleted_id": CustomerId(customers[1]).gid(), "status": "completed"});
        counter.door.webhook("merged", "customers/merge", counter.door.now(), &merged).await;
        counter.door.app.inbox.drain_until_idle().await.unwrap();
        assert_eq!(labels().await, 2, "the kept one may have the tags of both: it is labelled anew");
        refreshed_later(&counter).await;
        assert_eq!(labels().await, 3);
        counter.is_sound().await;
    });
}

#[test]
fn our_groups_and_shopifys_are_counted_beside_each_other() {
    on_both_engines(async |test| {
        let (counter, customers) = opened(test, 5).await;
        let (app, shop) = (&counter.door.app, &counter.door.shop);
        let get = async || counter.door.staff(42, Method::GET, "/api/rfm/agreement", &Value::Null).await;
        assert_eq!(get().await.problem(), (404, "never_compared".into()));
        refresh(&counter).await;
        let groups = [Some("DORMANT"), Some("CHAMPIONS"), None, None, Some("ACTIVE")];
        for (customer, group) in customers.iter().zip(groups) {
            let change = |customer: &mut devshop::Customer| customer.rfm_group = group.map(str::to_owned);
            shop.update_customer(customer.cast_unsigned(), change).unwrap();
        }
        // Who is no member of ours is not compared.
        shop.add_customer("Eve", "Byron", "eve@example.com");
        app.inbox.drain_until_idle().await.unwrap();
        let compare = async || {
            for _ in 0..20 {
                app.tasks.tick().await.unwrap();
                app.tasks.run_due(app).await.unwrap();
                counter.door.advance(SignedDuration::from_mins(15));
            }
        };
        let until = |at: &str| counter.door.advance(at.parse::<Timestamp>().unwrap() - counter.door.now());
        until("2026-11-24T03:59:00Z");
        compare().await;
        let found = get().await.json();
        let numbers = ["compared", "agreed", "agreed_permille", "unknown"].map(|name| found[name].as_i64());
        assert_eq!(numbers, [3, 2, 666, 2].map(Some), "{found}");
        let pair = json!({"ours": "dormant", "shopify": "champions", "members": 1});
        assert!(found["pairs"].as_array().unwrap().contains(&pair), "{found}");
        // The next day's takes its place.
        shop.update_customer(customers[1].cast_unsigned(), |customer| {
            customer.rfm_group = Some("DORMANT".into())
        })
        .unwrap();
        until("2026-11-25T03:59:00Z");
        compare().await;
        assert_eq!(get().await.json()["agreed"], 3);
    });
}
