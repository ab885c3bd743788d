//! The program: what a merchant sets, and what of it the checkout and the widgets get to see.

use alloc::{string::String, vec::Vec};

#[cfg(feature = "serde")]
use crate::json::{FormatError, check_version};
use crate::{
    campaign::{Campaign, CampaignError},
    earning::EarnRule,
    expiry::Expiry,
    money::Currency,
    points::Points,
    reward::{Amounts, Benefit, Reward, RewardError},
    text,
    tier::{Perk, Selection, Tier, TierError},
};

/// A shop's settings. Every change makes a new version; entries name the version they were booked under.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Program {
    /// The shop's currency, in which orders earn.
    pub currency: Currency,
    /// The title of the discount that points buy, as shoppers and orders carry it.
    pub discount_title: String,
    /// How orders earn.
    pub earn: EarnRule,
    /// What happens when a return takes back more than a member has left.
    pub returns: ReturnPolicy,
    /// How long holds live.
    pub holds: HoldTimes,
    /// When points expire.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Expiry::is_default"))]
    pub expiry: Expiry,
    /// What points buy.
    pub rewards: Vec<Reward>,
    /// The title of the discount that gives members' perks.
    #[cfg_attr(feature = "serde", serde(default = "perks_title"))]
    pub perks_title: String,
    /// The levels of membership, the lowest first.
    #[cfg_attr(feature = "serde", serde(default))]
    pub tiers: Vec<Tier>,
    /// Perks for a time.
    #[cfg_attr(feature = "serde", serde(default))]
    pub campaigns: Vec<Campaign>,
    /// Whether cart and checkout say why points that were picked cannot be used.
    #[cfg_attr(feature = "serde", serde(default))]
    pub guard: bool,
}

fn perks_title() -> String {
    "Member perks".into()
}

/// What happens when a return, or a discount without a hold, takes more than a member has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ReturnPolicy {
    /// Take what is there; the program bears the rest.
    #[default]
    WithinBalance,
    /// Take it all; the balance goes below zero and the next points fill it up.
    NegativeAllowed,
}

impl ReturnPolicy {
    /// How many of `wanted` points may be taken from a balance of `available`.
    pub fn takes(self, wanted: Points, available: Points) -> Points {
        match self {
            ReturnPolicy::WithinBalance => wanted.min(available.or_zero()),
            ReturnPolicy::NegativeAllowed => wanted,
        }
    }
}

/// How long holds live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct HoldTimes {
    /// Minutes until a hold that nobody renews closes.
    pub life_minutes: u32,
    /// Minutes that a closing hold still waits for an order that was on its way.
    pub grace_minutes: u32,
}

impl Default for HoldTimes {
    fn default() -> HoldTimes {
        HoldTimes { life_minutes: 60, grace_minutes: 30 }
    }
}

/// Why a merchant's program is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// A discount's title is empty, longer than 60 characters, or cannot be shown in one line.
    #[error(
        "a discount's title has 1 to 60 characters in one line, and ends the turns of direction that it begins"
    )]
    DiscountTitle,
    /// Something else has the title by which orders tell what points paid for.
    #[error("nothing else has the title of the discount that points buy")]
    SameTitle,
    /// Earning with negative points, per nothing, or with rates that could leave the range.
    #[error(
        "orders earn 0 to 1,000,000 points for every 1 to 1,000,000,000 minor units, capped at no less than 0"
    )]
    Earn,
    /// A life beyond a week, or none; a grace beyond a day.
    #[error("a hold lives 1 to 10,080 minutes and waits at most 1,440 more")]
    Holds,
    /// Terms of more than ten years, or none; a grace of more than one.
    #[error(
        "points expire after 1 to 3,660 days, 1 to 120 months or 0 to 10 years, with up to 365 days of grace"
    )]
    Expiry,
    /// More than 100 rewards.
    #[error("a program has at most 100 rewards")]
    TooManyRewards,
    /// Two rewards with one id.
    #[error("two rewards have the id {0}")]
    DuplicateReward(String),
    /// A reward that is refused.
    #[error("reward {id}: {error}")]
    Reward {
        /// The reward's id.
        id: String,
        /// What is wrong with it.
        error: RewardError,
    },
    /// More than 20 tiers.
    #[error("a program has at most 20 tiers")]
    TooManyTiers,
    /// Two tiers with one id.
    #[error("two tiers have the id {0}")]
    DuplicateTier(String),
    /// A tier that asks for no more than the one below it.
    #[error("tier {0} asks for no more than a tier below it")]
    TierOrder(String),
    /// A tier that is refused.
    #[error("tier {id}: {error}")]
    Tier {
        /// The tier's id.
        id: String,
        /// What is wrong with it.
        error: TierError,
    },
    /// More than 50 campaigns.
    #[error("a program has at most 50 campaigns")]
    TooManyCampaigns,
    /// Two campaigns with one id.
    #[error("two campaigns have the id {0}")]
    DuplicateCampaign(String),
    /// A campaign that is refused.
    #[error("campaign {id}: {error}")]
    Campaign {
        /// The campaign's id.
        id: String,
        /// What is wrong with it.
        error: CampaignError,
    },
    /// Perks that name different collections.
    #[error("all perks that name collections name the same")]
    Collections,
}

impl Program {
    /// The program's metafield for Functions, in the app's own namespace of the shop.
    pub const METAFIELD: &'static str = "program";
    /// The program's metafield for widgets.
    pub const UI_METAFIELD: &'static str = "program_ui";
    /// The version of both formats.
    pub const VERSION: i64 = 1;

    /// A program to begin with: one point for every unit of money, a hundred points for a unit off.
    pub fn standard(currency: Currency) -> Program {
        // Where a unit is the smallest coin there is (yen), a hundred of them stand for one.
        let unit = currency.unit().max(100);
        let points = |points| Points::new(points).unwrap_or_default();
        let amount = |units: i64| Amounts::from([(currency, units * unit)]);
        let reward = |id: &str, name: &str, cost, benefit| Reward {
            id: id.into(),
            name: name.into(),
            points: points(cost),
            benefit,
            min: Amounts::new(),
        };
        Program {
            currency,
            discount_title: "Loyalty points".into(),
            earn: EarnRule { points: points(1), per: unit, order_cap: None },
            returns: ReturnPolicy::WithinBalance,
            holds: HoldTimes::default(),
            expiry: Expiry::default(),
            rewards: [
                reward("points", "Points as money", 100, Benefit::Steps { value: amount(1), most: 50 }),
                reward("five-off", "5 off your order", 450, Benefit::Amount { value: amount(5) }),
                reward(
                    "tenth-off",
                    "10 % off",
                    900,
                    Benefit::Percent { basis_points: 1_000, cap: amount(20) },
                ),
                reward("free-delivery", "Free delivery", 300, Benefit::Shipping { cap: Amounts::new() }),
            ]
            .into(),
            perks_title: perks_title(),
            tiers: Vec::new(),
            campaigns: Vec::new(),
            guard: false,
        }
    }

    /// All perks, of tiers and of campaigns, whether or not these run.
    pub fn perks(&self) -> impl Iterator<Item = &Perk> {
        let tiers = self.tiers.iter().flat_map(|tier| &tier.perks);
        tiers.chain(self.campaigns.iter().flat_map(|campaign| &campaign.perks))
    }

    /// Whether perks ever take anything off.
    pub fn takes_off(&self) -> bool {
        self.perks().any(|perk| matches!(perk, Perk::Lines { .. } | Perk::Delivery { .. }))
    }

    /// Whether perks ever change how delivery options look.
    pub fn changes_options(&self) -> bool {
        self.perks().any(|perk| matches!(perk, Perk::DeliveryOption { .. }))
    }

    /// The tier with this id.
    pub fn tier(&self, id: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.id == id)
    }

    /// The reward with this id.
    pub fn reward(&self, id: &str) -> Option<&Reward> {
        self.rewards.iter().find(|reward| reward.id == id)
    }

    /// Whether the program may be used; the first thing that is wrong otherwise.
    pub fn validate(&self) -> Result<(), ProgramError> {
        let titles = [&self.discount_title, &self.perks_title];
        if !titles.iter().all(|title| text::is_sound(title, 60)) {
            return Err(ProgramError::DiscountTitle);
        }
        let names = self
            .tiers
            .iter()
            .map(|tier| &tier.name)
            .chain(self.campaigns.iter().map(|campaign| &campaign.name));
        let same = |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
        if names.chain([&self.perks_title]).any(|name| same(name, &self.discount_title)) {
            return Err(ProgramError::SameTitle);
        }
        let EarnRule { points, per, order_cap } = &self.earn;
        let capped_below_zero = order_cap.is_some_and(|cap| cap < Points::ZERO);
        if !(0..=1_000_000).contains(&points.get()) || !(1..=1_000_000_000).contains(per) || capped_below_zero
        {
            return Err(ProgramError::Earn);
        }
        let HoldTimes { life_minutes, grace_minutes } = self.holds;
        if !(1..=10_080).contains(&life_minutes) || grace_minutes > 1_440 {
            return Err(ProgramError::Holds);
        }
        if !self.expiry.is_sound() {
            return Err(ProgramError::Expiry);
        }
        if self.rewards.len() > 100 {
            return Err(ProgramError::TooManyRewards);
        }
        for (at, reward) in self.rewards.iter().enumerate() {
            reward.validate().map_err(|error| ProgramError::Reward { id: reward.id.clone(), error })?;
            if self.rewards[..at].iter().any(|earlier| earlier.id == reward.id) {
                return Err(ProgramError::DuplicateReward(reward.id.clone()));
            }
        }
        self.validate_tiers()?;
        self.validate_campaigns()?;
        let mut sets = self.perks().filter_map(|perk| match perk {
            Perk::Lines { of: Selection::Collections(ids), .. } => Some(ids),
            _ => None,
        });
        let first = sets.next();
        if sets.any(|set| Some(set) != first) { Err(ProgramError::Collections) } else { Ok(()) }
    }

    fn validate_tiers(&self) -> Result<(), ProgramError> {
        if self.tiers.len() > 20 {
            return Err(ProgramError::TooManyTiers);
        }
        for (at, tier) in self.tiers.iter().enumerate() {
            tier.validate().map_err(|error| ProgramError::Tier { id: tier.id.clone(), error })?;
            let lower = &self.tiers[..at];
            if lower.iter().any(|lower| lower.id == tier.id) {
                return Err(ProgramError::DuplicateTier(tier.id.clone()));
            }
            if lower.iter().any(|lower| tier.is_no_higher_than(lower)) {
                return Err(ProgramError::TierOrder(tier.id.clone()));
            }
        }
        Ok(())
    }

    fn validate_campaigns(&self) -> Result<(), ProgramError> {
        if self.campaigns.len() > 50 {
            return Err(ProgramError::TooManyCampaigns);
        }
        for (at, campaign) in self.campaigns.iter().enumerate() {
            let refused = |error| ProgramError::Campaign { id: campaign.id.clone(), error };
            campaign.validate(|id| self.tier(id).is_some()).map_err(refused)?;
            if self.campaigns[..at].iter().any(|earlier| earlier.id == campaign.id) {
                return Err(ProgramError::DuplicateCampaign(campaign.id.clone()));
            }
        }
        Ok(())
    }

    /// The text of the metafield that widgets read: a [`ProgramUi`].
    #[cfg(feature = "serde")]
    pub fn to_ui_json(&self, version: i64) -> Result<String, serde_json::Error> {
        let Program { currency, earn, rewards, .. } = self.clone();
        ProgramUi { version, currency, earn, rewards }.to_json()
    }
}

/// What widgets see of a program: how orders earn and what points buy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProgramUi {
    /// The version of the settings.
    pub version: i64,
    /// The shop's currency, in which orders earn.
    pub currency: Currency,
    /// How orders earn.
    pub earn: EarnRule,
    /// What points buy.
    pub rewards: Vec<Reward>,
}

#[cfg(feature = "serde")]
impl ProgramUi {
    /// The metafield's text.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        #[derive(serde::Serialize)]
        struct Versioned<'a> {
            v: i64,
            #[serde(flatten)]
            program: &'a ProgramUi,
        }
        serde_json::to_string(&Versioned { v: Program::VERSION, program: self })
    }

    /// Reads the metafield's text. An unknown version is an error: it may mean anything.
    pub fn from_json(text: &str) -> Result<ProgramUi, FormatError> {
        let json: serde_json::Value = serde_json::from_str(text).map_err(|_| FormatError::Version)?;
        check_version(&&json, Program::VERSION)?;
        serde_json::from_value(json).map_err(|_| FormatError::Field("program"))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{
        campaign::LocalTime,
        tier::{Measure, Threshold},
    };

    fn standard() -> Program {
        Program::standard(Currency::parse("GBP").unwrap())
    }

    #[test]
    fn the_standard_program_is_valid_in_every_kind_of_currency() {
        for code in ["GBP", "JPY", "KWD"] {
            assert_eq!(Program::standard(Currency::parse(code).unwrap()).validate(), Ok(()), "{code}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let earn = |points: i64, per| EarnRule { points: Points::new(points).unwrap(), per, order_cap: None };
        let negative_cap = EarnRule { order_cap: Points::new(-1).ok(), ..earn(1, 1) };
        for (program, error) in [
            (Program { discount_title: " ".into(), ..standard() }, ProgramError::DiscountTitle),
            (Program { discount_title: "a\0b".into(), ..standard() }, ProgramError::DiscountTitle),
            (Program { discount_title: "a\nb".into(), ..standard() }, ProgramError::DiscountTitle),
            (Program { discount_title: "ن".repeat(61), ..standard() }, ProgramError::DiscountTitle),
            (Program { perks_title: "a\u{202e}b".into(), ..standard() }, ProgramError::DiscountTitle),
            (Program { perks_title: " loyalty POINTS".into(), ..standard() }, ProgramError::SameTitle),
            (Program { earn: earn(-1, 100), ..standard() }, ProgramError::Earn),
            (Program { earn: earn(1, 0), ..standard() }, ProgramError::Earn),
            (Program { earn: earn(2_000_000, 1), ..standard() }, ProgramError::Earn),
            (Program { earn: negative_cap, ..standard() }, ProgramError::Earn),
            (
                Program { holds: HoldTimes { life_minutes: 0, grace_minutes: 0 }, ..standard() },
                ProgramError::Holds,
            ),
            (
                Program { holds: HoldTimes { life_minutes: 1, grace_minutes: 9_999 }, ..standard() },
                ProgramError::Holds,
            ),
            (Program { expiry: Expiry { rule: None, grace_days: 999 }, ..standard() }, ProgramError::Expiry),
        ] {
            assert_eq!(program.validate(), Err(error));
        }
        let mut twice = standard();
        twice.rewards.push(twice.rewards[0].clone());
        assert_eq!(twice.validate(), Err(ProgramError::DuplicateReward("points".into())));
        let mut many = standard();
        many.rewards.extend(
            (0..100).map(|at| Reward { id: alloc::format!("r{at}"), ..standard().rewards[0].clone() }),
        );
        assert_eq!(many.validate(), Err(ProgramError::TooManyRewards));
        let mut bad = standard();
        bad.rewards[0].points = Points::ZERO;
        let error = RewardError::Points;
        assert_eq!(bad.validate(), Err(ProgramError::Reward { id: "points".into(), error }));
    }

    #[test]
    fn tiers_and_campaigns_that_do_not_fit_together_are_refused() {
        let tier = |id: &str, at_least| {
            let threshold = Threshold { measure: Measure::Points, at_least, days: 365 };
            Tier { id: id.into(), name: id.into(), threshold: Some(threshold), perks: vec![] }
        };
        let campaign = |id: &str, tiers: Vec<String>, of: Selection| Campaign {
            id: id.into(),
            name: id.into(),
            from: LocalTime::parse("2026-11-27T00:00").unwrap(),
            until: LocalTime::parse("2026-11-28T00:00").unwrap(),
            tiers,
            perks: vec![Perk::Lines { basis_points: 500, of }],
        };
        let tiers = |tiers: Vec<Tier>| Program { tiers, ..standard() };
        let campaigns = |campaigns| Program { campaigns, ..tiers(vec![tier("tin", 1), tier("gold", 2)]) };
        let all = |id: &str| campaign(id, vec![], Selection::All);
        let collection = |id: &str, n: u8| {
            let gid = alloc::format!("gid://shopify/Collection/{n}");
            campaign(id, vec!["gold".into()], Selection::Collections([gid].into()))
        };
        for sound in [
            tiers(vec![tier("tin", 1), Tier { threshold: None, ..tier("vip", 1) }, tier("gold", 2)]),
            campaigns(vec![all("a"), collection("b", 1), collection("c", 1)]),
        ] {
            assert_eq!(sound.validate(), Ok(()));
        }
        let unknown = CampaignError::UnknownTier("lead".into());
        for (program, error) in [
            (tiers(vec![Tier { name: "Loyalty Points".into(), ..tier("tin", 1) }]), ProgramError::SameTitle),
            (tiers(vec![tier("tin", 1), tier("tin", 2)]), ProgramError::DuplicateTier("tin".into())),
            (tiers(vec![tier("tin", 2), tier("gold", 2)]), ProgramError::TierOrder("gold".into())),
            (
                tiers((0..21).map(|n| tier(&alloc::format!("t{n}"), n + 1)).collect()),
                ProgramError::TooManyTiers,
            ),
            (
                tiers(vec![tier("all", 1)]),
                ProgramError::Tier { id: "all".into(), error: TierError::Reserved },
            ),
            (campaigns(vec![all("a"), all("a")]), ProgramError::DuplicateCampaign("a".into())),
            (
                campaigns((0..51).map(|n| all(&alloc::format!("c{n}"))).collect()),
                ProgramError::TooManyCampaigns,
            ),
            (
                campaigns(vec![campaign("a", vec!["lead".into()], Selection::All)]),
                ProgramError::Campaign { id: "a".into(), error: unknown },
            ),
            (campaigns(vec![collection("a", 1), collection("b", 2)]), ProgramError::Collections),
        ] {
            assert_eq!(program.validate(), Err(error));
        }
    }

    #[test]
    fn a_return_takes_what_the_policy_allows() {
        let points = |value| Points::new(value).unwrap();
        let takes = |policy: ReturnPolicy, available| policy.takes(points(100), points(available)).get();
        assert_eq!(takes(ReturnPolicy::WithinBalance, 30), 30);
        assert_eq!(takes(ReturnPolicy::WithinBalance, -30), 0);
        assert_eq!(takes(ReturnPolicy::WithinBalance, 130), 100);
        assert_eq!(takes(ReturnPolicy::NegativeAllowed, 30), 100);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn settings_are_stored_and_read_back() {
        let stored = serde_json::to_string(&standard()).unwrap();
        assert_eq!(serde_json::from_str::<Program>(&stored).unwrap(), standard());
        assert!(!stored.contains("expiry"), "as it was stored before there was any");
        let unknown = stored.replacen("\"earn\"", "\"earns\"", 1);
        assert!(serde_json::from_str::<Program>(&unknown).is_err(), "an unknown key is no setting");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn settings_from_before_there_were_tiers_still_read() {
        let mut stored = serde_json::to_value(standard()).unwrap();
        for new in ["perks_title", "tiers", "campaigns", "guard"] {
            stored.as_object_mut().unwrap().remove(new).unwrap();
        }
        assert_eq!(serde_json::from_value::<Program>(stored).unwrap(), standard());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn what_widgets_see_is_read_back_in_this_version_only() {
        let text = standard().to_ui_json(3).unwrap();
        let Program { currency, earn, rewards, .. } = standard();
        assert_eq!(ProgramUi::from_json(&text), Ok(ProgramUi { version: 3, currency, earn, rewards }));
        for other in [text.replacen("\"v\":1", "\"v\":2", 1), "{}".into(), "no JSON".into()] {
            assert_eq!(ProgramUi::from_json(&other), Err(FormatError::Version), "{other}");
        }
        let wrong = text.replacen("\"earn\"", "\"learn\"", 1);
        assert_eq!(ProgramUi::from_json(&wrong), Err(FormatError::Field("program")));
    }
}
