//! Staff: their sessions and online tokens, what their roles allow, and who may change that.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use devshop::{StaffUser, Surface, TokenCall};
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::config::Secret;
use loyalnest::db;
use loyalnest::db::CipherError;
use loyalnest::ids::ShopId;
use loyalnest::merchants::Shop;
use serde_json::{Value, json};

use crate::support::app::Answered;
use crate::support::door::{self, Door, SECRET, SHOP, jwt};
use crate::support::{TestDb, on_both_engines};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How calls for online tokens were answered.
fn online(door: &Door) -> Vec<u16> {
    let calls = door.shop.online_calls();
    calls.iter().map(|TokenCall { status, .. }| *status).collect()
}

/// Opens the app's page and says as what.
async fn role(door: &Door, user: u64) -> String {
    let me = door.staff(user, Method::GET, "/api/me", &Value::Null).await.json();
    me["role"].as_str().unwrap().to_owned()
}

async fn give(door: &Door, by: u64, user: u64, role: &str) -> Answered {
    door.staff(by, Method::PUT, &format!("/api/staff/{user}/role"), &json!({"role": role})).await
}

async fn shop(door: &Door) -> std::sync::Arc<Shop> {
    door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap()
}

/// The online token of someone whose session is open, as it is stored.
pub async fn online_token(app: &App, shop: ShopId, user: i64) -> Result<Option<Secret>, CipherError> {
    let mut read = app.db.read(shop).await.unwrap();
    let sealed: Option<(Vec<u8>,)> = db!(
        read.optional,
        "select sealed_online_token from merchants_staff
         where shop_id = $1 and user_id = $2 and sealed_online_token is not null and expires_at > $3",
        shop,
        user,
        app.clock.now()
    )
    .unwrap();
    let open =
        |(sealed,): (Vec<u8>,)| app.cipher.open("merchants_staff.sealed_online_token", shop.0, &sealed);
    let token = sealed.map(open).transpose()?;
    Ok(token.map(|token| Secret::new(String::from_utf8(token).unwrap())))
}

/// Whether someone's own token opens the Admin API.
async fn acts_as(door: &Door, user: i64) -> bool {
    let shop = shop(door).await;
    let Some(token) = online_token(&door.app, shop.id, user).await.unwrap() else { return false };
    door.app.admin.shop(&shop.domain, &token).shop_details().await.is_ok()
}

async fn sessions(test: &TestDb) -> i64 {
    let mut read = test.db.read_across().await.unwrap();
    let (count,): (i64,) = db!(
        read.one,
        "select count(*) from merchants_staff where sealed_online_token is not null and expires_at is not null"
    )
    .unwrap();
    count
}

#[test]
fn the_first_request_of_someone_begins_a_session_and_later_ones_use_it() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        for user in [42, 43, 42, 43, 42] {
            role(&door, user).await;
        }
        assert_eq!(online(&door), [200, 200], "one for each");
        assert!(acts_as(&door, 42).await && acts_as(&door, 43).await);
        door.advance(DAY - SignedDuration::from_secs(2));
        role(&door, 42).await;
        assert_eq!(online(&door).len(), 2, "a second is left");
        door.advance(SignedDuration::from_secs(1));
        assert!(!acts_as(&door, 42).await, "the token is over");
        role(&door, 42).await;
        assert_eq!(online(&door).len(), 3, "renewed");
        assert!(acts_as(&door, 42).await);
    });
}

#[test]
fn nothing_of_a_person_is_kept_but_number_and_language_and_the_token_is_sealed() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        role(&door, 43).await;
        let mut read = test.db.read_across().await.unwrap();
        let (sealed, locale): (Vec<u8>, String) =
            db!(read.one, "select sealed_online_token, locale from merchants_staff").unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("shpua"), "the token is readable");
        assert_eq!(locale, "de");
        let columns: Vec<(String,)> = db!(read.all,
            sqlite: "select name from pragma_table_info('merchants_staff')",
            postgres: "select column_name::text from information_schema.columns where table_name = 'merchants_staff'")
        .unwrap();
        assert_eq!(columns.len(), 12);
        for (column,) in columns {
            assert!(!column.contains("name") && !column.contains("mail"), "{column}");
        }
    });
}

#[test]
fn two_first_requests_at_once_make_one_session() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let other = door.another_process(test).await;
        role(&door, 42).await;
        let token = door.shop.session_token(Surface::Admin(43));
        let (a, b, c, d) = tokio::join!(
            door.me(&token),
            door.me(&token),
            door::me(&other, &token),
            door::me(&other, &token)
        );
        for answered in [a, b, c, d] {
            assert_eq!(answered.json()["role"], "admin");
        }
        assert!(online(&door).len() <= 3, "one for each process: {:?}", online(&door));
        assert_eq!(sessions(test).await, 2);
        assert!(acts_as(&door, 43).await);
        let joined = door.staff(42, Method::GET, "/api/audit", &Value::Null).await.json();
        let targets: Vec<_> =
            joined["entries"].as_array().unwrap().iter().map(|e| e["target"].clone()).collect();
        assert_eq!(targets, ["43", "42"], "each came once");
    });
}

#[test]
fn whom_shopify_refuses_is_not_let_in() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        role(&door, 42).await;
        let stranger = door.staff(99, Method::GET, "/api/me", &Value::Null).await;
        assert_eq!(stranger.problem(), (401, "invalid_session_token".to_owned()));
        assert_eq!(stranger.headers["x-shopify-retry-invalid-session-request"], "1");

        // Someone who left: their session ends with its token, not later.
        assert_eq!(role(&door, 43).await, "admin");
        door.shop.dismiss(43);
        assert_eq!(role(&door, 43).await, "admin", "until the token is over");
        door.advance(DAY);
        for _ in 0..2 {
            let left = door.staff(43, Method::GET, "/api/me", &Value::Null).await;
            assert_eq!(left.problem(), (401, "invalid_session_token".to_owned()));
        }
        assert!(!acts_as(&door, 43).await);
        let list = door.staff(42, Method::GET, "/api/staff", &Value::Null).await.json();
        assert_eq!(list["staff"][1]["session"], false, "{list}");
        assert_eq!(list["staff"].as_array().unwrap().len(), 2, "the stranger left no trace");
    });
}

#[test]
fn while_shopify_is_down_or_slow_staff_may_look_and_change_nothing() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        role(&door, 42).await;
        role(&door, 43).await;
        door.advance(DAY);
        for (down, fault) in [("an error", Some(502)), ("told to slow down", Some(429)), ("silence", None)] {
            match fault {
                Some(status) => door.shop.fail_online_tokens([status]),
                None => door.shop.slow_online_tokens(Duration::from_secs(30)),
            }
            let before = online(&door).len();
            for user in [42, 42] {
                let me = door.staff(user, Method::GET, "/api/me", &Value::Null).await.json();
                assert_eq!(me["role"], "owner", "{down}: as they were last known");
            }
            let list = door.staff(42, Method::GET, "/api/staff", &Value::Null).await;
            assert_eq!(list.status, StatusCode::OK, "{down}");
            let refused = give(&door, 42, 43, "viewer").await;
            assert_eq!(refused.problem(), (503, "staff_unconfirmed".to_owned()), "{down}");
            assert_eq!(refused.retry_after.as_deref(), Some("5"), "{down}");
            assert!(online(&door).len() <= before + 1, "{down}: Shopify is left alone for a moment");
            door.advance(SignedDuration::from_secs(5));
        }
        door.shop.slow_online_tokens(Duration::ZERO);
        assert_eq!(give(&door, 42, 43, "viewer").await.status, StatusCode::OK);

        // Someone who was never here is a viewer until Shopify says more.
        door.shop.fail_online_tokens([500]);
        assert_eq!(role(&door, 44).await, "viewer");
        door.advance(SignedDuration::from_secs(5));
        assert_eq!(role(&door, 44).await, "admin");
    });
}

#[test]
fn a_session_that_was_ended_begins_again_with_a_newer_session_token_only() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        role(&door, 42).await;
        role(&door, 43).await;
        let old = door.shop.session_token(Surface::Admin(43));
        door.advance(SignedDuration::from_secs(1));
        let ended = door.staff(42, Method::DELETE, "/api/staff/43/session", &Value::Null).await;
        assert_eq!(ended.status, StatusCode::NO_CONTENT, "{ended:?}");
        assert!(!acts_as(&door, 43).await);
        let refused = door.me(&old).await;
        assert_eq!(refused.problem(), (401, "session_ended".to_owned()));
        assert_eq!(refused.headers["x-shopify-retry-invalid-session-request"], "1");
        door.advance(SignedDuration::from_secs(1));
        assert_eq!(door.me(&old).await.problem().1, "session_ended", "a forgotten window stays out");
        assert_eq!(role(&door, 43).await, "admin");
        assert_eq!(online(&door).len(), 3);
        assert_eq!(door.me(&old).await.status, StatusCode::OK, "the same person, who has a session again");

        // A token that does not say when it was made is too old.
        door.staff(42, Method::DELETE, "/api/staff/43/session", &Value::Null).await;
        let mut claims = door.admin_claims();
        for name in ["iat", "nbf"] {
            claims.as_object_mut().unwrap().remove(name);
        }
        claims["sub"] = json!("43");
        assert_eq!(door.me(&jwt(&claims, SECRET)).await.problem().1, "session_ended");
        for nobody in ["99", "0", "-1", "x", "99999999999999999999"] {
            let path = format!("/api/staff/{nobody}/session");
            let answered = door.staff(42, Method::DELETE, &path, &Value::Null).await;
            assert_eq!(answered.problem(), (404, "unknown_staff".to_owned()), "{nobody}");
        }
    });
}

#[test]
fn an_uninstall_ends_every_session_and_roles_stay_for_when_the_shop_comes_back() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        role(&door, 42).await;
        role(&door, 43).await;
        give(&door, 42, 43, "viewer").await.json();
        assert_eq!(sessions(test).await, 2);
        door.advance(MINUTE);
        door.shop.uninstall_app();
        door.webhook("u1", "app/uninstalled", door.now(), &json!({"id": 1})).await;
        assert_eq!(sessions(test).await, 0);
        assert_eq!(door.staff(43, Method::GET, "/api/me", &Value::Null).await.problem().0, 401);
        door.advance(MINUTE);
        door.shop.install_app();
        assert_eq!(role(&door, 43).await, "viewer");
        assert_eq!(role(&door, 42).await, "owner");
        assert_eq!(sessions(test).await, 2);
    });
}

#[test]
fn the_owner_is_whom_shopify_says_and_others_go_by_the_default() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        assert_eq!(role(&door, 42).await, "owner");
        assert_eq!(role(&door, 43).await, "admin");
        assert_eq!(role(&door, 45).await, "editor", "works for a partner");
        let default = |role: Value| json!({"role": role});
        let path = "/api/staff/default-role";
        let by_admin = door.staff(43, Method::PUT, path, &default(json!("viewer"))).await;
        assert_eq!(by_admin.problem(), (403, "forbidden_role".to_owned()));
        for nonsense in [json!("owner"), json!("support"), json!("root"), json!(""), Value::Null] {
            let answered = door.staff(42, Method::PUT, path, &default(nonsense.clone())).await;
            assert_eq!(answered.problem(), (422, "role_not_assignable".to_owned()), "{nonsense}");
        }
        let set = door.staff(42, Method::PUT, path, &default(json!("viewer"))).await;
        assert_eq!(set.status, StatusCode::NO_CONTENT, "{set:?}");
        for user in [43, 44, 45] {
            assert_eq!(role(&door, user).await, "viewer");
        }

        // The shop is sold: one owner at a time, as soon as Shopify says so.
        door.shop.employ(StaffUser { account_owner: true, ..StaffUser::new(44) });
        door.advance(DAY);
        assert_eq!(role(&door, 44).await, "owner");
        assert_eq!(role(&door, 42).await, "viewer");
    });
}

#[test]
fn a_role_allows_what_it_says_and_nothing_more() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        for user in [42, 43, 44, 45] {
            role(&door, user).await;
        }
        give(&door, 42, 44, "editor").await.json();
        give(&door, 42, 45, "viewer").await.json();
        for (user, sees, manages) in [(42, 200, true), (43, 200, true), (44, 200, false), (45, 200, false)] {
            let seen = door.staff(user, Method::GET, "/api/staff", &Value::Null).await;
            assert_eq!(seen.status, sees, "{user}");
            for (method, path, body) in [
                (Method::PUT, "/api/staff/45/role", json!({"role": "viewer"})),
                (Method::PUT, "/api/staff/45/role", json!("nonsense")),
                (Method::DELETE, "/api/staff/99/session", Value::Null),
                (Method::GET, "/api/audit", Value::Null),
            ] {
                let answered = door.staff(user, method.clone(), path, &body).await;
                let refused = answered.status == StatusCode::FORBIDDEN;
                assert_eq!(refused, !manages, "{user} {method} {path}: {answered:?}");
                if refused {
                    assert_eq!(answered.problem().1, "forbidden_role");
                    assert!(answered.body.contains("\"needs\":\"manage\""), "{answered:?}");
                }
            }
        }
        // Shoppers are no staff at all.
        for surface in [Surface::Checkout(Some(42)), Surface::Checkout(None), Surface::CustomerAccount(42)] {
            let token = door.shop.session_token(surface);
            let answered = door::api(&door.app, &token, Method::GET, "/api/staff", &Value::Null).await;
            assert_eq!(answered.problem(), (403, "staff_only".to_owned()), "{surface:?}");
        }
    });
}

#[test]
fn nobody_raises_themselves_and_nobody_is_made_what_cannot_be_given() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        for user in [42, 43, 44] {
            role(&door, user).await;
        }
        for nonsense in ["owner", "support", "root", "Admin", "admin\0", ""] {
            let answered = give(&door, 42, 43, nonsense).await;
            assert_eq!(answered.problem(), (422, "role_not_assignable".to_owned()), "{nonsense:?}");
        }
        for nonsense in [json!({}), json!({"role": 7}), json!([]), json!({"role": "admin", "user": 42})] {
            let answered = door.staff(42, Method::PUT, "/api/staff/43/role", &nonsense).await;
            assert_eq!(answered.problem(), (400, "bad_body".to_owned()), "{nonsense}");
        }
        assert_eq!(give(&door, 43, 42, "viewer").await.problem(), (409, "owner_role_fixed".to_owned()));
        assert_eq!(give(&door, 42, 42, "viewer").await.problem(), (409, "owner_role_fixed".to_owned()));
        assert_eq!(give(&door, 42, 99, "viewer").await.problem(), (404, "unknown_staff".to_owned()));
        give(&door, 43, 44, "viewer").await.json();
        for higher in ["admin", "editor"] {
            assert_eq!(give(&door, 44, 44, higher).await.problem(), (403, "forbidden_role".to_owned()));
        }
        give(&door, 43, 43, "editor").await.json();
        assert_eq!(give(&door, 43, 43, "admin").await.problem(), (403, "forbidden_role".to_owned()));
        assert_eq!(role(&door, 43).await, "editor", "who lowers themselves stays low");
        let back = door.staff(42, Method::PUT, "/api/staff/43/role", &json!({"role": null})).await.json();
        assert_eq!((&back["role"], &back["given"]), (&json!("admin"), &Value::Null), "the default again");
    });
}

#[test]
fn without_an_owner_here_the_last_admin_stays_even_if_two_step_down_at_once() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let other = door.another_process(test).await;
        role(&door, 43).await;
        role(&door, 44).await;
        let step_down = async |app: &App, user: u64| {
            let token = door.shop.session_token(Surface::Admin(user));
            let path = format!("/api/staff/{user}/role");
            door::api(app, &token, Method::PUT, &path, &json!({"role": "viewer"})).await
        };
        for round in 0..5 {
            let (one, two) = tokio::join!(step_down(&door.app, 43), step_down(&other, 44));
            let mut statuses = [one.status.as_u16(), two.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409], "round {round}: {one:?} {two:?}");
            let (last, lowered) = if one.status == 200 { (44, 43) } else { (43, 44) };
            assert_eq!(give(&door, last, last, "editor").await.problem(), (409, "last_admin".to_owned()));
            give(&door, last, lowered, "admin").await.json();
        }
        // Two who lower each other at once: the second does not do it as what they are not any more.
        for round in 0..5 {
            let (one, two) = tokio::join!(give(&door, 43, 44, "viewer"), give(&door, 44, 43, "viewer"));
            let mut statuses = [one.status.as_u16(), two.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 403], "round {round}: {one:?} {two:?}");
            let (last, lowered) = if one.status == 200 { (43, 44) } else { (44, 43) };
            give(&door, last, lowered, "admin").await.json();
        }
    });
}

#[test]
fn staff_of_one_shop_are_nobody_in_another() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        role(&door, 42).await;
        role(&door, 43).await;
        // The same people at another shop, which answers at the same address here.
        let tea = ShopId(uuid::Uuid::now_v7());
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(
            tx.execute,
            "insert into merchants_shops (shop_id, domain, name, currency, time_zone, installed_at, updated_at,
                                          sealed_token)
             select $1, 'tea.myshopify.com', name, currency, time_zone, installed_at, updated_at, sealed_token
             from merchants_shops",
            tea
        )
        .unwrap();
        db!(
            tx.execute,
            "insert into merchants_staff (shop_id, user_id, role, is_owner, collaborator, scopes, first_seen_at,
                                          last_seen_at)
             select $1, 77, 'viewer', is_owner, collaborator, scopes, first_seen_at, last_seen_at
             from merchants_staff where user_id = 43",
            tea
        )
        .unwrap();
        tx.commit().await.unwrap();
        let list = door.staff(42, Method::GET, "/api/staff", &Value::Null).await.json();
        let users: Vec<_> = list["staff"].as_array().unwrap().iter().map(|one| one["user"].clone()).collect();
        assert_eq!(users, ["42", "43"]);
        assert_eq!(give(&door, 42, 77, "admin").await.problem(), (404, "unknown_staff".to_owned()));
        let ended = door.staff(42, Method::DELETE, "/api/staff/77/session", &Value::Null).await;
        assert_eq!(ended.problem(), (404, "unknown_staff".to_owned()));
        let mut claims = door.admin_claims();
        for name in ["iss", "dest"] {
            claims[name] = json!(claims[name].as_str().unwrap().replace("local-shop", "tea"));
        }
        assert_eq!(
            door.me(&jwt(&claims, SECRET)).await.problem().0,
            401,
            "Shopify refuses: not that shop's staff"
        );
    });
}
