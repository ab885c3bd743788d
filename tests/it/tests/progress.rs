//! How far a member is from tier to tier, as their account shows it.

use axum::http::Method;
use loyalnest::campaigns;
use loyalnest::history::{self, Past};
use loyalnest::ids::{CustomerId, OrderId};
use loyalty::multiplier::Factor;
use loyalty::tier::{Measure, Threshold};
use loyalty::{Points, Tier};
use serde_json::{Value, json};

use crate::support::counter::Counter;
use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};

const ADA: i64 = 4_101_101;

fn tier(id: &str, threshold: Option<(Measure, i64)>) -> Tier {
    let threshold = threshold.map(|(measure, at_least)| Threshold { measure, at_least, days: 365 });
    Tier { id: id.into(), name: id.to_uppercase(), threshold, earn_factor: Factor::ONE, perks: Vec::new() }
}

impl Counter {
    async fn progress(&self) -> Value {
        self.proxy(ADA, Method::GET, "/proxy/tier", &Value::Null).await.json()
    }

    async fn belongs_to(&self, tier: Option<&str>) {
        let member = self.member(ADA).await;
        let mut tx = self.door.app.db.begin(self.id).await.unwrap();
        campaigns::assign(&mut tx, self.id, member, tier, self.door.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn ordered(&self, order: &Order) {
        let id = order.id.to_string();
        assert_eq!(self.door.webhook(&id, "orders/create", self.door.now(), &order.payload()).await, 200);
    }

    /// An order from before the app.
    async fn had_ordered(&self, placed_at: &str, paid: i64) {
        let past = Past {
            order: OrderId(77),
            customer: CustomerId(ADA),
            placed_at: placed_at.parse().unwrap(),
            kept: Some(paid),
            as_of: self.door.now(),
        };
        let mut tx = self.door.app.db.begin(self.id).await.unwrap();
        history::take(&mut tx, self.id, &[past], None, self.door.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// What counts today and goes back a year.
fn spend(at_least: i64, has: i64, until: Option<&str>) -> Value {
    let (missing, from) = ((at_least - has).max(0), "2025-11-24");
    json!({"measure": "spend", "at_least": at_least, "from": from, "has": has, "missing": missing, "until": until})
}

#[test]
fn a_member_sees_what_the_next_tier_takes_and_until_when_there_is_enough_for_their_own() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter
            .set_program(|program| {
                let [tin, gold] = [5_000, 20_000].map(|least| Some((Measure::Spend, least)));
                program.tiers = vec![tier("tin", tin), tier("gold", gold), tier("friends", None)];
            })
            .await;
        let at = |tier: Value, next: Value| json!({"currency": "GBP", "tier": tier, "next": next, "is_highest": false});
        let tin = |takes: Value| json!({"id": "tin", "name": "TIN", "takes": takes});
        let gold = |takes: Value| json!({"id": "gold", "name": "GOLD", "takes": takes});
        let nothing = at(Value::Null, tin(spend(5_000, 0, None)));
        assert_eq!(counter.progress().await, nothing, "of whom nothing is known");

        // A hundred pounds on 22 November.
        counter.ordered(&Order::new(1, ADA)).await;
        let enough = Some("2027-11-22");
        assert_eq!(
            counter.progress().await,
            at(Value::Null, tin(spend(5_000, 10_000, enough))),
            "staff say who moves up"
        );
        counter.belongs_to(Some("tin")).await;
        assert_eq!(
            counter.progress().await,
            at(tin(spend(5_000, 10_000, enough)), gold(spend(20_000, 10_000, None)))
        );

        // What comes back counts no more; what was bought before the app does, as long as its year lasts.
        let back = refund(5, 1, &[(11, 1, "25.00")]);
        assert_eq!(counter.door.webhook("5", "refunds/create", counter.door.now(), &back).await, 200);
        counter.had_ordered("2025-11-24T10:00:00Z", 3_000).await;
        assert_eq!(
            counter.progress().await,
            at(tin(spend(5_000, 10_500, enough)), gold(spend(20_000, 10_500, None)))
        );
        counter.door.advance(jiff::SignedDuration::from_hours(24));
        let tomorrow = |mut takes: Value| {
            takes["from"] = json!("2025-11-25");
            takes
        };
        let short = || gold(tomorrow(spend(20_000, 7_500, None)));
        assert_eq!(counter.progress().await["next"], short(), "its year is over");

        // Not enough any more for the own one, which stays until staff say otherwise.
        counter.belongs_to(Some("gold")).await;
        assert_eq!(counter.progress().await, at(short(), Value::Null));
        counter.belongs_to(Some("friends")).await;
        let highest = json!({"id": "friends", "name": "FRIENDS", "takes": null});
        let expected = json!({"currency": "GBP", "tier": highest, "next": null, "is_highest": true});
        assert_eq!(counter.progress().await, expected);

        // A tier that the program has lost has no name, and none above it.
        counter.set_program(|program| program.tiers.truncate(2)).await;
        assert_eq!(counter.progress().await, at(Value::Null, Value::Null));
        counter.set_program(|program| program.tiers.clear()).await;
        assert_eq!(counter.progress().await, at(Value::Null, Value::Null));
        counter.is_sound().await;
    });
}

#[test]
fn points_that_arrived_count_with_bonuses_and_without_what_staff_gave() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter
            .set_program(|program| {
                program.tiers = vec![tier("tin", Some((Measure::Points, 500)))];
                program.bonuses.first_order = Some(Points::new(25).unwrap());
            })
            .await;
        let has = async || counter.progress().await["next"]["takes"]["has"].clone();
        counter.ordered(&Order { status: "pending", ..Order::new(1, ADA) }).await;
        assert_eq!(has().await, 0, "they wait for the payment");
        let paid = Order { updated_at: "2026-11-22T11:00:00Z".into(), ..Order::new(1, ADA) };
        assert_eq!(counter.door.webhook("2", "orders/paid", counter.door.now(), &paid.payload()).await, 200);
        assert_eq!(has().await, 125);
        let given = json!({"points": 300, "reason": "goodwill"});
        counter.post(&format!("/api/members/{ADA}/adjustments"), "1", &given).await.json();
        assert_eq!(has().await, 125);
        counter.is_sound().await;
    });
}
