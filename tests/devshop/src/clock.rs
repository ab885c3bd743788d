//! The shop's clock: the real one, or one that tests move.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What time the shop thinks it is. Clones share the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<Time>>);

#[derive(Debug, Clone, Copy)]
enum Time {
    /// The machine's time and how far we are ahead of it.
    Running(SignedDuration),
    /// Stands still until it is moved.
    Standing(Timestamp),
}

impl Clock {
    /// The machine's time.
    pub fn real() -> Self {
        Self(Arc::new(Mutex::new(Time::Running(SignedDuration::ZERO))))
    }

    /// A clock that stands at an instant until [`Clock::set`] or [`Clock::advance`] moves it.
    pub fn standing_at(at: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Time::Standing(at))))
    }

    /// Now, UTC.
    pub fn now(&self) -> Timestamp {
        match *self.lock() {
            Time::Running(ahead) => Timestamp::now() + ahead,
            Time::Standing(at) => at,
        }
    }

    /// Makes it this instant. A running clock runs on from there, a standing one stands there.
    pub fn set(&self, at: Timestamp) {
        let mut time = self.lock();
        *time = match *time {
            Time::Running(_) => Time::Running(at.duration_since(Timestamp::now())),
            Time::Standing(_) => Time::Standing(at),
        };
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        let mut time = self.lock();
        *time = match *time {
            Time::Running(ahead) => Time::Running(ahead.saturating_add(by)),
            Time::Standing(at) => Time::Standing(at.saturating_add(by).unwrap_or(Timestamp::MAX)),
        };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instant as webhooks write it: the shop's local time with its offset, whole seconds.
pub fn local_text(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// An instant as GraphQL's `DateTime` writes it: UTC, whole seconds.
pub fn utc_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_when_moved_and_for_all_its_clones() {
        let clock = Clock::standing_at("2026-11-22T23:30:00Z".parse().unwrap());
        let other = clock.clone();
        other.advance(Duration::from_secs(3600));
        assert_eq!(clock.now().to_string(), "2026-11-23T00:30:00Z");
        assert_eq!(utc_text(clock.now()), "2026-11-23T00:30:00Z");
    }

    #[test]
    fn times_carry_the_offset_of_the_shop() {
        let zone = TimeZone::get("America/New_York").unwrap();
        assert_eq!(local_text("2022-01-01T00:00:00Z".parse().unwrap(), &zone), "2021-12-31T19:00:00-05:00");
    }
}
