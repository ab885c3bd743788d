//! Birthdays: a day of the year, without the year.

use core::{fmt, str::FromStr};

use jiff::civil::Date;

/// A year in which there is every day that there is.
const LEAP_YEAR: i16 = 2000;

/// A month and a day, written `05-27`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birthday {
    month: i8,
    day: i8,
}

/// What is no birthday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a birthday is a month and a day, such as 05-27")]
pub struct NoBirthday;

impl Birthday {
    /// The birthday of whoever was born on this date.
    pub fn of(date: Date) -> Birthday {
        Birthday { month: date.month(), day: date.day() }
    }

    /// The birthdays that fall on this date: its own and, on the 28th of February where there is no 29th, that of the 29th,
    /// too; else its own twice.
    pub fn falling_on(date: Date) -> [Birthday; 2] {
        let own = Birthday::of(date);
        let comes_early = (date.month(), date.day()) == (2, 28) && !date.in_leap_year();
        [own, if comes_early { Birthday { month: 2, day: 29 } } else { own }]
    }
}

impl fmt::Display for Birthday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl FromStr for Birthday {
    type Err = NoBirthday;

    fn from_str(text: &str) -> Result<Birthday, NoBirthday> {
        let number = |text: &str| {
            let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i8>().ok().filter(|_| is_number).ok_or(NoBirthday)
        };
        let (month, day) = text.split_once('-').ok_or(NoBirthday)?;
        let date = Date::new(LEAP_YEAR, number(month)?, number(day)?).map_err(|_| NoBirthday)?;
        Ok(Birthday::of(date))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_birthday_is_a_day_that_there_is_and_has_no_year() {
        for text in ["05-27", "02-29", "12-31", "01-01"] {
            assert_eq!(text.parse::<Birthday>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "02-30",
            "04-31",
            "13-01",
            "00-10",
            "05-00",
            "1990-05-27",
            "--05-27",
            "5-27",
            "05-7",
            "+5-27",
            "05/27",
        ] {
            assert_eq!(text.parse::<Birthday>(), Err(NoBirthday), "{text}");
        }
    }

    #[test]
    fn the_leap_day_falls_on_the_day_before_where_there_is_none() {
        let on =
            |date: &str| Birthday::falling_on(date.parse().unwrap()).map(|birthday| birthday.to_string());
        assert_eq!(on("2027-02-28"), ["02-28", "02-29"]);
        assert_eq!(on("2028-02-28"), ["02-28", "02-28"]);
        assert_eq!(on("2028-02-29"), ["02-29", "02-29"]);
        assert_eq!(on("2027-03-01"), ["03-01", "03-01"]);
    }
}
