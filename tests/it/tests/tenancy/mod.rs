//! Two shops with alike data in everything. Whatever is asked for, told or run as one of them, with the other's ids, shows
//! nothing of the other and changes nothing there.

mod shops;

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::Answered;
use crate::support::door::send;
use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};
use shops::Side;

/// Who asks.
enum As {
    /// The owner of the shop, in its admin.
    Owner,
    /// A customer of the shop, through the app proxy.
    Customer,
    /// The same one, in an extension of the checkout.
    Extension,
    /// Shopify, or anybody.
    Anyone,
}

/// Who asks, how, the route, the path, the body.
type Case = (As, Method, String, String, Value);

fn plain(who: As, method: Method, route: impl Into<String>, body: Value) -> Case {
    let route = route.into();
    (who, method, route.clone(), route, body)
}

/// With an id in the path.
fn with(who: As, method: Method, route: impl Into<String>, id: String, body: Value) -> Case {
    let route = route.into();
    let (before, after) = (route.find('{').unwrap(), route.find('}').unwrap() + 1);
    let path = format!("{}{id}{}", &route[..before], &route[after..]);
    (who, method, route, path, body)
}

/// What shoppers ask with what is the other shop's, through one of their doors.
fn shoppers(who: fn() -> As, door: &str, other: &Side) -> Vec<Case> {
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    let plain = |method, route, body| plain(who(), method, format!("{door}{route}"), body);
    let with = |method, route, id, body| with(who(), method, format!("{door}{route}"), id, body);
    vec![
        plain(get.clone(), "/account", Value::Null),
        plain(get.clone(), "/history", Value::Null),
        plain(get.clone(), "/tier", Value::Null),
        with(get.clone(), "/orders/{order}/explain", other.order.to_string(), Value::Null),
        with(get.clone(), "/orders/{order}/points", other.order.to_string(), Value::Null),
        plain(get.clone(), "/joining", Value::Null),
        plain(get.clone(), "/birthday", Value::Null),
        plain(post.clone(), "/birthday", json!({"birthday": "05-27"})),
        plain(delete.clone(), "/birthday", Value::Null),
        plain(get.clone(), "/referral", Value::Null),
        with(get.clone(), "/referrals/{code}", other.code.clone(), Value::Null),
        plain(post.clone(), "/referrals", json!({"code": other.code})),
        plain(get.clone(), "/rewards", Value::Null),
        plain(post.clone(), "/redemptions", shops::wish()),
        with(get.clone(), "/redemptions/{id}", other.hold.clone(), Value::Null),
        with(delete, "/redemptions/{id}", other.hold.clone(), Value::Null),
        plain(post, "/payouts", shops::payout()),
        with(get, "/payouts/{id}", shops::PAYOUT.into(), Value::Null),
    ]
}

/// Every route, asked as one shop with what is the other's.
fn routes(other: &Side) -> Vec<Case> {
    let shoppers = [shoppers(|| As::Customer, "/proxy", other), shoppers(|| As::Extension, "/ext", other)];
    shoppers.into_iter().flatten().chain(others(other)).collect()
}

/// What everybody else asks.
fn others(other: &Side) -> Vec<Case> {
    use As::{Anyone, Owner};
    let (session, task) = (other.session, other.task);
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    vec![
        plain(Anyone, get.clone(), "/healthz", Value::Null),
        plain(Anyone, get.clone(), "/readyz", Value::Null),
        plain(Anyone, get.clone(), "/metrics", Value::Null),
        plain(Anyone, get.clone(), "/auth", Value::Null),
        plain(Anyone, get.clone(), "/auth/callback", Value::Null),
        plain(Anyone, post.clone(), "/webhooks", json!({"id": other.order})),
        plain(Owner, get.clone(), "/staff/sign-in", Value::Null),
        plain(Owner, post.clone(), "/staff/sign-in", Value::Null),
        plain(Owner, post.clone(), "/staff/sign-out", Value::Null),
        plain(Owner, get.clone(), "/staff/style.css", Value::Null),
        plain(Owner, get.clone(), "/staff/tasks", Value::Null),
        with(Owner, post.clone(), "/staff/tasks/{task}/requeue", task.to_string(), Value::Null),
        plain(Owner, post.clone(), "/api/pos/queue", shops::queue(other.order, other.customer)),
        plain(Owner, get.clone(), "/api/rewards", Value::Null),
        with(Owner, put.clone(), "/api/rewards/{reward}/stock", "points".into(), json!({"stock": 7})),
        plain(Owner, get.clone(), "/api/me", Value::Null),
        plain(Owner, get.clone(), "/api/staff", Value::Null),
        with(Owner, put.clone(), "/api/staff/{user}/role", "44".into(), json!({"role": "viewer"})),
        with(Owner, delete.clone(), "/api/staff/{user}/session", "44".into(), Value::Null),
        plain(Owner, put.clone(), "/api/staff/default-role", json!({"role": "viewer"})),
        plain(Owner, get.clone(), "/api/languages", Value::Null),
        plain(Owner, put.clone(), "/api/languages", json!({"languages": ["fr"]})),
        plain(Owner, get.clone(), "/api/group", Value::Null),
        plain(Owner, post.clone(), "/api/group/invitations", Value::Null),
        plain(Owner, post.clone(), "/api/group/join", json!({"code": other.group})),
        plain(Owner, delete.clone(), "/api/group", Value::Null),
        plain(Owner, post.clone(), "/api/group", Value::Null),
        plain(Owner, get.clone(), "/api/audit", Value::Null),
        plain(Owner, get.clone(), "/api/activation", Value::Null),
        plain(Owner, post.clone(), "/api/activation", Value::Null),
        plain(Owner, get.clone(), "/api/support", Value::Null),
        with(Owner, delete.clone(), "/api/support/{id}", session.to_string(), Value::Null),
        plain(Owner, get.clone(), "/api/privacy/requests", Value::Null),
        with(
            Owner,
            get.clone(),
            "/api/privacy/requests/{request}/export",
            other.request.to_string(),
            Value::Null,
        ),
        plain(Owner, get.clone(), "/api/privacy/settings", Value::Null),
        plain(Owner, put.clone(), "/api/privacy/settings", json!({"keep_emails": true})),
        plain(Owner, get.clone(), "/api/customer-tags", Value::Null),
        plain(Owner, put.clone(), "/api/customer-tags", json!({"keep": true})),
        (
            Owner,
            get.clone(),
            "/api/members".to_owned(),
            "/api/members?email=ada@example.com".to_owned(),
            Value::Null,
        ),
        with(Owner, get.clone(), "/api/members/{customer}", other.customer.to_string(), Value::Null),
        with(Owner, get.clone(), "/api/members/{customer}/tier", other.customer.to_string(), Value::Null),
        with(
            Owner,
            put.clone(),
            "/api/members/{customer}/tier",
            other.customer.to_string(),
            json!({"tier": null}),
        ),
        with(Owner, get.clone(), "/api/members/{customer}/birthday", other.customer.to_string(), Value::Null),
        with(
            Owner,
            put.clone(),
            "/api/members/{customer}/birthday",
            other.customer.to_string(),
            json!({"birthday": "05-27"}),
        ),
        with(Owner, delete, "/api/members/{customer}/birthday", other.customer.to_string(), Value::Null),
        plain(Owner, get.clone(), "/api/referrals", Value::Null),
        with(Owner, get.clone(), "/api/referrals/{id}", other.referral.to_string(), Value::Null),
        with(Owner, post.clone(), "/api/referrals/{id}/approve", other.referral.to_string(), Value::Null),
        with(Owner, post.clone(), "/api/referrals/{id}/refuse", other.referral.to_string(), Value::Null),
        with(
            Owner,
            get.clone(),
            "/api/members/{customer}/referrals",
            other.customer.to_string(),
            Value::Null,
        ),
        with(Owner, get.clone(), "/api/orders/{order}/explain", other.order.to_string(), Value::Null),
        plain(Owner, get.clone(), "/api/program", Value::Null),
        plain(Owner, put.clone(), "/api/program", json!({})),
        plain(Owner, get.clone(), "/api/program/versions", Value::Null),
        with(Owner, get.clone(), "/api/program/versions/{version}", "2".into(), Value::Null),
        plain(Owner, post.clone(), "/api/program/preview", json!({"program": shops::program()})),
        plain(Owner, post.clone(), "/api/program/revert", json!({"version": 1})),
        with(
            Owner,
            get.clone(),
            "/api/members/{customer}/adjustments",
            other.customer.to_string(),
            Value::Null,
        ),
        with(
            Owner,
            post.clone(),
            "/api/members/{customer}/adjustments",
            other.customer.to_string(),
            shops::by_hand(),
        ),
        with(
            Owner,
            post.clone(),
            "/api/members/{customer}/actions",
            other.customer.to_string(),
            json!({"action": "review"}),
        ),
        with(Owner, get.clone(), "/api/members/{customer}/rfm", other.customer.to_string(), Value::Null),
        plain(Owner, get.clone(), "/api/rfm/segments", Value::Null),
        plain(Owner, post.clone(), "/api/rfm/refresh", Value::Null),
        plain(Owner, get.clone(), "/api/rfm/proposal", Value::Null),
        plain(Owner, get.clone(), "/api/rfm/agreement", Value::Null),
        plain(Owner, post.clone(), "/api/rfm/preview", json!({"rfm": {"kind": "relative"}})),
        plain(Owner, get.clone(), "/api/history", Value::Null),
        plain(Owner, post.clone(), "/api/history", Value::Null),
        plain(Owner, get.clone(), "/api/finance/roll-forward", Value::Null),
        plain(Owner, get.clone(), "/api/finance/cohorts", Value::Null),
        plain(Owner, get.clone(), "/api/finance/triangle", Value::Null),
        plain(Owner, get.clone(), "/api/finance/expiry", Value::Null),
        plain(Owner, get.clone(), "/api/finance/liability", Value::Null),
        plain(Owner, get.clone(), "/api/reconcile", Value::Null),
        plain(Owner, post, "/api/reconcile", Value::Null),
        plain(Owner, get.clone(), "/api/proof", Value::Null),
        plain(Owner, get, "/api/tasks", Value::Null),
        plain(Owner, put, "/api/support/allowed", json!({"allowed": false})),
    ]
}

/// Every route that the router has.
fn paths(router: &Router) -> BTreeSet<String> {
    // axum lists none, but writes them out, and with them what it falls back to.
    let text = format!("{router:?}");
    let texts = text.split('"').skip(1).step_by(2);
    texts
        .filter(|text| text.starts_with('/') && !["/", "/ext"].contains(text) && !text.contains('*'))
        .map(str::to_owned)
        .collect()
}

async fn ask(side: &Side, who: &As, method: Method, path: &str, body: &Value) -> Answered {
    let mut request = Request::builder().method(method);
    request = match who {
        As::Anyone => request.uri(path),
        As::Owner => request.uri(path).header("authorization", format!("Bearer {}", side.owner())),
        As::Extension => request.uri(path).header("authorization", format!("Bearer {}", side.shopper())),
        As::Customer => {
            request.uri(format!("{path}?{}", side.door.shop.signed_proxy_query(Some(side.customer), &[])))
        }
    };
    let body = match body {
        Value::Null => Body::empty(),
        body => Body::from(body.to_string()),
    };
    // The same key that the other shop used.
    let request = request.header("content-type", "application/json").header("idempotency-key", shops::KEY);
    send(&side.door.app, request.body(body).unwrap()).await
}

#[test]
fn every_route_shows_and_changes_nothing_of_another_shop() {
    on_both_engines(async |test| {
        let (own, other) = shops::two(test).await;
        let cases = routes(&other);
        let listed: BTreeSet<String> = cases.iter().map(|(_, _, route, ..)| route.clone()).collect();
        assert_eq!(listed, paths(&own.door.app.router()), "each route has a case here");

        let (before, secrets) = (shops::rows(test, other.id).await, shops::secrets(test, &own, &other).await);
        assert!(secrets.len() > 30, "{secrets:?}");
        let mut successes = 0;
        for (who, method, route, path, body) in &cases {
            let answered = ask(&own, who, method.clone(), path, body).await;
            successes += usize::from(answered.status.is_success());
            let shown = format!("{:?} {}", answered.headers, answered.body);
            let seen: Vec<&String> = secrets.iter().filter(|secret| shown.contains(*secret)).collect();
            assert!(seen.is_empty(), "{method} {route} shows {seen:?}: {shown}");
            assert!(!answered.status.is_server_error(), "{method} {route}: {answered:?}");
        }
        assert!(successes >= 25, "most are good requests: {successes}");
        // Whatever else could be asked is refused, so that a method without a case fails.
        for route in &listed {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                if cases.iter().any(|(_, known, path, ..)| (known, path) == (&method, route)) {
                    continue;
                }
                let answered = ask(&own, &As::Owner, method.clone(), route, &Value::Null).await;
                assert_eq!(answered.status, 405, "{method} {route}");
            }
        }
        assert_eq!(shops::rows(test, other.id).await, before);
    });
}

/// Every topic, told of one shop with the other's numbers. The last ones end it.
fn webhooks(other: &Side, at: &str) -> Vec<(&'static str, Value)> {
    let (customer, order) = (other.customer as i64, other.order);
    let changed = Order { updated_at: at.to_owned(), ..Order::new(order, customer) }.payload();
    let gid = |kind: &str, id: i64| format!("gid://shopify/{kind}/{id}");
    vec![
        ("customers/create", json!({"id": customer, "state": "enabled", "updated_at": at})),
        ("customers/update", json!({"id": customer, "state": "disabled", "updated_at": at})),
        ("orders/create", changed.clone()),
        ("orders/paid", changed.clone()),
        ("orders/updated", changed.clone()),
        ("orders/fulfilled", changed.clone()),
        ("orders/edited", json!({"order_edit": {"id": 1, "order_id": order}})),
        (
            "orders/cancelled",
            Order { cancelled: true, updated_at: at.to_owned(), ..Order::new(order, customer) }.payload(),
        ),
        ("orders/delete", json!({"id": order})),
        ("refunds/create", refund(9_100, order, &[(order * 10 + 2, 1, "50.00")])),
        ("products/create", json!({"id": shops::PRODUCT, "title": "New", "updated_at": at})),
        ("products/update", json!({"id": shops::PRODUCT, "title": "Changed", "updated_at": at})),
        ("products/delete", json!({"id": shops::PRODUCT})),
        ("collections/update", json!({"id": shops::COLLECTION})),
        ("collections/delete", json!({"id": shops::COLLECTION})),
        (
            "bulk_operations/finish",
            json!({"admin_graphql_api_id": gid("BulkOperation", shops::OPERATION), "type": "query",
                   "status": "failed", "error_code": "TIMEOUT", "completed_at": at}),
        ),
        ("app/scopes_update", json!({"current": ["read_orders"]})),
        (
            "app_subscriptions/update",
            json!({"app_subscription": {"admin_graphql_api_id": gid("AppSubscription", shops::PLAN), "name": "Pro",
                                        "status": "FROZEN", "plan_handle": "pro", "updated_at": at}}),
        ),
        ("shop/update", json!({"name": "Renamed", "currency": "EUR", "iana_timezone": "Asia/Tokyo"})),
        ("customers/data_request", json!({"customer": {"id": customer}, "orders_requested": [order]})),
        (
            "customers/merge",
            json!({"admin_graphql_api_customer_kept_id": gid("Customer", customer), "status": "completed",
                   "admin_graphql_api_customer_deleted_id": gid("Customer", 1)}),
        ),
        (
            "customer.tags_added",
            json!({"customerId": gid("Customer", customer), "tags": ["new"], "occurredAt": at}),
        ),
        (
            "customer.tags_removed",
            json!({"customerId": gid("Customer", customer), "tags": ["new"], "occurredAt": at}),
        ),
        ("customers/delete", json!({"id": customer})),
        ("customers/redact", json!({"customer": {"id": customer}, "orders_to_redact": [order]})),
        ("app/uninstalled", json!({"id": 1})),
        ("shop/redact", json!({"shop_id": 1})),
    ]
}

#[test]
fn every_topic_and_the_tasks_it_starts_change_nothing_of_another_shop() {
    on_both_engines(async |test| {
        let (own, other) = shops::two(test).await;
        // A shop uninstalls the app after it installed it.
        own.door.advance(SignedDuration::from_secs(1));
        let at = own.door.now().to_string();
        let cases = webhooks(&other, &at);
        let mut subscribed = shops::topics();
        subscribed.retain(|topic| !cases.iter().any(|(case, _)| case == topic));
        assert!(subscribed.is_empty(), "each topic has a case here: {subscribed:?}");

        let before = shops::rows(test, other.id).await;
        for (at, (topic, body)) in cases.iter().enumerate() {
            own.tell(&format!("told {at}"), topic, body).await;
            own.work().await;
            assert_eq!(shops::rows(test, other.id).await, before, "{topic}");
        }
        let left = shops::rows(test, own.id).await;
        assert!(!left.contains_key("customers_members"), "the first shop was erased: {left:?}");
    });
}

#[test]
fn every_task_run_for_one_shop_changes_nothing_of_another() {
    on_both_engines(async |test| {
        let (own, other) = shops::two(test).await;
        let before = shops::rows(test, other.id).await;
        shops::push_every_kind(test, &own, &other).await;
        own.work().await;
        assert_eq!(shops::rows(test, other.id).await, before);
    });
}
