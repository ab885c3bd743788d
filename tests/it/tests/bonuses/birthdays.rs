//! Birthdays: told by members and staff, kept to themselves, and given a bonus once a year.

use axum::http::Method;
use loyalnest::customers::{self, birthdays};
use loyalnest::db;
use loyalnest::db::Timestamp;
use loyalnest::ids::{CustomerId, MemberId};
use loyalty::bonus::BirthdayBonus;
use serde_json::{Value, json};
use uuid::Uuid;

use super::points_of;
use crate::support::TestDb;
use crate::support::app::Answered;
use crate::support::counter::{CLERK, Counter, OWNER};
use crate::support::on_both_engines;

const ADA: i64 = 4_101_101;
const BOB: i64 = 4_202_202;

/// A shop in London that gives 50 points for a birthday that was told a month ahead. It is noon on 23 November 2026.
async fn opened(test: &TestDb) -> Counter {
    let counter = Counter::open(test).await;
    let birthday = BirthdayBonus { points: points_of(50).unwrap(), days_ahead: 30 };
    counter.set_program(|program| program.bonuses.birthday = Some(birthday)).await;
    counter
}

impl Counter {
    async fn was_born(&self, customer: i64, day: &str) {
        self.member(customer).await;
        self.tell_birthday(customer, day).await.json();
    }

    async fn tell_birthday(&self, customer: i64, day: &str) -> Answered {
        self.proxy(customer, Method::POST, "/proxy/birthday", &json!({"birthday": day})).await
    }

    /// Moves the clock to this moment, also back.
    fn at(&self, time: &str) {
        let to: Timestamp = time.parse().unwrap();
        let by = to - self.door.now();
        if by.is_positive() { self.door.advance(by) } else { self.door.app.clock.set(to) }
    }

    /// What is done with the beginning of each day.
    async fn celebrate(&self) {
        let (shop, now) = (self.id, self.door.now());
        let db = &self.door.app.db;
        for day in birthdays::due(&mut db.read(shop).await.unwrap(), shop, now).await.unwrap() {
            let mut after = Some(MemberId(Uuid::nil()));
            while let Some(last) = after {
                let mut tx = db.begin(shop).await.unwrap();
                after = birthdays::celebrate(&mut tx, shop, day, last, now).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
    }

    async fn available(&self, customer: i64) -> i64 {
        self.points(customer).await.0
    }
}

fn path(customer: i64) -> String {
    format!("/api/members/{customer}/birthday")
}

#[test]
fn a_birthday_is_told_shown_and_taken_back() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let own = async || counter.proxy(ADA, Method::GET, "/proxy/birthday", &Value::Null).await.json();
        assert_eq!(own().await, json!({"birthday": null}));
        assert_eq!(counter.tell_birthday(ADA, "02-29").await.json(), json!({"birthday": "02-29"}));
        assert_eq!(own().await, json!({"birthday": "02-29"}));
        assert_eq!(counter.get(&path(ADA)).await, json!({"birthday": "02-29"}));
        for malformed in ["02-30", "04-31", "13-01", "", "1990-05-27", "27.05.", "05-27 "] {
            let refused = counter.tell_birthday(ADA, malformed).await;
            assert_eq!(refused.problem(), (422, "birthday_malformed".into()), "{malformed}");
        }
        for bad in [json!({}), json!({"birthday": null}), json!({"birthday": "05-27", "year": 1990})] {
            let refused = counter.proxy(ADA, Method::POST, "/proxy/birthday", &bad).await;
            assert_eq!(refused.problem(), (400, "bad_body".into()), "{bad}");
        }
        // Staff, who are written down without the day.
        let staff =
            async |user, method, body: Value| counter.door.staff(user, method, &path(ADA), &body).await;
        staff(OWNER, Method::PUT, json!({"birthday": "05-27"})).await.json();
        staff(OWNER, Method::PUT, json!({"birthday": "05-27"})).await.json();
        assert_eq!(own().await, json!({"birthday": "05-27"}));
        let refused = staff(OWNER, Method::PUT, json!({"birthday": "02-30"})).await;
        assert_eq!(refused.problem(), (422, "birthday_malformed".into()));
        let role = json!({"role": "viewer"});
        counter.door.staff(OWNER, Method::PUT, &format!("/api/staff/{CLERK}/role"), &role).await.json();
        let clerk = staff(CLERK, Method::PUT, json!({"birthday": "05-28"})).await;
        assert_eq!(clerk.problem(), (403, "forbidden_role".into()));
        staff(OWNER, Method::DELETE, Value::Null).await.json();
        assert_eq!(own().await, json!({"birthday": null}));
        let log = counter.log().await;
        let log: Vec<_> = log.iter().filter(|entry| entry["action"] == "birthday.changed").collect();
        assert_eq!(log.len(), 2);
        assert!(!log.iter().any(|entry| entry.to_string().contains("05-27")), "{log:?}");
        let stranger = counter.door.staff(OWNER, Method::GET, &path(7), &Value::Null).await;
        assert_eq!(stranger.problem(), (404, "unknown_member".into()));
        counter.tell_birthday(ADA, "05-27").await.json();
        counter.proxy(ADA, Method::DELETE, "/proxy/birthday", &Value::Null).await.json();
        assert_eq!(own().await, json!({"birthday": null}));
    });
}

#[test]
fn a_birthday_gives_its_bonus_once_a_year_when_the_day_begins_in_the_shop() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.was_born(ADA, "05-27").await;
        counter.celebrate().await;
        counter.at("2027-05-26T22:59:59Z");
        counter.celebrate().await;
        assert_eq!(counter.available(ADA).await, 0);
        // Summer time: midnight in London.
        for time in
            ["2027-05-26T23:00:00Z", "2027-05-27T12:00:00Z", "2027-05-26T12:00:00Z", "2027-05-27T23:30:00Z"]
        {
            counter.at(time);
            counter.celebrate().await;
            assert_eq!(counter.available(ADA).await, 50, "{time}");
        }
        counter.at("2028-05-27T01:00:00Z");
        counter.celebrate().await;
        assert_eq!(counter.available(ADA).await, 100);
        counter.is_sound().await;
    });
}

#[test]
fn a_shop_that_moves_to_another_time_zone_takes_nobodys_birthday_away() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.was_born(ADA, "05-27").await;
        counter.at("2027-05-26T23:00:00Z");
        counter.celebrate().await;
        for (zone, midnight, points) in [
            ("Asia/Tokyo", "2028-05-26T15:00:00Z", 100),
            ("America/Los_Angeles", "2029-05-27T07:00:00Z", 150),
        ] {
            let mut tx = test.db.begin_outside().await.unwrap();
            db!(tx.execute, "update merchants_shops set time_zone = $1 where shop_id = $2", zone, counter.id)
                .unwrap();
            tx.commit().await.unwrap();
            counter.at(midnight);
            counter.celebrate().await;
            assert_eq!(counter.available(ADA).await, points, "{zone}");
        }
    });
}

#[test]
fn days_that_were_missed_are_made_up_for_once_by_what_the_program_gave_on_them() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let (eve, dan) = (ADA + 1, ADA + 2);
        for (customer, day) in [(ADA, "12-29"), (BOB, "12-31"), (eve, "01-02"), (dan, "12-27")] {
            counter.was_born(customer, day).await;
        }
        counter.at("2026-12-28T12:00:00Z");
        counter.celebrate().await;
        counter.at("2026-12-31T12:00:00Z");
        counter
            .set_program(|program| program.bonuses.birthday.as_mut().unwrap().points = points_of(70).unwrap())
            .await;
        counter.at("2027-01-02T08:00:00Z");
        for _ in 0..2 {
            counter.celebrate().await;
            let have = [ADA, BOB, eve, dan].map(|customer| counter.available(customer));
            let [ada, bob, eve, dan] = have;
            // When Dan had his birthday nobody looked yet; when Bob's began, it was still fifty.
            assert_eq!((ada.await, bob.await, eve.await, dan.await), (50, 50, 70, 0));
        }
        counter.is_sound().await;
    });
}

#[test]
fn a_bonus_that_is_switched_on_is_for_the_days_that_begin_from_then_on() {
    on_both_engines(async |test| {
        let counter = Counter::open(test).await;
        counter.was_born(ADA, "12-30").await;
        counter.was_born(BOB, "12-31").await;
        counter.celebrate().await;
        counter.at("2026-12-30T12:00:00Z");
        let birthday = BirthdayBonus { points: points_of(50).unwrap(), days_ahead: 30 };
        counter.set_program(|program| program.bonuses.birthday = Some(birthday)).await;
        counter.at("2026-12-31T12:00:00Z");
        counter.celebrate().await;
        assert_eq!((counter.available(ADA).await, counter.available(BOB).await), (0, 50));
    });
}

#[test]
fn a_birthday_that_is_told_too_late_or_moved_gives_nothing_before_its_time() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        // Thirty days from today, and a day less.
        counter.was_born(ADA, "12-23").await;
        counter.was_born(BOB, "12-22").await;
        counter.celebrate().await;
        counter.at("2026-12-23T12:00:00Z");
        // Told again, it was told then.
        counter.was_born(ADA, "12-23").await;
        counter.celebrate().await;
        assert_eq!((counter.available(ADA).await, counter.available(BOB).await), (50, 0));
        // Moved to another day, and taken back meanwhile: a year has not gone by.
        counter.proxy(ADA, Method::DELETE, "/proxy/birthday", &Value::Null).await.json();
        counter.was_born(ADA, "03-01").await;
        counter.was_born(BOB, "03-01").await;
        for (time, ada, bob) in [
            ("2027-02-28T12:00:00Z", 50, 0),
            ("2027-03-01T12:00:00Z", 50, 50),
            ("2028-02-29T12:00:00Z", 50, 50),
            ("2028-03-01T12:00:00Z", 100, 100),
        ] {
            counter.at(time);
            counter.celebrate().await;
            assert_eq!((counter.available(ADA).await, counter.available(BOB).await), (ada, bob), "{time}");
        }
        counter.is_sound().await;
    });
}

#[test]
fn who_was_born_on_the_leap_day_has_a_birthday_every_year() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.was_born(ADA, "02-29").await;
        counter.was_born(BOB, "02-28").await;
        counter.celebrate().await;
        for (time, ada, bob) in [
            ("2027-02-28T12:00:00Z", 50, 50),
            ("2027-03-01T12:00:00Z", 50, 50),
            ("2028-02-28T12:00:00Z", 50, 100),
            ("2028-02-29T12:00:00Z", 100, 100),
            ("2029-02-28T12:00:00Z", 150, 150),
        ] {
            counter.at(time);
            counter.celebrate().await;
            assert_eq!((counter.available(ADA).await, counter.available(BOB).await), (ada, bob), "{time}");
        }
        counter.is_sound().await;
    });
}

#[test]
fn the_clock_starts_the_days_work_and_whoever_is_erased_on_their_birthday_gets_nothing() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        counter.was_born(ADA, "12-24").await;
        counter.was_born(BOB, "12-24").await;
        let app = &counter.door.app;
        counter.at("2026-12-23T12:00:00Z");
        app.tasks.tick().await.unwrap();
        while app.tasks.run_due(app).await.unwrap() > 0 {}
        counter.at("2026-12-24T00:00:01Z");
        let bob = counter.member(BOB).await;
        let mut tx = test.db.begin(counter.id).await.unwrap();
        customers::redact(&mut tx, counter.id, CustomerId(BOB), counter.door.now()).await.unwrap();
        tx.commit().await.unwrap();
        app.tasks.tick().await.unwrap();
        while app.tasks.run_due(app).await.unwrap() > 0 {}
        let mut read = test.db.read(counter.id).await.unwrap();
        assert_eq!(birthdays::of(&mut read, counter.id, bob).await.unwrap(), None);
        let totals = loyalnest::points::totals(&mut read, counter.id).await.unwrap();
        drop(read);
        assert_eq!((counter.available(ADA).await, totals.issued), (50, 50));
        counter.is_sound().await;
    });
}

#[test]
fn a_birthday_goes_with_its_member_and_is_had_once_by_two_who_become_one() {
    on_both_engines(async |test| {
        let counter = opened(test).await;
        let eve = ADA + 1;
        counter.was_born(ADA, "12-24").await;
        counter.was_born(BOB, "12-26").await;
        counter.member(eve).await;
        counter.celebrate().await;
        counter.at("2026-12-27T12:00:00Z");
        counter.celebrate().await;
        assert_eq!((counter.available(ADA).await, counter.available(BOB).await), (50, 50));
        let merge = async |gone, kept| {
            let mut tx = test.db.begin(counter.id).await.unwrap();
            customers::merge(&mut tx, counter.id, CustomerId(kept), CustomerId(gone), counter.door.now())
                .await
                .unwrap();
            tx.commit().await.unwrap();
        };
        merge(BOB, ADA).await;
        assert_eq!(counter.available(ADA).await, 50);
        assert_eq!(counter.get(&path(ADA)).await["birthday"], "12-24", "the kept one's");
        merge(ADA, eve).await;
        assert_eq!(counter.get(&path(eve)).await["birthday"], "12-24", "who had none");
        assert_eq!(counter.available(eve).await, 50);
        // A deleted customer's is forgotten.
        let known = async || {
            let mut read = test.db.read(counter.id).await.unwrap();
            let count =
                db!(read.one, "select count(*) from customers_birthdays where shop_id = $1", counter.id);
            let (count,): (i64,) = count.unwrap();
            count
        };
        assert_eq!(known().await, 1);
        let gone = json!({"id": eve});
        assert_eq!(counter.door.webhook("gone", "customers/delete", counter.door.now(), &gone).await, 200);
        assert_eq!(known().await, 0);
        counter.is_sound().await;
    });
}
