//! What tills did offline: in order, once, and beside the order's webhook, whichever comes first.

use axum::http::Method;
use devshop::{Channel, NewCart, PlaceOptions, RefundRequest};
use jiff::SignedDuration;
use loyalnest::customers;
use loyalnest::db;
use loyalnest::ids::CustomerId;
use serde_json::{Value, json};

use crate::support::counter::{CLERK, Counter, OWNER};
use crate::support::house::House;
use crate::support::on_both_engines;
use crate::support::orders::Order;

const ADA: i64 = 4_101_101;
const BOB: i64 = 4_202_202;
const DAY: SignedDuration = SignedDuration::from_hours(24);

async fn send(counter: &Counter, operations: &[Value]) -> Value {
    let body = json!({"device": "till-7", "operations": operations});
    counter.door.staff(OWNER, Method::POST, "/api/pos/queue", &body).await.json()
}

/// State and code of each, and which one comes next.
async fn told(counter: &Counter, operations: &[Value]) -> (Vec<(String, String)>, i64) {
    let answers = send(counter, operations).await;
    let text = |answer: &Value, field: &str| answer[field].as_str().unwrap().to_owned();
    let results = answers["results"].as_array().unwrap().iter().map(|answer| {
        assert!(!text(answer, "because").is_empty());
        (text(answer, "state"), text(answer, "code"))
    });
    (results.collect(), answers["next"].as_i64().unwrap())
}

fn one(state: &str, code: &str) -> Vec<(String, String)> {
    vec![(state.into(), code.into())]
}

impl Counter {
    fn operation(&self, sequence: i64, mut act: Value) -> Value {
        act["sequence"] = json!(sequence);
        act["at"] = json!(self.door.now());
        act
    }

    fn earn(&self, sequence: i64, order: i64, customer: i64) -> Value {
        self.operation(sequence, json!({"kind": "earn", "order": order, "customer": customer}))
    }

    async fn webhook(&self, id: &str, order: &Order) {
        let topic = "orders/create";
        assert_eq!(self.door.webhook(id, topic, self.door.now(), &order.payload()).await, 200);
    }
}

#[test]
fn an_order_earns_once_whichever_of_till_and_webhook_comes_first() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let first = counter.earn(1, 1, ADA);
        assert_eq!(told(&counter, std::slice::from_ref(&first)).await, (one("waiting", "order_awaited"), 2));
        counter.webhook("w1", &Order::new(1, ADA)).await;
        counter.webhook("w2", &Order::new(2, ADA)).await;
        let second = counter.earn(2, 2, ADA);
        for _ in 0..2 {
            let answers = send(&counter, &[first.clone(), second.clone()]).await;
            for answer in answers["results"].as_array().unwrap() {
                assert_eq!((&answer["code"], &answer["points"]), (&json!("earned"), &json!(100)));
            }
            assert_eq!(answers["next"], 3);
        }
        assert_eq!(counter.points(ADA).await, (200, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn operations_are_taken_in_order_and_a_gap_is_named() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let enrol = |sequence, customer: i64| {
            counter.operation(sequence, json!({"kind": "enrol", "customer": customer}))
        };
        let (first, third) = (enrol(1, ADA), enrol(3, BOB));
        let (results, next) = told(&counter, &[first.clone(), third.clone()]).await;
        assert_eq!(results, [one("done", "enrolled"), one("refused", "missing")].concat());
        assert_eq!(next, 2);
        let member = async |customer| {
            let mut read = test.db.read(counter.id).await.unwrap();
            customers::member(&mut read, counter.id, CustomerId(customer)).await.unwrap()
        };
        assert!(member(ADA).await.is_some() && member(BOB).await.is_none());
        // What another till does is another line.
        let other = json!({"device": "till-8", "operations": [first]});
        let other = counter.door.staff(OWNER, Method::POST, "/api/pos/queue", &other).await.json();
        assert_eq!(other["next"], 2);
        let lost = counter.operation(2, json!({"kind": "lost"}));
        let (results, next) = told(&counter, &[lost, third.clone(), third]).await;
        assert_eq!(results, [one("done", "lost"), one("done", "enrolled"), one("done", "enrolled")].concat());
        assert_eq!(next, 4);
        assert!(member(BOB).await.is_some());
        assert_eq!(told(&counter, &[enrol(3, ADA)]).await, (one("refused", "sequence_reused"), 4));
    });
}

#[test]
fn the_same_queue_from_two_requests_at_once_is_taken_once() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.webhook("w1", &Order::new(1, ADA)).await;
        let operations: Vec<Value> = (1..=20)
            .map(|sequence| match sequence {
                1 => counter.earn(1, 1, ADA),
                sequence => counter.operation(sequence, json!({"kind": "enrol", "customer": ADA + sequence})),
            })
            .collect();
        let (one, other) = tokio::join!(send(&counter, &operations), send(&counter, &operations));
        assert_eq!(one["next"], 21);
        assert_eq!(one["results"], other["results"]);
        assert_eq!(counter.points(ADA).await, (100, 0, 0));
        counter.is_sound().await;
    });
}

#[test]
fn what_cannot_be_done_is_said_in_words_and_stays_said() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.webhook("w1", &Order::new(1, BOB)).await;
        counter.webhook("w2", &Order { customer: None, ..Order::new(2, 0) }).await;
        counter.webhook("w3", &Order { cancelled: true, ..Order::new(3, ADA) }).await;
        let redeem = json!({"kind": "redeem", "customer": ADA, "reward": "five-off"});
        let long_ago = json!(counter.door.now() - DAY * 30 - SignedDuration::from_secs(1));
        let mut stale = counter.earn(5, 9, ADA);
        stale["at"] = long_ago;
        let operations = [
            counter.earn(1, 1, ADA),
            counter.earn(2, 2, ADA),
            counter.earn(3, 3, ADA),
            counter.operation(4, redeem),
            stale,
            counter.earn(6, 6, ADA),
        ];
        let (results, next) = told(&counter, &operations).await;
        let expected = [
            one("refused", "other_customer"),
            one("refused", "no_customer"),
            one("done", "nothing_earned"),
            one("refused", "offline"),
            one("refused", "stale"),
            one("waiting", "order_awaited"),
        ];
        assert_eq!((results, next), (expected.concat(), 7));
        // A week later Shopify has not told of the sixth; the others stay what they were.
        counter.door.advance(DAY * 7 + SignedDuration::from_secs(1));
        counter.webhook("w4", &Order::new(9, ADA)).await;
        let (results, _) = told(&counter, &operations).await;
        assert_eq!(results[..5], expected.concat()[..5]);
        assert_eq!(results[5..], one("refused", "order_unknown"));
        assert_eq!(counter.points(ADA).await, (100, 0, 0), "the webhook is the truth");
        counter.is_sound().await;
    });
}

#[test]
fn an_order_that_a_till_with_a_clock_ahead_told_of_is_not_awaited_longer_than_any_other() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let mut ahead = counter.earn(1, 9, ADA);
        ahead["at"] = json!(counter.door.now() + DAY * 365);
        assert_eq!(told(&counter, std::slice::from_ref(&ahead)).await, (one("waiting", "order_awaited"), 2));
        counter.door.advance(DAY * 7 + SignedDuration::from_secs(1));
        assert_eq!(told(&counter, &[ahead]).await, (one("refused", "order_unknown"), 2));
    });
}

#[test]
fn a_queue_that_is_none_is_refused_as_a_whole() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let enrol = |sequence| counter.operation(sequence, json!({"kind": "enrol", "customer": ADA}));
        let refused = async |body: Value| {
            counter.door.staff(OWNER, Method::POST, "/api/pos/queue", &body).await.problem()
        };
        let many: Vec<Value> = (1..=101).map(enrol).collect();
        for (body, code) in [
            (json!({"device": "", "operations": [enrol(1)]}), (422, "bad_device")),
            (json!({"device": "a b", "operations": [enrol(1)]}), (422, "bad_device")),
            (json!({"device": "d".repeat(65), "operations": [enrol(1)]}), (422, "bad_device")),
            (json!({"device": "d", "operations": []}), (422, "bad_queue")),
            (json!({"device": "d", "operations": many}), (422, "bad_queue")),
            (json!({"device": "d", "operations": [enrol(1), enrol(0)]}), (422, "bad_queue")),
            (json!({"device": "d", "operations": [enrol(i64::MAX)]}), (422, "bad_queue")),
            (
                json!({"device": "d", "operations": [counter.operation(1, json!({"kind": "enrol", "customer": 0}))]}),
                (422, "bad_queue"),
            ),
            (json!({"device": "d", "operations": [{"sequence": 1, "kind": "enrol"}]}), (400, "bad_body")),
            (
                json!({"device": "d", "operations": [counter.operation(1, json!({"kind": "moon"}))]}),
                (400, "bad_body"),
            ),
        ] {
            assert_eq!(refused(body.clone()).await, (code.0, code.1.into()), "{body}");
        }
        let role = json!({"role": "viewer"});
        counter.door.staff(OWNER, Method::PUT, &format!("/api/staff/{CLERK}/role"), &role).await.json();
        let body = json!({"device": "d", "operations": [enrol(1)]});
        let clerk = counter.door.staff(CLERK, Method::POST, "/api/pos/queue", &body).await;
        assert_eq!(clerk.problem(), (403, "forbidden_role".into()));
    });
}

#[test]
fn the_entries_of_an_order_name_the_till_where_it_was_placed() {
    on_both_engines(async |test| {
        let house = House::open(test).await;
        let ada = house.customer(0).await;
        for (channel, source) in [(Channel::Pos(3), "pos"), (Channel::Online, "shopify")] {
            let cart = house.shop.new_cart(NewCart { channel, ..NewCart::of(ada) }).unwrap().token;
            house.shop.add_to_cart(&cart, house.mug, 1).unwrap();
            let order = house.shop.place_order(&cart, PlaceOptions::default()).unwrap();
            house.settle().await;
            let back = RefundRequest { lines: vec![(order.lines[0].id, 1)], ..RefundRequest::default() };
            house.shop.refund(order.id, &back).unwrap();
            house.settle().await;
            let mut read = house.app.db.read(house.shop_id).await.unwrap();
            let entries: Vec<(String, String)> = db!(
                read.all,
                "select kind, source from points_entries where shop_id = $1 and source_id like $2 order by seq",
                house.shop_id,
                format!("order:{}#%", order.id)
            )
            .unwrap();
            let kinds =
                [("earn", source), ("reverse", source)].map(|(kind, source)| (kind.into(), source.into()));
            assert_eq!(entries, kinds, "{source}");
        }
        house.is_sound().await;
    });
}
