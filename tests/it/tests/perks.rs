//! Tiers and campaigns, end to end: staff say who belongs to a tier, the metafield says so, and the real Function gives
//! what the program says, beside what points buy.

use axum::http::{Method, StatusCode};
use devshop::{Channel, NewCart, NewProduct, Quote, Settings, Surface};
use jiff::SignedDuration;
use loyalnest::activation::{Again, stand};
use loyalnest::audit::{Actor, By};
use loyalnest::programs;
use loyalty::multiplier::Factor;
use loyalty::tier::Selection;
use loyalty::{Campaign, LocalTime, Perk, Tier};
use serde_json::{Value, json};

use crate::support::house::House;
use crate::support::on_both_engines;

fn tier(id: &str, name: &str, perks: Vec<Perk>) -> Tier {
    Tier { id: id.into(), name: name.into(), threshold: None, earn_factor: Factor::ONE, perks }
}

fn lines(basis_points: i64, of: Selection) -> Perk {
    Perk::Lines { basis_points, of }
}

/// A program with a tier in a script that is written from right to left, and what must stand for it.
async fn with_perks(house: &House, perks: Vec<Perk>, campaigns: Vec<Campaign>) {
    house
        .set_program(|program| {
            program.tiers = vec![tier("gold", "ذهبي", perks)];
            program.campaigns = campaigns;
        })
        .await;
    let shop = house.app.shops.find(house.shop_id).await.unwrap().unwrap();
    // The worker may be at it, too.
    for _ in 0..2_400 {
        if let Ok(things) = stand(&house.app, &shop, Again::Made, &By::from(Actor::System)).await {
            let codes: Vec<_> =
                things.iter().map(|thing| (thing.kind.as_str(), thing.code.as_str())).collect();
            assert_eq!(codes, [("program", "ok"), ("points", "ok"), ("perks", "ok"), ("mark", "ok")]);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("activation is busy for two minutes");
}

/// What staff say of a tier, and what they are told.
async fn put_tier(house: &House, customer: &str, tier: Value) -> (u16, Value) {
    let url = format!("{}/api/members/{customer}/tier", house.url);
    let token = house.shop.session_token(Surface::Admin(42));
    let answer = house.http.put(url).bearer_auth(token).json(&json!({"tier": tier})).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn gold(house: &House, customer: u64) {
    assert_eq!(
        put_tier(house, &customer.to_string(), json!("gold")).await,
        (200, json!({"tier": "gold", "name": "ذهبي"}))
    );
    house.settle().await;
    assert_eq!(house.account(customer)["tier"], "gold");
}

/// Each discount's message, and what it takes off.
fn given(quote: &Quote) -> Vec<(&str, i64)> {
    assert!(quote.runs.iter().all(|run| run.error.is_none()), "{:?}", quote.runs);
    let mut all: Vec<_> = (quote.discounts.iter())
        .map(|discount| (discount.message.as_deref().unwrap(), discount.total.presentment))
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn a_member_of_a_tier_gets_the_best_perk_of_each_line_and_points_still_buy_what_they_buy() {
    on_both_engines(async |test| {
        let house = House::with_staff(test, Settings::default()).await;
        let ada = house.customer(80).await;
        let shoes = NewProduct { collections: vec![7], ..NewProduct::simple("Shoes", 4000) };
        let shoes = house.shop.add_product(shoes).variants[0].id;
        let hat = house.shop.add_product(NewProduct::simple("Hat", 2000)).variants[0].id;
        let collection = Selection::Collections(["gid://shopify/Collection/7".to_owned()].into());
        let perks = vec![
            lines(500, Selection::All),
            lines(2_500, collection),
            lines(1_000, Selection::Variants(vec![format!("gid://shopify/ProductVariant/{hat}")])),
            Perk::Delivery { basis_points: 10_000 },
        ];
        with_perks(&house, perks, Vec::new()).await;

        let cart = house.cart(ada, 1, None);
        for more in [shoes, hat, house.card] {
            house.shop.add_to_cart(&cart, more, 1).unwrap();
        }
        assert_eq!(given(&house.quote(&cart)), [], "no tier yet");
        gold(&house, ada).await;
        let delivery = house.quote(&cart).shipping.unwrap().option.price.presentment;
        let perks = [("ذهبي", 50), ("ذهبي", 200), ("ذهبي", delivery), ("ذهبي", 1_000)];
        assert_eq!(given(&house.quote(&cart)), perks);

        let mark = house.mark(ada, "points", Some(500)).await;
        house.shop.set_cart_attribute(&cart, "_loyalty", Some(&mark)).unwrap();
        let both = house.quote(&cart);
        assert_eq!(given(&both), [&[("Loyalty points", 500)], &perks[..]].concat());
        house.place(&cart);
        house.settle().await;
        // 95.00 less a gift card of 25.00, 12.50 of perks and 5.00 of points.
        assert_eq!(house.points(ada).await, (800 - 500 + 52, 0, 0), "perks cost no points");
        house.is_sound().await;
    });
}

#[test]
fn perks_need_a_buyer_who_is_known() {
    on_both_engines(async |test| {
        let house = House::with_staff(test, Settings::default()).await;
        let ada = house.customer(1).await;
        with_perks(&house, vec![lines(1_000, Selection::All)], Vec::new()).await;
        gold(&house, ada).await;
        let quote = |new: NewCart| {
            let token = house.shop.new_cart(new).unwrap().token;
            house.shop.add_to_cart(&token, house.mug, 1).unwrap();
            house.quote(&token)
        };
        assert_eq!(given(&quote(NewCart::of(ada))), [("ذهبي", 100)]);
        assert_eq!(given(&quote(NewCart::default())), [], "a guest");
        let till = NewCart { channel: Channel::Pos(3), ..NewCart::of(ada) };
        assert_eq!(given(&quote(till)), [("ذهبي", 100)], "at a till whoever serves them knows them");
        let nobody = NewCart { customer: None, ..till };
        assert_eq!(given(&quote(nobody)), []);
    });
}

#[test]
fn a_campaign_gives_from_its_first_minute_to_before_its_last() {
    on_both_engines(async |test| {
        let house = House::with_staff(test, Settings::default()).await;
        let ada = house.customer(1).await;
        let now = house.app.clock.now();
        let shop = house.app.shops.find(house.shop_id).await.unwrap().unwrap();
        let at = |minutes: i64| -> LocalTime {
            programs::local_time(&shop, now + SignedDuration::from_mins(minutes)).unwrap()
        };
        let campaign = |id: &str, from, until| Campaign {
            id: id.into(),
            name: id.into(),
            from: at(from),
            until: at(until),
            tiers: Vec::new(),
            earn_factor: Factor::ONE,
            perks: vec![lines(2_000, Selection::All)],
        };
        let campaigns = vec![campaign("over", -60, 0), campaign("now", -1, 60), campaign("soon", 60, 120)];
        with_perks(&house, vec![lines(1_000, Selection::All)], campaigns).await;
        assert_eq!(given(&house.quote(&house.cart(ada, 1, None))), [("now", 200)]);
        gold(&house, ada).await;
        assert_eq!(given(&house.quote(&house.cart(ada, 1, None))), [("now", 200)], "the better of the two");
    });
}

#[test]
fn what_staff_say_of_a_tier_is_checked_and_written_down_once() {
    on_both_engines(async |test| {
        let house = House::with_staff(test, Settings::default()).await;
        let ada = house.customer(1).await;
        with_perks(&house, vec![lines(1_000, Selection::All)], Vec::new()).await;
        gold(&house, ada).await;
        gold(&house, ada).await;
        let code = async |customer: &str, tier: Value| {
            let (status, body) = put_tier(&house, customer, tier).await;
            (status, body["code"].as_str().unwrap_or_default().to_owned())
        };
        let own = ada.to_string();
        assert_eq!(code(&own, json!("tin")).await, (422, "unknown_tier".into()));
        assert_eq!(code(&own, json!(7)).await, (400, "bad_body".into()));
        for nobody in ["1", "0", "-1", "x", "99999999999999999999"] {
            assert_eq!(code(nobody, json!("gold")).await, (404, "unknown_member".into()), "{nobody}");
        }
        let log = async || {
            let token = house.shop.session_token(Surface::Admin(42));
            let request =
                house.http.request(Method::GET, format!("{}/api/audit", house.url)).bearer_auth(token);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            let log: Value = answer.json().await.unwrap();
            let entries = log["entries"].as_array().unwrap().clone();
            entries.into_iter().filter(|entry| entry["action"] == "tier.assigned").count()
        };
        assert_eq!(log().await, 1, "the same again is no change");
        assert_eq!(put_tier(&house, &own, Value::Null).await, (200, json!({"tier": null, "name": null})));
        house.settle().await;
        assert_eq!(house.account(ada).get("tier"), None);
        assert_eq!(given(&house.quote(&house.cart(ada, 1, None))), []);
        assert_eq!(log().await, 2);
    });
}

#[test]
fn of_two_who_become_one_the_kept_one_has_the_tier() {
    on_both_engines(async |test| {
        let house = House::with_staff(test, Settings::default()).await;
        let (ada, gone) = (house.customer(1).await, house.customer(1).await);
        with_perks(&house, vec![lines(1_000, Selection::All)], Vec::new()).await;
        gold(&house, gone).await;
        house.shop.merge_customers(ada, gone).unwrap();
        house.settle().await;
        assert_eq!(house.account(ada)["tier"], "gold");
    });
}
