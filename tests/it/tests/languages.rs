//! The languages that a program is offered in.

use axum::http::{Method, StatusCode};
use jiff::SignedDuration;
use loyalnest::merchants::{languages, set_primary_locale};
use serde_json::{Value, json};

use crate::support::door::{Door, SHOP};
use crate::support::{TestDb, on_both_engines};

async fn primary(test: &TestDb, door: &Door, locale: &str) -> bool {
    let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
    let mut tx = test.db.begin(shop.id).await.unwrap();
    let changed = set_primary_locale(&mut tx, shop.id, locale, door.now()).await.unwrap();
    tx.commit().await.unwrap();
    changed
}

async fn offered(door: &Door, wanted: &Value) -> Value {
    door.staff(42, Method::PUT, "/api/languages", &json!({"languages": wanted})).await.json()
}

#[test]
fn the_shops_own_language_is_always_among_them_and_first() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let shown = door.staff(42, Method::GET, "/api/languages", &Value::Null).await.json();
        assert_eq!(shown, json!({"primary": null, "languages": []}));
        assert_eq!(
            offered(&door, &json!(["DE-at", "fr", "de-AT"])).await["languages"],
            json!(["de-AT", "fr"])
        );
        assert!(primary(test, &door, "fr").await);
        assert!(!primary(test, &door, "fr").await, "as it was");
        assert!(!primary(test, &door, "xx-").await, "nonsense changes nothing");
        let me = door.staff(42, Method::GET, "/api/me", &Value::Null).await.json();
        assert_eq!(me["languages"], json!(["fr", "de-AT"]));
        let set = offered(&door, &json!(["nl"])).await;
        assert_eq!(set, json!({"primary": "fr", "languages": ["fr", "nl"]}));
        assert_eq!(offered(&door, &json!([])).await["languages"], json!(["fr"]));
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        let known = languages(&mut test.db.read_across().await.unwrap(), shop.id).await.unwrap();
        assert_eq!(known.negotiate(&["de".parse().unwrap()]).as_str(), "fr");

        offered(&door, &json!([])).await;
        let log = door.staff(42, Method::GET, "/api/audit", &Value::Null).await.json();
        let changes: Vec<_> =
            log["entries"].as_array().unwrap().iter().map(|one| one["text"].clone()).collect();
        assert_eq!(changes[0], "Staff member 42 changed the languages from fr, nl to fr.");
        assert_eq!(changes.len(), 4, "what changes nothing is not written down: {changes:?}");
    });
}

#[test]
fn the_shop_tells_its_language_and_older_news_does_not_undo_newer() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        door.staff(42, Method::GET, "/api/me", &Value::Null).await.json();
        let later = door.now() + SignedDuration::from_secs(60);
        for (id, at, locale, known) in [
            ("s1", later, json!("de-ch"), json!("de-CH")),
            ("s2", door.now(), json!("fr"), json!("de-CH")),
            ("s3", later, json!("xx-\0"), json!("de-CH")),
            ("s4", later, Value::Null, json!("de-CH")),
            ("s5", later, json!("fr"), json!("fr")),
        ] {
            let told = json!({"name": "Tea", "currency": "GBP", "iana_timezone": "Europe/London",
                              "primary_locale": locale});
            assert_eq!(door.webhook(id, "shop/update", at, &told).await, StatusCode::OK);
            let shown = door.staff(42, Method::GET, "/api/languages", &Value::Null).await.json();
            assert_eq!(shown["primary"], known, "{id}");
        }
    });
}

#[test]
fn nonsense_is_refused_whole() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        offered(&door, &json!(["de"])).await;
        primary(test, &door, "en").await;
        let many = (0..21).map(|n| format!("{}{}", 'a', (b'a' + n) as char)).collect::<Vec<_>>();
        let put = async |body: Value| door.staff(42, Method::PUT, "/api/languages", &body).await;
        for tag in ["xx-", "", "und", "\0", "de\0", "en-u-ca-buddhist", "*", &"a".repeat(200), "de;q=1"] {
            let answered = put(json!({"languages": ["fr", tag]})).await;
            assert_eq!(answered.problem(), (400, "bad_language".to_owned()), "{tag:?}");
            assert!(answered.body.contains("\"place\":1"), "{answered:?}");
        }
        for too_many in [json!(many), json!(vec!["de"; 200]), json!(&many[..20])] {
            let answered = put(json!({"languages": too_many})).await;
            assert_eq!(answered.problem(), (400, "too_many_languages".to_owned()));
        }
        for body in
            [json!({}), json!({"languages": "de"}), json!({"languages": [7]}), json!({"languages": null})]
        {
            assert_eq!(put(body.clone()).await.problem(), (400, "bad_body".to_owned()), "{body}");
        }
        let shown = door.staff(42, Method::GET, "/api/languages", &Value::Null).await.json();
        assert_eq!(shown["languages"], json!(["en", "de"]), "nothing has changed");
        door.staff(43, Method::GET, "/api/me", &Value::Null).await.json();
        door.staff(42, Method::PUT, "/api/staff/43/role", &json!({"role": "viewer"})).await.json();
        let answered = door.staff(43, Method::PUT, "/api/languages", &json!({"languages": []})).await;
        assert_eq!(answered.problem(), (403, "forbidden_role".to_owned()));
    });
}
