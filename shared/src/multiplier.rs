//! Multipliers: what makes some lines, members or times earn more than others, or less.

use alloc::{string::String, vec::Vec};

/// How many times what a line would earn else, in ten-thousandths: 20,000 doubles, 0 leaves the line out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Factor(pub i64);

impl Factor {
    /// As if there were none.
    pub const ONE: Factor = Factor(10_000);
    /// Leaves a line out.
    pub const ZERO: Factor = Factor(0);
    /// The greatest that a merchant sets: a hundred times.
    pub const MOST: Factor = Factor(1_000_000);
    /// The greatest that several come to together: a thousand times.
    pub const MOST_TOGETHER: Factor = Factor(10_000_000);

    /// Whether a merchant may set it.
    pub fn is_valid(self) -> bool {
        (Factor::ZERO..=Factor::MOST).contains(&self)
    }

    /// Both, rounded down to ten-thousandths, within [`Factor::MOST_TOGETHER`].
    fn times(self, other: Factor) -> Factor {
        let product = crate::mul_div_floor(self.0, other.0, Factor::ONE.0).map(Factor);
        product.unwrap_or(Factor::MOST_TOGETHER).clamp(Factor::ZERO, Factor::MOST_TOGETHER)
    }
}

impl Default for Factor {
    fn default() -> Factor {
        Factor::ONE
    }
}

/// Whose a multiplier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Source {
    /// Some products'.
    Products,
    /// A tier's.
    Tier,
    /// A campaign's.
    Campaign,
}

/// A multiplier for some products.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Multiplier {
    /// Names it in explanations. It stays when the rule changes.
    pub id: String,
    /// For what.
    pub of: Selection,
    /// How many times, in ten-thousandths.
    pub factor: Factor,
}

/// Some of the shop's products.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Selection {
    /// These, by Shopify's ids.
    Products(Vec<i64>),
    /// Those in any of these collections, by Shopify's ids.
    Collections(Vec<i64>),
    /// Those with any of these tags, in whatever case.
    Tags(Vec<String>),
}

/// How several multipliers of one line come together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Combine {
    /// The greatest counts.
    #[default]
    Best,
    /// They multiply.
    Multiply,
}

/// A product's collections and tags, of those that multipliers name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Labels {
    /// Shopify's ids of its collections.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub collections: Vec<i64>,
    /// Its tags.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub tags: Vec<String>,
}

impl Selection {
    /// Whether the product is among them. What is no product is not.
    pub fn has(&self, product: Option<i64>, labels: Option<&Labels>) -> bool {
        match self {
            Selection::Products(_) => self.names(product),
            Selection::Collections(collections) => {
                labels.is_some_and(|labels| labels.collections.iter().any(|one| collections.contains(one)))
            }
            Selection::Tags(tags) => {
                let is_named = |tag: &String| tags.iter().any(|named| same_tag(named, tag));
                labels.is_some_and(|labels| labels.tags.iter().any(is_named))
            }
        }
    }

    /// Whether it names the product itself.
    pub fn names(&self, product: Option<i64>) -> bool {
        match self {
            Selection::Products(products) => product.is_some_and(|product| products.contains(&product)),
            Selection::Collections(_) | Selection::Tags(_) => false,
        }
    }

    /// How many products, collections or tags it names.
    pub fn len(&self) -> usize {
        match self {
            Selection::Products(ids) | Selection::Collections(ids) => ids.len(),
            Selection::Tags(tags) => tags.len(),
        }
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether two tags are one: Shopify's do not differ by case.
pub fn same_tag(one: &str, other: &str) -> bool {
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

/// What these multipliers of one line come to. None at all is [`Factor::ONE`]; a zero leaves the line out, whatever the
/// others say.
pub fn combined(combine: Combine, factors: impl Iterator<Item = Factor>) -> Factor {
    let mut all = None;
    for factor in factors {
        if factor <= Factor::ZERO {
            return Factor::ZERO;
        }
        all = match combine {
            Combine::Best => all.max(Some(factor)),
            Combine::Multiply => Some(all.unwrap_or_default().times(factor)),
        };
    }
    all.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    fn come_to(combine: Combine, factors: &[i64]) -> i64 {
        combined(combine, factors.iter().map(|factor| Factor(*factor))).0
    }

    #[test]
    fn several_multipliers_are_the_best_or_their_product() {
        for (factors, best, product) in [
            (vec![], 10_000, 10_000),
            (vec![5_000], 5_000, 5_000),
            (vec![20_000, 15_000], 20_000, 30_000),
            (vec![11_500, 11_500], 11_500, 13_225),
            (vec![13_333, 13_333], 13_333, 17_776),
            (vec![20_000, 0], 0, 0),
            (vec![1_000_000, 1_000_000, 1_000_000], 1_000_000, 10_000_000),
        ] {
            assert_eq!(come_to(Combine::Best, &factors), best, "{factors:?}");
            assert_eq!(come_to(Combine::Multiply, &factors), product, "{factors:?}");
        }
    }

    #[test]
    fn a_selection_has_products_by_number_collection_or_tag() {
        let labels = Labels { collections: vec![4], tags: vec!["Summer Sale".into()] };
        let has = |selection: Selection| selection.has(Some(1), Some(&labels));
        assert!(has(Selection::Products(vec![2, 1])) && !has(Selection::Products(vec![2])));
        assert!(has(Selection::Collections(vec![4, 5])) && !has(Selection::Collections(vec![1])));
        assert!(
            has(Selection::Tags(vec!["summer sale".into()])) && !has(Selection::Tags(vec!["summer".into()]))
        );
        assert!(!Selection::Products(vec![0]).has(None, None));
        assert!(!Selection::Collections(vec![4]).has(Some(1), None), "nothing is known of it");
        assert!(same_tag("STRASSE É", "strasse é"));
    }

    proptest! {
        #[test]
        fn their_order_does_not_matter_to_the_best_and_all_stay_in_range(
            mut factors in proptest::collection::vec(0..=1_000_000_i64, 0..6),
        ) {
            let (best, product) = (come_to(Combine::Best, &factors), come_to(Combine::Multiply, &factors));
            prop_assert!((0..=Factor::MOST.0).contains(&best));
            prop_assert!((0..=Factor::MOST_TOGETHER.0).contains(&product));
            factors.reverse();
            prop_assert_eq!(come_to(Combine::Best, &factors), best);
        }

        #[test]
        fn one_is_as_none(factors in proptest::collection::vec(10_000..=1_000_000_i64, 1..5)) {
            let with: Vec<i64> = factors.iter().copied().chain([10_000]).collect();
            for combine in [Combine::Best, Combine::Multiply] {
                prop_assert_eq!(come_to(combine, &with), come_to(combine, &factors));
            }
        }
    }
}
