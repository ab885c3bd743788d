//! What of a program is published for the Functions, and whether it fits.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use serde::Serialize;

use crate::{
    campaign::LocalTime,
    perks::{DeliveryPerk, LinePerk},
    program::Program,
    text,
    tier::{OptionChange, Perk, Selection},
};

/// The most bytes that are published for the Functions. They would not get more than 10,000.
pub const MOST_BYTES: usize = 9_500;
/// The most bytes that are published for widgets: Shopify's limit of a metafield of JSON is 128 KB.
pub const MOST_UI_BYTES: usize = 128_000;

/// A program that is too large to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// How many bytes it would have.
    pub bytes: usize,
    /// How many there is room for.
    pub most: usize,
    /// Its largest parts with their bytes, such as `tier gold`; three at most.
    pub parts: Vec<(String, usize)>,
}

/// The text's members, each left out where it is empty.
#[derive(Default, Serialize)]
struct ForFunctions<'a> {
    v: i64,
    version: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<Given<'a, LinePerk>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    delivery: Vec<Given<'a, DeliveryPerk>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<Given<'a, Changed<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guard: Option<u8>,
}

/// A perk, and for whom it is.
#[derive(Serialize)]
struct Given<'a, P> {
    #[serde(rename = "for", skip_serializing_if = "<[_]>::is_empty")]
    tiers: &'a [String],
    #[serde(flatten)]
    perk: P,
}

#[derive(Serialize)]
struct Changed<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rename: Option<&'a str>,
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    other: Option<&'static str>,
}

impl<'a> ForFunctions<'a> {
    fn add(&mut self, tiers: &'a [String], label: &str, perks: &'a [Perk]) {
        for perk in perks {
            match perk {
                Perk::Lines { basis_points, of } => {
                    let variants = match of {
                        Selection::Variants(ids) => numbers(ids),
                        Selection::All | Selection::Collections(_) => Vec::new(),
                    };
                    let collections = matches!(of, Selection::Collections(_));
                    let perk = LinePerk { off: *basis_points, label: label.into(), variants, collections };
                    self.lines.push(Given { tiers, perk });
                }
                Perk::Delivery { basis_points } => {
                    let perk = DeliveryPerk { off: *basis_points, label: label.into() };
                    self.delivery.push(Given { tiers, perk });
                }
                Perk::DeliveryOption { title, change } => {
                    let (rename, other) = match change {
                        OptionChange::Rename(to) => (Some(to.as_str()), None),
                        OptionChange::First => (None, Some("first")),
                        OptionChange::Hide => (None, Some("hide")),
                        OptionChange::Reserve => (None, Some("reserve")),
                    };
                    self.options.push(Given { tiers, perk: Changed { title, rename, other } });
                }
            }
        }
    }
}

fn numbers(ids: &[String]) -> Vec<String> {
    ids.iter().filter_map(|id| text::gid_number(id, "ProductVariant")).map(String::from).collect()
}

impl Program {
    /// The text of the metafield that Functions read: what tiers and the campaigns of this minute give. A redemption needs
    /// nothing of it: its hold carries the complete terms.
    ///
    /// # Errors
    /// Never: it holds nothing that JSON has no form for.
    pub fn to_json(&self, version: i64, now: LocalTime) -> Result<String, serde_json::Error> {
        let guard = self.guard.then_some(1);
        let mut text = ForFunctions { v: Program::VERSION, version, guard, ..ForFunctions::default() };
        for tier in &self.tiers {
            text.add(core::slice::from_ref(&tier.id), &tier.name, &tier.perks);
        }
        for campaign in self.campaigns.iter().filter(|campaign| campaign.runs_at(now)) {
            text.add(&campaign.tiers, &campaign.name, &campaign.perks);
        }
        serde_json::to_string(&text)
    }

    /// The collections that perks name: Shopify tells a Function whether a product is in any of them.
    pub fn collections(&self) -> BTreeSet<String> {
        let named = |perk: &Perk| match perk {
            Perk::Lines { of: Selection::Collections(ids), .. } => Some(ids.clone()),
            _ => None,
        };
        self.perks().filter_map(named).flatten().collect()
    }

    /// When what is published changes next because a campaign begins or ends.
    pub fn next_change(&self, now: LocalTime) -> Option<LocalTime> {
        let edges = self.campaigns.iter().flat_map(|campaign| [campaign.from, campaign.until]);
        edges.filter(|edge| *edge > now).min()
    }

    /// Whether it fits into its metafields at all times.
    ///
    /// # Errors
    /// [`TooLarge`], with its largest parts.
    pub fn check_size(&self) -> Result<(), TooLarge> {
        let always = LocalTime::default();
        for now in self.campaigns.iter().map(|campaign| campaign.from).chain([always]) {
            let bytes = self.to_json(i64::MAX, now).map_or(usize::MAX, |text| text.len());
            if bytes > MOST_BYTES {
                return Err(TooLarge { bytes, most: MOST_BYTES, parts: self.largest_parts(now) });
            }
            let bytes = self.to_ui_json(i64::MAX, now).map_or(usize::MAX, |text| text.len());
            if bytes > MOST_UI_BYTES {
                return Err(TooLarge { bytes, most: MOST_UI_BYTES, parts: self.ui_parts() });
            }
        }
        Ok(())
    }

    fn largest_parts(&self, now: LocalTime) -> Vec<(String, usize)> {
        let bytes = |tiers: &[String], label: &str, perks: &[Perk]| {
            let mut part = ForFunctions::default();
            part.add(tiers, label, perks);
            serde_json::to_string(&part).map_or(0, |text| text.len())
        };
        let tiers = self.tiers.iter().map(|tier| {
            let bytes = bytes(core::slice::from_ref(&tier.id), &tier.name, &tier.perks);
            (format!("tier {}", tier.id), bytes)
        });
        let campaigns = self.campaigns.iter().filter(|campaign| campaign.runs_at(now)).map(|campaign| {
            let bytes = bytes(&campaign.tiers, &campaign.name, &campaign.perks);
            (format!("campaign {}", campaign.id), bytes)
        });
        let mut parts: Vec<_> = tiers.chain(campaigns).collect();
        parts.sort_by_key(|(_, bytes)| core::cmp::Reverse(*bytes));
        parts.truncate(3);
        parts
    }

    fn ui_parts(&self) -> Vec<(String, usize)> {
        let earning = serde_json::to_string(&self.earn).map_or(0, |text| text.len());
        let rewards = serde_json::to_string(&self.rewards).map_or(0, |text| text.len());
        let mut parts: Vec<_> = [("earning rules", earning), ("rewards", rewards)]
            .map(|(name, bytes)| (name.into(), bytes))
            .into();
        parts.sort_by_key(|(_, bytes)| core::cmp::Reverse(*bytes));
        parts
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString, vec};

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        Campaign, Currency, Tier,
        json::FormatError,
        multiplier::Factor,
        perks::{OptionPerk, is_guarded},
    };

    fn at(text: &str) -> LocalTime {
        LocalTime::parse(text).unwrap()
    }

    #[test]
    fn the_collections_that_perks_name_are_known_once_each() {
        let mut program = program();
        assert_eq!(program.collections().into_iter().collect::<Vec<_>>(), ["gid://shopify/Collection/7"]);
        let ids = ["gid://shopify/Collection/7".into(), "gid://shopify/Collection/5".into()];
        program.campaigns[0].perks = vec![lines(Selection::Collections(BTreeSet::from(ids)))];
        let named = ["gid://shopify/Collection/5", "gid://shopify/Collection/7"];
        assert_eq!(program.collections().into_iter().collect::<Vec<_>>(), named);
        (program.tiers, program.campaigns) = (vec![], vec![]);
        assert!(program.collections().is_empty());
    }

    fn lines(of: Selection) -> Perk {
        Perk::Lines { basis_points: 1_000, of }
    }

    fn program() -> Program {
        let gold = Tier {
            id: "gold".into(),
            name: "ذهبي".into(),
            threshold: None,
            earn_factor: Factor::ONE,
            perks: vec![
                lines(Selection::Variants(vec!["gid://shopify/ProductVariant/43".into()])),
                lines(Selection::Collections(BTreeSet::from(["gid://shopify/Collection/7".into()]))),
                Perk::DeliveryOption {
                    title: "Standard".into(),
                    change: OptionChange::Rename("Gold".into()),
                },
                Perk::DeliveryOption { title: "Express".into(), change: OptionChange::Reserve },
            ],
        };
        let friday = Campaign {
            id: "friday".into(),
            name: "Friday".into(),
            from: at("2026-11-27T09:00"),
            until: at("2026-11-28T00:00"),
            tiers: vec![],
            earn_factor: Factor::ONE,
            perks: vec![Perk::Delivery { basis_points: 10_000 }, lines(Selection::All)],
        };
        let currency = Currency::parse("GBP").unwrap();
        Program { tiers: vec![gold], campaigns: vec![friday], ..Program::standard(currency) }
    }

    fn published(now: &str) -> Value {
        serde_json::from_str(&program().to_json(7, at(now)).unwrap()).unwrap()
    }

    #[test]
    fn what_functions_read_is_this_and_changes_with_the_campaigns() {
        let options = json!([{"for": ["gold"], "title": "Standard", "rename": "Gold"},
                             {"for": ["gold"], "title": "Express", "do": "reserve"}]);
        let gold = [
            json!({"for": ["gold"], "off": 1000, "label": "ذهبي", "variants": ["43"]}),
            json!({"for": ["gold"], "off": 1000, "label": "ذهبي", "collections": 1}),
        ];
        let before = json!({"v": 1, "version": 7, "lines": gold, "options": options});
        assert_eq!(published("2026-11-27T08:59"), before);
        assert_eq!(published("2026-11-28T00:00"), before);
        let [own, other] = gold;
        let during = json!({"v": 1, "version": 7,
            "lines": [own, other, {"off": 1000, "label": "Friday"}],
            "delivery": [{"off": 10_000, "label": "Friday"}], "options": options});
        assert_eq!(published("2026-11-27T09:00"), during);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let program = published("2026-11-27T09:00");
        assert_eq!(LinePerk::read_all(&&program, Some("gold")).unwrap().len(), 3);
        assert_eq!(DeliveryPerk::best(&&program, None).unwrap().unwrap().off, 10_000);
        assert_eq!(OptionPerk::read_all(&&program, Some("gold")).unwrap().len(), 2);
        assert_eq!(OptionPerk::read_all(&&json!({}), None), Err(FormatError::Version));
    }

    #[test]
    fn the_checkout_is_guarded_where_the_program_says_so() {
        for guard in [true, false] {
            let text = Program { guard, ..program() }.to_json(7, LocalTime::default()).unwrap();
            let json: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(is_guarded(&&json), Ok(guard));
        }
        assert_eq!(is_guarded(&&json!({"v": 1, "guard": 2})), Err(FormatError::Field("guard")));
    }

    #[test]
    fn the_next_change_is_the_next_edge_of_a_campaign() {
        let next = |now| program().next_change(at(now));
        assert_eq!(next("2026-11-01T00:00"), Some(at("2026-11-27T09:00")));
        assert_eq!(next("2026-11-27T09:00"), Some(at("2026-11-28T00:00")));
        assert_eq!(next("2026-11-28T00:00"), None);
    }

    #[test]
    fn a_program_that_is_too_large_names_its_largest_parts() {
        assert_eq!(program().check_size(), Ok(()));
        let variants = |count: u64| {
            let id = |n| format!("gid://shopify/ProductVariant/{}", 43_000_000_000_000_u64 + n);
            lines(Selection::Variants((0..count).map(id).collect()))
        };
        let mut large = program();
        large.tiers[0].perks = vec![variants(100), variants(100), variants(100)];
        large.campaigns[0].perks.extend([variants(100), variants(100), variants(60)]);
        let TooLarge { bytes, parts, .. } = large.check_size().unwrap_err();
        assert!(bytes > MOST_BYTES, "{bytes}");
        let names: Vec<_> = parts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["tier gold", "campaign friday"]);
        assert!(parts.iter().all(|(_, bytes)| (4_000..6_000).contains(bytes)), "{parts:?}");
        // Without the campaign it would fit: the campaign's first minute is looked at, too.
        large.campaigns.clear();
        assert_eq!(large.check_size(), Ok(()));
    }

    #[test]
    fn rules_that_name_more_than_widgets_can_read_are_too_large() {
        let multiplier = |id: i64| crate::multiplier::Multiplier {
            id: id.to_string(),
            of: crate::multiplier::Selection::Products((0..250).map(|n| 9_000_000_000_000 + n).collect()),
            factor: Factor(20_000),
        };
        let mut large = program();
        large.earn.multipliers = (0..30).map(multiplier).collect();
        assert_eq!(large.check_size(), Ok(()));
        large.earn.multipliers.extend((30..60).map(multiplier));
        let TooLarge { bytes, most, parts } = large.check_size().unwrap_err();
        assert!(bytes > most && most == MOST_UI_BYTES);
        assert_eq!(parts[0].0, "earning rules");
    }
}
