//! Tiers, and the perks that tiers and campaigns give.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

#[cfg(feature = "serde")]
use crate::is_default;
use crate::{LIMIT, multiplier::Factor, redemption::WHOLE, text};

/// A level of membership.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Tier {
    /// Its id within the program: lower-case letters, digits and hyphens.
    pub id: String,
    /// What shoppers read, also beside what its perks take off.
    pub name: String,
    /// What a member needs to belong to it. Without one, staff say who does.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub threshold: Option<Threshold>,
    /// How many times what orders of its members earn.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub earn_factor: Factor,
    /// What its members get; not also those of another tier.
    #[cfg_attr(feature = "serde", serde(default))]
    pub perks: Vec<Perk>,
}

/// What a member needs to belong to a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Threshold {
    /// What is counted.
    pub measure: Measure,
    /// How much of it: points, or minor units of the shop's currency.
    pub at_least: i64,
    /// Within how many days up to now.
    pub days: u32,
}

/// What is counted for a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Measure {
    /// Points earned.
    Points,
    /// Money spent.
    Spend,
}

impl Measure {
    /// Its name, as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Measure::Points => "points",
            Measure::Spend => "spend",
        }
    }
}

/// Something that members get without spending points.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields))]
pub enum Perk {
    /// A percentage off lines.
    Lines {
        /// Basis points: 1,000 is 10 %.
        basis_points: i64,
        /// Which lines.
        #[cfg_attr(feature = "serde", serde(default))]
        of: Selection,
    },
    /// A percentage off delivery, whichever option is chosen.
    Delivery {
        /// Basis points: 10,000 is free delivery.
        basis_points: i64,
    },
    /// Another look of one delivery option.
    DeliveryOption {
        /// The option, by the title that it has in the shop's settings.
        title: String,
        /// What becomes of it.
        change: OptionChange,
    },
}

/// Which lines a perk is about. Gift cards are never among them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Selection {
    /// All.
    #[default]
    All,
    /// Lines of these variants: `gid://shopify/ProductVariant/…`.
    Variants(Vec<String>),
    /// Lines of products in any of these collections: `gid://shopify/Collection/…`. Shopify tells a Function of one set
    /// of collections only, so all perks that name collections name the same.
    Collections(BTreeSet<String>),
}

/// What becomes of a delivery option.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum OptionChange {
    /// It has another title.
    Rename(String),
    /// It stands first.
    First,
    /// It is not offered.
    Hide,
    /// It is offered to nobody else.
    Reserve,
}

/// Why a merchant's tier or perk is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TierError {
    /// Not an id.
    #[error("an id has 1 to 40 lower-case letters, digits and hyphens")]
    Id,
    /// A word that is kept from being an id.
    #[error("the id is a reserved word")]
    Reserved,
    /// No name, or one that cannot stand beside a discount.
    #[error("a name has 1 to 60 characters in one line, and ends the turns of direction that it begins")]
    Name,
    /// A threshold of nothing, beyond range, or over no time or more than ten years.
    #[error("a threshold is above nothing, within 1 to 3,650 days")]
    Threshold,
    /// A factor below zero or above a hundred.
    #[error("a factor is 0 to 1,000,000 ten-thousandths")]
    Factor,
    /// More than 20 perks.
    #[error("there are at most 20 perks")]
    TooManyPerks,
    /// Not above 0 and at most 100 %.
    #[error("a percentage lies above 0 and at most at 10,000 basis points")]
    Percent,
    /// No variant or collection, too many, or one that is none.
    #[error("a perk names 1 to 100 variants or collections by their global ids")]
    Selection,
    /// A delivery option without a title, or with one that cannot be shown.
    #[error("a delivery option has a title of 1 to 60 characters in one line")]
    OptionTitle,
}

impl TierError {
    /// Its name for programs; it does not change.
    pub fn code(self) -> &'static str {
        match self {
            TierError::Id => "tier_id",
            TierError::Reserved => "tier_id_reserved",
            TierError::Name => "tier_name",
            TierError::Threshold => "tier_threshold",
            TierError::Factor => "tier_factor",
            TierError::TooManyPerks => "too_many_perks",
            TierError::Percent => "perk_percent",
            TierError::Selection => "perk_selection",
            TierError::OptionTitle => "perk_option_title",
        }
    }
}

impl Tier {
    /// Whether a merchant may set it.
    ///
    /// # Errors
    /// [`TierError`]: the first thing that is wrong.
    pub fn validate(&self) -> Result<(), TierError> {
        check_named(&self.id, &self.name)?;
        if let Some(Threshold { at_least, days, .. }) = self.threshold
            && (!(1..=LIMIT).contains(&at_least) || !(1..=3_650).contains(&days))
        {
            return Err(TierError::Threshold);
        }
        check_given(self.earn_factor, &self.perks)
    }

    /// Whether its threshold asks for less than another's, or for the same, where the two can be compared.
    pub(crate) fn is_no_higher_than(&self, lower: &Tier) -> bool {
        match (self.threshold, lower.threshold) {
            (Some(own), Some(other)) => {
                own.measure == other.measure && own.days == other.days && own.at_least <= other.at_least
            }
            _ => false,
        }
    }
}

/// Whether id and name are such as tiers and campaigns may have.
pub(crate) fn check_named(id: &str, name: &str) -> Result<(), TierError> {
    if !text::is_id(id) {
        return Err(TierError::Id);
    }
    if text::is_reserved(id) {
        return Err(TierError::Reserved);
    }
    if text::is_sound(name, 60) { Ok(()) } else { Err(TierError::Name) }
}

/// Whether a tier or a campaign may have this factor and these perks.
pub(crate) fn check_given(earn_factor: Factor, perks: &[Perk]) -> Result<(), TierError> {
    if !earn_factor.is_valid() {
        return Err(TierError::Factor);
    }
    if perks.len() > 20 {
        return Err(TierError::TooManyPerks);
    }
    perks.iter().try_for_each(Perk::validate)
}

impl Perk {
    fn validate(&self) -> Result<(), TierError> {
        match self {
            Perk::Lines { basis_points, .. } | Perk::Delivery { basis_points }
                if !(1..=WHOLE).contains(basis_points) =>
            {
                Err(TierError::Percent)
            }
            Perk::Lines { of, .. } => of.validate(),
            Perk::Delivery { .. } => Ok(()),
            Perk::DeliveryOption { title, change } => {
                let renamed = match change {
                    OptionChange::Rename(to) => text::is_sound(to, 60),
                    OptionChange::First | OptionChange::Hide | OptionChange::Reserve => true,
                };
                if renamed && text::is_sound(title, 60) { Ok(()) } else { Err(TierError::OptionTitle) }
            }
        }
    }
}

impl Selection {
    fn validate(&self) -> Result<(), TierError> {
        let few = |count| (1..=100).contains(&count);
        let sound = match self {
            Selection::All => true,
            Selection::Variants(ids) => {
                few(ids.len()) && ids.iter().all(|id| text::gid_number(id, "ProductVariant").is_some())
            }
            Selection::Collections(ids) => {
                few(ids.len()) && ids.iter().all(|id| text::gid_number(id, "Collection").is_some())
            }
        };
        if sound { Ok(()) } else { Err(TierError::Selection) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn gold() -> Tier {
        let threshold = Threshold { measure: Measure::Spend, at_least: 50_000, days: 365 };
        Tier {
            id: "gold".into(),
            name: "Gold".into(),
            threshold: Some(threshold),
            earn_factor: Factor::ONE,
            perks: vec![],
        }
    }

    fn with(perk: Perk) -> Tier {
        Tier { perks: vec![perk], ..gold() }
    }

    fn lines(basis_points: i64, of: Selection) -> Tier {
        with(Perk::Lines { basis_points, of })
    }

    fn option(title: &str, change: OptionChange) -> Tier {
        with(Perk::DeliveryOption { title: title.into(), change })
    }

    #[test]
    fn names_in_any_script_and_any_kind_of_perk_are_taken() {
        let variants = Selection::Variants(vec!["gid://shopify/ProductVariant/1".into()]);
        let collections = Selection::Collections(BTreeSet::from(["gid://shopify/Collection/1".into()]));
        for tier in [
            gold(),
            Tier { name: "ذهبي".into(), threshold: None, ..gold() },
            lines(1, Selection::All),
            lines(10_000, variants),
            lines(1_000, collections),
            with(Perk::Delivery { basis_points: 10_000 }),
            option("Standard", OptionChange::Rename("عادي".into())),
            option("Express", OptionChange::Reserve),
        ] {
            assert_eq!(tier.validate(), Ok(()), "{tier:?}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let threshold = |at_least, days| Some(Threshold { measure: Measure::Points, at_least, days });
        let variants = |ids: Vec<String>| lines(100, Selection::Variants(ids));
        for (tier, error) in [
            (Tier { id: "Gold".into(), ..gold() }, TierError::Id),
            (Tier { id: "".into(), ..gold() }, TierError::Id),
            (Tier { id: "none".into(), ..gold() }, TierError::Reserved),
            (Tier { id: "constructor".into(), ..gold() }, TierError::Reserved),
            (Tier { name: " ".into(), ..gold() }, TierError::Name),
            (Tier { name: "\u{202e}dloG".into(), ..gold() }, TierError::Name),
            (Tier { name: "a\u{7}".into(), ..gold() }, TierError::Name),
            (Tier { name: "g".repeat(61), ..gold() }, TierError::Name),
            (Tier { threshold: threshold(0, 365), ..gold() }, TierError::Threshold),
            (Tier { threshold: threshold(LIMIT + 1, 365), ..gold() }, TierError::Threshold),
            (Tier { threshold: threshold(1, 0), ..gold() }, TierError::Threshold),
            (Tier { threshold: threshold(1, 3_651), ..gold() }, TierError::Threshold),
            (Tier { earn_factor: Factor(-1), ..gold() }, TierError::Factor),
            (Tier { earn_factor: Factor(1_000_001), ..gold() }, TierError::Factor),
            (Tier { perks: vec![Perk::Delivery { basis_points: 1 }; 21], ..gold() }, TierError::TooManyPerks),
            (lines(0, Selection::All), TierError::Percent),
            (lines(10_001, Selection::All), TierError::Percent),
            (with(Perk::Delivery { basis_points: -1 }), TierError::Percent),
            (variants(vec![]), TierError::Selection),
            (variants(vec!["1".into()]), TierError::Selection),
            (variants(vec!["gid://shopify/Collection/1".into()]), TierError::Selection),
            (variants(vec!["gid://shopify/ProductVariant/1".into(); 101]), TierError::Selection),
            (lines(1, Selection::Collections(BTreeSet::new())), TierError::Selection),
            (option("", OptionChange::Hide), TierError::OptionTitle),
            (option("Standard", OptionChange::Rename("a\nb".into())), TierError::OptionTitle),
        ] {
            assert_eq!(tier.validate(), Err(error), "{tier:?}");
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn the_settings_read_like_this() {
        let text = r#"{"id":"gold","name":"Gold","threshold":{"measure":"spend","at_least":50000,"days":365},"earn_factor":15000,"perks":[
            {"kind":"lines","basis_points":1000},
            {"kind":"lines","basis_points":500,"of":{"collections":["gid://shopify/Collection/1"]}},
            {"kind":"delivery","basis_points":10000},
            {"kind":"delivery_option","title":"Standard","change":{"rename":"Gold delivery"}},
            {"kind":"delivery_option","title":"Express","change":"reserve"}]}"#;
        let tier: Tier = serde_json::from_str(text).unwrap();
        assert_eq!(tier.validate(), Ok(()));
        assert_eq!((tier.perks.len(), tier.earn_factor), (5, Factor(15_000)));
        let again: Tier = serde_json::from_str(&serde_json::to_string(&tier).unwrap()).unwrap();
        assert_eq!(again, tier);
        assert!(serde_json::from_str::<Tier>(&text.replace("basis_points", "percent")).is_err());
    }
}
