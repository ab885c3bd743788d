//! How orders earn: what a merchant sets.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

#[cfg(feature = "serde")]
use crate::is_default;
use crate::{
    LIMIT,
    earning::{Earning, EarningLine},
    line::{Basis, LineNow},
    multiplier::{Combine, Factor, Labels, Multiplier, Selection, combined},
    order::Wait,
    points::{OutOfRange, Points},
};

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
    /// The most points that a member earns with orders of one day of the shop.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub day_cap: Option<Points>,
    /// What of an order counts.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub basis: Basis,
    /// What makes some products earn more than others, or less.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub multipliers: Vec<Multiplier>,
    /// How several multipliers of one line come together.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub combine: Combine,
    /// How long points wait until they can be spent.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub wait: Wait,
    /// Whether orders of customers without an account earn; they spend it once they have one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub guests: Guests,
}

/// What becomes of orders of customers without an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Guests {
    /// They earn; it can be spent once the customer has an account.
    #[default]
    Earn,
    /// They earn nothing, also when the customer has an account later.
    EarnNothing,
}

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
    /// By product: of the collections and tags that multipliers name, those that it was in and had.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "BTreeMap::is_empty"))]
    pub labels: BTreeMap<i64, Labels>,
}

impl Circumstances {
    /// The collections and tags of what a line is of.
    pub fn labels_of(&self, line: &LineNow) -> Option<&Labels> {
        line.product.and_then(|product| self.labels.get(&product))
    }
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EarnError {
    /// Points for nothing, negative ones, or rates that could leave the range.
    #[error("orders earn 0 to 1,000,000 points for every 1 to 1,000,000,000 minor units")]
    Rate,
    /// A cap below zero.
    #[error("a cap is no less than 0")]
    Cap,
    /// Points that wait for longer than a year.
    #[error("points wait for at most 365 days")]
    Wait,
    /// More than 100 multipliers.
    #[error("there are at most 100 multipliers")]
    TooManyMultipliers,
    /// An id that is empty, longer than 64 characters, or has control characters in it.
    #[error("a multiplier's id has 1 to 64 characters, none of them a control character")]
    MultiplierId,
    /// Two multipliers with one id.
    #[error("another multiplier has this id")]
    DuplicateMultiplier,
    /// A factor below zero or above a hundred.
    #[error("a factor is 0 to 1,000,000 ten-thousandths")]
    Factor,
    /// Nothing is selected, or more than 250 things, or what is no id or tag.
    #[error("a multiplier is for 1 to 250 products, collections or tags; tags have 1 to 255 characters")]
    Selection,
}

impl EarnError {
    /// Its name for programs; it does not change.
    pub fn code(&self) -> &'static str {
        match self {
            EarnError::Rate => "earn_rate",
            EarnError::Cap => "earn_cap",
            EarnError::Wait => "earn_wait",
            EarnError::TooManyMultipliers => "too_many_multipliers",
            EarnError::MultiplierId => "multiplier_id",
            EarnError::DuplicateMultiplier => "duplicate_multiplier",
            EarnError::Factor => "multiplier_factor",
            EarnError::Selection => "multiplier_selection",
        }
    }
}

impl EarnRule {
    /// So many points for every `per` minor units, and nothing else.
    pub fn simple(points: Points, per: i64) -> EarnRule {
        EarnRule {
            points,
            per,
            order_cap: None,
            day_cap: None,
            basis: Basis::default(),
            multipliers: Vec::new(),
            combine: Combine::default(),
            wait: Wait::default(),
            guests: Guests::default(),
        }
    }

    /// What these lines earn. The whole must stay within the range of points.
    pub fn price<'l>(
        &self,
        lines: impl IntoIterator<Item = &'l LineNow>,
        about: &Circumstances,
    ) -> Result<Earning, OutOfRange> {
        let divisor = self.per.checked_mul(Factor::ONE.0).filter(|divisor| *divisor > 0).ok_or(OutOfRange)?;
        let mut earning = Vec::new();
        for line in lines {
            let Ok(basis) = self.basis.of(line) else { continue };
            if basis > LIMIT {
                return Err(OutOfRange);
            }
            let factor = self.factor(line, about);
            let weight = self.points.get().checked_mul(factor.0).ok_or(OutOfRange)?;
            if weight > 0 {
                earning.push(EarningLine {
                    id: line.id,
                    quantity: line.quantity,
                    basis,
                    weight,
                    paid: line.paid,
                });
            }
        }
        Earning::new(divisor, self.cap(about), earning)
    }

    /// The multipliers that are for this line, in their order.
    pub(crate) fn multipliers_of<'r>(
        &'r self,
        line: &'r LineNow,
        about: &'r Circumstances,
    ) -> impl Iterator<Item = &'r Multiplier> + Clone {
        let labels = about.labels_of(line);
        self.multipliers.iter().filter(move |rule| rule.of.has(line.product, labels))
    }

    /// What all multipliers of a line come to. A guest's come to nothing where guests earn nothing.
    pub(crate) fn factor(&self, line: &LineNow, about: &Circumstances) -> Factor {
        if about.guest && self.guests == Guests::EarnNothing {
            return Factor::ZERO;
        }
        combined(self.combine, self.multipliers_of(line, about).map(|rule| rule.factor))
    }

    /// The most that an order may earn.
    fn cap(&self, about: &Circumstances) -> Option<Points> {
        [self.order_cap, about.day_left].into_iter().flatten().min()
    }

    /// Everything that is wrong with the rule, each with the setting that it is about: `multipliers[2].factor`.
    pub fn faults(&self) -> Vec<(String, EarnError)> {
        let mut faults = Vec::new();
        let mut wrong = |is_wrong: bool, field: String, error| {
            if is_wrong {
                faults.push((field, error));
            }
        };
        wrong(!(0..=1_000_000).contains(&self.points.get()), "points".to_string(), EarnError::Rate);
        wrong(!(1..=1_000_000_000).contains(&self.per), "per".to_string(), EarnError::Rate);
        for (field, cap) in [("order_cap", self.order_cap), ("day_cap", self.day_cap)] {
            wrong(cap.is_some_and(|cap| cap < Points::ZERO), field.to_string(), EarnError::Cap);
        }
        wrong(self.wait.days > 365, "wait.days".to_string(), EarnError::Wait);
        wrong(self.multipliers.len() > 100, "multipliers".to_string(), EarnError::TooManyMultipliers);
        for (at, Multiplier { id, of, factor }) in self.multipliers.iter().enumerate().take(100) {
            let field = |name| format!("multipliers[{at}].{name}");
            wrong(!is_text(id, 64), field("id"), EarnError::MultiplierId);
            let is_taken = self.multipliers[..at].iter().any(|earlier| earlier.id == *id);
            wrong(is_taken, field("id"), EarnError::DuplicateMultiplier);
            wrong(!factor.is_valid(), field("factor"), EarnError::Factor);
            let is_sound = match of {
                Selection::Products(ids) | Selection::Collections(ids) => ids.iter().all(|id| *id > 0),
                Selection::Tags(tags) => tags.iter().all(|tag| is_text(tag, 255)),
            };
            wrong(!is_sound || !(1..=250).contains(&of.len()), field("of"), EarnError::Selection);
        }
        faults
    }
}

/// Whether it is a text of 1 to so many characters, none of them a control character.
fn is_text(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::line::LineKind;

    fn points(value: i64) -> Points {
        Points::new(value).unwrap()
    }

    fn rule(points: i64, per: i64) -> EarnRule {
        EarnRule::simple(Points::new(points).unwrap(), per)
    }

    fn line(id: i64, quantity: i64, paid: i64) -> LineNow {
        LineNow { id, quantity, current: quantity, paid, product: Some(id * 100), ..LineNow::default() }
    }

    fn multiplier(id: &str, of: Selection, factor: i64) -> Multiplier {
        Multiplier { id: id.into(), of, factor: Factor(factor) }
    }

    fn earned(rule: &EarnRule, lines: &[LineNow], about: &Circumstances) -> i64 {
        rule.price(lines, about).unwrap().points().get()
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
        let price = |rule: &EarnRule, lines: &[LineNow]| rule.price(lines, &Circumstances::default());
        assert_eq!(price(&rule(1_000_000, 1), &[line(1, 1, LIMIT)]), Err(OutOfRange));
        assert_eq!(price(&rule(1, 1), &[line(1, 1, LIMIT), line(2, 1, 1)]), Err(OutOfRange));
        assert_eq!(price(&rule(1, 1), &[line(1, 1, i64::MAX)]), Err(OutOfRange));
        assert_eq!(price(&rule(1, 0), &[line(1, 1, 1)]), Err(OutOfRange));
        assert_eq!(price(&rule(LIMIT, 1), &[line(1, 1, 1)]), Err(OutOfRange), "the weight itself");
    }

    #[test]
    fn every_wrong_setting_is_named() {
        assert_eq!(rule(1, 100).faults(), []);
        let wrong = EarnRule {
            order_cap: Some(points(-1)),
            wait: Wait { days: 366, ..Wait::default() },
            multipliers: vec![
                multiplier("a", Selection::Products(vec![]), -1),
                multiplier("a", Selection::Tags(vec!["".into()]), 1_000_001),
                multiplier("b\0", Selection::Collections(vec![0]), 1),
            ],
            ..rule(-1, 0)
        };
        let fields: Vec<String> = wrong.faults().into_iter().map(|(field, _)| field).collect();
        assert_eq!(
            fields,
            [
                "points",
                "per",
                "order_cap",
                "wait.days",
                "multipliers[0].factor",
                "multipliers[0].of",
                "multipliers[1].id",
                "multipliers[1].factor",
                "multipliers[1].of",
                "multipliers[2].id",
                "multipliers[2].of",
            ]
        );
        let one = multiplier("a", Selection::Products(vec![1]), 1);
        let many = EarnRule { multipliers: vec![one; 101], ..rule(1, 100) };
        assert_eq!(many.faults()[0], ("multipliers".into(), EarnError::TooManyMultipliers));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn what_nobody_set_is_not_written_and_old_rules_are_read() {
        let old = r#"{"points":1,"per":100}"#;
        assert_eq!(serde_json::to_string(&rule(1, 100)).unwrap(), old);
        assert_eq!(serde_json::from_str::<EarnRule>(old).unwrap(), rule(1, 100));
        let set = r#"{"points":1,"per":100,"day_cap":500,"basis":{"tax":"without","shipping":true},"multipliers":[{"id":"m","of":{"tags":["sale"]},"factor":20000}],"combine":"multiply","wait":{"until":"fulfilled","days":14},"guests":"earn_nothing"}"#;
        let read: EarnRule = serde_json::from_str(set).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), set);
        assert_eq!(serde_json::to_string(&Circumstances::default()).unwrap(), "{}");
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
