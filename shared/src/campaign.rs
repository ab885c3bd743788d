//! Campaigns: perks, and more points, for a time.

use alloc::{string::String, vec::Vec};
use core::fmt;

#[cfg(feature = "serde")]
use crate::is_default;
use crate::{
    multiplier::Factor,
    tier::{Perk, TierError, check_given, check_named},
};

/// Perks and more points for a time, for every member or for those of some tiers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Campaign {
    /// Its id within the program: lower-case letters, digits and hyphens.
    pub id: String,
    /// What shoppers read, also beside what its perks take off.
    pub name: String,
    /// When it begins.
    pub from: LocalTime,
    /// When it is over: the first minute without it.
    pub until: LocalTime,
    /// The ids of the tiers whose members it is for; empty for every member.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub tiers: Vec<String>,
    /// How many times what orders earn that are placed in this time.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub earn_factor: Factor,
    /// What else they get.
    #[cfg_attr(feature = "serde", serde(default))]
    pub perks: Vec<Perk>,
}

/// A minute on the shop's clock, written as `2026-11-27T09:00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct LocalTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
}

/// A text that is no local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is a minute on the shop's clock, such as 2026-11-27T09:00")]
pub struct NotATime;

/// Why a merchant's campaign is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    /// It is over before it begins, or as it does.
    #[error("it is over before it begins")]
    Window,
    /// It gives nothing: no perks, and no other number of points.
    #[error("it gives nothing")]
    Nothing,
    /// It is for a tier that there is not.
    #[error("there is no tier {0}")]
    UnknownTier(String),
    /// As with a tier.
    #[error(transparent)]
    Tier(#[from] TierError),
}

impl CampaignError {
    /// Its name for programs; it does not change.
    pub fn code(&self) -> &'static str {
        match self {
            CampaignError::Window => "campaign_window",
            CampaignError::Nothing => "campaign_gives_nothing",
            CampaignError::UnknownTier(_) => "campaign_tier",
            CampaignError::Tier(error) => error.code(),
        }
    }
}

impl Campaign {
    /// Whether it runs at a minute: from the first to before the last.
    pub fn runs_at(&self, now: LocalTime) -> bool {
        self.from <= now && now < self.until
    }

    /// Whether a merchant may set it in a program with these tiers.
    ///
    /// # Errors
    /// [`CampaignError`]: the first thing that is wrong.
    pub fn validate(&self, is_tier: impl Fn(&str) -> bool) -> Result<(), CampaignError> {
        check_named(&self.id, &self.name)?;
        check_given(self.earn_factor, &self.perks)?;
        if self.from >= self.until {
            return Err(CampaignError::Window);
        }
        if self.perks.is_empty() && self.earn_factor == Factor::ONE {
            return Err(CampaignError::Nothing);
        }
        match self.tiers.iter().find(|tier| !is_tier(tier)) {
            Some(unknown) => Err(CampaignError::UnknownTier(unknown.clone())),
            None => Ok(()),
        }
    }
}

impl LocalTime {
    /// Reads `2026-11-27T09:00`.
    ///
    /// # Errors
    /// When it is written in another way, or there is no such day or minute.
    pub fn parse(text: &str) -> Result<LocalTime, NotATime> {
        let &[a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l] = text.as_bytes() else {
            return Err(NotATime);
        };
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0_u16, |number, digit| {
                digit.is_ascii_digit().then(|| number * 10 + u16::from(digit - b'0')).ok_or(NotATime)
            })
        };
        let small = |tens, ones| Ok(u8::try_from(number(&[tens, ones])?).unwrap_or(u8::MAX));
        let time = LocalTime {
            year: number(&[a, b, c, d])?,
            month: small(e, f)?,
            day: small(g, h)?,
            hour: small(i, j)?,
            minute: small(k, l)?,
        };
        let days = match time.month {
            2 if time.year.is_multiple_of(4)
                && (!time.year.is_multiple_of(100) || time.year.is_multiple_of(400)) =>
            {
                29
            }
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        let exists = (1..=days).contains(&time.day) && time.hour < 24 && time.minute < 60;
        if exists { Ok(time) } else { Err(NotATime) }
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LocalTime { year, month, day, hour, minute } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
    }
}

impl TryFrom<String> for LocalTime {
    type Error = NotATime;

    fn try_from(text: String) -> Result<LocalTime, NotATime> {
        LocalTime::parse(&text)
    }
}

impl From<LocalTime> for String {
    fn from(time: LocalTime) -> String {
        alloc::format!("{time}")
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString, vec};

    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> LocalTime {
        LocalTime::parse(text).unwrap()
    }

    fn friday() -> Campaign {
        Campaign {
            id: "black-friday".into(),
            name: "Black Friday".into(),
            from: at("2026-11-27T00:00"),
            until: at("2026-11-28T00:00"),
            tiers: vec!["gold".into()],
            earn_factor: Factor::ONE,
            perks: vec![Perk::Delivery { basis_points: 10_000 }],
        }
    }

    #[test]
    fn it_runs_from_its_first_minute_to_before_its_last() {
        for (now, runs) in [
            ("2026-11-26T23:59", false),
            ("2026-11-27T00:00", true),
            ("2026-11-27T23:59", true),
            ("2026-11-28T00:00", false),
        ] {
            assert_eq!(friday().runs_at(at(now)), runs, "{now}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let validate = |campaign: Campaign| campaign.validate(|tier| tier == "gold");
        assert_eq!(validate(friday()), Ok(()));
        assert_eq!(
            validate(Campaign { until: at("2026-11-27T00:00"), ..friday() }),
            Err(CampaignError::Window)
        );
        assert_eq!(validate(Campaign { perks: vec![], ..friday() }), Err(CampaignError::Nothing));
        let doubles = Campaign { perks: vec![], earn_factor: Factor(20_000), ..friday() };
        assert_eq!(validate(doubles), Ok(()));
        let beyond = Campaign { earn_factor: Factor(1_000_001), ..friday() };
        assert_eq!(validate(beyond), Err(CampaignError::Tier(TierError::Factor)));
        let unknown = Campaign { tiers: vec!["gold".into(), "tin".into()], ..friday() };
        assert_eq!(validate(unknown), Err(CampaignError::UnknownTier("tin".into())));
        let reserved = Campaign { id: "null".into(), ..friday() };
        assert_eq!(validate(reserved), Err(CampaignError::Tier(TierError::Reserved)));
        let free = Campaign { perks: vec![Perk::Delivery { basis_points: 0 }], ..friday() };
        assert_eq!(validate(free), Err(CampaignError::Tier(TierError::Percent)));
    }

    #[test]
    fn there_are_days_that_are_none() {
        for text in ["2024-02-29T00:00", "2000-02-29T23:59", "2026-12-31T12:30"] {
            assert_eq!(at(text).to_string(), text);
        }
        for text in [
            "2026-02-29T00:00",
            "1900-02-29T00:00",
            "2026-04-31T00:00",
            "2026-13-01T00:00",
            "2026-00-01T00:00",
            "2026-01-00T00:00",
            "2026-01-01T24:00",
            "2026-01-01T00:60",
            "2026-01-01 00:00",
            "2026-01-01T00:00Z",
            "2026-1-1T00:00",
            "+026-01-01T00:00",
            "",
        ] {
            assert_eq!(LocalTime::parse(text), Err(NotATime), "{text}");
        }
    }

    proptest! {
        #[test]
        fn times_sort_as_their_texts_do(
            a in "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]",
            b in "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]",
        ) {
            prop_assert_eq!(at(&a).cmp(&at(&b)), a.cmp(&b));
            prop_assert_eq!(at(&a).to_string(), a);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9T:-]{14,18}|.*") {
            let _ = LocalTime::parse(&text);
        }
    }
}
