//! Groups of shops: how they come together, what they see of each other, how they part.

use axum::http::{Method, StatusCode};
use jiff::SignedDuration;
use loyalnest::db;
use serde_json::{Value, json};

use crate::support::app::Answered;
use crate::support::door::{Door, SHOP};
use crate::support::{TestDb, on_both_engines};

const TEA: &str = "tea.myshopify.com";

async fn opened(door: &Door) {
    for user in [42, 43] {
        door.staff(user, Method::GET, "/api/me", &Value::Null).await.json();
    }
}

async fn two(test: &TestDb) -> (Door, Door) {
    let door = Door::new(test).await;
    let tea = door.beside(test, TEA, "Tea & Co").await;
    opened(&door).await;
    opened(&tea).await;
    (door, tea)
}

async fn found(door: &Door) -> Answered {
    door.staff(42, Method::POST, "/api/group", &Value::Null).await
}

async fn invite(door: &Door) -> String {
    let made = door.staff(42, Method::POST, "/api/group/invitations", &Value::Null).await.json();
    made["code"].as_str().unwrap().to_owned()
}

async fn join(door: &Door, code: &str) -> Answered {
    door.staff(42, Method::POST, "/api/group/join", &json!({"code": code})).await
}

async fn leave(door: &Door) -> Answered {
    door.staff(42, Method::DELETE, "/api/group", &Value::Null).await
}

async fn group(door: &Door) -> Answered {
    door.staff(43, Method::GET, "/api/group", &Value::Null).await
}

async fn rows(test: &TestDb) -> (i64, i64, i64) {
    let mut read = test.db.read_across().await.unwrap();
    db!(
        read.one,
        "select (select count(*) from merchants_groups), (select count(*) from merchants_group_shops),
                (select count(*) from merchants_group_invitations)"
    )
    .unwrap()
}

#[test]
fn a_shop_founds_a_group_and_another_joins_by_invitation_and_they_see_names_and_domains() {
    on_both_engines(async |test| {
        let (door, tea) = two(test).await;
        assert_eq!(group(&door).await.problem(), (404, "no_group".to_owned()));
        assert_eq!(found(&door).await.status, StatusCode::CREATED);
        assert_eq!(found(&door).await.problem(), (409, "already_in_group".to_owned()));
        let code = invite(&door).await;
        assert_eq!(join(&tea, &format!(" {code}\n")).await.status, StatusCode::OK);
        let seen = group(&tea).await.json();
        assert_eq!(group(&door).await.json(), seen, "both see the same");
        let at = door.now().to_string();
        assert_eq!(
            seen["shops"],
            json!([{"name": "Local Shop", "domain": SHOP, "joined_at": at},
                   {"name": "Tea & Co", "domain": TEA, "joined_at": at}])
        );
        assert_eq!(seen.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "shops"]);
        // Each keeps its own log.
        let log = async |door: &Door| {
            let log = door.staff(42, Method::GET, "/api/audit?limit=4", &Value::Null).await.json();
            let entries = log["entries"].as_array().unwrap().clone();
            entries.iter().map(|one| one["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(log(&door).await[..3], ["group.invitation_used", "group.invited", "group.created"]);
        assert_eq!(log(&tea).await[..2], ["group.joined", "staff.joined"]);
    });
}

#[test]
fn an_invitation_is_good_once_and_for_a_day_and_only_its_hash_is_kept() {
    on_both_engines(async |test| {
        let (door, tea) = two(test).await;
        let coffee = door.beside(test, "coffee.myshopify.com", "Coffee").await;
        opened(&coffee).await;
        assert_eq!(found(&door).await.status, StatusCode::CREATED);
        let code = invite(&door).await;
        assert_eq!(join(&door, &code).await.problem(), (409, "already_in_group".to_owned()), "its own group");
        let (a, b) = tokio::join!(join(&tea, &code), join(&coffee, &code));
        let mut statuses = [a.status.as_u16(), b.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [200, 409],
            "the own group used nothing up, and one of two was first: {a:?} {b:?}"
        );
        let late = if a.status == 200 { &coffee } else { &tea };
        assert_eq!(join(late, &code).await.problem(), (409, "invitation_used".to_owned()));

        let code = invite(&door).await;
        for door in [&door, &tea, &coffee] {
            door.advance(SignedDuration::from_hours(24));
        }
        assert_eq!(join(late, &code).await.problem(), (410, "invitation_expired".to_owned()));
        let almost = &code[..code.len() - 1];
        for nonsense in ["", "x", almost, "\0", &"é".repeat(500)] {
            assert_eq!(
                join(late, nonsense).await.problem(),
                (404, "unknown_invitation".to_owned()),
                "{nonsense:?}"
            );
        }
        for nonsense in [json!({}), json!({"code": 7}), json!(null), json!({"code": "x", "shop": "y"})] {
            let answered = late.staff(42, Method::POST, "/api/group/join", &nonsense).await;
            assert_eq!(answered.problem(), (400, "bad_body".to_owned()), "{nonsense}");
        }
        let mut read = test.db.read_across().await.unwrap();
        let hashes: Vec<(Vec<u8>,)> =
            db!(read.all, "select code_hash from merchants_group_invitations").unwrap();
        assert!(hashes.iter().all(|(hash,)| hash.len() == 32));
    });
}

#[test]
fn whoever_wants_to_leaves_and_with_the_last_the_group_ends() {
    on_both_engines(async |test| {
        let (door, tea) = two(test).await;
        assert_eq!(leave(&door).await.problem(), (404, "no_group".to_owned()));
        assert_eq!(found(&door).await.status, StatusCode::CREATED);
        let (first, second) = (invite(&door).await, invite(&door).await);
        join(&tea, &first).await.json();
        let of_tea = invite(&tea).await;
        assert_eq!(leave(&door).await.status, StatusCode::NO_CONTENT);
        assert_eq!(group(&door).await.problem().0, 404);
        let shops = group(&tea).await.json()["shops"].clone();
        assert_eq!(shops.as_array().unwrap().len(), 1);
        assert_eq!(
            join(&door, &second).await.problem().1,
            "unknown_invitation",
            "its invitations went with it"
        );
        join(&door, &of_tea).await.json();
        assert_eq!(leave(&tea).await.status, StatusCode::NO_CONTENT);
        // The last one's shop uninstalls the app.
        let code = invite(&door).await;
        door.advance(SignedDuration::from_mins(1));
        door.shop.uninstall_app();
        door.webhook("u1", "app/uninstalled", door.now(), &json!({"id": 1})).await;
        assert_eq!(rows(test).await, (0, 0, 0), "nothing is left");
        assert_eq!(join(&tea, &code).await.problem().1, "unknown_invitation");
    });
}

#[test]
fn two_who_leave_at_once_end_the_group_and_one_who_joins_meanwhile_is_in_one_or_in_none() {
    on_both_engines(async |test| {
        let (door, tea) = two(test).await;
        for round in 0..5 {
            assert_eq!(found(&door).await.status, StatusCode::CREATED);
            let code = invite(&door).await;
            let (joined, left) = tokio::join!(join(&tea, &code), leave(&door));
            assert_eq!(left.status, StatusCode::NO_CONTENT, "round {round}");
            match joined.status {
                StatusCode::OK => {
                    assert_eq!(rows(test).await.0, 1, "round {round}");
                    let (one, two) = tokio::join!(leave(&tea), leave(&tea));
                    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
                    statuses.sort_unstable();
                    assert_eq!(statuses, [204, 404], "round {round}");
                }
                _ => assert_eq!(joined.problem().1, "unknown_invitation", "round {round}"),
            }
            let (groups, shops, _) = rows(test).await;
            assert_eq!((groups, shops), (0, 0), "round {round}");
        }
    });
}

#[test]
fn only_admins_group_shops_and_not_without_bounds() {
    on_both_engines(async |test| {
        let (door, _tea) = two(test).await;
        door.staff(42, Method::PUT, "/api/staff/43/role", &json!({"role": "editor"})).await.json();
        for (method, path, body) in [
            (Method::POST, "/api/group", Value::Null),
            (Method::POST, "/api/group/invitations", Value::Null),
            (Method::POST, "/api/group/join", json!({"code": "x"})),
            (Method::DELETE, "/api/group", Value::Null),
        ] {
            let answered = door.staff(43, method.clone(), path, &body).await;
            assert_eq!(answered.problem(), (403, "forbidden_role".to_owned()), "{method} {path}");
        }
        let answered = door.staff(42, Method::POST, "/api/group/invitations", &Value::Null).await;
        assert_eq!(answered.problem(), (404, "no_group".to_owned()));
        assert_eq!(found(&door).await.status, StatusCode::CREATED);
        for _ in 0..20 {
            invite(&door).await;
        }
        let answered = door.staff(42, Method::POST, "/api/group/invitations", &Value::Null).await;
        assert_eq!(answered.problem(), (409, "too_many_invitations".to_owned()));
        door.advance(SignedDuration::from_hours(24));
        invite(&door).await;
    });
}
