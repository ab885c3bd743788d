//! Why an order earned what it earned: what of each line counted, which rules gave and which did not, and what still
//! stands. Computed by the same rules that priced the order, from what was kept of it.

use alloc::{string::String, vec::Vec};

use crate::{
    boost::Boost,
    earning::{Earning, Returned},
    line::{LeftOut, LineKind, LineNow},
    multiplier::{Combine, Factor, Selection, Source},
    points::Points,
    price::{Candidate, Circumstances},
    program::Program,
    rule::Guests,
};

/// Why an order earned what it earned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Explanation {
    /// Line by line.
    pub lines: Vec<LineExplained>,
    /// What the lines come to together, rounded down once.
    pub before_caps: Points,
    /// The caps, and which of them made it less.
    pub caps: Vec<CapExplained>,
    /// What the order earned, before anything came back.
    pub earned: Points,
    /// What of it stands after all that came back.
    pub stands: Points,
}

/// A line, and why it earned what it earned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LineExplained {
    /// Shopify's id of the line; 0 is delivery.
    pub line: i64,
    /// What it is of.
    pub kind: LineKind,
    /// Shopify's id of the product.
    pub product: Option<i64>,
    /// What was paid for it, in minor units of the shop's currency.
    pub paid: i64,
    /// What of that counts, in the same.
    pub basis: i64,
    /// Why nothing of it counts.
    pub left_out: Option<LeftOut>,
    /// Every multiplier, and whether it gave.
    pub multipliers: Vec<MultiplierExplained>,
    /// What they come to, in ten-thousandths.
    pub factor: Factor,
    /// The line's share of what the order earned.
    pub earned: Points,
    /// The line's share of what stands.
    pub stands: Points,
}

/// A multiplier, and whether it gave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MultiplierExplained {
    /// Whose it is.
    pub source: Source,
    /// Its id in the program.
    pub id: String,
    /// How many times, in ten-thousandths.
    pub factor: Factor,
    /// Whether it gave, or why not.
    pub outcome: Outcome,
}

/// Whether a multiplier gave, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// It gave.
    Gave,
    /// It is for other products.
    OtherProducts,
    /// It is for members of another tier.
    OtherTier,
    /// The campaign had not begun.
    NotBegun,
    /// The campaign was over.
    Over,
    /// A greater one counts.
    GreaterOne,
    /// Another one leaves the line out.
    Excluded,
    /// Nothing of the line counts.
    LineLeftOut,
    /// Guests earn nothing.
    Guest,
}

/// A cap, and whether it made the order earn less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct CapExplained {
    /// On what.
    pub cap: Cap,
    /// The most that it left to this order.
    pub points: Points,
    /// Whether the order would have earned more.
    pub met: bool,
}

/// What is capped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Cap {
    /// An order.
    Order,
    /// The orders of a day.
    Day,
}

impl Program {
    /// Explains what these lines earned under these settings. `earning` is what was kept of it, which the points are from.
    pub fn explain(
        &self,
        lines: &[LineNow],
        about: &Circumstances,
        earning: &Earning,
        returns: &[Returned],
    ) -> Explanation {
        let boosts = self.boosts();
        let (earned, stand) = (earning.shares(&[]), earning.shares(returns));
        let of = |shares: &[(i64, Points)], line: i64| {
            shares.iter().find(|(id, _)| *id == line).map(|(_, points)| *points).unwrap_or_default()
        };
        let lines = lines.iter().map(|line| {
            let basis = self.earn.basis.of(line);
            LineExplained {
                line: line.id,
                kind: line.kind,
                product: line.product,
                paid: line.paid,
                basis: basis.unwrap_or(0),
                left_out: basis.err(),
                multipliers: self.outcomes(&boosts, line, about),
                factor: self.earn.factor(&boosts, &about.brief(), |of| about.has(line, of)),
                earned: of(&earned, line.id),
                stands: of(&stand, line.id),
            }
        });
        let before_caps = earning.uncapped_after(&[]);
        let caps = [(Cap::Order, self.earn.order_cap), (Cap::Day, about.day_left)];
        let caps = caps.into_iter().filter_map(|(cap, points)| points.map(|points| (cap, points)));
        Explanation {
            lines: lines.collect(),
            before_caps,
            caps: caps.map(|(cap, points)| CapExplained { cap, points, met: points < before_caps }).collect(),
            earned: earning.points(),
            stands: earning.points_after(returns),
        }
    }

    fn outcomes(&self, boosts: &[Boost], line: &LineNow, about: &Circumstances) -> Vec<MultiplierExplained> {
        let is_of = |of: &Selection| about.has(line, of);
        let asked = about.brief();
        let all = || self.earn.candidates(boosts, &asked, &is_of);
        let theirs = || all().filter(|one| one.is_for.is_ok());
        let excludes = theirs().any(|one| one.factor <= Factor::ZERO);
        // Of equals the first gives.
        let best = theirs().reduce(|best, one| if one.factor > best.factor { one } else { best });
        let is_best =
            |one: &Candidate| best.is_some_and(|best| (best.source, best.id) == (one.source, one.id));
        let outcome = |one: &Candidate| match one.is_for {
            _ if self.earn.basis.of(line).is_err() => Outcome::LineLeftOut,
            Err(why) => why,
            Ok(()) if about.guest && self.earn.guests == Guests::EarnNothing => Outcome::Guest,
            Ok(()) if excludes && one.factor > Factor::ZERO => Outcome::Excluded,
            Ok(()) if !excludes && self.earn.combine == Combine::Best && !is_best(one) => Outcome::GreaterOne,
            Ok(()) => Outcome::Gave,
        };
        let explained = |one: Candidate| MultiplierExplained {
            source: one.source,
            id: one.id.into(),
            factor: one.factor,
            outcome: outcome(&one),
        };
        all().map(explained).collect()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{
        line::Basis,
        money::Currency,
        multiplier::{Labels, Multiplier},
        rule::EarnRule,
        tier::Tier,
    };

    fn points(value: i64) -> Points {
        Points::new(value).unwrap()
    }

    fn line(id: i64, paid: i64) -> LineNow {
        LineNow { id, quantity: 1, current: 1, paid, product: Some(id * 100), ..LineNow::default() }
    }

    fn multiplier(id: &str, of: Selection, factor: i64) -> Multiplier {
        Multiplier { id: id.into(), of, factor: Factor(factor) }
    }

    fn rule() -> EarnRule {
        EarnRule {
            multipliers: vec![
                multiplier("double", Selection::Products(vec![100]), 20_000),
                multiplier("shelf", Selection::Collections(vec![7]), 15_000),
                multiplier("clearance", Selection::Tags(vec!["clearance".into()]), 0),
            ],
            ..EarnRule::simple(points(1), 100)
        }
    }

    fn explain(
        rule: &EarnRule,
        lines: &[LineNow],
        about: &Circumstances,
        returns: &[Returned],
    ) -> Explanation {
        let gbp = Currency::parse("GBP").unwrap();
        let program = Program { earn: rule.clone(), ..Program::standard(gbp) };
        program.explain(lines, about, &program.price(lines, about).unwrap(), returns)
    }

    fn outcomes(line: &LineExplained) -> Vec<Outcome> {
        line.multipliers.iter().map(|multiplier| multiplier.outcome).collect()
    }

    #[test]
    fn every_multiplier_says_whether_it_gave_and_why_not() {
        use Outcome::{Excluded, Gave, GreaterOne, Guest, LineLeftOut, OtherProducts};
        let labels = |tags: &[&str]| Labels {
            collections: vec![7],
            tags: tags.iter().map(|&tag| tag.into()).collect(),
        };
        let about = Circumstances {
            labels: [(100, labels(&[])), (200, labels(&["clearance"]))].into(),
            ..Circumstances::default()
        };
        let card = LineNow { kind: LineKind::GiftCard, ..line(1, 1_000) };
        let lines = [line(1, 1_000), line(2, 1_000), line(3, 1_000), card];
        let explained = explain(&rule(), &lines, &about, &[]);
        let of = |explained: &Explanation| explained.lines.iter().map(outcomes).collect::<Vec<_>>();
        assert_eq!(
            of(&explained),
            [
                [Gave, GreaterOne, OtherProducts],
                [OtherProducts, Excluded, Gave],
                [OtherProducts; 3],
                [LineLeftOut; 3],
            ]
        );
        assert_eq!(explained.lines[3].left_out, Some(LeftOut::GiftCard));
        let together = EarnRule { combine: Combine::Multiply, ..rule() };
        assert_eq!(of(&explain(&together, &lines, &about, &[]))[0], [Gave, Gave, OtherProducts]);
        let members = EarnRule { guests: Guests::EarnNothing, ..rule() };
        let guest = Circumstances { guest: true, ..about };
        let explained = explain(&members, &lines, &guest, &[]);
        assert_eq!(of(&explained)[0], [Guest, Guest, OtherProducts]);
        assert_eq!(explained.earned, Points::ZERO);
    }

    #[test]
    fn a_tier_that_multiplies_says_so_beside_the_products() {
        let tier = |id: &str, factor| Tier {
            id: id.into(),
            name: id.into(),
            threshold: None,
            earn_factor: Factor(factor),
            perks: vec![],
        };
        let tiers = vec![tier("tin", 10_000), tier("gold", 30_000), tier("clearance", 40_000)];
        let program = Program { earn: rule(), tiers, ..Program::standard(Currency::parse("GBP").unwrap()) };
        let about = Circumstances { tier: Some("gold".into()), ..Circumstances::default() };
        let lines = [line(1, 1_000)];
        let earning = program.price(&lines, &about).unwrap();
        let explained = program.explain(&lines, &about, &earning, &[]);
        let said = explained.lines[0].multipliers.iter();
        let said: Vec<_> = said.map(|one| (one.source, one.id.as_str(), one.outcome)).collect();
        assert_eq!(
            said,
            [
                (Source::Products, "double", Outcome::GreaterOne),
                (Source::Products, "shelf", Outcome::OtherProducts),
                (Source::Products, "clearance", Outcome::OtherProducts),
                (Source::Tier, "gold", Outcome::Gave),
                (Source::Tier, "clearance", Outcome::OtherTier),
            ]
        );
        assert_eq!((explained.earned, explained.lines[0].factor), (points(30), Factor(30_000)));
    }

    #[test]
    fn lines_sum_to_the_points_and_caps_say_whether_they_were_met() {
        let rule = EarnRule { order_cap: Some(points(100)), ..rule() };
        let about = Circumstances { day_left: Some(points(33)), ..Circumstances::default() };
        let lines = [line(1, 1_000), line(2, 1_050), line(3, 999)];
        let gone = [Returned { line: 1, quantity: 1, subtotal: 1_000 }];
        let explained = explain(&rule, &lines, &about, &gone);
        assert_eq!(
            (explained.before_caps, explained.earned, explained.stands),
            (points(40), points(33), points(20))
        );
        let sum =
            |of: fn(&LineExplained) -> Points| explained.lines.iter().map(|line| of(line).get()).sum::<i64>();
        assert_eq!((sum(|line| line.earned), sum(|line| line.stands)), (33, 20));
        let met: Vec<_> = explained.caps.iter().map(|cap| (cap.cap, cap.met)).collect();
        assert_eq!(met, [(Cap::Order, false), (Cap::Day, true)]);
    }

    #[test]
    fn delivery_that_does_not_count_is_said_to_be_left_out() {
        let delivery =
            LineNow { id: LineNow::DELIVERY, kind: LineKind::Delivery, product: None, ..line(0, 500) };
        let explained = explain(&rule(), &[delivery], &Circumstances::default(), &[]);
        assert_eq!((explained.lines[0].left_out, explained.lines[0].basis), (Some(LeftOut::Delivery), 0));
        let counted = EarnRule { basis: Basis { shipping: true, ..Basis::default() }, ..rule() };
        let explained = explain(&counted, &[delivery], &Circumstances::default(), &[]);
        assert_eq!((explained.lines[0].left_out, explained.lines[0].earned), (None, points(5)));
    }
}
