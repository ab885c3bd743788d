//! Expiry: until when points can be spent. Days are of the shop's calendar; whoever calls knows the shop's zone.

use core::{fmt, str::FromStr};

use jiff::{Span, civil::Date};

use crate::json::FormatError;

/// When points expire, and what becomes of those that come back after they had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Expiry {
    /// When points expire; never where there is no rule. It is fixed when they are earned: another rule is for points
    /// that are earned from then on.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub rule: Option<Rule>,
    /// The days that expired points get when they come back: by a return, or, once, from a hold that was released.
    pub grace_days: u16,
}

impl Default for Expiry {
    fn default() -> Expiry {
        Expiry { rule: None, grace_days: 7 }
    }
}

/// When points expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields))]
pub enum Rule {
    /// A term after they were earned.
    Term {
        /// How long.
        after: Term,
    },
    /// With the year in which they were earned, or so many years later.
    YearEnd {
        /// 0 for the same year.
        years_later: u8,
    },
    /// A term after the member's last activity: earning points, or an order that uses some. Each moves on all that were
    /// earned under such a rule, never back.
    Inactivity {
        /// How long.
        after: Term,
    },
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Term {
    /// Days.
    Days(u16),
    /// Months, of whatever length they are.
    Months(u16),
}

impl Expiry {
    /// Whether there is nothing to be told of it.
    pub fn is_default(&self) -> bool {
        *self == Expiry::default()
    }

    /// Whether it may be used: terms of up to ten years, a grace of up to one.
    pub fn is_sound(&self) -> bool {
        let rule = match self.rule {
            None => true,
            Some(Rule::Term { after } | Rule::Inactivity { after }) => after.is_sound(),
            Some(Rule::YearEnd { years_later }) => years_later <= 10,
        };
        rule && self.grace_days <= 365
    }

    /// The first day on which points are gone that come back on this one after they had expired.
    pub fn grace_ends_on(&self, day: Date) -> Date {
        Term::Days(self.grace_days).over_on(day)
    }
}

impl Rule {
    /// The first day on which points are gone that were earned on this one.
    pub fn gone_on(self, earned: Date) -> Date {
        match self {
            Rule::Term { after } | Rule::Inactivity { after } => after.over_on(earned),
            Rule::YearEnd { years_later } => {
                let year = earned.year().saturating_add(i16::from(years_later)).saturating_add(1);
                Date::new(year, 1, 1).unwrap_or(Date::MAX)
            }
        }
    }

    /// By what activity moves on points that are earned under this rule.
    pub fn rolls(self) -> Option<Term> {
        match self {
            Rule::Inactivity { after } => Some(after),
            Rule::Term { .. } | Rule::YearEnd { .. } => None,
        }
    }
}

impl Term {
    fn is_sound(self) -> bool {
        match self {
            Term::Days(days) => (1..=3_660).contains(&days),
            Term::Months(months) => (1..=120).contains(&months),
        }
    }

    /// The first day after a term that begins on this one. The day it begins on does not count, the last one counts
    /// whole; where a month has no such day, its last one is the last.
    pub fn over_on(self, begins: Date) -> Date {
        let term = match self {
            Term::Days(days) => Span::new().days(days),
            Term::Months(months) => Span::new().months(months),
        };
        begins.saturating_add(term).saturating_add(Span::new().days(1))
    }
}

/// As ISO 8601 writes it: `P365D`, `P12M`.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Days(days) => write!(f, "P{days}D"),
            Term::Months(months) => write!(f, "P{months}M"),
        }
    }
}

impl FromStr for Term {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Term, FormatError> {
        let malformed = || FormatError::Field("term");
        let number = text.strip_prefix('P').ok_or_else(malformed)?;
        if let Some(days) = number.strip_suffix('D') {
            return days.parse().map(Term::Days).map_err(|_| malformed());
        }
        let months = number.strip_suffix('M').ok_or_else(malformed)?;
        months.parse().map(Term::Months).map_err(|_| malformed())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_day_of_a_term_counts_whole() {
        let days = |days| Rule::Term { after: Term::Days(days) };
        assert_eq!(days(1).gone_on(date(2026, 12, 31)), date(2027, 1, 2));
        assert_eq!(days(365).gone_on(date(2027, 3, 1)), date(2028, 3, 1), "over a leap day");
    }

    #[test]
    fn a_month_that_has_no_such_day_ends_the_term_with_its_last() {
        let months = |months| Rule::Term { after: Term::Months(months) };
        assert_eq!(months(1).gone_on(date(2027, 1, 31)), date(2027, 3, 1), "28 February is the last");
        assert_eq!(months(1).gone_on(date(2028, 1, 31)), date(2028, 3, 1), "29 February is");
        assert_eq!(months(12).gone_on(date(2028, 2, 29)), date(2029, 3, 1));
        assert_eq!(months(1).gone_on(date(2027, 4, 30)), date(2027, 5, 31));
    }

    #[test]
    fn a_year_s_points_go_with_it_or_a_later_one() {
        let end = |years_later| Rule::YearEnd { years_later };
        assert_eq!(end(0).gone_on(date(2026, 1, 1)), date(2027, 1, 1));
        assert_eq!(end(0).gone_on(date(2026, 12, 31)), date(2027, 1, 1));
        assert_eq!(end(2).gone_on(date(2026, 6, 1)), date(2029, 1, 1));
        assert_eq!(end(9).gone_on(Date::MAX), Date::MAX);
    }

    #[test]
    fn a_grace_is_the_rest_of_the_day_at_least() {
        let grace = |grace_days| Expiry { rule: None, grace_days }.grace_ends_on(date(2026, 11, 26));
        assert_eq!(grace(0), date(2026, 11, 27));
        assert_eq!(grace(7), date(2026, 12, 4));
    }

    #[test]
    fn terms_beyond_reason_are_refused() {
        let sound = |rule| Expiry { rule: Some(rule), ..Expiry::default() }.is_sound();
        for term in [Term::Days(0), Term::Days(3_661), Term::Months(0), Term::Months(121)] {
            assert!(!sound(Rule::Term { after: term }) && !sound(Rule::Inactivity { after: term }), "{term}");
        }
        assert!(!sound(Rule::YearEnd { years_later: 11 }));
        assert!(sound(Rule::Inactivity { after: Term::Months(12) }));
        assert!(!Expiry { rule: None, grace_days: 366 }.is_sound());
    }

    #[test]
    fn a_term_is_written_as_iso_8601_and_read_back() {
        for (term, text) in [(Term::Days(365), "P365D"), (Term::Months(12), "P12M")] {
            assert_eq!((term.to_string().as_str(), text.parse()), (text, Ok(term)));
        }
        for text in ["", "P", "12M", "P12", "PM", "P-1M", "P70000D", "P1Y"] {
            assert!(text.parse::<Term>().is_err(), "{text}");
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_rule_is_stored_like_this() {
        for (rule, text) in [
            (Rule::Term { after: Term::Days(365) }, r#"{"kind":"term","after":{"days":365}}"#),
            (Rule::YearEnd { years_later: 1 }, r#"{"kind":"year_end","years_later":1}"#),
            (Rule::Inactivity { after: Term::Months(6) }, r#"{"kind":"inactivity","after":{"months":6}}"#),
        ] {
            assert_eq!(serde_json::to_string(&rule).unwrap(), text);
            assert_eq!(serde_json::from_str::<Rule>(text).unwrap(), rule);
        }
        assert_eq!(serde_json::from_str::<Expiry>("{}").unwrap(), Expiry::default());
    }

    proptest! {
        #[test]
        fn nothing_is_gone_on_the_day_it_was_earned(
            days in 0..20_000_i64, length in 1..=120_u16, later in 0..=10_u8,
        ) {
            let earned = date(2000, 1, 1).saturating_add(Span::new().days(days));
            for rule in [
                Rule::Term { after: Term::Days(length) },
                Rule::Inactivity { after: Term::Months(length) },
                Rule::YearEnd { years_later: later },
            ] {
                let next = earned.saturating_add(Span::new().days(1));
                prop_assert!(rule.gone_on(earned) > earned);
                prop_assert!(rule.gone_on(next) >= rule.gone_on(earned), "later earned is no sooner gone");
            }
        }
    }
}
