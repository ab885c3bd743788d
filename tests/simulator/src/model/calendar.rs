//! Days, as the clock on the wall of a shop counts them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::MINUTE;

/// Clocks all over the world are put forward and back at quarters of an hour.
const QUARTER: i64 = 15 * MINUTE;
/// No clock is further ahead.
const FURTHEST_AHEAD: i64 = 15 * 60 * MINUTE;

#[derive(Debug, Clone)]
pub struct Calendar(pub TimeZone);

impl Calendar {
    /// Date and time, to the minute.
    pub fn minute(&self, at: i64) -> DateTime {
        let shown = self.0.to_datetime(instant(at));
        shown.date().at(shown.hour(), shown.minute(), 0, 0)
    }

    pub fn day(&self, at: i64) -> Date {
        self.0.to_datetime(instant(at)).date()
    }

    /// When a day begins: the first moment that belongs to it. It is looked for.
    pub fn start(&self, day: Date) -> i64 {
        let midnight = day.to_zoned(TimeZone::UTC).map_or(0, |day| day.timestamp().as_microsecond());
        let mut at = midnight - FURTHEST_AHEAD;
        while self.day(at) < day {
            at += QUARTER;
        }
        at
    }

    /// When the day begins that comes so many days after the one of an instant.
    pub fn days_later(&self, at: i64, days: i64) -> i64 {
        self.start(self.day(at).saturating_add(days.days()))
    }
}

fn instant(at: i64) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or_default()
}
