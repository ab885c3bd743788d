//! What a merchant may do about a member.

use super::{Group, Stage};

/// More likely to stay away than to come, in thousandths.
const DOUBTFUL: u32 = 500;
/// Hardly anybody like this comes again.
const LOST: u32 = 900;

/// What a merchant may do about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Action {
    /// Has not bought yet: an invitation to.
    InviteFirstOrder,
    /// Has bought once or twice: what is worth coming back for.
    InviteSecondOrder,
    /// Buys: thanks, and nothing given away.
    Thank,
    /// Is about to stay away: the points that are there to be spent.
    RemindOfPoints,
    /// Stays away and was worth much: an offer.
    WinBack,
    /// Will hardly come again: not to be written to.
    LetRest,
}

impl Action {
    /// What fits a member of this group, who stays away for the next quarter by this chance in thousandths, if one is
    /// known.
    pub fn suggested(group: Group, churn: Option<u32>) -> Action {
        let at_least = |permille| churn.is_some_and(|churn| churn >= permille);
        match group.stage() {
            Stage::Prospect => Action::InviteFirstOrder,
            Stage::New => Action::InviteSecondOrder,
            Stage::Active if at_least(DOUBTFUL) => Action::RemindOfPoints,
            Stage::Active => Action::Thank,
            Stage::Cooling if at_least(LOST) => Action::WinBack,
            Stage::Cooling => Action::RemindOfPoints,
            Stage::AtRisk => Action::WinBack,
            Stage::Lapsed if at_least(LOST) => Action::LetRest,
            Stage::Lapsed => Action::WinBack,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_depends_on_the_group_and_on_how_likely_they_come() {
        for (group, churn, action) in [
            (Group::Prospects, None, Action::InviteFirstOrder),
            (Group::New, Some(950), Action::InviteSecondOrder),
            (Group::Champions, None, Action::Thank),
            (Group::Champions, Some(499), Action::Thank),
            (Group::Loyal, Some(500), Action::RemindOfPoints),
            (Group::NeedsAttention, Some(899), Action::RemindOfPoints),
            (Group::AlmostLost, Some(900), Action::WinBack),
            (Group::PreviouslyLoyal, Some(990), Action::WinBack),
            (Group::Dormant, Some(899), Action::WinBack),
            (Group::Dormant, Some(900), Action::LetRest),
        ] {
            assert_eq!(Action::suggested(group, churn), action, "{group:?} {churn:?}");
        }
    }
}
