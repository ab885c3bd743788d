//! Amounts by currency.

use alloc::vec::Vec;

use crate::money::Currency;

/// An amount for each currency that something is offered in, in minor units. It is never converted: a merchant sets what
/// it is worth in each currency.
// A list in the order of the currencies: a map is a lot of code for the few there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts(Vec<(Currency, i64)>);

impl Amounts {
    /// None.
    pub const fn new() -> Amounts {
        Amounts(Vec::new())
    }

    /// The amount in a currency.
    pub fn get(&self, currency: Currency) -> Option<i64> {
        self.0.iter().find(|(known, _)| *known == currency).map(|(_, minor)| *minor)
    }

    /// Sets the amount in a currency.
    pub fn insert(&mut self, currency: Currency, minor: i64) {
        let mut amount = (currency, minor);
        for known in &mut self.0 {
            if known.0 == amount.0 {
                *known = amount;
                return;
            }
            // It takes the place of the first that comes after it, which moves on.
            if known.0 > amount.0 {
                core::mem::swap(known, &mut amount);
            }
        }
        self.0.push(amount);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each with its currency.
    pub fn iter(&self) -> impl Iterator<Item = (Currency, i64)> {
        self.0.iter().copied()
    }
}

impl FromIterator<(Currency, i64)> for Amounts {
    fn from_iter<I: IntoIterator<Item = (Currency, i64)>>(all: I) -> Amounts {
        let mut amounts = Amounts::new();
        all.into_iter().for_each(|(currency, minor)| amounts.insert(currency, minor));
        amounts
    }
}

impl<const N: usize> From<[(Currency, i64); N]> for Amounts {
    fn from(all: [(Currency, i64); N]) -> Amounts {
        all.into_iter().collect()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Amounts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Amounts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Amounts, D::Error> {
        let all = alloc::collections::BTreeMap::<Currency, i64>::deserialize(deserializer)?;
        Ok(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_for_each_currency_in_their_order() {
        let [euro, pound, yen] = ["EUR", "GBP", "JPY"].map(|code| Currency::parse(code).unwrap());
        let amounts = Amounts::from([(yen, 1), (euro, 2), (pound, 3), (euro, 4)]);
        assert_eq!(amounts.iter().collect::<Vec<_>>(), [(euro, 4), (pound, 3), (yen, 1)]);
        assert_eq!((amounts.get(pound), amounts.get(Currency::parse("SEK").unwrap())), (Some(3), None));
        assert_eq!(amounts, Amounts::from([(euro, 4), (pound, 3), (yen, 1)]));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn they_are_written_as_an_object() {
        let text = r#"{"EUR":4,"GBP":3}"#;
        let amounts: Amounts = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&amounts).unwrap(), text);
    }
}
