//! How far a member is: what they have in the measure of a tier, and until when it is enough.
//!
//! Days are of the shop's calendar. What was done on a day counts on that day and on those after it, as many as the
//! threshold has in all. What is counted says nothing of who belongs to a tier: staff do.

use alloc::vec::Vec;

use jiff::{Span, civil::Date};

use crate::{
    LIMIT,
    program::TierUi,
    tier::{Measure, Threshold, Tier},
};

/// What a member did on one day, as far as tiers count it. Returns are taken off the day of their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The day.
    pub day: Date,
    /// The points that were earned by it and have arrived.
    pub points: i64,
    /// What was paid, in minor units of the shop's currency.
    pub spent: i64,
}

/// How much of a threshold a member has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What counts today: points or minor units. Below nothing where more came back than was paid.
    pub has: i64,
    /// What is missing; nothing where it is enough.
    pub missing: i64,
    /// The first day on which it is not enough any more if nothing is added; none where it is not enough today.
    pub until: Option<Date>,
}

impl Threshold {
    /// The first of the days that count on this one.
    pub fn counts_from(&self, today: Date) -> Date {
        today.saturating_sub(days(self.days.saturating_sub(1)))
    }

    /// How much of it somebody has on a day who did this, in any order.
    pub fn progress(&self, done: &[Done], today: Date) -> Progress {
        let from = self.counts_from(today);
        let amount = |done: &Done| match self.measure {
            Measure::Points => i128::from(done.points),
            Measure::Spend => i128::from(done.spent),
        };
        let mut counted: Vec<&Done> = done.iter().filter(|done| (from..=today).contains(&done.day)).collect();
        counted.sort_by_key(|done| done.day);
        let has: i128 = counted.iter().map(|done| amount(done)).sum();
        let (mut left, mut until) = (has, None);
        if has >= self.at_least.into() {
            // All of a day leaves at once, so that a return of that day never shows by itself.
            until = counted.chunk_by(|one, other| one.day == other.day).find_map(|day| {
                left -= day.iter().map(|done| amount(done)).sum::<i128>();
                let gone = day.first()?.day.saturating_add(days(self.days));
                (left < self.at_least.into()).then_some(gone)
            });
        }
        let missing = i128::from(self.at_least).saturating_sub(has).max(0);
        Progress { has: within(has), missing: within(missing), until }
    }
}

fn days(count: u32) -> Span {
    // Thresholds have 3,650 days at most; so many are more than calendars have.
    Span::new().try_days(i64::from(count).min(7_000_000)).unwrap_or_default()
}

/// Within the range of points and money.
fn within(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { -LIMIT } else { LIMIT }).clamp(-LIMIT, LIMIT)
}

/// A level of membership, as a merchant sets it or as widgets see it.
pub trait Level {
    /// Its id within the program.
    fn id(&self) -> &str;
    /// Whether members reach it by themselves.
    fn is_reached(&self) -> bool;
}

impl Level for Tier {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_reached(&self) -> bool {
        self.threshold.is_some()
    }
}

impl Level for TierUi {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_reached(&self) -> bool {
        self.threshold.is_some()
    }
}

/// The first level above a member's own that members reach by themselves; none above one that there is no longer. Levels
/// stand in their order, the lowest first.
pub fn next_level<'a, L: Level>(levels: &'a [L], own: Option<&str>) -> Option<&'a L> {
    above(levels, own)?.iter().find(|level| level.is_reached())
}

/// Whether there is no level above a member's own.
pub fn is_highest<L: Level>(levels: &[L], own: Option<&str>) -> bool {
    own.is_some() && above(levels, own).is_some_and(<[L]>::is_empty)
}

fn above<'a, L: Level>(levels: &'a [L], own: Option<&str>) -> Option<&'a [L]> {
    let first = match own {
        None => 0,
        Some(own) => levels.iter().position(|level| level.id() == own)? + 1,
    };
    levels.get(first..)
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString, vec};

    use proptest::prelude::*;

    use super::*;
    use crate::multiplier::Factor;

    fn day(number: i32) -> Date {
        jiff::civil::date(2026, 1, 1).saturating_add(Span::new().days(number))
    }

    fn spent(number: i32, spent: i64) -> Done {
        Done { day: day(number), points: 0, spent }
    }

    const GOLD: Threshold = Threshold { measure: Measure::Spend, at_least: 500, days: 30 };

    #[test]
    fn what_was_spent_counts_for_as_many_days_as_the_tier_says() {
        let done = [spent(0, 300), spent(10, 250)];
        let at = |today| GOLD.progress(&done, day(today));
        assert_eq!(
            at(0),
            Progress { has: 300, missing: 200, until: None },
            "what comes tomorrow does not count today"
        );
        for today in [10, 29] {
            assert_eq!(at(today), Progress { has: 550, missing: 0, until: Some(day(30)) }, "{today}");
        }
        assert_eq!(at(30), Progress { has: 250, missing: 250, until: None });
        assert_eq!(at(40), Progress { has: 0, missing: 500, until: None });
    }

    #[test]
    fn points_and_money_are_counted_apart() {
        let done = [Done { day: day(0), points: 7, spent: 900 }];
        let points = Threshold { measure: Measure::Points, ..GOLD };
        assert_eq!(points.progress(&done, day(0)).has, 7);
        assert_eq!(GOLD.progress(&done, day(0)).has, 900);
        assert_eq!(GOLD.progress(&[], day(0)), Progress { has: 0, missing: 500, until: None });
    }

    #[test]
    fn a_day_leaves_as_a_whole_and_what_was_given_back_may_make_up_for_it_later() {
        // The order of the first day and what of it was given back more than paid.
        assert_eq!(GOLD.progress(&[spent(0, 900), spent(0, -400), spent(5, 0)], day(5)).until, Some(day(30)));
        // When a negative day leaves, more is left than before: it is enough until the last one leaves.
        assert_eq!(GOLD.progress(&[spent(0, -100), spent(3, 700)], day(5)).until, Some(day(33)));
        assert_eq!(
            GOLD.progress(&[spent(0, -100)], day(5)),
            Progress { has: -100, missing: 600, until: None }
        );
    }

    #[test]
    fn amounts_at_their_ends_stay_within_range() {
        let most = GOLD.progress(&[spent(0, i64::MAX), spent(1, i64::MAX)], day(1));
        assert_eq!((most.has, most.missing, most.until), (LIMIT, 0, Some(day(31))));
        let least = GOLD.progress(&[spent(0, i64::MIN), spent(1, i64::MIN)], day(1));
        assert_eq!((least.has, least.missing, least.until), (-LIMIT, LIMIT, None));
        let endless = Threshold { days: u32::MAX, ..GOLD };
        assert_eq!(endless.progress(&[spent(0, 1)], day(1)).has, 1);
        assert_eq!(GOLD.progress(&[spent(0, 1)], Date::MIN).has, 0);
        assert_eq!(
            GOLD.progress(&[Done { day: Date::MAX, points: 0, spent: 600 }], Date::MAX).until,
            Some(Date::MAX)
        );
    }

    fn tier(id: &str, threshold: Option<Threshold>) -> Tier {
        Tier { id: id.into(), name: id.to_string(), threshold, earn_factor: Factor::ONE, perks: vec![] }
    }

    #[test]
    fn the_next_tier_is_one_that_members_reach_by_themselves() {
        let tiers =
            [tier("tin", Some(GOLD)), tier("guests", None), tier("gold", Some(GOLD)), tier("staff", None)];
        let next = |own| next_level(&tiers, own).map(|tier| tier.id.as_str());
        assert_eq!((next(None), next(Some("tin")), next(Some("gold"))), (Some("tin"), Some("gold"), None));
        assert_eq!(next(Some("of_old")), None);
        assert_eq!(next_level::<Tier>(&[], None), None);
        let highest = |own| is_highest(&tiers, own);
        assert!(highest(Some("staff")));
        assert!(
            !highest(Some("gold"))
                && !highest(Some("of_old"))
                && !highest(None)
                && !is_highest::<Tier>(&[], None)
        );
    }

    proptest! {
        #[test]
        fn it_is_enough_on_every_day_before_the_one_that_is_named_and_not_on_that_day(
            done in proptest::collection::vec((0..60_i32, -50..300_i64), 0..20),
            at_least in 1..900_i64,
            days in 1..40_u32,
        ) {
            let done: Vec<Done> = done.into_iter().map(|(at, amount)| spent(at, amount)).collect();
            let threshold = Threshold { at_least, days, ..GOLD };
            let told = threshold.progress(&done, day(60));
            prop_assert_eq!(told.missing, (at_least - told.has).max(0));
            prop_assert_eq!(told.until.is_some(), told.missing == 0);
            if let Some(until) = told.until {
                let enough = |today: Date| threshold.progress(&done, today).missing == 0;
                let mut today = day(60);
                while today < until {
                    prop_assert!(enough(today), "{} is enough on {today}", told.has);
                    today = today.tomorrow().unwrap();
                }
                prop_assert!(!enough(until));
            }
        }
    }
}
