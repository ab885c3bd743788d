//! Redemption: the terms that a hold carries, what they are worth to a cart, and what an order used of them.

use alloc::string::String;

use crate::{
    LIMIT,
    hold::{HoldId, Mark},
    json::{FormatError, Json, optional, required},
    money::{Currency, Money},
    mul_div_ceil, mul_div_floor,
    points::Points,
};

/// Hundredths of a percent in a whole: percentages are kept as basis points.
pub const WHOLE: i64 = 10_000;

/// The complete terms of a redemption. The hold carries them, so nothing that a merchant edits between the pick and
/// the order changes what was picked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Terms {
    /// The hold.
    pub id: HoldId,
    /// Which carts may use it.
    pub scope: Scope,
    /// What it gives.
    pub kind: Kind,
    /// The points that are held.
    pub points: Points,
    /// Minor units of [`Terms::currency`]; for [`Kind::Percent`] basis points; for the others 0.
    pub value: i64,
    /// The currency that the cart must have.
    #[cfg_attr(feature = "serde", serde(rename = "cur"))]
    pub currency: Currency,
    /// The most it takes off, in minor units.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cap: Option<i64>,
    /// The least eligible subtotal of a cart, in minor units.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub min: Option<i64>,
    /// The variant that [`Kind::Product`] gives one unit of.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub variant: Option<String>,
    /// What the shopper reads beside the discount.
    pub label: String,
}

/// Which carts may use a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Scope {
    /// The cart that carries its mark.
    #[default]
    Cart,
    /// The member's next cart, mark or not.
    NextOrder,
}

/// What a hold gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Kind {
    /// An amount off the order.
    Amount,
    /// A percentage off the order.
    Percent,
    /// One unit of a variant for nothing.
    Product,
    /// Delivery for nothing.
    Shipping,
}

/// What a redemption is worth to a cart: the discount, and the points that it will cost if nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What comes off; more than nothing.
    pub discount: Money,
    /// What it costs; at most what is held.
    pub points: Points,
}

/// Why a hold that a cart names takes nothing off it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The cart is in another currency.
    Currency,
    /// The order comes to less than this.
    Minimum(Money),
    /// There is nothing in the cart that may be discounted.
    Nothing,
    /// The product that it gives is not in the cart.
    Product,
}

impl Terms {
    /// Why the terms take nothing off a cart whose lines that may be discounted come to `eligible`. `has_product` says
    /// whether the product that they give is among them; it is asked only where they give one.
    pub fn obstacle(&self, eligible: Money, has_product: impl FnOnce() -> bool) -> Option<Obstacle> {
        if eligible.currency() != self.currency {
            return Some(Obstacle::Currency);
        }
        if let Some(min) = self.min.filter(|min| eligible.minor() < *min) {
            return Money::new(min, self.currency).ok().map(Obstacle::Minimum);
        }
        match self.kind {
            Kind::Amount | Kind::Percent if eligible.minor() <= 0 => Some(Obstacle::Nothing),
            Kind::Product if !has_product() => Some(Obstacle::Product),
            _ => None,
        }
    }

    /// Whether the terms apply to a cart with this mark.
    pub fn applies_to(&self, mark: Option<Mark>) -> bool {
        match self.scope {
            Scope::Cart => mark.is_some_and(|mark| mark.hold == self.id),
            Scope::NextOrder => true,
        }
    }

    /// What comes off an order whose lines that may be discounted come to `eligible`: never more than that, nor than
    /// the cap. `None` when the terms give nothing here: another kind, another currency, below the minimum.
    pub fn off_order(&self, eligible: Money) -> Option<Quote> {
        let discount = match self.kind {
            Kind::Amount => self.value,
            Kind::Percent => mul_div_floor(eligible.minor(), self.value, WHOLE)?,
            Kind::Product | Kind::Shipping => return None,
        };
        self.quote(discount, eligible, eligible)
    }

    /// What comes off one unit of the reward's variant at `unit_price`, in an order of `eligible`.
    pub fn off_unit(&self, variant: &str, unit_price: Money, eligible: Money) -> Option<Quote> {
        let given = self.kind == Kind::Product && self.variant.as_deref() == Some(variant);
        given.then(|| self.quote(unit_price.minor(), unit_price, eligible)).flatten()
    }

    /// What comes off a delivery that costs `price`, in an order of `eligible`.
    pub fn off_delivery(&self, price: Money, eligible: Money) -> Option<Quote> {
        (self.kind == Kind::Shipping).then(|| self.quote(price.minor(), price, eligible)).flatten()
    }

    /// `discount` bounded by what there is to take it off and by the cap, when the order qualifies.
    fn quote(&self, discount: i64, from: Money, eligible: Money) -> Option<Quote> {
        if from.currency() != self.currency || eligible.currency() != self.currency {
            return None;
        }
        if eligible.minor() < self.min.unwrap_or(0) {
            return None;
        }
        let discount = discount.min(from.minor()).min(self.cap.unwrap_or(LIMIT));
        let discount = Money::new(discount, self.currency).ok().filter(|discount| discount.minor() > 0)?;
        Some(Quote { discount, points: self.cost_of(discount.minor()) })
    }

    /// The points that an order costs which used `used` minor units of these terms. An amount is paid for by what was
    /// used of it, rounded up to a whole point; all other kinds are paid for whole once anything was used. Never more
    /// than is held.
    pub fn cost_of(&self, used: i64) -> Points {
        if used <= 0 {
            return Points::ZERO;
        }
        let linear = match self.kind {
            Kind::Amount => mul_div_ceil(self.points.get(), used, self.value),
            Kind::Percent | Kind::Product | Kind::Shipping => None,
        };
        linear
            .and_then(|points| Points::new(points).ok())
            .map_or(self.points, |points| points.min(self.points))
    }

    /// Reads the terms from the `hold` of an account metafield.
    ///
    /// # Errors
    /// [`FormatError::Field`] where a member is missing or none of its kind, also for a kind or a scope that is not known yet.
    pub fn read<J: Json>(json: &J) -> Result<Terms, FormatError> {
        let not_negative = |number: &J| number.integer().filter(|n| *n >= 0);
        let kind = required(json, "kind", |kind| Kind::from_name(&kind.text()?))?;
        Ok(Terms {
            id: required(json, "id", |id| HoldId::parse(&id.text()?))?,
            scope: required(json, "scope", |scope| Scope::from_name(&scope.text()?))?,
            kind,
            points: required(json, "points", |points| Points::new(not_negative(points)?).ok())?,
            value: required(json, "value", |value| kind.admits(not_negative(value)?))?,
            currency: required(json, "cur", |code| Currency::parse(&code.text()?).ok())?,
            cap: optional(json, "cap", not_negative)?,
            min: optional(json, "min", not_negative)?,
            variant: optional(json, "variant", Json::text)?,
            label: required(json, "label", Json::text)?,
        })
    }
}

impl Scope {
    /// Its name, as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Cart => "cart",
            Scope::NextOrder => "next_order",
        }
    }

    fn from_name(name: &str) -> Option<Scope> {
        match name {
            "cart" => Some(Scope::Cart),
            "next_order" => Some(Scope::NextOrder),
            _ => None,
        }
    }
}

impl Kind {
    /// Its name, as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Amount => "amount",
            Kind::Percent => "percent",
            Kind::Product => "product",
            Kind::Shipping => "shipping",
        }
    }

    fn from_name(name: &str) -> Option<Kind> {
        match name {
            "amount" => Some(Kind::Amount),
            "percent" => Some(Kind::Percent),
            "product" => Some(Kind::Product),
            "shipping" => Some(Kind::Shipping),
            _ => None,
        }
    }

    /// The value, where the kind can have it: an amount is above nothing, a percentage at most the whole.
    fn admits(self, value: i64) -> Option<i64> {
        let range = match self {
            Kind::Amount => 1..=LIMIT,
            Kind::Percent => 1..=WHOLE,
            Kind::Product | Kind::Shipping => 0..=LIMIT,
        };
        range.contains(&value).then_some(value)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Terms {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Terms, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Terms::read(&&value).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    pub(crate) fn amount(points: i64, value: i64, currency: &str) -> Terms {
        Terms {
            id: HoldId(7),
            scope: Scope::Cart,
            kind: Kind::Amount,
            points: Points::new(points).unwrap(),
            value,
            currency: Currency::parse(currency).unwrap(),
            cap: None,
            min: None,
            variant: None,
            label: "Loyalty points".to_string(),
        }
    }

    fn money(minor: i64, currency: &str) -> Money {
        Money::new(minor, Currency::parse(currency).unwrap()).unwrap()
    }

    #[test]
    fn names_are_read_back() {
        for kind in [Kind::Amount, Kind::Percent, Kind::Product, Kind::Shipping] {
            assert_eq!(Kind::from_name(kind.as_str()), Some(kind));
        }
        for scope in [Scope::Cart, Scope::NextOrder] {
            assert_eq!(Scope::from_name(scope.as_str()), Some(scope));
        }
        assert_eq!((Kind::from_name(""), Scope::from_name("")), (None, None));
    }

    fn discount(quote: Option<Quote>) -> Option<(i64, i64)> {
        quote.map(|quote| (quote.discount.minor(), quote.points.get()))
    }

    #[test]
    fn an_amount_takes_what_the_order_allows_and_costs_what_it_took() {
        let terms = amount(500, 500, "GBP");
        assert_eq!(discount(terms.off_order(money(2_000, "GBP"))), Some((500, 500)));
        assert_eq!(discount(terms.off_order(money(499, "GBP"))), Some((499, 499)));
        assert_eq!(discount(terms.off_order(money(0, "GBP"))), None);
        assert_eq!(discount(terms.off_order(money(-5, "GBP"))), None);
        assert_eq!(discount(terms.off_order(money(2_000, "EUR"))), None);
        assert_eq!(amount(500, 333, "GBP").cost_of(1), Points::new(2).unwrap(), "1.5 points round up");
    }

    #[test]
    fn minimum_and_cap_bound_it() {
        let terms = Terms { min: Some(1_000), cap: Some(300), ..amount(500, 500, "GBP") };
        assert_eq!(discount(terms.off_order(money(999, "GBP"))), None);
        assert_eq!(discount(terms.off_order(money(1_000, "GBP"))), Some((300, 300)));
    }

    #[test]
    fn a_percentage_is_paid_for_whole() {
        let terms = Terms { kind: Kind::Percent, value: 1_000, cap: Some(2_000), ..amount(800, 1, "GBP") };
        assert_eq!(discount(terms.off_order(money(1_999, "GBP"))), Some((199, 800)));
        assert_eq!(discount(terms.off_order(money(1_000_000, "GBP"))), Some((2_000, 800)));
        assert_eq!(discount(terms.off_order(money(9, "GBP"))), None, "nothing off costs nothing");
    }

    #[test]
    fn a_product_is_one_unit_of_its_variant() {
        let terms =
            Terms { kind: Kind::Product, value: 0, variant: Some("v1".into()), ..amount(900, 1, "GBP") };
        let order = money(5_000, "GBP");
        assert_eq!(discount(terms.off_unit("v1", money(1_250, "GBP"), order)), Some((1_250, 900)));
        assert_eq!(discount(terms.off_unit("v2", money(1_250, "GBP"), order)), None);
        assert_eq!(terms.off_order(order), None);
        assert_eq!(terms.off_delivery(order, order), None);
    }

    #[test]
    fn shipping_is_the_delivery_and_nothing_else() {
        let terms = Terms { kind: Kind::Shipping, value: 0, cap: Some(400), ..amount(300, 1, "GBP") };
        let order = money(5_000, "GBP");
        assert_eq!(discount(terms.off_delivery(money(350, "GBP"), order)), Some((350, 300)));
        assert_eq!(discount(terms.off_delivery(money(950, "GBP"), order)), Some((400, 300)));
        assert_eq!(terms.off_delivery(money(0, "GBP"), order), None);
        assert_eq!(terms.off_order(order), None);
    }

    #[test]
    fn an_obstacle_is_named() {
        let terms = Terms { min: Some(1_000), ..amount(500, 500, "GBP") };
        let obstacle = |terms: &Terms, eligible, product| terms.obstacle(eligible, || product);
        assert_eq!(obstacle(&terms, money(5_000, "EUR"), true), Some(Obstacle::Currency));
        assert_eq!(obstacle(&terms, money(999, "GBP"), true), Some(Obstacle::Minimum(money(1_000, "GBP"))));
        assert_eq!(obstacle(&terms, money(1_000, "GBP"), false), None);
        assert_eq!(obstacle(&amount(5, 5, "GBP"), money(0, "GBP"), true), Some(Obstacle::Nothing));
        let product = Terms { kind: Kind::Product, ..amount(5, 5, "GBP") };
        assert_eq!(obstacle(&product, money(5, "GBP"), false), Some(Obstacle::Product));
        assert_eq!(obstacle(&product, money(5, "GBP"), true), None);
        let shipping = Terms { kind: Kind::Shipping, ..amount(5, 5, "GBP") };
        assert_eq!(obstacle(&shipping, money(0, "GBP"), false), None);
    }

    #[test]
    fn the_cart_must_carry_the_mark_unless_the_next_order_is_meant() {
        let terms = amount(500, 500, "GBP");
        let mark = |id| Some(Mark { hold: HoldId(id), attempt: 3 });
        assert!(terms.applies_to(mark(7)));
        assert!(!terms.applies_to(mark(8)));
        assert!(!terms.applies_to(None));
        assert!(Terms { scope: Scope::NextOrder, ..terms }.applies_to(None));
    }

    fn any_terms() -> impl Strategy<Value = Terms> {
        let kind =
            prop_oneof![Just(Kind::Amount), Just(Kind::Percent), Just(Kind::Product), Just(Kind::Shipping)];
        let bound = || proptest::option::of(0..=LIMIT);
        (kind, 0..=LIMIT, 1..=LIMIT, 1..=WHOLE, bound(), bound(), "GBP|JPY|KWD|SEK").prop_map(
            |(kind, points, value, percent, cap, min, currency)| Terms {
                kind,
                value: if kind == Kind::Percent { percent } else { value },
                cap,
                min,
                variant: Some("v".into()),
                ..amount(points, 1, &currency)
            },
        )
    }

    fn best(terms: &Terms, from: i64) -> Option<Quote> {
        let money = Money::new(from, terms.currency).unwrap();
        terms
            .off_order(money)
            .or_else(|| terms.off_unit("v", money, money))
            .or_else(|| terms.off_delivery(money, money))
    }

    proptest! {
        #[test]
        fn a_quote_is_above_nothing_and_within_every_bound(terms in any_terms(), from in -LIMIT..=LIMIT) {
            if let Some(quote) = best(&terms, from) {
                prop_assert!(quote.discount.minor() > 0);
                prop_assert!(quote.discount.minor() <= from);
                prop_assert!(quote.discount.minor() <= terms.cap.unwrap_or(LIMIT));
                prop_assert!(from >= terms.min.unwrap_or(0));
                prop_assert!(quote.points <= terms.points);
                prop_assert!(quote.points >= Points::ZERO);
            }
        }

        #[test]
        fn there_is_an_obstacle_where_an_amount_takes_nothing_off_and_only_there(
            terms in any_terms(), from in -LIMIT..=LIMIT, euros: bool,
        ) {
            let currency = if euros { Currency::parse("EUR").unwrap() } else { terms.currency };
            let eligible = Money::new(from, currency).unwrap();
            let obstacle = terms.obstacle(eligible, || true);
            if best(&terms, from).is_some() && !euros {
                prop_assert_eq!(obstacle, None);
            }
            if terms.kind == Kind::Amount && terms.cap != Some(0) {
                prop_assert_eq!(obstacle.is_some(), terms.off_order(eligible).is_none());
            }
        }

        #[test]
        fn more_to_take_it_off_never_gives_less(terms in any_terms(), a in 0..=LIMIT, b in 0..=LIMIT) {
            let worth = |from| best(&terms, from).map_or((0, Points::ZERO), |q| (q.discount.minor(), q.points));
            let (low, high) = (worth(a.min(b)), worth(a.max(b)));
            prop_assert!(low.0 <= high.0);
            prop_assert!(low.1 <= high.1);
        }

        #[test]
        fn capture_is_at_most_the_quote_and_equal_when_all_of_it_was_used(
            terms in any_terms(), from in 1..=LIMIT, share in 0_u8..=100,
        ) {
            if let Some(quote) = best(&terms, from) {
                prop_assert_eq!(terms.cost_of(quote.discount.minor()), quote.points);
                let used = mul_div_floor(quote.discount.minor(), i64::from(share), 100).unwrap();
                prop_assert!(terms.cost_of(used) <= quote.points);
                prop_assert_eq!(terms.cost_of(used) == Points::ZERO, used == 0 || terms.points == Points::ZERO);
            }
        }

        #[cfg(feature = "serde")]
        #[test]
        fn what_is_written_is_read_back(terms in any_terms()) {
            let written = serde_json::to_value(&terms).unwrap();
            prop_assert_eq!(Terms::read(&&written), Ok(terms));
        }
    }
}
