//! How a merchant wants members scored.

use alloc::vec::Vec;

use jiff::{ToSpan, civil::Date};

use super::{Scale, Steps};
use crate::LIMIT;
#[cfg(feature = "serde")]
use crate::is_default;

/// The most days that a step of recency, or the time between two orders, has.
pub(super) const MOST_DAYS: u32 = 3_660;

/// How members are scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
pub enum Rfm {
    /// Beside each other.
    #[default]
    Relative,
    /// By the merchant's own steps.
    Thresholds(Thresholds),
}

/// A merchant's own steps; each four, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Thresholds {
    /// At most so many days since the last order for 5, 4, 3 and 2; 0 is today. Days are the shop's.
    pub recency: [u32; 4],
    /// At least so many orders for 2, 3, 4 and 5.
    pub frequency: [u32; 4],
    /// At least so much paid for 2, 3, 4 and 5, in minor units of the shop's currency.
    pub monetary: [i64; 4],
    /// From when the days of recency count.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub recency_decay: Decay,
}

/// From when the days of recency count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields))]
pub enum Decay {
    /// From the last order on.
    #[default]
    Standard,
    /// From the day on which the next order is due: who orders by subscription and is on time has missed nothing.
    Subscription {
        /// The days from one order to the next.
        every_days: u32,
    },
}

/// Why a merchant's steps are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RfmError {
    /// Days that do not ascend, or too many of them.
    #[error("the steps of recency are four numbers of days in ascending order, up to 3,660")]
    Recency,
    /// Numbers of orders that do not ascend, or none.
    #[error("the steps of frequency are four numbers of orders in ascending order, from 1")]
    Frequency,
    /// Amounts that do not ascend, or below zero.
    #[error("the steps of money are four amounts in ascending order, from 0")]
    Monetary,
    /// No time between two orders, or too long a one.
    #[error("an order by subscription comes every 1 to 3,660 days")]
    EveryDays,
}

impl RfmError {
    /// Its name for programs; it does not change.
    pub fn code(self) -> &'static str {
        match self {
            RfmError::Recency => "rfm_recency",
            RfmError::Frequency => "rfm_frequency",
            RfmError::Monetary => "rfm_monetary",
            RfmError::EveryDays => "rfm_every_days",
        }
    }
}

impl Rfm {
    /// What is wrong with it, each with the setting that it is about.
    pub fn faults(&self) -> Vec<(&'static str, RfmError)> {
        match self {
            Rfm::Relative => Vec::new(),
            Rfm::Thresholds(thresholds) => thresholds.faults(),
        }
    }
}

impl Thresholds {
    fn faults(&self) -> Vec<(&'static str, RfmError)> {
        let Thresholds { recency, frequency, monetary, recency_decay } = self;
        let every_days = match recency_decay {
            Decay::Standard => true,
            Decay::Subscription { every_days } => (1..=MOST_DAYS).contains(every_days),
        };
        let sound = [
            ("recency", RfmError::Recency, ascend(recency, 0, MOST_DAYS)),
            ("frequency", RfmError::Frequency, ascend(frequency, 1, u32::MAX)),
            ("monetary", RfmError::Monetary, ascend(monetary, 0, LIMIT)),
            ("recency_decay", RfmError::EveryDays, every_days),
        ];
        sound.into_iter().filter(|(.., is_sound)| !is_sound).map(|(field, error, _)| (field, error)).collect()
    }

    /// The scale that these steps are on a day of the shop. `begins` says when a day begins there, in microseconds since
    /// 1970 (UTC): that is what the times of orders are held against until the next day.
    pub fn scale(&self, today: Date, begins: impl Fn(Date) -> i64) -> Scale {
        let on_time = match self.recency_decay {
            Decay::Standard => 0,
            Decay::Subscription { every_days } => every_days,
        };
        let ago = |days: u32| begins(today.saturating_sub((i64::from(days) + i64::from(on_time)).days()));
        let [most_recent, recent, less, least] = self.recency;
        Scale::new(
            Steps::at_least([least, less, recent, most_recent].map(ago)),
            Steps::at_least(self.frequency.map(i64::from)),
            Steps::at_least(self.monetary),
        )
    }
}

/// Whether these ascend within a range.
fn ascend<T: Copy + PartialOrd>(steps: &[T; 4], least: T, most: T) -> bool {
    steps[0] >= least && steps[3] <= most && steps.is_sorted_by(|one, next| one < next)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::rfm::{History, Segment};

    const DAY: i64 = 86_400_000_000;

    fn thresholds() -> Thresholds {
        Thresholds {
            recency: [7, 30, 90, 180],
            frequency: [2, 3, 5, 10],
            monetary: [5_000, 10_000, 50_000, 100_000],
            recency_decay: Decay::Standard,
        }
    }

    /// The day on which all of this is, and days as UTC has them.
    fn scale(thresholds: Thresholds) -> Scale {
        thresholds.scale(date(2026, 11, 27), begins)
    }

    fn begins(day: Date) -> i64 {
        i64::from(day.since(date(1970, 1, 1)).unwrap().get_days()) * DAY
    }

    /// The score of a last order so many days ago, late in the evening.
    fn recency(scale: &Scale, days_ago: i64) -> u8 {
        let last_order = begins(date(2026, 11, 27)) - days_ago * DAY + DAY - 1;
        scale.segment(&History { last_order, orders: 1, spent: 0 }).unwrap().recency()
    }

    #[test]
    fn a_merchants_steps_are_whole_days_orders_and_amounts() {
        let scale = scale(thresholds());
        for (days, score) in
            [(-400, 5), (-1, 5), (0, 5), (7, 5), (8, 4), (30, 4), (31, 3), (90, 3), (180, 2), (181, 1)]
        {
            assert_eq!(recency(&scale, days), score, "{days} days ago");
        }
        let begun = History { last_order: begins(date(2026, 11, 20)), orders: 10, spent: 49_999 };
        assert_eq!(
            scale.segment(&begun),
            Some(Segment::of(5, 5, 3)),
            "the first moment of the seventh day ago"
        );
        let before = History { last_order: begun.last_order - 1, orders: 4, spent: 4_999 };
        assert_eq!(scale.segment(&before), Some(Segment::of(4, 3, 1)));
    }

    #[test]
    fn who_orders_by_subscription_is_late_only_once_the_next_order_is_due() {
        let every_days = 30;
        let scale = scale(Thresholds { recency_decay: Decay::Subscription { every_days }, ..thresholds() });
        for (days, score) in [(0, 5), (30, 5), (37, 5), (38, 4), (60, 4), (61, 3), (210, 2), (211, 1)] {
            assert_eq!(recency(&scale, days), score, "{days} days ago");
        }
    }

    #[test]
    fn less_than_nothing_scores_one_where_nothing_scores_more() {
        let scale = scale(Thresholds { monetary: [0, 1, 2, 3], ..thresholds() });
        let monetary =
            |spent| scale.segment(&History { last_order: 0, orders: 1, spent }).unwrap().monetary();
        assert_eq!((monetary(-1), monetary(0), monetary(1)), (1, 2, 3));
    }

    #[test]
    fn steps_out_of_order_and_beyond_reason_are_refused() {
        let faults = |thresholds| Rfm::Thresholds(thresholds).faults();
        assert_eq!(Rfm::Relative.faults(), []);
        for sound in [
            thresholds(),
            Thresholds { recency: [0, 1, 2, 3_660], monetary: [0, 1, 2, LIMIT], ..thresholds() },
        ] {
            assert_eq!(faults(sound), [], "{sound:?}");
        }
        for recency in [[30, 7, 90, 180], [7, 7, 90, 180], [7, 30, 90, 3_661]] {
            assert_eq!(faults(Thresholds { recency, ..thresholds() }), [("recency", RfmError::Recency)]);
        }
        for frequency in [[0, 1, 2, 3], [2, 3, 10, 5]] {
            assert_eq!(
                faults(Thresholds { frequency, ..thresholds() }),
                [("frequency", RfmError::Frequency)]
            );
        }
        for monetary in [[-1, 1, 2, 3], [3, 2, 1, 0], [0, 1, 2, LIMIT + 1]] {
            assert_eq!(faults(Thresholds { monetary, ..thresholds() }), [("monetary", RfmError::Monetary)]);
        }
        for every_days in [0, 3_661] {
            let wrong = Thresholds { recency_decay: Decay::Subscription { every_days }, ..thresholds() };
            assert_eq!(faults(wrong), [("recency_decay", RfmError::EveryDays)]);
        }
        let all = Thresholds { recency: [1; 4], frequency: [1; 4], monetary: [1; 4], ..thresholds() };
        assert_eq!(faults(all).len(), 3, "each is named");
    }

    #[test]
    fn the_ends_of_the_calendar_do_no_harm() {
        let most = Thresholds {
            recency: [0, 1, 2, MOST_DAYS],
            recency_decay: Decay::Subscription { every_days: MOST_DAYS },
            ..thresholds()
        };
        most.scale(Date::MIN, |day| i64::from(day.year()));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn they_are_stored_like_this() {
        let stored = r#"{"kind":"thresholds","recency":[7,30,90,180],"frequency":[2,3,5,10],"monetary":[5000,10000,50000,100000]}"#;
        let late = stored.replace("]}", r#"],"recency_decay":{"kind":"subscription","every_days":30}}"#);
        let by_subscription =
            Thresholds { recency_decay: Decay::Subscription { every_days: 30 }, ..thresholds() };
        for (rfm, text) in [
            (Rfm::Relative, r#"{"kind":"relative"}"#),
            (Rfm::Thresholds(thresholds()), stored),
            (Rfm::Thresholds(by_subscription), &late),
        ] {
            assert_eq!(serde_json::to_string(&rfm).unwrap(), text);
            assert_eq!(serde_json::from_str::<Rfm>(text).unwrap(), rfm);
        }
        for wrong in [r#"{"kind":"ntile"}"#, "{}", &stored.replace("recency", "recentness")] {
            assert!(serde_json::from_str::<Rfm>(wrong).is_err(), "{wrong}");
        }
    }
}
