//! Requests of extensions of the checkout and the customer account: who may call, and that they find what the storefront
//! finds.

use axum::body::Body;
use axum::http::{Method, Request};
use devshop::Surface;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::Answered;
use crate::support::counter::{Counter, OWNER};
use crate::support::door::{Door, KEY, SECRET, SHOP, jwt};
use crate::support::on_both_engines;
use crate::support::orders::Order;

const CUSTOMER: u64 = 7_100_007;

/// What is asked for an account with these headers.
async fn with_headers(door: &Door, authorization: &[&str]) -> Answered {
    let mut request = Request::get("/ext/account");
    for value in authorization {
        request = request.header("authorization", *value);
    }
    door.send(request.body(Body::empty()).unwrap()).await
}

async fn account(door: &Door, token: &str) -> Answered {
    door.extension(token, Method::GET, "/account", &Value::Null).await
}

fn challenge(answered: &Answered) -> &str {
    answered.headers["www-authenticate"].to_str().unwrap()
}

impl Counter {
    /// The shopper's token, as the checkout makes one.
    fn shopper(&self) -> String {
        self.door.shop.session_token(Surface::Checkout(Some(CUSTOMER)))
    }

    async fn in_checkout(&self, customer: u64, method: Method, path: &str, body: &Value) -> Answered {
        let token = self.door.shop.session_token(Surface::Checkout(Some(customer)));
        self.door.extension(&token, method, path, body).await
    }

    /// The same shopper, in the checkout and in the storefront.
    async fn through_both(&self, customer: u64, method: Method, path: &str, body: &Value) -> [Answered; 2] {
        let in_checkout = self.in_checkout(customer, method.clone(), path, body).await;
        [in_checkout, self.proxy(customer as i64, method, &format!("/proxy{path}"), body).await]
    }
}

#[test]
fn a_token_that_proves_no_shopper_is_refused_with_a_code() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let door = &counter.door;
        let good = counter.shopper();
        assert_eq!(account(door, &good).await.status, 200);
        let of_account = door.shop.session_token(Surface::CustomerAccount(CUSTOMER));
        assert_eq!(account(door, &of_account).await.status, 200);

        let bearer = format!("Bearer {good}");
        let none: [&str; 0] = [];
        for headers in [&none[..], &[&*bearer, &*bearer], &["Basic eDp5"], &["Bearer"], &[&*good]] {
            let refused = with_headers(door, headers).await;
            assert_eq!(refused.problem(), (401, "session_token_missing".into()), "{headers:?}");
            assert_eq!(challenge(&refused), "Bearer");
        }
        let now = door.now().as_second();
        let with = |name: &str, value: Value| {
            let sub = format!("gid://shopify/Customer/{CUSTOMER}");
            let mut claims = json!({"dest": SHOP, "aud": KEY, "sub": sub, "exp": now + 300, "nbf": now});
            claims[name] = value;
            jwt(&claims, SECRET)
        };
        assert_eq!(account(door, &with("jti", json!("1"))).await.status, 200);
        for (why, token) in [
            ("no token", "x".to_owned()),
            ("another's secret", jwt(&json!({"dest": SHOP, "aud": KEY, "exp": now + 300}), "other")),
            ("another app's", with("aud", json!("other"))),
            ("over", with("exp", json!(now - 10))),
            ("not yet", with("nbf", json!(now + 11))),
            ("no shop", with("dest", json!("evil.example"))),
            ("an address", with("dest", json!(format!("https://{SHOP}")))),
            ("a number alone", with("sub", json!(CUSTOMER.to_string()))),
        ] {
            let refused = account(door, &token).await;
            assert_eq!(refused.problem(), (401, "invalid_session_token".into()), "{why}");
            assert_eq!(challenge(&refused), "Bearer error=\"invalid_token\"", "{why}");
        }
        for staff in [Surface::Admin(OWNER), Surface::Pos(OWNER)] {
            let refused = account(door, &door.shop.session_token(staff)).await;
            assert_eq!(refused.problem(), (403, "shoppers_only".into()), "{staff:?}");
        }
        door.advance(SignedDuration::from_secs(310));
        assert_eq!(account(door, &good).await.problem().1, "invalid_session_token", "five minutes later");
    });
}

#[test]
fn one_doors_proof_does_not_open_the_other() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let door = &counter.door;
        let query = door.shop.signed_proxy_query(Some(CUSTOMER), &[]);
        let signed = Request::get(format!("/ext/account?{query}")).body(Body::empty()).unwrap();
        assert_eq!(door.send(signed).await.problem(), (401, "session_token_missing".into()));
        let bearer = format!("Bearer {}", counter.shopper());
        let token = Request::get("/proxy/account").header("authorization", bearer);
        let token = token.body(Body::empty()).unwrap();
        assert_eq!(door.send(token).await.problem(), (400, "bad_signature".into()));
    });
}

#[test]
fn a_guest_is_asked_to_sign_in_wherever_something_is_a_customers() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let door = &counter.door;
        let guest = door.shop.session_token(Surface::Checkout(None));
        let hold = "/redemptions/00000000000000000000000000000abc";
        let payout = "/payouts/0197d0a0-0000-7000-8000-000000000001";
        let wish = json!({"reward": "points", "points": 100, "currency": "GBP"});
        let wanted = json!({"id": "0197d0a0-0000-7000-8000-000000000001", "reward": "x", "currency": "GBP"});
        let nothing = Value::Null;
        for (method, path, body) in [
            (Method::GET, "/account", &nothing),
            (Method::GET, "/history", &nothing),
            (Method::GET, "/tier", &nothing),
            (Method::GET, "/orders/1/explain", &nothing),
            (Method::GET, "/orders/1/points", &nothing),
            (Method::GET, "/birthday", &nothing),
            (Method::POST, "/birthday", &json!({"birthday": "05-27"})),
            (Method::DELETE, "/birthday", &nothing),
            (Method::GET, "/rewards", &nothing),
            (Method::POST, "/redemptions", &wish),
            (Method::GET, hold, &nothing),
            (Method::DELETE, hold, &nothing),
            (Method::POST, "/payouts", &wanted),
            (Method::GET, payout, &nothing),
        ] {
            let refused = door.extension(&guest, method.clone(), path, body).await;
            assert_eq!(refused.problem(), (401, "not_signed_in".into()), "{method} {path}");
            assert_eq!(challenge(&refused), "Bearer", "{method} {path}");
        }
    });
}

#[test]
fn a_shop_without_the_app_is_unknown_and_nobody_installs_it_from_a_checkout() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let refused = account(&door, &door.shop.session_token(Surface::Checkout(Some(CUSTOMER)))).await;
        assert_eq!(refused.problem(), (404, "unknown_shop".into()));
        let staff = account(&door, &door.shop.session_token(Surface::Admin(OWNER))).await;
        assert_eq!(staff.problem(), (403, "shoppers_only".into()));
        assert_eq!(door.shop.token_calls(), [], "not even by staff");

        door.me(&door.shop.session_token(Surface::Admin(OWNER))).await.json();
        let token = || door.shop.session_token(Surface::Checkout(Some(CUSTOMER)));
        assert_eq!(account(&door, &token()).await.status, 200);
        door.advance(SignedDuration::from_mins(1));
        door.shop.uninstall_app();
        door.webhook("1", "app/uninstalled", door.now(), &json!({"id": 1})).await;
        assert_eq!(account(&door, &token()).await.problem(), (404, "unknown_shop".into()));
    });
}

#[test]
fn a_shopper_finds_and_does_the_same_behind_both_doors() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let ada = counter.door.shop.add_customer("Ada", "Byron", "ada@example.com").id;
        // A hundred pounds, and so a hundred points.
        let order = Order::new(1, ada as i64).payload();
        counter.door.webhook("1", "orders/create", counter.door.now(), &order).await;
        let wish = json!({"reward": "points", "points": 100, "currency": "GBP"});
        let picked = counter.in_checkout(ada, Method::POST, "/redemptions", &wish).await;
        let hold = picked.json();
        assert_eq!((picked.status.as_u16(), &hold["state"]), (200, &json!("live")), "{hold}");
        let told = json!({"birthday": "05-27"});
        counter.in_checkout(ada, Method::POST, "/birthday", &told).await.json();

        for path in [
            "/account",
            "/history",
            "/tier",
            "/orders/1/explain",
            "/orders/1/points",
            "/joining",
            "/birthday",
            "/rewards",
        ] {
            let [in_checkout, in_storefront] =
                counter.through_both(ada, Method::GET, path, &Value::Null).await;
            assert_eq!(in_checkout.json(), in_storefront.json(), "{path}");
        }
        assert_eq!(counter.points(ada as i64).await, (0, 0, 100));

        // The same pick is the same hold, whoever asks; and it is taken back where it was not made.
        let [again, once_more] = counter.through_both(ada, Method::POST, "/redemptions", &wish).await;
        assert_eq!((&again.json()["id"], &once_more.json()["id"]), (&hold["id"], &hold["id"]));
        let path = format!("/proxy/redemptions/{}", hold["id"].as_str().unwrap());
        let closed = counter.proxy(ada as i64, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(closed.json()["state"], "closing");
        let path = &path["/proxy".len()..];
        let [again, once_more] = counter.through_both(ada, Method::DELETE, path, &Value::Null).await;
        assert_eq!(
            (&again.json()["state"], &once_more.json()["state"]),
            (&json!("closing"), &json!("closing"))
        );

        // What is wrong is wrong by the same code.
        let unknown = json!({"reward": "none", "currency": "GBP"});
        let elsewhere = json!({"reward": "points", "points": 100, "currency": "USD"});
        for (method, path, body) in [
            (Method::POST, "/redemptions", &unknown),
            (Method::POST, "/redemptions", &elsewhere),
            (Method::POST, "/redemptions", &json!({"reward": 7})),
            (Method::DELETE, "/redemptions/x", &Value::Null),
            (Method::POST, "/birthday", &json!({"birthday": "02-30"})),
            (Method::GET, "/orders/x/explain", &Value::Null),
            (Method::GET, "/orders/2/explain", &Value::Null),
            (Method::GET, "/orders/2/points", &Value::Null),
            (Method::GET, "/redemptions/x", &Value::Null),
            (Method::GET, "/payouts/x", &Value::Null),
        ] {
            let [in_checkout, in_storefront] = counter.through_both(ada, method, path, body).await;
            assert_eq!(in_checkout.problem(), in_storefront.problem(), "{path} {body}");
        }
        counter.is_sound().await;
    });
}

#[test]
fn a_sandbox_without_an_origin_may_call_and_keeps_nothing() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let door = &counter.door;
        for method in ["GET", "POST", "DELETE"] {
            let preflight = Request::options("/ext/redemptions")
                .header("origin", "null")
                .header("access-control-request-method", method)
                .header("access-control-request-headers", "authorization,content-type");
            let answered = door.send(preflight.body(Body::empty()).unwrap()).await;
            assert_eq!(answered.status, 200, "nobody proves anything yet");
            for (name, value) in [
                ("access-control-allow-origin", "*"),
                ("access-control-allow-methods", "GET,POST,DELETE"),
                ("access-control-allow-headers", "authorization,content-type,idempotency-key"),
                ("access-control-max-age", "600"),
            ] {
                assert_eq!(answered.headers[name], value);
            }
            assert!(!answered.headers.contains_key("access-control-allow-credentials"));
        }
        let shopper = counter.shopper();
        for (token, method, path, status) in [
            (shopper.as_str(), Method::GET, "/account", 200),
            ("forged", Method::GET, "/account", 401),
            (&shopper, Method::PUT, "/account", 405),
            (&shopper, Method::GET, "/nothing", 404),
        ] {
            let answered = door.extension(token, method, path, &Value::Null).await;
            assert_eq!(answered.status, status, "{path}");
            assert_eq!(answered.headers["access-control-allow-origin"], "*", "{path}");
            assert_eq!(answered.headers["cache-control"], "no-store", "{path}");
        }
        let proxied = counter.proxy(CUSTOMER as i64, Method::GET, "/proxy/account", &Value::Null).await;
        assert_eq!(proxied.headers["cache-control"], "no-store");
        assert!(
            !proxied.headers.contains_key("access-control-allow-origin"),
            "pages of the shop ask the shop"
        );
    });
}
