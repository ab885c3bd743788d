//! Offers: what points are worth to a cart, as far as a member's and the program's metafields tell. Widgets show it
//! without asking the app, also while that is down.
//!
//! They have no clock, and know neither how often a member had a reward nor what is left of it: the app has the last
//! word when one is picked.

use alloc::{string::String, vec::Vec};

use crate::{
    Account, Currency, HoldId, Kind, LIMIT, Mark, Money, Points, ProgramUi, Quote, Reward, Scope, Terms,
    div_floor,
    gate::Closed,
    line::{LineKind, LineNow},
    program::TierUi,
    progress::next_level,
    reward::{Benefit, Pick, PickError},
    rfm::Group,
};

/// Where a reward comes in more steps than this, some are left out; never the first or the last.
const MANY_STEPS: i64 = 100;

/// A cart as a widget sees it. Money is in minor units of the cart's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// Its currency.
    pub currency: Currency,
    /// What is in it.
    pub lines: Vec<CartLine>,
    /// What the chosen delivery costs, where one is chosen.
    pub delivery: Option<i64>,
    /// The mark that it carries, as it is written there.
    pub mark: Option<String>,
}

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartLine {
    /// The variant's id: `gid://shopify/ProductVariant/…`.
    pub variant: String,
    /// Shopify's number of the product.
    pub product: Option<i64>,
    /// Units.
    pub quantity: i64,
    /// What one unit costs before discounts.
    pub unit: i64,
    /// What all of them cost after all discounts.
    pub net: i64,
    /// Whether it is a gift card.
    pub gift_card: bool,
}

/// What points are worth to a cart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers<'a> {
    /// The points that a new pick may use.
    pub spendable: Points,
    /// What the order will earn, as it comes to now.
    pub earns: Option<Points>,
    /// The member's hold.
    pub hold: Option<Held<'a>>,
    /// What the cart's mark is good for.
    pub mark: MarkState,
    /// What points buy.
    pub rewards: Vec<Offer<'a>>,
    /// The tier above the member's own that is the next to be reached.
    pub next_tier: Option<&'a TierUi>,
}

/// A hold against a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<'a> {
    /// What is held.
    pub terms: &'a Terms,
    /// Whether checkout gives its discount to this cart.
    pub applies: bool,
    /// What the rules say it is worth here, and what it costs if the order is placed as it is.
    pub worth: Option<Quote>,
}

/// What a cart's mark is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarkState {
    /// There is none.
    #[default]
    None,
    /// It names the member's hold.
    Stands,
    /// It names nothing that stands: the widget takes it away.
    Stale,
}

impl MarkState {
    /// Its name for programs; it does not change.
    pub fn as_str(self) -> &'static str {
        match self {
            MarkState::None => "none",
            MarkState::Stands => "stands",
            MarkState::Stale => "stale",
        }
    }
}

/// A reward against a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The reward.
    pub reward: &'a Reward,
    /// Whether it can be had, or why not.
    pub state: OfferState,
    /// What it comes to: several where it comes in steps, the first alone where it cannot be had, none where it has no
    /// terms in the cart's currency.
    pub choices: Vec<Choice>,
}

/// Whether a reward can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferState {
    /// It can be had.
    Ready,
    /// The merchant does not offer it in the cart's currency.
    NotInCurrency,
    /// It is for members of other tiers.
    OtherTier,
    /// It is for members in other segments.
    OtherSegment,
    /// So many points are missing.
    Short(Points),
    /// The order comes to less than this.
    BelowMinimum(i64),
    /// There is nothing in the cart to take it off.
    NothingToTakeOff,
}

impl OfferState {
    /// Its name for programs; it does not change.
    pub fn as_str(self) -> &'static str {
        match self {
            OfferState::Ready => "ready",
            OfferState::NotInCurrency => "not_in_currency",
            OfferState::OtherTier => "other_tier",
            OfferState::OtherSegment => "other_segment",
            OfferState::Short(_) => "short",
            OfferState::BelowMinimum(_) => "below_minimum",
            OfferState::NothingToTakeOff => "nothing_to_take_off",
        }
    }
}

/// One way to have a reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The points that are held.
    pub points: Points,
    /// What it takes off this cart, or what is paid out.
    pub worth: Option<i64>,
}

impl<'a> Offers<'a> {
    /// The rules on what is known. Without an account these are a guest's offers, without a program there are none, and
    /// without a cart, or with one whose amounts are out of range, nobody knows what anything is worth.
    pub fn of(
        account: Option<&'a Account>,
        program: Option<&'a ProgramUi>,
        cart: Option<&Cart>,
    ) -> Offers<'a> {
        let spendable = account.map_or(Points::ZERO, Account::spendable);
        let tier = account.and_then(|account| account.tier.as_deref());
        let next_tier = program.and_then(|program| next_level(&program.tiers, tier));
        let Some(basket) = cart.and_then(Basket::of) else {
            return Offers { spendable, next_tier, ..Offers::default() };
        };
        let cart = basket.cart;
        let hold = account.and_then(|account| account.hold.as_ref());
        let mark = cart.mark.as_ref().map(|mark| mark.parse::<Mark>().ok());
        let member =
            Member { spendable, tier, group: Group::of(account.and_then(|account| account.segment)) };
        let mut rewards = Vec::new();
        for reward in program.map_or(&[][..], |program| &program.rewards) {
            rewards.push(basket.offer(reward, &member));
        }
        Offers {
            spendable,
            earns: program.and_then(|program| cart.earns(program, tier)),
            hold: hold.map(|terms| Held {
                terms,
                applies: terms.applies_to(mark.flatten()) && terms.currency == cart.currency,
                worth: basket.worth(terms),
            }),
            mark: match mark {
                None => MarkState::None,
                Some(Some(mark)) if hold.is_some_and(|hold| hold.id == mark.hold) => MarkState::Stands,
                Some(_) => MarkState::Stale,
            },
            rewards,
            next_tier,
        }
    }

    /// The reward that the fewest points are missing for, and how many.
    pub fn next_reward(&self) -> Option<(&'a Reward, Points)> {
        let short = self.rewards.iter().filter_map(|offer| match offer.state {
            OfferState::Short(missing) => Some((offer.reward, missing)),
            _ => None,
        });
        short.min_by_key(|(_, missing)| *missing)
    }
}

impl ProgramUi {
    /// The tier of this id.
    pub fn tier(&self, id: &str) -> Option<&TierUi> {
        self.tiers.iter().find(|tier| tier.id == id)
    }
}

impl Cart {
    /// What the order will earn, as it comes to now; none in another currency than the shop's, in which orders earn.
    fn earns(&self, program: &ProgramUi, tier: Option<&str>) -> Option<Points> {
        if self.currency != program.currency {
            return None;
        }
        let mut lines = Vec::new();
        for line in &self.lines {
            lines.push(LineNow {
                id: lines.len() as i64 + 1,
                quantity: line.quantity,
                paid: line.net,
                discount: line.gross().unwrap_or_default().saturating_sub(line.net),
                kind: if line.gift_card { LineKind::GiftCard } else { LineKind::Item },
                product: line.product,
                ..LineNow::default()
            });
        }
        if let Some(paid) = self.delivery {
            let kind = LineKind::Delivery;
            lines.push(LineNow { id: LineNow::DELIVERY, quantity: 1, paid, kind, ..LineNow::default() });
        }
        program.earns(tier, &lines)
    }
}

impl CartLine {
    /// What all units cost before discounts, within the range of money.
    fn gross(&self) -> Option<i64> {
        let gross = self.unit.checked_mul(self.quantity)?;
        (-LIMIT..=LIMIT).contains(&gross).then_some(gross)
    }
}

/// Whose offers they are.
struct Member<'a> {
    spendable: Points,
    tier: Option<&'a str>,
    group: Group,
}

/// A cart whose amounts are within range.
struct Basket<'c> {
    cart: &'c Cart,
    /// All lines that a reward may lower.
    eligible: Money,
}

impl Basket<'_> {
    fn of(cart: &Cart) -> Option<Basket<'_>> {
        let lines = cart.lines.iter().filter(|line| !line.gift_card);
        let eligible = lines.map(CartLine::gross).try_fold(0_i64, |sum, gross| sum.checked_add(gross?))?;
        Some(Basket { cart, eligible: Money::new(eligible, cart.currency).ok()? })
    }

    /// What terms are worth here: what comes off, and what it costs.
    fn worth(&self, terms: &Terms) -> Option<Quote> {
        let money = |minor| Money::new(minor, self.cart.currency).ok();
        match terms.kind {
            Kind::Amount | Kind::Percent => terms.off_order(self.eligible),
            Kind::Shipping => terms.off_delivery(money(self.cart.delivery?)?, self.eligible),
            Kind::Product => self
                .cart
                .lines
                .iter()
                .filter(|line| line.quantity > 0 && !line.gift_card)
                .find_map(|line| terms.off_unit(&line.variant, money(line.unit)?, self.eligible)),
        }
    }

    fn offer<'a>(&self, reward: &'a Reward, member: &Member) -> Offer<'a> {
        let choices = self.choices(reward, member.spendable);
        let missing = reward.points.minus(member.spendable).unwrap_or(Points::MOST);
        let short = Some(missing).filter(|missing| missing.is_positive());
        let minimum = reward.min.get(self.cart.currency);
        let minimum = minimum.filter(|least| reward.needs_cart() && self.eligible.minor() < *least);
        let state = match (choices.first(), reward.gate.admits_member(member.tier, member.group)) {
            (None, _) => OfferState::NotInCurrency,
            (_, Err(Closed::Segment)) => OfferState::OtherSegment,
            (_, Err(_)) => OfferState::OtherTier,
            (Some(first), Ok(())) => match (short, minimum, first.worth) {
                (Some(missing), _, _) => OfferState::Short(missing),
                (None, Some(minimum), _) => OfferState::BelowMinimum(minimum),
                (None, None, Some(_)) => OfferState::Ready,
                (None, None, None) => OfferState::NothingToTakeOff,
            },
        };
        Offer { reward, state, choices }
    }

    /// The ways to have a reward, the least first; none where it is not offered in the cart's currency.
    fn choices(&self, reward: &Reward, spendable: Points) -> Vec<Choice> {
        let first = self.choice(reward, reward.points);
        let Benefit::Steps { value, most } = &reward.benefit else { return Vec::from_iter(first) };
        let step = value.get(self.cart.currency).unwrap_or_default();
        // More steps than the cart has to take them off buy nothing.
        let useful = match first {
            Some(Choice { worth: Some(_), .. }) => {
                div_floor(self.eligible.minor() - 1, step).map_or(1, |steps| steps + 1)
            }
            _ => 1,
        };
        let payable = div_floor(spendable.get(), reward.points.get()).unwrap_or(1);
        let steps = useful.min(*most).min(payable).max(1);
        let stride = div_floor(steps - 1, MANY_STEPS).map_or(1, |stride| stride + 1);
        let mut choices = Vec::from_iter(first);
        // Behind the first come the multiples of the stride, and then the last.
        let mut nth = 1;
        while nth < steps {
            nth = steps.min(if nth == 1 { stride.max(2) } else { nth + stride });
            let points = reward.points.get().checked_mul(nth).and_then(|points| Points::new(points).ok());
            if let Some(choice) = points.and_then(|points| self.choice(reward, points)) {
                choices.push(choice);
            }
        }
        choices
    }

    /// A reward for so many points.
    fn choice(&self, reward: &Reward, points: Points) -> Option<Choice> {
        let pick = Pick {
            hold: HoldId(0),
            points: Some(points),
            currency: self.cart.currency,
            scope: Scope::Cart,
            label: String::new(),
        };
        let worth = match reward.terms(pick) {
            Ok(terms) => self.worth(&terms).map(|quote| quote.discount.minor()),
            Err(PickError::Kind) => Some(reward.payout(self.cart.currency).ok()?.1.minor()),
            Err(PickError::Currency | PickError::Points) => return None,
        };
        Some(Choice { points, worth })
    }
}

#[cfg(test)]
mod tests;
