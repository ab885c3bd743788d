//! Dates as files write them. What could mean two days is refused until somebody says which.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use loyalty::Birthday;

use super::Fault;
use crate::db::Timestamp;

/// What comes first in dates with slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Order {
    /// 31/12/2026.
    Dmy,
    /// 12/31/2026.
    Mdy,
}

/// How dates are read: in which zone, and what comes first.
#[derive(Debug, Clone)]
pub(super) struct Dates {
    pub zone: TimeZone,
    pub order: Option<Order>,
}

impl Dates {
    /// An instant: `2026-12-31`, `2026/12/31`, `31.12.2026`, `12/31/2026` with an order, each with or without a time;
    /// `2026-12-31T23:59:59+01:00`. What has no offset is in the shop's zone; a day is when it begins there.
    pub fn instant(&self, text: &str) -> Result<Timestamp, Fault> {
        let text = text.trim();
        // Some write the zone in words.
        let text = text.strip_suffix(" UTC").map_or_else(|| text.to_owned(), |text| format!("{text}Z"));
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(at.into());
        }
        let (day, time) = match text.split_once([' ', 'T']) {
            Some((day, time)) => (day, time.trim().parse::<Time>().map_err(|_| Fault::BadDate)?),
            None => (text.as_str(), Time::midnight()),
        };
        let civil = DateTime::from_parts(self.date(day)?, time);
        let zoned = civil.to_zoned(self.zone.clone()).map_err(|_| Fault::BadDate)?;
        Ok(zoned.timestamp().into())
    }

    /// A day.
    pub fn date(&self, text: &str) -> Result<Date, Fault> {
        let text = text.trim();
        let separator = text.find(['-', '/', '.']).map(|at| char::from(text.as_bytes()[at]));
        let parts: Vec<&str> = separator.map(|separator| text.split(separator).collect()).unwrap_or_default();
        let [first, second, third] = parts[..] else { return Err(Fault::BadDate) };
        let short = |part: &str| number(part, 1..=2);
        let (year, month, day) = match (first.len(), third.len()) {
            (4, 1..=2) => (number(first, 4..=4)?, short(second)?, short(third)?),
            (1..=2, 4) => {
                let (month, day) = self.in_order(separator, short(first)?, short(second)?)?;
                (number(third, 4..=4)?, month, day)
            }
            _ => return Err(Fault::BadDate),
        };
        let small = |number: i16| i8::try_from(number).map_err(|_| Fault::BadDate);
        Date::new(year, small(month)?, small(day)?).map_err(|_| Fault::BadDate)
    }

    /// A birthday, written with the year (`1990-05-27`), which is not kept, or without (`--05-27`). A year before 1900 is what
    /// some programmes write where they know none.
    pub fn birthday(&self, text: &str, today: Date) -> Result<Birthday, Fault> {
        let text = text.trim().trim_start_matches("--").trim_end_matches('.');
        // In a leap year, so that the 29th of February is one.
        let (written, has_year) = match text.split(['-', '/', '.']).count() {
            2 if text.contains('-') => (format!("2000-{text}"), false),
            2 if text.contains('/') => (format!("{text}/2000"), false),
            2 => (format!("{text}.2000"), false),
            _ => (text.to_owned(), true),
        };
        let date = self.date(&written)?;
        if has_year && date > today { Err(Fault::BadDate) } else { Ok(Birthday::of(date)) }
    }

    /// Month and day of two numbers that come before the year.
    fn in_order(&self, separator: Option<char>, first: i16, second: i16) -> Result<(i16, i16), Fault> {
        let order = match (separator, self.order) {
            // Nobody writes months first with dots.
            (Some('.'), _) => Order::Dmy,
            (_, Some(order)) => order,
            _ if first > 12 => Order::Dmy,
            _ if second > 12 || first == second => Order::Mdy,
            _ => return Err(Fault::AmbiguousDate),
        };
        Ok(match order {
            Order::Dmy => (second, first),
            Order::Mdy => (first, second),
        })
    }
}

/// A number of so many digits.
fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Result<i16, Fault> {
    if !digits.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::BadDate);
    }
    text.parse().map_err(|_| Fault::BadDate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(order: Option<Order>) -> Dates {
        Dates { zone: TimeZone::get("Europe/London").unwrap(), order }
    }

    #[test]
    fn a_day_is_read_in_every_way_that_says_which_it_is() {
        for text in [
            "2026-07-31",
            "2026/7/31",
            "2026.07.31",
            "31.07.2026",
            "31.7.2026",
            "31/07/2026",
            "07/31/2026",
            "31-07-2026",
        ] {
            assert_eq!(dates(None).date(text).unwrap().to_string(), "2026-07-31", "{text}");
        }
        for (order, read) in [(Order::Dmy, "2026-04-03"), (Order::Mdy, "2026-03-04")] {
            assert_eq!(dates(Some(order)).date("03/04/2026").unwrap().to_string(), read);
        }
        assert_eq!(dates(Some(Order::Mdy)).date("03.04.2026").unwrap().to_string(), "2026-04-03");
        assert_eq!(dates(None).date("04/04/2026").unwrap().to_string(), "2026-04-04");
    }

    #[test]
    fn what_could_be_two_days_or_is_none_is_refused() {
        assert_eq!(dates(None).date("03/04/2026"), Err(Fault::AmbiguousDate));
        assert_eq!(dates(None).date("03-04-2026"), Err(Fault::AmbiguousDate));
        for text in [
            "",
            "yesterday",
            "31.7.26",
            "2026-02-30",
            "20260731",
            "2026-7",
            "46234",
            "1.2.3.2026",
            "+1/2/2026",
            "Jul 31 2026",
            "２０２６-07-31",
        ] {
            assert_eq!(dates(None).date(text), Err(Fault::BadDate), "{text}");
        }
        assert_eq!(dates(Some(Order::Mdy)).date("31/07/2026"), Err(Fault::BadDate));
    }

    #[test]
    fn an_instant_is_in_the_shops_zone_unless_it_says_otherwise() {
        for (text, read) in [
            // In London it is summer.
            ("2026-07-31", "2026-07-30T23:00:00Z"),
            ("31.07.2026 12:30", "2026-07-31T11:30:00Z"),
            ("2026-07-31T12:30:15", "2026-07-31T11:30:15Z"),
            ("2026-07-31T12:30:15Z", "2026-07-31T12:30:15Z"),
            ("2026-07-31 12:30:15+02:00", "2026-07-31T10:30:15Z"),
            ("2026-07-31 12:30:15 UTC", "2026-07-31T12:30:15Z"),
        ] {
            assert_eq!(dates(None).instant(text).unwrap().to_string(), read, "{text}");
        }
        for text in ["2026-07-31 25:00", "2026-07-31 noon", "noon"] {
            assert_eq!(dates(None).instant(text), Err(Fault::BadDate), "{text}");
        }
    }

    #[test]
    fn a_birthday_may_lack_its_year_and_lies_not_ahead() {
        let today = Date::constant(2026, 11, 1);
        for (text, order, read) in [
            ("1990-05-27", None, "05-27"),
            ("27.5.1990", None, "05-27"),
            ("--02-29", None, "02-29"),
            ("02-29", None, "02-29"),
            ("27.5.", None, "05-27"),
            ("05/27", None, "05-27"),
            ("05/06", Some(Order::Mdy), "05-06"),
            ("1004-05-27", None, "05-27"),
        ] {
            assert_eq!(dates(order).birthday(text, today), Ok(read.parse().unwrap()), "{text}");
        }
        assert_eq!(dates(None).birthday("05/06", today), Err(Fault::AmbiguousDate));
        for text in ["2026-11-02", "1990-02-29", "May", "5"] {
            assert_eq!(dates(None).birthday(text, today), Err(Fault::BadDate), "{text}");
        }
    }
}
