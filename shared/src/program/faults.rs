//! What may be wrong with a program: everything is said at once, each fault with the setting that it is about.

use alloc::{format, string::String, vec::Vec};

use super::{HoldTimes, Program};
use crate::{
    action::ActionError,
    bonus::BonusError,
    campaign::CampaignError,
    referral::{ReferralError, Referrals},
    reward::RewardError,
    rfm::RfmError,
    rule::EarnError,
    text,
    tier::{Perk, Selection, TierError},
};

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
    /// How orders earn.
    #[error(transparent)]
    Earn(#[from] EarnError),
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
    /// A reward that nobody may ever have, or that is for a tier that there is not.
    #[error("reward {0} has a gate that never opens, names no tier of the program, or admits nobody")]
    Gate(String),
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
    /// Staff could give and take nothing.
    #[error("staff give and take at least one point at once")]
    MostAdjusted,
    /// More than 100 actions.
    #[error("a program has at most 100 actions")]
    TooManyActions,
    /// Two actions with one id.
    #[error("two actions have the id {0}")]
    DuplicateAction(String),
    /// An action that is refused.
    #[error("action {id}: {error}")]
    Action {
        /// The action's id.
        id: String,
        /// What is wrong with it.
        error: ActionError,
    },
    /// A bonus that is refused.
    #[error(transparent)]
    Bonus(#[from] BonusError),
    /// Referrals that are refused.
    #[error(transparent)]
    Referral(#[from] ReferralError),
    /// Steps of scores that are refused.
    #[error(transparent)]
    Rfm(#[from] RfmError),
    /// Perks that name different collections.
    #[error("all perks that name collections name the same")]
    Collections,
}

/// Something that is wrong with a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The setting that it is about: `earn.multipliers[2].factor`.
    pub field: String,
    /// What is wrong.
    pub error: ProgramError,
}

const MOST_REWARDS: usize = 100;
const MOST_TIERS: usize = 20;
const MOST_CAMPAIGNS: usize = 50;
const MOST_ACTIONS: usize = 100;

impl ProgramError {
    /// Its name for programs; it does not change.
    pub fn code(&self) -> &'static str {
        match self {
            ProgramError::DiscountTitle => "discount_title",
            ProgramError::Earn(error) => error.code(),
            ProgramError::Holds => "hold_times",
            ProgramError::Expiry => "expiry",
            ProgramError::TooManyRewards => "too_many_rewards",
            ProgramError::DuplicateReward(_) => "duplicate_reward",
            ProgramError::Reward { error, .. } => error.code(),
            ProgramError::Gate(_) => "reward_gate",
            ProgramError::SameTitle => "same_title",
            ProgramError::TooManyTiers => "too_many_tiers",
            ProgramError::DuplicateTier(_) => "duplicate_tier",
            ProgramError::TierOrder(_) => "tier_order",
            ProgramError::Tier { error, .. } => error.code(),
            ProgramError::TooManyCampaigns => "too_many_campaigns",
            ProgramError::DuplicateCampaign(_) => "duplicate_campaign",
            ProgramError::Campaign { error, .. } => error.code(),
            ProgramError::MostAdjusted => "most_adjusted",
            ProgramError::TooManyActions => "too_many_actions",
            ProgramError::DuplicateAction(_) => "duplicate_action",
            ProgramError::Action { error, .. } => error.code(),
            ProgramError::Bonus(error) => error.code(),
            ProgramError::Referral(error) => error.code(),
            ProgramError::Rfm(error) => error.code(),
            ProgramError::Collections => "perk_collections",
        }
    }
}

impl Program {
    /// Whether the program may be used; the first thing that is wrong otherwise.
    ///
    /// # Errors
    /// [`ProgramError`]: the first thing that is wrong.
    pub fn validate(&self) -> Result<(), ProgramError> {
        self.faults().into_iter().next().map_or(Ok(()), |fault| Err(fault.error))
    }

    /// Everything that is wrong with the program.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut wrong = |field: String, error| faults.push(Fault { field, error });
        self.title_faults(&mut wrong);
        for (field, error) in self.earn.faults() {
            wrong(format!("earn.{field}"), error.into());
        }
        let HoldTimes { life_minutes, grace_minutes } = self.holds;
        if !(1..=10_080).contains(&life_minutes) || grace_minutes > 1_440 {
            wrong("holds".into(), ProgramError::Holds);
        }
        if !self.expiry.is_sound() {
            wrong("expiry".into(), ProgramError::Expiry);
        }
        self.reward_faults(&mut wrong);
        self.tier_faults(&mut wrong);
        self.campaign_faults(&mut wrong);
        self.action_faults(&mut wrong);
        for (field, error) in self.bonuses.faults() {
            wrong(format!("bonuses.{field}"), error.into());
        }
        for (field, error) in self.referrals.iter().flat_map(Referrals::faults) {
            wrong(format!("referrals.{field}"), error.into());
        }
        for (field, error) in self.rfm.faults() {
            wrong(format!("rfm.{field}"), error.into());
        }
        self.collection_faults(&mut wrong);
        faults
    }

    fn title_faults(&self, wrong: &mut impl FnMut(String, ProgramError)) {
        for (field, title) in [("discount_title", &self.discount_title), ("perks_title", &self.perks_title)] {
            if !text::is_sound(title, 60) {
                wrong(field.into(), ProgramError::DiscountTitle);
            }
        }
        let tiers =
            (0..).zip(&self.tiers).map(|(at, tier): (usize, _)| (format!("tiers[{at}].name"), &tier.name));
        let campaigns = (0..).zip(&self.campaigns);
        let campaigns =
            campaigns.map(|(at, campaign): (usize, _)| (format!("campaigns[{at}].name"), &campaign.name));
        let names = tiers.chain(campaigns).chain([("perks_title".into(), &self.perks_title)]);
        let same = |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
        for (field, _) in names.filter(|(_, name)| same(name, &self.discount_title)) {
            wrong(field, ProgramError::SameTitle);
        }
    }

    fn reward_faults(&self, wrong: &mut impl FnMut(String, ProgramError)) {
        if self.rewards.len() > MOST_REWARDS {
            wrong("rewards".into(), ProgramError::TooManyRewards);
        }
        for (at, reward) in self.rewards.iter().enumerate().take(MOST_REWARDS) {
            let id = || reward.id.clone();
            if let Err(error) = reward.validate() {
                wrong(format!("rewards[{at}]"), ProgramError::Reward { id: id(), error });
            }
            if self.rewards[..at].iter().any(|earlier| earlier.id == reward.id) {
                wrong(format!("rewards[{at}].id"), ProgramError::DuplicateReward(id()));
            }
            if !reward.gate.is_sound(|id| self.tier(id).is_some()) {
                wrong(format!("rewards[{at}].gate"), ProgramError::Gate(id()));
            }
        }
    }

    fn action_faults(&self, wrong: &mut impl FnMut(String, ProgramError)) {
        if !self.most_adjusted.is_positive() {
            wrong("most_adjusted".into(), ProgramError::MostAdjusted);
        }
        if self.actions.len() > MOST_ACTIONS {
            wrong("actions".into(), ProgramError::TooManyActions);
        }
        for (at, action) in self.actions.iter().enumerate().take(MOST_ACTIONS) {
            let (field, id) = (format!("actions[{at}]"), || action.id.clone());
            if let Err(error) = action.validate() {
                wrong(field.clone(), ProgramError::Action { id: id(), error });
            }
            if self.actions[..at].iter().any(|earlier| earlier.id == action.id) {
                wrong(format!("{field}.id"), ProgramError::DuplicateAction(id()));
            }
        }
    }

    fn tier_faults(&self, wrong: &mut impl FnMut(String, ProgramError)) {
        if self.tiers.len() > MOST_TIERS {
            wrong("tiers".into(), ProgramError::TooManyTiers);
        }
        for (at, tier) in self.tiers.iter().enumerate().take(MOST_TIERS) {
            let (field, lower) = (format!("tiers[{at}]"), &self.tiers[..at]);
            if let Err(error) = tier.validate() {
                wrong(field.clone(), ProgramError::Tier { id: tier.id.clone(), error });
            }
            if lower.iter().any(|lower| lower.id == tier.id) {
                wrong(format!("{field}.id"), ProgramError::DuplicateTier(tier.id.clone()));
            } else if lower.iter().any(|lower| tier.is_no_higher_than(lower)) {
                wrong(format!("{field}.threshold"), ProgramError::TierOrder(tier.id.clone()));
            }
        }
    }

    fn campaign_faults(&self, wrong: &mut impl FnMut(String, ProgramError)) {
        if self.campaigns.len() > MOST_CAMPAIGNS {
            wrong("campaigns".into(), ProgramError::TooManyCampaigns);
        }
        for (at, campaign) in self.campaigns.iter().enumerate().take(MOST_CAMPAIGNS) {
            let (field, id) = (format!("campaigns[{at}]"), || campaign.id.clone());
            if let Err(error) = campaign.validate(|id| self.tier(id).is_some()) {
                wrong(field.clone(), ProgramError::Campaign { id: id(), error });
            }
            if self.campaigns[..at].iter().any(|earlier| earlier.id == campaign.id) {
                wrong(format!("{field}.id"), ProgramError::DuplicateCampaign(id()));
            }
        }
    }

    fn collection_faults(&self, wrong: &mut impl FnMut(String, ProgramError)) {
        let mut sets = self.perks().filter_map(|perk| match perk {
            Perk::Lines { of: Selection::Collections(ids), .. } => Some(ids),
            _ => None,
        });
        let first = sets.next();
        if sets.any(|set| Some(set) != first) {
            wrong("tiers".into(), ProgramError::Collections);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{
        action::Action,
        campaign::{Campaign, LocalTime},
        expiry::Expiry,
        money::Currency,
        multiplier::Factor,
        points::Points,
        reward::Reward,
        rfm::{Decay, Rfm, Thresholds},
        rule::EarnRule,
        tier::{Measure, Threshold, Tier},
    };

    fn standard() -> Program {
        Program::standard(Currency::parse("GBP").unwrap())
    }

    #[test]
    fn nonsense_is_refused() {
        let earn = |points: i64, per| EarnRule::simple(Points::new(points).unwrap(), per);
        let negative_cap = EarnRule { order_cap: Points::new(-1).ok(), ..earn(1, 1) };
        for (program, error) in [
            (Program { discount_title: " ".into(), ..standard() }, ProgramError::DiscountTitle),
            (Program { discount_title: "a\0b".into(), ..standard() }, ProgramError::DiscountTitle),
            (Program { discount_title: "a\nb".into(), ..standard() }, ProgramError::DiscountTitle),
            (Program { discount_title: "ن".repeat(61), ..standard() }, ProgramError::DiscountTitle),
            (Program { perks_title: "a\u{202e}b".into(), ..standard() }, ProgramError::DiscountTitle),
            (Program { perks_title: " loyalty POINTS".into(), ..standard() }, ProgramError::SameTitle),
            (Program { earn: earn(-1, 100), ..standard() }, ProgramError::Earn(EarnError::Rate)),
            (Program { earn: earn(1, 0), ..standard() }, ProgramError::Earn(EarnError::Rate)),
            (Program { earn: earn(2_000_000, 1), ..standard() }, ProgramError::Earn(EarnError::Rate)),
            (Program { earn: negative_cap, ..standard() }, ProgramError::Earn(EarnError::Cap)),
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
        assert_eq!(
            Program { most_adjusted: Points::ZERO, ..standard() }.validate(),
            Err(ProgramError::MostAdjusted)
        );
        let action = |id: &str, points| Action {
            id: id.into(),
            name: "Action".into(),
            points: Points::new(points).unwrap(),
            limit: None,
            cool_down_hours: 0,
        };
        for (actions, error) in [
            (vec![action("a", 1), action("a", 2)], ProgramError::DuplicateAction("a".into())),
            (vec![action("a", 0)], ProgramError::Action { id: "a".into(), error: ActionError::Points }),
            ((0..=100).map(|_| action("a", 1)).collect(), ProgramError::TooManyActions),
        ] {
            assert_eq!(Program { actions, ..standard() }.validate(), Err(error));
        }
        let most = (0..100).map(|n| action(&alloc::format!("a{n}"), 1)).collect();
        assert_eq!(Program { actions: most, ..standard() }.validate(), Ok(()));
        let mut twice = standard();
        twice.rewards.push(twice.rewards[0].clone());
        assert_eq!(twice.validate(), Err(ProgramError::DuplicateReward("points".into())));
        let mut many = standard();
        let reward = |at| Reward { id: alloc::format!("r{at}"), ..standard().rewards[0].clone() };
        many.rewards.extend((many.rewards.len()..100).map(reward));
        assert_eq!(many.validate(), Ok(()));
        many.rewards.push(reward(100));
        assert_eq!(many.validate(), Err(ProgramError::TooManyRewards));
        let mut closed = standard();
        closed.rewards[1].gate.tiers.push("tin".into());
        assert_eq!(closed.validate(), Err(ProgramError::Gate("five-off".into())));
        let mut bad = standard();
        bad.rewards[0].points = Points::ZERO;
        let error = RewardError::Points;
        assert_eq!(bad.validate(), Err(ProgramError::Reward { id: "points".into(), error }));
    }

    #[test]
    fn tiers_and_campaigns_that_do_not_fit_together_are_refused() {
        let tier = |id: &str, at_least| {
            let threshold = Threshold { measure: Measure::Points, at_least, days: 365 };
            Tier {
                id: id.into(),
                name: id.into(),
                threshold: Some(threshold),
                earn_factor: Factor::ONE,
                perks: vec![],
            }
        };
        let campaign = |id: &str, tiers: Vec<String>, of: Selection| Campaign {
            id: id.into(),
            name: id.into(),
            from: LocalTime::parse("2026-11-27T00:00").unwrap(),
            until: LocalTime::parse("2026-11-28T00:00").unwrap(),
            tiers,
            earn_factor: Factor::ONE,
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
            // As many as there may be.
            tiers((0..20).map(|n| tier(&alloc::format!("t{n}"), n + 1)).collect()),
            campaigns((0..50).map(|n| all(&alloc::format!("c{n}"))).collect()),
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
    fn everything_that_is_wrong_is_named() {
        let mut wrong = Program { discount_title: "".into(), ..standard() };
        wrong.earn.per = 0;
        wrong.holds.life_minutes = 0;
        wrong.rewards[1].name = "".into();
        let duplicate = wrong.rewards[0].clone();
        wrong.rewards.push(duplicate);
        let (recency, frequency, monetary) = ([1, 2, 3, 4], [4, 3, 2, 1], [1, 2, 3, 4]);
        let recency_decay = Decay::Standard;
        wrong.rfm = Rfm::Thresholds(Thresholds { recency, frequency, monetary, recency_decay });
        let faults = wrong.faults();
        let faults: Vec<_> = faults.iter().map(|fault| (fault.field.as_str(), fault.error.code())).collect();
        assert_eq!(
            faults,
            [
                ("discount_title", "discount_title"),
                ("earn.per", "earn_rate"),
                ("holds", "hold_times"),
                ("rewards[1]", "reward_name"),
                ("rewards[4].id", "duplicate_reward"),
                ("rfm.frequency", "rfm_frequency"),
            ]
        );
    }
}
