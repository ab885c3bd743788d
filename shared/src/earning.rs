//! Earning: what an order's lines are worth in points.
//!
//! Points are rounded once per order, never per line: the lines keep exact numerators, the order takes the floor of
//! their sum, then the cap. A refund recomputes from the same stored numbers, whatever the rules are by then.

use alloc::vec::Vec;

use crate::{LIMIT, points::OutOfRange, points::Points};

/// A multiplier of one, in ten-thousandths.
pub const UNITY: i64 = 10_000;

/// How an order earns: `points` for every `per` minor units of the shop's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct EarnRule {
    /// Points for every [`EarnRule::per`]; none means that orders earn nothing.
    pub points: Points,
    /// Minor units of the shop's currency.
    pub per: i64,
    /// The most points that one order earns.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub order_cap: Option<Points>,
}

/// What counts of one order line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Shopify's id of the line.
    pub id: i64,
    /// Units bought.
    pub quantity: i64,
    /// What was paid for them after all discounts, in minor units of the shop's currency.
    pub basis: i64,
}

/// What came back of one order line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Returned {
    /// Shopify's id of the line, or [`Returned::DELIVERY`].
    pub line: i64,
    /// Units returned.
    pub quantity: i64,
    /// What was paid for them after all discounts, in minor units of the shop's currency.
    pub subtotal: i64,
}

impl Returned {
    /// Stands in place of a line for what was refunded of delivery: Shopify's ids are positive.
    pub const DELIVERY: i64 = 0;
}

/// What an order earned, with all that is needed to say what it still earns after any returns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Earning {
    /// What the sum of the numerators is divided by.
    divisor: i64,
    /// The cap as it was.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    cap: Option<Points>,
    /// The lines that earn.
    lines: Vec<EarningLine>,
}

/// A line with its weight: the rule's points × the line's multiplier in ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "(i64, i64, i64, i64)", into = "(i64, i64, i64, i64)"))]
struct EarningLine {
    line: Line,
    weight: i64,
}

impl From<(i64, i64, i64, i64)> for EarningLine {
    fn from((id, quantity, basis, weight): (i64, i64, i64, i64)) -> EarningLine {
        EarningLine { line: Line { id, quantity, basis }, weight }
    }
}

impl From<EarningLine> for (i64, i64, i64, i64) {
    fn from(EarningLine { line, weight }: EarningLine) -> (i64, i64, i64, i64) {
        (line.id, line.quantity, line.basis, weight)
    }
}

impl EarnRule {
    /// What these lines earn. A line that was not paid for, or has a negative price, earns nothing. The whole must
    /// stay within the range of points.
    pub fn apply(&self, lines: impl IntoIterator<Item = Line>) -> Result<Earning, OutOfRange> {
        let weight = self.points.get().checked_mul(UNITY).ok_or(OutOfRange)?;
        let divisor = self.per.checked_mul(UNITY).filter(|divisor| *divisor > 0).ok_or(OutOfRange)?;
        let earns = |line: &Line| line.basis > 0 && line.quantity > 0 && weight > 0;
        let lines: Vec<EarningLine> =
            lines.into_iter().filter(earns).map(|line| EarningLine { line, weight }).collect();
        if lines.iter().any(|line| line.line.basis > LIMIT) {
            return Err(OutOfRange);
        }
        let earning = Earning { divisor, cap: self.order_cap, lines };
        earning.before_cap(&[])?;
        Ok(earning)
    }
}

impl Earning {
    /// The points that the order earned.
    pub fn points(&self) -> Points {
        self.points_after(&[])
    }

    /// The points that are still earned after these returns, in whatever order they came. Returns of lines that are
    /// not there, or of more than was bought, take no more than there is.
    pub fn points_after(&self, returns: &[Returned]) -> Points {
        // `apply` proved that the whole is in range; with returns it only gets smaller.
        let points = self.before_cap(returns).unwrap_or(Points::ZERO);
        self.cap.map_or(points, |cap| points.min(cap))
    }

    /// What a line's units were paid with, where it earns.
    pub fn basis_of(&self, line: i64) -> Option<i64> {
        self.lines.iter().find(|known| known.line.id == line).map(|known| known.line.basis)
    }

    fn numerators(&self, returns: &[Returned]) -> i128 {
        self.lines.iter().map(|line| line.numerator(returns)).sum()
    }

    fn before_cap(&self, returns: &[Returned]) -> Result<Points, OutOfRange> {
        let points = self.numerators(returns) / i128::from(self.divisor);
        Points::new(i64::try_from(points).map_err(|_| OutOfRange)?)
    }
}

impl EarningLine {
    /// What is left of the line's basis × its weight: below 2^53 × 2^63, so sums stay far within an `i128`.
    fn numerator(&self, returns: &[Returned]) -> i128 {
        let (mut quantity, mut subtotal) = (0_i64, 0_i64);
        for returned in returns.iter().filter(|returned| returned.line == self.line.id) {
            quantity = quantity.saturating_add(returned.quantity.max(0));
            subtotal = subtotal.saturating_add(returned.subtotal.max(0));
        }
        // All units back is nothing left, even where Shopify's rounding left a penny.
        let kept = if quantity >= self.line.quantity { 0 } else { (self.line.basis - subtotal).max(0) };
        i128::from(kept) * i128::from(self.weight)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(points: i64, per: i64, order_cap: Option<i64>) -> EarnRule {
        EarnRule {
            points: Points::new(points).unwrap(),
            per,
            order_cap: order_cap.map(|cap| Points::new(cap).unwrap()),
        }
    }

    fn line(id: i64, quantity: i64, basis: i64) -> Line {
        Line { id, quantity, basis }
    }

    fn returned(line: i64, quantity: i64, subtotal: i64) -> Returned {
        Returned { line, quantity, subtotal }
    }

    #[test]
    fn an_order_is_rounded_once() {
        // Three lines of 0.50 earn 1 point together; rounded by line they would earn none.
        let earning = rule(1, 100, None).apply((1..=3).map(|id| line(id, 1, 50))).unwrap();
        assert_eq!(earning.points().get(), 1);
    }

    #[test]
    fn what_costs_nothing_earns_nothing() {
        let earning = rule(1, 100, None).apply([line(1, 1, 0), line(2, 1, -500), line(3, 0, 500)]).unwrap();
        assert_eq!(earning.points(), Points::ZERO);
        assert_eq!(rule(0, 100, None).apply([line(1, 1, 500)]).unwrap().points(), Points::ZERO);
    }

    #[test]
    fn beyond_range_is_an_error() {
        assert_eq!(rule(1_000_000, 1, None).apply([line(1, 1, LIMIT)]), Err(OutOfRange));
        assert_eq!(rule(1, 1, None).apply([line(1, 1, LIMIT), line(2, 1, 1)]), Err(OutOfRange));
        assert_eq!(rule(1, 1, None).apply([line(1, 1, i64::MAX)]), Err(OutOfRange));
        assert_eq!(rule(1, 0, None).apply([line(1, 1, 1)]), Err(OutOfRange));
        assert_eq!(rule(LIMIT, 1, None).apply([line(1, 1, 1)]), Err(OutOfRange), "the weight itself");
    }

    #[test]
    fn returns_take_back_what_they_earned() {
        let earning = rule(1, 100, None).apply([line(1, 2, 250), line(2, 1, 50)]).unwrap();
        assert_eq!(earning.points().get(), 3);
        assert_eq!(earning.points_after(&[returned(1, 1, 125)]).get(), 1);
        assert_eq!(
            earning.points_after(&[returned(1, 1, 125), returned(1, 1, 124)]).get(),
            0,
            "all units are back"
        );
        assert_eq!(earning.points_after(&[returned(9, 5, 9_999)]).get(), 3, "a line that is not there");
        assert_eq!(earning.points_after(&[returned(1, 1, -125)]).get(), 3, "a return never adds");
        assert_eq!(earning.points_after(&[returned(1, 99, i64::MAX), returned(1, 99, i64::MAX)]).get(), 0);
    }

    #[test]
    fn a_return_below_the_cap_only_takes_what_the_cap_let_through() {
        let earning = rule(1, 100, Some(10)).apply([line(1, 20, 2_000)]).unwrap();
        assert_eq!(earning.points().get(), 10);
        assert_eq!(earning.points_after(&[returned(1, 5, 500)]).get(), 10);
        assert_eq!(earning.points_after(&[returned(1, 15, 1_500)]).get(), 5);
    }

    fn any_lines() -> impl Strategy<Value = Vec<Line>> {
        proptest::collection::vec((1..6_i64, 0..20_i64, 0..100_000_i64), 0..12).prop_map(|lines| {
            lines
                .into_iter()
                .enumerate()
                .map(|(at, (_, quantity, basis))| line(at as i64, quantity, basis))
                .collect()
        })
    }

    fn any_returns() -> impl Strategy<Value = Vec<Returned>> {
        let one = (0..14_i64, 0..25_i64, -10..120_000_i64);
        proptest::collection::vec(one.prop_map(|(l, q, s)| returned(l, q, s)), 0..10)
    }

    proptest! {
        #[test]
        fn points_are_the_floor_of_the_exact_sum(lines in any_lines(), points in 0..1_000_i64, per in 1..10_000_i64) {
            let earning = rule(points, per, None).apply(lines.iter().copied()).unwrap();
            let paid: i64 = lines.iter().filter(|l| l.quantity > 0).map(|l| l.basis).sum();
            prop_assert_eq!(earning.points().get(), paid * points / per);
        }

        #[test]
        fn returns_never_add_and_their_order_does_not_matter(
            lines in any_lines(), returns in any_returns(), cap in proptest::option::of(0..5_000_i64),
        ) {
            let earning = rule(3, 100, cap).apply(lines).unwrap();
            let mut before = earning.points();
            for upto in 0..=returns.len() {
                let after = earning.points_after(&returns[..upto]);
                prop_assert!(after <= before && after >= Points::ZERO);
                before = after;
            }
            let mut backwards = returns.clone();
            backwards.reverse();
            prop_assert_eq!(earning.points_after(&returns), earning.points_after(&backwards));
        }

        #[test]
        fn spending_more_never_earns_less(lines in any_lines(), more in 0..50_000_i64) {
            let earned = |lines: &[Line]| rule(3, 70, Some(4_000)).apply(lines.iter().copied()).unwrap().points();
            let mut dearer = lines.clone();
            if let Some(first) = dearer.first_mut() {
                first.basis += more;
            }
            prop_assert!(earned(&dearer) >= earned(&lines));
        }

        #[cfg(feature = "serde")]
        #[test]
        fn what_is_stored_is_read_back(lines in any_lines(), cap in proptest::option::of(0..5_000_i64)) {
            let earning = rule(3, 70, cap).apply(lines).unwrap();
            let stored = serde_json::to_string(&earning).unwrap();
            prop_assert_eq!(serde_json::from_str::<Earning>(&stored).unwrap(), earning);
        }
    }
}
