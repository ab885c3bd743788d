//! The roll-forward: how what members have came about, month by month. Pure.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::{Add, Sub};

use serde::Serialize;

use crate::points::{Kind, Ledger};

/// What changed what members have, in points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    pub(super) earned: i64,
    pub(super) redeemed: i64,
    pub(super) expired: i64,
    pub(super) reversed: i64,
    pub(super) adjusted: i64,
}

impl Changes {
    fn net(&self) -> i64 {
        self.earned - self.redeemed - self.expired - self.reversed + self.adjusted
    }

    fn with(self, other: Changes, change: impl Fn(i64, i64) -> i64) -> Changes {
        Changes {
            earned: change(self.earned, other.earned),
            redeemed: change(self.redeemed, other.redeemed),
            expired: change(self.expired, other.expired),
            reversed: change(self.reversed, other.reversed),
            adjusted: change(self.adjusted, other.adjusted),
        }
    }
}

impl Add for Changes {
    type Output = Changes;

    fn add(self, other: Changes) -> Changes {
        self.with(other, |one, other| one + other)
    }
}

impl Sub for Changes {
    type Output = Changes;

    fn sub(self, other: Changes) -> Changes {
        self.with(other, |one, other| one - other)
    }
}

impl Sum for Changes {
    fn sum<I: Iterator<Item = Changes>>(all: I) -> Changes {
        all.fold(Changes::default(), Add::add)
    }
}

/// A month of the roll-forward, in points: opening + earned − redeemed − expired − reversed + adjusted = closing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The month, in the shop: 202611.
    pub month: i64,
    /// What members had when it began: to spend, waiting and pinned, less what they owed.
    pub opening: i64,
    /// Earned, waiting points among them.
    pub earned: i64,
    /// Redeemed by members, less what came back. What the program bore is not among it.
    pub redeemed: i64,
    /// Not spent in time.
    pub expired: i64,
    /// Taken back, or called off while they waited.
    pub reversed: i64,
    /// Anything else.
    pub adjusted: i64,
    /// What members had when it ended.
    pub closing: i64,
}

/// A month of one cohort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CohortLine {
    /// The month in which the points were earned, in the shop; none of those that lie in no lot.
    pub cohort: Option<i64>,
    /// The month, in the shop: 202611.
    pub month: i64,
    /// What members had of it when the month began.
    pub opening: i64,
    /// Earned.
    pub earned: i64,
    /// Redeemed by members, less what came back.
    pub redeemed: i64,
    /// Not spent in time.
    pub expired: i64,
    /// Taken back.
    pub reversed: i64,
    /// What went into the points that lie in no lot: it filled what members owed.
    pub adjusted: i64,
    /// What members had of it when the month ended.
    pub closing: i64,
}

/// The months one after the other.
pub(super) fn forward(months: impl IntoIterator<Item = (i64, Changes)>) -> Vec<Line> {
    let mut closing = 0;
    let line = |(month, changes): (i64, Changes)| {
        let opening = closing;
        closing += changes.net();
        let Changes { earned, redeemed, expired, reversed, adjusted } = changes;
        Line { month, opening, earned, redeemed, expired, reversed, adjusted, closing }
    };
    months.into_iter().map(line).collect()
}

/// The same for each cohort. All cohorts of a month, and what lies in no lot, are the month.
pub(super) fn by_cohort(
    months: &[i64],
    posted: &[(i64, Ledger, i64)],
    moved: &[(i64, i64, Kind, i64)],
) -> Vec<CohortLine> {
    let mut cohorts: BTreeMap<Option<i64>, BTreeMap<i64, Changes>> = BTreeMap::new();
    let mut add = |cohort, month, changes: Changes| {
        let place = cohorts.entry(cohort).or_default().entry(month).or_default();
        *place = *place + changes;
    };
    for (month, ledger, points) in posted {
        add(None, *month, Changes::of_posting(*ledger, *points));
    }
    for (month, cohort, kind, points) in moved {
        let changes = Changes::of_move(*kind, *points);
        add(Some(*cohort), *month, changes);
        add(None, *month, Changes::default() - changes);
    }
    let mut lines = Vec::new();
    for (cohort, changes) in cohorts {
        let changes = |month: &i64| (*month, changes.get(month).copied().unwrap_or_default());
        let of_cohort = forward(months.iter().map(changes)).into_iter().filter(Line::is_something);
        lines.extend(of_cohort.map(|line| {
            let Line { month, opening, earned, redeemed, expired, reversed, adjusted, closing } = line;
            CohortLine { cohort, month, opening, earned, redeemed, expired, reversed, adjusted, closing }
        }));
    }
    lines
}

impl Line {
    /// Whether anything was there or happened.
    fn is_something(&self) -> bool {
        [self.opening, self.earned, self.redeemed, self.expired, self.reversed, self.adjusted]
            .iter()
            .any(|points| *points != 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_month_begins_where_the_one_before_ended() {
        let changes = |earned, redeemed, expired| Changes { earned, redeemed, expired, ..Changes::default() };
        let lines = forward([(202_611, changes(100, 30, 0)), (202_612, changes(10, 5, 40))]);
        assert_eq!(
            lines.iter().map(|line| (line.opening, line.closing)).collect::<Vec<_>>(),
            [(0, 70), (70, 35)]
        );
    }

    #[test]
    fn what_waits_and_what_is_owed_lies_in_no_cohort() {
        let posted = [(202_611, Ledger::Issued, -150), (202_611, Ledger::Available, 100)];
        let lines = by_cohort(&[202_611], &posted, &[(202_611, 202_610, Kind::Earn, 100)]);
        let closing: Vec<_> = lines.iter().map(|line| (line.cohort, line.closing)).collect();
        assert_eq!(closing, [(None, 50), (Some(202_610), 100)]);
    }

    const LEDGERS: [Ledger; 7] = [
        Ledger::Available,
        Ledger::Issued,
        Ledger::Redeemed,
        Ledger::Expired,
        Ledger::Reversed,
        Ledger::Unbacked,
        Ledger::Imported,
    ];
    const KINDS: [Kind; 7] =
        [Kind::Earn, Kind::Capture, Kind::Expire, Kind::Reverse, Kind::Release, Kind::Return, Kind::Import];

    proptest! {
        #[test]
        fn cohorts_together_are_the_whole(
            posted in proptest::collection::vec((0..4_i64, 0..7_usize, -100..100_i64), 0..30),
            moved in proptest::collection::vec((0..4_i64, 0..3_i64, 0..7_usize, -100..100_i64), 0..30),
        ) {
            let posted: Vec<_> = posted.into_iter().map(|(m, ledger, p)| (m, LEDGERS[ledger], p)).collect();
            let moved: Vec<_> = moved.into_iter().map(|(m, c, kind, p)| (m, c, KINDS[kind], p)).collect();
            let months = [0, 1, 2, 3];
            let lines = by_cohort(&months, &posted, &moved);
            let whole = forward(months.map(|month| {
                let of_month = posted.iter().filter(|(of, ..)| *of == month);
                (month, of_month.map(|(_, ledger, points)| Changes::of_posting(*ledger, *points)).sum())
            }));
            for line in whole {
                let of_month = lines.iter().filter(|one| one.month == line.month);
                let sums = of_month.fold((0, 0), |(opening, closing), one| {
                    (opening + one.opening, closing + one.closing)
                });
                prop_assert_eq!(sums, (line.opening, line.closing));
            }
        }
    }
}
