//! Segments: what members have bought is added up order by order, and everyone is scored by it.

mod churn;
mod marks;
mod shown;
mod staff;

use std::collections::BTreeMap;

use fastrand::Rng;
use loyalnest::customers;
use loyalnest::db;
use loyalnest::db::{Db, Timestamp};
use loyalnest::ids::{CustomerId, MemberId};
use loyalnest::orders;
use loyalnest::rfm::{self, End, Refreshing};
use loyalty::rfm::{Decay, History, Rfm, Scale, Segment, Thresholds};
use serde_json::Value;
use sqlx::types::Json;

use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};
use crate::support::till::{ADA, BOB, Shop};

/// How many members a refresh scores at once where it does not matter.
const MANY: i64 = 1_000;

/// An order of one thing, placed in the morning of a day.
fn order(id: i64, customer: i64, day: &str, pounds: &'static str) -> Order {
    let at = format!("{day}T10:00:00Z");
    let lines = vec![(id * 10 + 1, 1, pounds)];
    Order { lines, placed_at: at.clone(), updated_at: at, ..Order::new(id, customer) }
}

/// The one thing comes back.
fn whole(id: i64, pounds: &str) -> Value {
    refund(id, id, &[(id * 10 + 1, 1, pounds)])
}

async fn take(shop: &Shop<'_>, orders: &[Order]) {
    shop.take(orders.iter().map(|order| shop.order(order)).collect()).await;
}

/// What is added up of a member: the last order, how many, and what was paid.
async fn bought(shop: &Shop<'_>, customer: i64) -> (Option<String>, i64, i64) {
    let member = shop.member(customer).await;
    let mut read = shop.db.read(shop.id).await.unwrap();
    let (last, orders, spent): (Option<Timestamp>, i64, i64) = db!(
        read.one,
        "select last_order_at, orders, spent from rfm_members where shop_id = $1 and member_id = $2",
        shop.id,
        member
    )
    .unwrap();
    (last.map(|at| at.to_string()), orders, spent)
}

fn since(day: &str, orders: i64, spent: i64) -> (Option<String>, i64, i64) {
    (Some(format!("{day}T10:00:00Z")), orders, spent)
}

async fn segment(shop: &Shop<'_>, customer: i64) -> Option<u16> {
    let member = shop.member(customer).await;
    let mut read = shop.db.read(shop.id).await.unwrap();
    let segments = rfm::segments(&mut read, shop.id, &[member]).await.unwrap();
    segments.get(&member).copied().map(Segment::code)
}

async fn begin(shop: &Shop<'_>) -> Refreshing {
    let refresh = Refreshing::prepare(shop.db, shop.id, shop.now).await.unwrap().unwrap();
    let mut tx = shop.db.begin(shop.id).await.unwrap();
    refresh.begin(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    refresh
}

/// Whether the refresh goes on after these: so many from each end.
async fn next(shop: &Shop<'_>, refresh: &Refreshing, most: i64) -> bool {
    let from = |end| refresh.next(shop.db, end, most);
    let (first, last) = tokio::try_join!(from(End::First), from(End::Last)).unwrap();
    if !(first || last) {
        refresh.end(shop.db).await.unwrap();
    }
    first || last
}

async fn refreshed(shop: &Shop<'_>) {
    let refresh = begin(shop).await;
    while next(shop, &refresh, MANY).await {}
}

/// Every change of a segment that was written down: of whom, from, to.
async fn changes(shop: &Shop<'_>) -> Vec<(MemberId, Option<i64>, Option<i64>)> {
    let mut read = shop.db.read(shop.id).await.unwrap();
    db!(
        read.all,
        "select member_id, before, segment from rfm_history where shop_id = $1 order by changed_at, member_id",
        shop.id
    )
    .unwrap()
}

/// How many members' metafields are to be written more often than they were before.
async fn marks(db: &Db) -> i64 {
    let mut read = db.read_across().await.unwrap();
    let (marks,): (i64,) =
        db!(read.one, "select cast(coalesce(sum(wanted), 0) as bigint) from sync_accounts").unwrap();
    marks
}

async fn told(db: &Db) -> i64 {
    let mut read = db.read_across().await.unwrap();
    let (told,): (i64,) =
        db!(read.one, "select count(*) from events_outbox where kind = 'rfm.updated'").unwrap();
    told
}

/// Ten members, of whom each next one has bought later, more often and more.
async fn ten(shop: &Shop<'_>) {
    let mut orders = Vec::new();
    for (n, day) in (1..=10).zip(["01", "02", "03", "04", "05", "06", "07", "08", "09", "10"]) {
        for once in 0..n {
            orders.push(order(n * 100 + once, 1_000 + n, &format!("2026-11-{day}"), "10.00"));
        }
    }
    take(shop, &orders).await;
}

#[test]
fn what_comes_back_was_not_bought() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        let first = order(1, ADA, "2026-11-01", "100.00");
        take(&shop, &[first.clone(), order(2, ADA, "2026-11-10", "50.00")]).await;
        assert_eq!(bought(&shop, ADA).await, since("2026-11-10", 2, 15_000));
        // The last one comes back, and is told of twice.
        for _ in 0..2 {
            shop.take(vec![shop.refund(&whole(2, "50.00"))]).await;
            assert_eq!(bought(&shop, ADA).await, since("2026-11-01", 1, 10_000));
            take(&shop, std::slice::from_ref(&first)).await;
        }
        // More comes back than was paid.
        shop.take(vec![shop.refund(&refund(9, 1, &[(11, 0, "130.00")]))]).await;
        assert_eq!(bought(&shop, ADA).await, since("2026-11-01", 1, -3_000));
        let called_off = Order { cancelled: true, updated_at: "2026-11-12T10:00:00Z".into(), ..first };
        take(&shop, &[called_off]).await;
        assert_eq!(bought(&shop, ADA).await, (None, 0, 0));
        refreshed(&shop).await;
        assert_eq!(segment(&shop, ADA).await, None, "who sent all of it back is a prospect");
        // An order whose refund came first, and one that is not paid yet.
        shop.take(vec![shop.refund(&whole(3, "70.00"))]).await;
        let unpaid = Order { status: "pending", ..order(4, BOB, "2026-11-11", "20.00") };
        take(&shop, &[order(3, BOB, "2026-11-12", "70.00"), unpaid.clone()]).await;
        assert_eq!(bought(&shop, BOB).await, since("2026-11-11", 1, 2_000));
        let voided = Order { status: "voided", updated_at: "2026-11-13T10:00:00Z".into(), ..unpaid };
        take(&shop, &[voided]).await;
        assert_eq!(bought(&shop, BOB).await, (None, 0, 0));
        shop.is_sound().await;
    });
}

#[test]
fn everyone_is_scored_beside_the_others_and_what_does_not_change_is_not_written() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        ten(&shop).await;
        assert_eq!(segment(&shop, 1_010).await, None, "nobody was scored yet");
        let events = told(&test.db).await;
        refreshed(&shop).await;
        for (customer, expected) in [(1_001, 111), (1_002, 111), (1_003, 222), (1_008, 444), (1_010, 555)] {
            assert_eq!(segment(&shop, customer).await, Some(expected), "{customer}");
        }
        assert_eq!(told(&test.db).await, events + 10);
        assert_eq!(changes(&shop).await.len(), 10);
        shop.wait(24 * 60);
        refreshed(&shop).await;
        assert_eq!(told(&test.db).await, events + 10);
        assert_eq!(changes(&shop).await.len(), 10);
        shop.is_sound().await;
    });
}

#[test]
fn between_two_nights_an_order_moves_its_member_at_once() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        ten(&shop).await;
        refreshed(&shop).await;
        shop.wait(60);
        let marked = marks(&test.db).await;
        take(&shop, &[order(5_001, 1_001, "2026-11-22", "500.00")]).await;
        assert_eq!(segment(&shop, 1_001).await, Some(515), "two orders are still few");
        assert_eq!(changes(&shop).await[10..], [(shop.member(1_001).await, Some(111), Some(515))]);
        assert_eq!(marks(&test.db).await, marked + 1, "with its points, once");
        // Whoever is new is measured by the same scale, also by an order in the future.
        take(&shop, &[order(5_002, BOB, "2027-02-01", "1.00")]).await;
        assert_eq!(segment(&shop, BOB).await, Some(511));
        // It all comes back.
        shop.take(vec![shop.refund(&whole(5_001, "500.00")), shop.refund(&whole(5_002, "1.00"))]).await;
        assert_eq!((segment(&shop, 1_001).await, segment(&shop, BOB).await), (Some(111), None));
        shop.is_sound().await;
    });
}

#[test]
fn the_database_scores_as_the_rule_does() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        let (mut random, mut orders) = (Rng::with_seed(8), Vec::new());
        let prices = ["0.00", "1.00", "9.99", "10.00", "250.00", "9999.00"];
        for id in 1..=700 {
            let day = format!("2026-{:02}-{:02}", random.u8(1..=11), random.u8(1..=9));
            orders.push(order(id, random.i64(1..=230), &day, random.choice(prices).unwrap()));
        }
        take(&shop, &orders).await;
        let back = (1..=700).filter(|id| id % 7 == 0).map(|id| refund(id, id, &[(id * 10 + 1, 1, "9.99")]));
        shop.take(back.map(|back| shop.refund(&back)).collect()).await;
        let refresh = begin(&shop).await;
        while next(&shop, &refresh, 17).await {}
        all_stand_where_they_belong(&shop).await;
        assert_eq!(changes(&shop).await.len(), segments_of_all(&shop).await.len());

        // Some stand where they do not belong, or nowhere; only they are found.
        let mut tx = test.db.begin(shop.id).await.unwrap();
        let (mut astray, members) = (0, segments_of_all(&shop).await);
        for (member, segment) in members.into_iter().step_by(3) {
            let elsewhere = random.choice([None, Some(111), Some(555), Some(333)]).unwrap();
            let set = db!(
                tx.execute,
                "update rfm_members set segment = $3 where shop_id = $1 and member_id = $2",
                shop.id,
                member,
                elsewhere
            );
            astray += set.map(|_| usize::from(segment != elsewhere)).unwrap();
        }
        tx.commit().await.unwrap();
        let before = changes(&shop).await.len();
        shop.wait(60);
        let refresh = begin(&shop).await;
        while next(&shop, &refresh, 7).await {}
        assert_eq!(changes(&shop).await.len() - before, astray);
        all_stand_where_they_belong(&shop).await;
        shop.is_sound().await;
    });
}

/// The members who have bought something, and the segments in which they stand.
async fn segments_of_all(shop: &Shop<'_>) -> Vec<(MemberId, Option<i64>)> {
    let mut read = shop.db.read(shop.id).await.unwrap();
    db!(read.all, "select member_id, segment from rfm_members where shop_id = $1 and orders > 0", shop.id)
        .unwrap()
}

/// Every member stands in the segment that the rule says beside all others, and is counted in it.
async fn all_stand_where_they_belong(shop: &Shop<'_>) {
    let mut read = shop.db.read(shop.id).await.unwrap();
    let rows: Vec<(Option<Timestamp>, i64, i64, Option<i64>)> = db!(
        read.all,
        "select last_order_at, orders, spent, segment from rfm_members where shop_id = $1",
        shop.id
    )
    .unwrap();
    let counted: Vec<(i64, i64)> =
        db!(read.all, "select segment, members from rfm_days where shop_id = $1", shop.id).unwrap();
    drop(read);
    let histories: Vec<History> = rows
        .iter()
        .map(|&(last, orders, spent, _)| History {
            last_order: last.map_or(0, Timestamp::as_microsecond),
            orders,
            spent,
        })
        .collect();
    let (scale, mut counts) = (Scale::relative(&histories), BTreeMap::from([(0, 0)]));
    for (history, (.., stored)) in histories.iter().zip(&rows) {
        let segment = scale.segment(history).map(|segment| i64::from(segment.code()));
        assert_eq!(*stored, segment, "{history:?}");
        *counts.entry(segment.unwrap_or(0)).or_default() += 1;
    }
    assert!(counts.len() > 20 && counts[&0] > 0, "{counts:?}");
    assert_eq!(counted.into_iter().collect::<BTreeMap<i64, i64>>(), counts);
}

#[test]
fn of_however_many_the_database_lays_the_scale_that_the_rule_does() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        let mut histories = Vec::new();
        for n in 1..=12 {
            let (day, pounds) = (format!("2026-10-{:02}", n * 7 % 12 + 1), ["1.00", "5.00", "30.00"]);
            let bought = order(n, 1_000 + n, &day, pounds[(n % 3) as usize]);
            let last_order = bought.placed_at.parse::<Timestamp>().unwrap().as_microsecond();
            histories.push(History { last_order, orders: 1, spent: [100, 500, 3_000][(n % 3) as usize] });
            take(&shop, &[bought]).await;
            begin(&shop).await;
            let mut read = test.db.read(shop.id).await.unwrap();
            let (laid,): (Json<Scale>,) =
                db!(read.one, "select scale from rfm_shops where shop_id = $1", shop.id).unwrap();
            assert_eq!(laid.0, Scale::relative(&histories), "{n} members");
        }
    });
}

#[test]
fn a_refresh_that_is_killed_and_two_at_once_leave_nobody_behind() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        ten(&shop).await;
        let killed = begin(&shop).await;
        assert!(next(&shop, &killed, 2).await);
        assert_eq!(changes(&shop).await.len(), 4);
        shop.is_sound().await;

        let first = begin(&shop).await;
        assert!(next(&shop, &first, 2).await);
        // Much happens before another begins: it lays another scale.
        shop.wait(60);
        take(
            &shop,
            &[order(6_001, BOB, "2026-11-21", "900.00"), order(6_002, 1_002, "2026-11-22", "900.00")],
        )
        .await;
        let second = begin(&shop).await;
        assert!(!next(&shop, &first, 4).await, "the first leaves the rest to it");
        while next(&shop, &second, 4).await {}
        assert_eq!(changes(&shop).await.iter().filter(|(_, before, _)| before.is_none()).count(), 11);
        shop.is_sound().await;
    });
}

#[test]
fn orders_that_come_while_everyone_is_scored_are_not_left_behind() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        ten(&shop).await;
        let buy = async |from: i64| {
            for id in from..from + 15 {
                let customer = 1_001 + id % 20;
                take(
                    &shop,
                    &[
                        order(id, customer, "2026-11-15", "33.00"),
                        order(id + 500, customer + 1, "2026-11-16", "1.00"),
                    ],
                )
                .await;
                if id % 3 == 0 {
                    shop.take(vec![shop.refund(&whole(id, "33.00"))]).await;
                }
            }
        };
        let score = async || {
            for _ in 0..6 {
                let refresh = begin(&shop).await;
                while next(&shop, &refresh, 3).await {}
            }
        };
        tokio::join!(buy(10_000), buy(20_000), score(), score());
        let refresh = begin(&shop).await;
        tokio::join!(buy(30_000), async { while next(&shop, &refresh, 2).await {} });
        shop.is_sound().await;
    });
}

#[test]
fn a_merchants_own_steps_count_from_the_night_on_which_they_are_set() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        take(&shop, &[order(1, ADA, "2026-11-15", "100.00"), order(2, BOB, "2026-10-01", "49.99")]).await;
        refreshed(&shop).await;
        let thresholds = Thresholds {
            recency: [7, 30, 90, 180],
            frequency: [2, 3, 4, 5],
            monetary: [5_000, 10_000, 20_000, 30_000],
            recency_decay: Decay::Standard,
        };
        shop.set_program(|program| program.rfm = Rfm::Thresholds(thresholds)).await;
        let mut read = test.db.read_across().await.unwrap();
        let (asked,): (i64,) =
            db!(read.one, "select count(*) from tasks where shop_id = $1 and kind = 'rfm.refresh'", shop.id)
                .unwrap();
        assert_eq!(asked, 1, "everyone is scored by them soon");
        drop(read);
        refreshed(&shop).await;
        assert_eq!((segment(&shop, ADA).await, segment(&shop, BOB).await), (Some(513), Some(311)));
        shop.wait(24 * 60);
        refreshed(&shop).await;
        assert_eq!(segment(&shop, ADA).await, Some(413), "the eighth day");
        let recency_decay = Decay::Subscription { every_days: 60 };
        shop.set_program(|program| program.rfm = Rfm::Thresholds(Thresholds { recency_decay, ..thresholds }))
            .await;
        refreshed(&shop).await;
        assert_eq!((segment(&shop, ADA).await, segment(&shop, BOB).await), (Some(513), Some(511)));
        shop.is_sound().await;
    });
}

#[test]
fn two_who_become_one_have_bought_what_both_did() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        ten(&shop).await;
        refreshed(&shop).await;
        shop.wait(60);
        let from = shop.member(1_001).await;
        let mut tx = test.db.begin(shop.id).await.unwrap();
        let (kept, deleted) = (CustomerId(1_009), CustomerId(1_001));
        assert!(customers::merge(&mut tx, shop.id, kept, deleted, shop.now).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(bought(&shop, 1_009).await, since("2026-11-09", 10, 10_000));
        assert!(
            changes(&shop).await.iter().all(|(member, ..)| *member != from),
            "nothing is left of the other's"
        );
        // What the deleted one's orders become is the kept one's.
        shop.take(vec![shop.refund(&whole(100, "10.00"))]).await;
        take(&shop, &[order(7_001, 1_001, "2026-11-20", "5.00")]).await;
        assert_eq!(bought(&shop, 1_009).await, since("2026-11-20", 10, 9_500));
        assert_eq!(segment(&shop, 1_009).await, Some(555));
        shop.is_sound().await;
    });
}

#[test]
fn who_is_gone_is_in_no_segment_and_no_part_of_the_base() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        ten(&shop).await;
        refreshed(&shop).await;
        let member = shop.member(1_010).await;
        let mut tx = test.db.begin(shop.id).await.unwrap();
        rfm::leave(&mut tx, shop.id, member).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(segment(&shop, 1_010).await, None);
        assert!(changes(&shop).await.iter().all(|(of, ..)| *of != member));
        shop.wait(60);
        // What still comes of their orders is added up, and scores nobody.
        shop.take(vec![shop.refund(&whole(1_000, "10.00"))]).await;
        take(&shop, &[order(7_001, 1_010, "2026-11-20", "5.00")]).await;
        assert_eq!(bought(&shop, 1_010).await, since("2026-11-20", 10, 9_500));
        refreshed(&shop).await;
        assert_eq!((segment(&shop, 1_010).await, segment(&shop, 1_009).await), (None, Some(555)));
        // Who never bought and is gone does not begin to be scored by an order that comes late.
        let mut tx = test.db.begin(shop.id).await.unwrap();
        let bob =
            customers::enrol(&mut tx, shop.id, &[CustomerId(BOB)], shop.now).await.unwrap()[&CustomerId(BOB)];
        rfm::leave(&mut tx, shop.id, bob).await.unwrap();
        tx.commit().await.unwrap();
        take(&shop, &[order(7_002, BOB, "2026-11-21", "5.00")]).await;
        assert_eq!(segment(&shop, BOB).await, None);
        shop.is_sound().await;
    });
}

#[test]
fn orders_from_before_anybody_counted_are_counted_once() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        ten(&shop).await;
        shop.take(vec![shop.refund(&whole(1_000, "10.00"))]).await;
        let before = bought(&shop, 1_010).await;
        let mut tx = test.db.begin(shop.id).await.unwrap();
        db!(tx.execute, "update points_orders set kept = null, spent = 0 where shop_id = $1", shop.id)
            .unwrap();
        db!(tx.execute, "delete from rfm_members where shop_id = $1", shop.id).unwrap();
        tx.commit().await.unwrap();
        // Meanwhile something is told of one of them.
        take(&shop, &[order(1_001, 1_010, "2026-11-10", "10.00")]).await;
        assert_eq!(bought(&shop, 1_010).await, since("2026-11-10", 1, 1_000));
        for _ in 0..2 {
            orders::jobs::count_old(&test.db, shop.id, shop.now).await.unwrap();
            assert_eq!(bought(&shop, 1_010).await, before);
        }
        refreshed(&shop).await;
        shop.is_sound().await;
    });
}
