//! Points whose time runs out, on both engines.

use loyalnest::customers;
use loyalnest::db;
use loyalnest::db::Db;
use loyalnest::ids::CustomerId;
use loyalnest::points::{self, Totals};
use loyalnest::redemptions::{Error, Hold, State, lifecycle};
use loyalty::Points;
use loyalty::expiry::{Expiry, Rule, Term};
use serde_json::Value;

use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};
use crate::support::till::{ADA, BOB, Shop, later, redeeming};

const DAY: i64 = 24 * 60;

/// A shop with this rule, on the morning of 22 November 2026.
async fn with_rule(db: &Db, rule: Rule) -> Shop<'_> {
    let shop = Shop::open(db).await;
    shop.set_program(|program| program.expiry = Expiry { rule: Some(rule), grace_days: 7 }).await;
    shop
}

fn days(days: u16) -> Rule {
    Rule::Term { after: Term::Days(days) }
}

async fn totals(shop: &Shop<'_>) -> Totals {
    points::totals(&mut shop.db.read(shop.id).await.unwrap(), shop.id).await.unwrap()
}

/// What expires next: how many points, and when.
async fn next(shop: &Shop<'_>, customer: i64) -> Option<(i64, String)> {
    shop.balance(customer).await.next.map(|next| (next.points.get(), next.at.to_string()))
}

/// The events of this name, oldest first.
async fn events(db: &Db, name: &str) -> Vec<Value> {
    let mut read = db.read_across().await.unwrap();
    let rows: Vec<(String,)> = db!(
        read.all,
        sqlite: "select payload from events_outbox where kind = $1 order by written",
        postgres: "select payload::text from events_outbox where kind = $1 order by written",
        name
    )
    .unwrap();
    rows.into_iter().map(|(payload,)| serde_json::from_str(&payload).unwrap()).collect()
}

#[test]
fn points_are_gone_with_the_first_moment_of_their_day_and_no_sooner() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(30)).await;
        shop.take((1..=3).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        assert_eq!(next(&shop, ADA).await, Some((300, "2026-12-23T00:00:00Z".into())));
        shop.now = "2026-12-22T23:59:59.999999Z".parse().unwrap();
        shop.expire().await;
        assert_eq!(shop.points(ADA).await, (300, 0, 0));
        // Whether or not the daily work was done.
        shop.now = "2026-12-23T00:00:00Z".parse().unwrap();
        assert_eq!((shop.points(ADA).await, next(&shop, ADA).await), ((0, 0, 0), None));
        assert_eq!(totals(&shop).await.expired, 0);
        assert!(shop.pick(ADA, "points", Some(100)).await.is_err(), "an expired lot is not spent");
        for _ in 0..2 {
            shop.expire().await;
        }
        let totals = totals(&shop).await;
        assert_eq!((totals.issued, totals.expired, totals.outstanding), (300, 300, 0));
        assert_eq!(events(&test.db, "points.expired").await.len(), 3, "an entry for each lot, once");
        shop.is_sound().await;
    });
}

#[test]
fn spending_books_the_expiry_that_the_daily_work_did_not_do_yet() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(30)).await;
        shop.take(vec![shop.order(&Order::new(1, ADA))]).await;
        shop.wait(10 * DAY);
        shop.take((2..=4).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        shop.wait(25 * DAY);
        let hold = shop.pick(ADA, "points", Some(200)).await.unwrap();
        assert_eq!(shop.points(ADA).await, (100, 0, 200));
        assert_eq!(totals(&shop).await.expired, 100);
        shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "2.00"))]).await;
        shop.expire().await;
        assert_eq!(totals(&shop).await.expired, 100, "once");
        shop.is_sound().await;
    });
}

#[test]
fn a_return_takes_from_the_orders_own_lots_before_all_others_whichever_are_open() {
    on_both_engines(async |test| {
        // Another order before it, or after it: its points expire before all of the order's, or between.
        for is_before in [true, false] {
            let mut shop = with_rule(&test.db, days(30)).await;
            let (placed, other) = (Order::new(1, ADA), Order::new(2, ADA));
            let [first, second] = if is_before { [&other, &placed] } else { [&placed, &other] };
            shop.take(vec![shop.order(first)]).await;
            shop.wait(10 * DAY);
            shop.take(vec![shop.order(second)]).await;
            shop.wait(10 * DAY);
            let edited = later(&placed, |order| order.lines.push((13, 1, "30.00")));
            shop.take(vec![shop.order(&edited)]).await;
            assert_eq!(shop.points(ADA).await, (230, 0, 0));
            if !is_before {
                shop.wait(12 * DAY);
                shop.expire().await;
                assert_eq!(shop.points(ADA).await, (130, 0, 0), "what it had earned at first is gone");
            }
            let (status, updated_at) = ("paid", "2026-11-24T10:00:00Z".into());
            let cancelled = Order { cancelled: true, status, updated_at, ..edited };
            shop.take(vec![shop.order(&cancelled)]).await;
            assert_eq!(shop.points(ADA).await, (100, 0, 0), "what the other earned");
            let at = if is_before { "2026-12-23T00:00:00Z" } else { "2027-01-02T00:00:00Z" };
            assert_eq!(next(&shop, ADA).await, Some((100, at.into())));
            shop.is_sound().await;
        }
    });
}

#[test]
fn what_a_hold_pins_does_not_expire_and_comes_back_for_a_grace() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(1)).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(300)).await.unwrap();
        shop.shown(ADA, Some(hold.id)).await;
        shop.wait(3 * DAY);
        shop.expire().await;
        assert_eq!(shop.points(ADA).await, (0, 0, 300), "200 are gone, 300 are pinned");
        shop.advance(ADA, hold.id).await;
        shop.shown(ADA, None).await;
        shop.wait(30);
        assert!(shop.advance(ADA, hold.id).await);
        // On 25 November: seven days more, and the last one whole.
        assert_eq!(shop.points(ADA).await, (300, 0, 0));
        assert_eq!(next(&shop, ADA).await, Some((300, "2026-12-03T00:00:00Z".into())));
        shop.is_sound().await;
        shop.now = "2026-12-03T00:00:00Z".parse().unwrap();
        shop.expire().await;
        assert_eq!((shop.points(ADA).await, totals(&shop).await.expired), ((0, 0, 0), 500));
        shop.is_sound().await;
    });
}

/// Closes and releases a hold that stands, in an hour.
async fn ends(shop: &mut Shop<'_>, hold: &Hold) {
    shop.wait(60);
    shop.advance(ADA, hold.id).await;
    shop.shown(ADA, None).await;
    shop.wait(30);
    shop.advance(ADA, hold.id).await;
}

#[test]
fn who_holds_points_whenever_they_would_expire_keeps_them_for_one_grace() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(1)).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        shop.now = "2026-11-23T23:50:00Z".parse().unwrap();
        let first = shop.pick(ADA, "points", Some(300)).await.unwrap();
        ends(&mut shop, &first).await;
        assert_eq!(next(&shop, ADA).await, Some((300, "2026-12-02T00:00:00Z".into())));
        assert_eq!(totals(&shop).await.expired, 200);

        shop.now = "2026-12-01T23:50:00Z".parse().unwrap();
        let second = shop.pick(ADA, "points", Some(200)).await.unwrap();
        shop.wait(20);
        assert_eq!(shop.points(ADA).await, (0, 0, 200), "100 have expired");
        // Another pick cannot take them over, and what stands stays.
        let refused = shop.pick(ADA, "points", Some(100)).await.unwrap_err();
        assert!(
            matches!(refused, Error::Points(points::Error::Insufficient { available: 0, .. })),
            "{refused}"
        );
        assert_eq!(
            (shop.hold(ADA, second.id).await.state, shop.points(ADA).await),
            (State::Opening, (0, 0, 200))
        );
        ends(&mut shop, &second).await;
        assert_eq!(shop.hold(ADA, second.id).await.state, State::Released);
        assert_eq!((shop.points(ADA).await, totals(&shop).await.expired), ((0, 0, 0), 500));
        shop.expire().await;
        assert_eq!(totals(&shop).await.expired, 500, "once");
        shop.is_sound().await;
    });
}

#[test]
fn what_is_left_of_a_hold_is_over_with_it_and_what_its_order_used_is_not() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(1)).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let first = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.wait(3 * DAY);
        ends(&mut shop, &first).await;
        let second = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.wait(10 * DAY);
        shop.take(vec![shop.order(&redeeming(20, ADA, &second, "4.00"))]).await;
        assert_eq!(shop.points(ADA).await, (96, 0, 0), "100 are gone, 96 are new");
        assert_eq!((totals(&shop).await.redeemed, totals(&shop).await.expired), (400, 100));
        // What a return gives back was had: it lives through a grace of its own.
        shop.take(vec![shop.refund(&refund(7, 20, &[(201, 2, "46.00")]))]).await;
        assert_eq!(shop.points(ADA).await.0, 400 + 96 - 46);
        shop.is_sound().await;
    });
}

#[test]
fn a_visit_does_not_renew_a_hold_whose_points_are_over() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(1)).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let visit = async |shop: &Shop<'_>, hold| {
            let mut hold = shop.hold(ADA, hold).await;
            let mut tx = test.db.begin(shop.id).await.unwrap();
            lifecycle::renew(&mut tx, shop.id, &mut hold, shop.now).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(shop.hold(ADA, hold.id).await.expires_at, hold.expires_at);
            hold.expires_at.to_string()
        };
        shop.now = "2026-11-23T23:00:00Z".parse().unwrap();
        let hold = shop.pick(ADA, "points", Some(300)).await.unwrap();
        shop.wait(59);
        assert_eq!(visit(&shop, hold.id).await, "2026-11-24T00:59:00Z");
        shop.wait(1);
        assert_eq!(visit(&shop, hold.id).await, "2026-11-24T00:59:00Z", "they are over");
        let again = shop.pick(ADA, "points", Some(300)).await.unwrap();
        assert_eq!((again.id, again.expires_at.to_string()), (hold.id, "2026-11-24T00:59:00Z".into()));
        shop.is_sound().await;
    });
}

#[test]
fn an_order_captures_what_was_pinned_in_time() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(1)).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.wait(3 * DAY);
        shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "4.00"))]).await;
        assert_eq!(shop.hold(ADA, hold.id).await.state, State::Captured);
        assert_eq!(shop.points(ADA).await, (100 + 96, 0, 0), "100 are back for a grace, 96 are new");
        assert_eq!(totals(&shop).await.redeemed, 400);
        shop.is_sound().await;
    });
}

#[test]
fn what_a_return_gives_back_after_its_time_lives_through_the_grace() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(30)).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "5.00"))]).await;
        shop.wait(60 * DAY);
        shop.take(vec![shop.refund(&refund(7, 20, &[(201, 2, "45.00")]))]).await;
        assert_eq!(
            shop.points(ADA).await,
            (500, 0, 0),
            "and what the order had earned is gone with its time"
        );
        assert_eq!(next(&shop, ADA).await, Some((500, "2027-01-29T00:00:00Z".into())));
        shop.is_sound().await;
        shop.wait(8 * DAY);
        shop.expire().await;
        assert_eq!(shop.points(ADA).await, (0, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn waiting_points_do_not_expire_and_live_from_the_day_on_which_they_can_be_spent() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(30)).await;
        let order = Order { status: "pending", ..Order::new(1, ADA) };
        shop.take(vec![shop.order(&order)]).await;
        shop.wait(90 * DAY);
        shop.expire().await;
        assert_eq!(shop.points(ADA).await, (0, 100, 0));
        shop.take(vec![shop.order(&later(&order, |order| order.status = "paid"))]).await;
        assert_eq!(next(&shop, ADA).await, Some((100, "2027-03-23T00:00:00Z".into())));
        shop.is_sound().await;
    });
}

#[test]
fn a_year_s_points_go_with_the_year() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, Rule::YearEnd { years_later: 0 }).await;
        shop.take(vec![shop.order(&Order::new(1, ADA))]).await;
        shop.now = "2027-01-01T00:00:00Z".parse().unwrap();
        shop.take(vec![shop.order(&Order::new(2, ADA))]).await;
        assert_eq!(shop.points(ADA).await, (100, 0, 0));
        assert_eq!(next(&shop, ADA).await, Some((100, "2028-01-01T00:00:00Z".into())));
        shop.expire().await;
        shop.is_sound().await;
    });
}

#[test]
fn activity_moves_on_what_was_earned_under_a_rule_of_inactivity_and_nothing_else_does() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, Rule::Inactivity { after: Term::Months(1) }).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        assert_eq!(next(&shop, ADA).await, Some((500, "2026-12-23T00:00:00Z".into())));
        shop.wait(10 * DAY);
        // A pick alone is none, nor is taking it back, nor a refund.
        let hold = shop.pick(ADA, "points", Some(100)).await.unwrap();
        shop.take(vec![shop.refund(&refund(7, 5, &[(51, 1, "25.00")]))]).await;
        assert_eq!(next(&shop, ADA).await, Some((375, "2026-12-23T00:00:00Z".into())));
        // An order that uses points is.
        let free = Order { lines: vec![(201, 1, "1.00")], ..redeeming(20, ADA, &hold, "1.00") };
        shop.take(vec![shop.order(&free)]).await;
        assert_eq!(next(&shop, ADA).await, Some((375, "2027-01-03T00:00:00Z".into())));
        shop.wait(20 * DAY);
        shop.take(vec![shop.order(&Order::new(6, ADA))]).await;
        assert_eq!(next(&shop, ADA).await, Some((475, "2027-01-23T00:00:00Z".into())));
        shop.is_sound().await;
        // A clock that goes back moves nothing back.
        shop.wait(-25 * DAY);
        shop.take(vec![shop.order(&Order::new(7, ADA))]).await;
        assert_eq!(next(&shop, ADA).await, Some((100, "2026-12-28T00:00:00Z".into())));
        shop.wait(60 * DAY);
        shop.expire().await;
        assert_eq!(shop.points(ADA).await, (0, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn an_order_that_uses_points_of_a_pick_that_was_replaced_is_activity_too() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, Rule::Inactivity { after: Term::Months(1) }).await;
        shop.take((1..=5).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let first = shop.pick(ADA, "points", Some(100)).await.unwrap();
        shop.pick(ADA, "points", Some(200)).await.unwrap();
        shop.wait(10 * DAY);
        let free = Order { lines: vec![(201, 1, "1.00")], ..redeeming(20, ADA, &first, "1.00") };
        shop.take(vec![shop.order(&free)]).await;
        assert_eq!(next(&shop, ADA).await, Some((200, "2027-01-03T00:00:00Z".into())));
        shop.is_sound().await;
    });
}

#[test]
fn another_rule_touches_nothing_that_was_earned_before() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(30)).await;
        shop.take(vec![shop.order(&Order::new(1, ADA))]).await;
        shop.set_program(|program| program.expiry.rule = Some(Rule::Inactivity { after: Term::Days(5) }))
            .await;
        shop.take(vec![shop.order(&Order::new(2, ADA))]).await;
        assert_eq!(next(&shop, ADA).await, Some((100, "2026-11-28T00:00:00Z".into())));
        shop.set_program(|program| program.expiry.rule = None).await;
        shop.wait(2 * DAY);
        // What was earned under the rule of inactivity is still moved on by activity, by that rule.
        shop.take(vec![shop.order(&Order::new(3, ADA))]).await;
        assert_eq!(next(&shop, ADA).await, Some((100, "2026-11-30T00:00:00Z".into())));
        shop.wait(10 * DAY);
        assert_eq!(next(&shop, ADA).await, Some((100, "2026-12-23T00:00:00Z".into())));
        shop.wait(60 * DAY);
        shop.expire().await;
        assert_eq!(shop.points(ADA).await, (100, 0, 0), "what was earned without a rule stays");
        shop.is_sound().await;
    });
}

#[test]
fn members_are_warned_thirty_and_seven_days_ahead_once_each() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(60)).await;
        shop.take((1..=2).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        for _ in 0..62 {
            shop.expire().await;
            shop.expire().await;
            shop.wait(DAY);
        }
        let told = events(&test.db, "points.expiring").await;
        let told: Vec<_> =
            told.iter().map(|event| (event["days"].as_i64(), event["points"].as_i64())).collect();
        assert_eq!(told, [(Some(30), Some(200)), (Some(7), Some(200))]);
        assert_eq!(events(&test.db, "points.expired").await.len(), 2);
        // Who has less than a week from the start is warned once.
        shop.set_program(|program| program.expiry.rule = Some(days(3))).await;
        shop.take(vec![shop.order(&Order::new(3, BOB))]).await;
        for _ in 0..6 {
            shop.expire().await;
            shop.wait(DAY);
        }
        assert_eq!(events(&test.db, "points.expiring").await.len(), 3);
        shop.is_sound().await;
    });
}

#[test]
fn two_who_become_one_keep_the_dates_of_their_points() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(30)).await;
        shop.take(vec![shop.order(&Order::new(1, ADA))]).await;
        shop.wait(20 * DAY);
        shop.take(vec![shop.order(&Order::new(2, BOB))]).await;
        shop.wait(15 * DAY);
        // Ada's are over, and the daily work has not seen it yet.
        let mut tx = test.db.begin(shop.id).await.unwrap();
        customers::merge(&mut tx, shop.id, CustomerId(BOB), CustomerId(ADA), shop.now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(shop.points(BOB).await, (100, 0, 0));
        assert_eq!(next(&shop, BOB).await, Some((100, "2027-01-12T00:00:00Z".into())));
        assert_eq!(totals(&shop).await.expired, 100);
        shop.is_sound().await;
    });
}

#[test]
fn the_daily_work_goes_on_where_it_was_stopped() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(1)).await;
        // More members than are locked at a time.
        let orders = (1..=450).map(|id| shop.order(&Order::new(id, 1_000 + id)));
        shop.take(orders.collect()).await;
        shop.wait(2 * DAY);
        let mut tx = test.db.begin(shop.id).await.unwrap();
        let nobody = loyalnest::ids::MemberId(uuid::Uuid::nil());
        points::expire(&mut tx, shop.id, nobody, shop.now).await.unwrap();
        tx.commit().await.unwrap();
        let half_way = totals(&shop).await.expired;
        assert!(half_way > 0 && half_way < 45_000, "{half_way}");
        // What was not committed did not happen.
        let mut tx = test.db.begin(shop.id).await.unwrap();
        points::expire(&mut tx, shop.id, nobody, shop.now).await.unwrap();
        drop(tx);
        assert_eq!(totals(&shop).await.expired, half_way);
        shop.expire().await;
        assert_eq!(totals(&shop).await.expired, 45_000);
        assert_eq!(events(&test.db, "points.expired").await.len(), 450);
        shop.is_sound().await;
    });
}

#[test]
fn a_clock_that_goes_back_breaks_nothing() {
    on_both_engines(async |test| {
        let mut shop = with_rule(&test.db, days(2)).await;
        shop.take((1..=3).map(|id| shop.order(&Order::new(id, ADA))).collect()).await;
        let hold = shop.pick(ADA, "points", Some(200)).await.unwrap();
        shop.wait(10 * DAY);
        shop.expire().await;
        shop.wait(-9 * DAY);
        shop.take(vec![shop.order(&redeeming(20, ADA, &hold, "1.00")), shop.order(&Order::new(4, ADA))])
            .await;
        // 200 of which 100 are used; 100 are gone and stay it; 99 and 100 are new.
        assert_eq!(shop.points(ADA).await, (100 + 99 + 100, 0, 0));
        shop.is_sound().await;
        shop.wait(-20 * DAY);
        shop.take(vec![shop.refund(&refund(7, 20, &[(201, 2, "49.00")]))]).await;
        let balance = shop.balance(ADA).await;
        assert_eq!(balance.available, Points::new(100 + 99 + 100 + 100 - 49).unwrap());
        shop.expire().await;
        shop.is_sound().await;
    });
}
