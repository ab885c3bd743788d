//! Points: whole numbers within ±(2^53 − 1).

use core::fmt;

use crate::LIMIT;

/// A number of points. Signed, because ledger postings and balances in debt are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i64", into = "i64"))]
pub struct Points(i64);

/// A number of points, or an amount of money, beyond ±(2^53 − 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value lies beyond ±(2^53 − 1)")]
pub struct OutOfRange;

impl Points {
    /// The most there can be.
    pub const MOST: Points = Points(LIMIT);
    /// No points.
    pub const ZERO: Points = Points(0);

    /// Points from a whole number; beyond ±(2^53 − 1) is an error.
    ///
    /// # Errors
    /// [`OutOfRange`] beyond that.
    pub const fn new(value: i64) -> Result<Points, OutOfRange> {
        if value > LIMIT || value < -LIMIT { Err(OutOfRange) } else { Ok(Points(value)) }
    }

    /// The whole number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or an error where it leaves the range.
    ///
    /// # Errors
    /// [`OutOfRange`] where it leaves the range.
    pub fn plus(self, other: Points) -> Result<Points, OutOfRange> {
        // Two values of 54 bits cannot overflow 64.
        Points::new(self.0 + other.0)
    }

    /// The difference, or an error where it leaves the range.
    ///
    /// # Errors
    /// [`OutOfRange`] where it leaves the range.
    pub fn minus(self, other: Points) -> Result<Points, OutOfRange> {
        Points::new(self.0 - other.0)
    }

    /// Whether there are more than zero.
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// These points, or zero where they are negative.
    pub fn or_zero(self) -> Points {
        self.max(Points::ZERO)
    }
}

impl core::ops::Neg for Points {
    type Output = Points;

    /// The range is symmetric, so negation stays inside it.
    fn neg(self) -> Points {
        Points(-self.0)
    }
}

impl TryFrom<i64> for Points {
    type Error = OutOfRange;

    fn try_from(value: i64) -> Result<Points, OutOfRange> {
        Points::new(value)
    }
}

impl From<Points> for i64 {
    fn from(points: Points) -> i64 {
        points.0
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_range_is_closed_and_symmetric() {
        assert_eq!(Points::new(LIMIT).map(Points::get), Ok(LIMIT));
        assert_eq!(Points::new(-LIMIT).map(Points::get), Ok(-LIMIT));
        assert_eq!(Points::new(LIMIT + 1), Err(OutOfRange));
        assert_eq!(Points::new(i64::MIN), Err(OutOfRange));
    }

    proptest! {
        #[test]
        fn arithmetic_is_exact_or_an_error(a in -LIMIT..=LIMIT, b in -LIMIT..=LIMIT) {
            let (x, y) = (Points::new(a).unwrap(), Points::new(b).unwrap());
            prop_assert_eq!(x.plus(y).ok().map(Points::get), (-LIMIT..=LIMIT).contains(&(a + b)).then_some(a + b));
            prop_assert_eq!(x.minus(y).ok(), x.plus(-y).ok());
        }
    }
}
