//! How a shop comes, how its token stays fresh, how it goes, and how it comes back.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use devshop::{AdminFault, AdminFaultKind, Surface, TokenCall};
use jiff::SignedDuration;
use loyalnest::app::App;
use loyalnest::db;
use loyalnest::db::Timestamp;
use loyalnest::merchants::{Resealed, Shop, ShopError, refresh_dormant, set_up_due};
use loyalnest::serve;
use serde_json::json;

use crate::staff::online_token;
use crate::support::door::{self, Door, SECRET, SHOP, jwt};
use crate::support::{TestDb, on_both_engines};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn call(grant: &'static str, status: u16) -> TokenCall {
    TokenCall { grant, status }
}

/// Opens the app's page in the admin and wants it answered.
async fn opened(door: &Door) {
    let answered = door.me(&door.shop.session_token(Surface::Admin(42))).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
}

async fn shop(app: &App) -> Option<Shop> {
    app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().map(|shop| (*shop).clone())
}

/// Whether the Admin API answers with the token that the backend would use now.
async fn reaches_shopify(app: &App) -> bool {
    let shop = shop(app).await.unwrap();
    app.admin_of(&shop).await.unwrap().shop_details().await.is_ok()
}

async fn merchants_created(test: &TestDb) -> i64 {
    let mut read = test.db.read_across().await.unwrap();
    let (count,): (i64,) =
        db!(read.one, "select count(*) from events_outbox where kind = $1", "merchant.created").unwrap();
    count
}

async fn scopes(test: &TestDb) -> String {
    let mut read = test.db.read_across().await.unwrap();
    let (scopes,): (String,) = db!(read.one, "select scopes from merchants_shops").unwrap();
    scopes
}

#[test]
fn the_first_page_in_the_admin_installs_the_app_and_the_shop_is_set_up() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        opened(&door).await;
        assert_eq!(door.shop.token_calls(), [call("token_exchange", 200)], "only the first page");
        assert_eq!(merchants_created(test).await, 1);
        assert!(reaches_shopify(&door.app).await);
        assert_eq!(scopes(test).await, door.shop.scopes());

        assert_eq!(set_up_due(&door.app).await.unwrap(), 1);
        assert_eq!(set_up_due(&door.app).await.unwrap(), 0);
        let program = door.shop.metafield(&devshop::shop_gid(), "$app", "program");
        assert!(program.is_some(), "the program is published");
    });
}

#[test]
fn a_shop_that_cannot_be_set_up_is_tried_again() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        door.shop.fail_admin([AdminFault { kind: AdminFaultKind::Status(403), applied: false }]);
        assert_eq!(set_up_due(&door.app).await.unwrap(), 1);
        assert_eq!(set_up_due(&door.app).await.unwrap(), 0, "not at once");
        let program = || door.shop.metafield(&devshop::shop_gid(), "$app", "program");
        assert!(program().is_none());
        door.advance(MINUTE);
        assert_eq!(set_up_due(&door.app).await.unwrap(), 1);
        assert!(program().is_some());
    });
}

#[test]
fn two_installs_at_once_make_one_shop_with_a_token_that_works() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let other = door.another_process(test).await;
        let token = door.shop.session_token(Surface::Admin(42));
        let (first, second, third) =
            tokio::join!(door.me(&token), door::me(&other, &token), door::me(&other, &token));
        for answered in [first, second, third] {
            assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
        }
        assert!(door.shop.token_calls().len() <= 2, "one for each process: {:?}", door.shop.token_calls());
        assert_eq!(merchants_created(test).await, 1);
        for app in [&door.app, &other] {
            assert!(reaches_shopify(app).await);
        }
    });
}

#[test]
fn what_shopify_does_not_exchange_installs_nothing() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        // A good signature, but Shopify knows that the app is not installed.
        door.shop.uninstall_app();
        let answered = door.me(&door.shop.session_token(Surface::Admin(42))).await;
        assert_eq!(answered.problem(), (401, "invalid_session_token".to_owned()));
        assert_eq!(answered.headers["x-shopify-retry-invalid-session-request"], "1");
        assert!(shop(&door.app).await.is_none());

        door.shop.install_app();
        door.shop.fail_tokens([500, 429]);
        for _ in 0..2 {
            let answered = door.me(&door.shop.session_token(Surface::Admin(42))).await;
            assert_eq!(answered.problem(), (503, "unavailable".to_owned()));
            assert_eq!(answered.retry_after.as_deref(), Some("1"));
        }
        // Another shop's token is exchanged at that shop, which is not here.
        let mut claims = door.admin_claims();
        for name in ["iss", "dest"] {
            claims[name] = json!(claims[name].as_str().unwrap().replace("local-shop", "coffee"));
        }
        assert_eq!(door.me(&jwt(&claims, SECRET)).await.problem().0, 401);
        opened(&door).await;
        assert_eq!(merchants_created(test).await, 1);
    });
}

#[test]
fn a_token_is_refreshed_when_under_five_minutes_are_left() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        door.advance(55 * MINUTE);
        assert!(reaches_shopify(&door.app).await);
        assert_eq!(door.shop.token_calls().len(), 1, "five minutes are enough");
        door.advance(SignedDuration::from_secs(1));
        assert!(reaches_shopify(&door.app).await);
        assert!(reaches_shopify(&door.app).await);
        assert_eq!(door.shop.token_calls(), [call("token_exchange", 200), call("refresh_token", 200)]);
        // The refresh token of the second pair, and so on.
        for _ in 0..3 {
            door.advance(58 * MINUTE);
            assert!(reaches_shopify(&door.app).await);
        }
        assert_eq!(door.shop.token_calls().len(), 5);
        door.advance(90 * 24 * 60 * MINUTE);
        let late = shop(&door.app).await.unwrap();
        let error = door.app.admin_of(&late).await.unwrap_err();
        assert!(matches!(error, ShopError::NoToken), "{error:?}");
        opened(&door).await;
        assert!(reaches_shopify(&door.app).await, "a merchant opened the app");
    });
}

#[test]
fn a_refresh_that_races_a_refresh_leaves_one_pair_that_works() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let others = [door.another_process(test).await, door.another_process(test).await];
        for ahead in [56 * MINUTE, 61 * MINUTE, 59 * MINUTE] {
            door.advance(ahead);
            let before = door.shop.token_calls().len();
            let apps = [&door.app, &others[0], &others[1], &door.app, &others[0], &others[1]];
            let all = apps.map(|app| async move { reaches_shopify(app).await });
            let [a, b, c, d, e, f] = all;
            let reached = tokio::join!(a, b, c, d, e, f);
            assert_eq!(reached, (true, true, true, true, true, true), "{ahead}");
            assert_eq!(door.shop.token_calls().len(), before + 1, "single flight, {ahead}");
        }
    });
}

#[test]
fn a_refresh_whose_answer_was_lost_is_made_again_with_the_old_token() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        door.advance(57 * MINUTE);
        // The process dies between Shopify's answer and the commit: what it held comes back.
        let kept = pair(test).await;
        assert!(reaches_shopify(&door.app).await);
        assert_ne!(pair(test).await, kept);
        let mut tx = test.db.begin_outside().await.unwrap();
        db!(
            tx.execute,
            "update merchants_shops set sealed_token = $1, sealed_refresh_token = $2, token_expires_at = $3",
            kept.0,
            kept.1,
            kept.2
        )
        .unwrap();
        tx.commit().await.unwrap();
        assert!(reaches_shopify(&door.app).await);
        assert_eq!(door.shop.token_calls()[1..], [call("refresh_token", 200), call("refresh_token", 200)]);
    });
}

async fn pair(test: &TestDb) -> (Vec<u8>, Option<Vec<u8>>, Option<Timestamp>) {
    let mut read = test.db.read_across().await.unwrap();
    db!(read.one, "select sealed_token, sealed_refresh_token, token_expires_at from merchants_shops").unwrap()
}

#[test]
fn while_shopify_is_down_the_old_token_is_used_to_its_end() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        door.advance(56 * MINUTE);
        door.shop.fail_tokens([502]);
        assert!(reaches_shopify(&door.app).await, "four minutes are left");
        assert!(reaches_shopify(&door.app).await);
        assert_eq!(door.shop.token_calls().len(), 2, "and Shopify is left alone for a moment");
        door.advance(5 * MINUTE);
        door.shop.fail_tokens([502]);
        let installed = shop(&door.app).await.unwrap();
        let error = door.app.admin_of(&installed).await.unwrap_err();
        assert!(matches!(error, ShopError::OAuth(_)), "{error:?}");
        door.advance(MINUTE);
        assert!(reaches_shopify(&door.app).await);
    });
}

#[test]
fn tokens_are_sealed_where_they_are_kept() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let (access, refresh, expires_at) = pair(test).await;
        for sealed in [access, refresh.unwrap()] {
            assert!(!String::from_utf8_lossy(&sealed).contains("shp"), "a token is readable");
        }
        assert_eq!(expires_at, Some(door.now() + SignedDuration::from_hours(1)));
    });
}

#[test]
fn an_uninstall_ends_everything_and_a_reinstall_begins_anew() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let first = shop(&door.app).await.unwrap();
        door.advance(MINUTE);
        door.shop.uninstall_app();
        assert_eq!(
            door.webhook("u1", "app/uninstalled", door.now(), &json!({"id": 1})).await,
            StatusCode::OK
        );
        assert!(shop(&door.app).await.is_none());
        assert!(matches!(door.app.admin_of(&first).await, Err(ShopError::NoToken)));
        let answered = door.me(&door.shop.session_token(Surface::Checkout(Some(7)))).await;
        assert_eq!(answered.problem(), (404, "unknown_shop".to_owned()));
        // What comes after is taken, not refused: Shopify would only send it again.
        let late = door.webhook("u2", "app/uninstalled", door.now(), &json!({"id": 1})).await;
        assert_eq!(late, StatusCode::OK);

        door.advance(MINUTE);
        door.shop.install_app();
        opened(&door).await;
        let again = shop(&door.app).await.unwrap();
        assert_eq!(again.id, first.id, "the same shop, with its members");
        assert!(again.installed_at > first.installed_at);
        assert!(reaches_shopify(&door.app).await);
        assert_eq!(merchants_created(test).await, 1);
        assert_eq!(set_up_due(&door.app).await.unwrap(), 1);
    });
}

#[test]
fn a_repeated_or_late_uninstall_does_not_uninstall_a_shop_that_came_back() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        door.advance(MINUTE);
        let uninstalled_at = door.now();
        door.shop.uninstall_app();
        door.webhook("u1", "app/uninstalled", uninstalled_at, &json!({"id": 1})).await;
        door.advance(MINUTE);
        door.shop.install_app();
        opened(&door).await;
        for id in ["u1", "u2"] {
            let status = door.webhook(id, "app/uninstalled", uninstalled_at, &json!({"id": 1})).await;
            assert_eq!(status, StatusCode::OK);
        }
        assert!(reaches_shopify(&door.app).await);

        // The webhook of the second uninstall comes when nobody has noticed the reinstall yet.
        door.advance(MINUTE);
        let again = door.now();
        door.shop.uninstall_app();
        door.advance(MINUTE);
        door.shop.install_app();
        opened(&door).await;
        door.webhook("u3", "app/uninstalled", again, &json!({"id": 1})).await;
        assert!(shop(&door.app).await.is_none(), "its token is void: the next page gets another");
        opened(&door).await;
        assert!(reaches_shopify(&door.app).await);
        door.webhook("u4", "app/uninstalled", again, &json!({"id": 1})).await;
        assert!(reaches_shopify(&door.app).await);
    });
}

#[test]
fn an_uninstall_that_overtakes_its_install_is_not_undone_by_it() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        // Uninstalled a moment after a page was opened whose install is still under way.
        let soon = door.now() + SignedDuration::from_secs(2);
        door.webhook("u1", "app/uninstalled", soon, &json!({"id": 1})).await;
        let answered = door.me(&door.shop.session_token(Surface::Admin(42))).await;
        assert_eq!(answered.problem(), (401, "invalid_session_token".to_owned()));
        door.advance(SignedDuration::from_secs(3));
        opened(&door).await;
    });
}

#[test]
fn scopes_follow_the_merchant() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let body =
            json!({"id": 1, "previous": ["read_orders"], "current": ["read_orders", "write_customers"]});
        assert_eq!(door.webhook("s1", "app/scopes_update", door.now(), &body).await, StatusCode::OK);
        assert_eq!(scopes(test).await, "read_orders,write_customers");
        for (id, body) in [("s2", json!({"id": 1})), ("s3", json!([1])), ("s4", json!({"current": "all"}))] {
            assert_eq!(door.webhook(id, "app/scopes_update", door.now(), &body).await, StatusCode::OK);
        }
        assert_eq!(test.count("dead").await, 3, "kept for a person to look at");
        assert_eq!(scopes(test).await, "read_orders,write_customers");
    });
}

/// Follows a merchant to the shop and back, and gives the way back and the cookie.
async fn approved(door: &Door) -> (String, String) {
    let request = Request::get(format!("/auth?shop={SHOP}")).body(Body::empty()).unwrap();
    let answered = door.send(request).await;
    assert_eq!(answered.status, StatusCode::FOUND, "{answered:?}");
    let cookie = answered.headers["set-cookie"].to_str().unwrap();
    for part in ["Path=/auth", "Max-Age=60", "HttpOnly", "Secure", "SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let to = answered.headers["location"].to_str().unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let back = client.get(to).send().await.unwrap();
    let back = back.headers()["location"].to_str().unwrap();
    let path = back.strip_prefix("https://app.example").expect("back to us").to_owned();
    (path, cookie.split(';').next().unwrap().to_owned())
}

async fn come_back(door: &Door, path: &str, cookie: &str) -> (u16, String) {
    let request =
        Request::get(path).header("cookie", format!("other=1; {cookie}")).body(Body::empty()).unwrap();
    let answered = door.send(request).await;
    match answered.headers.get("location") {
        Some(location) => (answered.status.as_u16(), location.to_str().unwrap().to_owned()),
        None => answered.problem(),
    }
}

#[test]
fn a_merchant_who_approves_installs_the_app_once() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let (path, cookie) = approved(&door).await;
        let page = format!("{}/admin/apps/devshop-key", door.shop.url());
        assert_eq!(come_back(&door, &path, &cookie).await, (302, page));
        assert!(reaches_shopify(&door.app).await);
        assert_eq!(merchants_created(test).await, 1);
        assert_eq!(come_back(&door, &path, &cookie).await, (400, "bad_state".into()), "used");
        assert_eq!(door.shop.token_calls(), [call("authorization_code", 200)]);
        let (path, cookie) = approved(&door).await;
        assert_eq!(come_back(&door, &path, &cookie).await.0, 302, "again, with another state");
    });
}

#[test]
fn a_way_back_that_was_not_asked_for_is_refused() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let (path, cookie) = approved(&door).await;
        let (_, others) = approved(&door).await;
        let bad = |code: &str| (400, code.to_owned());
        assert_eq!(come_back(&door, &path, "").await, bad("bad_state"), "no cookie");
        assert_eq!(come_back(&door, &path, &others).await, bad("bad_state"), "another browser's cookie");
        assert_eq!(come_back(&door, &path, &format!("{cookie}0")).await, bad("bad_state"), "a forged cookie");
        assert_eq!(come_back(&door, &path.replace("code=", "code=0"), &cookie).await, bad("bad_signature"));
        assert_eq!(come_back(&door, &format!("{path}&state=1"), &cookie).await, bad("repeated_parameter"));
        assert_eq!(come_back(&door, "/auth/callback", &cookie).await, bad("bad_signature"));
        for (extra, code) in [
            (vec![("code", "1")], "bad_state"),
            (vec![("code", "1"), ("state", "00")], "bad_state"),
            (vec![("code", "1"), ("state", "not hex")], "bad_state"),
        ] {
            let path = format!("/auth/callback?{}", door.shop.signed_oauth_query(&extra));
            assert_eq!(come_back(&door, &path, &cookie).await, bad(code), "{extra:?}");
        }
        assert_eq!(door.shop.token_calls(), [], "nothing was redeemed");
        door.advance(MINUTE);
        assert_eq!(come_back(&door, &path, &cookie).await, bad("bad_state"), "a minute later");
        door.advance(SignedDuration::from_secs(31));
        assert_eq!(come_back(&door, &path, &cookie).await, bad("stale_request"));
    });
}

#[test]
fn a_code_that_shopify_does_not_take_installs_nothing() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let (path, cookie) = approved(&door).await;
        door.shop.fail_tokens([400]);
        assert_eq!(come_back(&door, &path, &cookie).await, (400, "bad_code".to_owned()));
        assert!(shop(&door.app).await.is_none());
    });
}

#[test]
fn only_a_shop_is_asked_to_approve() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let ask = async |query: &str| {
            let request = Request::get(format!("/auth{query}")).body(Body::empty()).unwrap();
            let answered = door.send(request).await;
            match answered.status {
                StatusCode::FOUND => (302, String::new()),
                _ => answered.problem(),
            }
        };
        for query in [
            "",
            "?shop=",
            "?shop=evil.example",
            "?shop=a.myshopify.com.evil.example",
            "?shop=a%2Fb.myshopify.com",
        ] {
            assert_eq!(ask(query).await, (400, "bad_parameter".to_owned()), "{query}");
        }
        let signed = door.shop.signed_oauth_query(&[("host", "x")]);
        assert_eq!(ask(&format!("?{signed}")).await.0, 302);
        let forged = signed.replace("local-shop", "coffee");
        assert_eq!(ask(&format!("?{forged}")).await, (400, "bad_signature".to_owned()));
        let without = Door::with(test, &[("HOST", "")]).await;
        let request = Request::get(format!("/auth?shop={SHOP}")).body(Body::empty()).unwrap();
        assert_eq!(without.send(request).await.problem(), (500, "internal".to_owned()));
    });
}

#[test]
fn tokens_are_sealed_anew_when_the_key_changes() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        let (old, new) = ("5a".repeat(32), "5b".repeat(32));
        let rotating =
            [("LOYALNEST_ENCRYPTION_KEY", new.as_str()), ("LOYALNEST_ENCRYPTION_KEYS_OLD", old.as_str())];
        let both = door.process_with(test, &rotating).await;
        assert!(reaches_shopify(&both).await, "the old key still opens");
        let only_new = door.process_with(test, &rotating[..1]).await;
        let installed = shop(&only_new).await.unwrap();
        assert!(matches!(only_new.admin_of(&installed).await, Err(ShopError::Sealed(_))));

        assert!(online_token(&only_new, installed.id, 42).await.is_err());

        assert_eq!(both.shops.reseal().await.unwrap(), Resealed { shops: 1, staff: 1 });
        assert_eq!(both.shops.reseal().await.unwrap(), Resealed { shops: 0, staff: 0 });
        assert!(online_token(&only_new, installed.id, 42).await.unwrap().is_some());
        assert!(reaches_shopify(&only_new).await);
        door.advance(57 * MINUTE);
        assert!(reaches_shopify(&only_new).await, "the refresh token, too");
        let error = door.app.shops.reseal().await.unwrap_err();
        assert!(matches!(error, ShopError::Sealed(_)), "{error:?}");
    });
}

#[test]
fn a_quiet_shop_keeps_its_tokens() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        opened(&door).await;
        door.advance(79 * 24 * 60 * MINUTE);
        assert_eq!(refresh_dormant(&door.app).await.unwrap(), 0, "eleven days are left");
        door.advance(24 * 60 * MINUTE);
        door.shop.fail_tokens([503]);
        assert_eq!(refresh_dormant(&door.app).await.unwrap(), 0, "Shopify is down");
        door.advance(MINUTE);
        assert_eq!(refresh_dormant(&door.app).await.unwrap(), 1);
        assert_eq!(refresh_dormant(&door.app).await.unwrap(), 0);
        door.advance(60 * 24 * 60 * MINUTE);
        assert!(reaches_shopify(&door.app).await, "long after the first refresh token is over");
    });
}

#[test]
fn a_shop_tells_the_running_program_that_it_went() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        door.shop.set_app_url(Some(&url));
        let stop = tokio_util::sync::CancellationToken::new();
        let running = tokio::spawn(serve::run(door.app.clone(), Some(listener), true, stop.clone()));
        let ask = async || {
            let token = door.shop.session_token(Surface::Admin(42));
            let answer = reqwest::Client::new().get(format!("{url}/api/me")).bearer_auth(token).send().await;
            answer.unwrap().status().as_u16()
        };
        assert_eq!(ask().await, 200);
        door.shop.grant_scopes("read_orders");
        door.shop.webhooks().flush().await.unwrap();
        door.app.inbox.drain_until_idle().await.unwrap();
        assert_eq!(scopes(test).await, "read_orders");

        door.advance(MINUTE);
        door.shop.uninstall_app();
        door.shop.webhooks().flush().await.unwrap();
        door.app.inbox.drain_until_idle().await.unwrap();
        assert_eq!(ask().await, 401);
        door.advance(MINUTE);
        door.shop.install_app();
        assert_eq!(ask().await, 200);
        stop.cancel();
        running.await.unwrap().unwrap();
    });
}
