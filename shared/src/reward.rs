//! Rewards: what a merchant lets points buy, and what a pick of one is held for.

use alloc::string::String;

use crate::{
    LIMIT, div_floor,
    gate::Gate,
    hold::HoldId,
    money::{Currency, Money},
    points::Points,
    redemption::{Kind, Scope, Terms, WHOLE},
};

pub use crate::amounts::Amounts;

/// Something that points buy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Reward {
    /// Its id within the program: lower-case letters, digits and hyphens.
    pub id: String,
    /// What shoppers read.
    pub name: String,
    /// What it costs; for [`Benefit::Steps`] what one step costs.
    pub points: Points,
    /// What it gives.
    pub benefit: Benefit,
    /// The least eligible subtotal of an order, per currency.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Amounts::is_empty"))]
    pub min: Amounts,
    /// Who may have it, when, and how often.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Gate::is_open"))]
    pub gate: Gate,
}

/// What a reward gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields))]
pub enum Benefit {
    /// A fixed amount off the order.
    Amount {
        /// Minor units off.
        value: Amounts,
    },
    /// As many steps as the shopper likes, each the same amount off the order.
    Steps {
        /// Minor units off for each step.
        value: Amounts,
        /// The most steps in one redemption.
        most: i64,
    },
    /// A percentage off the order.
    Percent {
        /// Basis points: 1,000 is 10 %.
        basis_points: i64,
        /// The most it takes off, per currency. Without one for a currency there is no bound in it.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Amounts::is_empty"))]
        cap: Amounts,
    },
    /// One unit of a variant for nothing.
    Product {
        /// The variant's id: `gid://shopify/ProductVariant/…`.
        variant: String,
    },
    /// Store credit, which Shopify keeps for the customer.
    StoreCredit {
        /// Minor units.
        value: Amounts,
    },
    /// A gift card, which Shopify sends to the customer.
    GiftCard {
        /// Minor units.
        value: Amounts,
    },
    /// Delivery for nothing.
    Shipping {
        /// The most it takes off, per currency.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Amounts::is_empty"))]
        cap: Amounts,
    },
}

impl Benefit {
    /// Its kind's name, as programs have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Benefit::Amount { .. } => "amount",
            Benefit::Steps { .. } => "steps",
            Benefit::Percent { .. } => "percent",
            Benefit::Product { .. } => "product",
            Benefit::StoreCredit { .. } => "store_credit",
            Benefit::GiftCard { .. } => "gift_card",
            Benefit::Shipping { .. } => "shipping",
        }
    }
}

/// What is paid out for a reward that needs no cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayoutKind {
    /// Store credit.
    StoreCredit,
    /// A gift card.
    GiftCard,
}

/// What a shopper picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The hold that it becomes.
    pub hold: HoldId,
    /// For [`Benefit::Steps`] the points to spend; for the others nothing, or exactly the reward's.
    pub points: Option<Points>,
    /// The cart's currency.
    pub currency: Currency,
    /// Which carts may use it.
    pub scope: Scope,
    /// What the shopper reads beside the discount.
    pub label: String,
}

/// Why a pick cannot be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PickError {
    /// The reward is not offered in that currency.
    #[error("the reward is not offered in this currency")]
    Currency,
    /// The reward is paid out at once, and not held for a cart; or the other way round.
    #[error("the reward is had in another way")]
    Kind,
    /// Not a whole, positive number of steps, or more of them than one redemption may have; or not the reward's points.
    #[error("the reward cannot be had for this number of points")]
    Points,
}

/// Why a merchant's reward is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewardError {
    /// The id is empty, too long, or has other signs than lower-case letters, digits and hyphens.
    #[error("a reward's id has 1 to 40 lower-case letters, digits and hyphens")]
    Id,
    /// The name is empty or longer than 80 characters.
    #[error("a reward's name has 1 to 80 characters")]
    Name,
    /// It costs nothing, or more than points can be.
    #[error("a reward costs at least one point")]
    Points,
    /// No currency, or an amount that is nothing, negative or beyond range.
    #[error("a reward's amounts are above nothing, in at least one currency")]
    Amount,
    /// Not above 0 and at most 100 %.
    #[error("a percentage lies above 0 and at most at 10,000 basis points")]
    Percent,
    /// Not between 1 step and what stays within range.
    #[error("a redemption has between 1 step and as many as stay within range")]
    Steps,
    /// Not a variant's id.
    #[error("a free product names a variant as gid://shopify/ProductVariant/…")]
    Variant,
}

impl RewardError {
    /// Its name for programs; it does not change.
    pub fn code(self) -> &'static str {
        match self {
            RewardError::Id => "reward_id",
            RewardError::Name => "reward_name",
            RewardError::Points => "reward_points",
            RewardError::Amount => "reward_amount",
            RewardError::Percent => "reward_percent",
            RewardError::Steps => "reward_steps",
            RewardError::Variant => "reward_variant",
        }
    }
}

impl Reward {
    /// The terms of a hold for this pick.
    ///
    /// # Errors
    /// [`PickError`] where it cannot be had like this.
    pub fn terms(&self, pick: Pick) -> Result<Terms, PickError> {
        let offered = |amounts: &Amounts| amounts.get(pick.currency).ok_or(PickError::Currency);
        let bound = |amounts: &Amounts| amounts.get(pick.currency);
        let mut points = self.points;
        let mut variant = None;
        let (kind, value, cap) = match &self.benefit {
            Benefit::Amount { value } => (Kind::Amount, offered(value)?, None),
            Benefit::Steps { value, most } => {
                let (spent, value) = (pick.points.unwrap_or(points), offered(value)?);
                let steps = div_floor(spent.get(), points.get()).ok_or(PickError::Points)?;
                if steps * points.get() != spent.get() || !(1..=*most).contains(&steps) {
                    return Err(PickError::Points);
                }
                points = spent;
                let value = value.checked_mul(steps).filter(|value| *value <= LIMIT);
                (Kind::Amount, value.ok_or(PickError::Points)?, None)
            }
            Benefit::Percent { basis_points, cap } => (Kind::Percent, *basis_points, bound(cap)),
            Benefit::Product { variant: id } => {
                variant = Some(id.clone());
                (Kind::Product, 0, None)
            }
            Benefit::Shipping { cap } => (Kind::Shipping, 0, bound(cap)),
            Benefit::StoreCredit { .. } | Benefit::GiftCard { .. } => return Err(PickError::Kind),
        };
        if pick.points.is_some_and(|wanted| wanted != points) {
            return Err(PickError::Points);
        }
        Ok(Terms {
            id: pick.hold,
            scope: pick.scope,
            kind,
            points,
            value,
            currency: pick.currency,
            cap,
            min: bound(&self.min),
            variant,
            label: pick.label,
        })
    }

    /// Whether it is had by a cart, and not paid out.
    pub fn needs_cart(&self) -> bool {
        !matches!(self.benefit, Benefit::StoreCredit { .. } | Benefit::GiftCard { .. })
    }

    /// What is paid out for it.
    ///
    /// # Errors
    /// [`PickError::Kind`] for a reward that is held for a cart, [`PickError::Currency`] where it is not offered in this one.
    pub fn payout(&self, currency: Currency) -> Result<(PayoutKind, Money), PickError> {
        let (kind, value) = match &self.benefit {
            Benefit::StoreCredit { value } => (PayoutKind::StoreCredit, value),
            Benefit::GiftCard { value } => (PayoutKind::GiftCard, value),
            _ => return Err(PickError::Kind),
        };
        let minor = value.get(currency).ok_or(PickError::Currency)?;
        Ok((kind, Money::new(minor, currency).map_err(|_| PickError::Currency)?))
    }

    /// Whether a merchant may offer it.
    ///
    /// # Errors
    /// [`RewardError`]: the first thing that is wrong.
    pub fn validate(&self) -> Result<(), RewardError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=40).contains(&self.id.len()) || !self.id.bytes().all(plain) {
            return Err(RewardError::Id);
        }
        if self.name.trim().is_empty() || self.name.chars().count() > 80 {
            return Err(RewardError::Name);
        }
        if !self.points.is_positive() {
            return Err(RewardError::Points);
        }
        let sound = |amounts: &Amounts| amounts.iter().all(|(_, minor)| (1..=LIMIT).contains(&minor));
        let amounts_are_sound = sound(&self.min)
            && match &self.benefit {
                Benefit::Amount { value }
                | Benefit::Steps { value, .. }
                | Benefit::StoreCredit { value }
                | Benefit::GiftCard { value } => !value.is_empty() && sound(value),
                Benefit::Percent { cap, .. } | Benefit::Shipping { cap } => sound(cap),
                Benefit::Product { .. } => true,
            };
        if !amounts_are_sound {
            return Err(RewardError::Amount);
        }
        match &self.benefit {
            Benefit::Percent { basis_points, .. } if !(1..=WHOLE).contains(basis_points) => {
                Err(RewardError::Percent)
            }
            Benefit::Steps { value, most } => {
                let within = |unit: i64| unit.checked_mul(*most).is_some_and(|all| all <= LIMIT);
                let all_within = within(self.points.get()) && value.iter().all(|(_, minor)| within(minor));
                if *most < 1 || !all_within { Err(RewardError::Steps) } else { Ok(()) }
            }
            Benefit::Product { variant } => match variant.strip_prefix("gid://shopify/ProductVariant/") {
                Some(id) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => Ok(()),
                _ => Err(RewardError::Variant),
            },
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn reward(benefit: Benefit) -> Reward {
        Reward {
            id: "reward".into(),
            name: "Reward".into(),
            points: Points::new(100).unwrap(),
            benefit,
            min: Amounts::new(),
            gate: Gate::default(),
        }
    }

    fn pick(points: Option<i64>, code: &str) -> Pick {
        Pick {
            hold: HoldId(1),
            points: points.map(|points| Points::new(points).unwrap()),
            currency: currency(code),
            scope: Scope::Cart,
            label: "Loyalty points".to_string(),
        }
    }

    fn pounds(minor: i64) -> Amounts {
        Amounts::from([(currency("GBP"), minor)])
    }

    #[test]
    fn steps_multiply_points_and_value() {
        let reward = reward(Benefit::Steps { value: pounds(50), most: 20 });
        let terms = reward.terms(pick(Some(700), "GBP")).unwrap();
        assert_eq!((terms.kind, terms.points.get(), terms.value), (Kind::Amount, 700, 350));
        for points in [0, 50, 150, -100, 2_100] {
            assert_eq!(reward.terms(pick(Some(points), "GBP")), Err(PickError::Points), "{points}");
        }
    }

    #[test]
    fn a_reward_is_offered_in_its_currencies_only() {
        let fixed = reward(Benefit::Amount { value: pounds(500) });
        assert_eq!(fixed.terms(pick(None, "EUR")), Err(PickError::Currency));
        assert_eq!(fixed.terms(pick(Some(100), "GBP")).unwrap().value, 500);
        assert_eq!(fixed.terms(pick(Some(99), "GBP")), Err(PickError::Points));
        let percent = reward(Benefit::Percent { basis_points: 1_000, cap: pounds(2_000) });
        assert_eq!(percent.terms(pick(None, "GBP")).unwrap().cap, Some(2_000));
        assert_eq!(percent.terms(pick(None, "EUR")).unwrap().cap, None);
    }

    #[test]
    fn what_is_paid_out_is_not_held_for_a_cart_and_the_other_way_round() {
        let credit = reward(Benefit::StoreCredit { value: pounds(500) });
        let money = |minor| Money::new(minor, currency("GBP")).unwrap();
        assert_eq!(credit.payout(currency("GBP")), Ok((PayoutKind::StoreCredit, money(500))));
        assert_eq!(credit.payout(currency("EUR")), Err(PickError::Currency));
        assert_eq!(credit.terms(pick(None, "GBP")), Err(PickError::Kind));
        let card = reward(Benefit::GiftCard { value: pounds(700) });
        assert_eq!(card.payout(currency("GBP")), Ok((PayoutKind::GiftCard, money(700))));
        assert_eq!(
            reward(Benefit::Amount { value: pounds(5) }).payout(currency("GBP")),
            Err(PickError::Kind)
        );
    }

    #[test]
    fn nonsense_is_refused() {
        let fixed = reward(Benefit::Amount { value: pounds(500) });
        assert_eq!(fixed.validate(), Ok(()));
        assert_eq!(Reward { id: "Ä".into(), ..fixed.clone() }.validate(), Err(RewardError::Id));
        assert_eq!(Reward { name: " ".into(), ..fixed.clone() }.validate(), Err(RewardError::Name));
        assert_eq!(Reward { points: Points::ZERO, ..fixed.clone() }.validate(), Err(RewardError::Points));
        assert_eq!(Reward { min: pounds(0), ..fixed.clone() }.validate(), Err(RewardError::Amount));
        for (benefit, error) in [
            (Benefit::Amount { value: Amounts::new() }, RewardError::Amount),
            (Benefit::Amount { value: pounds(-1) }, RewardError::Amount),
            (Benefit::StoreCredit { value: Amounts::new() }, RewardError::Amount),
            (Benefit::GiftCard { value: pounds(0) }, RewardError::Amount),
            (Benefit::Steps { value: pounds(1), most: 0 }, RewardError::Steps),
            (Benefit::Steps { value: pounds(LIMIT), most: 2 }, RewardError::Steps),
            (Benefit::Percent { basis_points: 0, cap: Amounts::new() }, RewardError::Percent),
            (Benefit::Percent { basis_points: 10_001, cap: Amounts::new() }, RewardError::Percent),
            (Benefit::Product { variant: "1".into() }, RewardError::Variant),
            (Benefit::Product { variant: "gid://shopify/ProductVariant/x".into() }, RewardError::Variant),
            (Benefit::Shipping { cap: pounds(LIMIT + 1) }, RewardError::Amount),
        ] {
            assert_eq!(reward(benefit.clone()).validate(), Err(error), "{benefit:?}");
        }
    }
}
