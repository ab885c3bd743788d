//! Boosts: what tiers and campaigns multiply the points of their members' orders by.

use alloc::{string::String, vec, vec::Vec};

use crate::{
    campaign::{Campaign, LocalTime},
    explain::Outcome,
    multiplier::{Factor, Source},
    price::About,
    program::Program,
    tier::Tier,
};

/// A multiplier for all that some members' orders have, maybe for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Boost {
    /// Whose it is.
    pub source: Source,
    /// The id of the tier or the campaign.
    pub id: String,
    /// How many times, in ten-thousandths.
    pub factor: Factor,
    /// The ids of the tiers whose members it is for; empty for every member.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub tiers: Vec<String>,
    /// From when on orders are placed in its time, and from when on not any more; none for all time.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub time: Option<(LocalTime, LocalTime)>,
}

impl Boost {
    /// Whether it is for an order, or why not.
    pub(crate) fn is_for(&self, about: &About) -> Result<(), Outcome> {
        if let Some((from, until)) = self.time {
            match about.placed {
                Some(placed) if placed < from => return Err(Outcome::NotBegun),
                Some(placed) if placed < until => {}
                _ => return Err(Outcome::Over),
            }
        }
        let has_tier = || about.tier.is_some_and(|tier| self.tiers.iter().any(|known| known == tier));
        if self.tiers.is_empty() || has_tier() { Ok(()) } else { Err(Outcome::OtherTier) }
    }
}

impl Program {
    /// Those of tiers, then those of campaigns. A factor of one is none.
    pub(crate) fn boosts(&self) -> Vec<Boost> {
        let tiers = self.tiers.iter().map(|Tier { id, earn_factor, .. }| Boost {
            source: Source::Tier,
            id: id.clone(),
            factor: *earn_factor,
            tiers: vec![id.clone()],
            time: None,
        });
        let campaigns =
            self.campaigns.iter().map(|Campaign { id, earn_factor, tiers, from, until, .. }| Boost {
                source: Source::Campaign,
                id: id.clone(),
                factor: *earn_factor,
                tiers: tiers.clone(),
                time: Some((*from, *until)),
            });
        tiers.chain(campaigns).filter(|boost| boost.factor != Factor::ONE).collect()
    }

    /// Those that count at a minute, as widgets see them: for all time, because they are told anew when a campaign begins
    /// or ends.
    pub fn boosts_at(&self, now: LocalTime) -> Vec<Boost> {
        let is_on = |boost: &Boost| boost.time.is_none_or(|(from, until)| from <= now && now < until);
        self.boosts().into_iter().filter(is_on).map(|boost| Boost { time: None, ..boost }).collect()
    }

    /// Whether tiers or campaigns multiply, so that it matters whose an order is and when it was placed.
    pub fn has_boosts(&self) -> bool {
        !self.boosts().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        line::LineNow,
        money::Currency,
        multiplier::{Combine, Multiplier, Selection},
        price::Circumstances,
    };

    fn at(text: &str) -> LocalTime {
        LocalTime::parse(text).unwrap()
    }

    fn tier(id: &str, factor: i64) -> Tier {
        Tier { id: id.into(), name: id.into(), threshold: None, earn_factor: Factor(factor), perks: vec![] }
    }

    fn campaign(id: &str, factor: i64, tiers: &[&str]) -> Campaign {
        Campaign {
            id: id.into(),
            name: id.into(),
            from: at("2026-11-27T00:00"),
            until: at("2026-11-28T00:00"),
            tiers: tiers.iter().map(|&tier| tier.into()).collect(),
            earn_factor: Factor(factor),
            perks: vec![],
        }
    }

    fn program() -> Program {
        let tiers = vec![tier("tin", 10_000), tier("gold", 15_000)];
        let campaigns = vec![campaign("friday", 20_000, &[]), campaign("gilded", 30_000, &["gold"])];
        Program { tiers, campaigns, ..Program::standard(Currency::parse("GBP").unwrap()) }
    }

    /// What 100.00 earn.
    fn earned(program: &Program, tier: Option<&str>, placed: Option<&str>) -> i64 {
        let line = LineNow { id: 1, quantity: 1, paid: 10_000, product: Some(7), ..LineNow::default() };
        let (tier, placed) = (tier.map(Into::into), placed.map(at));
        let about = Circumstances { tier, placed, ..Circumstances::default() };
        program.price(&[line], &about).unwrap().points().get()
    }

    #[test]
    fn tiers_and_campaigns_multiply_for_their_members_in_their_time() {
        let mut program = program();
        let times = ["2026-11-26T23:59", "2026-11-27T00:00", "2026-11-27T23:59", "2026-11-28T00:00"];
        for (tier, wanted) in [
            (None, [100, 200, 200, 100]),
            (Some("tin"), [100, 200, 200, 100]),
            (Some("gold"), [150, 300, 300, 150]),
        ] {
            assert_eq!(times.map(|time| earned(&program, tier, Some(time))), wanted, "{tier:?}");
        }
        program.earn.combine = Combine::Multiply;
        assert_eq!(earned(&program, Some("gold"), Some("2026-11-27T12:00")), 900);
        assert_eq!(earned(&program, None, None), 100, "nothing is known of it");
    }

    #[test]
    fn a_factor_of_one_is_as_if_nobody_had_set_it_and_zero_gives_nothing() {
        let of = Selection::Products(vec![7]);
        let half = Multiplier { id: "half".into(), of, factor: Factor(5_000) };
        let mut program = Program { tiers: vec![tier("gold", 10_000)], campaigns: vec![], ..program() };
        program.earn.multipliers = vec![half];
        assert!(!program.has_boosts());
        assert_eq!(earned(&program, Some("gold"), None), 50, "no better one beside the half");
        program.tiers[0].earn_factor = Factor::ZERO;
        assert!(program.has_boosts());
        assert_eq!((earned(&program, Some("gold"), None), earned(&program, None, None)), (0, 50));
    }

    #[test]
    fn widgets_see_what_counts_now() {
        let ids =
            |now: &str| program().boosts_at(at(now)).into_iter().map(|boost| boost.id).collect::<Vec<_>>();
        assert_eq!(ids("2026-11-26T23:59"), ["gold"]);
        assert_eq!(ids("2026-11-27T00:00"), ["gold", "friday", "gilded"]);
        assert_eq!(ids("2026-11-27T23:59"), ["gold", "friday", "gilded"]);
        assert_eq!(ids("2026-11-28T00:00"), ["gold"]);
        assert!(program().boosts_at(at("2026-11-27T00:00")).iter().all(|boost| boost.time.is_none()));
    }
}
