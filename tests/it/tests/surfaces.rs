//! What thank-you, order status and account pages ask for.

use axum::http::Method;
use devshop::Surface;
use jiff::SignedDuration;
use loyalnest::campaigns;
use loyalty::bonus::BirthdayBonus;
use loyalty::reward::{Amounts, Benefit};
use loyalty::rule::Guests;
use loyalty::{Gate, Points, Reward, Tier};
use serde_json::{Value, json};

use crate::support::app::Answered;
use crate::support::counter::Counter;
use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};

const ADA: i64 = 4_101_101;
const BOB: i64 = 4_202_202;
const PAYOUT: &str = "0197d0a0-0000-7000-8000-000000000001";

fn points(points: i64) -> Points {
    Points::new(points).unwrap()
}

impl Counter {
    /// What a customer's page asks for.
    async fn asks(&self, customer: i64, path: &str) -> Answered {
        self.proxy(customer, Method::GET, &format!("/proxy{path}"), &Value::Null).await
    }

    async fn told_of(&self, id: &str, topic: &str, body: &Value) {
        self.door.advance(SignedDuration::from_secs(1));
        assert_eq!(self.door.webhook(id, topic, self.door.now(), body).await, 200);
    }

    async fn given(&self, customer: i64, key: &str, points: i64) {
        let path = format!("/api/members/{customer}/adjustments");
        self.post(&path, key, &json!({"points": points, "reason": "goodwill"})).await.json();
    }
}

#[test]
fn an_account_shows_tier_birthday_and_whatever_is_under_way() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let value = Amounts::from([(loyalty::Currency::parse("GBP").unwrap(), 500)]);
        counter
            .set_program(|program| {
                program.tiers = vec![Tier {
                    id: "gold".into(),
                    name: "Gold leaf".into(),
                    threshold: None,
                    earn_factor: Default::default(),
                    perks: Vec::new(),
                }];
                program.bonuses.birthday = Some(BirthdayBonus { points: points(50), days_ahead: 30 });
                program.rewards.push(Reward {
                    id: "credit".into(),
                    name: "Store credit".into(),
                    points: points(450),
                    benefit: Benefit::StoreCredit { value },
                    min: Amounts::new(),
                    gate: Gate::default(),
                });
            })
            .await;
        let nothing = counter.asks(ADA, "/account").await.json();
        let expected = json!({"points": 0, "pending": 0, "held": 0, "seq": 0, "next": null, "redemption": null,
                              "payout": null, "tier": null, "birthday": {"told": false, "bonus": 50}});
        assert_eq!(nothing, expected, "of whom nothing is known");

        let member = counter.member(ADA).await;
        counter.given(ADA, "1", 1_000).await;
        let mut tx = counter.door.app.db.begin(counter.id).await.unwrap();
        campaigns::assign(&mut tx, counter.id, member, Some("gold"), counter.door.now()).await.unwrap();
        tx.commit().await.unwrap();
        let told = json!({"birthday": "05-27"});
        counter.proxy(ADA, Method::POST, "/proxy/birthday", &told).await.json();
        let wanted = json!({"id": PAYOUT, "reward": "credit", "currency": "GBP"});
        counter.proxy(ADA, Method::POST, "/proxy/payouts", &wanted).await.json();
        let wish = json!({"reward": "points", "points": 100, "currency": "GBP"});
        counter.proxy(ADA, Method::POST, "/proxy/redemptions", &wish).await.json();
        let account = counter.asks(ADA, "/account").await.json();
        assert_eq!((&account["points"], &account["held"]), (&json!(450), &json!(550)));
        assert_eq!(account["tier"], json!({"id": "gold", "name": "Gold leaf"}));
        assert_eq!(account["birthday"], json!({"told": true, "bonus": 50}));
        assert_eq!(
            (&account["payout"]["id"], &account["payout"]["state"]),
            (&json!(PAYOUT), &json!("asked"))
        );
        assert_eq!(account["payout"]["value"], 500);
        assert_eq!(account["redemption"]["state"], "opening", "the shop knows her not, so nothing shows it");

        // What is settled is under way no more, and a tier that the program has lost has no name.
        counter.door.app.tasks.run_due(&counter.door.app).await.unwrap();
        counter
            .set_program(|program| {
                program.tiers.clear();
                program.bonuses.birthday = None;
            })
            .await;
        let account = counter.asks(ADA, "/account").await.json();
        assert_eq!((&account["payout"], &account["tier"]), (&Value::Null, &Value::Null));
        assert_eq!(account["birthday"], json!({"told": true, "bonus": null}));
        counter.is_sound().await;
    });
}

#[test]
fn a_thank_you_page_asks_until_the_order_is_told_of() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter
            .set_program(|program| {
                program.earn.wait.days = 14;
                program.bonuses.first_order = Some(points(25));
            })
            .await;
        let not_yet = (404, "order_not_yet_known".to_owned());
        let early = counter.asks(ADA, "/orders/1/points").await;
        assert_eq!(early.problem(), not_yet, "nobody has told of it, nor of her");
        assert_eq!(early.retry_after.as_deref(), Some("2"));
        for number in ["x", "1.0", "9223372036854775808", "gid:1"] {
            let problem = counter.asks(ADA, &format!("/orders/{number}/points")).await.problem();
            assert_eq!(problem, (404, "unknown_order".into()), "{number}");
        }
        // Its refund comes first.
        counter.told_of("0", "refunds/create", &refund(5, 1, &[(11, 1, "25.00")])).await;
        assert_eq!(counter.asks(ADA, "/orders/1/points").await.problem(), not_yet);

        let unpaid = Order { status: "pending", ..Order::new(1, ADA) };
        counter.told_of("1", "orders/create", &unpaid.payload()).await;
        let shown = counter.asks(ADA, "/orders/1/points").await.json();
        let wait = json!({"until": "paid", "days": 14});
        let expected = |pending: i64, ripe_at: Value| {
            json!({"order": "1", "posted": 0, "pending": pending, "wait": wait, "ripe_at": ripe_at,
                   "void": false, "first_order": 25})
        };
        assert_eq!(shown, expected(75, Value::Null), "25 of a hundred pounds came back");
        let paid = Order { updated_at: counter.door.now().to_string(), ..Order::new(1, ADA) };
        counter.told_of("2", "orders/paid", &paid.payload()).await;
        let shown = counter.asks(ADA, "/orders/1/points").await.json();
        assert!(shown["ripe_at"].is_string(), "{shown}");
        assert_eq!(shown, expected(75, shown["ripe_at"].clone()));

        // Of somebody else's order not even that it is there is told.
        counter.told_of("3", "orders/create", &Order::new(2, BOB).payload()).await;
        assert_eq!(counter.asks(ADA, "/orders/2/points").await.problem(), not_yet);
        assert_eq!(counter.asks(BOB, "/orders/1/points").await.problem(), not_yet);
        counter.asks(BOB, "/orders/2/points").await.json();
        let nobodys = Order { customer: None, ..Order::new(3, ADA) };
        counter.told_of("4", "orders/create", &nobodys.payload()).await;
        assert_eq!(counter.asks(ADA, "/orders/3/points").await.problem(), not_yet);

        let at = counter.door.now().to_string();
        let cancelled = Order { cancelled: true, updated_at: at, ..Order::new(1, ADA) };
        counter.told_of("5", "orders/cancelled", &cancelled.payload()).await;
        let shown = counter.asks(ADA, "/orders/1/points").await.json();
        assert_eq!(
            (&shown["void"], &shown["pending"], &shown["posted"]),
            (&json!(true), &json!(0), &json!(0))
        );
        assert_eq!(shown["first_order"], Value::Null, "nothing is left of it");
        counter.is_sound().await;
    });
}

#[test]
fn a_history_is_read_page_by_page_while_more_is_booked() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.member(ADA).await;
        for key in 0..7 {
            counter.given(ADA, &format!("{key}"), 10 + key).await;
        }
        let all = counter.asks(ADA, "/history").await.json();
        let page = async |query: String| -> Vec<Value> {
            let query = counter.door.shop.signed_proxy_query(Some(ADA as u64), &form(&query));
            let request = axum::http::Request::get(format!("/proxy/history?{query}"));
            let answered = counter.door.send(request.body(axum::body::Body::empty()).unwrap()).await;
            answered.json().as_array().unwrap().clone()
        };
        let (mut read, mut before) = (Vec::new(), None);
        loop {
            let cursor: String = before.map(|seq: i64| format!("&before={seq}")).unwrap_or_default();
            let lines = page(format!("limit=3{cursor}")).await;
            before = lines.last().and_then(|line| line["seq"].as_i64());
            let is_last = lines.len() < 3;
            read.extend(lines);
            if is_last {
                break;
            }
            // What is booked meanwhile is newer than what is still to come.
            counter.given(ADA, &format!("meanwhile-{}", read.len()), 1).await;
        }
        assert_eq!(json!(read), all, "each entry once, and none of those that came later");
        assert_eq!(page("before=1".into()).await, Vec::<Value>::new());
        assert_eq!(page("limit=100".into()).await.len(), 9);
        for wrong in ["limit=0", "limit=101", "limit=-1", "limit=x", "before=x", "before=1.5"] {
            let token = counter.door.shop.session_token(Surface::CustomerAccount(ADA as u64));
            let path = format!("/history?{wrong}");
            let refused = counter.door.extension(&token, Method::GET, &path, &Value::Null).await;
            assert_eq!(refused.problem(), (400, "bad_parameter".into()), "{wrong}");
        }
        assert_eq!(counter.asks(BOB, "/history").await.json(), json!([]), "of whom nothing is known");
    });
}

fn form(query: &str) -> Vec<(&str, &str)> {
    query.split('&').filter_map(|pair| pair.split_once('=')).collect()
}

#[test]
fn a_guest_is_told_what_joining_brings() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let guest = counter.door.shop.session_token(Surface::Checkout(None));
        let ask = async |token: &str| {
            counter.door.extension(token, Method::GET, "/joining", &Value::Null).await.json()
        };
        let plain = json!({"offered": true, "guests": "earn", "sign_up": null, "first_order": null,
                           "birthday": null});
        assert_eq!(ask(&guest).await, plain);
        counter
            .set_program(|program| {
                program.earn.guests = Guests::EarnNothing;
                program.bonuses.sign_up = Some(points(200));
                program.bonuses.first_order = Some(points(25));
                program.bonuses.birthday = Some(BirthdayBonus { points: points(50), days_ahead: 30 });
            })
            .await;
        let brings = json!({"offered": true, "guests": "earn_nothing", "sign_up": 200, "first_order": 25,
                            "birthday": 50});
        assert_eq!(ask(&guest).await, brings);
        let joined = ask(&counter.door.shop.session_token(Surface::Checkout(Some(ADA as u64)))).await;
        assert_eq!(joined["offered"], false, "whoever is signed in");
    });
}

#[test]
fn a_redemption_is_looked_up_by_whom_it_belongs_to() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        for customer in [ADA, BOB] {
            counter.member(customer).await;
        }
        counter.given(ADA, "1", 1_000).await;
        let wish = json!({"reward": "points", "points": 100, "currency": "GBP"});
        let picked = counter.proxy(ADA, Method::POST, "/proxy/redemptions", &wish).await.json();
        let path = format!("/redemptions/{}", picked["id"].as_str().unwrap());
        assert_eq!(counter.asks(ADA, &path).await.json(), picked);
        for (customer, path) in [
            (BOB, path.as_str()),
            (9, path.as_str()),
            (ADA, "/redemptions/00000000000000000000000000000abc"),
            (ADA, "/redemptions/x"),
        ] {
            let refused = counter.asks(customer, path).await;
            assert_eq!(refused.problem(), (404, "unknown_redemption".into()), "{customer} {path}");
        }
        counter.proxy(ADA, Method::DELETE, &format!("/proxy{path}"), &Value::Null).await.json();
        let closing = counter.asks(ADA, &path).await.json();
        assert_eq!((&closing["state"], closing.get("mark")), (&json!("closing"), None));
    });
}

#[test]
fn whoever_is_signed_in_has_an_account_whatever_they_ask_for_first() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        let value = Amounts::from([(loyalty::Currency::parse("GBP").unwrap(), 100)]);
        counter
            .set_program(|program| {
                let standard = program.rewards[0].clone();
                let benefit = Benefit::StoreCredit { value };
                program.rewards =
                    vec![Reward { id: "credit".into(), points: points(10), benefit, ..standard }];
            })
            .await;
        for (customer, order) in [(ADA, 1), (BOB, 2)] {
            let mut body = Order::new(order, customer).payload();
            body["customer"]["state"] = json!("disabled");
            counter.told_of(&order.to_string(), "orders/create", &body).await;
            assert_eq!(counter.points(customer).await, (100, 0, 0));
        }
        let offers = counter.asks(ADA, "/rewards").await.json();
        assert_eq!(offers[0]["refused"], Value::Null, "{offers}");
        assert_eq!(offers[0]["min"], json!({}));
        let wanted = json!({"id": PAYOUT, "reward": "credit", "currency": "GBP"});
        let asked = counter.proxy(BOB, Method::POST, "/proxy/payouts", &wanted).await;
        assert_eq!((asked.status.as_u16(), &asked.json()["state"]), (202, &json!("asked")));
        counter.is_sound().await;
    });
}
