//! Limits: how often a member may have something. Days are of the shop's calendar; whoever calls knows the shop's zone.

use jiff::{ToSpan, civil::Date};

/// How often a member may have something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Limit {
    /// The most …
    pub most: u32,
    /// … in such a time.
    pub per: Period,
}

/// A time that begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Period {
    /// A day.
    Day,
    /// A week; it begins on Monday.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
    /// All the time there is.
    Ever,
}

impl Limit {
    /// Whether a merchant may set it: once at least, a million times at most.
    pub fn is_sound(&self) -> bool {
        (1..=1_000_000).contains(&self.most)
    }
}

impl Period {
    /// The first day of the one that a day belongs to; none where there is no first.
    pub fn begins_on(self, day: Date) -> Option<Date> {
        match self {
            Period::Day => Some(day),
            Period::Week => Some(day.saturating_sub(day.weekday().to_monday_zero_offset().days())),
            Period::Month => Some(day.first_of_month()),
            Period::Year => Some(day.first_of_year()),
            Period::Ever => None,
        }
    }

    /// The first day of the next one; none where there is no next.
    pub fn over_on(self, day: Date) -> Option<Date> {
        let length = match self {
            Period::Day => 1.day(),
            Period::Week => 1.week(),
            Period::Month => 1.month(),
            Period::Year => 1.year(),
            Period::Ever => return None,
        };
        Some(self.begins_on(day)?.saturating_add(length))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_period_begins_with_its_first_day_and_is_over_with_the_next() {
        let day = date(2028, 2, 29);
        assert_eq!(day.weekday(), jiff::civil::Weekday::Tuesday);
        for (period, begins, over) in [
            (Period::Day, date(2028, 2, 29), date(2028, 3, 1)),
            (Period::Week, date(2028, 2, 28), date(2028, 3, 6)),
            (Period::Month, date(2028, 2, 1), date(2028, 3, 1)),
            (Period::Year, date(2028, 1, 1), date(2029, 1, 1)),
        ] {
            assert_eq!(
                (period.begins_on(day), period.over_on(day)),
                (Some(begins), Some(over)),
                "{period:?}"
            );
        }
        assert_eq!((Period::Ever.begins_on(day), Period::Ever.over_on(day)), (None, None));
    }

    #[test]
    fn the_last_days_that_there_are_do_no_harm() {
        for period in [Period::Day, Period::Week, Period::Month, Period::Year] {
            assert_eq!(period.over_on(Date::MAX), Some(Date::MAX));
            assert!(period.begins_on(Date::MIN).is_some());
        }
    }

    #[test]
    fn a_limit_admits_something() {
        let sound = |most| Limit { most, per: Period::Day }.is_sound();
        assert!(!sound(0) && sound(1) && sound(1_000_000) && !sound(1_000_001));
    }
}
