//! Gates: for whom a reward is there, when, and how often. What was picked stays picked, whatever becomes of its gate.

use alloc::{string::String, vec::Vec};

use crate::{campaign::LocalTime, limit::Limit, rfm::Group};

/// Who may have a reward, when, and how often. Nobody is kept out by an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Gate {
    /// The ids of the tiers whose members may have it; empty for every member.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub tiers: Vec<String>,
    /// The groups of segments whose members may have it; empty for every member.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub segments: Vec<Group>,
    /// The first minute in which it may be had.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub from: Option<LocalTime>,
    /// The first minute in which it may be had no more.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub until: Option<LocalTime>,
    /// How often a member may have it. What was released again does not count.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub limit: Option<Limit>,
}

/// Why a gate is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// It opens later.
    #[error("the reward can be had from {0} on")]
    Until(LocalTime),
    /// It has closed.
    #[error("the reward cannot be had any more")]
    Over,
    /// It is for members of other tiers.
    #[error("the reward is for members of other tiers")]
    Tier,
    /// It is for members in other segments.
    #[error("the reward is for members in other segments")]
    Segment,
}

impl Gate {
    /// Whether it keeps nobody out.
    pub fn is_open(&self) -> bool {
        *self == Gate::default()
    }

    /// Whether a member of this tier and this group of segments may have the reward at this minute, as far as the gate says.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(&self, tier: Option<&str>, group: Group, now: LocalTime) -> Result<(), Closed> {
        if self.until.is_some_and(|until| until <= now) {
            return Err(Closed::Over);
        }
        if let Some(from) = self.from.filter(|from| now < *from) {
            return Err(Closed::Until(from));
        }
        self.admits_member(tier, group)
    }

    /// Whether it is there for a member of this tier and this group of segments at all, whatever the time.
    ///
    /// # Errors
    /// Why not.
    pub fn admits_member(&self, tier: Option<&str>, group: Group) -> Result<(), Closed> {
        let is_theirs = |tier: &str| self.tiers.iter().any(|known| known == tier);
        if !self.tiers.is_empty() && !tier.is_some_and(is_theirs) {
            return Err(Closed::Tier);
        }
        if self.segments.is_empty() || self.segments.contains(&group) { Ok(()) } else { Err(Closed::Segment) }
    }

    /// Whether a merchant may set it in a program with these tiers.
    pub fn is_sound(&self, is_tier: impl Fn(&str) -> bool) -> bool {
        let opens = self.from.zip(self.until).is_none_or(|(from, until)| from < until);
        opens
            && self.limit.is_none_or(|limit| limit.is_sound())
            && self.tiers.iter().all(|tier| is_tier(tier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Period;

    fn at(minute: &str) -> LocalTime {
        LocalTime::parse(minute).unwrap()
    }

    fn gate() -> Gate {
        Gate {
            tiers: ["gold".into()].into(),
            segments: Vec::new(),
            from: Some(at("2026-11-27T09:00")),
            until: Some(at("2026-11-30T00:00")),
            limit: None,
        }
    }

    #[test]
    fn it_opens_with_its_first_minute_and_is_closed_with_its_last() {
        for (minute, admits) in [
            ("2026-11-27T08:59", Err(Closed::Until(at("2026-11-27T09:00")))),
            ("2026-11-27T09:00", Ok(())),
            ("2026-11-29T23:59", Ok(())),
            ("2026-11-30T00:00", Err(Closed::Over)),
        ] {
            assert_eq!(gate().admits(Some("gold"), Group::Prospects, at(minute)), admits, "{minute}");
        }
    }

    #[test]
    fn it_is_open_for_members_of_its_tiers_and_without_tiers_for_all() {
        let now = at("2026-11-28T12:00");
        for tier in [None, Some("silver")] {
            assert_eq!(gate().admits(tier, Group::Loyal, now), Err(Closed::Tier));
            assert_eq!(Gate { tiers: Vec::new(), ..gate() }.admits(tier, Group::Loyal, now), Ok(()));
        }
    }

    #[test]
    fn it_is_open_for_members_in_its_segments_and_without_segments_for_all() {
        let now = at("2026-11-28T12:00");
        let gate = Gate { segments: [Group::Champions, Group::AtRisk].into(), ..gate() };
        for (group, admits) in [
            (Group::AtRisk, Ok(())),
            (Group::Loyal, Err(Closed::Segment)),
            (Group::Prospects, Err(Closed::Segment)),
        ] {
            assert_eq!(gate.admits(Some("gold"), group, now), admits, "{group:?}");
        }
        assert_eq!(gate.admits(None, Group::AtRisk, now), Err(Closed::Tier), "both must be open");
    }

    #[test]
    fn nonsense_is_refused() {
        let sound = |gate: Gate| gate.is_sound(|tier| tier == "gold");
        assert!(sound(Gate::default()) && Gate::default().is_open() && sound(gate()) && !gate().is_open());
        assert!(!sound(Gate { until: gate().from, ..gate() }), "over as it opens");
        assert!(!sound(Gate { tiers: ["tin".into()].into(), ..gate() }));
        assert!(!sound(Gate { limit: Some(Limit { most: 0, per: Period::Day }), ..gate() }));
    }
}
