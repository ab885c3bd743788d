//! Pricing: what counts of an order's lines, times every multiplier that is for them.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

#[cfg(feature = "serde")]
use crate::is_default;
use crate::{
    LIMIT,
    boost::Boost,
    campaign::LocalTime,
    earning::{Earning, EarningLine},
    explain::Outcome,
    line::LineNow,
    multiplier::{Factor, Labels, Multiplier, Selection, Source, combined},
    points::{OutOfRange, Points},
    program::{Program, ProgramUi},
    rule::{EarnRule, Guests},
};

/// What beside its lines decides what an order earns: fixed when it is seen first, and kept with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Circumstances {
    /// The customer had no account.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub guest: bool,
    /// What the member could still earn that day; none where no day is capped.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub day_left: Option<Points>,
    /// The tier that the member belonged to, where tiers or campaigns multiply.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub tier: Option<String>,
    /// The minute on the shop's clock at which it was placed, likewise.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub placed: Option<LocalTime>,
    /// By product: of the collections and tags that multipliers name, those that it was in and had.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "BTreeMap::is_empty"))]
    pub labels: BTreeMap<i64, Labels>,
}

impl Circumstances {
    /// What of them boosts and caps ask.
    pub(crate) fn brief(&self) -> About<'_> {
        let Circumstances { guest, day_left, placed, .. } = *self;
        About { guest, day_left, tier: self.tier.as_deref(), placed }
    }

    /// Whether a line's product is among these.
    pub(crate) fn has(&self, line: &LineNow, of: &Selection) -> bool {
        of.has(line.product, line.product.and_then(|product| self.labels.get(&product)))
    }
}

/// What boosts and caps ask of the circumstances.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub guest: bool,
    pub day_left: Option<Points>,
    pub tier: Option<&'a str>,
    pub placed: Option<LocalTime>,
}

/// A multiplier of a program, and whether it is for a line.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'p> {
    pub source: Source,
    pub id: &'p str,
    pub factor: Factor,
    pub is_for: Result<(), Outcome>,
}

impl Program {
    /// What these lines earn. The whole must stay within the range of points.
    ///
    /// # Errors
    /// [`OutOfRange`] where a line, its weight, the divisor or the whole is out of range.
    pub fn price<'l>(
        &self,
        lines: impl IntoIterator<Item = &'l LineNow>,
        about: &Circumstances,
    ) -> Result<Earning, OutOfRange> {
        self.earn.price(&self.boosts(), lines, &about.brief(), |line, of| about.has(line, of))
    }
}

impl ProgramUi {
    /// What lines in the shop's currency earn, as far as widgets know: neither what the member earned today nor which
    /// collections and tags the products have.
    pub fn earns(&self, tier: Option<&str>, lines: &[LineNow]) -> Option<Points> {
        let about = About { tier, ..About::default() };
        let earning = self.earn.price(&self.boosts, lines, &about, |line, of| of.names(line.product));
        Some(earning.ok()?.points())
    }
}

impl EarnRule {
    fn price<'l>(
        &self,
        boosts: &[Boost],
        lines: impl IntoIterator<Item = &'l LineNow>,
        about: &About,
        is_of: impl Fn(&LineNow, &Selection) -> bool,
    ) -> Result<Earning, OutOfRange> {
        let divisor = self.per.checked_mul(Factor::ONE.0).filter(|divisor| *divisor > 0).ok_or(OutOfRange)?;
        let mut earning = Vec::new();
        for line in lines {
            let Ok(basis) = self.basis.of(line) else { continue };
            if basis > LIMIT {
                return Err(OutOfRange);
            }
            let factor = self.factor(boosts, about, |of| is_of(line, of));
            let weight = self.points.get().checked_mul(factor.0).ok_or(OutOfRange)?;
            if weight > 0 {
                let LineNow { id, quantity, paid, .. } = *line;
                earning.push(EarningLine { id, quantity, basis, weight, paid });
            }
        }
        // The lower of what an order and a day allow.
        let cap = [self.order_cap, about.day_left].into_iter().flatten().min();
        Earning::new(divisor, cap, earning)
    }

    /// What all multipliers of a line come to. A guest's come to nothing where guests earn nothing.
    pub(crate) fn factor(
        &self,
        boosts: &[Boost],
        about: &About,
        is_of: impl Fn(&Selection) -> bool,
    ) -> Factor {
        if about.guest && self.guests == Guests::EarnNothing {
            return Factor::ZERO;
        }
        let theirs = self.candidates(boosts, about, &is_of).filter(|one| one.is_for.is_ok());
        combined(self.combine, theirs.map(|one| one.factor))
    }

    /// Every multiplier there is, in the order of the settings, for a line that is of some selections.
    pub(crate) fn candidates<'p>(
        &'p self,
        boosts: &'p [Boost],
        about: &'p About<'p>,
        is_of: &'p impl Fn(&Selection) -> bool,
    ) -> impl Iterator<Item = Candidate<'p>> {
        let of_products = self.multipliers.iter().map(move |Multiplier { id, of, factor }| {
            let is_for = if is_of(of) { Ok(()) } else { Err(Outcome::OtherProducts) };
            Candidate { source: Source::Products, id, factor: *factor, is_for }
        });
        let of_members = boosts.iter().map(move |boost| {
            let Boost { source, id, factor, .. } = boost;
            Candidate { source: *source, id, factor: *factor, is_for: boost.is_for(about) }
        });
        of_products.chain(of_members)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{
        line::{Basis, LineKind},
        money::Currency,
        multiplier::Combine,
    };

    fn points(value: i64) -> Points {
        Points::new(value).unwrap()
    }

    fn rule(points: i64, per: i64) -> EarnRule {
        EarnRule::simple(Points::new(points).unwrap(), per)
    }

    fn program(earn: &EarnRule) -> Program {
        Program { earn: earn.clone(), ..Program::standard(Currency::parse("GBP").unwrap()) }
    }

    fn line(id: i64, quantity: i64, paid: i64) -> LineNow {
        LineNow { id, quantity, current: quantity, paid, product: Some(id * 100), ..LineNow::default() }
    }

    fn multiplier(id: &str, of: Selection, factor: i64) -> Multiplier {
        Multiplier { id: id.into(), of, factor: Factor(factor) }
    }

    fn earned(rule: &EarnRule, lines: &[LineNow], about: &Circumstances) -> i64 {
        program(rule).price(lines, about).unwrap().points().get()
    }

    #[test]
    fn an_order_is_rounded_once() {
        // Three lines of 0.50 earn 1 point together; rounded by line they would earn none.
        let lines = [1, 2, 3].map(|id| line(id, 1, 50));
        assert_eq!(earned(&rule(1, 100), &lines, &Circumstances::default()), 1);
    }

    #[test]
    fn products_collections_and_tags_earn_more_or_less_or_nothing() {
        let rule = EarnRule {
            multipliers: vec![
                multiplier("double", Selection::Products(vec![100]), 20_000),
                multiplier("shelf", Selection::Collections(vec![7]), 15_000),
                multiplier("sale", Selection::Tags(vec!["sale".into()]), 0),
            ],
            ..rule(1, 100)
        };
        let shelf = Labels { collections: vec![7], tags: vec![] };
        let sale = Labels { collections: vec![7], tags: vec!["SALE".into()] };
        let about = Circumstances {
            labels: BTreeMap::from([(100, shelf.clone()), (200, shelf), (300, sale)]),
            ..Circumstances::default()
        };
        let lines = [1, 2, 3, 4].map(|id| line(id, 1, 10_000));
        let each = |rule: &EarnRule| lines.map(|line| earned(rule, &[line], &about));
        assert_eq!(each(&rule), [200, 150, 0, 100]);
        assert_eq!(each(&EarnRule { combine: Combine::Multiply, ..rule.clone() }), [300, 150, 0, 100]);
        let unknown = Circumstances::default();
        assert_eq!(lines.map(|line| earned(&rule, &[line], &unknown)), [200, 100, 100, 100]);
    }

    #[test]
    fn the_lower_of_what_an_order_and_a_day_allow_is_the_cap() {
        let rule = EarnRule { order_cap: Some(points(50)), day_cap: Some(points(80)), ..rule(1, 100) };
        let day = |left| Circumstances { day_left: Some(points(left)), ..Circumstances::default() };
        let lines = [line(1, 1, 10_000)];
        assert_eq!([80, 30, 0].map(|left| earned(&rule, &lines, &day(left))), [50, 30, 0]);
    }

    #[test]
    fn a_guest_earns_unless_the_program_says_otherwise() {
        let guest = Circumstances { guest: true, ..Circumstances::default() };
        let members_only = EarnRule { guests: Guests::EarnNothing, ..rule(1, 100) };
        let lines = [line(1, 1, 10_000)];
        assert_eq!(earned(&rule(1, 100), &lines, &guest), 100);
        assert_eq!(earned(&members_only, &lines, &guest), 0);
        assert_eq!(earned(&members_only, &lines, &Circumstances::default()), 100);
    }

    #[test]
    fn beyond_range_is_an_error() {
        let price =
            |rule: &EarnRule, lines: &[LineNow]| program(rule).price(lines, &Circumstances::default());
        assert_eq!(price(&rule(1_000_000, 1), &[line(1, 1, LIMIT)]), Err(OutOfRange));
        assert_eq!(price(&rule(1, 1), &[line(1, 1, LIMIT), line(2, 1, 1)]), Err(OutOfRange));
        assert_eq!(price(&rule(1, 1), &[line(1, 1, i64::MAX)]), Err(OutOfRange));
        assert_eq!(price(&rule(1, 0), &[line(1, 1, 1)]), Err(OutOfRange));
        assert_eq!(price(&rule(LIMIT, 1), &[line(1, 1, 1)]), Err(OutOfRange), "the weight itself");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn circumstances_are_stored_and_read_back() {
        assert_eq!(serde_json::to_string(&Circumstances::default()).unwrap(), "{}");
        let placed = LocalTime::parse("2026-11-27T12:00").ok();
        let about = Circumstances { tier: Some("gold".into()), placed, ..Circumstances::default() };
        let stored = serde_json::to_string(&about).unwrap();
        assert_eq!(stored, r#"{"tier":"gold","placed":"2026-11-27T12:00"}"#);
        assert_eq!(serde_json::from_str::<Circumstances>(&stored).unwrap(), about);
    }

    #[test]
    fn delivery_and_tips_count_like_lines_where_they_count() {
        let basis = Basis { shipping: true, ..Basis::default() };
        let delivery =
            LineNow { id: LineNow::DELIVERY, kind: LineKind::Delivery, product: None, ..line(0, 1, 500) };
        let tip = LineNow { kind: LineKind::Tip, product: None, ..line(9, 1, 300) };
        let lines = [line(1, 1, 1_000), delivery, tip];
        assert_eq!(earned(&EarnRule { basis, ..rule(1, 100) }, &lines, &Circumstances::default()), 15);
    }
}
