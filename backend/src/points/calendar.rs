//! What a shop's calendar and program say of points that are booked at one moment.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use loyalty::expiry::Term;
use loyalty::{Expiry, LocalTime};

use crate::db::Timestamp;
use crate::programs;

/// A moment in a shop, and its rule of expiry.
#[derive(Debug, Clone)]
pub struct Calendar {
    now: Timestamp,
    zone: TimeZone,
    expiry: Expiry,
}

impl Calendar {
    /// This moment, in this zone, under this rule.
    pub fn new(now: Timestamp, zone: TimeZone, expiry: Expiry) -> Calendar {
        Calendar { now, zone, expiry }
    }

    /// The moment.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The day of an instant, in the shop.
    pub fn day(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at.to_jiff()).date()
    }

    /// The month of an instant, in the shop: 202611 is November 2026.
    pub fn month(&self, at: Timestamp) -> i64 {
        let day = self.day(at);
        i64::from(day.year()) * 100 + i64::from(day.month())
    }

    /// When the shop's day began that an instant belongs to.
    pub fn day_start(&self, at: Timestamp) -> Timestamp {
        self.start(self.day(at))
    }

    /// The minute of an instant on the shop's clock.
    pub fn minute(&self, at: Timestamp) -> Option<LocalTime> {
        programs::minute(&self.zone, at)
    }

    /// The instant at which a day begins in the shop. Where clocks skip midnight, that is when they go on.
    pub fn start(&self, day: Date) -> Timestamp {
        let midnight = day.to_zoned(self.zone.clone()).map(|zoned| zoned.timestamp());
        Timestamp::from(midnight.unwrap_or(jiff::Timestamp::MAX))
    }

    /// When points that are earned now are gone; never without a rule.
    pub fn gone_at(&self) -> Option<Timestamp> {
        self.expiry.rule.map(|rule| self.start(rule.gone_on(self.day(self.now))))
    }

    /// By what activity moves on points that are earned now.
    pub fn rolls(&self) -> Option<Term> {
        self.expiry.rule.and_then(|rule| rule.rolls())
    }

    /// When points are gone whose term begins anew with what the member does now.
    pub fn moved(&self, term: Term) -> Timestamp {
        self.start(term.over_on(self.day(self.now)))
    }

    /// When points are gone that come back now although they had expired.
    pub fn grace_ends(&self) -> Timestamp {
        self.start(self.expiry.grace_ends_on(self.day(self.now)))
    }

    /// When points are gone that have so many days from now.
    pub fn in_days(&self, days: i32) -> Timestamp {
        self.start(self.day(self.now).saturating_add(jiff::Span::new().days(days)))
    }
}

#[cfg(test)]
mod tests {
    use loyalty::expiry::Rule;

    use super::*;

    fn calendar(now: &str, zone: &str, rule: Rule) -> Calendar {
        let expiry = Expiry { rule: Some(rule), ..Expiry::default() };
        Calendar::new(now.parse().unwrap(), TimeZone::get(zone).unwrap(), expiry)
    }

    #[test]
    fn points_are_gone_when_the_day_begins_in_the_shop() {
        let day = Rule::Term { after: Term::Days(1) };
        for (zone, gone) in [
            ("Europe/London", "2026-11-28T00:00:00Z"),
            // There it is the next day already.
            ("Pacific/Auckland", "2026-11-28T11:00:00Z"),
            ("America/New_York", "2026-11-28T05:00:00Z"),
        ] {
            let calendar = calendar("2026-11-26T12:00:00Z", zone, day);
            assert_eq!(calendar.gone_at().unwrap().to_string(), gone, "{zone}");
        }
    }

    #[test]
    fn a_year_ends_when_it_does_in_the_shop() {
        let year = Rule::YearEnd { years_later: 0 };
        // New Year's Eve in New York, New Year in London.
        let at = "2027-01-01T02:00:00Z";
        let gone = |zone| calendar(at, zone, year).gone_at().unwrap().to_string();
        assert_eq!(gone("America/New_York"), "2027-01-01T05:00:00Z");
        assert_eq!(gone("Europe/London"), "2028-01-01T00:00:00Z");
        assert_eq!(calendar(at, "America/New_York", year).month(at.parse().unwrap()), 202_612);
    }

    #[test]
    fn a_midnight_that_clocks_skip_is_when_they_go_on() {
        // In Santiago, 6 September 2026 begins at 1 o'clock.
        let calendar =
            calendar("2026-09-04T12:00:00Z", "America/Santiago", Rule::Term { after: Term::Days(1) });
        assert_eq!(calendar.gone_at().unwrap().to_string(), "2026-09-06T04:00:00Z");
    }
}
