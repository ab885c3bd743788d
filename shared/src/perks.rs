//! Perks as the Functions at checkout know them: what the program's metafield says, and which of them is best.
//!
//! The metafield has room for 10,000 bytes, so its format is short. It holds what is given just now and nothing else:
//! ```json
//! {"v":1,"version":7,
//!  "lines":[{"for":["gold"],"off":1000,"label":"Gold","variants":["43000000000001"]}],
//!  "delivery":[{"for":["gold"],"off":10000,"label":"Gold"}],
//!  "options":[{"for":["gold"],"title":"Standard","rename":"Gold delivery"}]}
//! ```
//! `for` names tiers, and is absent where every member is meant; `off` is basis points; a perk on lines has `variants`,
//! or `"collections":1` for what the input query says of collections, or neither for all lines. `"guard":1` has the checkout
//! say why points cannot be used.

use alloc::{string::String, vec::Vec};
use core::cmp::Reverse;

use crate::{
    json::{FormatError, Json, check_version, optional, required},
    program::Program,
    redemption::WHOLE,
    tier::OptionChange,
};

/// A percentage off lines.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LinePerk {
    /// Basis points: above 0, at most 10,000.
    pub off: i64,
    /// Which tier's or campaign's it is, as shoppers read it.
    pub label: String,
    /// The numbers of the variants that it is about, or none where it is about others.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub variants: Vec<String>,
    /// Whether it is about products in the program's collections.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_no", serialize_with = "as_one"))]
    pub collections: bool,
}

/// A percentage off delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DeliveryPerk {
    /// Basis points: above 0, at most 10,000.
    pub off: i64,
    /// Which tier's or campaign's it is, as shoppers read it.
    pub label: String,
}

/// Another look of a delivery option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionPerk {
    /// The option's title in the shop's settings.
    pub title: String,
    /// What becomes of it.
    pub change: OptionChange,
    /// Whether the member is one of those it is for.
    pub own: bool,
}

/// What is asked of a line to find its perk.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The number of its variant; none of a product that was made up for one order.
    pub variant: Option<&'a str>,
    /// Whether its product is in one of the program's collections.
    pub in_collections: bool,
}

impl LinePerk {
    /// A member's perks on lines, in the order of the program. A member without a tier has those that are for every member.
    ///
    /// # Errors
    /// [`FormatError::Version`] of another version; [`FormatError::Field`] where a member of one is missing or none of its kind.
    pub fn read_all<J: Json>(program: &J, tier: Option<&str>) -> Result<Vec<LinePerk>, FormatError> {
        own(program, "lines", tier, |perk| {
            let variants = perk.field("variants").map(|variants| {
                let texts: Option<Vec<String>> = variants.elements().map(|variant| variant.text()).collect();
                texts.ok_or(FormatError::Field("variants"))
            });
            let collections = optional(perk, "collections", |one| (one.integer()? == 1).then_some(true))?;
            Ok(LinePerk {
                off: percentage(perk)?,
                label: required(perk, "label", Json::text)?,
                variants: variants.transpose()?.unwrap_or_default(),
                collections: collections.unwrap_or_default(),
            })
        })
    }

    /// Whether it is about this line.
    pub fn covers(&self, line: Line<'_>) -> bool {
        match (self.variants.is_empty(), self.collections) {
            (true, false) => true,
            (true, true) => line.in_collections,
            (false, _) => line.variant.is_some_and(|own| self.variants.iter().any(|variant| variant == own)),
        }
    }

    /// Which of a member's perks a line gets: the one that takes off most, the first among equals.
    pub fn best(perks: &[LinePerk], line: Line<'_>) -> Option<usize> {
        let mut best: Option<(usize, i64)> = None;
        for (at, perk) in perks.iter().enumerate() {
            if best.is_none_or(|(_, most)| perk.off > most) && perk.covers(line) {
                best = Some((at, perk.off));
            }
        }
        best.map(|(at, _)| at)
    }
}

impl DeliveryPerk {
    /// A member's best perk on delivery: the one that takes off most, the first among equals.
    ///
    /// # Errors
    /// As [`LinePerk::read_all`].
    pub fn best<J: Json>(program: &J, tier: Option<&str>) -> Result<Option<DeliveryPerk>, FormatError> {
        let perks = own(program, "delivery", tier, |perk| {
            Ok(DeliveryPerk { off: percentage(perk)?, label: required(perk, "label", Json::text)? })
        })?;
        Ok(perks.into_iter().min_by_key(|perk| Reverse(perk.off)))
    }
}

/// Whether the program has the checkout say why points that were picked cannot be used.
///
/// # Errors
/// [`FormatError::Version`] of another version; [`FormatError::Field`] where `guard` is no 1.
pub fn is_guarded<J: Json>(program: &J) -> Result<bool, FormatError> {
    check_version(program, Program::VERSION)?;
    Ok(optional(program, "guard", |one| (one.integer()? == 1).then_some(true))?.unwrap_or_default())
}

impl OptionPerk {
    /// What becomes of delivery options, in the order of the program. Those that are for others are among them, because
    /// an option may be reserved. `tier` is the member's; `None` also for whoever is no member.
    ///
    /// # Errors
    /// [`FormatError::Version`] of another version; [`FormatError::Field`] where a member of one is missing or none of its kind.
    pub fn read_all<J: Json>(program: &J, tier: Option<&str>) -> Result<Vec<OptionPerk>, FormatError> {
        check_version(program, Program::VERSION)?;
        let options = program.field("options");
        let options = options.iter().flat_map(|options| options.elements());
        let read = |option: J| {
            let change = match optional(&option, "rename", Json::text)? {
                Some(title) => OptionChange::Rename(title),
                None => match required(&option, "do", Json::text)?.as_str() {
                    "first" => OptionChange::First,
                    "hide" => OptionChange::Hide,
                    "reserve" => OptionChange::Reserve,
                    _ => return Err(FormatError::Field("do")),
                },
            };
            let title = required(&option, "title", Json::text)?;
            Ok(OptionPerk { title, change, own: is_for(&option, tier) })
        };
        options.map(read).collect()
    }
}

/// A list of the program, without what is for members of other tiers.
fn own<J: Json, P>(
    program: &J,
    name: &'static str,
    tier: Option<&str>,
    read: impl Fn(&J) -> Result<P, FormatError>,
) -> Result<Vec<P>, FormatError> {
    check_version(program, Program::VERSION)?;
    let list = program.field(name);
    let perks = list.iter().flat_map(|list| list.elements());
    perks.filter(|perk| is_for(perk, tier)).map(|perk| read(&perk)).collect()
}

fn is_for<J: Json>(perk: &J, tier: Option<&str>) -> bool {
    let Some(tiers) = perk.field("for") else { return true };
    tier.is_some_and(|own| tiers.elements().any(|tier| tier.text().as_deref() == Some(own)))
}

fn percentage<J: Json>(perk: &J) -> Result<i64, FormatError> {
    required(perk, "off", |off| off.integer().filter(|off| (1..=WHOLE).contains(off)))
}

#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_no(value: &bool) -> bool {
    !value
}

#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn as_one<S: serde::Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(u8::from(*value))
}

#[cfg(test)]
#[cfg(feature = "serde")]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn program() -> Value {
        json!({"v": 1, "version": 7,
            "lines": [
                {"off": 500, "label": "Spring"},
                {"for": ["gold"], "off": 1000, "label": "Gold", "variants": ["1", "2"]},
                {"for": ["gold", "tin"], "off": 1000, "label": "Metals", "collections": 1}],
            "delivery": [{"off": 5000, "label": "Spring"}, {"for": ["gold"], "off": 10000, "label": "Gold"}],
            "options": [{"for": ["gold"], "title": "Standard", "rename": "Gold delivery"},
                        {"for": ["gold"], "title": "Express", "do": "reserve"}]})
    }

    fn labels(tier: Option<&str>) -> Vec<String> {
        LinePerk::read_all(&&program(), tier).unwrap().into_iter().map(|perk| perk.label).collect()
    }

    #[test]
    fn a_member_has_what_is_for_the_own_tier_and_for_everyone() {
        assert_eq!(labels(Some("gold")), ["Spring", "Gold", "Metals"]);
        assert_eq!(labels(Some("tin")), ["Spring", "Metals"]);
        assert_eq!(labels(Some("gold ")), ["Spring"]);
        assert_eq!(labels(None), ["Spring"]);
    }

    #[test]
    fn a_line_gets_the_best_that_covers_it() {
        let perks = LinePerk::read_all(&&program(), Some("gold")).unwrap();
        let best = |variant, in_collections| LinePerk::best(&perks, Line { variant, in_collections });
        assert_eq!(best(Some("2"), true), Some(1), "the first among equals");
        assert_eq!(best(Some("3"), true), Some(2));
        assert_eq!(best(Some("3"), false), Some(0));
        assert_eq!(best(None, false), Some(0));
        assert_eq!(LinePerk::best(&[], Line { variant: None, in_collections: true }), None);
    }

    #[test]
    fn delivery_is_as_cheap_as_the_best_makes_it() {
        let best = |tier| DeliveryPerk::best(&&program(), tier).unwrap().map(|perk| (perk.off, perk.label));
        assert_eq!(best(Some("gold")), Some((10_000, "Gold".into())));
        assert_eq!(best(None), Some((5_000, "Spring".into())));
        assert_eq!(DeliveryPerk::best(&&json!({"v": 1}), None), Ok(None));
    }

    #[test]
    fn options_say_whom_they_are_for() {
        let all = OptionPerk::read_all(&&program(), None).unwrap();
        assert!(all.iter().all(|option| !option.own));
        assert_eq!(all[1].change, OptionChange::Reserve);
        let own = OptionPerk::read_all(&&program(), Some("gold")).unwrap();
        assert!(own.iter().all(|option| option.own));
        assert_eq!(own[0].change, OptionChange::Rename("Gold delivery".into()));
    }

    #[test]
    fn an_unknown_version_gives_nothing() {
        for version in [json!(0), json!(2), json!("1"), json!(null)] {
            let program = json!({"v": version, "lines": [{"off": 500, "label": "Spring"}]});
            assert_eq!(LinePerk::read_all(&&program, None), Err(FormatError::Version), "{program}");
            assert_eq!(DeliveryPerk::best(&&program, None), Err(FormatError::Version), "{program}");
            assert_eq!(OptionPerk::read_all(&&program, None), Err(FormatError::Version), "{program}");
            assert_eq!(is_guarded(&&program), Err(FormatError::Version), "{program}");
        }
    }

    #[test]
    fn what_is_not_valid_is_named() {
        for (perk, field) in [
            (json!({"off": 0, "label": "A"}), "off"),
            (json!({"off": 10_001, "label": "A"}), "off"),
            (json!({"off": "1", "label": "A"}), "off"),
            (json!({"off": 1}), "label"),
            (json!({"off": 1, "label": "A", "variants": [1]}), "variants"),
            (json!({"off": 1, "label": "A", "collections": 2}), "collections"),
        ] {
            let program = json!({"v": 1, "lines": [perk]});
            assert_eq!(LinePerk::read_all(&&program, None), Err(FormatError::Field(field)), "{program}");
        }
        let program = json!({"v": 1, "options": [{"title": "A", "do": "burn"}]});
        assert_eq!(OptionPerk::read_all(&&program, None), Err(FormatError::Field("do")));
    }

    fn any_perks() -> impl Strategy<Value = Vec<LinePerk>> {
        let perk = (1..=WHOLE, prop::collection::vec("[1-4]", 0..3), any::<bool>()).prop_map(
            |(off, variants, collections)| LinePerk {
                off,
                label: "A".into(),
                collections: collections && variants.is_empty(),
                variants,
            },
        );
        prop::collection::vec(perk, 0..8)
    }

    proptest! {
        #[test]
        fn no_single_perk_is_better_than_the_best_and_none_takes_more_than_the_price(
            perks in any_perks(), variant in prop::option::of("[1-4]"), in_collections: bool,
        ) {
            let line = Line { variant: variant.as_deref(), in_collections };
            let read = LinePerk::read_all(&&json!({"v": 1, "lines": perks}), None).unwrap();
            let best = LinePerk::best(&read, line).map(|at| &read[at]);
            let most = perks.iter().filter(|perk| perk.covers(line)).map(|perk| perk.off).max();
            prop_assert_eq!(best.map(|perk| perk.off), most);
            prop_assert!(best.is_none_or(|perk| perk.covers(line) && (1..=WHOLE).contains(&perk.off)));
            prop_assert_eq!(read, perks, "what is written is read back");
        }

        #[test]
        fn whatever_stands_in_a_list_it_does_not_panic(
            list in prop_oneof![Just(json!(null)), Just(json!({"a": 1})), Just(json!([[1], {"for": 7}, "x", null]))],
            tier in prop::option::of("gold|.*"),
        ) {
            let program = json!({"v": 1, "lines": list, "delivery": list, "options": list});
            let tier = tier.as_deref();
            let _ = (LinePerk::read_all(&&program, tier), DeliveryPerk::best(&&program, tier));
            let _ = OptionPerk::read_all(&&program, tier);
        }
    }

    #[test]
    fn perks_without_variants_are_short() {
        let perk = LinePerk { off: 1, label: "A".into(), variants: vec![], collections: false };
        assert_eq!(serde_json::to_string(&perk).unwrap(), r#"{"off":1,"label":"A"}"#);
    }
}
