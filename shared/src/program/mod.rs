//! The program: what a merchant sets.

mod faults;
mod read;
mod ui;

use alloc::{string::String, vec::Vec};

#[cfg(feature = "serde")]
pub use self::ui::Invitation;
pub use self::{
    faults::{Fault, ProgramError},
    ui::{ProgramUi, TierUi},
};
#[cfg(feature = "serde")]
use crate::is_default;
use crate::{
    action::Action,
    bonus::Bonuses,
    campaign::Campaign,
    expiry::Expiry,
    gate::Gate,
    money::Currency,
    points::Points,
    referral::Referrals,
    reward::{Amounts, Benefit, Reward},
    rfm::Rfm,
    rule::EarnRule,
    tier::{Perk, Tier},
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
    /// What members do elsewhere and get points for.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub actions: Vec<Action>,
    /// What members get for signing up, their first order and their birthday.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub bonuses: Bonuses,
    /// What members and whom they send get for that; none where nobody is sent.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub referrals: Option<Referrals>,
    /// The most points that staff give or take by hand at once.
    #[cfg_attr(feature = "serde", serde(default = "most_adjusted"))]
    pub most_adjusted: Points,
    /// How members are scored by what they have bought.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub rfm: Rfm,
    /// Whether customers are tagged with the group that they are in by that.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_default"))]
    pub segment_tags: bool,
}

fn most_adjusted() -> Points {
    Points::new(10_000).unwrap_or_default()
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
            gate: Gate::default(),
        };
        Program {
            currency,
            discount_title: "Loyalty points".into(),
            earn: EarnRule::simple(points(1), unit),
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
            actions: Vec::new(),
            bonuses: Bonuses::default(),
            referrals: None,
            most_adjusted: most_adjusted(),
            rfm: Rfm::default(),
            segment_tags: false,
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

    /// The action with this id.
    pub fn action(&self, id: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.id == id)
    }

    /// The reward with this id.
    pub fn reward(&self, id: &str) -> Option<&Reward> {
        self.rewards.iter().find(|reward| reward.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
