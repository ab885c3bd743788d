//! How orders earn: what a merchant sets.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

#[cfg(feature = "serde")]
use crate::is_default;
use crate::{
    line::Basis,
    multiplier::{Combine, Multiplier, Selection},
    order::Wait,
    points::Points,
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
    use crate::multiplier::Factor;

    fn points(value: i64) -> Points {
        Points::new(value).unwrap()
    }

    fn rule(points: i64, per: i64) -> EarnRule {
        EarnRule::simple(Points::new(points).unwrap(), per)
    }

    fn multiplier(id: &str, of: Selection, factor: i64) -> Multiplier {
        Multiplier { id: id.into(), of, factor: Factor(factor) }
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
    }
}
