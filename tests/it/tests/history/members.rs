//! What staff see of a member.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Scene;
use crate::support::on_both_engines;
use crate::support::till::{ADA, BOB};

impl Scene {
    pub async fn profile(&self, customer: i64) -> Value {
        let (status, profile) = self.staff(Method::GET, &format!("/api/members/{customer}")).await;
        assert_eq!(status, StatusCode::OK, "{profile}");
        profile
    }
}

#[test]
fn staff_see_all_of_a_member_in_one_place() {
    on_both_engines(async |test| {
        let scene = Scene::empty(test).await;
        for path in ["999", "-1", "nobody", "9223372036854775808"] {
            let (status, problem) = scene.staff(Method::GET, &format!("/api/members/{path}")).await;
            assert_eq!(
                (status, &problem["code"]),
                (StatusCode::NOT_FOUND, &json!("unknown_member")),
                "{path}"
            );
        }
        let at = scene.door.now();
        let created = json!({"id": BOB, "state": "enabled", "updated_at": at});
        assert!(scene.door.webhook("bob", "customers/create", at, &created).await.is_success());
        let bob = scene.profile(BOB).await;
        let names = ["customer", "account", "guest", "signed_up_at", "deleted_at", "tier", "rfm"];
        let nothing = Value::Null;
        assert_eq!(
            names.map(|name| &bob[name]),
            [&json!(BOB), &json!("enabled"), &json!(false), &json!(at), &nothing, &nothing, &nothing]
        );
        assert_eq!(bob["points"], json!({"available": 0, "pending": 0, "held": 0}));

        scene.say(&[
            scene.line(1, ADA, &[]),
            json!({"id": format!("gid://shopify/Customer/{ADA}"), "state": "DISABLED",
                   "updatedAt": "2025-05-01T10:00:00Z"}),
        ]);
        scene.read().await;
        scene.door.app.tasks.run_due(&scene.door.app).await.unwrap();
        let (ada, bob) = (scene.profile(ADA).await, scene.profile(BOB).await);
        assert_eq!((&ada["account"], &ada["signed_up_at"]), (&json!("disabled"), &nothing));
        assert_eq!((&ada["rfm"]["orders"], &ada["rfm"]["spent_minor"]), (&json!(1), &json!(1_000)));
        assert_eq!((&ada["rfm"]["group"], &bob["rfm"]["group"]), (&json!("dormant"), &json!("prospects")));

        let gid = |customer: i64| format!("gid://shopify/Customer/{customer}");
        let merged = json!({"admin_graphql_api_customer_kept_id": gid(BOB), "status": "completed",
                            "admin_graphql_api_customer_deleted_id": gid(ADA)});
        assert!(scene.door.webhook("merged", "customers/merge", at, &merged).await.is_success());
        let kept = scene.profile(ADA).await;
        assert_eq!((&kept["customer"], &kept["rfm"]["orders"]), (&json!(BOB), &json!(1)));
    });
}
