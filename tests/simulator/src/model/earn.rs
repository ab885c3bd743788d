//! What an order's lines earn, by the rules and in the circumstances of the moment at which it was seen first.

use jiff::civil::DateTime;

use super::told::{Back, Kind, Line};

/// Factors are ten-thousandths: 10,000 is once.
const ONCE: i64 = 10_000;

/// How orders earn: so many points for so many minor units.
#[derive(Debug, Clone)]
pub struct Earn {
    pub points: i64,
    pub per: i64,
    pub order_cap: Option<i64>,
    /// The most for all orders of a member that are placed on one day.
    pub day_cap: Option<i64>,
    pub until_fulfilled: bool,
    pub wait_days: i64,
    /// What counts beside things: prices before discounts, delivery, gift cards, tips.
    pub before_discounts: bool,
    pub delivery: bool,
    pub gift_cards: bool,
    pub tips: bool,
    /// Factors of some things.
    pub of_things: Vec<(Things, i64)>,
    /// Factors of tiers.
    pub of_tiers: Vec<(&'static str, i64)>,
    /// A factor for a time.
    pub campaign: Option<Campaign>,
    /// Who has no account earns, too.
    pub guests: bool,
    /// Several factors multiply; else the greatest counts.
    pub multiply: bool,
}

/// Some of the things of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Things {
    /// The product of this number.
    Product(u64),
    /// All that are in the collection of this number.
    Collection(u64),
    /// All that have this tag, in lower case.
    Tag(&'static str),
}

/// More points, or fewer, for a time on the shop's clock.
#[derive(Debug, Clone)]
pub struct Campaign {
    pub from: DateTime,
    pub until: DateTime,
    pub factor: i64,
    /// For members of this tier only.
    pub tier: Option<&'static str>,
}

/// What beside its lines decides what an order earns.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    pub tier: Option<&'static str>,
    /// On the shop's clock, when it was placed.
    pub placed: DateTime,
    /// What the day's cap had left.
    pub day_left: Option<i64>,
    /// Where each of its things was known to be when it was seen first in this order.
    pub shelves: Vec<(u64, Vec<Things>)>,
    /// The customer had no account.
    pub guest: bool,
}

impl Circumstances {
    fn is_of(&self, line: &Line, things: &Things) -> bool {
        let Some(product) = line.product else { return false };
        match things {
            Things::Product(of) => *of == product,
            Things::Collection(_) | Things::Tag(_) => {
                self.shelves.iter().any(|(of, shelves)| *of == product && shelves.contains(things))
            }
        }
    }
}

impl Default for Earn {
    fn default() -> Earn {
        Earn {
            points: 1,
            per: 100,
            order_cap: None,
            day_cap: None,
            until_fulfilled: false,
            wait_days: 0,
            before_discounts: false,
            delivery: false,
            gift_cards: false,
            tips: false,
            of_things: Vec::new(),
            of_tiers: Vec::new(),
            campaign: None,
            guests: true,
            multiply: false,
        }
    }
}

impl Earn {
    /// What these lines earn after what is gone: rounded down once for the whole order, then the caps.
    pub fn points(&self, about: &Circumstances, lines: &[Line], gone: &[Back]) -> i64 {
        let points = self.exact(about, lines, gone) / i128::from(self.per * ONCE);
        let points = i64::try_from(points).unwrap_or(i64::MAX);
        [self.order_cap, about.day_left].into_iter().flatten().fold(points, i64::min)
    }

    /// Whether nothing that earns is left.
    pub fn is_gone(&self, about: &Circumstances, lines: &[Line], gone: &[Back]) -> bool {
        self.exact(about, lines, gone) == 0
    }

    fn exact(&self, about: &Circumstances, lines: &[Line], gone: &[Back]) -> i128 {
        let each = lines.iter().map(|line| {
            let weight = self.points * self.factor(about, line);
            i128::from(self.kept(line, gone)) * i128::from(weight)
        });
        each.sum()
    }

    /// What counts of a line, as far as it was kept.
    fn kept(&self, line: &Line, gone: &[Back]) -> i64 {
        let counts = match line.kind {
            Kind::Thing => true,
            Kind::Delivery => self.delivery,
            Kind::GiftCard => self.gift_cards,
            Kind::Tip => self.tips,
        };
        let basis = if self.before_discounts { line.paid + line.discount } else { line.paid };
        if !counts || basis <= 0 || line.quantity <= 0 {
            return 0;
        }
        let back = || gone.iter().filter(|back| back.line == line.id);
        let amount: i64 = back().map(|back| back.amount).sum();
        let units: i64 = back().map(|back| back.units).sum();
        if units >= line.quantity {
            0
        } else if line.paid > 0 {
            // What came back is told as what was paid for it.
            basis * (line.paid - amount).max(0) / line.paid
        } else {
            basis * (line.quantity - units) / line.quantity
        }
    }

    /// All factors of a line together. A zero among them leaves it out.
    fn factor(&self, about: &Circumstances, line: &Line) -> i64 {
        if about.guest && !self.guests {
            return 0;
        }
        let of_things = self.of_things.iter().filter(|(things, _)| about.is_of(line, things));
        let of_tiers = self.of_tiers.iter().filter(|(tier, _)| about.tier == Some(tier));
        let campaign = self.campaign.iter().filter(|campaign| {
            let is_on = campaign.from <= about.placed && about.placed < campaign.until;
            is_on && (campaign.tier.is_none() || campaign.tier == about.tier)
        });
        // Once is no factor of a tier or a campaign.
        let of_members = of_tiers.map(|(_, factor)| *factor).chain(campaign.map(|campaign| campaign.factor));
        let of_members = of_members.filter(|factor| *factor != ONCE);
        let factors: Vec<i64> = of_things.map(|(_, factor)| *factor).chain(of_members).collect();
        match (factors.contains(&0), self.multiply) {
            (true, _) => 0,
            (false, true) => factors.iter().fold(ONCE, |all, factor| all * factor / ONCE),
            (false, false) => factors.into_iter().max().unwrap_or(ONCE),
        }
    }

    /// Whether tiers or campaigns matter at all.
    pub fn has_boosts(&self) -> bool {
        let campaign = self.campaign.iter().map(|campaign| campaign.factor);
        self.of_tiers.iter().map(|(_, factor)| *factor).chain(campaign).any(|factor| factor != ONCE)
    }
}
