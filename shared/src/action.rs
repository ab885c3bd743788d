//! Actions: what members do elsewhere, and get points for when the shop says so.

use alloc::string::String;

use crate::{limit::Limit, points::Points, text};

/// Something that members do, such as a review, and the points they get for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Action {
    /// Its id within the program: lower-case letters, digits and hyphens.
    pub id: String,
    /// What shoppers read.
    pub name: String,
    /// What it gives.
    pub points: Points,
    /// How often a member may get them.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub limit: Option<Limit>,
    /// Hours that a member waits until the next time.
    #[cfg_attr(feature = "serde", serde(default))]
    pub cool_down_hours: u32,
}

/// Why a merchant's action is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The id is empty, too long, or has other signs than lower-case letters, digits and hyphens.
    #[error("an action's id has 1 to 40 lower-case letters, digits and hyphens")]
    Id,
    /// The name is empty, longer than 80 characters, or cannot be shown in one line.
    #[error("an action's name has 1 to 80 characters in one line")]
    Name,
    /// It gives nothing, or more than one action may.
    #[error("an action gives 1 to 1,000,000 points")]
    Points,
    /// A limit that admits nothing.
    #[error("an action is limited to 1 to 1,000,000 times")]
    Limit,
    /// A wait of more than a year.
    #[error("an action waits at most 8,784 hours for the next time")]
    CoolDown,
}

impl ActionError {
    /// Its name for programs; it does not change.
    pub fn code(self) -> &'static str {
        match self {
            ActionError::Id => "action_id",
            ActionError::Name => "action_name",
            ActionError::Points => "action_points",
            ActionError::Limit => "action_limit",
            ActionError::CoolDown => "action_cool_down",
        }
    }
}

impl Action {
    /// Whether a merchant may set it.
    ///
    /// # Errors
    /// [`ActionError`]: the first thing that is wrong.
    pub fn validate(&self) -> Result<(), ActionError> {
        if !text::is_id(&self.id) {
            return Err(ActionError::Id);
        }
        if !text::is_sound(&self.name, 80) {
            return Err(ActionError::Name);
        }
        if !(1..=1_000_000).contains(&self.points.get()) {
            return Err(ActionError::Points);
        }
        if self.limit.is_some_and(|limit| !limit.is_sound()) {
            return Err(ActionError::Limit);
        }
        if self.cool_down_hours > 8_784 { Err(ActionError::CoolDown) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Period;

    #[test]
    fn nonsense_is_refused() {
        let review = || Action {
            id: "review".into(),
            name: "A review".into(),
            points: Points::new(50).unwrap(),
            limit: Some(Limit { most: 1, per: Period::Day }),
            cool_down_hours: 8_784,
        };
        assert_eq!(review().validate(), Ok(()));
        let points = |points| Points::new(points).unwrap();
        for (action, error) in [
            (Action { id: "A review".into(), ..review() }, ActionError::Id),
            (Action { name: " ".into(), ..review() }, ActionError::Name),
            (Action { name: "a\nb".into(), ..review() }, ActionError::Name),
            (Action { points: points(0), ..review() }, ActionError::Points),
            (Action { points: points(-1), ..review() }, ActionError::Points),
            (Action { points: points(1_000_001), ..review() }, ActionError::Points),
            (Action { limit: Some(Limit { most: 0, per: Period::Ever }), ..review() }, ActionError::Limit),
            (Action { cool_down_hours: 8_785, ..review() }, ActionError::CoolDown),
        ] {
            assert_eq!(action.validate(), Err(error), "{action:?}");
        }
    }
}
