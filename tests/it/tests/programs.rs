//! The merchant's settings over HTTP: read, replaced whole, tried on what happened, put back.

use axum::body::Body;
use axum::http::{Method, Request};
use devshop::{NewCart, NewProduct, PlaceOptions, RefundRequest, Surface};
use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::programs;
use serde_json::{Value, json};

use crate::support::app::Answered;
use crate::support::door::{Door, SHOP};
use crate::support::{TestDb, on_both_engines};

/// A request of staff member 42, who has seen a version.
async fn ask(door: &Door, method: Method, path: &str, seen: Option<&str>, body: &Value) -> Answered {
    let token = door.shop.session_token(Surface::Admin(42));
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    if let Some(seen) = seen {
        request = request.header("if-match", seen);
    }
    door.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn put(door: &Door, seen: &str, program: &Value) -> Answered {
    ask(door, Method::PUT, "/api/program", Some(seen), program).await
}

async fn shown(door: &Door) -> Value {
    door.staff(42, Method::GET, "/api/program", &Value::Null).await.json()
}

/// A door whose shop has set its program, and the settings.
async fn with_program(test: &TestDb) -> (Door, Value) {
    let door = Door::new(test).await;
    let program = shown(&door).await["program"].clone();
    assert_eq!(put(&door, "\"0\"", &program).await.json()["version"], 1);
    (door, program)
}

/// Fields and codes of what is wrong with settings.
fn faults(answered: &Answered) -> Vec<(String, String)> {
    assert_eq!(answered.problem(), (422, "invalid_program".to_owned()));
    let body: Value = serde_json::from_str(&answered.body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = body["errors"].as_array().unwrap().iter();
    all.map(|error| {
        assert!(!text(&error["message"]).is_empty());
        (text(&error["field"]), text(&error["code"]))
    })
    .collect()
}

async fn run_tasks(door: &Door) {
    while door.app.tasks.run_due(&door.app).await.unwrap() > 0 {}
}

#[test]
fn settings_are_replaced_by_whoever_has_seen_them_and_by_nobody_else() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        let first = shown(&door).await;
        assert_eq!((&first["version"], &first["program"]["earn"]["points"]), (&json!(0), &json!(1)));
        let mut program = first["program"].clone();
        let unseen = ask(&door, Method::PUT, "/api/program", None, &program).await;
        assert_eq!(unseen.problem(), (428, "version_required".to_owned()));
        for nonsense in ["1", "\"x\"", "*", "W/\"0\""] {
            assert_eq!(put(&door, nonsense, &program).await.problem(), (400, "bad_parameter".to_owned()));
        }
        let answered = put(&door, "\"0\"", &program).await;
        assert_eq!(answered.headers["etag"], "\"1\"");
        assert_eq!(answered.json()["version"], 1);
        assert_eq!(
            put(&door, "\"1\"", &program).await.json()["version"],
            1,
            "the same again is no new version"
        );
        program["earn"]["points"] = json!(2);
        assert_eq!(put(&door, "\"0\"", &program).await.problem(), (412, "version_changed".to_owned()));
        assert_eq!(put(&door, "\"1\"", &program).await.json()["version"], 2);
        assert_eq!(shown(&door).await["program"], program);

        // Many at once: one of them.
        let attempt = async |points: i64| {
            let mut program = program.clone();
            program["earn"]["points"] = json!(points);
            put(&door, "\"2\"", &program).await.status.as_u16()
        };
        let mut statuses: [u16; 4] = tokio::join!(attempt(3), attempt(4), attempt(5), attempt(6)).into();
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200, "{statuses:?}");
        assert!(statuses[1..].iter().all(|status| [409, 412].contains(status)), "{statuses:?}");
        assert_eq!(shown(&door).await["version"], 3);

        let log = door.staff(42, Method::GET, "/api/audit", &Value::Null).await.json();
        let log: Vec<_> = log["entries"].as_array().unwrap().iter().collect();
        let changes: Vec<_> = log.iter().filter(|entry| entry["action"] == "program.changed").collect();
        assert_eq!(changes.len(), 3);
        assert_eq!(changes[1]["before"]["earn"]["points"], 1);
        assert_eq!(changes[1]["after"]["earn"]["points"], 2);
        assert!(changes[1]["after"].get("rewards").is_none(), "only what changed");
        assert_eq!(changes[1]["text"], "Staff member 42 changed the program's settings: version 1 became 2.");
    });
}

#[test]
fn everything_that_is_wrong_with_settings_is_named() {
    on_both_engines(async |test| {
        let (door, program) = with_program(test).await;
        let mut wrong = program.clone();
        wrong["earn"]["per"] = json!(0);
        wrong["earn"]["multipliers"] = json!([{"id": "a", "of": {"products": []}, "factor": -1}]);
        wrong["currency"] = json!("USD");
        let answered = put(&door, "\"1\"", &wrong).await;
        let named = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
        };
        assert_eq!(
            faults(&answered),
            named(&[
                ("earn.per", "earn_rate"),
                ("earn.multipliers[0].factor", "multiplier_factor"),
                ("earn.multipliers[0].of", "multiplier_selection"),
                ("currency", "currency"),
            ])
        );
        for (pointer, bad, field) in [
            ("/earn/points", json!("many"), "earn.points"),
            ("/earn/points", json!(9_007_199_254_740_992_i64), "earn.points"),
            ("/earn/points", json!(1.5), "earn.points"),
            ("/holds", json!({"life_minutes": -1, "grace_minutes": 0}), "holds.life_minutes"),
            ("/returns", json!("never"), "returns"),
        ] {
            let mut wrong = program.clone();
            *wrong.pointer_mut(pointer).unwrap() = bad;
            let answered = put(&door, "\"1\"", &wrong).await;
            assert_eq!(faults(&answered), named(&[(field, "unreadable")]));
        }
        let mut unknown = program.clone();
        unknown["earn"]["doubled"] = json!(true);
        assert_eq!(faults(&put(&door, "\"1\"", &unknown).await)[0].1, "unreadable");
        let trial = json!({"program": wrong});
        let tried = ask(&door, Method::POST, "/api/program/preview", None, &trial).await;
        assert_eq!(faults(&tried).len(), 4);
        assert_eq!(shown(&door).await["version"], 1);
    });
}

#[test]
fn tiers_and_campaigns_that_are_wrong_or_too_large_for_the_checkout_are_named() {
    on_both_engines(async |test| {
        let (door, program) = with_program(test).await;
        let mut wrong = program.clone();
        wrong["tiers"] = json!([
            {"id": "tin", "name": "Tin", "earn_factor": -1},
            {"id": "gold", "name": " ", "perks": []},
            {"id": "iron", "name": "Iron", "perks": [{"kind": "delivery", "basis_points": 0}]},
        ]);
        let campaign = |id, from, until, tiers: Value| json!({"id": id, "name": id, "from": from, "until": until, "tiers": tiers});
        let (begin, end) = ("2026-11-27T00:00", "2026-11-28T00:00");
        wrong["campaigns"] = json!([
            campaign("late", end, begin, json!([])),
            campaign("empty", begin, end, json!([])),
            campaign("nobody", begin, end, json!(["lead"])),
        ]);
        wrong["campaigns"][2]["earn_factor"] = json!(20_000);
        let codes = faults(&put(&door, "\"1\"", &wrong).await);
        let codes: Vec<_> = codes.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
        assert_eq!(
            codes,
            [
                ("tiers[0]", "tier_factor"),
                ("tiers[1]", "tier_name"),
                ("tiers[2]", "perk_percent"),
                ("campaigns[0]", "campaign_window"),
                ("campaigns[1]", "campaign_gives_nothing"),
                ("campaigns[2]", "campaign_tier"),
            ]
        );

        // Many variants of many tiers do not fit into what a Function sees.
        let mut large = program.clone();
        let variants: Vec<String> =
            (1..=100).map(|n| format!("gid://shopify/ProductVariant/{}", 40_000_000_000_i64 + n)).collect();
        let perk = json!({"kind": "lines", "basis_points": 500, "of": {"variants": variants}});
        large["tiers"] =
            (0..8).map(|n| json!({"id": format!("t{n}"), "name": "T", "perks": [perk]})).collect();
        large["tiers"][3]["perks"] = json!([perk, perk]);
        let trial = json!({"program": large});
        for refused in [
            put(&door, "\"1\"", &large).await,
            ask(&door, Method::POST, "/api/program/preview", None, &trial).await,
        ] {
            assert_eq!(refused.problem(), (422, "program_too_large".to_owned()));
            let body: Value = serde_json::from_str(&refused.body).unwrap();
            assert_eq!(body["parts"][0]["part"], "tier t3", "the largest first: {body}");
        }
        assert_eq!(shown(&door).await["version"], 1);
    });
}

#[test]
fn old_settings_are_put_back_in_one_call_as_a_new_version() {
    on_both_engines(async |test| {
        let (door, mut program) = with_program(test).await;
        let old = program.clone();
        program["earn"]["points"] = json!(9);
        put(&door, "\"1\"", &program).await.json();
        let revert = |seen, version: i64| {
            let body = json!({"version": version});
            let door = &door;
            async move { ask(door, Method::POST, "/api/program/revert", seen, &body).await }
        };
        assert_eq!(revert(None, 7).await.problem(), (404, "unknown_version".to_owned()));
        assert_eq!(revert(Some("\"1\""), 1).await.problem(), (412, "version_changed".to_owned()));
        let reverted = revert(None, 1).await.json();
        assert_eq!((&reverted["version"], &reverted["program"]), (&json!(3), &old));
        assert_eq!(revert(None, 1).await.json()["version"], 3, "nothing to do");
        let versions = door.staff(42, Method::GET, "/api/program/versions", &Value::Null).await.json();
        let versions: Vec<_> =
            versions.as_array().unwrap().iter().map(|one| one["version"].clone()).collect();
        assert_eq!(versions, [3, 2, 1]);
        let second = door.staff(42, Method::GET, "/api/program/versions/2", &Value::Null).await.json();
        assert_eq!(second["program"], program);
        let none = door.staff(42, Method::GET, "/api/program/versions/x", &Value::Null).await;
        assert_eq!(none.problem(), (404, "unknown_version".to_owned()));
        let log = door.staff(42, Method::GET, "/api/audit", &Value::Null).await.json();
        assert_eq!(log["entries"][0]["action"], "program.reverted");
        assert_eq!(log["entries"][0]["after"]["earn"]["points"], 1);
    });
}

#[test]
fn viewers_look_and_try_but_change_nothing() {
    on_both_engines(async |test| {
        let (door, program) = with_program(test).await;
        door.staff(43, Method::GET, "/api/me", &Value::Null).await.json();
        door.staff(42, Method::PUT, "/api/staff/43/role", &json!({"role": "viewer"})).await.json();
        let ask = async |method, path, body: Value| door.staff(43, method, path, &body).await;
        assert!(ask(Method::GET, "/api/program", Value::Null).await.status.is_success());
        let trial = json!({"program": program});
        assert!(ask(Method::POST, "/api/program/preview", trial).await.status.is_success());
        for (method, path, body) in [
            (Method::PUT, "/api/program", program.clone()),
            (Method::POST, "/api/program/revert", json!({"version": 1})),
        ] {
            assert_eq!(ask(method, path, body).await.problem().0, 403, "{path}");
        }
    });
}

#[test]
fn few_looks_through_a_shop_are_under_way_at_once_whichever_endpoint_they_are_from() {
    on_both_engines(async |test| {
        let (door, program) = with_program(test).await;
        let trial = json!({"program": program, "days": 365});
        let rfm = json!({"rfm": {"kind": "relative"}});
        let looks = [
            (Method::POST, "/api/program/preview", &trial),
            (Method::POST, "/api/rfm/preview", &rfm),
            (Method::GET, "/api/rfm/proposal", &Value::Null),
        ];
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap().id;
        let under_way = [door.app.limits.look(shop).unwrap(), door.app.limits.look(shop).unwrap()];
        for (method, path, body) in &looks {
            let refused = door.staff(42, method.clone(), path, body).await;
            assert_eq!(refused.problem(), (429, "too_many_looks".to_owned()), "{path}");
            assert_eq!(refused.retry_after.as_deref(), Some("2"), "{path}");
        }
        drop(under_way);
        // Each gives its place back when it is answered.
        for (method, path, body) in looks.iter().cycle().take(9) {
            assert_eq!(door.staff(42, method.clone(), path, body).await.status, 200, "{path}");
        }
    });
}

#[test]
fn settings_are_tried_on_the_orders_that_came() {
    on_both_engines(async |test| {
        let (door, program) = with_program(test).await;
        let lamp = door.shop.add_product(NewProduct::simple("Lamp", 10_000));
        let mug = door.shop.add_product(NewProduct::simple("Mug", 1_000));
        let buy = |customer, product: &devshop::Product| {
            let cart = door.shop.new_cart(NewCart::of(customer)).unwrap().token;
            door.shop.add_to_cart(&cart, product.variants[0].id, 1).unwrap();
            door.shop.place_order(&cart, PlaceOptions::default()).unwrap()
        };
        let [ada, ben] = ["Ada", "Ben"].map(|name| door.shop.add_customer(name, "B", "a@example.com").id);
        let old = buy(ada, &lamp);
        door.advance(SignedDuration::from_hours(24 * 40));
        let dear = buy(ada, &lamp);
        buy(ben, &mug);
        let back = buy(ben, &lamp);
        let whole = RefundRequest { lines: vec![(back.lines[0].id, 1)], ..RefundRequest::default() };
        door.shop.refund(back.id, &whole).unwrap();
        for order in door.shop.webhooks().events().into_iter().filter(|event| event.topic.contains('/')) {
            if order.topic.starts_with("orders/") || order.topic.starts_with("refunds/") {
                let id = format!("{}-{}", order.topic, order.payload["id"]);
                door.webhook(&id, &order.topic, door.now(), &order.payload).await;
            }
        }

        let mut proposed = program.clone();
        proposed["earn"]["multipliers"] =
            json!([{"id": "lamps", "of": {"products": [lamp.id]}, "factor": 30_000}]);
        proposed["earn"]["day_cap"] = json!(250);
        let try_out = async |days: i64, program: &Value| {
            let body = json!({"program": program, "days": days});
            ask(&door, Method::POST, "/api/program/preview", None, &body).await
        };
        let tried = try_out(30, &proposed).await.json();
        let number = |name: &str| tried[name].as_i64().unwrap();
        assert_eq!((number("orders"), number("points_now"), number("points_then")), (3, 110, 260));
        assert_eq!((number("members_affected"), number("left_out")), (1, 0));
        assert_eq!(
            tried["biggest"],
            json!([{"order": dear.id, "customer": ada, "now": 100, "then": 250}]),
            "what came back stays back, and the day is capped"
        );
        assert_eq!((&tried["complete"], &tried["unread"]), (&json!(true), &json!([])));
        let both = try_out(60, &proposed).await.json();
        assert_eq!((&both["orders"], &both["biggest"][0]["order"]), (&json!(4), &json!(old.id)));
        let same = try_out(60, &program).await.json();
        assert_eq!((&same["points_now"], &same["biggest"]), (&same["points_then"], &json!([])));
        let mut for_all = program.clone();
        for_all["campaigns"] = json!([{"id": "always", "name": "Always", "from": "2026-01-01T00:00",
                                       "until": "2027-12-31T00:00", "earn_factor": 20_000}]);
        let doubled = try_out(60, &for_all).await.json();
        assert_eq!(doubled["points_then"].as_i64(), same["points_now"].as_i64().map(|points| 2 * points));
        proposed["earn"]["multipliers"][0]["of"] = json!({"tags": ["Sale"], });
        assert_eq!(try_out(60, &proposed).await.json()["unread"], json!(["tag:sale"]));
        for days in [0, 366] {
            assert_eq!(try_out(days, &program).await.problem(), (400, "bad_parameter".to_owned()));
        }
        assert_eq!(shown(&door).await["version"], 1, "nothing is written");
    });
}

#[test]
fn new_settings_are_published_and_their_collections_read() {
    on_both_engines(async |test| {
        let (door, mut program) = with_program(test).await;
        let mug = door.shop.add_product(NewProduct::simple("Mug", 1_000));
        door.shop.set_collection(7, &[mug.id]);
        program["earn"]["multipliers"] = json!([{"id": "c", "of": {"collections": [7]}, "factor": 20_000}]);
        program["tiers"] = json!([{"id": "gold", "name": "Gold", "earn_factor": 15_000}]);
        put(&door, "\"1\"", &program).await.json();
        run_tasks(&door).await;
        let ui = door.shop.metafield(&devshop::shop_gid(), "$app", "program_ui").unwrap();
        let ui: Value = serde_json::from_str(&ui.value).unwrap();
        assert_eq!((&ui["version"], &ui["earn"]["multipliers"][0]["id"]), (&json!(2), &json!("c")));
        assert_eq!(
            ui["boosts"],
            json!([{"source": "tier", "id": "gold", "factor": 15_000, "tiers": ["gold"]}])
        );
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        let mut read = test.db.read(shop.id).await.unwrap();
        let shelved: Vec<(i64, String)> =
            db!(read.all, "select product_id, shelf from products_shelved where shop_id = $1", shop.id)
                .unwrap();
        assert_eq!(shelved, [(i64::try_from(mug.id).unwrap(), "collection:7".to_owned())]);
        assert_eq!(programs::current(&mut read, shop.id).await.unwrap().version, 2);
        drop(read);

        // A rule that names nothing any more: the next look of the day forgets the shelf.
        put(&door, "\"2\"", &{
            let mut none = program.clone();
            none["earn"].as_object_mut().unwrap().remove("multipliers");
            none
        })
        .await
        .json();
        door.advance(SignedDuration::from_hours(24));
        door.app.tasks.tick().await.unwrap();
        run_tasks(&door).await;
        let mut read = test.db.read(shop.id).await.unwrap();
        let (left,): (i64,) =
            db!(read.one, "select count(*) from products_shelves where shop_id = $1", shop.id).unwrap();
        assert_eq!(left, 0);
    });
}

#[test]
fn an_order_is_explained_to_staff_and_to_whom_it_belongs() {
    on_both_engines(async |test| {
        let (door, mut program) = with_program(test).await;
        let lamp = door.shop.add_product(NewProduct::simple("Lamp", 10_000));
        program["earn"]["multipliers"] = json!([
            {"id": "lamps", "of": {"products": [lamp.id]}, "factor": 15_000},
            {"id": "mugs", "of": {"products": [1]}, "factor": 20_000},
        ]);
        program["earn"]["order_cap"] = json!(140);
        program["tiers"] = json!([{"id": "gold", "name": "Gold", "earn_factor": 20_000}]);
        program["campaigns"] = json!([{"id": "secret", "name": "Secret", "from": "2027-06-01T00:00",
                                       "until": "2027-06-02T00:00", "earn_factor": 20_000}]);
        put(&door, "\"1\"", &program).await.json();
        let [ada, ben] = ["Ada", "Ben"].map(|name| door.shop.add_customer(name, "B", "a@example.com").id);
        let cart = door.shop.new_cart(NewCart::of(ada)).unwrap().token;
        door.shop.add_to_cart(&cart, lamp.variants[0].id, 1).unwrap();
        let order =
            door.shop.place_order(&cart, PlaceOptions { tip: 500, ..PlaceOptions::default() }).unwrap();
        let told = door.shop.webhooks().events();
        let told = told.iter().find(|event| event.topic == "orders/create").unwrap();
        door.webhook("created", "orders/create", door.now(), &told.payload).await;

        let path = format!("/api/orders/{}/explain", order.id);
        let explained = door.staff(42, Method::GET, &format!("{path}?lang=de"), &Value::Null).await.json();
        assert_eq!(explained["customer"], ada);
        let booked = &explained["booked"];
        assert_eq!((&booked["program_version"], &booked["posted"]), (&json!(2), &json!(140)));
        assert_eq!(
            (&booked["before_caps"], &booked["earned"], &booked["stands"]),
            (&json!(150), &json!(140), &json!(140))
        );
        assert_eq!(booked["caps"], json!([{"cap": "order", "points": 140, "met": true}]));
        let lines = booked["lines"].as_array().unwrap();
        let outcomes: Vec<_> =
            lines[0]["multipliers"].as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
        assert_eq!(outcomes, ["gave", "other_products", "other_tier", "not_begun"]);
        assert_eq!((&lines[1]["left_out"], &lines[2]["left_out"]), (&json!("tip"), &json!("delivery")));
        let sum: i64 = lines.iter().map(|line| line["earned"].as_i64().unwrap()).sum();
        assert_eq!(sum, 140);
        assert_eq!(explained["language"], "de");
        assert!(explained["text"][0].as_str().unwrap().starts_with("Ein Artikel: "), "{explained}");
        assert!(explained["text"][1].as_str().unwrap().contains("„lamps“ (× 1.5) galt."), "{explained}");
        // Once the app knows what the product is called, so do the sentences.
        door.shop.update_product(lamp.id, |lamp| lamp.title = "Desk lamp".into()).unwrap();
        let told = door.shop.webhooks().events();
        let told = told.iter().find(|event| event.topic == "products/update").unwrap();
        door.webhook("lamp", "products/update", door.now(), &told.payload).await;
        let explained = door.staff(42, Method::GET, &path, &Value::Null).await.json();
        assert!(explained["text"][0].as_str().unwrap().starts_with("Desk lamp: "), "{explained}");

        // What is set later explains nothing of what came before; what comes back does.
        let plain = json!({"points": 1, "per": 100});
        program["earn"] = plain;
        put(&door, "\"2\"", &program).await.json();
        let back = RefundRequest { lines: vec![(order.lines[0].id, 1)], ..RefundRequest::default() };
        door.shop.refund(order.id, &back).unwrap();
        let told = door.shop.webhooks().events();
        let told = told.iter().find(|event| event.topic == "refunds/create").unwrap();
        door.webhook("refunded", "refunds/create", door.now(), &told.payload).await;
        let explained = door.staff(42, Method::GET, &path, &Value::Null).await.json();
        let booked = &explained["booked"];
        assert_eq!(
            (&booked["program_version"], &booked["earned"], &booked["stands"]),
            (&json!(2), &json!(140), &json!(0))
        );
        assert_eq!(booked["returned"][0]["quantity"], 1);

        let shopper = async |customer: Option<u64>, order: &str| {
            let query = door.shop.signed_proxy_query(customer, &[]);
            let request = Request::get(format!("/proxy/orders/{order}/explain?{query}"));
            door.send(request.body(Body::empty()).unwrap()).await
        };
        let id = order.id.to_string();
        let own = shopper(Some(ada), &id).await.json();
        assert_eq!((&own["booked"]["earned"], own.get("customer")), (&json!(140), None));
        let multipliers = own["booked"]["lines"][0]["multipliers"].as_array().unwrap();
        assert_eq!(multipliers.len(), 3, "nobody is told what the shop plans: {own}");
        for (customer, order) in [(Some(ben), id.as_str()), (Some(ada), "7"), (Some(ada), "x")] {
            assert_eq!(shopper(customer, order).await.problem(), (404, "unknown_order".to_owned()));
        }
        assert_eq!(shopper(None, &id).await.problem(), (401, "not_signed_in".to_owned()));
        assert_eq!(shopper(Some(ada), "%80").await.problem(), (400, "bad_path".to_owned()));
        for (path, code) in
            [("/api/orders/7/explain", "unknown_order"), ("/api/orders/x/explain", "unknown_order")]
        {
            let answered = door.staff(42, Method::GET, path, &Value::Null).await;
            assert_eq!(answered.problem(), (404, code.to_owned()));
        }
        let refund_alone = json!({"id": 5, "order_id": 77, "refund_line_items": []});
        door.webhook("alone", "refunds/create", door.now(), &refund_alone).await;
        let alone = door.staff(42, Method::GET, "/api/orders/77/explain", &Value::Null).await.json();
        assert_eq!((&alone["not_booked"], alone.get("booked")), (&json!("only_refunded"), None));
    });
}
