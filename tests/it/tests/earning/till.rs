//! Straight to the ledger, at a time of the test's choice.

use fastrand::Rng;
use jiff::SignedDuration;
use loyalnest::db::Db;
use loyalnest::orders::{self, Incoming};
use loyalnest::{campaigns, points};
use loyalty::expiry::{Rule, Term};
use loyalty::multiplier::{Combine, Factor, Selection};
use loyalty::order::{Until, Wait};
use loyalty::rule::EarnRule;
use loyalty::{Campaign, LocalTime, Points, Tier};
use serde_json::json;

use super::{as_told, multiplier};
use crate::support::on_both_engines;
use crate::support::orders::{Order, delivery_refund, refund};
use crate::support::till::{ADA, BOB, Shop};

/// One point for a pound, but for what is changed.
async fn opened(db: &Db, change: impl FnOnce(&mut EarnRule)) -> Shop<'_> {
    let shop = Shop::open(db).await;
    shop.set_program(|program| change(&mut program.earn)).await;
    shop
}

async fn told(shop: &Shop<'_>, order: &Order) {
    shop.take(vec![shop.order(order)]).await;
}

async fn returned(shop: &Shop<'_>, id: i64, order: i64, lines: &[(i64, i64, &str)]) {
    shop.take(vec![shop.refund(&refund(id, order, lines))]).await;
}

/// Posts what has waited long enough, and says of how many orders.
async fn post_ripe(shop: &Shop<'_>) -> usize {
    orders::jobs::post_ripe(shop.db, shop.id, shop.now).await.unwrap()
}

/// Available, pending.
async fn has(shop: &Shop<'_>, customer: i64) -> (i64, i64) {
    let (available, pending, _) = shop.points(customer).await;
    (available, pending)
}

async fn assign(shop: &Shop<'_>, customer: i64, tier: Option<&str>) {
    let member = shop.member(customer).await;
    let mut tx = shop.db.begin(shop.id).await.unwrap();
    campaigns::assign(&mut tx, shop.id, member, tier, shop.now).await.unwrap();
    tx.commit().await.unwrap();
}

fn at(id: i64, time: &str) -> Order {
    Order { placed_at: time.into(), updated_at: time.into(), ..Order::new(id, ADA) }
}

fn later(order: &Order, change: impl FnOnce(&mut Order)) -> Order {
    let mut order = Order { updated_at: "2026-11-23T11:00:00Z".into(), ..order.clone() };
    change(&mut order);
    order
}

fn points_of(value: i64) -> Option<Points> {
    Points::new(value).ok()
}

fn tier(id: &str, factor: i64) -> Tier {
    Tier { id: id.into(), name: id.into(), threshold: None, earn_factor: Factor(factor), perks: Vec::new() }
}

fn campaign(id: &str, factor: i64, tiers: &[&str]) -> Campaign {
    Campaign {
        id: id.into(),
        name: id.into(),
        from: LocalTime::parse("2026-11-27T00:00").unwrap(),
        until: LocalTime::parse("2026-11-28T00:00").unwrap(),
        tiers: tiers.iter().map(|&tier| tier.into()).collect(),
        earn_factor: Factor(factor),
        perks: Vec::new(),
    }
}

#[test]
fn an_order_and_a_day_of_the_shop_earn_no_more_than_their_caps() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, |earn| {
            earn.order_cap = points_of(80);
            earn.day_cap = points_of(120);
        })
        .await;
        told(&shop, &at(1, "2026-11-22T10:00:00Z")).await;
        assert_eq!(has(&shop, ADA).await.0, 80, "of 100");
        told(&shop, &at(2, "2026-11-22T23:59:59Z")).await;
        assert_eq!(has(&shop, ADA).await.0, 120, "what the day has left");
        told(&shop, &at(3, "2026-11-22T23:59:59Z")).await;
        assert_eq!(has(&shop, ADA).await.0, 120);
        told(&shop, &at(4, "2026-11-23T00:00:00Z")).await;
        assert_eq!(has(&shop, ADA).await.0, 200, "another day");
        shop.is_sound().await;

        // What was let through is fixed: half of the second order leaves 50 of 100, which its 40 lie below.
        returned(&shop, 7, 2, &[(21, 2, "50.00")]).await;
        assert_eq!(has(&shop, ADA).await.0, 200);
        returned(&shop, 8, 2, &[(22, 1, "50.00")]).await;
        assert_eq!(has(&shop, ADA).await.0, 160, "nothing of its 40 is left");
        // Nor does a cap that is lifted later give more to what came before.
        shop.set_program(|program| (program.earn.order_cap, program.earn.day_cap) = (None, None)).await;
        told(&shop, &later(&at(1, "2026-11-22T10:00:00Z"), |_| ())).await;
        assert_eq!(has(&shop, ADA).await.0, 160);
        shop.is_sound().await;
    });
}

#[test]
fn orders_of_one_batch_share_the_day() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, |earn| earn.day_cap = points_of(150)).await;
        shop.take((1..=4).map(|id| shop.order(&at(id, "2026-11-22T10:00:00Z"))).collect()).await;
        assert_eq!(has(&shop, ADA).await, (150, 0));
        shop.is_sound().await;
    });
}

#[test]
fn points_wait_until_the_time_for_returns_is_over_and_are_posted_once() {
    on_both_engines(async |test| {
        let mut shop = opened(&test.db, |earn| earn.wait = Wait { until: Until::Paid, days: 14 }).await;
        let order = at(1, "2026-11-22T10:00:00Z");
        told(&shop, &order).await;
        assert_eq!(has(&shop, ADA).await, (0, 100));
        returned(&shop, 7, 1, &[(11, 1, "25.00")]).await;
        assert_eq!(has(&shop, ADA).await, (0, 75));
        shop.now = "2026-12-06T09:59:59Z".parse().unwrap();
        assert_eq!((post_ripe(&shop).await, has(&shop, ADA).await), (0, (0, 75)));
        shop.now = "2026-12-06T10:00:00Z".parse().unwrap();
        assert_eq!((post_ripe(&shop).await, has(&shop, ADA).await), (1, (75, 0)));
        assert_eq!((post_ripe(&shop).await, has(&shop, ADA).await), (0, (75, 0)), "once");
        told(&shop, &later(&order, |_| ())).await;
        returned(&shop, 8, 1, &[(12, 1, "50.00")]).await;
        assert_eq!(has(&shop, ADA).await, (25, 0), "and what comes back later is taken back");
        shop.is_sound().await;

        // Without a word from the clock: the next webhook finds them ripe as well.
        told(&shop, &Order { customer: Some(102), ..at(2, "2026-11-01T10:00:00Z") }).await;
        assert_eq!(has(&shop, 102).await, (100, 0));
        // One that is called off never ripens.
        let third = Order { customer: Some(103), ..at(3, "2026-12-06T10:00:00Z") };
        told(&shop, &third).await;
        told(&shop, &Order { updated_at: "2026-12-07T10:00:00Z".into(), cancelled: true, ..third }).await;
        shop.now = shop.now + SignedDuration::from_hours(24 * 30);
        assert_eq!((post_ripe(&shop).await, has(&shop, 103).await), (0, (0, 0)));
        shop.is_sound().await;
    });
}

#[test]
fn whoever_posts_what_is_due_at_once_or_dies_on_the_way_posts_it_once() {
    on_both_engines(async |test| {
        let mut shop = opened(&test.db, |earn| earn.wait = Wait { until: Until::Paid, days: 1 }).await;
        for id in 1..=3 {
            told(&shop, &at(id, "2026-11-22T10:00:00Z")).await;
        }
        shop.now = "2026-11-23T10:00:00Z".parse().unwrap();
        let mut dies = test.db.begin(shop.id).await.unwrap();
        let due = points::orders::ripe(&mut dies, shop.id, shop.now, 10).await.unwrap();
        let due = due.into_iter().map(Incoming::Ripe).collect();
        orders::process(&mut dies, shop.id, due, shop.now).await.unwrap();
        drop(dies);
        assert_eq!(has(&shop, ADA).await, (0, 300));
        tokio::join!(post_ripe(&shop), post_ripe(&shop), post_ripe(&shop));
        assert_eq!(has(&shop, ADA).await, (300, 0));
        shop.is_sound().await;
    });
}

#[test]
fn points_expire_from_the_day_on_which_they_can_be_spent() {
    on_both_engines(async |test| {
        let mut shop = opened(&test.db, |earn| earn.wait = Wait { until: Until::Paid, days: 14 }).await;
        let rule = Rule::Term { after: Term::Days(30) };
        shop.set_program(|program| program.expiry.rule = Some(rule)).await;
        told(&shop, &at(1, "2026-11-22T10:00:00Z")).await;
        shop.now = "2026-12-06T10:00:00Z".parse().unwrap();
        post_ripe(&shop).await;
        let next = shop.balance(ADA).await.next.unwrap();
        assert_eq!((next.points.get(), next.at.to_string().as_str()), (100, "2027-01-06T00:00:00Z"));
    });
}

#[test]
fn an_order_that_gets_its_customer_later_is_booked_then() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, |_| ()).await;
        let order = at(1, "2026-11-22T10:00:00Z");
        told(&shop, &Order { customer: None, ..order.clone() }).await;
        returned(&shop, 7, 1, &[(11, 1, "25.00")]).await;
        told(&shop, &later(&order, |_| ())).await;
        assert_eq!(has(&shop, ADA).await, (75, 0));
        shop.is_sound().await;
    });
}

#[test]
fn the_same_refund_told_twice_at_once_takes_back_once() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, |_| ()).await;
        told(&shop, &at(1, "2026-11-22T10:00:00Z")).await;
        let twice = || returned(&shop, 7, 1, &[(11, 1, "25.00")]);
        tokio::join!(twice(), twice(), twice());
        assert_eq!(has(&shop, ADA).await, (75, 0));
        // More than the order, a line that it does not have, and another currency.
        returned(&shop, 8, 1, &[(12, 9, "9000.00"), (99, 1, "10.00")]).await;
        assert_eq!(has(&shop, ADA).await, (25, 0));
        let mut dollars = refund(9, 1, &[(11, 1, "25.00")]);
        dollars["refund_line_items"][0]["subtotal_set"]["shop_money"] =
            json!({"amount": "25.00", "currency_code": "USD"});
        shop.take(vec![shop.refund(&dollars)]).await;
        assert_eq!(has(&shop, ADA).await, (0, 0), "both units are back, whatever they are said to be worth");
        shop.is_sound().await;
    });
}

#[test]
fn an_order_earns_by_the_tier_and_the_campaigns_of_when_it_was_placed_whatever_becomes_of_them() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, |_| ()).await;
        shop.set_program(|program| {
            program.tiers = vec![tier("tin", 10_000), tier("gold", 15_000)];
            program.campaigns = vec![campaign("friday", 20_000, &[]), campaign("gilded", 30_000, &["gold"])];
        })
        .await;
        let earns = async |id, customer, time| {
            told(&shop, &Order { customer: Some(customer), ..at(id, time) }).await;
            has(&shop, customer).await.0
        };
        let (before, friday) = ("2026-11-26T23:59:59Z", "2026-11-27T00:00:00Z");
        assert_eq!(earns(1, ADA, before).await, 100, "of no tier");
        assign(&shop, ADA, Some("gold")).await;
        assert_eq!(earns(2, ADA, before).await, 100 + 150);
        assert_eq!(earns(3, ADA, friday).await, 250 + 300, "the better of both campaigns");
        assert_eq!(earns(4, BOB, friday).await, 200, "one of them is for gold");

        // Neither what the member is later, nor what the program is, changes what was earned.
        assign(&shop, ADA, None).await;
        shop.set_program(|program| (program.tiers, program.campaigns) = (Vec::new(), Vec::new())).await;
        told(&shop, &later(&at(3, friday), |order| order.updated_at = "2026-11-29T00:00:00Z".into())).await;
        assert_eq!(has(&shop, ADA).await.0, 550);
        returned(&shop, 7, 3, &[(31, 1, "25.00")]).await;
        assert_eq!(has(&shop, ADA).await.0, 550 - 75, "a quarter of it, three times");
        returned(&shop, 8, 2, &[(21, 2, "50.00"), (22, 1, "50.00")]).await;
        assert_eq!(has(&shop, ADA).await.0, 475 - 150);
        assert_eq!(earns(5, ADA, friday).await, 325 + 100);
        shop.is_sound().await;
    });
}

#[test]
fn the_days_of_a_campaign_are_the_shops() {
    on_both_engines(async |test| {
        let shop = opened(&test.db, |_| ()).await;
        shop.set_program(|program| program.campaigns = vec![campaign("friday", 20_000, &[])]).await;
        let mut tx = test.db.begin(shop.id).await.unwrap();
        loyalnest::db!(
            tx.execute,
            "insert into merchants_shops (shop_id, domain, name, currency, time_zone, installed_at, updated_at)
             values ($1, $2, 'Far', 'GBP', 'Pacific/Auckland', $3, $3)",
            shop.id,
            "far.myshopify.com",
            shop.now
        )
        .unwrap();
        tx.commit().await.unwrap();
        // There, Friday is from Thursday 11:00 to Friday 11:00, UTC.
        for (id, time, earned) in [
            (1, "2026-11-26T10:59:59Z", 100),
            (2, "2026-11-26T11:00:00Z", 200),
            (3, "2026-11-27T10:59:59Z", 200),
            (4, "2026-11-27T11:00:00Z", 100),
        ] {
            let customer = ADA + id;
            told(&shop, &Order { customer: Some(customer), ..at(id, time) }).await;
            assert_eq!(has(&shop, customer).await.0, earned, "{time}");
        }
    });
}

#[test]
fn a_rule_that_is_deleted_between_earning_and_refund_takes_back_what_it_gave() {
    on_both_engines(async |test| {
        let double = |factor| vec![multiplier("double", Selection::Products(vec![70]), factor)];
        let shop = opened(&test.db, |earn| earn.multipliers = double(30_000)).await;
        let mut body = at(1, "2026-11-22T10:00:00Z").payload();
        body["line_items"][0]["product_id"] = json!(70);
        shop.take(vec![as_told(&body)]).await;
        assert_eq!(has(&shop, ADA).await, (200, 0), "50.00 three times, and 50.00");
        shop.set_program(|program| program.earn.multipliers.clear()).await;
        returned(&shop, 7, 1, &[(11, 1, "25.00")]).await;
        assert_eq!(has(&shop, ADA).await, (125, 0));

        // An edit takes off what came back already: nothing is taken twice.
        body["updated_at"] = json!("2026-11-24T10:00:00Z");
        body["line_items"][0]["current_quantity"] = json!(1);
        shop.take(vec![as_told(&body)]).await;
        assert_eq!(has(&shop, ADA).await, (125, 0));
        body["updated_at"] = json!("2026-11-25T10:00:00Z");
        body["line_items"][0]["current_quantity"] = json!(0);
        shop.take(vec![as_told(&body)]).await;
        assert_eq!(has(&shop, ADA).await, (50, 0), "the edit took the other unit off");
        // Nor is it when the line is not told of at all any more, and its refund comes again.
        body["updated_at"] = json!("2026-11-26T10:00:00Z");
        body["line_items"].as_array_mut().unwrap().remove(0);
        shop.take(vec![as_told(&body)]).await;
        returned(&shop, 7, 1, &[(11, 1, "25.00")]).await;
        assert_eq!(has(&shop, ADA).await, (50, 0));
        shop.is_sound().await;
    });
}

/// Settings of every kind, but without what makes orders of one day depend on each other.
fn any_rule(random: &mut Rng, earn: &mut EarnRule) {
    earn.points = Points::new(random.i64(1..4)).unwrap();
    earn.order_cap = points_of(random.i64(50..200)).filter(|_| random.bool());
    earn.basis.shipping = random.bool();
    earn.combine = if random.bool() { Combine::Best } else { Combine::Multiply };
    let until = if random.bool() { Until::Paid } else { Until::Fulfilled };
    earn.wait = Wait { until, days: random.u16(..3) };
    for id in 0..random.u8(..4) {
        let of = Selection::Products(vec![random.i64(1..4)]);
        earn.multipliers.push(multiplier(&format!("m{id}"), of, random.i64(0..3) * 7_500));
    }
}

#[test]
fn by_whatever_rules_the_end_is_the_same_in_whatever_order_and_number_webhooks_come() {
    on_both_engines(async |test| {
        for seed in 0..10 {
            let mut random = Rng::with_seed(seed);
            let (mut bodies, product) = (Vec::new(), random.i64(1..4));
            for minute in 0..random.u32(2..6) {
                let time = format!("2026-11-22T11:{minute:02}:00Z");
                let status = ["pending", "paid", "voided", "partially_refunded"][random.usize(..4)];
                let order = Order {
                    status,
                    updated_at: time,
                    delivery: Some(("5.00", "1.00")),
                    ..at(1, "2026-11-22T10:00:00Z")
                };
                let mut body = order.payload();
                body["fulfillment_status"] = json!(["fulfilled", "partial"][random.usize(..2)]);
                body["line_items"][0]["product_id"] = json!(product);
                bodies.push(body);
            }
            let refunds = [refund(7, 1, &[(11, random.i64(1..3), "25.00")]), delivery_refund(8, 1, "2.50")];
            let settings = random.fork();
            let mut ends = Vec::new();
            for turn in 0..3 {
                let mut settings = settings.clone();
                let mut shop = opened(&test.db, |earn| any_rule(&mut settings, earn)).await;
                shop.set_program(|program| program.tiers = vec![tier("gold", 15_000)]).await;
                assign(&shop, ADA, Some("gold")).await;
                let mut webhooks: Vec<_> = bodies.iter().map(as_told).collect();
                webhooks.extend(refunds.iter().map(|refund| shop.refund(refund)));
                if turn > 0 {
                    webhooks.push(webhooks[random.usize(..webhooks.len())].clone());
                    random.shuffle(&mut webhooks);
                }
                for webhook in webhooks {
                    shop.take(vec![webhook]).await;
                    shop.is_sound().await;
                }
                shop.now = shop.now + SignedDuration::from_hours(24 * 5);
                post_ripe(&shop).await;
                shop.is_sound().await;
                ends.push(has(&shop, ADA).await);
            }
            assert!(ends.iter().all(|end| *end == ends[0]), "seed {seed}: {ends:?}");
        }
    });
}

#[test]
fn what_an_edit_adds_waits_for_its_payment_whichever_webhook_comes_first() {
    on_both_engines(async |test| {
        let placed = Order::new(1, ADA);
        let edited = later(&placed, |order| {
            order.status = "partially_paid";
            order.lines.push((13, 1, "30.00"));
        });
        let at = |order: &Order, hour: u32| Order {
            updated_at: format!("2026-11-23T{hour}:00:00Z"),
            ..order.clone()
        };
        let told = [placed, edited.clone(), at(&edited, 12)];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let shop = Shop::open(&test.db).await;
            for message in order {
                shop.take(vec![shop.order(&told[message])]).await;
            }
            assert_eq!(shop.points(ADA).await, (100, 0, 0), "{order:?}");
            shop.take(vec![shop.order(&Order { status: "paid", ..at(&edited, 13) })]).await;
            assert_eq!(shop.points(ADA).await, (130, 0, 0), "{order:?}");
            shop.is_sound().await;
        }
    });
}

#[test]
fn what_an_edit_adds_waits_for_its_payment_where_something_came_back_too() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        let placed = Order::new(1, ADA);
        shop.take(vec![shop.order(&placed), shop.refund(&refund(5, 1, &[(11, 1, "25.00")]))]).await;
        assert_eq!(shop.points(ADA).await, (75, 0, 0));
        let told = |hour: u32, outstanding: &str| {
            let mut order = later(&placed, |order| order.lines.push((13, 1, "30.00")));
            (order.status, order.updated_at) = ("partially_refunded", format!("2026-11-23T{hour}:00:00Z"));
            let mut body = order.payload();
            body["total_outstanding"] = json!(outstanding);
            as_told(&body)
        };
        shop.take(vec![told(12, "30.00")]).await;
        assert_eq!(shop.points(ADA).await, (75, 0, 0), "that is not paid yet");
        shop.take(vec![told(13, "0.00")]).await;
        assert_eq!(shop.points(ADA).await, (105, 0, 0));
        shop.take(vec![told(14, "-2.00")]).await;
        assert_eq!(shop.points(ADA).await, (105, 0, 0), "that is to be paid back");
        shop.is_sound().await;
    });
}

#[test]
fn a_tip_is_none_of_what_was_bought_though_the_edit_that_does_not_tell_comes_first() {
    on_both_engines(async |test| {
        let placed = Order::new(1, ADA);
        let again = later(&placed, |_| {}).payload();
        let mut tipped = placed.payload();
        tipped["line_items"][1]["tip_payment_gateway"] = json!("cash");
        for told in [[&tipped, &again], [&again, &tipped]] {
            let shop = Shop::open(&test.db).await;
            for body in told {
                shop.take(vec![as_told(body)]).await;
            }
            assert_eq!(shop.points(ADA).await, (50, 0, 0), "{told:?}");
            shop.is_sound().await;
        }
    });
}
