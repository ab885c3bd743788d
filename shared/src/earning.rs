//! Earning: what an order's lines have earned, in numbers that do not change when the rules do.
//!
//! Points are rounded once per order, never per line: the lines keep exact numerators, the order takes the floor of
//! their sum, then the cap. A refund recomputes from the same stored numbers, whatever the rules are by then.

use alloc::vec::Vec;

use crate::{
    line::LineNow,
    mul_div_floor,
    points::{OutOfRange, Points},
    wide::divided,
};

/// What came back of one order line, or of the order as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Returned {
    /// Shopify's id of the line; [`LineNow::DELIVERY`] or [`LineNow::WHOLE`], of which an amount comes back and no units.
    pub line: i64,
    /// Units returned.
    pub quantity: i64,
    /// What was paid for them after all discounts, in minor units of the shop's currency. Of the whole it is with tax, and
    /// below zero where less was paid back than the returned units had cost.
    pub subtotal: i64,
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

/// A line with what counts of it and its weight: the rule's points × the line's multiplier in ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Vec<i64>", into = "Vec<i64>"))]
pub(crate) struct EarningLine {
    pub id: i64,
    pub quantity: i64,
    pub basis: i64,
    pub weight: i64,
    /// What was paid for it, of which refunds tell. Without tax or discounts it differs from the basis.
    pub paid: i64,
}

#[cfg(feature = "serde")]
impl TryFrom<Vec<i64>> for EarningLine {
    type Error = &'static str;

    fn try_from(stored: Vec<i64>) -> Result<EarningLine, &'static str> {
        match stored[..] {
            [id, quantity, basis, weight] => Ok(EarningLine { id, quantity, basis, weight, paid: basis }),
            [id, quantity, basis, weight, paid] => Ok(EarningLine { id, quantity, basis, weight, paid }),
            _ => Err("a line that earns is four or five numbers"),
        }
    }
}

#[cfg(feature = "serde")]
impl From<EarningLine> for Vec<i64> {
    fn from(EarningLine { id, quantity, basis, weight, paid }: EarningLine) -> Vec<i64> {
        let mut stored = alloc::vec![id, quantity, basis, weight];
        if paid != basis {
            stored.push(paid);
        }
        stored
    }
}

impl Earning {
    /// What these lines earn together. The whole must stay within the range of points.
    pub(crate) fn new(
        divisor: i64,
        cap: Option<Points>,
        lines: Vec<EarningLine>,
    ) -> Result<Earning, OutOfRange> {
        let earning = Earning { divisor, cap, lines };
        earning.before_cap(&[])?;
        Ok(earning)
    }

    /// The points that the order earned.
    pub fn points(&self) -> Points {
        self.points_after(&[])
    }

    /// The points that are still earned after these returns, in whatever order they came. Returns of lines that are
    /// not there, or of more than was bought, take no more than there is.
    pub fn points_after(&self, returns: &[Returned]) -> Points {
        let points = self.uncapped_after(returns);
        self.cap.map_or(points, |cap| points.min(cap))
    }

    /// Whether nothing that earns is left of the order after these returns.
    pub fn is_gone(&self, returns: &[Returned]) -> bool {
        self.lines.iter().all(|line| line.numerator(returns) == 0)
    }

    /// What it would be without a cap.
    pub(crate) fn uncapped_after(&self, returns: &[Returned]) -> Points {
        // `new` proved that the whole is in range; with returns it only gets smaller.
        self.before_cap(returns).unwrap_or(Points::ZERO)
    }

    /// The most that the order could earn, if that was bounded.
    pub fn cap(&self) -> Option<Points> {
        self.cap
    }

    /// What a line's units were paid with, where it earns.
    pub fn paid_of(&self, line: i64) -> Option<i64> {
        self.lines.iter().find(|known| known.id == line).map(|known| known.paid)
    }

    /// Each line's share of the points that are still earned after these returns. The shares sum to the points exactly:
    /// what is left over after rounding down goes to the lines that were cut most, the first of equals.
    pub fn shares(&self, returns: &[Returned]) -> Vec<(i64, Points)> {
        let mut numerators: Vec<i128> = self.lines.iter().map(|line| line.numerator(returns)).collect();
        let points = self.points_after(returns);
        // Numerators of more than 73 bits times points of 53 would not fit; their last bits decide no share.
        let total = numerators.iter().sum::<i128>();
        let too_long = (i128::BITS - total.leading_zeros()).saturating_sub(73);
        numerators.iter_mut().for_each(|numerator| *numerator >>= too_long);
        let total = numerators.iter().sum::<i128>().max(1);

        let wanted = numerators.iter().map(|numerator| numerator * i128::from(points.get()));
        let mut shares: Vec<(i128, i128)> = wanted.map(|wanted| (wanted / total, wanted % total)).collect();
        let given = shares.iter().map(|(share, _)| share).sum::<i128>();
        let mut by_rest: Vec<usize> = (0..shares.len()).collect();
        by_rest.sort_by_key(|at| core::cmp::Reverse(shares[*at].1));
        let left = usize::try_from(i128::from(points.get()) - given).unwrap_or(0);
        for at in by_rest.into_iter().take(left) {
            shares[at].0 += 1;
        }
        let share = |share: i128| i64::try_from(share).ok().and_then(|share| Points::new(share).ok());
        let share = |(line, (points, _)): (&EarningLine, _)| (line.id, share(points).unwrap_or_default());
        self.lines.iter().zip(shares).map(share).collect()
    }

    fn before_cap(&self, returns: &[Returned]) -> Result<Points, OutOfRange> {
        let numerators = self.lines.iter().map(|line| line.numerator(returns)).sum::<i128>();
        Points::new(divided(numerators, self.divisor).ok_or(OutOfRange)?)
    }
}

impl EarningLine {
    /// What is left of the line's basis × its weight: below 2^53 × 2^63, so sums stay far within an `i128`.
    fn numerator(&self, returns: &[Returned]) -> i128 {
        let (mut quantity, mut subtotal) = (0_i64, 0_i64);
        for returned in returns.iter().filter(|returned| returned.line == self.id) {
            if self.id != LineNow::DELIVERY {
                quantity = quantity.saturating_add(returned.quantity.max(0));
            }
            subtotal = subtotal.saturating_add(returned.subtotal.max(0));
        }
        // All units back is nothing left, even where Shopify's rounding left a penny.
        let kept = if quantity >= self.quantity {
            0
        } else if self.paid > 0 {
            let left = (self.paid - subtotal).max(0);
            if self.basis == self.paid {
                left
            } else {
                mul_div_floor(self.basis, left, self.paid).unwrap_or(0)
            }
        } else {
            // Nothing was paid for it, so units say how much came back.
            mul_div_floor(self.basis, self.quantity - quantity, self.quantity).unwrap_or(0)
        };
        i128::from(kept) * i128::from(self.weight)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        line::{Basis, Discounts, LineNow, Tax},
        money::Currency,
        multiplier::{Combine, Factor, Multiplier, Selection},
        price::Circumstances,
        program::Program,
        rule::EarnRule,
    };

    fn rule(points: i64, per: i64, order_cap: Option<i64>) -> EarnRule {
        let order_cap = order_cap.map(|cap| Points::new(cap).unwrap());
        EarnRule { order_cap, ..EarnRule::simple(Points::new(points).unwrap(), per) }
    }

    fn price(rule: &EarnRule, lines: &[LineNow]) -> Earning {
        let gbp = Currency::parse("GBP").unwrap();
        let program = Program { earn: rule.clone(), ..Program::standard(gbp) };
        program.price(lines, &Circumstances::default()).unwrap()
    }

    fn line(id: i64, quantity: i64, paid: i64) -> LineNow {
        LineNow { id, quantity, current: quantity, paid, product: Some(id), ..LineNow::default() }
    }

    fn returned(line: i64, quantity: i64, subtotal: i64) -> Returned {
        Returned { line, quantity, subtotal }
    }

    #[test]
    fn returns_take_back_what_they_earned() {
        let earning = price(&rule(1, 100, None), &[line(1, 2, 250), line(2, 1, 50)]);
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
        let earning = price(&rule(1, 100, Some(10)), &[line(1, 20, 2_000)]);
        assert_eq!(earning.points().get(), 10);
        assert_eq!(earning.points_after(&[returned(1, 5, 500)]).get(), 10);
        assert_eq!(earning.points_after(&[returned(1, 15, 1_500)]).get(), 5);
    }

    #[test]
    fn a_return_takes_its_share_of_what_counts_where_that_is_not_what_was_paid() {
        // Two units of 12.00 with 2.00 of tax in each, less 4.00 in all.
        let bought = LineNow { discount: 400, tax: 333, tax_included: true, ..line(1, 2, 2_000) };
        let half = [returned(1, 1, 1_000)];
        let full_price = Basis { discounts: Discounts::Before, ..Basis::default() };
        let without_tax = Basis { tax: Tax::Without, ..Basis::default() };
        for (basis, whole, after) in [(full_price, 2_400, 1_200), (without_tax, 1_667, 833)] {
            let earning = price(&EarnRule { basis, ..rule(1, 1, None) }, &[bought]);
            assert_eq!((earning.points().get(), earning.points_after(&half).get()), (whole, after));
        }
        let gift = LineNow { paid: 0, discount: 2_400, ..line(1, 3, 0) };
        let earning = price(&EarnRule { basis: full_price, ..rule(1, 1, None) }, &[gift]);
        assert_eq!(earning.points_after(&[returned(1, 1, 0)]).get(), 1_600, "nothing was paid: units count");
    }

    #[test]
    fn a_refund_of_delivery_has_an_amount_and_no_units() {
        let delivery = LineNow { kind: crate::line::LineKind::Delivery, ..line(LineNow::DELIVERY, 1, 500) };
        let basis = Basis { shipping: true, ..Basis::default() };
        let earning = price(&EarnRule { basis, ..rule(1, 100, None) }, &[line(1, 1, 1_000), delivery]);
        let back = |subtotal| earning.points_after(&[returned(LineNow::DELIVERY, 0, subtotal)]).get();
        assert_eq!([0, 200, 500, 900].map(back), [15, 13, 10, 10]);
        let as_stored_before = earning.points_after(&[returned(LineNow::DELIVERY, 1, 200)]);
        assert_eq!(as_stored_before.get(), 13, "its one unit does not say that all came back");
    }

    fn any_lines() -> impl Strategy<Value = Vec<LineNow>> {
        let one = (0..20_i64, 0..100_000_i64, 0..5_000_i64, 0..20_000_i64, any::<bool>());
        proptest::collection::vec(one, 0..12).prop_map(|lines| {
            let numbered = (0..).zip(lines);
            numbered
                .map(|(id, (quantity, paid, discount, tax, tax_included))| LineNow {
                    discount,
                    tax: tax * paid / 100_000,
                    tax_included,
                    ..line(id, quantity, paid)
                })
                .collect()
        })
    }

    /// Rules of every basis, some products of them multiplied.
    fn any_rule() -> impl Strategy<Value = EarnRule> {
        let basis = (any::<bool>(), 0..3_u8).prop_map(|(before, tax)| Basis {
            discounts: if before { Discounts::Before } else { Discounts::After },
            tax: [Tax::AsPriced, Tax::With, Tax::Without][usize::from(tax)],
            ..Basis::default()
        });
        let multiplier = (proptest::collection::vec(0..12_i64, 1..5), 0..50_000_i64);
        let multipliers = proptest::collection::vec(multiplier, 0..4).prop_map(|all| {
            let one = |(products, factor)| Multiplier {
                id: "m".into(),
                of: Selection::Products(products),
                factor: Factor(factor),
            };
            all.into_iter().map(one).collect()
        });
        let numbers = (0..1_000_i64, 1..10_000_i64, proptest::option::of(0..5_000_i64));
        (numbers, basis, multipliers, any::<bool>()).prop_map(
            |((points, per, cap), basis, multipliers, best)| {
                let combine = if best { Combine::Best } else { Combine::Multiply };
                EarnRule { basis, multipliers, combine, ..rule(points, per, cap) }
            },
        )
    }

    fn any_returns() -> impl Strategy<Value = Vec<Returned>> {
        let one = (0..14_i64, 0..25_i64, -10..120_000_i64);
        proptest::collection::vec(one.prop_map(|(l, q, s)| returned(l, q, s)), 0..10)
    }

    proptest! {
        #[test]
        fn points_are_the_floor_of_the_exact_sum(lines in any_lines(), points in 0..1_000_i64, per in 1..10_000_i64) {
            let earning = price(&rule(points, per, None), &lines);
            let paid: i64 = lines.iter().filter(|l| l.quantity > 0).map(|l| l.paid).sum();
            prop_assert_eq!(earning.points().get(), paid * points / per);
        }

        #[test]
        fn returns_never_add_and_their_order_does_not_matter(
            lines in any_lines(), returns in any_returns(), rule in any_rule(),
        ) {
            let earning = price(&rule, &lines);
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
        fn spending_more_never_earns_less(lines in any_lines(), more in 0..50_000_i64, rule in any_rule()) {
            let mut lines = lines;
            if rule.basis.tax != Tax::AsPriced {
                // The tax on a full price is only known to whole minor units of that on what was paid.
                lines.iter_mut().for_each(|line| line.discount = 0);
            }
            let mut dearer = lines.clone();
            if let Some(first) = dearer.first_mut() {
                // At the same rate of tax.
                first.tax = mul_div_floor(first.tax, first.paid + more, first.paid).unwrap_or(0);
                first.paid += more;
            }
            prop_assert!(price(&rule, &dearer).points() >= price(&rule, &lines).points());
        }

        #[test]
        fn multipliers_of_one_change_nothing(lines in any_lines(), rule in any_rule()) {
            let none = EarnRule { multipliers: Vec::new(), ..rule.clone() };
            let mut ones = rule;
            ones.multipliers.iter_mut().for_each(|multiplier| multiplier.factor = Factor::ONE);
            prop_assert_eq!(price(&ones, &lines), price(&none, &lines));
        }

        #[test]
        fn shares_sum_to_the_points(lines in any_lines(), returns in any_returns(), rule in any_rule()) {
            let earning = price(&rule, &lines);
            for returns in [&[][..], &returns] {
                let shares = earning.shares(returns);
                let sum: i64 = shares.iter().map(|(_, points)| points.get()).sum();
                prop_assert_eq!(sum, earning.points_after(returns).get());
                prop_assert!(shares.iter().all(|(_, points)| *points >= Points::ZERO));
            }
        }

        #[test]
        fn shares_of_the_greatest_numbers_sum_to_the_points(
            paid in proptest::collection::vec(1..=crate::LIMIT / 4, 1..4), cap in 0..=crate::LIMIT,
        ) {
            let lines: Vec<LineNow> = (1..).zip(paid).map(|(id, paid)| line(id, 1, paid)).collect();
            let greatest = EarnRule {
                multipliers: alloc::vec![Multiplier {
                    id: "m".into(), of: Selection::Products(alloc::vec![1, 2, 3]), factor: Factor::MOST,
                }],
                ..rule(1_000_000, 1_000_000_000, Some(cap))
            };
            let earning = price(&greatest, &lines);
            let sum: i64 = earning.shares(&[]).iter().map(|(_, points)| points.get()).sum();
            prop_assert_eq!(sum, earning.points().get());
        }

        #[cfg(feature = "serde")]
        #[test]
        fn what_is_stored_is_read_back(lines in any_lines(), rule in any_rule()) {
            let earning = price(&rule, &lines);
            let stored = serde_json::to_string(&earning).unwrap();
            prop_assert_eq!(serde_json::from_str::<Earning>(&stored).unwrap(), earning);
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn what_was_stored_before_is_read() {
        let old = r#"{"divisor":1000000,"cap":10,"lines":[[1,20,2000,10000]]}"#;
        let earning: Earning = serde_json::from_str(old).unwrap();
        assert_eq!(earning, price(&rule(1, 100, Some(10)), &[line(1, 20, 2_000)]));
        assert_eq!(serde_json::to_string(&earning).unwrap(), old);
        assert!(serde_json::from_str::<Earning>(r#"{"divisor":1,"lines":[[1,2,3]]}"#).is_err());
    }
}
