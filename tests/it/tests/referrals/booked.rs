//! What the friend's orders make of a referral.

use jiff::SignedDuration;
use loyalnest::db;
use loyalnest::db::Timestamp;
use loyalnest::events::Kind;
use loyalnest::ids::OrderId;
use loyalnest::orders::Incoming;
use loyalnest::referrals;
use loyalty::limit::{Limit, Period};
use loyalty::program::ReturnPolicy;
use serde_json::json;

use super::{ADA, BOB, EVE, LATER, opened, order};
use crate::support::counter::Counter;
use crate::support::on_both_engines;
use crate::support::orders::{Order, refund};

const NOTHING: (i64, i64) = (0, 0);

impl Counter {
    /// How often it was told that a referral gives nothing any more.
    async fn reversed(&self) -> i64 {
        let mut read = self.door.app.db.read_outside().await.unwrap();
        let (told,): (i64,) = db!(
            read.one,
            "select count(*) from events_outbox where kind = $1 and shop_id = $2",
            Kind::ReferralReversed,
            self.id
        )
        .unwrap();
        told
    }

    async fn lapse(&self) -> usize {
        referrals::lapse(&self.door.app.db, self.id, self.door.now()).await.unwrap()
    }
}

/// A refund of everything that such an order has.
fn all_back(id: i64, order: i64) -> serde_json::Value {
    refund(id, order, &[(order * 10 + 1, 2, "50.00"), (order * 10 + 2, 1, "50.00")])
}

#[test]
fn the_friends_first_order_gives_to_both_and_takes_back_with_it() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.sends(ADA, BOB).await;
        let unpaid = Order { status: "pending", ..order(1, BOB) };
        counter.take_order(&unpaid).await;
        assert_eq!(counter.have(ADA, BOB).await, [(0, 200), (0, 100)]);
        assert_eq!(counter.sent_by(BOB).await["state"], "pending");
        let paid = Order { updated_at: "2026-11-23T14:00:00Z".into(), ..order(1, BOB) };
        for _ in 0..2 {
            counter.take_order(&paid).await;
            assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
            assert_eq!(counter.sent_by(BOB).await["state"], "completed");
            counter.is_sound().await;
        }
        // A second order changes nothing; once the first is gone, the referral is for the second.
        counter.take_order(&order(2, BOB)).await;
        assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
        counter.take(vec![counter.back(&all_back(7, 1))]).await;
        assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
        assert_eq!(counter.sent_by(BOB).await["order"], 2);
        counter.take(vec![counter.back(&all_back(8, 2))]).await;
        assert_eq!(counter.have(ADA, BOB).await, [NOTHING, NOTHING]);
        assert_eq!(counter.sent_by(BOB).await["state"], "waiting");
        counter.take_order(&order(3, BOB)).await;
        assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
        counter.is_sound().await;
    });
}

#[test]
fn what_is_left_of_the_order_must_come_to_what_was_asked_for() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.sends(ADA, BOB).await;
        counter.take_order(&order(1, BOB)).await;
        // 25 pounds are left, then none of the twenty that were asked for.
        let some = refund(7, 1, &[(12, 1, "50.00"), (11, 1, "25.00")]);
        counter.take(vec![counter.back(&some)]).await;
        assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
        counter.take(vec![counter.back(&refund(8, 1, &[(11, 0, "10.00")]))]).await;
        assert_eq!(counter.have(ADA, BOB).await, [NOTHING, NOTHING]);
        assert_eq!(counter.sent_by(BOB).await["state"], "waiting");
        counter.is_sound().await;
    });
}

#[test]
fn an_order_says_who_sent_its_customer_who_need_not() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let code = counter.code(ADA).await;
        let sent = Order { referral: Some(code.to_lowercase()), ..order(1, BOB) };
        // The payment is told before the order, both are told twice, and the refund comes first of all.
        let all =
            [counter.back(&refund(7, 1, &[(11, 1, "25.00")])), counter.heard(&sent), counter.heard(&sent)];
        counter.take(all.to_vec()).await;
        counter.take_order(&sent).await;
        assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
        // Whoever is known was not sent, and nonsense is nothing.
        for (id, customer, code) in
            [(2, BOB, &code), (3, EVE, &"nonsense".into()), (4, EVE, &"22222222".into())]
        {
            counter.take_order(&Order { referral: Some(code.clone()), ..order(id, customer) }).await;
        }
        assert_eq!(counter.states().await, [("completed".into(), None)]);
        counter.is_sound().await;
    });
}

#[test]
fn what_gives_nothing_is_written_down_with_its_reason() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let (ada, bob) = (counter.code(ADA).await, counter.code(BOB).await);
        let by = |code: &str, order| Order { referral: Some(code.to_owned()), ..order };
        counter.take_order(&by(&ada, order(2, ADA))).await;
        assert_eq!(counter.states().await, [("refused".into(), Some("own_code".into()))]);
        // Of whom the app knows an order from before, the fold says it: that one may yet be gone.
        let before = Order { placed_at: "2026-11-23T11:00:00Z".into(), ..order(1, EVE) };
        counter.take(vec![counter.heard(&before), counter.heard(&by(&ada, order(3, EVE)))]).await;
        assert_eq!(counter.states().await[0], ("waiting".into(), None));
        assert_eq!(counter.have(ADA, EVE).await, [NOTHING, NOTHING]);
        counter.take(vec![counter.back(&all_back(9, 1))]).await;
        assert_eq!(counter.have(ADA, EVE).await, [(200, 0), (100, 0)]);
        counter.take(vec![counter.back(&all_back(8, 3))]).await;
        // Bob was sent by Ada: he cannot have sent her.
        counter.sends(ADA, BOB).await;
        counter.take_order(&by(&bob, order(4, ADA))).await;
        assert_eq!(counter.states().await[0], ("refused".into(), Some("circular".into())));
        assert_eq!(counter.have(ADA, BOB).await, [NOTHING, NOTHING]);
        counter.is_sound().await;
    });
}

#[test]
fn an_advocate_sends_as_many_as_the_program_lets_them() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter
            .set_program(|program| {
                program.referrals.as_mut().unwrap().limit = Some(Limit { most: 2, per: Period::Month });
            })
            .await;
        let code = counter.code(ADA).await;
        let sends = async |id: i64, placed_at: &str| {
            let order =
                Order { referral: Some(code.clone()), placed_at: placed_at.into(), ..order(id, EVE + id) };
            counter.take_order(&order).await;
        };
        for id in 1..=3 {
            sends(id, LATER).await;
        }
        assert_eq!(counter.points(ADA).await.0, 400);
        assert_eq!(counter.states().await[0], ("refused".into(), Some("limit_reached".into())));
        // The next month begins anew.
        counter.door.advance(SignedDuration::from_hours(24 * 9));
        sends(4, "2026-12-02T12:00:00Z").await;
        assert_eq!(counter.points(ADA).await.0, 600);
        counter.is_sound().await;
    });
}

#[test]
fn who_does_not_order_in_time_has_lapsed_and_a_webhook_that_was_late_counts() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.sends(ADA, BOB).await;
        counter.sends(ADA, EVE).await;
        counter.door.advance(SignedDuration::from_hours(24 * 30) - SignedDuration::from_secs(1));
        assert_eq!(counter.lapse().await, 0);
        counter.door.advance(SignedDuration::from_secs(1));
        assert_eq!((counter.lapse().await, counter.lapse().await), (2, 0));
        assert_eq!(counter.sent_by(BOB).await["state"], "lapsed");
        // Placed in time, told late; placed too late.
        counter.take_order(&order(1, BOB)).await;
        let late: Timestamp = counter.door.now();
        counter.take_order(&Order { placed_at: late.to_string(), ..order(2, EVE) }).await;
        assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
        assert_eq!(
            (counter.sent_by(BOB).await["state"].clone(), counter.points(EVE).await.0),
            ("completed".into(), 0)
        );
        assert_eq!(counter.sent_by(EVE).await["state"], "lapsed");
        counter.is_sound().await;
    });
}

#[test]
fn points_wait_as_long_as_the_program_says_and_a_return_meanwhile_takes_all_back() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.set_program(|program| program.referrals.as_mut().unwrap().wait_days = 14).await;
        counter.sends(ADA, BOB).await;
        counter.sends(ADA, EVE).await;
        counter.take(vec![counter.heard(&order(1, BOB)), counter.heard(&order(2, EVE))]).await;
        assert_eq!(counter.have(ADA, BOB).await, [(0, 400), (0, 100)]);
        counter.take(vec![counter.back(&all_back(7, 2))]).await;
        assert_eq!(counter.have(ADA, EVE).await, [(0, 200), NOTHING]);
        counter.door.advance(SignedDuration::from_hours(24 * 14) + SignedDuration::from_mins(59));
        assert_eq!(counter.lapse().await, 0);
        counter.is_sound().await;
        // Nobody has looked yet at what is due: it stands as it was left.
        counter.door.advance(SignedDuration::from_mins(1));
        counter.is_sound().await;
        assert_eq!((counter.lapse().await, counter.lapse().await), (1, 0));
        assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
        assert_eq!(counter.sent_by(BOB).await["state"], "completed");
        counter.is_sound().await;
    });
}

#[test]
fn whoever_bought_as_a_guest_may_say_it_before_their_order_does() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let code = counter.code(ADA).await;
        counter.door.advance(SignedDuration::from_hours(3));
        // Placed at one, said at three by whoever has signed in since, told of at last.
        counter.sends(ADA, BOB).await;
        counter.take_order(&Order { referral: Some(code), ..order(1, BOB) }).await;
        assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
        counter.is_sound().await;
    });
}

#[test]
fn what_was_promised_is_kept_whatever_the_program_says_later() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.sends(ADA, BOB).await;
        counter.set_program(|program| program.referrals = None).await;
        counter.take_order(&order(1, BOB)).await;
        assert_eq!(counter.have(ADA, BOB).await, [(200, 0), (100, 0)]);
        counter.is_sound().await;
    });
}

#[test]
fn of_customers_who_become_one_the_earlier_referral_stays() {
    on_both_engines(async |test| {
        for (policy, apart) in [(ReturnPolicy::WithinBalance, 0), (ReturnPolicy::NegativeAllowed, 100)] {
            let counter = opened(test).await;
            let [ada, bob, eve, dan, fay] =
                [ADA, BOB, EVE, EVE + 1, EVE + 2].map(|customer| customer + apart);
            let (first, second) = (order(apart + 1, bob), order(apart + 2, dan));
            counter.set_program(|program| program.returns = policy).await;
            // Ada sent Bob, and Eve sent Dan: Bob and Dan are one, whom Ada sent first.
            counter.sends(ada, bob).await;
            counter.door.advance(SignedDuration::from_secs(1));
            counter.sends(eve, dan).await;
            counter.take(vec![counter.heard(&first), counter.heard(&second)]).await;
            assert_eq!(counter.have(eve, dan).await, [(200, 0), (100, 0)]);
            counter.merge(bob, dan).await;
            assert_eq!(counter.have(ada, dan).await, [(200, 0), (100, 0)]);
            assert_eq!(counter.points(eve).await.0, 0);
            let states = counter.states().await;
            assert_eq!(states[..2], [("refused".into(), Some("merged".into())), ("completed".into(), None)]);
            let told = counter.reversed().await;
            counter.is_sound().await;
            // Both of Ada's codes lead to whoever was kept, and who has sent themselves has sent nobody.
            let code = counter.code(ada).await;
            counter.merge(ada, fay).await;
            assert_eq!(counter.code(fay).await, code);
            assert_eq!(counter.have(fay, dan).await, [(200, 0), (100, 0)]);
            counter.merge(fay, dan).await;
            assert_eq!(counter.points(dan).await.0, 0);
            assert_eq!(counter.states().await[1], ("refused".into(), Some("own_code".into())));
            assert_eq!((told, counter.reversed().await), (apart / 50 + 1, apart / 50 + 2));
            counter.is_sound().await;
            // What comes back later takes nothing twice.
            counter.take(vec![counter.back(&all_back(apart + 7, apart + 1))]).await;
            assert_eq!(counter.points(dan).await.0, 0);
            counter.is_sound().await;
        }
    });
}

#[test]
fn whoever_is_gone_sends_nobody_and_what_both_have_stays() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let code = counter.code(ADA).await;
        counter.sends(ADA, BOB).await;
        counter.take_order(&order(1, BOB)).await;
        counter.sends(ADA, EVE).await;
        let deleted = json!({"id": ADA});
        counter.door.advance(SignedDuration::from_secs(1));
        assert_eq!(counter.door.webhook("gone", "customers/delete", counter.door.now(), &deleted).await, 200);
        counter.door.app.inbox.drain_until_idle().await.unwrap();
        counter.take_order(&order(2, EVE)).await;
        counter.take_order(&Order { referral: Some(code), ..order(3, EVE + 1) }).await;
        assert_eq!(counter.points(EVE).await.0, 0);
        let states = counter.states().await;
        assert_eq!(states, [("refused".into(), Some("gone".into())), ("completed".into(), None)]);
        counter.is_sound().await;
    });
}

#[test]
fn it_ends_the_same_in_whatever_order_all_is_told() {
    on_both_engines(async |test| {
        let mut ends = Vec::new();
        for seed in 0..10 {
            let counter = opened(test).await;
            let code = counter.code(ADA).await;
            let sent = |order| Order { referral: Some(code.clone()), ..order };
            let later = |order: &Order| Order { updated_at: "2026-11-24T10:00:00Z".into(), ..order.clone() };
            let (first, second) = (
                sent(order(1, BOB)),
                Order { placed_at: "2026-11-23T15:00:00Z".into(), ..sent(order(2, BOB)) },
            );
            // One without the code comes before both, and is called off.
            let zeroth = Order { placed_at: "2026-11-23T12:30:00Z".into(), ..order(3, BOB) };
            let mut steps: Vec<Incoming> = vec![
                counter.heard(&zeroth),
                counter.heard(&Order { cancelled: true, ..later(&zeroth) }),
                counter.heard(&first),
                counter.heard(&Order { cancelled: true, ..later(&first) }),
                counter.heard(&second),
                counter.heard(&Order { status: "pending", ..second.clone() }),
                counter.heard(&later(&second)),
                counter.back(&refund(7, 2, &[(21, 1, "25.00")])),
            ];
            let mut rng = fastrand::Rng::with_seed(seed);
            rng.shuffle(&mut steps);
            while !steps.is_empty() {
                let batch = steps.split_off(steps.len() - rng.usize(1..=steps.len()));
                counter.take(batch).await;
            }
            counter.is_sound().await;
            let by = counter.sent_by(BOB).await;
            ends.push((counter.have(ADA, BOB).await, by["state"].clone(), by["order"].clone()));
        }
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
        assert_eq!(ends[0], ([(200, 0), (100, 0)], "completed".into(), OrderId(2).0.into()));
    });
}
