//! Bonuses: points for an occasion in a member's life with the shop, each once.

use crate::points::Points;

/// What occasions give. One that is not set gives nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Bonuses {
    /// For signing up: a customer has an account at the shop.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub sign_up: Option<Points>,
    /// For the first order that stands.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub first_order: Option<Points>,
    /// For the birthday, every year.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub birthday: Option<BirthdayBonus>,
}

/// What a birthday gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct BirthdayBonus {
    /// Every year.
    pub points: Points,
    /// How many days before it the day must have been told, so that nobody has a birthday when they need points.
    #[cfg_attr(feature = "serde", serde(default = "days_ahead"))]
    pub days_ahead: u16,
}

/// A month: who thinks of it when they want to buy something waits as long.
#[cfg(feature = "serde")]
fn days_ahead() -> u16 {
    30
}

/// Why a merchant's bonus is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BonusError {
    /// It gives nothing, or more than one bonus may.
    #[error("a bonus gives 1 to 1,000,000 points")]
    Points,
    /// No day, or more than a year.
    #[error("a birthday is told 1 to 365 days ahead")]
    DaysAhead,
}

impl BonusError {
    /// Its name for programs; it does not change.
    pub fn code(self) -> &'static str {
        match self {
            BonusError::Points => "bonus_points",
            BonusError::DaysAhead => "bonus_days_ahead",
        }
    }
}

impl Bonuses {
    /// What is wrong with them, each with the setting that it is about.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (&'static str, BonusError)> {
        let points = [
            ("sign_up", self.sign_up),
            ("first_order", self.first_order),
            ("birthday.points", self.birthday.map(|birthday| birthday.points)),
        ];
        let is_sound = |points: Points| (1..=1_000_000).contains(&points.get());
        let points =
            points.into_iter().filter(move |(_, points)| points.is_some_and(|points| !is_sound(points)));
        let ahead = self.birthday.filter(|birthday| !(1..=365).contains(&birthday.days_ahead));
        let ahead = ahead.map(|_| ("birthday.days_ahead", BonusError::DaysAhead));
        points.map(|(field, _)| (field, BonusError::Points)).chain(ahead)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn points(points: i64) -> Option<Points> {
        Points::new(points).ok()
    }

    #[test]
    fn what_is_refused_has_a_name_of_its_own() {
        let codes = [BonusError::Points, BonusError::DaysAhead].map(BonusError::code);
        assert_eq!(codes, ["bonus_points", "bonus_days_ahead"]);
    }

    #[test]
    fn nonsense_is_refused() {
        let birthday = |of, days_ahead| Bonuses {
            birthday: Some(BirthdayBonus { points: points(of).unwrap(), days_ahead }),
            ..Bonuses::default()
        };
        for sound in [
            Bonuses::default(),
            Bonuses { sign_up: points(1), first_order: points(1_000_000), ..birthday(50, 365) },
        ] {
            assert_eq!(sound.faults().count(), 0, "{sound:?}");
        }
        for (bonuses, fault) in [
            (Bonuses { sign_up: points(0), ..Bonuses::default() }, ("sign_up", BonusError::Points)),
            (Bonuses { sign_up: points(-5), ..Bonuses::default() }, ("sign_up", BonusError::Points)),
            (
                Bonuses { first_order: points(1_000_001), ..Bonuses::default() },
                ("first_order", BonusError::Points),
            ),
            (birthday(0, 30), ("birthday.points", BonusError::Points)),
            (birthday(50, 0), ("birthday.days_ahead", BonusError::DaysAhead)),
            (birthday(50, 366), ("birthday.days_ahead", BonusError::DaysAhead)),
        ] {
            assert_eq!(bonuses.faults().collect::<Vec<_>>(), [fault], "{bonuses:?}");
        }
    }
}
