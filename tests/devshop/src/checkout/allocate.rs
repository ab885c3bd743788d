//! Sharing an amount over lines so that nothing is lost and no line gets more than it has.

use crate::switches::LastUnits;

/// Shares `total` over lines in proportion to their weights. The shares sum to `total` (or to all the weights together,
/// if that is less), and no share is above its weight. `rule` says who gets the units that do not divide.
pub fn allocate(total: i64, weights: &[i64], rule: LastUnits) -> Vec<i64> {
    let whole: i128 = weights.iter().map(|&weight| i128::from(weight.max(0))).sum();
    let total = i128::from(total.max(0)).min(whole);
    if total == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| total * i128::from(weight.max(0));
    // A share is at most its weight, because the total is at most the whole: it fits.
    let mut shares: Vec<i64> =
        weights.iter().map(|&w| i64::try_from(exact(w) / whole).unwrap_or(i64::MAX)).collect();
    let mut left = total - shares.iter().map(|&share| i128::from(share)).sum::<i128>();

    let mut order: Vec<usize> = (0..weights.len()).collect();
    match rule {
        LastUnits::FirstLines => {}
        LastUnits::LargestRemainder => order.sort_by_key(|&i| std::cmp::Reverse(exact(weights[i]) % whole)),
        LastUnits::LastLine => order.reverse(),
    }
    // One round gives a unit to each line; a full line passes it on, so there may be more rounds.
    while left > 0 {
        for &i in &order {
            let room = i128::from(weights[i].max(0) - shares[i]);
            let units = if rule == LastUnits::LastLine { left.min(room) } else { left.min(room).min(1) };
            shares[i] += i64::try_from(units).unwrap_or(0);
            left -= units;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rules_differ_in_the_last_units_only() {
        let weights = [999, 1000, 1500, 1000];
        assert_eq!(allocate(100, &weights, LastUnits::LargestRemainder), [22, 22, 34, 22]);
        assert_eq!(allocate(100, &weights, LastUnits::FirstLines), [23, 22, 33, 22]);
        assert_eq!(allocate(100, &weights, LastUnits::LastLine), [22, 22, 33, 23]);
    }

    #[test]
    fn a_full_line_passes_its_unit_on() {
        assert_eq!(allocate(2, &[1, 1, 0], LastUnits::LastLine), [1, 1, 0]);
        assert_eq!(allocate(5, &[0, 3], LastUnits::FirstLines), [0, 3]);
        assert_eq!(allocate(5, &[], LastUnits::FirstLines), [0; 0]);
    }

    fn rules() -> impl Strategy<Value = LastUnits> {
        prop_oneof![Just(LastUnits::LargestRemainder), Just(LastUnits::FirstLines), Just(LastUnits::LastLine)]
    }

    proptest! {
        #[test]
        fn shares_sum_exactly_and_fit_their_lines(
            total in -10i64..5_000_000_000,
            weights in prop::collection::vec(0i64..1_000_000_000, 0..40),
            rule in rules(),
        ) {
            let shares = allocate(total, &weights, rule);
            prop_assert_eq!(shares.iter().sum::<i64>(), total.clamp(0, weights.iter().sum()));
            for (share, weight) in shares.iter().zip(&weights) {
                prop_assert!((0..=*weight).contains(share));
            }
        }

        #[test]
        fn all_but_the_last_line_are_within_a_unit_of_their_exact_share(
            total in 0i64..1_000_000,
            weights in prop::collection::vec(1_000_000i64..2_000_000, 1..20),
            rule in rules(),
        ) {
            let whole: i64 = weights.iter().sum();
            let shares = allocate(total, &weights, rule);
            let checked = if rule == LastUnits::LastLine { weights.len() - 1 } else { weights.len() };
            for i in 0..checked {
                prop_assert!((i128::from(shares[i]) * i128::from(whole) - i128::from(total) * i128::from(weights[i])).abs() < i128::from(whole));
            }
        }
    }
}
