//! Steps that a merchant may begin with: those of the shop's own members, as people would write them.

use jiff::civil::Date;

use super::settings::MOST_DAYS;
use super::{Decay, Scale, Thresholds};
use crate::LIMIT;

/// Days that people count in.
const DAYS: [u32; 24] = [
    0, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 75, 90, 120, 150, 180, 270, 365, 540, 730, 1_095, 1_825,
    MOST_DAYS,
];

/// More than any step of frequency that is proposed.
const MANY_ORDERS: i64 = 100_000;

impl Thresholds {
    /// Steps near to those of a [relative](Scale::relative) scale, in days, numbers and amounts that people use. Where
    /// members are so alike that steps fall together, the next ones follow. `day` says on which day of the shop a time is,
    /// in microseconds since 1970 (UTC), if the calendar has it; with a time between two orders, days count from when the
    /// next is due.
    pub fn proposed(
        relative: &Scale,
        today: Date,
        day: impl Fn(i64) -> Option<Date>,
        every_days: Option<u32>,
    ) -> Thresholds {
        let days_late = |time| {
            let days = today.since(day(time)?).ok()?.get_days();
            u32::try_from(days).ok()?.checked_sub(every_days.unwrap_or(0))
        };
        let Scale { recency, frequency, monetary } = relative;
        let [least, less, recent, most_recent] = recency.numbers().map(|time| days_late(time).unwrap_or(0));
        // A scale of nobody has no steps.
        let reached = |number: i64, most| if number == i64::MAX { 0 } else { number.clamp(0, most) };
        let more = frequency.numbers().map(|orders| reached(orders, MANY_ORDERS) + 1);
        let paid = monetary.numbers().map(|paid| round(reached(paid, LIMIT / 10)));
        Thresholds {
            recency: ascending_days([most_recent, recent, less, least]),
            frequency: ascending(more, 2, |orders| orders + 1).map(|orders| orders as u32),
            monetary: ascending(paid, 1, |amount| amount + unit(amount)),
            recency_decay: match every_days {
                None => Decay::Standard,
                Some(every_days) => Decay::Subscription { every_days },
            },
        }
    }
}

/// The days that people count in which are nearest, none twice.
fn ascending_days(days: [u32; 4]) -> [u32; 4] {
    let mut next = 0;
    let mut at = 0;
    days.map(|days| {
        at += 1;
        // As many are left for the steps that follow.
        let free = &DAYS[next..DAYS.len() - (4 - at)];
        let nearest = free
            .iter()
            .enumerate()
            .min_by_key(|(_, known)| known.abs_diff(days))
            .map_or(0, |(nearest, _)| nearest);
        let found = free[nearest];
        next += nearest + 1;
        found
    })
}

/// These numbers, each more than the one before, and the first at least so much.
fn ascending(numbers: [i64; 4], least: i64, next: impl Fn(i64) -> i64) -> [i64; 4] {
    let mut least = least;
    numbers.map(|number| {
        let number = number.max(least);
        least = next(number);
        number
    })
}

/// An amount with one digit that is not 0, or two where the second is a 5: the nearest.
fn round(amount: i64) -> i64 {
    let unit = unit(amount);
    (amount + unit / 2) / unit * unit
}

/// Half of the amount's power of ten.
fn unit(amount: i64) -> i64 {
    let mut power = 1;
    while amount / power >= 10 {
        power *= 10;
    }
    (power / 2).max(1)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::rfm::{History, Rfm};

    const DAY: i64 = 86_400_000_000;

    fn day(time: i64) -> Option<Date> {
        date(1970, 1, 1).checked_add(jiff::Span::new().try_days(time.div_euclid(DAY)).ok()?).ok()
    }

    fn proposed(base: &[History], every_days: Option<u32>) -> Thresholds {
        Thresholds::proposed(&Scale::relative(base), date(2026, 11, 27), day, every_days)
    }

    fn days_ago(days: i64) -> i64 {
        (20_784 - days) * DAY
    }

    #[test]
    fn steps_are_those_of_the_members_as_people_write_them() {
        assert_eq!(day(days_ago(0)).unwrap(), date(2026, 11, 27));
        let base: Vec<History> = (1..=100)
            .map(|n| History { last_order: days_ago(n * 2), orders: n / 10 + 1, spent: n * 1_234 })
            .collect();
        let thresholds = proposed(&base, None);
        assert_eq!(thresholds.recency, [45, 75, 120, 150]);
        assert_eq!(thresholds.frequency, [4, 6, 8, 10]);
        assert_eq!(thresholds.monetary, [25_000, 50_000, 75_000, 100_000]);
        assert_eq!(proposed(&base, Some(30)).recency_decay, Decay::Subscription { every_days: 30 });
        assert_eq!(proposed(&base, Some(30)).recency, [10, 45, 90, 120]);
    }

    #[test]
    fn members_who_are_alike_have_steps_all_the_same() {
        let alike = History { last_order: days_ago(0), orders: 1, spent: 0 };
        for base in [&[][..], &[alike][..], &[alike; 50][..]] {
            let thresholds = proposed(base, None);
            assert_eq!(Rfm::Thresholds(thresholds).faults(), [], "{thresholds:?}");
            assert_eq!(thresholds.frequency, [2, 3, 4, 5]);
        }
    }

    proptest! {
        #[test]
        fn what_is_proposed_is_always_sound(
            base in proptest::collection::vec((any::<i64>(), 0..9_i64, any::<i64>()), 0..60),
            every_days in proptest::option::of(1..=MOST_DAYS),
        ) {
            let history = |(last_order, orders, spent)| History { last_order, orders, spent };
            let base: Vec<History> = base.into_iter().map(history).collect();
            let thresholds = proposed(&base, every_days);
            prop_assert_eq!(Rfm::Thresholds(thresholds).faults(), [], "{:?}", thresholds);
        }
    }
}
