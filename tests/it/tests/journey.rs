//! The main job, end to end: a reward picked, the checkout discounted by the real Function from the metafield, the
//! order booked from its webhook, the new balance back in the metafield.

use devshop::{AdminFault, AdminFaultKind, RefundRequest, Switches, WebhookFaults};
use loyalnest::db;
use loyalnest::redemptions::command::RedemptionCommand;
use loyalty::Currency;
use loyalty::reward::Benefit;
use serde_json::{Value, json};

use crate::support::house::House;
use crate::support::{TestDb, on_both_engines, on_engine};

/// What the points took off, in minor units of the customer's currency.
fn discount(quote: &devshop::Quote) -> i64 {
    quote.discounts.iter().map(|discount| discount.total.presentment).sum()
}

/// Units of an order's first line.
fn units(order: &devshop::Order, units: u32) -> RefundRequest {
    RefundRequest { lines: vec![(order.lines[0].id, units)], ..RefundRequest::default() }
}

#[test]
fn points_are_picked_spent_earned_and_given_back() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        assert_eq!(house.account(ada), json!({"v": 1, "seq": 1, "points": 800, "pending": 0}));

        let mark = house.mark(ada, "points", Some(500)).await;
        let shown = house.account(ada);
        assert_eq!((&shown["points"], &shown["hold"]["points"]), (&json!(300), &json!(500)));

        let cart = house.cart(ada, 2, Some(&mark));
        let quote = house.quote(&cart);
        assert_eq!(discount(&quote), 500, "{:?}", quote.runs);
        assert!(quote.runs.iter().all(|run| run.error.is_none()), "{:?}", quote.runs);
        let order = house.place(&cart);
        house.settle().await;
        // 20.00 less 5.00 were paid.
        assert_eq!(house.points(ada).await, (315, 0, 0));
        assert_eq!(house.account(ada)["points"], 315);
        assert!(house.account(ada).get("hold").is_none());
        house.is_sound().await;

        let all = units(&order, 2);
        house.shop.refund(order.id, &all).unwrap();
        house.settle().await;
        assert_eq!(house.points(ada).await, (800, 0, 0));
        assert_eq!(house.account(ada)["points"], 800);
        house.is_sound().await;

        let (status, history) = house.ask("GET", "/history", Some(ada), None).await;
        assert_eq!(status, 200);
        let kinds: Vec<&str> =
            history.as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["reverse", "return", "earn", "capture", "hold", "earn"]);
    });
}

#[test]
fn every_kind_of_reward_takes_off_what_it_says() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        for (reward, points, off, cost) in
            [("five-off", None, 500, 450), ("tenth-off", None, 300, 900), ("free-delivery", None, 495, 300)]
        {
            let ada = house.customer(100).await;
            let mark = house.mark(ada, reward, points).await;
            let cart = house.cart(ada, 3, Some(&mark));
            assert_eq!(discount(&house.quote(&cart)), off, "{reward}");
            house.place(&cart);
            house.settle().await;
            let earned = if reward == "free-delivery" { 30 } else { (3_000 - off) / 100 };
            assert_eq!(house.points(ada).await, (1_000 - cost + earned, 0, 0), "{reward}");
            assert_eq!(house.pick(ada, "points", Some(100)).await.0, 200, "{reward}: nobody is blamed");
        }
        house.is_sound().await;
    });
}

#[test]
fn gift_cards_are_neither_discounted_nor_do_they_earn() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(100).await;
        let mark = house.mark(ada, "points", Some(1_000)).await;
        let cart = house.cart(ada, 1, Some(&mark));
        house.shop.add_to_cart(&cart, house.card, 2).unwrap();
        assert_eq!(discount(&house.quote(&cart)), 1_000, "the mug, and not the cards");
        house.place(&cart);
        house.settle().await;
        assert_eq!(house.points(ada).await, (0, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn the_same_holds_under_every_behaviour_that_is_not_known() {
    on_engine(db::Engine::Sqlite, async |test| {
        let house = House::open(test).await;
        for switches in Switches::all_combinations_that_matter() {
            house.shop.set_switches(Switches::default());
            let ada = house.customer(80).await;
            house.shop.set_switches(switches);
            let mark = house.mark(ada, "points", Some(500)).await;
            let cart = house.cart(ada, 2, Some(&mark));
            let off = discount(&house.quote(&cart));
            // A metafield that lags means no discount yet; the points are safe all the same.
            assert!(
                off == 500 || off == 0 && switches.metafield_freshness.lag().as_secs() > 0,
                "{switches:?}: {off}"
            );
            house.place(&cart);
            house.settle().await;
            let held = if off == 0 { 500 } else { 0 };
            assert_eq!(house.points(ada).await, (800 - 500 + (2_000 - off) / 100, 0, held), "{switches:?}");
            house.is_sound().await;
        }
    });
}

#[test]
fn webhooks_may_come_twice_late_and_in_any_order() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        house.shop.webhooks().set_faults(WebhookFaults::all());
        for _ in 0..6 {
            let mark = house.mark(ada, "points", Some(100)).await;
            let cart = house.cart(ada, 2, Some(&mark));
            let order = house.place(&cart);
            house.shop.refund(order.id, &units(&order, 1)).unwrap();
            house.shop.cancel(order.id, "customer").unwrap();
            house.settle().await;
        }
        assert_eq!(house.points(ada).await, (800, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn an_admin_api_that_fails_delays_a_pick_and_loses_nothing() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        for kind in [AdminFaultKind::Status(503), AdminFaultKind::Throttled, AdminFaultKind::Timeout] {
            house.shop.fail_admin(std::iter::repeat_n(AdminFault::before(kind), 40));
            let (status, redemption) = house.pick(ada, "points", Some(300)).await;
            assert_eq!((status, &redemption["state"]), (202, &json!("opening")), "{kind:?}: {redemption}");
            assert!(redemption.get("mark").is_none(), "no mark before the checkout knows");
            house.shop.heal_admin();
            house.settle().await;
            let (_, account) = house.ask("GET", "/account", Some(ada), None).await;
            assert_eq!(account["redemption"]["state"], "live", "{kind:?}: {account}");
            let mark = account["redemption"]["mark"].as_str().unwrap().to_owned();
            assert_eq!(discount(&house.quote(&house.cart(ada, 2, Some(&mark)))), 300);
            let id = redemption["id"].as_str().unwrap();
            let (status, _) = house.ask("DELETE", &format!("/redemptions/{id}"), Some(ada), None).await;
            assert_eq!(status, 200);
        }
        house.settle().await;
        house.is_sound().await;
    });
}

#[test]
fn a_pick_that_cannot_be_is_told_with_its_code() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let (ada, new) = (house.customer(10).await, house.customer(0).await);
        let ask = async |customer: Option<u64>, body: Value| {
            let (status, problem) = house.ask("POST", "/redemptions", customer, Some(body)).await;
            (status, problem["code"].as_str().unwrap_or_default().to_owned())
        };
        let pick =
            |reward: &str, points: Value| json!({"reward": reward, "points": points, "currency": "GBP"});
        let told = |status: u16, code: &str| (status, code.to_owned());
        assert_eq!(ask(None, pick("points", json!(100))).await, told(401, "not_signed_in"));
        assert_eq!(ask(Some(new), pick("points", json!(100))).await, told(422, "insufficient_points"));
        assert_eq!(ask(Some(ada), pick("points", json!(200))).await, told(422, "insufficient_points"));
        assert_eq!(ask(Some(ada), pick("points", json!(50))).await, told(422, "wrong_points"));
        assert_eq!(ask(Some(ada), pick("points", json!(0))).await, told(422, "wrong_points"));
        assert_eq!(ask(Some(ada), pick("points", json!(-100))).await, told(422, "wrong_points"));
        assert_eq!(ask(Some(ada), pick("points", json!(1e300))).await, told(400, "bad_body"));
        assert_eq!(
            ask(Some(ada), pick("points", json!(9_007_199_254_740_992_i64))).await,
            told(400, "bad_body")
        );
        assert_eq!(ask(Some(ada), pick("nothing", Value::Null)).await, told(404, "unknown_reward"));
        let yen = json!({"reward": "points", "currency": "JPY"});
        assert_eq!(ask(Some(ada), yen).await, told(422, "not_offered_in_currency"));
        assert_eq!(ask(Some(ada), json!({"reward": "points"})).await, told(400, "bad_body"));
        assert_eq!(ask(Some(ada), json!([1])).await, told(400, "bad_body"));
        let (status, problem) = house.ask("DELETE", "/redemptions/7", Some(ada), None).await;
        assert_eq!((status, &problem["code"]), (404, &json!("unknown_redemption")));
        assert_eq!(house.points(ada).await, (100, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn a_mark_of_someone_else_gives_no_discount() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let (ada, eve) = (house.customer(80).await, house.customer(80).await);
        let mark = house.mark(ada, "points", Some(500)).await;
        let cart = house.cart(eve, 2, Some(&mark));
        assert_eq!(discount(&house.quote(&cart)), 0);
        house.place(&cart);
        let (id, _) = mark.split_once('.').unwrap();
        let (status, problem) = house.ask("DELETE", &format!("/redemptions/{id}"), Some(eve), None).await;
        assert_eq!((status, &problem["code"]), (404, &json!("unknown_redemption")));
        house.settle().await;
        assert_eq!(house.points(ada).await, (300, 0, 500));
        assert_eq!(house.points(eve).await, (820, 0, 0));
        house.is_sound().await;
    });
}

#[test]
fn a_malformed_account_means_no_discount_and_is_mended_by_the_next_change() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let mark = house.mark(ada, "points", Some(500)).await;
        let owner = format!("gid://shopify/Customer/{ada}");
        let cart = house.cart(ada, 2, Some(&mark));
        for bad in
            ["{}", "[]", "7", "null", r#"{"v":2}"#, r#"{"v":1,"hold":{"id":"x"}}"#, r#"{"v":1,"hold":[]}"#]
        {
            house.shop.put_metafield(&owner, "$app", "account", bad);
            let quote = house.quote(&cart);
            assert_eq!(discount(&quote), 0, "{bad}");
            assert!(quote.runs.iter().all(|run| run.error.is_none()), "{bad}: {:?}", quote.runs);
        }
        // Somebody wrote past us: the next write sees that it is stale, reads, and writes the ledger's truth.
        house.mark(ada, "points", Some(300)).await;
        assert_eq!(house.account(ada)["points"], 500);
        house.is_sound().await;
    });
}

#[test]
fn a_customer_who_is_gone_is_not_written_to_again() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let (ada, bob) = (house.customer(10).await, house.customer(10).await);
        house.shop.webhooks().pause();
        let carts = [house.cart(ada, 3, None), house.cart(bob, 3, None)];
        carts.iter().for_each(|cart| drop(house.place(cart)));
        house.shop.delete_customer(ada);
        house.shop.webhooks().resume();
        house.settle().await;
        assert_eq!(house.account(bob)["points"], 130, "the others of a batch are written");
        let mut read = house.app.db.read_across().await.unwrap();
        let (gone,): (i64,) = db!(read.one, "select count(*) from sync_accounts where gone").unwrap();
        assert_eq!(gone, 1);
    });
}

/// Runs on PostgreSQL, where many transactions are really under way at once.
fn on_postgres(scenario: impl AsyncFn(&TestDb)) {
    on_engine(db::Engine::Postgres, scenario);
}

#[test]
fn two_hundred_picks_at_once_leave_one_live_hold() {
    on_postgres(async |test| {
        // They take turns: on a busy machine the last one's may come late.
        let patient = [("LOYALNEST_WEB__REQUEST_TIMEOUT", "5m"), ("LOYALNEST_WEB__CUSTOMER_BURST", "200")];
        let house = std::sync::Arc::new(House::with(test, Switches::default(), &patient).await);
        let ada = house.customer(500).await;
        let mut picks = tokio::task::JoinSet::new();
        for n in 0..200_i64 {
            let house = house.clone();
            picks.spawn(async move { house.pick(ada, "points", Some(100 + n % 40 * 100)).await });
        }
        let mut answers = std::collections::BTreeMap::new();
        while let Some(answer) = picks.join_next().await {
            let (status, body) = answer.unwrap();
            assert!(matches!(status, 200 | 202 | 409), "{status} {body}");
            *answers.entry(status).or_insert(0) += 1;
        }
        assert!(answers.contains_key(&200), "{answers:?}");
        house.settle().await;
        let mut read = house.app.db.read_across().await.unwrap();
        let held: Vec<(String, i64)> = db!(
            read.all,
            "select state, count(*) from redemptions_holds where state in ('opening', 'live', 'closing')
             group by state"
        )
        .unwrap();
        assert_eq!(held, [("live".to_owned(), 1)]);
        let (available, _, pinned) = house.points(ada).await;
        assert_eq!(available + pinned, 5_000);
        assert_eq!(house.account(ada)["hold"]["points"], pinned);
        house.is_sound().await;
    });
}

#[test]
fn fifty_checkouts_with_one_hold_capture_it_once_and_flag_the_rest() {
    on_postgres(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(100).await;
        let mark = house.mark(ada, "points", Some(700)).await;
        let carts: Vec<String> = (0..50).map(|_| house.cart(ada, 2, Some(&mark))).collect();
        // Every device sees the discount before the first order is told.
        let quotes: Vec<_> = carts.iter().map(|cart| house.quote(cart)).collect();
        assert!(quotes.iter().all(|quote| discount(quote) == 700));
        house.shop.webhooks().pause();
        for quote in quotes {
            house.shop.place_quoted(quote, devshop::PlaceOptions::default()).unwrap();
        }
        house.shop.webhooks().resume();
        house.settle().await;
        let mut read = house.app.db.read_across().await.unwrap();
        let (used, captured, debited, unbacked, captures, flagged): (i64, i64, i64, i64, i64, i64) = db!(
            read.one,
            "select cast(sum(used_minor) as bigint), cast(sum(captured_minor) as bigint),
                    cast(sum(debited_minor) as bigint), cast(sum(unbacked_minor) as bigint),
                    cast(sum(case when captured_minor > 0 then 1 else 0 end) as bigint),
                    cast(sum(case when flagged then 1 else 0 end) as bigint)
             from redemptions_uses"
        )
        .unwrap();
        assert_eq!((used, captured, captures, flagged), (50 * 700, 700, 1, 49));
        assert_eq!(used, captured + debited + unbacked);
        assert!(debited > 0 && unbacked > 0, "{debited} {unbacked}");
        let (status, problem) = house.pick(ada, "points", Some(100)).await;
        assert_eq!((status, &problem["code"]), (409, &json!("under_review")));
        house.is_sound().await;
        // The merchant finds the orders by their tag.
        let tagged = || house.shop.orders().iter().filter(|order| !order.tags.is_empty()).count();
        let all_tagged = async {
            while tagged() < 49 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), all_tagged)
            .await
            .expect("orders are tagged");
        assert_eq!(tagged(), 49);
        // Once all are reviewed, the member picks again; a review is closed once.
        let shop = || house.shop.settings().domain.clone();
        for (at, order) in house.shop.orders().iter().filter(|order| !order.tags.is_empty()).enumerate() {
            let order = order.id as i64;
            redemption(&house, RedemptionCommand::Reviewed { order, shop: shop() }).await.unwrap();
            assert!(redemption(&house, RedemptionCommand::Reviewed { order, shop: shop() }).await.is_err());
            let (status, _) = house.pick(ada, "points", Some(100)).await;
            assert_eq!(status == 409, at < 48, "{at}");
        }
        redemption(&house, RedemptionCommand::Flagged { shop: shop() }).await.unwrap();
    });
}

#[test]
fn rewards_are_spent_in_currencies_without_and_with_three_decimals() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let amounts =
            [("GBP", 500), ("JPY", 900), ("KWD", 2_000)].map(|(code, minor)| (currency(code), minor));
        house
            .set_program(|program| program.rewards[1].benefit = Benefit::Amount { value: amounts.into() })
            .await;
        for (code, off) in [("JPY", 900), ("KWD", 2_000)] {
            let ada = house.customer(80).await;
            let body = json!({"reward": "five-off", "currency": code});
            let (status, picked) = house.ask("POST", "/redemptions", Some(ada), Some(body)).await;
            assert_eq!((status, &picked["value"]), (200, &json!(off)), "{picked}");
            let cart = house.cart(ada, 3, picked["mark"].as_str());
            house.shop.change_cart(&cart, |cart| cart.currency = code.parse().unwrap()).unwrap();
            assert_eq!(discount(&house.quote(&cart)), off, "{code}");
            house.place(&cart);
            house.settle().await;
            let (available, _, held) = house.points(ada).await;
            // 30 pounds less what came off, converted by the shop.
            let earned = available - 800 + 450;
            assert!(held == 0 && (24..=26).contains(&earned), "{code}: {available} {held}");
            // A cart in another currency than the hold's gets nothing.
            let mark = house.mark(ada, "points", Some(100)).await;
            let cart = house.cart(ada, 3, Some(&mark));
            house.shop.change_cart(&cart, |cart| cart.currency = code.parse().unwrap()).unwrap();
            assert_eq!(discount(&house.quote(&cart)), 0, "{code}");
        }
        house.is_sound().await;
    });
}

async fn redemption(house: &House, command: RedemptionCommand) -> Result<(), loyalnest::error::Error> {
    loyalnest::redemptions::command::run(&house.app, command).await
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

#[test]
fn a_mark_in_the_order_s_metafield_is_found_by_asking() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let mark = house.mark(ada, "points", Some(500)).await;
        let cart = house.cart(ada, 2, None);
        let (hold, attempt) = mark.split_once('.').unwrap();
        let claim = json!({"v": 1, "hold": hold, "attempt": attempt.parse::<u32>().unwrap()}).to_string();
        house.shop.set_cart_metafield(&cart, "redemption", Some(&claim)).unwrap();
        let quote = house.quote(&cart);
        assert_eq!(discount(&quote), 500);
        // The member picks anew before the order is told: without the metafield the newer hold would be captured.
        house.shop.webhooks().pause();
        house.shop.place_quoted(quote, devshop::PlaceOptions::default()).unwrap();
        let newer = house.mark(ada, "points", Some(200)).await;
        house.shop.fail_admin([AdminFault::before(AdminFaultKind::Status(500))]);
        house.shop.webhooks().resume();
        house.settle().await;
        let (_, account) = house.ask("GET", "/account", Some(ada), None).await;
        assert_eq!(account["redemption"]["mark"], json!(newer), "the newer hold stands: {account}");
        // 800 less 500 for the order and 200 held; 15 earned.
        assert_eq!(house.points(ada).await, (115, 0, 200));
        house.is_sound().await;
    });
}

#[test]
fn a_mark_of_someone_else_among_the_attributes_spares_nobody_their_own_points() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let (ada, eve) = (house.customer(80).await, house.customer(80).await);
        let strangers = house.mark(eve, "points", Some(100)).await;
        let mark = house.mark(ada, "points", Some(500)).await;
        let cart = house.cart(ada, 2, Some(&strangers));
        let (hold, _) = mark.split_once('.').unwrap();
        let claim = json!({"v": 1, "hold": hold, "attempt": 1}).to_string();
        house.shop.set_cart_metafield(&cart, "redemption", Some(&claim)).unwrap();
        assert_eq!(discount(&house.quote(&cart)), 500);
        house.place(&cart);
        house.settle().await;
        assert_eq!(house.points(ada).await, (315, 0, 0));
        assert_eq!(house.points(eve).await, (700, 0, 100));
        let (_, account) = house.ask("GET", "/account", Some(ada), None).await;
        assert_eq!(account["redemption"], json!(null), "it is captured, and can be used no more");
        assert_eq!(discount(&house.quote(&house.cart(ada, 2, Some(&mark)))), 0);
        house.is_sound().await;
    });
}

#[test]
fn a_stale_mark_among_the_attributes_does_not_hide_the_one_in_the_metafield() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(80).await;
        let stale = house.mark(ada, "points", Some(100)).await;
        house.place(&house.cart(ada, 2, Some(&stale)));
        house.settle().await;
        let mark = house.mark(ada, "points", Some(500)).await;
        let cart = house.cart(ada, 2, Some(&stale));
        let (hold, _) = mark.split_once('.').unwrap();
        let claim = json!({"v": 1, "hold": hold, "attempt": 1}).to_string();
        house.shop.set_cart_metafield(&cart, "redemption", Some(&claim)).unwrap();
        assert_eq!(discount(&house.quote(&cart)), 500, "the checkout takes either mark");
        house.place(&cart);
        house.settle().await;
        // 800 less 100, and 19 earned; less 500, and 15 earned.
        assert_eq!(house.points(ada).await, (800 - 100 + 19 - 500 + 15, 0, 0));
        let (status, _) = house.pick(ada, "points", Some(100)).await;
        assert_eq!(status, 200, "nobody is blamed");
        house.is_sound().await;
    });
}
