//! Division of what is wider than 64 bits.

/// `number ÷ by` rounded down; `None` when `by` is not above zero, or the result exceeds an `i64`.
#[cfg(not(feature = "small"))]
pub(crate) fn divided(number: i128, by: i64) -> Option<i64> {
    // Euclidean division floors for a positive divisor.
    (by > 0).then(|| i64::try_from(number.div_euclid(i128::from(by))).ok()).flatten()
}

#[cfg(feature = "small")]
pub(crate) use by_bits as divided;

/// The same by shifting and subtracting: of the processor's division of 128 bits, JavaScript would take 2 kB.
#[cfg(any(feature = "small", test))]
#[inline(never)]
pub(crate) fn by_bits(number: i128, by: i64) -> Option<i64> {
    let (number, negative) = (number.unsigned_abs(), number < 0);
    let by = u64::try_from(by).ok().filter(|by| *by > 0)?;
    let (mut quotient, mut rest) = (0_u64, 0_u64);
    // What is below 2^63 fits when it is doubled.
    for half in [(number >> 64) as u64, number as u64] {
        for place in (0..64).rev() {
            rest = rest << 1 | (half >> place & 1);
            let fits = u64::from(rest >= by);
            rest -= by * fits;
            quotient = quotient.checked_mul(2)? | fits;
        }
    }
    match negative {
        false => i64::try_from(quotient).ok(),
        true => 0_i64.checked_sub_unsigned(quotient.checked_add(u64::from(rest > 0))?),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_number() -> impl Strategy<Value = i128> {
        prop_oneof![any::<i128>(), any::<i64>().prop_map(i128::from), (-99_i128..=99), Just(i128::MIN)]
    }

    fn any_divisor() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), -9_i64..=9, Just(i64::MAX), Just(i64::MIN)]
    }

    #[test]
    fn the_ends_of_the_range_are_exact() {
        let most = i128::from(i64::MAX);
        for (number, by, quotient) in [
            (most, 1, Some(i64::MAX)),
            (most + 1, 1, None),
            (-most - 1, 1, Some(i64::MIN)),
            (-most - 2, 1, None),
            (-2 * most - 3, 2, None),
            (-7, 2, Some(-4)),
            (7, 0, None),
            (7, -1, None),
        ] {
            assert_eq!((divided(number, by), by_bits(number, by)), (quotient, quotient), "{number} ÷ {by}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_divide_alike(number in any_number(), by in any_divisor()) {
            prop_assert_eq!(by_bits(number, by), divided(number, by));
        }
    }
}
