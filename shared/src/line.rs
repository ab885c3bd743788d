//! A line of an order, and what of it counts when points are earned.

#[cfg(feature = "serde")]
use crate::is_default;
use crate::mul_div_floor;

/// A line of an order as its newest facts tell it. What was bought, price and discount stay as they were when units come
/// back or an edit takes them off; only the units that stand get fewer. Amounts are minor units of the shop's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "Stored", into = "Stored"))]
pub struct LineNow {
    /// Shopify's id of the line; [`LineNow::DELIVERY`] for all that delivery costs.
    pub id: i64,
    /// Units bought, whatever became of them.
    pub quantity: i64,
    /// Units that were neither returned nor taken off.
    pub current: i64,
    /// What was to be paid for all units after all discounts, as the shop states its prices: refunds count in it.
    pub paid: i64,
    /// What all discounts took off.
    pub discount: i64,
    /// The tax on what was paid.
    pub tax: i64,
    /// Whether the shop's prices have the tax in them.
    pub tax_included: bool,
    /// What it is of.
    pub kind: LineKind,
    /// Shopify's id of the product; none where there is none (any more).
    pub product: Option<i64>,
}

impl LineNow {
    /// The id under which delivery is a line: Shopify's ids are positive.
    pub const DELIVERY: i64 = 0;
    /// The id under which money comes back of an order as a whole: of no line.
    pub const WHOLE: i64 = -1;
}

/// What a line is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LineKind {
    /// Something that is sold.
    #[default]
    Item,
    /// A gift card.
    GiftCard,
    /// A tip.
    Tip,
    /// Delivery.
    Delivery,
}

/// How a line lies in the database: a list, of which the first four were there first.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Stored(
    i64,
    i64,
    i64,
    i64,
    #[serde(default)] i64,
    #[serde(default)] i64,
    #[serde(default)] bool,
    #[serde(default)] LineKind,
    #[serde(default)] Option<i64>,
);

#[cfg(feature = "serde")]
impl From<Stored> for LineNow {
    fn from(stored: Stored) -> LineNow {
        let Stored(id, quantity, current, paid, discount, tax, tax_included, kind, product) = stored;
        LineNow { id, quantity, current, paid, discount, tax, tax_included, kind, product }
    }
}

#[cfg(feature = "serde")]
impl From<LineNow> for Stored {
    fn from(line: LineNow) -> Stored {
        let LineNow { id, quantity, current, paid, discount, tax, tax_included, kind, product } = line;
        Stored(id, quantity, current, paid, discount, tax, tax_included, kind, product)
    }
}

/// What of an order counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Basis {
    /// Prices after discounts or before.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub discounts: Discounts,
    /// Prices with tax or without.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub tax: Tax,
    /// Whether delivery counts.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub shipping: bool,
    /// Whether gift cards count when they are bought.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub gift_cards: bool,
    /// Whether tips count.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_default"))]
    pub tips: bool,
}

/// Whether discounts make an order earn less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Discounts {
    /// What is paid counts.
    #[default]
    After,
    /// What would have been paid without discounts counts.
    Before,
}

/// Whether tax counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Tax {
    /// Prices count as the shop states them.
    #[default]
    AsPriced,
    /// It counts, also where it comes on top of the price.
    With,
    /// It does not count, also where the price has it in it.
    Without,
}

/// Why nothing of a line counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LeftOut {
    /// Gift cards do not count.
    GiftCard,
    /// Tips do not count.
    Tip,
    /// Delivery does not count.
    Delivery,
    /// It cost nothing.
    Free,
}

impl Basis {
    /// What of a line counts: more than zero minor units, or why nothing does. Before discounts, the tax is what it would
    /// be on the full price, rounded down.
    ///
    /// # Errors
    /// [`LeftOut`] where nothing of it counts.
    pub fn of(&self, line: &LineNow) -> Result<i64, LeftOut> {
        match line.kind {
            LineKind::GiftCard if !self.gift_cards => return Err(LeftOut::GiftCard),
            LineKind::Tip if !self.tips => return Err(LeftOut::Tip),
            LineKind::Delivery if !self.shipping => return Err(LeftOut::Delivery),
            _ => {}
        }
        let (price, tax) = match self.discounts {
            Discounts::After => (line.paid, line.tax),
            Discounts::Before => {
                let full = line.paid.saturating_add(line.discount);
                (full, mul_div_floor(line.tax, full, line.paid).unwrap_or(0))
            }
        };
        let counts = match (self.tax, line.tax_included) {
            (Tax::With, false) => price.saturating_add(tax),
            (Tax::Without, true) => price.saturating_sub(tax),
            _ => price,
        };
        if counts > 0 && line.quantity > 0 { Ok(counts) } else { Err(LeftOut::Free) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 12.00 less 2.00, with 20 % tax.
    fn line(tax_included: bool) -> LineNow {
        let tax = if tax_included { 166 } else { 200 };
        LineNow {
            id: 1,
            quantity: 1,
            current: 1,
            paid: 1_000,
            discount: 200,
            tax,
            tax_included,
            ..LineNow::default()
        }
    }

    #[test]
    fn prices_count_after_or_before_discounts_with_or_without_tax() {
        for (discounts, tax, included, on_top) in [
            (Discounts::After, Tax::AsPriced, 1_000, 1_000),
            (Discounts::After, Tax::With, 1_000, 1_200),
            (Discounts::After, Tax::Without, 834, 1_000),
            (Discounts::Before, Tax::AsPriced, 1_200, 1_200),
            (Discounts::Before, Tax::With, 1_200, 1_440),
            (Discounts::Before, Tax::Without, 1_001, 1_200),
        ] {
            let basis = Basis { discounts, tax, ..Basis::default() };
            assert_eq!(basis.of(&line(true)), Ok(included), "{basis:?}");
            assert_eq!(basis.of(&line(false)), Ok(on_top), "{basis:?}");
        }
    }

    #[test]
    fn what_is_no_ware_counts_where_the_program_says_so() {
        let of = |kind| LineNow { kind, ..line(false) };
        let all = Basis { shipping: true, gift_cards: true, tips: true, ..Basis::default() };
        for (kind, why) in [
            (LineKind::GiftCard, LeftOut::GiftCard),
            (LineKind::Tip, LeftOut::Tip),
            (LineKind::Delivery, LeftOut::Delivery),
        ] {
            assert_eq!(Basis::default().of(&of(kind)), Err(why));
            assert_eq!(all.of(&of(kind)), Ok(1_000));
        }
    }

    #[test]
    fn what_costs_nothing_counts_nothing() {
        let before = Basis { discounts: Discounts::Before, ..Basis::default() };
        let given_away = LineNow { paid: 0, discount: 1_200, tax: 0, ..line(true) };
        assert_eq!(Basis::default().of(&given_away), Err(LeftOut::Free));
        assert_eq!(before.of(&given_away), Ok(1_200));
        for nonsense in [
            LineNow { paid: -500, ..line(false) },
            LineNow { quantity: 0, ..line(false) },
            LineNow { quantity: -1, ..line(false) },
            LineNow { paid: i64::MIN, discount: i64::MIN, tax: i64::MAX, ..line(false) },
        ] {
            assert_eq!(Basis::default().of(&nonsense), Err(LeftOut::Free), "{nonsense:?}");
        }
        let without = Basis { tax: Tax::Without, ..Basis::default() };
        assert_eq!(
            without.of(&LineNow { tax: 5_000, ..line(true) }),
            Err(LeftOut::Free),
            "more tax than price"
        );
    }

    #[cfg(feature = "serde")]
    #[test]
    fn lines_are_stored_and_read_back_also_those_from_before() {
        let whole = LineNow { kind: LineKind::Tip, product: Some(7), current: 0, ..line(true) };
        let stored = serde_json::to_string(&whole).unwrap();
        assert_eq!(stored, r#"[1,1,0,1000,200,166,true,"tip",7]"#);
        assert_eq!(serde_json::from_str::<LineNow>(&stored).unwrap(), whole);
        let old = LineNow { id: 1, quantity: 3, current: 2, paid: 900, ..LineNow::default() };
        assert_eq!(serde_json::from_str::<LineNow>("[1,3,2,900]").unwrap(), old);
        assert_eq!(serde_json::to_string(&Basis::default()).unwrap(), "{}");
        assert!(serde_json::from_str::<Basis>(r#"{"tipps":true}"#).is_err());
    }
}
