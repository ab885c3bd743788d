//! What points are worth. Pure: exact products in 128 bits, rounded once, half up.

use loyalty::reward::Benefit;
use loyalty::{LIMIT, Program};

/// A number that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// Points worth nothing, or for nothing.
    #[error("a rate is some points for some money, both above nothing")]
    Rate,
    /// A price below zero, or points of which none will be redeemed.
    #[error(
        "an allocation is a price of at least nothing, for points of which more than none will be redeemed"
    )]
    Allocation,
    /// An amount beyond ±(2^53 − 1).
    #[error("an amount lies beyond range")]
    OutOfRange,
}

/// What points are worth to members: `points` of them, `minor` minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many points …
    pub points: i64,
    /// … buy so much, in minor units.
    pub minor: i64,
}

impl Rate {
    /// A rate.
    ///
    /// # Errors
    /// [`Nonsense::Rate`] unless both are above nothing.
    pub fn new(points: i64, minor: i64) -> Result<Rate, Nonsense> {
        let is_sound = |value| (1..=LIMIT).contains(&value);
        if is_sound(points) && is_sound(minor) { Ok(Rate { points, minor }) } else { Err(Nonsense::Rate) }
    }

    /// What points buy at best in the program's own currency, by the rewards that take an amount off or pay one out. None if
    /// no reward does.
    pub fn of(program: &Program) -> Option<Rate> {
        let rates = program.rewards.iter().filter_map(|reward| match &reward.benefit {
            Benefit::Amount { value }
            | Benefit::Steps { value, .. }
            | Benefit::StoreCredit { value }
            | Benefit::GiftCard { value } => {
                Rate::new(reward.points.get(), value.get(program.currency)?).ok()
            }
            Benefit::Percent { .. } | Benefit::Product { .. } | Benefit::Shipping { .. } => None,
        });
        // Compared as fractions.
        rates.max_by_key(|rate| std::cmp::Reverse(Fraction(rate.points, rate.minor)))
    }

    /// What these points are worth at this rate; those below zero nothing.
    ///
    /// # Errors
    /// [`Nonsense::OutOfRange`].
    pub fn worth(&self, points: i64) -> Result<i64, Nonsense> {
        mul_div(points.max(0), self.minor, self.points)
    }
}

/// A fraction of numbers above zero, in the order of its value.
#[derive(PartialEq, Eq)]
struct Fraction(i64, i64);

impl Ord for Fraction {
    fn cmp(&self, other: &Fraction) -> std::cmp::Ordering {
        let cross = |one: &Fraction, other: &Fraction| i128::from(one.0) * i128::from(other.1);
        cross(self, other).cmp(&cross(other, self))
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Fraction) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The part of what was paid for goods that was allocated to points, by their stand-alone selling price. It becomes
/// revenue as points are redeemed, measured by how many are expected to be in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocation {
    price: i64,
    expected: i64,
}

impl Allocation {
    /// `price` minor units for points of which `expected` will be redeemed.
    ///
    /// # Errors
    /// [`Nonsense::Allocation`].
    pub fn new(price: i64, expected: i64) -> Result<Allocation, Nonsense> {
        if (0..=LIMIT).contains(&price) && (1..=LIMIT).contains(&expected) {
            Ok(Allocation { price, expected })
        } else {
            Err(Nonsense::Allocation)
        }
    }

    /// What is revenue once so many are redeemed; what of it is new in a period is the difference to the period before, by
    /// its own expectation then. All of it, once as many are redeemed as were expected.
    ///
    /// # Errors
    /// [`Nonsense::OutOfRange`].
    pub fn recognised(&self, redeemed: i64) -> Result<i64, Nonsense> {
        mul_div(self.price, redeemed.clamp(0, self.expected), self.expected)
    }

    /// What is still owed.
    ///
    /// # Errors
    /// [`Nonsense::OutOfRange`].
    pub fn deferred(&self, redeemed: i64) -> Result<i64, Nonsense> {
        Ok(self.price - self.recognised(redeemed)?)
    }
}

/// `a × b ÷ c` for numbers that are not negative, rounded half up.
fn mul_div(a: i64, b: i64, c: i64) -> Result<i64, Nonsense> {
    let (product, divisor) = (i128::from(a) * i128::from(b), i128::from(c));
    let rounded = (2 * product + divisor).checked_div_euclid(2 * divisor).ok_or(Nonsense::OutOfRange)?;
    i64::try_from(rounded).ok().filter(|value| *value <= LIMIT).ok_or(Nonsense::OutOfRange)
}

/// A rate and an allocation, of which each is there as a whole or not at all.
///
/// # Errors
/// [`Nonsense`] where half of one is missing, or it makes no sense.
pub(super) fn terms(
    (points, minor): (Option<i64>, Option<i64>),
    (allocated, expected): (Option<i64>, Option<i64>),
) -> Result<(Option<Rate>, Option<Allocation>), Nonsense> {
    let rate = match (points, minor) {
        (None, None) => None,
        (points, minor) => Some(Rate::new(points.unwrap_or(0), minor.unwrap_or(0))?),
    };
    let allocation = match (allocated, expected) {
        (None, None) => None,
        (allocated, expected) => Some(Allocation::new(allocated.unwrap_or(-1), expected.unwrap_or(0))?),
    };
    Ok((rate, allocation))
}

#[cfg(test)]
mod tests {
    use loyalty::{Currency, Points};
    use proptest::prelude::*;

    use super::*;

    /// 9,000 were allocated to 10,000 points.
    #[test]
    fn revenue_follows_redemption_and_a_new_expectation_is_made_up_for_at_once() {
        let after =
            |redeemed, expected| Allocation::new(9_000, expected).unwrap().recognised(redeemed).unwrap();
        let first = after(4_500, 9_700);
        assert_eq!(first, 4_175);
        assert_eq!(after(8_500, 9_900) - first, 3_552);
        assert_eq!(after(8_500, 9_200) - first, 4_140);
        assert_eq!((after(9_700, 9_700), after(9_900, 9_700), after(0, 9_700)), (9_000, 9_000, 0));
    }

    #[test]
    fn a_point_is_worth_what_the_best_reward_gives_for_it() {
        let mut program = Program::standard(Currency::parse("GBP").unwrap());
        // 450 points for 5.00 is more than 100 for 1.00.
        let best = Rate::of(&program).unwrap();
        assert_eq!((best.points, best.minor), (450, 500));
        assert_eq!(best.worth(1_000), Ok(1_111));
        assert_eq!(Rate::new(2, 1).unwrap().worth(1), Ok(1), "half up");
        assert_eq!(best.worth(-1_000), Ok(0), "who owes points is owed nothing");
        program.rewards.retain(|reward| matches!(reward.benefit, Benefit::Percent { .. }));
        assert_eq!(Rate::of(&program), None);
        program.rewards[0].benefit =
            Benefit::Amount { value: [(Currency::parse("EUR").unwrap(), 100)].into() };
        program.rewards[0].points = Points::new(1).unwrap();
        assert_eq!(Rate::of(&program), None, "another currency says nothing");
    }

    #[test]
    fn nonsense_is_refused() {
        for (points, minor) in [(0, 1), (1, 0), (-1, 1), (1, LIMIT + 1)] {
            assert_eq!(Rate::new(points, minor), Err(Nonsense::Rate));
        }
        for (price, expected) in [(-1, 1), (1, 0), (LIMIT + 1, 1)] {
            assert_eq!(Allocation::new(price, expected), Err(Nonsense::Allocation));
        }
        assert_eq!(Rate::new(1, LIMIT).unwrap().worth(2), Err(Nonsense::OutOfRange));
    }

    proptest! {
        #[test]
        fn what_is_owed_and_what_is_revenue_are_the_price(
            price in 0..=LIMIT, expected in 1..=LIMIT, redeemed in -LIMIT..=LIMIT,
        ) {
            let allocation = Allocation::new(price, expected).unwrap();
            let (revenue, owed) = (allocation.recognised(redeemed).unwrap(), allocation.deferred(redeemed).unwrap());
            prop_assert_eq!(revenue + owed, price);
            prop_assert!(revenue >= 0 && owed >= 0);
        }
    }
}
