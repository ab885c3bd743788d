//! RFM: how recently (R), how often (F) and for how much (M) a member has bought, each from 1 to 5.
//!
//! The *base* are the members with an order of which something is left. All others are prospects: they have no segment,
//! and where one is to be shown they are 1/1/1.
//!
//! Both methods say the same thing: four [`Steps`] for each of the three numbers, and a score is one more than the steps
//! that the number is above. So a member is scored by their own numbers alone, in constant time, until the steps are laid
//! anew.
//!
//! * *Relative*: a score is `1 + ⌊5 × share of the base that is strictly worse⌋`. Members who are alike score alike, in
//!   whatever order they stand and in whatever unit their money is counted. Who is alone, or one of many who are all alike,
//!   is better than nobody: 1.
//! * *Thresholds*: the merchant's own steps.
//!
//! Who has got back more than they paid scores 1 for money, whatever others did. An order in the future is as recent as
//! today's at least.

mod action;
mod churn;
mod propose;
mod segment;
mod settings;
mod steps;

pub use self::{
    action::Action,
    churn::{Churn, Orders, Silences, WEEKS_AHEAD},
    segment::{Group, NoSegment, Segment, Stage},
    settings::{Decay, Rfm, RfmError, Thresholds},
    steps::Steps,
};

/// What a member has bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When they placed the last of their orders, in microseconds since 1970 (UTC).
    pub last_order: i64,
    /// Their orders of which something is left.
    pub orders: i64,
    /// What they paid for that, in minor units of the shop's currency.
    pub spent: i64,
}

/// By what members are scored: the steps of one shop at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Scale {
    /// Of the time of the last order.
    pub recency: Steps,
    /// Of the number of orders.
    pub frequency: Steps,
    /// Of what was paid.
    pub monetary: Steps,
}

impl Scale {
    /// The scale of these steps. Less than nothing is above no step of money.
    pub fn new(recency: Steps, frequency: Steps, monetary: Steps) -> Scale {
        Scale { recency, frequency, monetary: monetary.not_below_zero() }
    }

    /// The scale on which everyone of a base has as many points as the share of it that is strictly worse. Who has no
    /// orders does not belong to it.
    pub fn relative(base: &[History]) -> Scale {
        let [recency, frequency, monetary] = Steps::relative(base, |history| {
            (history.orders > 0).then_some([history.last_order, history.orders, history.spent])
        });
        Scale::new(recency, frequency, monetary)
    }

    /// The segment of a member with this history; none for prospects.
    pub fn segment(&self, history: &History) -> Option<Segment> {
        (history.orders > 0).then(|| {
            let recency = self.recency.score(history.last_order);
            Segment::of(recency, self.frequency.score(history.orders), self.monetary.score(history.spent))
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn history(last_order: i64, orders: i64, spent: i64) -> History {
        History { last_order, orders, spent }
    }

    fn segments(base: &[History]) -> Vec<Option<u16>> {
        let scale = Scale::relative(base);
        base.iter().map(|one| scale.segment(one).map(Segment::code)).collect()
    }

    #[test]
    fn a_score_is_the_share_of_the_base_that_is_worse() {
        let base: Vec<History> = (1..=10).map(|n| history(n, n, n * 100)).collect();
        let expected = [111, 111, 222, 222, 333, 333, 444, 444, 555, 555].map(Some);
        assert_eq!(segments(&base), expected);
    }

    #[test]
    fn who_is_alike_scores_alike() {
        // Nine bought once, one twice: nine tenths are worse than that one.
        let mut base: Vec<History> = (0..9).map(|_| history(7, 1, 100)).collect();
        base.push(history(7, 2, 100));
        let mut expected = [Some(111); 10];
        expected[9] = Some(151);
        assert_eq!(segments(&base), expected);
    }

    #[test]
    fn nobody_one_and_all_alike() {
        assert_eq!(segments(&[]), []);
        assert_eq!(segments(&[history(7, 3, 100)]), [Some(111)]);
        assert_eq!(segments(&[history(7, 3, 100); 8]), [Some(111); 8]);
        // Who comes later than the scale was laid is measured by it all the same.
        assert_eq!(
            Scale::relative(&[]).segment(&history(7, 3, 100)),
            Some(Segment::of(1, 1, 1)),
            "there is nobody to be better than"
        );
    }

    #[test]
    fn who_has_no_order_left_is_a_prospect_and_no_part_of_the_base() {
        let buyers: Vec<History> = (1..=10).map(|n| history(n, n, n * 100)).collect();
        let mut with_prospects = buyers.clone();
        with_prospects.extend([History::default(), history(0, 0, -500)]);
        let segments = segments(&with_prospects);
        assert_eq!(segments[10..], [None, None]);
        assert_eq!(Scale::relative(&with_prospects), Scale::relative(&buyers));
    }

    #[test]
    fn less_than_nothing_scores_one_whatever_others_did() {
        let base = [history(1, 1, -900), history(1, 1, -500), history(1, 1, 0), history(1, 1, 5)];
        let monetary: Vec<_> = segments(&base).into_iter().map(|code| code.unwrap() % 10).collect();
        assert_eq!(monetary, [1, 1, 3, 4]);
    }

    fn base() -> impl Strategy<Value = Vec<History>> {
        let one = (0..40_i64, 0..6_i64, -50..500_i64)
            .prop_map(|(last_order, orders, spent)| history(last_order, orders, spent));
        proptest::collection::vec(one, 0..80)
    }

    proptest! {
        #[test]
        fn scores_are_what_the_definition_says(base in base()) {
            let scale = Scale::relative(&base);
            let buyers: Vec<&History> = base.iter().filter(|one| one.orders > 0).collect();
            for one in &base {
                let score = |number: fn(&History) -> i64| {
                    let worse = buyers.iter().filter(|other| number(other) < number(one)).count();
                    u8::try_from(1 + 5 * worse / buyers.len()).unwrap()
                };
                let defined = (one.orders > 0).then(|| {
                    let monetary = if one.spent < 0 { 1 } else { score(|one| one.spent) };
                    Segment::of(score(|one| one.last_order), score(|one| one.orders), monetary)
                });
                prop_assert_eq!(scale.segment(one), defined);
            }
        }

        #[test]
        fn neither_the_order_of_rows_nor_the_unit_of_money_or_time_matters(
            base in base(), shuffled in any::<u64>(), unit in 1..1_000_i64, later in -1_000..1_000_i64,
        ) {
            let mut rows: Vec<(usize, History)> = base.iter().copied().enumerate().collect();
            rows.sort_by_key(|(at, _)| (*at as u64).wrapping_mul(shuffled | 1));
            let changed: Vec<History> = rows
                .iter()
                .map(|(_, one)| history(one.last_order + later, one.orders, one.spent * unit))
                .collect();
            let (before, after) = (segments(&base), segments(&changed));
            for ((at, _), segment) in rows.iter().zip(after) {
                prop_assert_eq!(segment, before[*at]);
            }
        }

        #[test]
        fn buying_more_or_later_never_scores_less(base in base(), more in 0..100_i64) {
            let scale = Scale::relative(&base);
            for one in base.iter().filter(|one| one.orders > 0) {
                let better = history(one.last_order + more, one.orders + more, one.spent + more);
                let [before, after] = [one, &better].map(|one| scale.segment(one).unwrap());
                prop_assert!(after.recency() >= before.recency() && after.frequency() >= before.frequency());
                prop_assert!(after.monetary() >= before.monetary());
            }
        }
    }
}
