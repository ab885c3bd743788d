//! What must stand in Shopify: made once, put right, never against the merchant, and told in words.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use devshop::{
    AdminFault, AdminFaultKind, CombinesWith, DiscountClass, DiscountNode, Function, NewDiscount, Surface,
};
use jiff::SignedDuration;
use loyalnest::activation::{Again, Error, stand};
use loyalnest::audit::{Actor, By};
use loyalnest::db;
use loyalnest::ids::ShopId;
use loyalnest::merchants::{Shop, set_up_due};
use loyalnest::programs;
use serde_json::{Value, json};

use crate::support::door::{Door, SHOP};
use crate::support::{TestDb, on_both_engines};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const TITLE: &str = "Loyalty points";
const CREATE: &str = "DiscountAutomaticAppCreate";

fn deploy(door: &Door, handle: &str) {
    let schema = include_str!("../../devshop/discount.graphql");
    let idle = |_: &str, _: &Value| json!({"operations": []});
    door.shop.install(Function::new(handle, schema, &[], Arc::new(idle)).unwrap());
}

/// A shop with the Function, whose merchant has opened the app; it is not set up yet.
async fn opened(test: &TestDb) -> Door {
    let door = Door::with(test, &[("LOYALNEST_SHOPIFY__TIMEOUT", "300ms")]).await;
    deploy(&door, "points-redemption");
    for user in [42, 43] {
        let answered = door.me(&door.shop.session_token(Surface::Admin(user))).await;
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    }
    door
}

async fn set_up(door: &Door) {
    assert_eq!(set_up_due(&door.app).await.unwrap(), 1);
    door.app.tasks.run_due(&door.app).await.unwrap();
}

async fn installed(test: &TestDb) -> Door {
    let door = opened(test).await;
    set_up(&door).await;
    door
}

/// The next morning.
async fn a_day_later(door: &Door) {
    door.advance(DAY);
    assert!(door.app.tasks.tick().await.unwrap() > 0);
    door.app.tasks.run_due(&door.app).await.unwrap();
    assert_eq!(door.app.tasks.dead(None, 10).await.unwrap().len(), 0);
}

async fn seen(door: &Door) -> Value {
    door.staff(42, Method::GET, "/api/activation", &Value::Null).await.json()
}

async fn activated(door: &Door) -> Value {
    door.staff(42, Method::POST, "/api/activation", &Value::Null).await.json()
}

/// State and code of the discount.
fn points(report: &Value) -> (String, String) {
    let thing = report["things"].as_array().unwrap().iter().find(|thing| thing["kind"] == "points").unwrap();
    assert!(thing["text"].as_str().unwrap().ends_with('.'), "{thing}");
    let text = |member: &str| thing[member].as_str().unwrap().to_owned();
    (text("state"), text("code"))
}

fn is(state: &str, code: &str) -> (String, String) {
    (state.to_owned(), code.to_owned())
}

/// The discounts under the program's title.
fn ours(door: &Door) -> Vec<DiscountNode> {
    door.shop.discounts().into_iter().filter(|node| node.function_handle == "points-redemption").collect()
}

fn sent(door: &Door, operation: &str) -> usize {
    door.shop.admin_calls().iter().filter(|call| call.operation == operation).count()
}

async fn shop(door: &Door) -> Shop {
    (*door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap()).clone()
}

/// What the audit log has of activation, newest first.
async fn log(door: &Door) -> Vec<Value> {
    let log = door.staff(42, Method::GET, "/api/audit", &Value::Null).await.json();
    let entries = log["entries"].as_array().unwrap().iter();
    entries.filter(|entry| entry["action"] == "activation.changed").cloned().collect()
}

async fn rename(door: &Door, title: &str) -> Result<(), programs::Error> {
    let shop = shop(door).await;
    let mut tx = door.app.db.begin(shop.id).await.unwrap();
    let mut program = programs::current(&mut tx, shop.id).await?.program;
    program.discount_title = title.to_owned();
    programs::set(&mut tx, shop.id, program, door.now()).await?;
    tx.commit().await.unwrap();
    Ok(())
}

fn another_discount(handle: &str, title: &str) -> NewDiscount {
    NewDiscount {
        title: title.into(),
        function_handle: handle.into(),
        classes: vec![DiscountClass::Order],
        combines_with: CombinesWith::ALL,
    }
}

#[test]
fn installing_makes_the_discount_once_and_says_so() {
    on_both_engines(async |test| {
        let door = opened(test).await;
        let before = seen(&door).await;
        assert_eq!((&before["stands"], points(&before)), (&json!(false), is("missing", "not_made")));
        assert_eq!(before["things"][0]["code"], "not_made", "the program's metafields");
        set_up(&door).await;
        let discounts = door.shop.discounts();
        assert_eq!(discounts.len(), 1);
        assert_eq!((discounts[0].title.as_str(), discounts[0].combines_with), (TITLE, CombinesWith::ALL));
        assert_eq!(discounts[0].classes.len(), 3);
        let kind = door.shop.metafield(&discounts[0].gid(), "$app", "kind").unwrap();
        assert_eq!((kind.value.as_str(), kind.kind.as_str()), ("points", "single_line_text_field"));

        let after = seen(&door).await;
        assert_eq!((&after["stands"], points(&after)), (&json!(true), is("ok", "ok")));
        assert_eq!(after["things"][1]["text"], "The discount “Loyalty points” is on.");
        assert_eq!(after["things"][1]["discount"], json!(discounts[0].gid()));
        assert_eq!(activated(&door).await, after);
        a_day_later(&door).await;
        assert_eq!(sent(&door, CREATE), 1);
        assert_eq!(sent(&door, "DiscountAutomaticAppUpdate"), 0);
        let log = log(&door).await;
        assert_eq!(log.len(), 1, "what stands is not written down again");
        assert_eq!(log[0]["actor_kind"], "system");
        assert_eq!(log[0]["text"], "The system activated points: it was not_made, it is ok.");
    });
}

#[test]
fn a_discount_that_the_merchant_switched_off_stays_off() {
    on_both_engines(async |test| {
        let door = installed(test).await;
        let id = ours(&door)[0].id;
        door.advance(MINUTE);
        door.shop.switch_off_discount(id).unwrap();
        rename(&door, "Rewards").await.unwrap();
        for _ in 0..2 {
            assert_eq!(points(&seen(&door).await), is("switched_off", "switched_off"));
            assert_eq!(points(&activated(&door).await), is("switched_off", "switched_off"));
            a_day_later(&door).await;
        }
        assert_eq!(ours(&door).len(), 1);
        assert_eq!(ours(&door)[0].title, TITLE, "nothing about it is touched");
        assert!(!ours(&door)[0].is_active(door.shop.clock().now()));
        assert_eq!(sent(&door, CREATE) + sent(&door, "DiscountAutomaticAppUpdate"), 1);

        let later = door.shop.clock().now() + Duration::from_secs(3_600);
        door.shop.change_discount(id, |node| (node.starts_at, node.ends_at) = (later, None)).unwrap();
        assert_eq!(points(&activated(&door).await), is("switched_off", "scheduled"));
        door.advance(60 * MINUTE);
        a_day_later(&door).await;
        assert_eq!(points(&seen(&door).await), is("ok", "ok"), "on again, and renamed");
        assert_eq!(ours(&door)[0].title, "Rewards");
    });
}

#[test]
fn a_discount_that_the_merchant_deleted_is_made_again_only_when_staff_ask() {
    on_both_engines(async |test| {
        let door = installed(test).await;
        let first = ours(&door)[0].clone();
        door.shop.delete_discount(first.id).unwrap();
        a_day_later(&door).await;
        assert_eq!(ours(&door).len(), 0);
        assert_eq!(points(&seen(&door).await), is("missing", "deleted"));
        // Whoever may only look may not.
        door.staff(42, Method::PUT, "/api/staff/43/role", &json!({"role": "viewer"})).await.json();
        let answered = door.staff(43, Method::POST, "/api/activation", &Value::Null).await;
        assert_eq!(answered.problem(), (403, "forbidden_role".to_owned()));
        door.staff(43, Method::GET, "/api/activation", &Value::Null).await.json();
        assert_eq!(ours(&door).len(), 0);

        assert_eq!(points(&activated(&door).await), is("ok", "ok"));
        let again = ours(&door);
        assert_eq!(again.len(), 1);
        let log = log(&door).await;
        assert_eq!((&log[0]["actor_kind"], &log[0]["actor_id"]), (&json!("user"), &json!("42")));
        assert_eq!((&log[0]["before"]["code"], &log[0]["after"]["code"]), (&json!("deleted"), &json!("ok")));
        assert_eq!(log[0]["after"]["discount"], json!(again[0].gid()));
        assert_eq!(log.len(), 2);
    });
}

#[test]
fn installing_anew_makes_a_deleted_discount_again() {
    on_both_engines(async |test| {
        let door = installed(test).await;
        door.advance(MINUTE);
        door.shop.uninstall_app();
        door.webhook("u1", "app/uninstalled", door.now(), &json!({"id": 1})).await;
        door.shop.clear_discounts();
        a_day_later(&door).await;
        door.shop.install_app();
        assert_eq!(door.me(&door.shop.session_token(Surface::Admin(42))).await.status, StatusCode::OK);
        set_up(&door).await;
        assert_eq!(ours(&door).len(), 1);
        assert_eq!(points(&seen(&door).await), is("ok", "ok"));
    });
}

#[test]
fn what_was_changed_is_put_right() {
    on_both_engines(async |test| {
        let door = installed(test).await;
        let id = ours(&door)[0].id;
        let right = ours(&door)[0].clone();
        door.shop
            .change_discount(id, |node| {
                node.title = "Points!".into();
                node.combines_with.order_discounts = false;
                node.classes = vec![DiscountClass::Order];
            })
            .unwrap();
        door.shop.delete_metafield(&right.gid(), "$app", "kind");
        let report = seen(&door).await;
        assert_eq!(points(&report), is("differs", "differs"));
        assert_eq!(report["things"][1]["differs"], json!(["title", "classes", "combines_with", "kind"]));
        a_day_later(&door).await;
        assert_eq!(points(&seen(&door).await), is("ok", "ok"));
        let now = ours(&door)[0].clone();
        assert_eq!((now.title, now.combines_with), (right.title, right.combines_with));
        assert_eq!(log(&door).await[0]["before"]["title"], "Points!");

        door.shop.put_metafield(&devshop::shop_gid(), "$app", "program_ui", r#"{"v":1}"#);
        let report = seen(&door).await;
        assert_eq!(report["things"][0]["differs"], json!(["program_ui"]));
        assert_eq!(activated(&door).await["stands"], json!(true));
    });
}

#[test]
fn a_function_that_is_not_deployed_is_said_and_waited_for() {
    on_both_engines(async |test| {
        let door = opened(test).await;
        door.shop.withdraw("points-redemption");
        set_up(&door).await;
        for report in [seen(&door).await, activated(&door).await] {
            assert_eq!(points(&report), is("not_deployed", "function_not_deployed"));
        }
        a_day_later(&door).await;
        assert_eq!(sent(&door, CREATE), 0);
        deploy(&door, "points-redemption");
        a_day_later(&door).await;
        assert_eq!(points(&seen(&door).await), is("ok", "ok"), "nobody had to ask");
        // Taken back again: the discount is there and does nothing.
        door.shop.withdraw("points-redemption");
        assert_eq!(points(&activated(&door).await), is("not_deployed", "function_not_deployed"));
    });
}

#[test]
fn a_title_that_another_discount_has_is_said_until_it_is_free() {
    on_both_engines(async |test| {
        let door = opened(test).await;
        deploy(&door, "bundle");
        let other = door.shop.add_discount(another_discount("bundle", TITLE)).unwrap();
        set_up(&door).await;
        assert_eq!(points(&seen(&door).await), is("missing", "title_taken"));
        assert_eq!(points(&activated(&door).await), is("missing", "title_taken"));
        assert_eq!(door.shop.discounts().len(), 1);
        door.shop.change_discount(other.id, |node| node.title = "Bundle".into()).unwrap();
        a_day_later(&door).await;
        assert_eq!(points(&seen(&door).await), is("ok", "ok"));

        // The same when it is renamed.
        rename(&door, "Bundle").await.unwrap();
        door.app.tasks.run_due(&door.app).await.unwrap();
        assert_eq!(points(&seen(&door).await), is("differs", "title_taken"));
        assert_eq!(ours(&door)[0].title, TITLE);
        door.shop.delete_discount(other.id).unwrap();
        a_day_later(&door).await;
        assert_eq!((points(&seen(&door).await), ours(&door)[0].title.as_str()), (is("ok", "ok"), "Bundle"));
    });
}

#[test]
fn with_25_discounts_of_apps_there_is_no_place_and_that_is_said() {
    on_both_engines(async |test| {
        let door = opened(test).await;
        deploy(&door, "bundle");
        let mut last = 0;
        for number in 0..devshop::ACTIVE_FUNCTIONS {
            last =
                door.shop.add_discount(another_discount("bundle", &format!("Bundle {number}"))).unwrap().id;
        }
        set_up(&door).await;
        assert_eq!(points(&seen(&door).await), is("missing", "too_many_discounts"));
        assert_eq!(points(&activated(&door).await), is("missing", "too_many_discounts"));
        door.shop.switch_off_discount(last).unwrap();
        a_day_later(&door).await;
        assert_eq!(points(&seen(&door).await), is("ok", "ok"));
        assert_eq!(ours(&door).len(), 1);
    });
}

#[test]
fn an_answer_that_was_lost_makes_no_second_discount() {
    on_both_engines(async |test| {
        for fault in [
            AdminFault::after(AdminFaultKind::Status(502)),
            AdminFault::after(AdminFaultKind::Timeout),
            AdminFault::before(AdminFaultKind::Status(502)),
            AdminFault::before(AdminFaultKind::Throttled),
        ] {
            let door = installed(test).await;
            let known = ours(&door)[0].id;
            door.shop.delete_discount(known).unwrap();
            door.shop.fail_operation(CREATE, fault);
            let answered = door.staff(42, Method::POST, "/api/activation", &Value::Null).await;
            if fault.kind != AdminFaultKind::Throttled {
                assert_eq!(answered.problem(), (503, "shopify_unavailable".to_owned()), "{fault:?}");
                assert_eq!(ours(&door).len(), usize::from(fault.applied), "{fault:?}");
            }
            assert_eq!(points(&activated(&door).await), is("ok", "ok"), "{fault:?}");
            assert_eq!(ours(&door).len(), 1, "{fault:?}");
            assert_ne!(ours(&door)[0].id, known);
            forget(test).await;
        }
    });
}

/// The next shop is new to the database.
async fn forget(test: &TestDb) {
    let mut tx = test.db.begin_outside().await.unwrap();
    let shops: Vec<(ShopId,)> = db!(tx.all, "select shop_id from merchants_shops").unwrap();
    for (shop,) in shops {
        tx.enter(shop).await.unwrap();
        db!(tx.execute, "delete from activation_things where shop_id = $1", shop).unwrap();
        db!(tx.execute, "delete from activation_leases where shop_id = $1", shop).unwrap();
        db!(tx.execute, "delete from programs_versions where shop_id = $1", shop).unwrap();
        db!(tx.execute, "delete from tasks where shop_id = $1", shop).unwrap();
        db!(tx.execute, "delete from merchants_shops where shop_id = $1", shop).unwrap();
    }
    tx.commit().await.unwrap();
}

#[test]
fn a_list_that_lags_makes_no_second_discount() {
    on_both_engines(async |test| {
        let door = opened(test).await;
        // The answer is lost, and the next look does not show it yet: Shopify says that the title is taken.
        door.shop.fail_operation(CREATE, AdminFault::after(AdminFaultKind::Status(502)));
        set_up(&door).await;
        assert_eq!(ours(&door).len(), 1);
        door.shop.lag_discount_lists(1);
        assert_eq!(points(&activated(&door).await), is("ok", "ok"));
        assert_eq!((ours(&door).len(), sent(&door, CREATE)), (1, 2));

        // It lags for longer than the second look.
        door.shop.delete_discount(ours(&door)[0].id).unwrap();
        door.shop.fail_operation(CREATE, AdminFault::after(AdminFaultKind::Status(502)));
        door.staff(42, Method::POST, "/api/activation", &Value::Null).await.problem();
        door.shop.lag_discount_lists(3);
        assert_eq!(points(&activated(&door).await), is("missing", "title_taken"));
        assert_eq!(points(&activated(&door).await), is("ok", "ok"));
        assert_eq!(ours(&door).len(), 1);
    });
}

#[test]
fn a_discount_that_we_do_not_remember_is_taken_on() {
    on_both_engines(async |test| {
        let door = opened(test).await;
        let made = door.shop.add_discount(another_discount("points-redemption", "Points of old")).unwrap();
        set_up(&door).await;
        assert_eq!(points(&seen(&door).await), is("ok", "ok"));
        let now = ours(&door);
        assert_eq!((now.len(), now[0].id, now[0].title.as_str()), (1, made.id, TITLE));
        assert_eq!(door.shop.metafield(&made.gid(), "$app", "kind").unwrap().value, "points");
        door.shop.delete_discount(made.id).unwrap();
        a_day_later(&door).await;
        assert_eq!(points(&seen(&door).await), is("missing", "deleted"));
    });
}

#[test]
fn while_shopify_does_not_let_the_app_in_that_is_said_and_nothing_is_lost() {
    on_both_engines(async |test| {
        let door = opened(test).await;
        for operation in ["ProgramMetafields", CREATE] {
            for method in [Method::GET, Method::POST] {
                if (method == Method::GET) && operation == CREATE {
                    continue;
                }
                let refused = AdminFault::before(AdminFaultKind::Status(403));
                door.shop.fail_operation(operation, refused);
                let answered = door.staff(42, method, "/api/activation", &Value::Null).await;
                assert_eq!(answered.problem(), (502, "shopify_refuses_access".to_owned()));
            }
        }
        assert_eq!(ours(&door).len(), 0);
        // The task goes on by itself.
        door.shop.fail_operation(CREATE, AdminFault::before(AdminFaultKind::Status(403)));
        set_up(&door).await;
        assert_eq!(ours(&door).len(), 0);
        door.advance(MINUTE);
        door.app.tasks.run_due(&door.app).await.unwrap();
        assert_eq!(points(&seen(&door).await), is("ok", "ok"));
    });
}

#[test]
fn whoever_asks_while_every_token_is_refused_brings_another() {
    on_both_engines(async |test| {
        let door = opened(test).await;
        let refused = AdminFault::before(AdminFaultKind::Status(401));
        door.shop.fail_admin([refused, refused]);
        let ask = async || door.staff(42, Method::GET, "/api/activation", &Value::Null).await;
        assert_eq!(ask().await.problem(), (502, "shopify_refuses_access".to_owned()));
        assert!(ask().await.status.is_success(), "their session token was exchanged");
    });
}

#[test]
fn two_processes_at_once_make_one_discount() {
    on_both_engines(async |test| {
        let door = opened(test).await;
        let other = door.another_process(test).await;
        let (shop, by) = (shop(&door).await, By::from(Actor::System));
        let all = [&door.app, &other, &door.app, &other].map(|app| stand(app, &shop, Again::Made, &by));
        let [a, b, c, d] = all;
        let (a, b, c, d) = tokio::join!(a, b, c, d);
        let results = [a, b, c, d];
        assert!(results.iter().any(Result::is_ok));
        for error in results.into_iter().filter_map(Result::err) {
            assert!(matches!(error, Error::Busy), "{error:?}");
        }
        assert_eq!((ours(&door).len(), sent(&door, CREATE)), (1, 1));

        // A process that died at it is waited for, not for ever.
        let mut tx = test.db.begin(shop.id).await.unwrap();
        db!(
            tx.execute,
            "insert into activation_leases (shop_id, lease, until) values ($1, $2, $3)",
            shop.id,
            uuid::Uuid::now_v7(),
            door.now() + MINUTE
        )
        .unwrap();
        tx.commit().await.unwrap();
        let answered = door.staff(42, Method::POST, "/api/activation", &Value::Null).await;
        assert_eq!(answered.problem(), (409, "activation_running".to_owned()));
        door.advance(MINUTE);
        assert_eq!(activated(&door).await["stands"], json!(true));
    });
}

#[test]
fn the_discount_follows_the_programs_title_whatever_it_is_written_in() {
    on_both_engines(async |test| {
        let door = installed(test).await;
        for title in
            ["نقاط الولاء", "נקודות \u{202b}נאמנות\u{202c} 100", "ポイント", &"ل".repeat(60), "\"{}\\ '%"]
        {
            rename(&door, title).await.unwrap();
            door.app.tasks.run_due(&door.app).await.unwrap();
            assert_eq!(ours(&door)[0].title, title);
            let report = seen(&door).await;
            assert_eq!((points(&report), &report["things"][1]["title"]), (is("ok", "ok"), &json!(title)));
        }
        let last = ours(&door)[0].title.clone();
        for nonsense in ["a\0b", "\n", " ", "", &"ل".repeat(61), &"x".repeat(256)] {
            let error = rename(&door, nonsense).await.unwrap_err();
            assert!(matches!(error, programs::Error::Invalid(_)), "{nonsense:?}: {error:?}");
        }
        assert_eq!(door.app.tasks.run_due(&door.app).await.unwrap(), 0, "nothing is asked for");
        assert_eq!(ours(&door)[0].title, last);
        assert_eq!(sent(&door, CREATE), 1);
    });
}
