//! What members get for an occasion: each once, whatever becomes of them.

mod birthdays;
mod first_orders;
mod sign_ups;

use axum::body::Body;
use axum::http::{Method, Request};
use devshop::Surface;
use loyalnest::customers;
use loyalnest::ids::CustomerId;
use loyalnest::points;
use loyalty::Points;
use serde_json::{Value, json};

use crate::support::counter::{Counter, OWNER};
use crate::support::on_both_engines;
use crate::support::till::Shop;

const EVE: i64 = 103;

fn points_of(value: i64) -> Option<Points> {
    Points::new(value).ok()
}

/// Shopify merges `gone` into `kept`; as the inbox does, again where somebody else was at it.
async fn merge(shop: &Shop<'_>, gone: i64, kept: i64) {
    for _ in 0..100 {
        let mut tx = shop.db.begin(shop.id).await.unwrap();
        match customers::merge(&mut tx, shop.id, CustomerId(kept), CustomerId(gone), shop.now).await {
            Ok(_) => return tx.commit().await.unwrap(),
            Err(customers::Error::Points(points::Error::Merged)) => tx.rollback().await.unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the other merge never ends");
}

#[test]
fn bonuses_that_make_no_sense_are_refused_by_name() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let put = async |bonuses: Value| {
            let shown = counter.door.staff(OWNER, Method::GET, "/api/program", &Value::Null).await;
            let (seen, mut program) = (shown.headers["etag"].clone(), shown.json()["program"].clone());
            program["bonuses"] = bonuses;
            let request = Request::put("/api/program")
                .header(
                    "authorization",
                    format!("Bearer {}", counter.door.shop.session_token(Surface::Admin(OWNER))),
                )
                .header("content-type", "application/json")
                .header("if-match", seen);
            counter.door.send(request.body(Body::from(program.to_string())).unwrap()).await
        };
        let sound = json!({"sign_up": 100, "first_order": 1_000_000, "birthday": {"points": 50}});
        let stored = put(sound).await.json()["program"]["bonuses"]["birthday"].clone();
        assert_eq!(stored, json!({"points": 50, "days_ahead": 30}));
        for (bonuses, field, code) in [
            (json!({"sign_up": 0}), "bonuses.sign_up", "bonus_points"),
            (json!({"sign_up": -1}), "bonuses.sign_up", "bonus_points"),
            (json!({"first_order": 1_000_001}), "bonuses.first_order", "bonus_points"),
            (json!({"birthday": {"points": 0}}), "bonuses.birthday.points", "bonus_points"),
            (
                json!({"birthday": {"points": 1, "days_ahead": 0}}),
                "bonuses.birthday.days_ahead",
                "bonus_days_ahead",
            ),
        ] {
            let refused = put(bonuses.clone()).await;
            assert_eq!(refused.problem(), (422, "invalid_program".into()), "{bonuses}");
            let body: Value = serde_json::from_str(&refused.body).unwrap();
            let error = &body["errors"][0];
            assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)), "{bonuses}");
        }
    });
}
