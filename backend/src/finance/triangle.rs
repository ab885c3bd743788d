//! The triangle: what became of the points of each month, month by month since. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::roll::Changes;
use crate::points::Kind;

/// One cohort after so many months, everything until then counted. In points; shares in hundredths of a per cent, rounded
/// down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The month in which the points were earned, in the shop: 202611.
    pub cohort: i64,
    /// Months since; 0 is the cohort's own.
    pub age: i64,
    /// What was earned or given by hand, less what was taken back.
    pub earned: i64,
    /// What was redeemed, less what came back.
    pub redeemed: i64,
    /// What was not spent in time: the breakage.
    pub expired: i64,
    /// Redeemed of earned.
    pub redeemed_bp: i64,
    /// Expired of earned.
    pub expired_bp: i64,
}

/// Every cohort from its own month to `last`. What was booked before the cohort's month counts in it.
pub(super) fn cells(moved: &[(i64, i64, Kind, i64)], last: i64) -> Vec<Cell> {
    let mut cohorts: BTreeMap<i64, BTreeMap<i64, Changes>> = BTreeMap::new();
    for (month, cohort, kind, points) in moved {
        let age = months_between(*cohort, *month).max(0);
        let place = cohorts.entry(*cohort).or_default().entry(age).or_default();
        *place = *place
            + match kind {
                // Earned elsewhere or given by hand: shares are shares of them, too.
                Kind::Import | Kind::Revert | Kind::Adjust => {
                    Changes { earned: *points, ..Changes::default() }
                }
                kind => Changes::of_move(*kind, *points),
            };
    }
    let mut cells = Vec::new();
    for (cohort, by_age) in cohorts {
        let mut sum = Changes::default();
        for age in 0..=months_between(cohort, last).max(0) {
            sum = sum + by_age.get(&age).copied().unwrap_or_default();
            let earned = sum.earned - sum.reversed;
            cells.push(Cell {
                cohort,
                age,
                earned,
                redeemed: sum.redeemed,
                expired: sum.expired,
                redeemed_bp: share(sum.redeemed, earned),
                expired_bp: share(sum.expired, earned),
            });
        }
    }
    cells
}

/// From 202611 to 202702 it is three.
fn months_between(from: i64, to: i64) -> i64 {
    let number = |month: i64| month.div_euclid(100) * 12 + month.rem_euclid(100);
    number(to) - number(from)
}

fn share(part: i64, whole: i64) -> i64 {
    let exact = i128::from(part.max(0)) * 10_000;
    exact.checked_div(i128::from(whole.max(0))).and_then(|share| i64::try_from(share).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cohort_is_followed_month_by_month() {
        let moved = [
            (202_611, 202_611, Kind::Earn, 1_000),
            (202_611, 202_611, Kind::Reverse, -100),
            (202_612, 202_611, Kind::Capture, -300),
            (202_702, 202_611, Kind::Expire, -600),
            (202_702, 202_702, Kind::Earn, 50),
        ];
        let cells = cells(&moved, 202_702);
        let seen: Vec<_> =
            cells.iter().map(|cell| (cell.cohort, cell.age, cell.redeemed_bp, cell.expired_bp)).collect();
        assert_eq!(
            seen,
            [
                (202_611, 0, 0, 0),
                (202_611, 1, 3_333, 0),
                (202_611, 2, 3_333, 0),
                (202_611, 3, 3_333, 6_666),
                (202_702, 0, 0, 0),
            ]
        );
    }

    #[test]
    fn of_nothing_there_is_no_share() {
        assert_eq!((share(5, 0), share(-5, 10), share(i64::MAX, 1)), (0, 0, 0));
    }
}
