//! What the clock starts. Each occurrence is a task whose key names it, so that it is started once however many
//! processes look at the clock; when none did at its time, the newest occurrence is made up for, older ones are not.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use serde_json::Value;
use uuid::Uuid;

use super::{INSTALLATION, Inner, NewTask, Task, store};
use crate::db::{self, Timestamp};
use crate::events::{self, Event, TaskCreated};
use crate::ids::ShopId;
use crate::merchants;

/// How many shops are looked at in one transaction.
const AT_ONCE: i64 = 500;

/// When a task is due again.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// Once for the installation, each time this long has gone by since 1970 (UTC).
    Every(SignedDuration),
    /// The same for each shop.
    Each(SignedDuration),
    /// Once for each shop and each of its days, at this time in its zone. A time that a day skips is made up for after
    /// the gap; of a time that a day has twice, the first counts.
    Daily(Time),
    /// The same on one day of its weeks.
    Weekly(Weekday, Time),
}

/// A task that the clock starts again and again.
#[derive(Debug, Clone)]
pub struct Schedule {
    kind: &'static str,
    payload: Value,
    priority: i64,
    when: When,
    spread: SignedDuration,
}

impl Schedule {
    /// This task, at these times.
    ///
    /// # Errors
    /// When the task is none that JSON can hold.
    pub fn new<T: Task>(task: &T, when: When) -> Result<Self, serde_json::Error> {
        Ok(Schedule {
            kind: T::KIND,
            payload: serde_json::to_value(task)?,
            priority: T::PRIORITY,
            when,
            spread: SignedDuration::ZERO,
        })
    }

    /// Each shop at its own moment within this time after the usual one, always the same, so that not all of a zone come at
    /// once.
    #[must_use]
    pub fn spread(mut self, within: SignedDuration) -> Self {
        self.spread = within;
        self
    }

    /// Of which kind the task is.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// How long after the usual time it is a shop's turn. The end of its id is random.
    fn offset(&self, shop: ShopId) -> SignedDuration {
        let within = u128::try_from(self.spread.as_micros()).unwrap_or(0).max(1);
        SignedDuration::from_micros(i64::try_from(shop.0.as_u128() % within).unwrap_or(0))
    }

    fn occurrence(&self, shop: ShopId, key: &str, run_at: Timestamp) -> NewTask {
        NewTask {
            shop,
            id: Uuid::now_v7(),
            kind: self.kind,
            key: key.to_owned(),
            payload: self.payload.clone(),
            priority: self.priority,
            run_at: run_at + self.offset(shop),
        }
    }
}

/// The newest occurrence that was started, by kind and shop.
#[derive(Default)]
pub(super) struct Started(Mutex<HashMap<(&'static str, ShopId), Timestamp>>);

impl Started {
    fn knows(&self, task: &NewTask) -> bool {
        let started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        started.get(&(task.kind, task.shop)) == Some(&task.run_at)
    }

    fn note(&self, tasks: &[NewTask]) {
        let mut started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        started.extend(tasks.iter().map(|task| ((task.kind, task.shop), task.run_at)));
    }
}

pub(super) async fn tick(inner: &Inner) -> Result<usize, db::Error> {
    let now = inner.clock.now();
    let (every, local): (Vec<_>, Vec<_>) =
        inner.schedules.iter().partition(|schedule| matches!(schedule.when, When::Every(_)));
    let own = every.into_iter().filter_map(|schedule| match schedule.when {
        When::Every(interval) => {
            let run_at = last_multiple(interval, now);
            Some(schedule.occurrence(INSTALLATION, &run_at.to_string(), run_at))
        }
        When::Each(_) | When::Daily(_) | When::Weekly(..) => None,
    });
    let mut count = start(inner, own.collect(), now).await?;
    if local.is_empty() {
        return Ok(count);
    }
    let mut after = INSTALLATION;
    loop {
        let shops = merchants::zones(&mut inner.db.read_outside().await?, after, AT_ONCE).await?;
        let Some(last) = shops.last() else { return Ok(count) };
        after = last.shop_id;
        let mut due = Vec::new();
        for shop in &shops {
            let Ok(zone) = TimeZone::get(&shop.time_zone) else {
                tracing::error!(shop = %shop.shop_id, zone = shop.time_zone, "a shop's time zone is unknown");
                continue;
            };
            for schedule in &local {
                let named = |(date, at): (Date, Timestamp)| (date.to_string(), at);
                let last = match schedule.when {
                    When::Every(_) => None,
                    When::Each(interval) => {
                        let at = last_multiple(interval, now);
                        Some((at.to_string(), at))
                    }
                    When::Daily(time) => last_local(&zone, None, time, now).map(named),
                    When::Weekly(day, time) => last_local(&zone, Some(day), time, now).map(named),
                };
                // A shop that has come since has missed nothing.
                if let Some((key, run_at)) = last
                    && run_at >= shop.installed_at
                {
                    due.push(schedule.occurrence(shop.shop_id, &key, run_at));
                }
            }
        }
        count += start(inner, due, now).await?;
    }
}

/// Pushes those that are not started yet, and says how many those were.
async fn start(inner: &Inner, mut tasks: Vec<NewTask>, now: Timestamp) -> Result<usize, db::Error> {
    tasks.retain(|task| !inner.started.knows(task));
    if tasks.is_empty() {
        return Ok(0);
    }
    let mut tx = inner.db.begin_outside().await?;
    let new = store::insert(&mut tx, &tasks, now).await?;
    for task in tasks.iter().filter(|task| task.shop != INSTALLATION && new.contains(&task.id)) {
        let event = Event::TaskCreated(TaskCreated { task: task.id, kind: task.kind.to_owned() });
        events::publish(&mut tx, task.shop, event, now).await?;
    }
    tx.commit().await?;
    inner.started.note(&tasks);
    Ok(new.len())
}

/// The newest multiple of an interval, at or before now.
fn last_multiple(interval: SignedDuration, now: Timestamp) -> Timestamp {
    let interval = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX).max(1);
    let since = now.as_microsecond().rem_euclid(interval);
    now - SignedDuration::from_micros(since)
}

/// The newest day, or day of that name, on which this time has come in a zone, and when that was.
fn last_local(
    zone: &TimeZone,
    day: Option<Weekday>,
    time: Time,
    now: Timestamp,
) -> Option<(Date, Timestamp)> {
    let today = zone.to_datetime(now.to_jiff()).date();
    let mut days = (0..8).filter_map(|ago: i64| today.checked_sub(ago.days()).ok());
    days.find_map(|date| {
        if day.is_some_and(|day| date.weekday() != day) {
            return None;
        }
        let at = zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()?;
        (at <= now.to_jiff()).then(|| (date, Timestamp::from(at)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daily(zone: &str, time: &str, now: &str) -> (String, String) {
        let (zone, time) = (TimeZone::get(zone).unwrap(), time.parse().unwrap());
        let (date, at) = last_local(&zone, None, time, now.parse().unwrap()).unwrap();
        (date.to_string(), at.to_string())
    }

    #[test]
    fn a_day_begins_in_the_shops_zone() {
        for (now, date, at) in [
            ("2026-11-26T05:59:59Z", "2026-11-25", "2026-11-25T06:00:00Z"),
            ("2026-11-26T06:00:00Z", "2026-11-26", "2026-11-26T06:00:00Z"),
            ("2026-11-27T05:59:59Z", "2026-11-26", "2026-11-26T06:00:00Z"),
        ] {
            assert_eq!(daily("America/New_York", "01:00", now), (date.to_owned(), at.to_owned()));
        }
        let kiritimati = daily("Pacific/Kiritimati", "01:00", "2026-11-25T11:00:00Z");
        assert_eq!(kiritimati, ("2026-11-26".to_owned(), "2026-11-25T11:00:00Z".to_owned()));
    }

    #[test]
    fn a_time_that_a_day_skips_comes_after_the_gap() {
        // On 2026-03-29, 01:00 in London is 02:00 at once.
        let before = daily("Europe/London", "01:00", "2026-03-29T00:59:59Z");
        assert_eq!(before, ("2026-03-28".to_owned(), "2026-03-28T01:00:00Z".to_owned()));
        let after = daily("Europe/London", "01:30", "2026-03-29T01:30:00Z");
        assert_eq!(after, ("2026-03-29".to_owned(), "2026-03-29T01:30:00Z".to_owned()));
        let at = daily("Europe/London", "01:00", "2026-03-29T01:00:00Z");
        assert_eq!(at, ("2026-03-29".to_owned(), "2026-03-29T01:00:00Z".to_owned()));
    }

    #[test]
    fn a_time_that_a_day_has_twice_comes_at_the_first() {
        // On 2026-10-25, London's 01:00 to 02:00 comes twice, first at 00:00Z.
        for now in ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-26T00:59:59Z"] {
            let found = daily("Europe/London", "01:00", now);
            assert_eq!(found, ("2026-10-25".to_owned(), "2026-10-25T00:00:00Z".to_owned()), "{now}");
        }
    }

    #[test]
    fn shops_of_one_zone_are_spread_over_the_time_there_is_always_in_the_same_way() {
        let nightly = Schedule {
            kind: "example",
            payload: Value::Null,
            priority: 0,
            when: When::Daily(Time::MIN),
            spread: SignedDuration::from_hours(1),
        };
        let night = Timestamp::UNIX_EPOCH;
        let mut minutes = [0; 60];
        for _ in 0..5_000 {
            let shop = ShopId(Uuid::now_v7());
            let at = nightly.occurrence(shop, "1970-01-01", night).run_at;
            assert_eq!(nightly.occurrence(shop, "1970-01-01", night).run_at, at);
            minutes[usize::try_from((at - night).as_mins()).unwrap()] += 1;
        }
        // 83 on the average; a hundred more would be a herd.
        assert!(minutes.iter().all(|shops| (1..183).contains(shops)), "{minutes:?}");
        let at_once = Schedule { spread: SignedDuration::ZERO, ..nightly };
        assert_eq!(at_once.occurrence(ShopId(Uuid::now_v7()), "1970-01-01", night).run_at, night);
    }

    #[test]
    fn a_week_ends_on_its_day_in_the_shops_zone() {
        let weekly = |now: &str| {
            let (zone, time) = (TimeZone::get("America/New_York").unwrap(), "03:00".parse().unwrap());
            let (date, _) = last_local(&zone, Some(Weekday::Sunday), time, now.parse().unwrap()).unwrap();
            date.to_string()
        };
        // 2026-11-22 is a Sunday.
        assert_eq!(weekly("2026-11-22T07:59:59Z"), "2026-11-15");
        assert_eq!(weekly("2026-11-22T08:00:00Z"), "2026-11-22");
        assert_eq!(weekly("2026-11-29T07:59:59Z"), "2026-11-22");
    }

    #[test]
    fn intervals_count_from_1970() {
        let hour = SignedDuration::from_hours(1);
        let at = |now: &str| last_multiple(hour, now.parse().unwrap()).to_string();
        assert_eq!(at("2026-11-26T15:00:00Z"), "2026-11-26T15:00:00Z");
        assert_eq!(at("2026-11-26T15:59:59.999999Z"), "2026-11-26T15:00:00Z");
        assert_eq!(at("1969-12-31T23:30:00Z"), "1969-12-31T23:00:00Z");
    }
}
