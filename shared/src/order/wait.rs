//! How long points wait until they can be spent.

use super::{Facts, Payment};

/// How long points wait until they can be spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Wait {
    /// For what.
    pub until: Until,
    /// And then for so many times 24 hours, such as returns are accepted.
    pub days: u16,
}

/// What points wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Until {
    /// The order is paid.
    #[default]
    Paid,
    /// It is paid, and all of it was sent off.
    Fulfilled,
}

impl Wait {
    /// When the points of an order can be spent, in microseconds since 1970 (UTC); none as long as that is open.
    pub fn over_at(self, facts: &Facts) -> Option<i64> {
        if facts.payment != Payment::Paid || facts.cancelled {
            return None;
        }
        let paid_at = facts.first_paid()?;
        let from = match self.until {
            Until::Paid => paid_at,
            Until::Fulfilled => facts.fulfilled()?.max(paid_at),
        };
        Some(from.saturating_add(i64::from(self.days) * MICROS_PER_DAY))
    }
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_wait_for_what_the_program_says() {
        let told = |at, payment| Facts::told(at, payment, false);
        let paid = told(1_000, Payment::Paid);
        let sent = paid.newest(told(5_000, Payment::Paid).and_fulfilled());
        let over = |until, days, facts: &Facts| Wait { until, days }.over_at(facts);
        assert_eq!(over(Until::Paid, 0, &paid), Some(1_000));
        assert_eq!(over(Until::Paid, 14, &paid), Some(1_000 + 14 * MICROS_PER_DAY));
        assert_eq!(over(Until::Paid, 0, &sent), Some(1_000), "when it was paid first");
        assert_eq!(over(Until::Fulfilled, 0, &paid), None);
        assert_eq!(over(Until::Fulfilled, 1, &sent), Some(5_000 + MICROS_PER_DAY));
        let sent_first = told(10, Payment::Pending).and_fulfilled().newest(paid);
        assert_eq!(over(Until::Fulfilled, 0, &sent_first), Some(1_000));
        let cancelled = Facts::told(1, Payment::Paid, true).and_fulfilled();
        for never in [told(1, Payment::Pending), told(1, Payment::Void), cancelled] {
            assert_eq!(over(Until::Paid, 0, &never), None);
        }
    }
}
