//! `/api`: who may call with a session token, and what everybody else is told.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use devshop::{StaffUser, Surface};
use jiff::SignedDuration;
use loyalnest::config::Secret;
use serde_json::{Value, json};

use crate::support::door::{Door, SECRET, SHOP, jwt};
use crate::support::on_both_engines;

/// The shop as an operator adds it.
async fn installed(door: &Door) {
    let token = Secret::new("devshop-token");
    door.app.shops.add(&door.app.admin, &SHOP.parse().unwrap(), &token).await.unwrap();
}

#[test]
fn every_surface_is_told_who_it_is() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        installed(&door).await;
        let large = 9_007_199_254_740_993;
        door.shop.employ(StaffUser { locale: "pt-br".into(), ..StaffUser::new(large) });
        let (none, no_role) = (Value::Null, (Value::Null, Value::Null));
        let owner = (json!("owner"), json!("en"));
        for (surface, side, user, customer, (role, locale)) in [
            (Surface::Admin(42), "merchant", json!("42"), none.clone(), owner),
            (
                Surface::Pos(large),
                "merchant",
                json!("9007199254740993"),
                none.clone(),
                (json!("admin"), json!("pt-BR")),
            ),
            (
                Surface::Checkout(Some(7)),
                "shopper",
                none.clone(),
                json!("gid://shopify/Customer/7"),
                no_role.clone(),
            ),
            (Surface::Checkout(None), "shopper", none.clone(), none.clone(), no_role.clone()),
            (
                Surface::CustomerAccount(large),
                "shopper",
                Value::Null,
                json!("gid://shopify/Customer/9007199254740993"),
                no_role,
            ),
        ] {
            let answered = door.me(&door.shop.session_token(surface)).await;
            assert_eq!(answered.status, StatusCode::OK, "{surface:?}: {answered:?}");
            let said: Value = serde_json::from_str(&answered.body).unwrap();
            assert_eq!(
                said,
                json!({"shop": SHOP, "name": "Local Shop", "currency": "GBP", "time_zone": "Europe/London",
                       "surface": side, "user": user, "customer": customer, "role": role, "languages": [],
                       "locale": locale})
            );
        }
    });
}

#[test]
fn what_is_not_a_session_token_of_ours_is_refused_and_app_bridge_asked_for_another() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        installed(&door).await;
        let with = |name: &str, value: Value| {
            let mut claims = door.admin_claims();
            claims[name] = value;
            jwt(&claims, SECRET)
        };
        let good = jwt(&door.admin_claims(), SECRET);
        assert_eq!(door.me(&good).await.status, StatusCode::OK);
        let (signed, _) = good.rsplit_once('.').unwrap();
        let now = door.now().as_second();
        for (why, token) in [
            ("no token", String::new()),
            ("no signature", format!("{signed}.")),
            ("another's secret", jwt(&door.admin_claims(), "other")),
            ("another app's", with("aud", json!("other"))),
            ("over", with("exp", json!(now - 10))),
            ("not yet", with("nbf", json!(now + 11))),
            ("another shop's issuer", with("iss", json!("https://coffee.myshopify.com/admin"))),
            ("not a shop", with("dest", json!("https://evil.example"))),
            ("a shop as somebody's user", with("dest", json!(format!("https://{SHOP}@evil.example")))),
            ("nobody", with("sub", json!(""))),
        ] {
            let answered = door.me(&token).await;
            assert_eq!(answered.problem(), (401, "invalid_session_token".to_owned()), "{why}");
            assert_eq!(answered.headers["x-shopify-retry-invalid-session-request"], "1", "{why}");
        }
        for header in [None, Some("Basic eDp5"), Some("Bearer"), Some(good.as_str())] {
            let mut request = Request::get("/api/me");
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let answered = door.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answered.problem(), (401, "session_token_missing".to_owned()), "{header:?}");
        }
        door.advance(SignedDuration::from_secs(70));
        assert_eq!(door.me(&good).await.problem().0, 401, "a minute and ten seconds later");
    });
}

#[test]
fn a_shopper_of_an_unknown_shop_is_told_so() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let answered = door.me(&door.shop.session_token(Surface::Checkout(Some(7)))).await;
        assert_eq!(answered.problem(), (404, "unknown_shop".to_owned()));
        assert_eq!(door.shop.token_calls(), [], "a shopper installs nothing");
    });
}

#[test]
fn extensions_may_call_from_any_origin() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        installed(&door).await;
        let preflight = Request::options("/api/me")
            .header("origin", "null")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization");
        let answered = door.send(preflight.body(Body::empty()).unwrap()).await;
        assert_eq!(answered.status, StatusCode::OK);
        assert_eq!(answered.headers["access-control-allow-origin"], "*");
        assert_eq!(
            answered.headers["access-control-allow-headers"],
            "authorization,content-type,if-match,idempotency-key"
        );
        for token in [door.shop.session_token(Surface::Checkout(None)), "forged".to_owned()] {
            let request = Request::get("/api/me")
                .header("origin", "https://extensions.shopifycdn.com")
                .header("authorization", format!("Bearer {token}"));
            let answered = door.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answered.headers["access-control-allow-origin"], "*", "also to what is refused");
        }
        let wrong = Request::delete("/api/me").header("origin", "null").body(Body::empty()).unwrap();
        let answered = door.send(wrong).await;
        assert_eq!(answered.headers["access-control-allow-origin"], "*");
        assert_eq!(answered.problem(), (405, "method_not_allowed".to_owned()));
        let elsewhere = Request::get("/healthz").header("origin", "https://evil.example");
        let answered = door.send(elsewhere.body(Body::empty()).unwrap()).await;
        assert!(!answered.headers.contains_key("access-control-allow-origin"));
    });
}
