//! A shop's books: the roll-forward closes, cohorts are the whole, and every report is there as JSON and as a table.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use devshop::Surface;
use fastrand::Rng;
use jiff::civil::date;
use loyalnest::finance::Books;
use loyalnest::finance::command::{self, FinanceCommand, Of};
use loyalnest::finance::roll::{CohortLine, Line};
use loyalnest::points;
use loyalty::expiry::{Expiry, Rule, Term};
use loyalty::program::ReturnPolicy;
use serde_json::{Value, json};

use crate::support::door::{Door, SHOP};
use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};
use crate::support::till::{ADA, BOB, Shop, later, redeeming};

const DAY: i64 = 24 * 60;

/// Half a year of a shop in which everything happens.
async fn half_a_year(shop: &mut Shop<'_>, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let policy =
        if seed.is_multiple_of(2) { ReturnPolicy::NegativeAllowed } else { ReturnPolicy::WithinBalance };
    let rule = if seed.is_multiple_of(3) {
        Rule::Inactivity { after: Term::Days(12) }
    } else {
        Rule::Term { after: Term::Months(2) }
    };
    shop.set_program(|program| {
        program.returns = policy;
        program.expiry = Expiry { rule: Some(rule), grace_days: 3 };
    })
    .await;
    for id in 1..=60 {
        shop.wait(random.i64(1..6) * DAY);
        let customer = random.i64(1..5);
        let status = if random.u8(..4) == 0 { "pending" } else { "paid" };
        let now = shop.now.to_string();
        let mut order = Order { status, placed_at: now.clone(), updated_at: now, ..Order::new(id, customer) };
        if let (true, Ok(hold)) = (random.bool(), shop.pick(customer, "points", Some(100)).await) {
            order = Order {
                placed_at: order.placed_at,
                updated_at: order.updated_at,
                ..redeeming(id, customer, &hold, "0.60")
            };
        }
        shop.take(vec![shop.order(&order)]).await;
        let other = random.i64(1..=id);
        match random.u8(..4) {
            0 => {
                let line = other * 10 + 1;
                shop.take(vec![shop.refund(&refund(id, other, &[(line, 1, "25.00")]))]).await;
            }
            1 => {
                let end =
                    later(&order, |order| (order.cancelled, order.updated_at) = (true, shop.now.to_string()));
                shop.take(vec![shop.order(&end)]).await;
            }
            2 => shop.expire().await,
            _ => {}
        }
    }
}

async fn roll_forward(shop: &Shop<'_>, day: Option<jiff::civil::Date>) -> Vec<Line> {
    let mut read = shop.db.read(shop.id).await.unwrap();
    Books::open(&mut read, shop.id, day, shop.now).await.unwrap().roll_forward().await.unwrap()
}

async fn cohorts(shop: &Shop<'_>) -> Vec<CohortLine> {
    let mut read = shop.db.read(shop.id).await.unwrap();
    Books::open(&mut read, shop.id, None, shop.now).await.unwrap().cohorts().await.unwrap()
}

#[test]
fn the_roll_forward_closes_with_what_members_have_whatever_happened() {
    on_both_engines(async |test| {
        for seed in 1..=3 {
            let mut shop = Shop::open(&test.db).await;
            half_a_year(&mut shop, seed).await;
            shop.is_sound().await;
            let totals = points::totals(&mut test.db.read(shop.id).await.unwrap(), shop.id).await.unwrap();
            let lines = roll_forward(&shop, None).await;
            assert_eq!(lines.last().unwrap().closing, totals.outstanding, "seed {seed}");
            assert_eq!(lines.iter().map(|line| line.expired).sum::<i64>(), totals.expired);
            assert!(totals.expired > 0 && totals.redeemed > 0 && totals.reversed > 0, "{totals:?}");
            for pair in lines.windows(2) {
                assert_eq!(pair[0].closing, pair[1].opening);
            }
            let cohorts = cohorts(&shop).await;
            for line in &lines {
                let of_month = cohorts.iter().filter(|cohort| cohort.month == line.month);
                assert_eq!(of_month.map(|cohort| cohort.closing).sum::<i64>(), line.closing, "seed {seed}");
            }
            // What lies in lots is what expires, sooner or later.
            let mut read = test.db.read(shop.id).await.unwrap();
            let mut books = Books::open(&mut read, shop.id, None, shop.now).await.unwrap();
            let expiring: i64 = books.by_expiry().await.unwrap().iter().map(|line| line.points).sum();
            let last = lines.last().unwrap().month;
            let in_lots = cohorts.iter().filter(|line| line.cohort.is_some() && line.month == last);
            assert_eq!(expiring, in_lots.map(|line| line.closing).sum::<i64>());
        }
    });
}

#[test]
fn the_books_of_a_day_stay_what_they_were() {
    on_both_engines(async |test| {
        let mut shop = Shop::open(&test.db).await;
        shop.take(vec![shop.order(&Order::new(1, ADA))]).await;
        let last_day = date(2026, 11, 30);
        let told = roll_forward(&shop, Some(last_day)).await;
        assert_eq!((told.len(), told[0].month, told[0].closing), (1, 202_611, 100));
        // The last instant of the day is its own, the next one is not.
        shop.now = "2026-11-30T23:59:59.999999Z".parse().unwrap();
        shop.take(vec![shop.order(&Order::new(2, ADA))]).await;
        shop.now = "2026-12-01T00:00:00Z".parse().unwrap();
        shop.take(vec![shop.order(&Order::new(3, ADA))]).await;
        let told = roll_forward(&shop, Some(last_day)).await;
        assert_eq!((told.len(), told[0].closing), (1, 200));
        let now = roll_forward(&shop, None).await;
        assert_eq!(
            now.iter().map(|line| (line.month, line.closing)).collect::<Vec<_>>(),
            [(202_611, 200), (202_612, 300)]
        );
        assert!(roll_forward(&shop, Some(date(2026, 10, 31))).await.is_empty(), "before the first entry");
    });
}

#[test]
fn what_one_member_owes_is_still_owed_to_the_others() {
    on_both_engines(async |test| {
        let shop = Shop::open(&test.db).await;
        shop.set_program(|program| program.returns = ReturnPolicy::NegativeAllowed).await;
        shop.take(vec![shop.order(&Order { lines: vec![(11, 1, "500.00")], ..Order::new(1, ADA) })]).await;
        let hold = shop.pick(ADA, "points", Some(500)).await.unwrap();
        shop.take(vec![shop.order(&redeeming(2, ADA, &hold, "5.00"))]).await;
        shop.take(vec![shop.refund(&refund(5, 1, &[(11, 1, "500.00")])), shop.order(&Order::new(3, BOB))])
            .await;
        assert_eq!((shop.points(ADA).await.0, shop.points(BOB).await.0), (-405, 100));
        let mut read = test.db.read(shop.id).await.unwrap();
        let mut books = Books::open(&mut read, shop.id, None, shop.now).await.unwrap();
        let told = books.liability(None, None).await.unwrap();
        assert_eq!((told.outstanding, told.owed), (-305, 405));
        assert_eq!(told.face_value_minor, 100 * told.rate_minor / told.rate_points, "what Bob has");
    });
}

#[test]
fn the_command_prints_a_report_and_ends() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        door.staff(42, Method::GET, "/api/me", &Value::Null).await.json();
        let of = Of { shop: SHOP.to_owned(), as_of: None };
        let printed = command::run(&door.app, FinanceCommand::Expiry(of));
        tokio::time::timeout(Duration::from_secs(60), printed).await.expect("it ends").unwrap();
    });
}

#[test]
fn staff_get_every_report_as_json_and_as_a_table() {
    on_both_engines(async |test| {
        let door = Door::new(test).await;
        door.staff(42, Method::GET, "/api/me", &Value::Null).await.json();
        let shop = door.app.shops.find_by_domain(&SHOP.parse().unwrap()).await.unwrap().unwrap();
        let till = Shop { db: &test.db, id: shop.id, now: door.now() };
        till.set_program(|_| ()).await;
        till.take((1..=9).map(|id| till.order(&Order::new(id, ADA))).collect()).await;
        for report in ["roll-forward", "cohorts", "triangle", "expiry", "liability"] {
            let path = format!("/api/finance/{report}");
            let lines = door.staff(42, Method::GET, &path, &Value::Null).await.json();
            assert_eq!(lines["lines"].as_array().unwrap().len(), 1, "{report}: {lines}");
            let token = door.shop.session_token(Surface::Admin(42));
            let request = Request::get(&path)
                .header("authorization", format!("Bearer {token}"))
                .header("accept", "text/csv");
            let table = door.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(table.status, StatusCode::OK);
            assert_eq!(table.body.lines().count(), 2, "{report}: {}", table.body);
        }
        let liability = |query: &str| {
            let path = format!("/api/finance/liability?{query}");
            let door = &door;
            async move { door.staff(42, Method::GET, &path, &Value::Null).await }
        };
        let told = liability("points=100&minor=100&allocated=9000&expected=9700").await.json();
        assert_eq!(told["lines"][0]["face_value_minor"], json!(900));
        assert_eq!(told["lines"][0]["deferred_minor"], json!(9_000));
        for wrong in ["points=100", "points=0&minor=1", "allocated=1", "as_of=yesterday", "other=1"] {
            let answered = liability(wrong).await;
            assert_eq!(answered.problem(), (400, "bad_parameter".into()), "{wrong}");
        }
        till.set_program(|program| program.rewards.clear()).await;
        assert_eq!(liability("").await.problem(), (422, "no_value".into()));
    });
}
