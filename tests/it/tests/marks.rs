//! The definition by which an order takes over its cart's mark: looked at whatever a deploy made of it, and put right.

use axum::http::{Method, StatusCode};
use devshop::{Definition, Surface};
use jiff::SignedDuration;
use loyalnest::merchants::set_up_due;
use serde_json::Value;

use crate::support::door::Door;
use crate::support::{TestDb, on_both_engines};

const KEY: &str = "redemption";
const DEPLOYED: Definition = Definition { id: 1, copies_from_cart: true, managed: false };

/// A shop that was set up after a deploy which made this of the definition.
async fn set_up(test: &TestDb, deployed: Option<Definition>) -> Door {
    let door = Door::with(test, &[]).await;
    door.shop.redefine_order_metafield(KEY, deployed);
    let answered = door.me(&door.shop.session_token(Surface::Admin(42))).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    assert_eq!(set_up_due(&door.app).await.unwrap(), 1);
    door.app.tasks.run_due(&door.app).await.unwrap();
    door
}

/// Code and sentence.
async fn seen(door: &Door) -> (String, String) {
    let report = door.staff(42, Method::GET, "/api/activation", &Value::Null).await.json();
    let thing = report["things"].as_array().unwrap().iter().find(|thing| thing["kind"] == "mark").unwrap();
    (thing["code"].as_str().unwrap().to_owned(), thing["text"].as_str().unwrap().to_owned())
}

fn copies(door: &Door) -> bool {
    door.shop.order_definition(KEY).is_some_and(|definition| definition.copies_from_cart)
}

fn changes(door: &Door) -> usize {
    let calls = door.shop.admin_calls();
    let changes = ["RedemptionDefinitionCreate", "RedemptionDefinitionUpdate"];
    calls.iter().filter(|call| changes.contains(&call.operation.as_str())).count()
}

/// What the audit log has of the definition.
async fn logged(door: &Door) -> usize {
    let log = door.staff(42, Method::GET, "/api/audit", &Value::Null).await.json();
    let entries = log["entries"].as_array().unwrap().iter();
    entries.filter(|entry| entry["action"] == "activation.changed" && entry["target"] == "mark").count()
}

#[test]
fn a_definition_that_was_deployed_whole_is_left_alone() {
    on_both_engines(async |test| {
        let door = set_up(test, Some(DEPLOYED)).await;
        assert_eq!(seen(&door).await.0, "ok");
        assert_eq!((changes(&door), logged(&door).await), (0, 0));
    });
}

#[test]
fn one_that_copies_nothing_or_is_missing_is_put_right_once_and_that_is_on_the_record() {
    on_both_engines(async |test| {
        let door = set_up(test, Some(Definition { copies_from_cart: false, ..DEPLOYED })).await;
        let stands = async |changed, on_record| {
            assert!(copies(&door));
            assert_eq!(seen(&door).await.0, "ok");
            assert_eq!((changes(&door), logged(&door).await), (changed, on_record));
        };
        stands(1, 1).await;
        door.staff(42, Method::POST, "/api/activation", &Value::Null).await;
        stands(1, 1).await;
        door.shop.redefine_order_metafield(KEY, None);
        door.staff(42, Method::POST, "/api/activation", &Value::Null).await;
        stands(2, 2).await;
    });
}

#[test]
fn one_that_only_the_apps_file_can_change_is_told_of_until_a_new_version_is_out() {
    on_both_engines(async |test| {
        let managed = Definition { copies_from_cart: false, managed: true, ..DEPLOYED };
        let door = set_up(test, Some(managed)).await;
        assert!(!copies(&door));
        let (code, text) = seen(&door).await;
        assert_eq!(code, "of_the_app");
        assert!(text.contains("has to release a new version"), "{text}");

        door.shop.redefine_order_metafield(KEY, Some(DEPLOYED));
        assert_eq!(seen(&door).await.0, "ok", "as it is now");
        door.advance(SignedDuration::from_hours(24));
        door.app.tasks.tick().await.unwrap();
        door.app.tasks.run_due(&door.app).await.unwrap();
        assert_eq!((seen(&door).await.0.as_str(), logged(&door).await), ("ok", 1));
    });
}
